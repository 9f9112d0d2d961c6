"""What weekday, holidays and the plan multiply sales by, the same for all series; levels are told free of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sales_tech.forecasting.plan_features import Plan
from sales_tech.forecasting.poisson import PoissonRidge
from sales_tech.forecasting.roles import CONTEXT, DEPTH, FLAG, KIND, LABEL, OPEN, PRICE
from sales_tech.forecasting.rows import Bools, Floats, Ints, Rows, Sums

MOST_ROWS = 150_000
LOCAL_WEEKS = 4
MOST_KINDS = 30
DAYS_OF_MONTH = (3, 7, 14, 21, 27)
LARGEST = 3.0
BLOCK = 500_000


class Factors:
    """Common factors by Poisson regression of units over their local level, the mean of the weeks around.

    Only the factors are kept, so that the use of later weeks here tells no feature anything of its future.
    """

    def fit(self, plan: Plan, calendar: pd.DataFrame, seen: Bools, seed: int) -> Factors:
        """Learn from the rows that are `seen`, or from a sample of them."""
        rows = plan.rows
        self.names_ = sorted(name for name in set(calendar["name"].to_numpy()[np.unique(rows.period[seen])]) if name)
        self.kinds_ = {column: _frequent(rows.plan[column][seen]) for column in plan.of_role(KIND, LABEL)}
        self.kinds_ = {column: [kind for kind in kinds if kind != plan.neutral[column]] for column, kinds in self.kinds_.items()}
        known = np.flatnonzero(seen)
        if len(known) > MOST_ROWS:
            known = np.sort(np.random.default_rng((seed, 11)).choice(known, MOST_ROWS, replace=False))
        level = _local_levels(plan, known, seen)
        chosen, level = known[level > 0], level[level > 0]
        self.model_ = None
        if len(chosen) < 10:
            return self
        columns, positive = self._columns(plan, calendar, chosen, chosen)
        weight = np.sqrt(level)
        self.model_ = PoissonRidge(ridge=1e-3).fit(columns, rows.units[chosen] / level, weight, positive)
        # The level keeps what all rows share.
        self.zero_ = float(self.model_.log_mean(columns) @ weight / weight.sum())
        return self

    def logs(self, plan: Plan, calendar: pd.DataFrame) -> Floats:
        """The log of the factor of each row, at its own reference price."""
        size = len(plan.rows.code)
        told = np.zeros(size)
        for begin in range(0, size, BLOCK):
            at = np.arange(begin, min(begin + BLOCK, size))
            told[at] = self.at(plan, calendar, at, at)
        return told

    def at(self, plan: Plan, calendar: pd.DataFrame, row: Ints, origin: Ints) -> Floats:
        """The log of the factors of rows with prices against the references of their origins."""
        if self.model_ is None:
            return np.zeros(len(row))
        columns, _ = self._columns(plan, calendar, row, origin)
        told: Floats = np.clip(self.model_.log_mean(columns) - self.zero_, -LARGEST, LARGEST)
        return told

    def _columns(self, plan: Plan, calendar: pd.DataFrame, row: Ints, origin: Ints) -> tuple[Floats, Bools]:
        rows = plan.rows
        found: list[Floats] = []
        signs: list[bool] = []

        def add(values: ArrayLike, positive: bool = False) -> None:
            found.append(np.asarray(values, dtype=np.float32))
            signs.append(positive)

        period = rows.period[row]
        if rows.week > 1:
            weekday = calendar["weekday"].to_numpy()[period]
            for day in range(6):
                add(weekday == day)
            date = calendar["day_of_month"].to_numpy()[period]
            for edge in DAYS_OF_MONTH:
                add(date > edge)
            add((calendar["to_holiday"].to_numpy()[period] == 1) & (calendar["holiday"].to_numpy()[period] == 0))
            add(calendar["since_holiday"].to_numpy()[period] == 1)
        name = calendar["name"].to_numpy()[period]
        for one in self.names_:
            add(name == one)
        deep = np.zeros(len(row))
        for column, role in plan.roles.items():
            values = rows.plan[column][row]
            if role == PRICE:
                add(plan.cheapness(column, row, origin), positive=True)
            elif role == DEPTH:
                add(values, positive=True)
                add(values > 0, positive=True)
                deep = np.maximum(deep, values)
            elif role in (FLAG, OPEN, CONTEXT):
                add(values)
        for column, kinds in self.kinds_.items():
            for kind in kinds:
                inside = rows.plan[column][row] == kind
                add(inside)
                if plan.roles[column] == KIND and plan.of_role(DEPTH):
                    add(inside * deep, positive=True)
        if not found:
            add(np.zeros(len(row)))
        return np.stack(found, axis=1), np.array(signs)


def _frequent(codes: Floats) -> list[int]:
    values, counts = np.unique(codes[codes >= 0], return_counts=True)
    return sorted(int(value) for value in values[np.argsort(-counts, kind="stable")][:MOST_KINDS])


def _local_levels(plan: Plan, row: Ints, seen: Bools) -> Floats:
    rows: Rows = plan.rows
    told = np.zeros(len(row))
    reach = LOCAL_WEEKS * rows.week
    for counted in (seen, seen & ~plan.promoted):
        sums, counts = Sums(rows, np.where(counted, rows.units, 0.0)), Sums(rows, counted.astype(np.float64))
        much = counts.between(row, row - reach - 1, row + reach)
        mean = sums.between(row, row - reach - 1, row + reach) / np.maximum(much, 1)
        # Where nearly all was promoted, the promoted rows have to tell the level too.
        told = np.where(much >= max(2, rows.week), mean, told)
    return told
