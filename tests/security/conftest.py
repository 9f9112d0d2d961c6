"""A tiny lake whose key of the personal hash is known, so that a leak of it can be told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.exports import land_erp, land_reference, sale
from tests.support.nights import HASH_KEY, night, settings_in

from sales_tech.lake.query import Reader
from sales_tech.settings import Settings


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings of a lake with two sales."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SALES_TECH_HASH_KEY", HASH_KEY)
        settings = settings_in(tmp_path_factory.mktemp("small"), "erp_br")
        land_reference(settings.landing, "A", "B")
        land_erp(settings.landing, "vendas_2026-01", sale("P1"), sale("P2", sku="B"))
        night(settings)
        yield settings


@pytest.fixture
def reader(small: Settings) -> Reader:
    """Answers queries on it."""
    return Reader(small)
