"""Each visual of the template asks what the page asks: its definition, read as SQL, has the rows of the visual's question."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.dashboards.quicksight.asked import Asking
from tests.dashboards.quicksight.invented import Rows, answered, invented
from tests.support.nights import REPOSITORY

from sales_tech.dashboards.questions import Chosen, question
from sales_tech.dashboards.quicksight.names import parameter
from sales_tech.dashboards.quicksight.template import template
from sales_tech.dashboards.reading import load_dashboard
from sales_tech.dashboards.specification import Dashboard
from sales_tech.dashboards.visuals import Visual, Waterfall, dimensions_of, grain_of, measures_of

SPECIFICATIONS = [*sorted((REPOSITORY / "dashboards").glob("*.yaml")), Path(__file__).parent / "specifications" / "every_kind.yaml"]
STATES: list[tuple[dict[str, Sequence[str | int | bool]], tuple[date, date]]] = [
    ({}, (date(2026, 1, 1), date(2026, 7, 1))),
    ({"source": ["erp_br"]}, (date(2026, 4, 1), date(2026, 4, 1))),
    ({"source": ["olist"], "region": ["Sul", "Norte"]}, (date(2026, 3, 1), date(2026, 4, 1))),
    ({"channel": ["online"], "category": ["tv", "several"]}, (date(2026, 4, 1), date(2026, 6, 1))),
    ({"category": ["unknown", "several"], "depth": [5, 7], "display": [True]}, (date(2026, 2, 1), date(2026, 5, 1))),
    ({"region": ["unknown"], "channel": ["loja", "online"]}, (date(2026, 3, 1), date(2026, 3, 1))),
]


@pytest.fixture(scope="module")
def lake() -> duckdb.DuckDBPyConnection:
    return invented()


@pytest.fixture(scope="module", params=SPECIFICATIONS, ids=lambda path: path.stem)
def dashboard(request: pytest.FixtureRequest) -> Dashboard:
    return load_dashboard(request.param)


@pytest.mark.parametrize("state", range(len(STATES)))
def test_a_definition_asks_what_the_page_asks(lake: duckdb.DuckDBPyConnection, dashboard: Dashboard, state: int) -> None:
    values, months = STATES[state]
    values = {column: chosen for column, chosen in values.items() if column in {each.column for each in dashboard.filters}}
    chosen = Chosen(values, months if dashboard.period else None)
    made = template([dashboard])
    (definition,) = (
        each["Properties"]["Definition"] for each in made["Resources"].values() if each["Type"] == "AWS::QuickSight::Dashboard"
    )
    texts = {parameter(column): [str(_worded(dashboard, column, value)) for value in chosen_here] for column, chosen_here in values.items()}
    asking = Asking(made, definition, texts, {"FirstMonth": months[0], "LastMonth": months[1]})
    empty = []
    for visual, sheet, shown in _drawn(dashboard, definition):
        rows = answered(lake, asking.question(sheet, shown))
        expected = answered(lake, question(dashboard, visual, chosen))
        assert _same(_compared(dashboard, visual, rows), _expected(dashboard, visual, expected)), visual.name
        if not expected:
            empty.append(visual.name)
    assert len(empty) * 2 < len(dashboard.visuals), f"{empty} say nothing in this state"
    assert values or not empty, f"{empty} say nothing where all is shown"


def _drawn(dashboard: Dashboard, definition: Mapping[str, Any]) -> Iterator[tuple[Visual, str, Mapping[str, Any]]]:
    for sheet, shown in zip(dashboard.sheets, definition["Sheets"], strict=True):
        for visual, body in zip(sheet.visuals, shown["Visuals"], strict=True):
            yield visual, shown["SheetId"], body


def _compared(dashboard: Dashboard, visual: Visual, rows: Rows) -> list[tuple[object, ...]]:
    """The rows of the definition."""
    if isinstance(visual, Waterfall):
        labels = {dashboard.data[visual.data].measures[step.value].label.pt: -1 if step.subtract else 1 for step in visual.steps}
        if all(amount is None for _, amount in rows):
            return []
        return [(_plain(step), _plain(amount if amount is None else labels[str(step)] * float(str(amount)))) for step, amount in rows]
    if visual.kind == "kpi":
        return [tuple(_plain(value) for value in row) for row in rows]
    return [tuple(_plain(value) for value in row) for row in rows]


def _expected(dashboard: Dashboard, visual: Visual, rows: Rows) -> list[tuple[object, ...]]:
    """The rows of the question as the wells of the definition have them: in their order, with the words of their values."""
    if isinstance(visual, Waterfall):
        names = list(dict.fromkeys(step.value for step in visual.steps))
        (figures,) = rows
        if not any(value is not None for value in figures):
            return []  # no rows: QuickSight draws no step, the page draws them without a figure
        labels = dashboard.data[visual.data].measures
        return [(_plain(labels[step.value].label.pt), _plain(figures[names.index(step.value)])) for step in visual.steps]
    if visual.kind == "kpi":
        figures = {str(row[0]): row[1] for row in rows}
        return [tuple(_plain(figures[part]) for part in ("current", "before") if part in figures)]
    dimensions = [name for _, name in dimensions_of(visual)]
    names = dimensions + list(dict.fromkeys(name for _, name in measures_of(visual)))
    wells = _wells(visual)
    worded = [
        {
            name: _worded(dashboard, name, value) if name in dimensions and not _timed(visual, name) else value
            for name, value in zip(names, row, strict=True)
        }
        for row in rows
    ]
    return [tuple(_plain(row[name]) for name in wells) for row in worded]


def _wells(visual: Visual) -> list[str]:
    """The dimensions and measures of a visual in the order of QuickSight's wells."""
    roles = {role[0]: name for role, name in (*dimensions_of(visual), *measures_of(visual))}
    measures = [name for _, name in measures_of(visual)]
    match visual.kind:
        case "line" | "stacked_area" | "bar":
            first = roles["category"] if visual.kind == "bar" else roles["x"]
            return [first, *measures, *([roles["color"]] if "color" in roles else [])]
        case "heatmap":
            return [roles["y"], roles["x"], roles["value"]]
        case "scatter":
            points = [roles["color"], roles["point"]] if "color" in roles else [roles["point"]]
            sized = [roles["size"]] if "size" in roles else []
            return [visual.x, visual.y, *points, *sized]
        case _:
            return [*(name for _, name in dimensions_of(visual)), *measures]


