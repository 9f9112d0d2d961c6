"""The dashboards of the repository: what they show, in which words."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest
from tests.support.dashboards import dashboards
from tests.support.nights import REPOSITORY

from sales_tech.dashboards.specification import Dashboard, Measure
from sales_tech.dashboards.views import view_names
from sales_tech.dashboards.visuals import COLUMNS, Heatmap, Line, StackedArea, Table, Visual, Words, dimensions_of, measures_of

DASHBOARDS = {dashboard.name: dashboard for dashboard in dashboards()}
KINDS = {"kpi", "line", "bar", "stacked_area", "combo", "heatmap", "scatter", "waterfall", "table", "fan"}
CLOSED = {
    "phase": {"before", "during", "after"},
    "evidence": {"strong", "fair", "thin", "none"},
    "fate": {"accepted", "superseded", "ignored", "rejected"},
    "weekday": set("1234567"),
    "effect": {"effective", "not shown"},
    "outcome": {"succeeded", "rejected_files", "failed", "skipped"},
}


def measures(dashboard: Dashboard, visual: Visual) -> Iterator[Measure]:
    data = dashboard.data[visual.data]
    return (data.measures[name] for _, name in measures_of(visual))


def test_there_are_three_and_they_show_every_kind_of_visual() -> None:
    assert list(DASHBOARDS) == ["operations", "promotions", "sales"]
    assert {visual.kind for dashboard in DASHBOARDS.values() for visual in dashboard.visuals} == KINDS


def test_every_view_is_shown_by_a_dashboard() -> None:
    assert {data.table for dashboard in DASHBOARDS.values() for data in dashboard.data.values()} == set(view_names())


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)
def test_nothing_is_declared_that_no_visual_or_filter_uses(dashboard: Dashboard) -> None:
    used = {(visual.data, name) for visual in dashboard.visuals for _, name in measures_of(visual)}
    unused = {(name, measure) for name, data in dashboard.data.items() for measure in data.measures} - used
    assert unused == set()
    shown = {name for visual in dashboard.visuals for _, name in dimensions_of(visual)} | {one.column for one in dashboard.filters}
    assert {column for data in dashboard.data.values() for column in data.dimensions} <= shown
    assert set(dashboard.words) <= shown


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)
def test_the_rows_of_a_sheet_have_no_holes(dashboard: Dashboard) -> None:
    for sheet in dashboard.sheets:
        cells = [
            (row, column)
            for visual in sheet.visuals
            for row in range(visual.at.row, visual.at.row + visual.at.height)
            for column in range(visual.at.column, visual.at.column + visual.at.width)
        ]
        assert sorted(cells) == [(row, column) for row in range(max(cells)[0] + 1) for column in range(COLUMNS)], sheet.name


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)
def test_a_dimension_has_one_name_in_a_dashboard(dashboard: Dashboard) -> None:
    names: dict[str, Words] = {}
    for data in dashboard.data.values():
        for column, words in data.dimensions.items():
            assert names.setdefault(column, words) == words


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)
def test_a_filter_that_does_not_move_a_figure_is_noted(dashboard: Dashboard) -> None:
    # Operations look at runs of the whole lake, at files and at forecasts: most of its filters are for one of these.
    of_all = ("source",) if dashboard.name == "operations" else tuple(one.column for one in dashboard.filters)
    for visual in dashboard.visuals:
        data = dashboard.data[visual.data]
        still = [column for column in of_all if column not in data.dimensions]
        if still or (data.period is None and dashboard.period is not None):
            assert visual.note is not None, visual.name


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)
def test_a_figure_that_is_an_estimate_says_so(dashboard: Dashboard) -> None:
    for visual in dashboard.visuals:
        if any(measure.estimate for measure in measures(dashboard, visual)) and not isinstance(visual, Table):
            assert visual.note is not None, visual.name
            assert "stimate" in visual.note.en or "90 %" in visual.note.en or "forecast" in visual.note.en, visual.name


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)
@pytest.mark.parametrize("language", ["en", "pt"])
def test_a_chart_whose_legend_tells_no_measure_tells_it_in_its_title_or_note(dashboard: Dashboard, language: str) -> None:
    for visual in dashboard.visuals:
        if isinstance(visual, (Heatmap, StackedArea)) or (isinstance(visual, Line) and visual.color):
            (measure,) = measures(dashboard, visual)
            told = " ".join(getattr(words, language) for words in (visual.title, visual.note) if words).lower()
            assert getattr(measure.label, language).split()[0].lower() in told, visual.name


def test_the_league_table_tells_intervals() -> None:
    promotions = DASHBOARDS["promotions"]
    league = next(visual for visual in promotions.visuals if visual.name == "league")
    assert isinstance(league, Table)
    intervals = {name for name in league.values if promotions.data[league.data].measures[name].low is not None}
    assert intervals == {"net_margin", "uplift", "incremental_units", "return_on_investment"}


def test_what_can_be_listed_has_words_and_stands_in_their_order(views: dict[str, pd.DataFrame]) -> None:
    seen = set()
    for dashboard in DASHBOARDS.values():
        for data in dashboard.data.values():
            for column in CLOSED.keys() & data.dimensions.keys():
                words = dashboard.words[column]
                assert set(words) == CLOSED[column]
                assert set(views[data.table][column].astype(str)) <= set(words)
                seen.add(column)
    assert seen == set(CLOSED)
    assert list(DASHBOARDS["promotions"].words["phase"]) == ["before", "during", "after"]
    assert list(DASHBOARDS["sales"].words["weekday"]) == sorted(CLOSED["weekday"])


def test_every_kind_and_role_is_in_the_documentation() -> None:
    text = (REPOSITORY / "docs" / "dashboards.md").read_text(encoding="utf-8")
    lines = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    assert set(lines) == KINDS
    own = {"name", "title", "data", "at", "note", "kind"}
    for visual in {visual.kind: visual for dashboard in DASHBOARDS.values() for visual in dashboard.visuals}.values():
        roles = set(type(visual).model_fields) - own
        assert {role for role in roles if f"`{role}`" not in lines[visual.kind]} == set()
