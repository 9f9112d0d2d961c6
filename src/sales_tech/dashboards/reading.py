"""Reads dashboards and checks them against what the gold tables and views promise; errors name file and line."""

from __future__ import annotations

from pathlib import Path

from sales_tech.contracts.document import Document
from sales_tech.contracts.table import TableContract
from sales_tech.dashboards.specification import Dashboard, Data
from sales_tech.dashboards.views import relation_contract, relation_names
from sales_tech.dashboards.visuals import Fan, Line, StackedArea, Table, Visual, Waterfall, dimensions_of, grain_of, measures_of

NUMBERS = ("int", "long", "double", "decimal")
_Key = tuple[str | int, ...]


def load_dashboard(path: Path) -> Dashboard:
    """Read one dashboard; ContractError names the file, the line, what was found and what was expected."""
    document = Document.load(path, "docs/dashboards.md")
    dashboard = document.validate(Dashboard, name=path.stem)
    _check_data(document, dashboard)
    _check_filters(document, dashboard)
    _check_words(document, dashboard)
    _check_visuals(document, dashboard)
    return dashboard


def load_dashboards(folder: Path) -> list[Dashboard]:
    """Read all dashboards of a folder, in the order of their names."""
    # Hidden files are left alone, as in packs: macOS puts a ._sales.yaml beside each file on a foreign disk.
    return [load_dashboard(path) for path in sorted(folder.glob("*.yaml")) if not path.name.startswith(".")]


def _check_data(document: Document, dashboard: Dashboard) -> None:
    for name, data in dashboard.data.items():
        contract = relation_contract(data.table)
        if contract is None:
            raise document.error(("data", name, "table"), f"no table {data.table}", f"one of {', '.join(relation_names())}")
        for column in data.dimensions:
            _known(document, ("data", name, "dimensions", column), contract, column)
        if data.period is not None:
            _known(document, ("data", name, "period"), contract, data.period)
            if contract.columns[data.period].type.name != "date":
                raise document.error(
                    ("data", name, "period"), f"{data.period} is {contract.columns[data.period].type}", "a column of dates"
                )
        for label, measure in data.measures.items():
            if label in data.dimensions:
                raise document.error(("data", name, "measures", label), f"{label} is a dimension too", "another name")
            ends = {(end,): column for end in ("low", "high") if (column := getattr(measure, end)) is not None}
            for key, column in (measure.columns | ends).items():
                where = ("data", name, "measures", label, *key)
                _known(document, where, contract, column)
                if contract.columns[column].type.name not in NUMBERS:
                    raise document.error(where, f"{column} of {data.table} is {contract.columns[column].type}", "a column of numbers")


def _known(document: Document, key: _Key, contract: TableContract, column: str) -> None:
    if column not in contract.columns:
        raise document.error(key, f"no column {column} in {contract.name}", f"one of {', '.join(contract.columns)}")


def _check_filters(document: Document, dashboard: Dashboard) -> None:
    seen = set()
    for place, one in enumerate(dashboard.filters):
        key = ("filters", place, "column")
        if one.column in seen:
            raise document.error(key, f"a second filter of {one.column}", "one filter for each column")
        seen.add(one.column)
        owners = [data for data in dashboard.data.values() if one.column in data.dimensions]
        if not owners:
            raise document.error(key, f"a filter of {one.column}, which no data set has among its dimensions", "a dimension of a data set")
        for data in owners:
            _check_category(document, key, data, one.column)
    if dashboard.period is not None and all(data.period is None for data in dashboard.data.values()):
        raise document.error(("period",), "a period, though no data set has one", "a data set with the setting period")


def _check_words(document: Document, dashboard: Dashboard) -> None:
    dimensions = list(dict.fromkeys(column for data in dashboard.data.values() for column in data.dimensions))
    for column in dashboard.words:
        if column not in dimensions:
            raise document.error(
                ("words", column), f"words for {column}, which no data set has", f"one of {', '.join(dimensions) or 'none'}"
            )


