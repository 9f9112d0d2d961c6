"""Three unlike models of the mean, each relative to level and common factors; their average beats each of them."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from sales_tech.forecasting.features import Matrix
from sales_tech.forecasting.poisson import PoissonRidge
from sales_tech.forecasting.rows import Bools, Floats

MOST_LINEAR_ROWS = 120_000
LARGEST = 3.0
WEIGHT = 0.75


class Member(Protocol):
    """A model of the mean."""

    def fit(self, matrix: Matrix, units: Floats, seed: int) -> Member:
        """Learn from rows and their units."""

    def mean(self, matrix: Matrix) -> Floats:
        """The expected units of rows."""


def weights_of(base: Floats) -> Floats:
    """Weights of ratios to the base: large series count more, but less than in proportion, since their luck is shared."""
    floor = max(float(np.median(base)) * 1e-3, 1e-9)
    told: Floats = np.maximum(base, floor) ** WEIGHT
    return told / told.mean()


class Boosted:
    """Gradient boosted trees (Friedman 2001) with Poisson deviance, which estimates means; they never fall as a discount grows."""

    def __init__(self, categorical: list[bool], trees: int = 250, with_factor: bool = True) -> None:
        self.categorical, self.trees, self.with_factor = categorical, trees, with_factor

    def fit(self, matrix: Matrix, units: Floats, seed: int) -> Boosted:
        """Learn from rows and their units."""
        base = self._base(matrix)
        signs = [1 if name.startswith("+") else 0 for name in matrix.names]
        self.model_ = HistGradientBoostingRegressor(
            loss="poisson",
            max_iter=self.trees,
            learning_rate=0.05,
            max_leaf_nodes=24,
            min_samples_leaf=int(np.clip(len(units) // 500, 15, 60)),
            l2_regularization=1.0,
            max_features=0.5,
            categorical_features=self.categorical,
            monotonic_cst=signs,
            early_stopping=False,
            random_state=seed,
        )
        self.told_ = ~np.isnan(matrix.values).all(axis=0)
        ratio = units / base
        if not ratio.any():
            self.model_ = None
            return self
        self.model_.fit(self._values(matrix), ratio, sample_weight=weights_of(base))
        return self

    def mean(self, matrix: Matrix) -> Floats:
        """The expected units of rows."""
        if self.model_ is None:
            return np.zeros(len(matrix.level))
        told: Floats = self._base(matrix) * self.model_.predict(self._values(matrix))
        return told

    def _values(self, matrix: Matrix) -> NDArray[np.float32]:
        # What the training never told cannot be split upon, and scikit-learn cannot bin it.
        told: NDArray[np.float32] = np.where(self.told_, matrix.values, np.float32(0))
        return told

    def _base(self, matrix: Matrix) -> Floats:
        return matrix.base if self.with_factor else matrix.level


class LogLinear:
    """Poisson regression on the logs of ratios: it goes on in straight lines where trees stand still."""

    def __init__(self, categorical: list[bool]) -> None:
        self.categorical = categorical

    def fit(self, matrix: Matrix, units: Floats, seed: int) -> LogLinear:
        """Learn from rows and their units, or from a sample of them."""
        chosen = np.arange(len(units))
        if len(chosen) > MOST_LINEAR_ROWS:
            chosen = np.sort(np.random.default_rng((seed, 13)).choice(chosen, MOST_LINEAR_ROWS, replace=False))
        some = matrix.where(chosen)
        columns, positive = self._columns(some)
        self.model_ = PoissonRidge(ridge=2e-3).fit(columns, units[chosen] / some.base, weights_of(some.base), positive)
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
        found.append(np.nan_to_num(matrix.column("own lift")) * promoted)
        found.append(matrix.new.astype(np.float32))
        found.append(np.isnan(matrix.column("year ago")).astype(np.float32))
        if "week_of_year" in matrix.names:
            angle = matrix.column("week_of_year") * np.float32(2 * np.pi / 52)
            found += [np.sin(angle), np.cos(angle), np.sin(2 * angle), np.cos(2 * angle)]
        signs += [False] * (len(found) - len(signs))
        return np.stack(found, axis=1), np.array(signs)


class SeasonalLevel:
    """Exponential smoothing of the level, with the series' own weekday and own answer to promotions (compare Holt 1957, Winters 1960)."""

    NAMES = ("mean 2", "mean 13", "same weekday", "year ago", "market about all", "own lift")

    def fit(self, matrix: Matrix, units: Floats, seed: int) -> SeasonalLevel:
        """Learn how far each part is to be followed."""
        columns = self._columns(matrix)
        chosen = np.arange(len(units))
        if len(chosen) > MOST_LINEAR_ROWS:
            chosen = np.sort(np.random.default_rng((seed, 17)).choice(chosen, MOST_LINEAR_ROWS, replace=False))
        some = matrix.where(chosen)
        positive = np.ones(columns.shape[1], dtype=bool)
        self.model_ = PoissonRidge(ridge=1e-3).fit(columns[chosen], units[chosen] / some.base, weights_of(some.base), positive)
        return self

    def mean(self, matrix: Matrix) -> Floats:
        """The expected units of rows."""
        told: Floats = matrix.base * np.exp(np.clip(self.model_.log_mean(self._columns(matrix)), -2 * LARGEST, LARGEST))
        return told

    def _columns(self, matrix: Matrix) -> Floats:
        found = []
        for name in self.NAMES:
            if name in matrix.names:
                values = np.nan_to_num(matrix.column(name))
                found.append(values * matrix.promoted if name == "own lift" else values)
        return np.stack(found, axis=1)
