"""Levels that wander and come back: many short-memory series smoothed at once.

The state follows an Ornstein-Uhlenbeck process seen at daily steps, a stationary autoregression of order one,
and is observed with noise of known variance. Filter and smoother are those of Kalman (1960) and Rauch,
Tung and Striebel (1965); variance and half-life are shared by all series of a group and chosen by the
likelihood of the innovations (Harvey 1989, "Forecasting, Structural Time Series Models and the Kalman Filter").
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from sales_tech.promotions.panel import Floats

HALF_LIVES = (4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
DEVIATIONS = (0.01, 0.03, 0.05, 0.08, 0.11, 0.15, 0.2, 0.27, 0.36, 0.5)


@dataclass(frozen=True)
class Wander:
    """Stationary standard deviation (log demand) and half-life (days) of a state."""

    deviation: float
    half_life: float

    @property
    def keep(self) -> float:
        """What is left of a deviation on the next day."""
        return float(0.5 ** (1 / self.half_life))


@dataclass(frozen=True)
class Smoothed:
    """Posterior mean and variance of the states, shaped as the observations: series by day."""

    mean: Floats
    variance: Floats


def smooth(observed: Floats, precision: Floats, wander: Wander) -> Smoothed:
    """Smooth series (rows) observed on days (columns) with a precision each; zero precision: not observed."""
    keep = wander.keep
    mean, variance, ahead_mean, ahead_variance, _ = _filter(observed, precision, keep, wander.deviation)
    for day in range(observed.shape[1] - 2, -1, -1):
        gain = variance[day] * keep / ahead_variance[day + 1]
        mean[day] += gain * (mean[day + 1] - ahead_mean[day + 1])
        variance[day] += gain**2 * (variance[day + 1] - ahead_variance[day + 1])
    return Smoothed(mean.T, variance.T)


def likelihood(observed: Floats, precision: Floats, wander: Wander) -> float:
    """Log likelihood of the series, but for a constant."""
    return float(_filter(observed, precision, wander.keep, wander.deviation)[4].sum())


def likelihoods(observed: Floats, precision: Floats, wanders: list[Wander]) -> Floats:
    """Log likelihood of each series, but for a constant, of which each has a wander of its own."""
    keep, deviation = (np.array([getattr(wander, name) for wander in wanders]) for name in ("keep", "deviation"))
    return _filter(observed, precision, keep, deviation)[4]


def choose_wander(observed: Floats, precision: Floats, start: Wander | None = None) -> Wander:
    """The deviation and half-life of the highest likelihood among DEVIATIONS and HALF_LIVES, climbed from `start`.

    Both move at once: a greater deviation with a longer half-life looks much the same, so that a search of one at a time
    would stop on that ridge.
    """
    best = start or Wander(0.11, 32.0)
    seen: dict[Wander, float] = {}

    def score(wander: Wander) -> float:
        if wander not in seen:
            seen[wander] = likelihood(observed, precision, wander)
        return seen[wander]

    while True:
        before = best
        around = product(_near(DEVIATIONS, best.deviation), _near(HALF_LIVES, best.half_life))
        best = max((Wander(*values) for values in around), key=score)
        if best == before:
            return best


def whiten(columns: list[Floats], precision: Floats, wander: Wander) -> list[Floats]:
    """Each column (series by day) as standardized innovations of the state model: what is left is independent noise.

    Least squares on whitened columns are generalized least squares (Harvey 1989, section 3.4). Days that are
    not observed are zero.
    """
    stacked = np.stack(columns)
    keep, noise = wander.keep, wander.deviation**2 * (1 - wander.keep**2)
    mean = np.zeros(stacked.shape[:2])
    variance = np.full(stacked.shape[1], wander.deviation**2)
    white = np.zeros_like(stacked)
    for day in range(stacked.shape[2]):
        now = precision[:, day]
        share = variance * now
        total = 1 + share
        innovation = stacked[:, :, day] - mean
        white[:, :, day] = innovation * np.sqrt(now / total)
        mean = keep * (mean + innovation * (share / total))
        variance = keep**2 * variance / total + noise
    return list(white)


def _near(grid: tuple[float, ...], value: float) -> list[float]:
    at = int(np.argmin(np.abs(np.log(grid) - np.log(value))))
    return list(grid[max(at - 1, 0) : at + 2])


def _filter(
    observed: Floats, precision: Floats, keep: float | Floats, deviation: float | Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    # Arrays are turned to day by series, so that a step reads what lies together.
    y, weight = np.ascontiguousarray(observed.T), np.ascontiguousarray(precision.T)
    noise = deviation**2 * (1 - keep**2)
    mean, variance, ahead_mean, ahead_variance = (np.empty_like(y) for _ in range(4))
    m, v = np.zeros(y.shape[1]), np.zeros(y.shape[1]) + deviation**2
    score = np.zeros(y.shape[1])
    for day in range(y.shape[0]):
        ahead_mean[day], ahead_variance[day] = m, v
        share = v * weight[day]
        total = 1 + share
        innovation = y[day] - m
        mean[day] = m + innovation * (share / total)
        variance[day] = v / total
        score -= 0.5 * (np.log(total) + innovation**2 * (weight[day] / total))
        m, v = keep * mean[day], keep**2 * variance[day] + noise
    return mean, variance, ahead_mean, ahead_variance, score
