"""What a visual of QuickSight reads: a data set of the specification, or the steps of a waterfall as rows of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sales_tech.contracts.table import Column
from sales_tech.dashboards.quicksight.dimensions import Dimension, dimension
from sales_tech.dashboards.quicksight.words import Language, said
from sales_tech.dashboards.specification import Dashboard, Data
from sales_tech.dashboards.views import PREFIX, relation_contract, relation_sql
from sales_tech.dashboards.visuals import Bar, Combo, Heatmap, Visual, Waterfall, dimensions_of, grain_of

REGION = "region"
AMOUNT, STEP, PLACE = "amount", "step", "step_place"
_TYPES = {
    "string": "STRING",
    "boolean": "STRING",
    "int": "INTEGER",
    "long": "INTEGER",
    "double": "DECIMAL",
    "decimal": "DECIMAL",
    "date": "DATETIME",
}


@dataclass(frozen=True)
class Feed:
    """A data set as QuickSight loads it.

    `columns` have QuickSight's types, `dimensions` tell how each dimension is shown and filtered. `sql` is null where the rows are those
    of the gold table `table`.
    """

    name: str
    table: str
    sql: str | None
    columns: dict[str, str]
    dimensions: dict[str, Dimension]
    period: str | None

    @property
    def added(self) -> dict[str, str]:
        """The columns that QuickSight adds when it loads, with their expressions."""
        return {name: expression for each in self.dimensions.values() for name, expression in each.added.items()}


def feeds_of(dashboard: Dashboard, language: Language) -> Iterator[tuple[Feed, list[Visual]]]:
    """Each data set that a visual of the dashboard reads, with those visuals."""
    for name, data in dashboard.data.items():
        visuals: list[Visual] = [visual for visual in dashboard.visuals if visual.data == name and not isinstance(visual, Waterfall)]
        if visuals:
            yield _feed_of_data(dashboard, name, data, visuals, language), visuals
    for visual in dashboard.visuals:
        if isinstance(visual, Waterfall):
            yield _feed_of_steps(dashboard, visual, language), [visual]


def ordered_by(visual: Visual) -> list[str]:
    """The dimensions of a visual whose values stand in their own order."""
    match visual:
        case Bar(order="category"):
            return [visual.category]
        case Combo(grain=None):
            return [visual.x]
        case Heatmap():
            return [visual.x, visual.y]
        case _:
            return []


def _feed_of_data(dashboard: Dashboard, name: str, data: Data, visuals: list[Visual], language: Language) -> Feed:
    columns = _columns(data)
    wanted = {*data.dimensions, data.period, REGION}
    for measure in data.measures.values():
        wanted |= {*measure.columns.values()}
    for visual in visuals:
        wanted |= {column for role, column in dimensions_of(visual) if grain_of(visual) is not None and role == ("x",)}
    used = {column: each for column, each in columns.items() if column in wanted}
    plain = not data.table.startswith(PREFIX) and all(column.type.name != "boolean" for column in used.values())
    selected = ", ".join(_selected(column, each) for column, each in used.items())
    sql = None if plain else f"select {selected}\nfrom {_relation(data.table)} as t"
    types = {column: _TYPES[each.type.name] for column, each in used.items()}
    return Feed(name, data.table, sql, types, _dimensions(dashboard, data, visuals, language), data.period)


def _feed_of_steps(dashboard: Dashboard, visual: Waterfall, language: Language) -> Feed:
    data = dashboard.data[visual.data]
    columns = _columns(data)
    kept = [name for name in columns if name in {*data.dimensions, data.period, REGION}]
    summed = {step.value: str(data.measures[step.value].sum) for step in visual.steps}
    sums = [f"cast(sum({column}) as double) as {_sum(name)}" for name, column in summed.items()]
    grouped = f"\n  group by {', '.join(map(str, range(1, len(kept) + 1)))}" if kept else ""
    selected = ", ".join([*(_selected(name, columns[name]) for name in kept), *sums])
    parts = [
        ", ".join([*kept, f"'{_quoted(said(data.measures[step.value].label, language))}' as {STEP}", f"{place} as {PLACE}",
                   f"{'-' if step.subtract else ''}{_sum(step.value)} as {AMOUNT}"])
        for place, step in enumerate(visual.steps, start=1)
    ]  # fmt: skip
    union = "\nunion all\n".join(f"select {part} from summed" for part in parts)
    sql = f"with summed as (\n  select {selected}\n  from {_relation(data.table)} as t{grouped}\n)\n{union}"
    types = {name: _TYPES[columns[name].type.name] for name in kept} | {STEP: "STRING", PLACE: "INTEGER", AMOUNT: "DECIMAL"}
    return Feed(f"{visual.data} {visual.name}", data.table, sql, types, _dimensions(dashboard, data, [visual], language), data.period)


def _relation(table: str) -> str:
    lines = relation_sql(table).replace("(--", "(\n--").splitlines()
    return "\n".join(line.rstrip() for line in lines if line.strip() and not line.lstrip().startswith("--"))


def _columns(data: Data) -> dict[str, Column]:
    contract = relation_contract(data.table)
    assert contract is not None
    return contract.columns


def _dimensions(dashboard: Dashboard, data: Data, visuals: list[Visual], language: Language) -> dict[str, Dimension]:
    columns = _columns(data)
    in_order = {column for visual in visuals for column in ordered_by(visual)}
    filtered = {each.column for each in dashboard.filters}
    used = filtered | {column for visual in visuals for _, column in dimensions_of(visual)}
    made = {}
    for name in data.dimensions:
        words = {value: said(each, language) for value, each in dashboard.words.get(name, {}).items() if name in used}
        text, required = _TYPES[columns[name].type.name] == "STRING", columns[name].required
        made[name] = dimension(name, text, required, words, filtered=name in filtered, in_order=name in in_order)
    return made


def _selected(name: str, column: Column) -> str:
    match column.type.name:
        case "boolean":  # QuickSight shows the truth values of Athena as 0 and 1
            return f"if({name}, 'true', if({name} is null, null, 'false')) as {name}"
        case "decimal":  # a decimal of more than four places loses the others in QuickSight
            return f"cast({name} as double) as {name}"
        case _:
            return name


def _sum(name: str) -> str:
    return f"sum_of_{name}"


def _quoted(text: str) -> str:
    return text.replace("'", "''")
