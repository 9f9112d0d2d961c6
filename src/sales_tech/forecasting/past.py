"""From frames to rows: series numbered, gaps closed, texts as codes, the plan put behind the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sales_tech.forecasting.checks import Gaps, check_complete, periods_of, static_table
from sales_tech.forecasting.plan_features import AHEAD
from sales_tech.forecasting.roles import DEPTH, FLAG, KIND, OPEN, TEXTS, neutral_text
from sales_tech.forecasting.rows import Bools, Floats, Ints, Rows
from sales_tech.forecasting.shapes import period_of

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Names:
    """The columns of a panel by their part in it."""

    series: tuple[str, ...]
    time: str
    target: str
    static: tuple[str, ...]
    roles: Mapping[str, str]
    available: str | None
    freq: str


@dataclass(frozen=True)
class Past:
    """All rows of a panel, one row per series of `table`, and the texts that stand behind the codes."""

    names: Names
    rows: Rows
    table: pd.DataFrame
    texts: Mapping[str, tuple[str, ...]]
    neutral: Mapping[str, int]

    @property
    def last(self) -> int:
        """The last period, from which is predicted."""
        return int(self.rows.period.max())

    @property
    def origin(self) -> pd.Timestamp:
        """The date of the last period."""
        return self.rows.first + self.last * self.rows.length

    def with_plan(self, plan: pd.DataFrame) -> tuple[Past, Ints]:
        """The past with the rows of a plan behind it, and the place of each of them; series that are new are added.

        What lies between the last row of a series and its plan is not known.
        """
        names, series = self.names, list(self.names.series)
        known = pd.MultiIndex.from_frame(self.table[series].astype(object))
        asked = pd.MultiIndex.from_frame(plan[series].astype(object))
        codes = known.get_indexer(asked)
        table = self.table
        if (codes < 0).any():
            fresh = plan.loc[codes < 0, [*series, *names.static]].reset_index(drop=True)
            numbers = fresh.groupby(series, observed=True, sort=True).ngroup().to_numpy() + len(table)
            codes[codes < 0] = numbers
            table = pd.concat([table, static_table(fresh, numbers, series, names.static, "the plan")])
        static_table(
            pd.concat([table.reset_index(drop=True), plan[[*series, *names.static]]]),
            np.r_[np.arange(len(table)), codes],
            series,
            names.static,
            "the plan",
        )
        rows = self.rows
        period = periods_of(plan, names.time, rows.first, names.freq, "the plan")
        order = np.lexsort((period, codes))
        columns = _plan_columns(plan.iloc[order], names, self.texts) | {AHEAD: np.ones(len(plan))}
        code, when = np.r_[rows.code, codes[order]], np.r_[rows.period, period[order]]
        values = {name: np.r_[rows.plan[name], columns[name]] for name in columns}
        size = len(rows.code)
        place = np.lexsort((when, code))
        joined = _complete(code[place], when[place], {name: column[place] for name, column in values.items()})
        planned = joined.plan[AHEAD] > 0
        units, seen = np.zeros(len(joined.code)), np.zeros(len(joined.code), dtype=bool)
        old = joined.at[place < size]
        units[old], seen[old] = rows.units[place[place < size]], rows.known[place[place < size]]
        # A period without a row belongs to the past, even where the plan's columns were carried on into it.
        new_at = np.empty(len(plan), dtype=np.int64)
        new_at[order[place[place >= size] - size]] = joined.at[place >= size]
        closed = _closed(joined.plan, names.roles) & planned
        whole = Rows(joined.code, joined.period, units, seen, closed, joined.plan, rows.first, rows.length)
        return Past(names, whole, table, self.texts, self.neutral), new_at


def texts_of(panel: pd.DataFrame, roles: Mapping[str, str]) -> tuple[dict[str, tuple[str, ...]], dict[str, int]]:
    """The texts of each column of texts, whose places are their codes, and the code of the one that stands for no promotion."""
    texts = {column: tuple(sorted(panel[column].astype(str).unique())) for column, role in roles.items() if role in TEXTS}
    return texts, {column: told.index(neutral_text(panel[column])) for column, told in texts.items()}


def past_of(
    panel: pd.DataFrame,
    names: Names,
    fill_gaps: Gaps,
    history_factor: Floats | None,
    texts: Mapping[str, tuple[str, ...]],
    neutral: Mapping[str, int],
) -> Past:
    """The rows of a panel that has been checked; ValueError for gaps, unless told what they are."""
    series = list(names.series)
    codes = np.asarray(panel.groupby(series, observed=True, sort=True).ngroup(), dtype=np.int64)
    table = static_table(panel, codes, series, names.static, "the panel")
    first = panel[names.time].min()
    period: Ints = periods_of(panel, names.time, first, names.freq, "the panel")
    order = np.lexsort((period, codes))
    panel = panel.iloc[order]
    codes, period = np.asarray(codes[order]), np.asarray(period[order])
    if fill_gaps is None:
        check_complete(panel, codes, period, series, names.time, "the panel")
    units = panel[names.target].to_numpy(dtype=np.float64)
    seen = np.isfinite(units) if names.available is None else panel[names.available].to_numpy(dtype=np.float64) != 0
    units = np.where(seen, units, 0.0)
    if history_factor is not None:
        units = units / history_factor[order]
    joined = _complete(codes, period, _plan_columns(panel, names, texts) | {AHEAD: np.zeros(len(panel))})
    filled = np.ones(len(joined.code), dtype=bool)
    filled[joined.at] = False
    for column, role in names.roles.items():
        if role in (DEPTH, FLAG):
            joined.plan[column][filled] = 0.0
        elif role == KIND:
            joined.plan[column][filled] = neutral[column]
    all_units, known = np.zeros(len(joined.code)), np.full(len(joined.code), fill_gaps != UNKNOWN)
    all_units[joined.at], known[joined.at] = units, seen
    closed = _closed(joined.plan, names.roles)
    rows = Rows(
        joined.code, joined.period, np.where(closed, 0.0, all_units), known & ~closed, closed, joined.plan, first, period_of(names.freq)
    )
    return Past(names, rows, table, texts, neutral)


@dataclass(frozen=True)
class _Joined:
    code: Ints
    period: Ints
    plan: dict[str, Floats]
    at: Ints


def _complete(code: Ints, period: Ints, plan: Mapping[str, Floats]) -> _Joined:
    # Each row is followed by as many copies of it as there are periods missing after it.
    skip = np.ones(len(code), dtype=np.int64)
    same = code[1:] == code[:-1]
    skip[:-1][same] = np.diff(period)[same]
    at = np.cumsum(skip) - skip
    source = np.repeat(np.arange(len(code)), skip)
    whole = period[source] + np.arange(len(source)) - at[source]
    columns = {name: column[source] for name, column in plan.items()}
    return _Joined(code[source], whole, columns, at)


def _plan_columns(frame: pd.DataFrame, names: Names, texts: Mapping[str, Sequence[str]]) -> dict[str, Floats]:
    told: dict[str, Floats] = {}
    for column, role in names.roles.items():
        if role in TEXTS:
            told[column] = pd.Index(texts[column]).get_indexer(pd.Index(frame[column].astype(str))).astype(np.float64)
        else:
            told[column] = frame[column].to_numpy(dtype=np.float64)
    return told


def _closed(plan: Mapping[str, Floats], roles: Mapping[str, str]) -> Bools:
    size = len(next(iter(plan.values())))
    told: Bools = np.zeros(size, dtype=bool)
    for column, role in roles.items():
        if role == OPEN:
            told |= plan[column] == 0
    return told
