"""Unlike models of the mean, relative to level and common factors; their average beats each of them."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from sales_tech.forecasting.coarse import STEPS
from sales_tech.forecasting.features import ANSWER, Matrix
from sales_tech.forecasting.history_features import EXACTLY, WEEKDAY
from sales_tech.forecasting.poisson import PoissonRidge
from sales_tech.forecasting.rows import Bools, Floats, Ints
from sales_tech.threads import threads_for

LARGEST = 3.0
WEIGHT = 0.5
LARGEST_RATIO = 50.0
LEARNING_RATE, MANY_ROWS = 0.07, 150_000
# Texts of more kinds than this are split as numbers.
MOST_CODES = 60
BASE, LEVEL = "base", "level"


class Member(Protocol):
    """A model of the mean."""

    def mean(self, matrix: Matrix) -> Floats:
        """The expected units of rows."""


class Learner(Member, Protocol):
    """A member that learns from features of rows."""

    def fit(self, matrix: Matrix, units: Floats, seed: int) -> Learner:
        """Learn from rows and their units."""


def ratios_of(units: Floats, base: Floats, usual: Floats) -> Floats:
    """Units over the base; a sale where next to nothing was usual is held within bounds, or it would be all that counts."""
    told: Floats = np.minimum(units, LARGEST_RATIO * usual) / base
    return told


def weights_of(base: Floats) -> Floats:
    """Weights of ratios to the base: large series count more, but less than in proportion, since their luck is shared."""
    floor = max(float(np.median(base)) * 1e-3, 1e-9)
    told: Floats = np.maximum(base, floor) ** WEIGHT
    told /= told.mean()
    return told


def telling(values: NDArray[np.float32]) -> Ints:
    """The columns that can be split upon: not those that are the same in all rows, or never told."""
    return np.flatnonzero(np.fmin.reduce(values, axis=0) < np.fmax.reduce(values, axis=0))


class Boosted:
    """Gradient boosted trees (Friedman 2001) with Poisson deviance, which estimates means; they never fall as features that say so grow.

    Units are told as multiples of `against`: level and factor, or the level alone.
    """

    def __init__(self, categorical: list[bool], trees: int = 160, against: str = BASE) -> None:
        self.categorical, self.trees, self.against = categorical, trees, against

    def fit(self, matrix: Matrix, units: Floats, seed: int) -> Boosted:
        """Learn from rows and their units."""
        base = self._base(matrix)
        self.told_ = telling(matrix.values)
        self.told_ = self.told_ if len(self.told_) else np.zeros(1, dtype=np.int64)
        categorical = [self.categorical[place] for place in self.told_]
        signs = [1 if matrix.names[place].startswith("+") else 0 for place in self.told_]
        # Of many rows fewer and larger steps learn as much.
        rounds = max(round(self.trees * min(1.0, (MANY_ROWS / len(units)) ** 0.5)), 1)
        self.model_ = HistGradientBoostingRegressor(
            loss="poisson",
            max_iter=rounds,
            learning_rate=LEARNING_RATE * self.trees / rounds,
            max_leaf_nodes=24,
            min_samples_leaf=int(np.clip(len(units) // 500, 15, 60)),
            l2_regularization=1.0,
            max_features=0.5,
            categorical_features=categorical,
            monotonic_cst=signs,
            max_bins=STEPS,
            early_stopping=False,
            random_state=seed,
        )
        ratio = ratios_of(units, base, base)
        if not ratio.any():
            self.model_ = None
            return self
        self.model_.fit(self._values(matrix), ratio, sample_weight=weights_of(base))
        return self

    def mean(self, matrix: Matrix) -> Floats:
        """The expected units of rows."""
        if self.model_ is None:
            return np.zeros(len(matrix.level))
        with threads_for(len(matrix.level)):
            told: Floats = self._base(matrix) * self.model_.predict(self._values(matrix))
        return told

    def _values(self, matrix: Matrix) -> NDArray[np.float32]:
        told: NDArray[np.float32] = matrix.values[:, self.told_]
        return told

    def _base(self, matrix: Matrix) -> Floats:
        return matrix.base if self.against == BASE else matrix.level


class LogLinear:
    """Poisson regression on the logs of ratios: it goes on in straight lines where trees stand still."""

    def __init__(self, categorical: list[bool], yearly: bool = True) -> None:
        self.categorical, self.yearly = categorical, yearly

    def fit(self, matrix: Matrix, units: Floats, seed: int) -> LogLinear:
        """Learn from rows and their units."""
        columns, positive = self._columns(matrix)
        self.model_ = PoissonRidge(ridge=0.03).fit(columns, ratios_of(units, matrix.base, matrix.base), weights_of(matrix.base), positive)
        return self

    def mean(self, matrix: Matrix) -> Floats:
        """The expected units of rows."""
        told: Floats = matrix.base * np.exp(np.clip(self.model_.log_mean(self._columns(matrix)[0]), -2 * LARGEST, LARGEST))
        return told

    def _columns(self, matrix: Matrix) -> tuple[Floats, Bools]:
        found, signs = [], []
        for place, name in enumerate(matrix.names):
            if self.categorical[place] or name in ("weekday", "week_of_year"):
                continue
            values = matrix.values[:, place]
            missing = np.isnan(values)
            found.append(np.where(missing, np.float32(0), values))
            signs.append(name.startswith("+"))
        promoted = matrix.promoted.astype(np.float32)
        found += [] if ANSWER in matrix.names else [np.nan_to_num(matrix.column("own lift")) * promoted]
        found.append(matrix.new.astype(np.float32))
        found.append(np.isnan(matrix.column("year ago")).astype(np.float32))
        if self.yearly:
            angle = matrix.column("week_of_year") * np.float32(2 * np.pi / 52)
            found += [np.sin(angle), np.cos(angle), np.sin(2 * angle), np.cos(2 * angle)]
        signs += [False] * (len(found) - len(signs))
        return np.stack(found, axis=1), np.array(signs)


class SeasonalLevel:
    """Exponential smoothing of the level, with the series' own weekday and own answer to promotions (compare Winters 1960).

    By week, how far a series was from its level a year ago counts too, by as much as such distances came again in all series.
    Nothing else is fitted, so that it stays sober where the others find patterns in luck.
    """

    def fit(self, matrix: Matrix, units: Floats, seed: int) -> SeasonalLevel:
        """Learn how much of a year ago comes again: 0 to 1, the slope of least squares through 0."""
        away = _a_year_ago(matrix)
        # Like the distance of a year ago, drawn to 0 by one usual period.
        now = np.log((np.minimum(units, LARGEST_RATIO * matrix.base) + matrix.base) / (2 * matrix.base))
        weight = weights_of(matrix.base)
        square = float((weight * away**2).sum())
        self.again_ = float(np.clip((weight * away * now).sum() / square, 0.0, 1.0)) if square else 0.0
        return self

    def mean(self, matrix: Matrix) -> Floats:
        """The expected units of rows."""
        lifts = [matrix.column(name) for name in matrix.names if name == ANSWER or name.startswith(f"{ANSWER} ")]
        told: Floats = matrix.base * np.exp((np.mean(lifts, axis=0) if lifts else 0.0) + self.again_ * _a_year_ago(matrix))
        return told


def _a_year_ago(matrix: Matrix) -> Floats:
    # By day a single day of a year ago says little; its weekday is among the factors.
    told: Floats = np.zeros(len(matrix.level)) if WEEKDAY in matrix.names else np.nan_to_num(matrix.column(EXACTLY))
    return told
