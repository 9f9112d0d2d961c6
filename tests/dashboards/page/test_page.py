"""The page in a browser: silent, whole without a network, readable by everybody, in two languages and two themes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from tests.support.browser import Opened, opened
from tests.support.nights import REPOSITORY

from sales_tech.dashboards.page import write_page
from sales_tech.dashboards.reading import load_dashboard
from sales_tech.dashboards.specification import Dashboard
from sales_tech.lake.query import Reader

LARGEST = 2_500_000


@pytest.fixture(scope="module")
def window(browser: Browser, page_file: Path) -> Iterator[Opened]:
    with opened(browser, page_file, locale="en-US") as one:
        yield one


def sheets(shipped: list[Dashboard]) -> list[tuple[str, str]]:
    return [(dashboard.name, sheet.name) for dashboard in shipped for sheet in dashboard.sheets]


def test_the_file_of_all_dashboards_is_small_and_names_no_other_machine(page_file: Path) -> None:
    text = page_file.read_text(encoding="utf-8")
    assert len(text.encode()) < LARGEST
    shell = re.sub(r'(<script type="application/octet-stream"[^>]*>)[^<]*', r"\1", text)
    outside = re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", shell)
    assert [address for address in outside if "www.w3.org" not in address] == []  # the names of SVG's own language


def test_the_browser_is_told_to_ask_no_one_and_to_run_only_the_page_s_own_scripts(page_file: Path) -> None:
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page_file.read_text(encoding="utf-8"))
    parts = {name: rest for name, _, rest in (part.strip().partition(" ") for part in policy.split(";"))}
    assert parts["default-src"] == parts["connect-src"] == "'none'"
    assert re.fullmatch(r"'sha256-[^']*' 'sha256-[^']*'", parts["script-src"])


@pytest.mark.parametrize(("theme", "locale", "width"), [("light", "pt-BR", 1400), ("dark", "en-US", 900), ("dark", "pt-BR", 400)])
def test_no_sheet_says_anything_asks_anyone_or_is_wider_than_the_window(
    browser: Browser, page_file: Path, shipped: list[Dashboard], theme: str, locale: str, width: int
) -> None:
    with opened(browser, page_file, theme=theme, locale=locale, width=width) as one:
        for dashboard, sheet in sheets(shipped):
            one.choose(dashboard=dashboard, sheet=sheet)
            assert one.page.evaluate("document.documentElement.scrollWidth") <= width, (dashboard, sheet)
        assert (one.said, one.asked) == ([], [])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(window: Opened, shipped: list[Dashboard], theme: str) -> None:
    found: dict[str, Any] = {}
    for dashboard, sheet in sheets(shipped):
        window.choose(dashboard=dashboard, sheet=sheet, theme=theme, values={}, months=None)
        for one in Axe().run(window.page).response["violations"]:
            if one["impact"] in ("serious", "critical"):
                found[f"{dashboard}/{sheet}: {one['id']}"] = [node["html"][:200] for node in one["nodes"]][:3]
    assert found == {}


def test_bars_are_as_many_as_rows_and_as_long_as_their_values(window: Opened) -> None:
    window.choose(dashboard="sales", sheet="overview", values={}, months=None)
    rows = window.rows("by_store")
    boxes = window.page.eval_on_selector_all("#visual-by_store path[role=button]", "all => all.map((one) => one.getBBox().width)")
    assert len(boxes) == len(rows) > 2
    shares = [width / boxes[0] for width in boxes]
    assert shares == pytest.approx([row["net_sales"] / rows[0]["net_sales"] for row in rows], abs=0.01)


def test_language_changes_words_numbers_and_months(window: Opened) -> None:
    window.choose(dashboard="sales", sheet="overview", language="en", values={}, months=None)
    english = window.page.inner_text("body")
    window.page.click("#language")
    window.settle()
    portuguese = window.page.inner_text("body")
    assert window.page.get_attribute("html", "lang") == "pt-BR"
    assert "Net sales" in english
    assert "Receita líquida" in portuguese
    assert re.search(r"R\$[\d.]+[KM]", english)
    assert re.search(r"R\$\s[\d,.]+\s(mil|mi)\b", portuguese)
    window.page.click("#language")
    window.settle()
    assert window.page.inner_text("body") == english


def test_the_browser_s_language_is_the_first(browser: Browser, page_file: Path) -> None:
    for locale, wanted in (("pt-PT", "pt-BR"), ("de-DE", "en-US")):
        with opened(browser, page_file, locale=locale) as one:
            assert one.page.get_attribute("html", "lang") == wanted


def test_the_keyboard_reaches_a_bar_moves_among_bars_and_filters(window: Opened) -> None:
    window.choose(dashboard="sales", sheet="overview", values={}, months=None)
    second = window.rows("by_store")[1]["store"]
    window.page.focus("#visual-by_store .menu summary")
    window.page.keyboard.press("Tab")
    assert window.page.evaluate("document.activeElement.getAttribute('tabindex')") == "0"
    window.page.keyboard.press("ArrowDown")
    window.page.keyboard.press("Enter")
    window.settle()
    assert window.chosen()["values"] == {"store": [second]}
    chip = window.page.locator(".chip")
    assert second in chip.inner_text()
    chip.focus()
    window.page.keyboard.press("Enter")
    window.settle()
    assert window.chosen()["values"] == {}


def test_a_filter_s_list_chooses_several_values_and_a_button_clears_them(window: Opened) -> None:
    window.choose(dashboard="sales", sheet="overview", values={}, months=None)
    for place in (0, 1):
        if window.page.locator("details[data-column=store]").get_attribute("open") is None:
            window.page.click("details[data-column=store] summary")
        window.page.locator("details[data-column=store] input[type=checkbox]").nth(place).click()
        window.settle()
    assert len(window.chosen()["values"]["store"]) == 2
    assert window.page.locator(".chip").count() == 2
    window.page.click("#reset")
    window.settle()
    assert set(window.chosen()["values"]) == {"source"}  # one of which is always chosen


def test_a_chart_s_data_are_there_as_a_table_and_as_a_file(window: Opened) -> None:
    window.choose(dashboard="sales", sheet="overview", language="en", values={}, months=None)
    rows = window.rows("by_store")
    window.page.click("#visual-by_store .menu summary")
    window.page.click("#visual-by_store .menu button >> nth=0")
    assert window.page.locator("dialog tbody tr").count() == len(rows)
    assert window.page.locator("dialog tbody tr").first.inner_text().startswith(rows[0]["store"])
    window.page.click("dialog .head button")
    window.page.click("#visual-by_store .menu summary")
    with window.page.expect_download() as waiting:
        window.page.click("#visual-by_store .menu button >> nth=1")
    text = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    told = list(csv.reader(io.StringIO(text)))
    assert told[0] == ["Store", "Net sales"]
    assert [[name, float(value)] for name, value in told[1:]] == [[row["store"], row["net_sales"]] for row in rows]


def test_an_estimate_is_called_one_and_has_its_interval_where_the_data_tell_it(window: Opened) -> None:
    window.choose(dashboard="promotions", sheet="results", language="en", values={}, months=None)
    assert "estimate" in window.page.inner_text("#visual-incremental_revenue h2")
    cells = window.page.locator("#visual-league td small")
    assert cells.count() > 0
    assert " to " in cells.first.inner_text()


def test_both_languages_have_the_same_words_and_those_that_the_code_asks_for() -> None:
    folder = REPOSITORY / "src" / "sales_tech" / "dashboards" / "page" / "js"
    words = (folder / "words.js").read_text(encoding="utf-8").split("\n};\n", 1)[0]
    portuguese, english = (set(re.findall(r"\b(\w+): (?=\"|\()", part)) for part in re.split(r"^  en: \{", words, flags=re.M))
    asked = {name for path in folder.glob("*.js") for name in re.findall(r"words\(\)\.(\w+)", path.read_text(encoding="utf-8"))}
    assert portuguese == english
    assert asked
    assert asked | {"good", "bad", "better", "worse"} == english


def test_a_visual_that_is_added_to_a_dashboard_is_drawn_without_new_code(browser: Browser, reader: Reader, tmp_path: Path) -> None:
    told = yaml.safe_load((REPOSITORY / "dashboards" / "sales.yaml").read_text(encoding="utf-8"))
    visual = {
        "name": "added", "kind": "bar", "title": {"en": "Units by region", "pt": "Unidades por região"}, "data": "months",
        "category": "region", "value": "units", "at": {"column": 0, "row": 90, "width": 6, "height": 5},
    }  # fmt: skip
    told["sheets"][0]["visuals"].append(visual)
    (tmp_path / "sales.yaml").write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
    file = write_page([load_dashboard(tmp_path / "sales.yaml")], reader, tmp_path / "page.html")
    with opened(browser, file, locale="en-US") as one:
        assert "Units by region" in one.page.inner_text("#visual-added h2")
        assert one.page.locator("#visual-added path[role=button]").count() == len(one.rows("added")) > 0