def _check_category(document: Document, key: _Key, data: Data, column: str) -> None:
    # QuickSight renders a date that stands for a category as nothing.
    contract = relation_contract(data.table)
    assert contract is not None
    kind = contract.columns[column].type.name
    if kind in ("date", "timestamptz"):
        raise document.error(
            key, f"{column} of {data.table} is {contract.columns[column].type}", "a column of texts, numbers or yes and no"
        )


def _check_visuals(document: Document, dashboard: Dashboard) -> None:
    names: set[str] = set()
    sheets: set[str] = set()
    for number, sheet in enumerate(dashboard.sheets):
        if sheet.name in sheets:
            raise document.error(("sheets", number, "name"), f"a second sheet {sheet.name}", "each name once")
        sheets.add(sheet.name)
        taken: dict[tuple[int, int], str] = {}
        for place, visual in enumerate(sheet.visuals):
            key: _Key = ("sheets", number, "visuals", place)
            if visual.name in names:
                raise document.error((*key, "name"), f"a second visual {visual.name}", "each name once in a dashboard")
            names.add(visual.name)
            _check_place(document, key, visual, taken)
            _check_visual(document, key, dashboard, visual)


def _check_place(document: Document, key: _Key, visual: Visual, taken: dict[tuple[int, int], str]) -> None:
    at = visual.at
    for cell in ((row, column) for row in range(at.row, at.row + at.height) for column in range(at.column, at.column + at.width)):
        if other := taken.get(cell):
            raise document.error((*key, "at"), f"{visual.name} stands on {other} at row {cell[0]}, column {cell[1]}", "a free place")
        taken[cell] = visual.name


def _check_time(document: Document, key: _Key, visual: Visual, data: Data, column: str) -> None:
    # Days to come lie outside of any period of months that were; data sets that hold them have none.
    contract = relation_contract(data.table)
    assert contract is not None
    if data.period is not None and column != data.period:
        raise document.error(key, f"{column} as the time of {visual.data}", f"its period {data.period}")
    _known(document, key, contract, column)
    if contract.columns[column].type.name != "date":
        raise document.error(key, f"{column} of {data.table} is {contract.columns[column].type}", "a column of dates")


def _check_visual(document: Document, key: _Key, dashboard: Dashboard, visual: Visual) -> None:
    if visual.data not in dashboard.data:
        raise document.error((*key, "data"), f"no data set {visual.data}", f"one of {', '.join(dashboard.data)}")
    data = dashboard.data[visual.data]
    contract = relation_contract(data.table)
    assert contract is not None
    for role, name in measures_of(visual):
        if name not in data.measures:
            raise document.error((*key, *role), f"no measure {name} in {visual.data}", f"one of {', '.join(data.measures)}")
    timed = grain_of(visual) is not None
    for role, name in dimensions_of(visual):
        where = (*key, *role)
        if timed and role == ("x",):
            _check_time(document, where, visual, data, name)
            continue
        if name not in data.dimensions:
            raise document.error(where, f"no dimension {name} in {visual.data}", f"one of {', '.join(data.dimensions) or 'none'}")
        _check_category(document, where, data, name)
    for several in ("rows", "values", "bars"):
        names: list[str] = getattr(visual, several, [])
        for place, name in enumerate(names):
            if name in names[:place]:
                raise document.error((*key, several, place), f"a second {name} among the {several}", "each name once in a visual")
    if isinstance(visual, Line) and visual.color is not None and len(visual.values) > 1:
        raise document.error((*key, "values"), f"{len(visual.values)} measures by {visual.color}", "one measure where a line has colors")
    if isinstance(visual, Table):
        for place, rule in enumerate(visual.rules):
            if rule.value not in visual.values:
                raise document.error((*key, "rules", place, "value"), f"a rule for {rule.value}", f"one of {', '.join(visual.values)}")
    if isinstance(visual, Fan | StackedArea | Waterfall):
        for role, name in measures_of(visual):
            if data.measures[name].ratio is not None:
                raise document.error((*key, *role), f"{name}, a ratio, in a {visual.kind}", "a measure that is a sum")
