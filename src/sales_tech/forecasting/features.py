"""The one place that makes features, for training and for predicting: rows, their origins, and what was known then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sales_tech.forecasting.factors import Factors
from sales_tech.forecasting.history_features import WEEKDAY, History
from sales_tech.forecasting.market import Market
from sales_tech.forecasting.plan_features import Plan, feature_of, plan_columns
from sales_tech.forecasting.roles import KIND, LABEL, PROMOTIONAL
from sales_tech.forecasting.rows import Bools, Floats, Ints

CALENDAR = ("day_of_month", "week_of_year", "holiday", "to_holiday", "since_holiday")
ANSWER = "answer"
DAILY = ("weekday", "to_month_end", "since_payday")


@dataclass(frozen=True)
class Matrix:
    """Features by row, and what the forecast is relative to: the level, and the common factors of the period.

    `chained` are the means that the chain of next periods told of the rows, see `chained`.
    """

    values: NDArray[np.float32]
    names: tuple[str, ...]
    level: Floats
    factor: Floats
    step: Ints
    promoted: Bools
    new: Bools
    chained: Floats | None = None

    @property
    def base(self) -> Floats:
        """What level and common factors alone would say."""
        return self.level * self.factor

    def column(self, name: str) -> Floats:
        """One feature."""
        told: Floats = self.values[:, self.names.index(name)].astype(np.float64)
        return told

    def differs(self, other: Matrix) -> Bools:
        """Rows that another matrix of the same rows tells otherwise."""
        same = (self.values == other.values) | (np.isnan(self.values) & np.isnan(other.values))
        told: Bools = ~same.all(axis=1) | (self.base != other.base) | (self.promoted != other.promoted)
        return told

    def where(self, chosen: Bools | Ints) -> Matrix:
        """Some of the rows."""
        return Matrix(
            self.values[chosen],
            self.names,
            self.level[chosen],
            self.factor[chosen],
            self.step[chosen],
            self.promoted[chosen],
            self.new[chosen],
            None if self.chained is None else self.chained[chosen],
        )


@dataclass(frozen=True)
class Situation:
    """All that features are made of: the past, the plan, the calendar and the attributes by series."""

    plan: Plan
    history: History
    market: Market
    factors: Factors
    answers: Floats
    calendar: pd.DataFrame
    attributes: Floats
    horizon: int

    def under(self, plan: Plan) -> Situation:
        """The same past under another plan."""
        return replace(self, plan=plan)

    def matrix(self, row: Ints, step: Ints, blind: Bools | None = None) -> Matrix:
        """Features of rows `step` periods after their origins; of those that are `blind`, as if the series had no past."""
        rows = self.plan.rows
        origin = row - step
        if blind is not None:
            origin = np.where(blind, rows.start[row] - 1, origin)
        known_from = np.where(origin < rows.start[row], row - step, origin)
        calendar = self.calendar.iloc[rows.period[row]]
        ago = calendar["ago"].to_numpy(dtype=np.int64)
        told: dict[str, Floats] = {"step": step.astype(np.float64)}
        told |= self.history.columns(row, origin, ago)
        told |= self.market.columns(row, known_from, ago)
        told |= {name: calendar[name].to_numpy() for name in (*CALENDAR, *(DAILY if rows.week > 1 else ()))}
        told |= plan_columns(self.plan, row, known_from, self.horizon)
        factor, lift = self.factors.at(self.plan, self.calendar, row, known_from)
        factor = factor + self.answers[row]
        told["+factor"] = factor
        strength = self.factors.strength(self.plan, row, lift)
        if self.plan.of_role(*PROMOTIONAL):
            told["strength"] = strength
            told[ANSWER] = np.nan_to_num(told["own lift"]) * strength
            for name, lifted in self.market.lifts(row, known_from).items():
                told[f"lift {name}"] = lifted
                told[f"{ANSWER} {name}"] = lifted * strength
        for place in range(self.attributes.shape[1]):
            told[f"static {place}"] = self.attributes[rows.code[row], place]
        values = np.stack([column.astype(np.float32) for column in told.values()], axis=1)
        level = np.exp(told["level"])
        if WEEKDAY in told:
            factor = factor + np.nan_to_num(told[WEEKDAY])
        new = np.isnan(told["mean 4"])
        return Matrix(values, tuple(told), level, np.exp(factor), step, self.plan.promoted[row], new)


def categories(names: Sequence[str], plan: Plan) -> list[bool]:
    """Which features are codes of texts."""
    texts = {feature_of(column) for column in plan.of_role(KIND, LABEL)}
    return [name in texts for name in names]
