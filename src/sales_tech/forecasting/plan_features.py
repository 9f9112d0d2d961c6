"""What a plan tells of a period: depth, price against its own reference, mechanic, and the promotions around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sales_tech.forecasting.roles import DEPTH, FLAG, KIND, PRICE
from sales_tech.forecasting.rows import WEEKS_OF_YEAR, Bools, Floats, Ints, Rows, Sums

SNAPSHOTS = 9
RANK = 5
BLOCK = 1_000_000
DROP = 0.03
CAP_WEEKS = 5
LEAST_PRICE = 1e-9


def references_of(rows: Rows, price: Floats) -> Floats:
    """The usual price as of each row: the upper median of the prices of the last weeks, those of the plan not among them."""
    told = np.empty(len(price))
    last = _last_of_history(rows)
    for begin in range(0, len(price), BLOCK):
        at = np.arange(begin, min(begin + BLOCK, len(price)))
        seen = np.minimum(at, last[at])
        start = rows.start[at]
        back = np.stack([price[np.maximum(seen - rows.week * week, np.minimum(start, seen))] for week in range(SNAPSHOTS)], axis=1)
        told[at] = np.partition(back, RANK, axis=1)[:, RANK]
    return told


def _last_of_history(rows: Rows) -> Ints:
    # Of a series without a past, its first planned price has to stand for its usual one.
    ahead = rows.plan[AHEAD]
    first_ahead = np.full(len(rows.bounds) - 1, len(ahead))
    places = np.flatnonzero(ahead > 0)
    np.minimum.at(first_ahead, rows.ordinal[places], places)
    told: Ints = np.maximum(np.minimum(first_ahead[rows.ordinal], rows.stop) - 1, rows.start)
    return told


AHEAD = "\0ahead"


@dataclass(frozen=True)
class Plan:
    """The plan of all rows, with the roles of its columns and what stands in each where nothing is said, see `past.texts_of`."""

    rows: Rows
    roles: Mapping[str, str]
    neutral: Mapping[str, float]
    references: Mapping[str, Floats]

    @classmethod
    def of(cls, rows: Rows, roles: Mapping[str, str], neutral: Mapping[str, float]) -> Plan:
        """The plan with the references of its prices."""
        prices = [column for column, role in roles.items() if role == PRICE]
        return cls(rows, roles, neutral, {column: references_of(rows, rows.plan[column]) for column in prices})

    def without_promotions(self) -> Plan:
        """The same past, and ahead of it nothing that promotes: no depth, no flag, no mechanic, prices at their references."""
        ahead = self.rows.plan[AHEAD] > 0
        plan = dict(self.rows.plan)
        for column, role in self.roles.items():
            if role in (DEPTH, FLAG):
                plan[column] = np.where(ahead, 0.0, plan[column])
            elif role == KIND:
                plan[column] = np.where(ahead, self.neutral[column], plan[column])
            elif role == PRICE:
                plan[column] = np.where(ahead, self.references[column], plan[column])
        return Plan(self.rows.with_plan(plan), self.roles, self.neutral, self.references)

    def of_role(self, *roles: str) -> list[str]:
        """The columns of some roles."""
        return [column for column, role in self.roles.items() if role in roles]

    def cheapness(self, column: str, row: Ints, origin: Ints) -> Floats:
        """How far a price is below its reference of the origin, as a log."""
        start = self.rows.start[row]
        reference = self.references[column][np.where(origin >= start, origin, start)]
        told: Floats = np.clip(np.log(np.maximum(reference, LEAST_PRICE) / np.maximum(self.rows.plan[column][row], LEAST_PRICE)), -2, 2)
        return told

    def below_year(self, column: str, row: Ints, origin: Ints) -> Floats:
        """How far a price is below its mean of the year up to the origin, both as logs."""
        start = self.rows.start[row]
        last = np.maximum(origin, start)
        before = np.maximum(last - WEEKS_OF_YEAR * self.rows.week, start - 1)
        usual = self._summed_log_prices[column].between(row, before, last) / (last - before)
        # Sums are exact to some digits only, and a price that never changed must not differ from its mean.
        told: Floats = np.clip(np.round(usual - self._log_prices[column][row], 6), -2, 2)
        return told

    @cached_property
    def _log_prices(self) -> dict[str, Floats]:
        # What has no price has its usual one.
        prices = {column: (self.rows.plan[column], self.references[column]) for column in self.of_role(PRICE)}
        return {column: np.log(np.maximum(np.where(price > 0, price, usual), LEAST_PRICE)) for column, (price, usual) in prices.items()}

    @cached_property
    def _summed_log_prices(self) -> dict[str, Sums]:
        return {column: Sums(self.rows, logs) for column, logs in self._log_prices.items()}

    @cached_property
    def promoted(self) -> Bools:
        """Rows with a depth, a flag, a mechanic or a price below its reference."""
        told = np.zeros(len(self.rows.code), dtype=bool)
        at = np.arange(len(told))
        for column, role in self.roles.items():
            values = self.rows.plan[column]
            if role in (DEPTH, FLAG):
                told |= values > 0
            elif role == KIND:
                told |= values != self.neutral[column]
            elif role == PRICE:
                told |= self.cheapness(column, at, at) > DROP
        return told

    @cached_property
    def runs(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Of each row: where its run of the same state begins and ends, where the last promotion before it ended, where the next begins."""
        size = len(self.rows.code)
        at = np.arange(size)
        first = at == self.rows.start
        changes = first | np.r_[True, self.promoted[1:] != self.promoted[:-1]]
        begins = np.maximum.accumulate(np.where(changes, at, 0))
        last = np.r_[changes[1:], True]
        ends = np.minimum.accumulate(np.where(last, at, size)[::-1])[::-1]
        before = np.where(begins > self.rows.start, begins - 1, -1)
        after = np.where(ends + 1 < self.rows.stop, ends + 1, size * 2)
        return begins, ends, before, after


