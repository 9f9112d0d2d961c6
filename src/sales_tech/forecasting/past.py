"""From frames to rows: series numbered, gaps closed, texts as codes, the plan put behind the past."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sales_tech.forecasting.checks import Gaps, check_complete, periods_of, static_table
from sales_tech.forecasting.outages import closings, outages
from sales_tech.forecasting.plan_features import AHEAD
from sales_tech.forecasting.roles import DEPTH, FLAG, OPEN, PRICE, TEXTS, neutral_text, text_of
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
    neutral: Mapping[str, float]

    @property
    def last(self) -> int:
        """The last period, from which is predicted."""
        return int(self.rows.period.max())

    @property
    def origin(self) -> pd.Timestamp:
        """The date of the last period."""
        return self.rows.first + self.last * self.rows.length

    def going(self) -> pd.DataFrame:
        """The names of the series that have a row of the last period."""
        ends = self.rows.bounds[1:] - 1
        told: pd.DataFrame = self.table[list(self.names.series)].iloc[self.rows.code[ends[self.rows.period[ends] == self.last]]]
        return told

    def without_outages(self, holiday: Bools) -> Past:
        """The same past, in which nothing is known of outages and closings, see `outages`."""
        lost = outages(self.rows, holiday) | closings(self.rows, holiday, self._groups())
        return self if not lost.any() else replace(self, rows=replace(self.rows, known=self.rows.known & ~lost))

    def _groups(self) -> Iterator[Ints]:
        # All series, and those that share a text of what tells them apart or of an attribute.
        yield np.zeros(len(self.table), dtype=np.int64)
        for column in (*self.names.series, *self.names.static):
            number = np.asarray(pd.factorize(text_of(self.table[column]))[0], dtype=np.int64)
            number[self.table[column].isna()] = -1
            many = np.bincount(number[number >= 0], minlength=1) > 1
            if many.any():
                yield np.where(many[number] & (number >= 0), number, -1)

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
        columns = _plan_columns(plan.iloc[order], names, self.texts, self.neutral) | {AHEAD: np.ones(len(plan))}
        code, when = np.r_[rows.code, codes[order]], np.r_[rows.period, period[order]]
        values = {name: np.r_[rows.plan[name], columns[name]] for name in columns}
        size = len(rows.code)
        place = np.lexsort((when, code))
        joined = _complete(code[place], when[place], {name: column[place] for name, column in values.items()})
        joined.quieten(names.roles, self.neutral)
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


def texts_of(panel: pd.DataFrame, roles: Mapping[str, str]) -> tuple[dict[str, tuple[str, ...]], dict[str, float]]:
    """The texts of each column of texts, whose places are their codes, and what stands in each column where nothing is said.

    That is no promotion, an open day, the price and the number that are in the middle of those seen.
    """
    texts: dict[str, tuple[str, ...]] = {}
    neutral: dict[str, float] = {}
    for column, role in roles.items():
        if role in TEXTS:
            quiet = neutral_text(panel[column])
            texts[column] = tuple(sorted({*text_of(panel[column].dropna()), quiet}))
            neutral[column] = float(texts[column].index(quiet))
        elif role in (DEPTH, FLAG, OPEN):
            neutral[column] = float(role == OPEN)
        else:
            numbers = panel[column].to_numpy(dtype=np.float64, na_value=np.nan)
            known = numbers[numbers > 0] if role == PRICE else numbers[np.isfinite(numbers)]
            neutral[column] = float(np.median(known)) if len(known) else 0.0
    return texts, neutral


def past_of(
    panel: pd.DataFrame,
    names: Names,
    fill_gaps: Gaps,
    history_factor: Floats | None,
    texts: Mapping[str, tuple[str, ...]],
    neutral: Mapping[str, float],
    until: pd.Timestamp | None = None,
) -> Past:
    """The rows of a panel that has been checked; ValueError for gaps, unless told what they are.

    Where they are, each series goes on to `until`, or to the last period of the panel.
    """
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
    units = np.where(seen, np.maximum(units, 0.0), 0.0)
    if history_factor is not None:
        units = units / history_factor[order]
    last = int(period.max()) if until is None else int((until - first) / period_of(names.freq))
    columns = _plan_columns(panel, names, texts, neutral) | {AHEAD: np.zeros(len(panel))}
    joined = _complete(codes, period, columns, None if fill_gaps is None else last)
    joined.quieten(names.roles, neutral)
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

    def quieten(self, roles: Mapping[str, str], neutral: Mapping[str, float]) -> None:
        """Nothing is said of periods that were filled in; a price that is not known is the one before it, or the next one."""
        filled = np.ones(len(self.code), dtype=bool)
        filled[self.at] = False
        for column, role in roles.items():
            if role == PRICE:
                self.plan[column] = _carried(self.plan[column], self.code, neutral[column])
            else:
                self.plan[column][filled] = neutral[column]


def _carried(price: Floats, code: Ints, usual: float) -> Floats:
    missing = np.isnan(price)
    if not missing.any():
        return price
    size, at = len(price), np.arange(len(price))
    begins = np.r_[True, code[1:] != code[:-1]]
    first = np.maximum.accumulate(np.where(begins, at, 0))
    end = np.minimum.accumulate(np.where(np.r_[begins[1:], True], at, size)[::-1])[::-1]
    before = np.maximum.accumulate(np.where(missing, -1, at))
    after = np.minimum.accumulate(np.where(missing, size, at)[::-1])[::-1]
    told: Floats = np.where(before >= first, price[before], np.where(after <= end, price[np.minimum(after, size - 1)], usual))
    return told


def _complete(code: Ints, period: Ints, plan: Mapping[str, Floats], last: int | None = None) -> _Joined:
    # Each row is followed by as many copies of it as there are periods missing after it; of a series up to `last`, if that is told.
    skip = np.ones(len(code), dtype=np.int64)
    same = code[1:] == code[:-1]
    skip[:-1][same] = np.diff(period)[same]
    if last is not None:
        ends = np.flatnonzero(np.r_[~same, True])
        skip[ends] = last - period[ends] + 1
    at = np.cumsum(skip) - skip
    source = np.repeat(np.arange(len(code)), skip)
    whole = period[source] + np.arange(len(source)) - at[source]
    columns = {name: column[source] for name, column in plan.items()}
    return _Joined(code[source], whole, columns, at)


def _plan_columns(frame: pd.DataFrame, names: Names, texts: Mapping[str, Sequence[str]], neutral: Mapping[str, float]) -> dict[str, Floats]:
    # What is missing says nothing; only a price is looked for in the rows about it, and what costs nothing has none.
    told: dict[str, Floats] = {}
    for column, role in names.roles.items():
        if role in TEXTS:
            codes = pd.Index(texts[column]).get_indexer(pd.Index(text_of(frame[column]))).astype(np.float64)
            told[column] = np.where(frame[column].isna(), neutral[column], codes)
            continue
        values = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
        if role == PRICE:
            told[column] = np.where(values > 0, values, np.nan)
        else:
            filled = np.where(np.isnan(values), neutral[column], values)
            told[column] = np.maximum(filled, 0.0) if role == DEPTH else filled
    return told


def _closed(plan: Mapping[str, Floats], roles: Mapping[str, str]) -> Bools:
    size = len(next(iter(plan.values())))
    told: Bools = np.zeros(size, dtype=bool)
    for column, role in roles.items():
        if role == OPEN:
            told |= plan[column] == 0
    return told
