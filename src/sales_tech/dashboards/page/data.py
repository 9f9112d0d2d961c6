"""What a page holds of a data set: its sums by the dimensions and dates that visuals and filters need."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import pyarrow as pa

from sales_tech.dashboards.specification import MOST_ROWS, Dashboard, Data
from sales_tech.dashboards.views import relation_contract, relation_sql
from sales_tech.dashboards.visuals import Grain, dimensions_of, grain_of
from sales_tech.engines.dialect import parse_query, tables_in
from sales_tech.errors import QueryError
from sales_tech.lake.query import Reader

COUNTED = "counted"
SUM = "sum_"


@dataclass(frozen=True)
class Extract:
    """The sums of a data set, one row for each combination of the columns `by`, of which one may be the `period`.

    The column `counted` says how many rows of the data set stand in a row, those that begin with `sum_` are sums of its columns.
    `missing` are the tables that the lake does not have; then there are no rows.
    """

    by: tuple[str, ...]
    period: str | None
    sums: tuple[str, ...]
    rows: pa.Table
    missing: tuple[str, ...] = ()


def extracts(dashboard: Dashboard, reader: Reader) -> dict[str, Extract]:
    """The extracts of all data sets of a dashboard; QueryError where one is too large for a page."""
    there = frozenset(reader.tables())
    return {name: _extract(dashboard, name, reader, there) for name in dashboard.data}


def currencies(dashboard: Dashboard, reader: Reader) -> dict[str, str | None]:
    """The currency of each source; None where the data tell none, or several."""
    found: dict[str, set[str]] = {}
    there = frozenset(reader.tables())
    for table in dict.fromkeys(data.table for data in dashboard.data.values()):
        contract = relation_contract(table)
        if contract is None or not {"source", "currency"} <= set(contract.columns):
            continue
        text = f"select distinct source, currency from {relation_sql(table)} as t order by source"
        if not _missing(text, there):
            for row in reader.arrow(text).to_pylist():
                told = found.setdefault(row["source"], set())
                told |= {row["currency"]} - {None, ""}
    return {source: min(told) if len(told) == 1 else None for source, told in found.items()}


def extract_sql(dashboard: Dashboard, name: str) -> str:
    """The select whose answer is the extract of a data set, ordered, so that equal values lie together."""
    data = dashboard.data[name]
    by = {column: column for column in _dimensions(dashboard, data)}
    for column, grain in _times(dashboard, name).items():
        by[column] = column if grain == "day" else f"cast(date_trunc('{grain}', {column}) as date)"
    keys = [f"{sql} as {column}" if sql != column else column for column, sql in by.items()]
    sums = [f"sum({column}) as {SUM}{column}" for column in _sums(data)]
    text = f"select {', '.join([*keys, *sums, f'count(*) as {COUNTED}'])}\nfrom {relation_sql(data.table)} as t"
    if by:
        text += f"\ngroup by {', '.join(by.values())}\norder by {', '.join(str(place + 1) for place in range(len(by)))}"
    return text


def _extract(dashboard: Dashboard, name: str, reader: Reader, there: frozenset[str]) -> Extract:
    data = dashboard.data[name]
    text = extract_sql(dashboard, name)
    by = (*_dimensions(dashboard, data), *_times(dashboard, name))
    sums, missing = _sums(data), _missing(text, there)
    columns = (*by, *(SUM + column for column in sums), COUNTED)
    rows = pa.table({column: pa.nulls(0) for column in columns}) if missing else reader.arrow(text)
    if rows.num_rows > MOST_ROWS:
        raise QueryError(
            f"data set {name} of dashboard {dashboard.name} has {rows.num_rows:,} rows by {', '.join(by)}; expected at most {MOST_ROWS:,}: "
            f"leave a dimension out, round its dates to months, or put a view with fewer rows in place of {data.table}"
        )
    return Extract(by, data.period if data.period in by else None, sums, rows, missing)


def _missing(text: str, there: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in tables_in(parse_query(text)) if name not in there))


def _sums(data: Data) -> tuple[str, ...]:
    columns = [
        column
        for measure in data.measures.values()
        for column in (*measure.columns.values(), *(end for end in (measure.low, measure.high) if end is not None))
    ]
    return tuple(dict.fromkeys(columns))


def _dimensions(dashboard: Dashboard, data: Data) -> tuple[str, ...]:
    # A click on a value of one visual moves every data set that has the dimension, so all of those are kept.
    used = {filtered.column for filtered in dashboard.filters}
    for visual in dashboard.visuals:
        used |= {name for role, name in dimensions_of(visual) if not (role == ("x",) and grain_of(visual) is not None)}
    return tuple(name for name in data.dimensions if name in used)


def _times(dashboard: Dashboard, name: str) -> dict[str, Grain]:
    period = dashboard.data[name].period
    grains: dict[str, set[Grain]] = defaultdict(set)
    if period is not None and dashboard.period is not None:
        grains[period] = {"month"}
    for visual in dashboard.visuals:
        if visual.data == name and (grain := grain_of(visual)) is not None:
            grains[dict(dimensions_of(visual))[("x",)]].add(grain)
    # Weeks are no parts of months, by which the period is chosen.
    return {column: "month" if found == {"month"} else "day" for column, found in grains.items()}
