"""What weekday, holidays and the plan multiply sales by, the same for all series; levels are told free of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sales_tech.forecasting.occasions import doubts_of, occasion_shares, occasions_in
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
MOST_TOGETHER = 3
LEAST_LIFT = 0.05
STRONGEST = 2.5
RIDGE = 1e-3
# How much an occasion moves sales, as a standard deviation of logs: what few rows tell of it is drawn to nothing.
OCCASION_SD = 0.1


class Factors:
    """Common factors by Poisson regression of units over their local level, the mean of the weeks around.

    Only the factors are kept, so that the use of later weeks here tells no feature anything of its future.
    """

    def fit(self, plan: Plan, calendar: pd.DataFrame, seen: Bools, seed: int) -> Factors:
        """Learn from the rows that are `seen`, or from a sample of them."""
        rows = plan.rows
        self.names_ = sorted(name for name in set(calendar["name"].to_numpy()[np.unique(rows.period[seen])]) if name)
        self.occasions_ = occasions_in(calendar, np.unique(rows.period[seen]))
        self.kinds_ = {column: _frequent(rows.plan[column][seen]) for column in plan.of_role(KIND, LABEL)}
        self.kinds_ = {column: [kind for kind in kinds if kind != plan.neutral[column]] for column, kinds in self.kinds_.items()}
        known = np.flatnonzero(seen)
        if len(known) > MOST_ROWS:
            known = np.sort(np.random.default_rng((seed, 11)).choice(known, MOST_ROWS, replace=False))
        level = local_levels(rows, rows.units, known, (seen, seen & ~plan.promoted))
        chosen, level = known[level > 0], level[level > 0]
        self.model_ = None
        if len(chosen) < 10:
            return self
        columns, positive, promotional, occasional = self._columns(plan, calendar, chosen, chosen)
        weight, ratio = np.sqrt(level), rows.units[chosen] / level
        self.model_ = PoissonRidge(RIDGE).fit(columns, ratio, weight, positive)
        if self.occasions_:
            shares, told = occasion_shares(calendar, self.occasions_), np.exp(self.model_.log_mean(columns))
            ridge = np.full(columns.shape[1], RIDGE)
            ridge[occasional] += doubts_of(shares, rows.period[chosen], weight * ratio, weight * told, OCCASION_SD**2) / OCCASION_SD**2
            self.model_ = PoissonRidge(ridge).fit(columns, ratio, weight, positive)
        # The level keeps what all rows share.
        self.zero_ = float(self.model_.log_mean(columns) @ weight / weight.sum())
        promoted = plan.promoted[chosen]
        lifts = self.model_.share_of(columns, promotional)[promoted]
        self.usual_ = max(float(lifts.mean()), LEAST_LIFT) if promoted.any() else LEAST_LIFT
        return self

    def logs(self, plan: Plan, calendar: pd.DataFrame) -> Floats:
        """The log of the factor of each row, at its own reference price, and what of it is due to promotions: (2, rows)."""
        size = len(plan.rows.code)
        told = np.zeros((2, size))
        for begin in range(0, size, BLOCK):
            at = np.arange(begin, min(begin + BLOCK, size))
            told[:, at] = self.at(plan, calendar, at, at)
        return told

    def at(self, plan: Plan, calendar: pd.DataFrame, row: Ints, origin: Ints) -> Floats:
        """The same of some rows, with prices against the references of their origins."""
        if self.model_ is None:
            return np.zeros((2, len(row)))
        columns, _, promotional, _ = self._columns(plan, calendar, row, origin)
        told: Floats = np.stack([self.model_.log_mean(columns) - self.zero_, self.model_.share_of(columns, promotional)])
        return np.clip(told, -LARGEST, LARGEST)

    def strength(self, plan: Plan, row: Ints, lift: Floats) -> Floats:
        """How strong the promotions of rows are beside the usual one, by the log of their factor; 0 where there is none."""
        if self.model_ is None:
            return np.zeros(len(row))
        told: Floats = np.where(plan.promoted[row], np.clip(lift / self.usual_, 0.0, STRONGEST), 0.0)
        return told

    def _columns(self, plan: Plan, calendar: pd.DataFrame, row: Ints, origin: Ints) -> tuple[Floats, Bools, Bools, Ints]:
        # The columns, which of them never lower sales, which are of promotions, and the places of the occasions.
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
        occasional = np.arange(len(found), len(found) + len(self.occasions_))
        for shares in occasion_shares(calendar, self.occasions_).T:
            add(shares[period])
        for column in plan.of_role(OPEN, CONTEXT):
            add(rows.plan[column][row])
        for column in plan.of_role(LABEL):
            for kind in self.kinds_[column]:
                add(rows.plan[column][row] == kind)
        ordinary = len(found)
        for column in plan.of_role(PRICE):
            add(plan.cheapness(column, row, origin), positive=True)
        depths = {column: rows.plan[column][row] for column in plan.of_role(DEPTH)}
        for values in depths.values():
            add(values, positive=True)
            add(values > 0, positive=True)
        # A discount in half of the shops, or of half of the goods, does half as much.
        if len(depths) <= MOST_TOGETHER:
            for one, other in combinations(depths.values(), 2):
                add(one * other, positive=True)
        for column in plan.of_role(FLAG):
            add(rows.plan[column][row])
        for column in plan.of_role(KIND):
            for kind in self.kinds_[column]:
                inside = rows.plan[column][row] == kind
                add(inside)
                for values in list(depths.values())[:MOST_TOGETHER]:
                    add(inside * values, positive=True)
        if not found:
            ordinary = 1
            add(np.zeros(len(row)))
        return np.stack(found, axis=1), np.array(signs), np.arange(len(found)) >= ordinary, occasional


def _frequent(codes: Floats) -> list[int]:
    values, counts = np.unique(codes[codes >= 0], return_counts=True)
    return sorted(int(value) for value in values[np.argsort(-counts, kind="stable")][:MOST_KINDS])


def local_levels(rows: Rows, units: Floats, row: Ints, counted: Sequence[Bools]) -> Floats:
    """The mean of the weeks around rows, over the rows of the last `counted` that are enough there; 0 where none are."""
    told = np.zeros(len(row))
    reach = LOCAL_WEEKS * rows.week
    for some in counted:
        sums, counts = Sums(rows, np.where(some, units, 0.0)), Sums(rows, some.astype(np.float64))
        much = counts.between(row, row - reach - 1, row + reach)
        mean = sums.between(row, row - reach - 1, row + reach) / np.maximum(much, 1)
        # Where nearly all was promoted, the promoted rows have to tell the level too.
        told = np.where(much >= max(2, rows.week), mean, told)
    return told
