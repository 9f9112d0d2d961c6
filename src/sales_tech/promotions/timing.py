"""When SKUs were chosen for their promotions, and how fast what customers bought ahead is missed: neither is told, both bend the baseline.

A SKU is chosen while it sells slowly, some days before its promotion, and recovers by itself; after the promotion it
sells less for a while. A slump that peaks a week late, or a dip that fades too slowly and so leaves its first days to the slump,
moves the baselines of all promotions by 3 %. Sales tell both to a few days at best, so that all pairs of the grid count by
their evidence (Bayesian model averaging, Hoeting, Madigan, Raftery and Volinsky 1999) and none is chosen.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy.special import softmax

from sales_tech.promotions.panel import Floats, PromotionPanel

# Days before their promotion on which SKUs may have been chosen for it, and days in which half of their slump is over.
LEADS, HALF_LIVES = (0, 7, 14, 28), (8.0, 16.0, 24.0, 36.0, 64.0)
SLUMPS = tuple(product(LEADS, HALF_LIVES))
SLUMP_DEVIATION = 0.5
# Days in which half of the dip is over, and those after which nothing is left of it.
FADES = (3.5, 5.0, 7.0, 10.0)
DIP_DAYS = 28
# What is known beforehand, as if from a small study: a tenth of the extra units, give or take as much.
PRIOR_SHARE, PRIOR_DEVIATION = 0.1, 0.1


def fade_shapes() -> Floats:
    """Shares (FADES, DIP_DAYS) of what was bought ahead that are missed on each day after the end."""
    left = 0.5 ** (np.arange(DIP_DAYS) / np.array(FADES)[:, None])
    shares: Floats = left / left.sum(axis=1, keepdims=True)
    return shares


def slump_shape(panel: PromotionPanel, lead: int, half_life: float) -> Floats:
    """Mean (K, T) of an Ornstein-Uhlenbeck process, one apart from the other days on which SKUs were chosen, `lead` before their start.

    Choices whose odds rise with the state by a constant factor (conditional logit, McFadden 1974) tilt a Gaussian process
    exponentially, which moves its mean by the covariance with each choice: slumps of several choices add up.
    """
    size, days = len(panel.skus), len(panel.days)
    at = np.arange(days)
    slump = np.zeros((size, days))
    for sku, start in sorted({(member.sku, member.start - lead) for member in panel.members}):
        slump[sku] += 0.5 ** (np.abs(at - start) / half_life)
    return slump


def weigh(y: Floats, dips: list[Floats], slumps: list[Floats]) -> tuple[Floats, Floats]:
    """Coefficients of the slumps times their chances, and chances of the dips.

    All are whitened columns (K, T). Each pair of a dip and a slump is a regression of its own.
    """
    centre, prior = np.array([PRIOR_SHARE, 0.0]), np.diag([1 / PRIOR_DEVIATION**2, 1 / SLUMP_DEVIATION**2])
    columns = np.stack([column.ravel() for column in (*dips, *slumps, y)])
    products = columns @ columns.T
    evidence, found = np.empty((len(dips), len(slumps))), np.empty((len(dips), len(slumps)))
    for dip, slump in np.ndindex(evidence.shape):
        pair = [dip, len(dips) + slump]
        information = products[np.ix_(pair, pair)] + prior
        gain = products[pair, -1] + prior @ centre
        mean = np.linalg.solve(information, gain)
        evidence[dip, slump] = 0.5 * (float(mean @ gain) - np.linalg.slogdet(information)[1])
        found[dip, slump] = mean[1]
    chance = softmax(evidence)
    return (found * chance).sum(axis=0), chance.sum(axis=1)
