"""Quantiles from the errors that were made at earlier origins, so that they cover what they say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm, t

from sales_tech.forecasting.features import Matrix
from sales_tech.forecasting.poisson import PoissonRidge
from sales_tech.forecasting.rows import Bools, Floats, Ints

FEWEST = 150
FEWEST_CLUSTERS, FEW_CLUSTERS = 20, 8
BANDS = 6
FEWEST_ORIGINS = 2.0
FURTHEST_TAIL = 0.95
MOSTLY_NONE = 4.0
HAIR = 0.01


class ConformalIntervals:
    """Split conformal prediction (Vovk et al. 2005; Lei et al. 2018) on rolling origins.

    Errors are scaled by what is expected of their size, a function of the mean, the series' own dispersion, horizon
    and promotion. Their empirical quantiles are taken within groups: promoted or not, new or not, horizon band and band
    of the mean; groups of few rows take those of the wider group. Quantiles of the error, not of the ratio, so that of
    rows that mostly sell nothing as many are above and below as are said to be. Where MOSTLY_NONE times as many rows of a group sold
    nothing as may lie below a quantile, it is nothing for those of the smallest means, and a HAIR more for as many others as make up
    the level: the errors of what sold nothing lie so close together that a little drift would carry all of them across.

    The rows of a cluster, such as the days of a promotion, share their luck. Only clusters count as independent where the
    quantiles of a sample are set apart to cover what is to come. All rows of an origin share the drift of the total, of
    which no more is known than a few independent origins tell: that part of an error is Student's t, not what the sample says.
    """

    def fit(self, matrix: Matrix, mean: Floats, units: Floats, cluster: Ints, origin: Ints, origins: float) -> ConformalIntervals:
        """Learn from rows that the model had not seen.

        `cluster` numbers those that are not independent of each other, `origin` is the period from which each was told,
        and `origins` how many of these share no period.
        """
        self.floor_ = max(float(mean.mean()) * 1e-6, 1e-12)
        columns = self._columns(matrix, mean)
        ratio = np.abs(units - mean) / np.maximum(mean, self.floor_)
        weight = np.sqrt(np.maximum(mean, self.floor_))
        self.size_ = PoissonRidge(ridge=1e-3).fit(
            columns, np.minimum(ratio, 50), weight / weight.mean(), np.zeros(columns.shape[1], dtype=bool)
        )
        scores = (units - mean) / self._scale(matrix, mean)
        self.origins_ = max(origins, FEWEST_ORIGINS)
        self.spread_ = float(np.sqrt(np.mean(scores**2)))
        met = ~matrix.new if not matrix.new.all() else matrix.new
        self.drift_ = _drift_of(mean[met], units[met], (self._scale(matrix, mean) * self.spread_)[met], origin[met])
        self.edges_ = np.unique(np.quantile(mean, np.arange(1, BANDS) / BANDS))
        self.least_ = float(units[units > 0].min()) if (units > 0).any() else 1.0
        self.groups_, self.clusters_, self.none_ = {}, {}, {}
        for keys in self._keys(matrix, mean):
            order = np.argsort(keys, kind="stable")
            values, begins = np.unique(keys[order], return_index=True)
            for value, part in zip(values.tolist(), np.split(order, begins[1:]), strict=True):
                clusters = len(np.unique(cluster[part]))
                if (len(part) >= FEWEST and clusters >= FEWEST_CLUSTERS) or value == 0:
                    self.groups_[value], self.clusters_[value] = np.sort(scores[part]), clusters
                    self.none_[value] = np.sort(mean[part][units[part] <= 0])
        return self

    def quantiles(self, matrix: Matrix, mean: Floats, levels: Sequence[float]) -> Floats:
        """(rows, levels), in the order of the levels, never falling along it and not below 0."""
        scale = self._scale(matrix, mean)
        group = np.zeros(len(mean), dtype=np.int64)
        for keys in self._keys(matrix, mean):
            group = np.where(np.isin(keys, list(self.groups_)), keys, group)
        told = np.empty((len(mean), len(levels)))
        for value in np.unique(group):
            inside = group == value
            scores = self.groups_[int(value)]
            middle = float(np.median(scores))
            outer = _set_apart(np.asarray(levels), self.clusters_[int(value)])
            apart = np.quantile(scores, outer, method="hazen") - middle
            told[inside] = middle + self._widened(mean[inside] / scale[inside], np.asarray(levels)) * apart[None, :]
            told[inside] = mean[inside, None] + scale[inside, None] * told[inside]
            none = self.none_[int(value)]
            for place in np.flatnonzero((len(none) > 0) & (len(none) >= MOSTLY_NONE * outer * len(scores))):
                some = mean[inside] > none[len(none) - 1 - int(outer[place] * len(scores))]
                told[inside, place] = np.where(some, HAIR * np.minimum(mean[inside], self.least_), 0.0)
        return np.maximum.accumulate(np.maximum(told, 0.0), axis=1) if list(levels) == sorted(levels) else np.maximum(told, 0.0)

    def _columns(self, matrix: Matrix, mean: Floats) -> Floats:
        size = np.log(np.maximum(mean, self.floor_))
        own = np.nan_to_num(matrix.column("dispersion"), nan=0.0)
        zeros = np.nan_to_num(matrix.column("zeros 26"), nan=0.0)
        parts = [size, size**2, own, own * size, zeros, matrix.promoted, matrix.new, np.log(matrix.step), np.log(matrix.factor)]
        return np.stack([np.asarray(part, dtype=np.float64) for part in parts], axis=1)

    def _scale(self, matrix: Matrix, mean: Floats) -> Floats:
        told: Floats = np.maximum(mean, self.floor_) * np.exp(np.clip(self.size_.log_mean(self._columns(matrix, mean)), -5, 4))
        return told

    def _keys(self, matrix: Matrix, mean: Floats) -> list[Ints]:
        # From the widest group to the narrowest; each key is unique among all.
        band = np.searchsorted(self.edges_, mean)
        far = self._far(matrix)
        state = 1 + matrix.promoted.astype(np.int64) + 2 * matrix.new.astype(np.int64)
        return [np.zeros(len(mean), dtype=np.int64), state, 10 + state * 10 + band, 1000 + (state * 10 + band) * 3 + far]

    def _widened(self, mean: Floats, levels: Floats) -> Floats:
        # By what quantiles are further from the median than those of the sample; `mean` comes in units of the error's scale.
        # The share of the drift in a row's variance is that of a t with as many degrees of freedom as there are origins.
        # Of far tails so few say nothing, so that they are widened as the ones before them.
        share = np.minimum((self.drift_ * mean / max(self.spread_, 1e-12)) ** 2, 1.0)
        tail = np.clip(0.5 + np.abs(levels - 0.5), 0.6, FURTHEST_TAIL)
        few = (t.ppf(tail, self.origins_) / norm.ppf(tail)) ** 2 * (1 + 1 / self.origins_)
        told: Floats = np.sqrt(1 + share[:, None] * (few - 1)[None, :])
        return told

    def _far(self, matrix: Matrix) -> Bools:
        return matrix.step > 7


def _drift_of(mean: Floats, units: Floats, error: Floats, origin: Ints) -> float:
    # How far totals of origins strayed beyond what the chance of their rows explains, as a share; large totals count more.
    at = origin - origin.min()
    sold, told, chance = (np.bincount(at, values) for values in (units, mean, error**2))
    strayed = float(np.sum((sold - told) ** 2 - chance) / max(float(np.sum(told**2)), 1e-300))
    return float(np.sqrt(max(strayed, 0.0)))


def _set_apart(levels: Floats, clusters: int) -> Floats:
    # The k-th of n is the quantile k / (n + 1) of what is to come, and of the sample the middle of its own n-th part.
    told: Floats = np.clip(0.5 + (levels - 0.5) * (1 + 1 / max(clusters, FEW_CLUSTERS)), 0.0, 1.0)
    return told
