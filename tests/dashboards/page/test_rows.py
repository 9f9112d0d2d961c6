"""Every visual draws the rows that its question has in SQL, whatever is chosen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from tests.support.browser import Opened, opened

from sales_tech.dashboards.questions import Chosen, question
from sales_tech.dashboards.specification import Dashboard
from sales_tech.dashboards.views import relation_sql
from sales_tech.dashboards.visuals import Visual
from sales_tech.lake.query import Reader

Rows = list[dict[str, Any]]
State = dict[str, Any]
NOTHING: State = {"values": {}, "months": None}


@pytest.fixture(scope="module")
def window(browser: Browser, page_file: Path) -> Iterator[Opened]:
    with opened(browser, page_file) as one:
        yield one


def asked(reader: Reader, dashboard: Dashboard, visual: Visual, state: State) -> Rows:
    months = state["months"] and tuple(date.fromisoformat(f"{month}-01") for month in state["months"])
    rows = reader.arrow(question(dashboard, visual, Chosen(state["values"], months))).to_pylist()
    # `union all` promises no order.
    return sorted(rows, key=lambda row: str(row["period"]), reverse=True) if visual.kind == "kpi" else rows


def plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def assert_same(drawn: Rows, expected: Rows, of: str) -> None:
    assert len(drawn) == len(expected), of
    for place, (one, other) in enumerate(zip(drawn, expected, strict=True)):
        assert list(one) == list(other), of
        for name, value in other.items():
            wanted, found = plain(value), one[name]
            same = (
                math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9)
                if isinstance(wanted, float) and found is not None
                else found == wanted
            )
            assert same, f"{of}: row {place}, {name} is {found}, expected {wanted}"


def compare(window: Opened, reader: Reader, dashboard: Dashboard, state: State) -> int:
    """Draw every sheet with a choice; the number of rows that were compared."""
    compared = 0
    for sheet in dashboard.sheets:
        window.choose(dashboard=dashboard.name, sheet=sheet.name, **state)
        for visual in sheet.visuals:
            expected = asked(reader, dashboard, visual, state)
            assert_same(window.rows(visual.name), expected, f"{visual.name} with {state}")
            compared += len(expected)
    return compared


def values_of(reader: Reader, dashboard: Dashboard, column: str) -> list[Any]:
    data = next(data for data in dashboard.data.values() if column in data.dimensions)
    answer = reader.arrow(f"select distinct {column} as value from {relation_sql(data.table)} as t where {column} is not null order by 1")
    return answer.column("value").to_pylist()


def months_of(window: Opened, dashboard: Dashboard) -> list[str]:
    window.choose(dashboard=dashboard.name)
    months: list[str] = window.page.eval_on_selector_all("#first option", "all => all.map((one) => one.value)")
    return [f"{int(month) // 12}-{int(month) % 12 + 1:02}" for month in months]


@pytest.mark.slow(60)
@pytest.mark.parametrize("name", ["sales", "promotions", "operations"])
def test_every_visual_draws_what_its_question_answers(window: Opened, reader: Reader, shipped: list[Dashboard], name: str) -> None:
    dashboard = next(one for one in shipped if one.name == name)
    months = months_of(window, dashboard)
    columns = [one.column for one in dashboard.filters]
    first, second = {"sales": ("store", "category"), "promotions": ("category", "mechanic"), "operations": ("source", "step")}[name]
    assert {first, second} <= set(columns)
    one, other = values_of(reader, dashboard, first), values_of(reader, dashboard, second)
    states = [
        NOTHING,
        {"values": {}, "months": [months[-1], months[-1]]},
        {"values": {}, "months": [months[0], months[len(months) // 2]]},
        {"values": {first: one[:1]}, "months": None},
        {"values": {second: other[-1:]}, "months": [months[0], months[-1]]},
        {"values": {first: one[:2], second: other[:2]}, "months": [months[len(months) // 2], months[-1]]},
    ]
    assert all(compare(window, reader, dashboard, state) > len(dashboard.visuals) / 2 for state in states)
    assert (window.said, window.asked) == ([], [])


def test_a_value_that_fits_nothing_leaves_nothing(window: Opened, reader: Reader, shipped: list[Dashboard]) -> None:
    dashboard = next(one for one in shipped if one.name == "sales")
    compare(window, reader, dashboard, {"values": {"channel": ["of no store"]}, "months": None})
    window.choose(sheet="overview")
    assert window.page.locator(".card .empty").count() == len(dashboard.sheets[0].visuals)


CLICKED = [("overview", "by_category"), ("places", "state_by_category"), ("products", "margin_by_category")]


@pytest.mark.parametrize(("sheet", "visual"), CLICKED)
def test_a_click_on_a_mark_filters_all_visuals_and_a_second_takes_it_back(
    window: Opened, reader: Reader, shipped: list[Dashboard], sheet: str, visual: str
) -> None:
    dashboard = next(one for one in shipped if one.name == "sales")
    window.choose(dashboard="sales", sheet=sheet, **NOTHING)
    mark = f"#visual-{visual} path[role=button]"
    window.page.locator(mark).first.click()
    window.settle()
    chosen = window.chosen()
    drawn = next(one for one in dashboard.visuals if one.name == visual)
    assert chosen["values"]
    assert len(window.rows(visual)) == 1
    expected = asked(reader, dashboard, drawn, {"values": chosen["values"], "months": None})
    assert_same(window.rows(visual), expected, visual)
    assert compare(window, reader, dashboard, {"values": chosen["values"], "months": None}) > 0
    window.choose(sheet=sheet)
    window.page.locator(mark).first.click()
    window.settle()
    assert window.chosen()["values"] == {}
