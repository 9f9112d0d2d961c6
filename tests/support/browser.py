"""Chromium without a window, for pages that must work without a server and without a network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

_FLAGS = [
    f"--{name}" for name in ("no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking", "disable-component-update")
]


@dataclass
class Opened:
    """A page in the browser, what it said to the console, and what it asked of a network."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def choose(self, **wanted: Any) -> None:
        """Choose a dashboard, a sheet, values, months, a language or a theme, and wait until it is drawn."""
        self.page.evaluate("wanted => window.salesTech.choose(wanted)", wanted)

    def rows(self, visual: str) -> list[dict[str, Any]]:
        """The rows that a visual of the sheet draws."""
        rows: list[dict[str, Any]] = self.page.evaluate("name => window.salesTech.rows(name)", visual)
        return rows

    def chosen(self) -> dict[str, Any]:
        """What is chosen."""
        told: dict[str, Any] = self.page.evaluate("() => window.salesTech.chosen()")
        return told

    def settle(self) -> None:
        """Wait until nothing is being drawn."""
        self.page.wait_for_function("() => !window.salesTech.drawing()")


@contextmanager
def running_browser() -> Iterator[Browser]:
    """The installed Chromium, or that in SALES_TECH_CHROMIUM; the test is skipped where there is none."""
    given = os.environ.get("SALES_TECH_CHROMIUM")
    path = given or next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium is installed; SALES_TECH_CHROMIUM names one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, file: Path, *, locale: str = "pt-BR", theme: Any = "light", width: int = 1400) -> Iterator[Opened]:
    """A file in a window of its own, without a network; drawn when it is handed over."""
    context = browser.new_context(viewport={"width": width, "height": 900}, locale=locale, color_scheme=theme, offline=True)
    page = context.new_page()
    one = Opened(page)
    page.on("console", lambda message: one.said.append(message.text))
    page.on("pageerror", lambda error: one.said.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(("file:", "data:", "blob:")) else one.asked.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_function("() => window.salesTech")
    page.evaluate("() => window.salesTech.ready")
    yield one
    context.close()
