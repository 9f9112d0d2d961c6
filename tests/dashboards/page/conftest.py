"""The browser, and the page of the shipped dashboards over a small lake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.support.browser import running_browser
from tests.support.nights import REPOSITORY

from sales_tech.dashboards.page import write_page
from sales_tech.dashboards.reading import load_dashboards
from sales_tech.dashboards.specification import Dashboard
from sales_tech.lake.query import Reader


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a file: while it is there, nothing else in the process can run an event loop."""
    with running_browser() as running:
        yield running


@pytest.fixture(scope="session")
def shipped() -> list[Dashboard]:
    """The dashboards of the project."""
    return load_dashboards(REPOSITORY / "dashboards")


@pytest.fixture(scope="session")
def page_file(reader: Reader, shipped: list[Dashboard], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of all of them."""
    return write_page(shipped, reader, tmp_path_factory.mktemp("page") / "dashboard.html")
