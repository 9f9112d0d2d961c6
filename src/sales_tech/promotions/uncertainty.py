"""How wrong an imputed baseline may be: the variance of a state's mean over a window in which it was not observed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sales_tech.promotions.baseline import Baseline
from sales_tech.promotions.course import Course
from sales_tech.promotions.panel import Floats, Ints
from sales_tech.promotions.states import Wander

REACH = 84


def window_variance(wander: Wander, precision: Floats, rows: Ints, starts: Ints, ends: Ints) -> Floats:
    """Posterior variance of the mean over each window (both days included) of a state, given observations about it.

    `precision` (series, day) is that of the observations, zero where there is none; `rows` names each window's
    series. Gaussian process regression (Rasmussen and Williams 2006, equation 2.26) with the covariance of the
    Ornstein-Uhlenbeck process, on the window and REACH days to both sides.
    """
    variance = np.empty(len(rows))
    days = precision.shape[1]
    lengths = ends - starts + 1
    for length in np.unique(lengths).tolist():
        at = np.flatnonzero(lengths == length)
        offsets = np.arange(-REACH, length + REACH)
        covariance = wander.deviation**2 * wander.keep ** np.abs(offsets[:, None] - offsets[None, :])
        mean_of = np.zeros(len(offsets))
        mean_of[REACH : REACH + length] = 1 / length
        to_window = covariance @ mean_of
        prior = float(mean_of @ to_window)
        for part in np.array_split(at, max(1, len(at) // 64)):
            positions = starts[part, None] + offsets
            inside = (positions >= 0) & (positions < days)
            seen = np.where(inside, precision[rows[part, None], np.clip(positions, 0, days - 1)], 0.0)
            # (K + N)^-1 with precision instead of variance of the noise, so that unseen days do no harm.
            root = np.sqrt(seen)
            system = np.eye(len(offsets)) + root[:, :, None] * covariance * root[:, None, :]
            solved = np.linalg.solve(system, (root * to_window)[:, :, None])[:, :, 0]
            variance[part] = np.maximum(prior - (root * to_window * solved).sum(axis=1), 0.0)
    return variance


def mean_variance(wander: Wander, length: Ints) -> Floats:
    """Variance of the mean over so many days of a state that is not observed at all."""
    keep = wander.keep
    n = length.astype(np.float64)
    # Sum of keep^|i-j| over all pairs of n days.
    pairs = n + 2 * keep / (1 - keep) * (n - (1 - keep**n) / (1 - keep))
    variance: Floats = wander.deviation**2 * pairs / n**2
    return variance


@dataclass(frozen=True)
class ErrorModel:
    """Variances of the log baseline over windows, by the states of a fitted baseline.

    `by_sku` (K, T), `by_category` (C, T) and `by_channel` are what the cells that were fitted tell: one over the variance of a day's
    log units.
    """

    wanders: dict[str, Wander]
    course: Course | None
    category: Ints
    channel: Ints
    by_sku: Floats
    by_category: Floats
    by_channel: Floats

    @classmethod
    def of(cls, baseline: Baseline, fitted: Floats) -> ErrorModel:
        """The model of a baseline fitted on cells that expect `fitted` (K, G, T) units."""
        by_sku = fitted.sum(axis=1)
        panel, groups = baseline.panel, baseline.groups
        category = panel.category
        bounds = np.searchsorted(category, np.arange(len(panel.categories)))
        channel = np.zeros(groups.size, dtype=np.int64)
        channel[groups.of_store] = panel.channel
        in_channel = np.zeros((len(panel.channels), fitted.shape[2]))
        np.add.at(in_channel, channel, fitted.sum(axis=0))
        luck, share = baseline.luck, baseline.concentration
        return cls(
            dict(baseline.wanders),
            baseline.course,
            category,
            channel,
            luck.precision(by_sku, share("sku")),
            luck.precision(np.add.reduceat(by_sku, bounds, axis=0), share("category")),
            luck.precision(in_channel, share("channel")),
        )

    def variances(self, skus: Ints, groups: list[Ints], starts: Ints, ends: Ints) -> tuple[Floats, Floats]:
        """For each window of a SKU in groups of stores: variance of its own error, and of what its category or channel shares."""
        own = window_variance(self.wanders["sku"], self.by_sku, skus, starts, ends)
        if "group" in self.wanders:
            sizes = np.array([len(part) for part in groups], dtype=np.float64)
            own = own + mean_variance(self.wanders["group"], ends - starts + 1) / sizes
        rows = self.category[skus]
        keys, back = np.unique(np.stack([rows, starts, ends]), axis=1, return_inverse=True)
        shared = window_variance(self.wanders["category"], self.by_category, keys[0], keys[1], keys[2])
        return own, shared[back.ravel()] + self._of_channels(groups, starts, ends)

    def _of_channels(self, groups: list[Ints], starts: Ints, ends: Ints) -> Floats:
        # Of the mean over the channels of each window; what is seen of a day's own effect is known of it.
        if self.course is None:
            return np.zeros(len(starts))
        channels = [np.unique(self.channel[part]) for part in groups]
        window = np.repeat(np.arange(len(starts)), [len(part) for part in channels])
        rows, back = np.unique(np.stack([np.concatenate(channels), starts[window], ends[window]]), axis=1, return_inverse=True)
        channel, first, last = rows
        level = window_variance(self.course.wander, self.course.told(self.by_channel), channel, first, last)
        unseen = 1 - self.course.seen(self.by_channel)
        before = np.concatenate([np.zeros((len(unseen), 1)), unseen.cumsum(axis=1)], axis=1)
        length = last - first + 1
        share = (before[channel, last + 1] - before[channel, first]) / length
        variance = (share**2 * level + self.course.sudden**2 * share / length)[back.ravel()]
        found: Floats = np.bincount(window, weights=variance) / np.bincount(window) ** 2
        return found