def feature_of(column: str) -> str:
    """What the values of a plan column are called among features, none of which of another kind begins so, whatever it is named."""
    return f"plan {column}"


def plan_columns(plan: Plan, row: Ints, origin: Ints, horizon: int) -> dict[str, Floats]:
    """Features of rows as known at their origins; names that begin with + never lower the forecast as they grow."""
    rows = plan.rows
    told: dict[str, Floats] = {}
    for column, role in plan.roles.items():
        if role == PRICE:
            told[f"+cheap {column}"] = plan.cheapness(column, row, origin)
            # A price that has been low for months is its own reference, but not that of the year.
            told[f"+below year {column}"] = plan.below_year(column, row, origin)
            told[f"last below year {column}"] = plan.below_year(column, np.maximum(origin, rows.start[row]), origin)
        elif role == DEPTH:
            told[f"+{feature_of(column)}"] = rows.plan[column][row]
        else:
            told[feature_of(column)] = rows.plan[column][row]
    if plan.of_role(PRICE, DEPTH, FLAG, KIND):
        begins, ends, before, after = plan.runs
        promoted, cap = plan.promoted[row], float(CAP_WEEKS * rows.week)
        known_to = origin + horizon
        told["promoted"] = promoted.astype(np.float64)
        told["into promotion"] = np.where(promoted, np.minimum(row - begins[row] + 1, cap), 0.0)
        told["left of promotion"] = np.where(promoted, np.minimum(np.minimum(ends[row], known_to) - row, cap), cap)
        told["since promotion"] = np.where(~promoted & (before[row] >= 0), np.minimum(row - before[row], cap), np.where(promoted, 0.0, cap))
        to_next = np.where(~promoted & (after[row] <= known_to), np.minimum(after[row] - row, cap), cap)
        told["to promotion"] = np.where(promoted, 0.0, to_next)
    return told