def _timed(visual: Visual, name: str) -> bool:
    return grain_of(visual) is not None and name == getattr(visual, "x", None)


def _worded(dashboard: Dashboard, column: str, value: object) -> object:
    words = dashboard.words.get(column, {})
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if words:
        return "—" if value is None else words[text].pt if text in words else text
    return text if isinstance(value, bool) else value


def _plain(value: object) -> tuple[str, object]:
    """A value that sorts beside any other."""
    if value is None:
        return ("none", "")
    if isinstance(value, date):
        return ("date", value.isoformat()[:10])
    return ("text", value) if isinstance(value, str) else ("number", float(str(value)))


def _same(rows: list[tuple[object, ...]], expected: list[tuple[object, ...]]) -> bool:
    """Whether the rows are the same in any order, but for the last digits that sums of doubles lose by their order."""
    if len(rows) != len(expected):
        return False
    pairs = zip(sorted(rows, key=_order), sorted(expected, key=_order), strict=True)
    return all(len(row) == len(other) and all(map(_equal, row, other)) for row, other in pairs)


def _order(row: tuple[Any, ...]) -> tuple[Any, ...]:
    words = [value for value in row if value[0] != "number"]
    return (words, [float(f"{value:.6g}") for kind, value in row if kind == "number"])


def _equal(one: Any, other: Any) -> bool:
    return one == other or (one[0] == other[0] == "number" and math.isclose(one[1], other[1], rel_tol=1e-9, abs_tol=1e-9))


def test_rows_that_differ_are_not_the_same() -> None:
    rows: list[tuple[object, ...]] = [(("text", "a"), ("number", 1.0)), (("text", "b"), ("none", ""))]
    assert _same(rows, rows[::-1])
    assert not _same(rows, rows[:1])
    assert not _same(rows, [(("text", "a"), ("number", 1.0001)), rows[1]])
    assert not _same(rows, [rows[0], (("text", "b"), ("number", 0.0))])
