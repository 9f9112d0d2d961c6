"""Common factors, levels by attributes and three members, fitted up to a period; and the average of what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sales_tech.forecasting.factors import Factors
from sales_tech.forecasting.features import Matrix, Situation, categories
from sales_tech.forecasting.history_features import History
from sales_tech.forecasting.market import Market
from sales_tech.forecasting.members import Boosted, LogLinear, Member, SeasonalLevel
from sales_tech.forecasting.past import Past
from sales_tech.forecasting.plan_features import Plan
from sales_tech.forecasting.roles import is_number
from sales_tech.forecasting.rows import Bools, Floats, Ints
from sales_tech.forecasting.sampling import training_rows
from sales_tech.forecasting.statics import StaticLevels

MOST_GROUPS = 60
MOST_CODES = 200
ALL = "all"


class Ensemble:
    """The model of the mean; `fit` looks at nothing after the period `last`."""

    def __init__(self, horizon: int, seed: int, most_rows: int, trees: int) -> None:
        self.horizon, self.seed, self.most_rows, self.trees = horizon, seed, most_rows, trees

    def fit(self, past: Past, calendar: pd.DataFrame, last: int) -> Ensemble:
        """Learn factors, levels and members from the rows up to a period."""
        rows = past.rows
        seen = rows.known & (rows.period <= last)
        plan = Plan.of(rows, past.names.roles, past.neutral)
        self.factors_ = Factors().fit(plan, calendar, seen, self.seed)
        factor = np.exp(self.factors_.logs(plan, calendar))
        counts = np.bincount(rows.code[seen], minlength=len(past.table))
        sums = np.bincount(rows.code[seen], (rows.units / factor)[seen], minlength=len(past.table))
        self.fitted_series_ = np.flatnonzero(counts > 0)
        known = past.table.iloc[self.fitted_series_]
        self.statics_ = StaticLevels(past.names.static, self.seed).fit(known, sums[self.fitted_series_] / counts[self.fitted_series_])
        self.least_ = self.statics_.mean_ * 1e-5 + 1e-12
        self.groups_ = {
            column: sorted(known[column].astype(str).unique())
            for column in past.names.static
            if not is_number(known[column]) and 2 <= known[column].nunique() <= MOST_GROUPS
        }
        situation = self.situation(past, plan, factor, calendar)
        row, step, blind = training_rows(rows, self.horizon, last, self.most_rows, self.seed)
        matrix = situation.matrix(row, step, blind)
        texts = [is_text and matrix.values[:, place].max() < MOST_CODES for place, is_text in enumerate(categories(matrix.names, plan))]
        self.members_: list[Member] = [
            Boosted(texts, self.trees),
            LogLinear(categories(matrix.names, plan)),
            SeasonalLevel(),
        ]
        self.weights_ = np.full(len(self.members_), 1 / len(self.members_))
        for member in self.members_:
            member.fit(matrix, rows.units[row], self.seed)
        return self

    def situation(self, past: Past, plan: Plan, factor: Floats, calendar: pd.DataFrame) -> Situation:
        """What features are made of, for these rows."""
        encoded, levels = self._attributes(past.table)
        history = History(past.rows, factor, plan.promoted.astype(np.float64), levels[past.rows.code], self.least_)
        groups = {ALL: np.zeros(len(past.table), dtype=np.int64)}
        for column, values in self.groups_.items():
            # A value that was not there yet is a group without a past.
            at = pd.Index(values).get_indexer(past.table[column].astype(str))
            groups[column] = np.where(at < 0, len(values), at).astype(np.int64)
        market = Market(history, factor, groups, self.horizon)
        return Situation(plan, history, market, self.factors_, calendar, encoded, self.horizon)

    def matrix(self, past: Past, calendar: pd.DataFrame, row: Ints, step: Ints, blind: Bools | None = None) -> Matrix:
        """Features of some rows."""
        plan = Plan.of(past.rows, past.names.roles, past.neutral)
        return self.situation(past, plan, np.exp(self.factors_.logs(plan, calendar)), calendar).matrix(row, step, blind)

    def members_means(self, matrix: Matrix) -> Floats:
        """The mean of each member, (members, rows)."""
        return np.stack([member.mean(matrix) for member in self.members_])

    def mean(self, matrix: Matrix) -> Floats:
        """The average of the members."""
        told: Floats = self.weights_ @ self.members_means(matrix)
        return told

    def _attributes(self, table: pd.DataFrame) -> tuple[Floats, Floats]:
        encoded, levels = self.statics_.encode(table), self.statics_.levels_of(table)
        # Series that were learnt from keep what the others told of them, as they were seen in training.
        encoded[self.fitted_series_], levels[self.fitted_series_] = self.statics_.encoded_, self.statics_.levels_
        return encoded, levels
