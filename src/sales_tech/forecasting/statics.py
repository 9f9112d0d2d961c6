"""What the attributes of a series tell of its size, also of one that nobody has sold yet."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.preprocessing import TargetEncoder

from sales_tech.forecasting.roles import is_number, text_of
from sales_tech.forecasting.rows import Floats

FOLDS = 5
FEWEST = 10


class StaticLevels:
    """Expected level by attributes: texts by the cross-fitted level of their series (Micci-Barreca 2001), then a ridge."""

    def __init__(self, static: Sequence[str], codes: Sequence[str], seed: int) -> None:
        # `codes` are those whose numbers, if they are numbers, are names.
        self.static, self.codes, self.seed = list(static), list(codes), seed

    def fit(self, table: pd.DataFrame, level: Floats) -> StaticLevels:
        """Learn from one row per series; `encoded_` and `levels_` are what each series is told by all others."""
        self.mean_ = max(float(level.mean()), 1e-6)
        self.floor_ = self.mean_ * 1e-3
        self.numbers_ = [column for column in self.static if column not in self.codes and is_number(table[column])]
        self.texts_ = [column for column in self.static if column not in self.numbers_]
        self.middle_ = {column: float(table[column].median()) if table[column].notna().any() else 0.0 for column in self.numbers_}
        size = np.log(level + self.floor_)
        self.encoder_ = None
        if len(table) < FEWEST or not self.static:
            self.encoded_ = self.encode(table)
            self.levels_ = np.full(len(table), self.mean_)
            return self
        numbers = self._numbers(table)
        crossed = numbers
        if self.texts_:
            self.encoder_ = TargetEncoder(target_type="continuous", cv=FOLDS, random_state=self.seed)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                crossed = np.column_stack([self.encoder_.fit_transform(self._texts(table), size), numbers])
        self.ridge_ = Ridge(alpha=1.0).fit(crossed, size)
        told = np.exp(self.ridge_.predict(crossed))
        # The mean of a log is the log of something smaller than the mean.
        self.lift_ = float(level.sum() / told.sum())
        self.encoded_, self.levels_ = crossed, told * self.lift_
        return self

    def encode(self, table: pd.DataFrame) -> Floats:
        """The attributes of series as numbers."""
        numbers = self._numbers(table)
        if self.encoder_ is None:
            return numbers if not self.texts_ else np.column_stack([np.zeros((len(table), len(self.texts_))), numbers])
        told: Floats = np.column_stack([self.encoder_.transform(self._texts(table)), numbers])
        return told

    def levels_of(self, table: pd.DataFrame) -> Floats:
        """The level to expect of series of which only the attributes are known."""
        if not hasattr(self, "ridge_"):
            return np.full(len(table), self.mean_)
        told: Floats = np.exp(self.ridge_.predict(self.encode(table))) * self.lift_
        return told

    def _numbers(self, table: pd.DataFrame) -> Floats:
        told = [table[column].astype(np.float64).fillna(self.middle_[column]).to_numpy() for column in self.numbers_]
        return np.column_stack(told) if told else np.zeros((len(table), 0))

    def _texts(self, table: pd.DataFrame) -> np.ndarray:
        return np.column_stack([text_of(table[column]).to_numpy(dtype=object) for column in self.texts_])
