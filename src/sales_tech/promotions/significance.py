"""Whether a promotion sold more than it would have without effect: a test against made-up promotions that have none.

The statistic weighs the units of a promotion's SKUs by the linear discriminant (Fisher 1936) between no effect and the one
that is predicted of promotions like it. How it comes out without effect is drawn as counts (Monte Carlo test, Barnard 1963)
and not taken as Gaussian: the log of a few units is skewed.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from sales_tech.promotions.cells import PromotedCells
from sales_tech.promotions.lifts import LiftData, LiftDraws
from sales_tech.promotions.overlap import joint
from sales_tech.promotions.panel import Floats, Ints

# Promotions without effect that are made up to tell how they would look.
NULLS = 999
# Where less is predicted, this log lift is looked for.
LEAST_LIFT = 0.01
TINY = 1e-9


@dataclass(frozen=True)
class Sightings:
    """Counts that speak of members: of the cells that each has alone, then of those that it shares with other promotions.

    `member` is the row of each, `actual` the units sold. `without` (draws, sightings) are those expected had the member no
    effect, lifted by the other promotions as far as they are known; `predicted` is the log of what a promotion like it makes of
    them, `scatter` the variance of the log of their units that no number of units makes smaller.
    """

    member: Ints
    actual: Floats
    without: Floats
    predicted: Floats
    scatter: Floats

    @classmethod
    def of(cls, cells: PromotedCells, expected: Floats, sold: Floats, scattered: Floats, lifts: LiftDraws, share: float) -> Sightings:
        """The sightings in tables (K, G, T) of units, and of the variance that units have beyond their mean by `scattered`.

        `share` of the log lift of each further promotion comes through.
        """
        own, draws = lifts.log_predicted, len(lifts.log_lift)
        actual, usual, squares = np.zeros(len(own)), np.zeros(len(own)), np.zeros(len(own))
        without, lifted = np.zeros((draws, len(own))), np.zeros((draws, len(own)))
        for part in cells.segments:
            window = part.sku, part.groups, part.days
            units = float(expected[window].sum())
            for row in part.members:
                others = lifts.log_lift[:, [other for other in part.members if other != row]]
                mine = np.full((draws, 1), own[row])
                actual[row] += float(sold[window].sum())
                usual[row] += units
                squares[row] += float(scattered[window].sum())
                without[:, row] += units * np.exp(joint(others, share))
                lifted[:, row] += units * np.exp(joint(np.concatenate([others, mine], axis=1), share))
        shared = np.flatnonzero(usual > TINY)
        alone = cells.sums(expected)
        both = [np.concatenate([first, then[shared]]) for first, then in ((alone, usual), (cells.sums(scattered), squares))]
        return cls(
            np.concatenate([np.arange(len(own)), shared]),
            np.concatenate([cells.sums(sold), actual[shared]]),
            np.concatenate([np.broadcast_to(alone, without.shape), without[:, shared]], axis=1),
            np.concatenate([own, np.log(lifted[:, shared].mean(axis=0) / without[:, shared].mean(axis=0))]),
            both[1] / np.maximum(both[0] ** 2, TINY),
        )


def confidence(data: LiftData, seen: Sightings, spread: Mapping[Hashable, float], seed: int) -> Floats:
    """By promotion, one less the chance that without effect it would have looked as effective.

    `spread` has the deviations of lifts between promotions (`promotion`) and between their members (`member`). The same
    seed gives the same values.
    """
    rng = np.random.default_rng((seed, 2))
    size = int(data.promotion.max()) + 1
    shared = np.zeros(size)
    shared[data.promotion] = data.shared_error
    # A baseline is right on average; errors of its log are even about its median.
    median = np.maximum(seen.without * np.exp(-(data.own_error + data.shared_error) / 2)[seen.member], TINY)
    rows, weight = data.promotion[seen.member], _weights(data, seen, spread, median)
    score = np.bincount(rows, weights=weight * seen.actual, minlength=size)
    above = np.ones(size)
    for number in range(NULLS):
        common = rng.normal(size=size) * np.sqrt(shared)
        error = common[data.promotion] + rng.normal(size=len(data.promotion)) * np.sqrt(data.own_error)
        units = _counts(median[number % len(median)] * np.exp(error)[seen.member], data.dispersion, seen.scatter, rng)
        # Sums of the same counts may differ by rounding.
        above += np.bincount(rows, weights=weight * units, minlength=size) >= score - TINY
    told: Floats = 1 - above / (NULLS + 1)
    return told


def _weights(data: LiftData, seen: Sightings, spread: Mapping[Hashable, float], median: Floats) -> Floats:
    # Of a unit of each sighting; with the mean of the covariances without and with effect, about a mean halfway between them.
    usual, lift = median.mean(axis=0), np.maximum(seen.predicted, LEAST_LIFT)
    halfway, doubt = usual * np.exp(lift / 2), median / usual - 1
    noise = data.dispersion / halfway + seen.scatter
    own = (data.own_error + spread["member"] ** 2 / 2)[seen.member]
    common = (data.shared_error + spread["promotion"] ** 2 / 2)[seen.member]
    rows, weight = data.promotion[seen.member], np.zeros(len(lift))
    order = np.argsort(rows, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(rows[order])) + 1):
        same = seen.member[mine, None] == seen.member[mine]
        covariance = doubt[:, mine].T @ doubt[:, mine] / len(doubt) + same * own[mine] + common[mine] + np.diag(noise[mine])
        # No unit more may count against a promotion.
        weight[mine] = np.maximum(np.linalg.solve(covariance, lift[mine]), 0.0) / halfway[mine]
    return weight


def _counts(mean: Floats, dispersion: float, scatter: Floats, rng: np.random.Generator) -> Floats:
    # Poisson about a gamma mean, so that the variance is dispersion * mean + scatter * mean^2.
    excess = dispersion - 1 + scatter * mean
    drawn = rng.gamma(mean / np.maximum(excess, TINY)) * np.maximum(excess, TINY)
    counts: Floats = rng.poisson(np.where(excess > TINY, drawn, mean)).astype(np.float64)
    return counts
