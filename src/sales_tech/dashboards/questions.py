"""The question that a visual asks, as one select in Athena's SQL: what the page draws and QuickSight shows must be its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeGuard

from sales_tech.dashboards.specification import Dashboard, Data, Measure
from sales_tech.dashboards.views import relation_sql
from sales_tech.dashboards.visuals import Bar, Kpi, Table, Visual, dimensions_of, grain_of, measures_of


@dataclass(frozen=True)
class Chosen:
    """What is filtered: the chosen values of dimensions (none: all), and the first and last month of the period, as their first days."""

    values: Mapping[str, Sequence[str | int | bool]] = field(default_factory=dict)
    months: tuple[date, date] | None = None

    def before(self) -> Chosen:
        """The same choice for the months of the same number before."""
        assert self.months is not None
        first, last = (day.year * 12 + day.month - 1 for day in self.months)
        length = last - first + 1
        return Chosen(self.values, (_month(first - length), _month(first - 1)))


def question(dashboard: Dashboard, visual: Visual, chosen: Chosen) -> str:
    """The rows of a visual: its dimensions (dates rounded down to its grain) and measures, by their names.

    Rows are ordered by the dimensions, those of bars and tables by the first measure, the greatest first and null last, where they are cut.
    A figure that is compared has the row `current` and, where a period is chosen, the row `before`.
    """
    data = dashboard.data[visual.data]
    names = list(dict.fromkeys(name for _, name in measures_of(visual)))
    measures = [f"{measure_sql(data.measures[name])} as {name}" for name in names]
    if isinstance(visual, Kpi):
        parts = {"current": chosen}
        if visual.compare and chosen.months is not None and data.period is not None:
            parts["before"] = chosen.before()
        return "\nunion all\n".join(
            f"select '{label}' as period, {', '.join(measures)}\nfrom {relation_sql(data.table)} as t{_where(data, part)}"
            for label, part in parts.items()
        )
    grain = grain_of(visual)
    dimensions = []
    for role, name in dimensions_of(visual):
        timed = grain is not None and role == ("x",)
        dimensions.append((name, f"cast(date_trunc('{grain}', {name}) as date)" if timed else name))
    columns = [f"{sql} as {name}" if sql != name else name for name, sql in dimensions]
    text = f"select {', '.join([*columns, *measures])}\nfrom {relation_sql(data.table)} as t{_where(data, chosen)}"
    if not dimensions:
        return text
    text += f"\ngroup by {', '.join(sql for _, sql in dimensions)}"
    order = [str(place + 1) for place in range(len(dimensions))]
    if is_cut(visual):
        return f"{text}\norder by {names[0]} desc nulls last, {', '.join(order)}\nlimit {visual.top}"
    return f"{text}\norder by {', '.join(order)}"


def is_cut(visual: Visual) -> TypeGuard[Bar | Table]:
    """Whether only the greatest rows are shown, the greatest first."""
    return isinstance(visual, Table) or (isinstance(visual, Bar) and visual.order == "value" and visual.color is None)


def measure_sql(measure: Measure) -> str:
    """A measure as an SQL expression: a double, null where there is nothing to sum."""
    if measure.ratio is not None:
        return f"cast(sum({measure.ratio.of}) as double) / nullif(cast(sum({measure.ratio.to}) as double), 0)"
    return f"cast(sum({measure.sum}) as double)"


def _where(data: Data, chosen: Chosen) -> str:
    conditions = []
    for column, values in chosen.values.items():
        if column in data.dimensions and values:
            conditions.append(f"{column} in ({', '.join(map(_literal, values))})")
    if chosen.months is not None and data.period is not None:
        first, last = chosen.months
        after = _month(last.year * 12 + last.month)
        conditions.append(f"{data.period} >= date '{first.isoformat()}' and {data.period} < date '{after.isoformat()}'")
    return f"\nwhere {' and '.join(conditions)}" if conditions else ""


def _literal(value: str | int | bool) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower()


def _month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)
