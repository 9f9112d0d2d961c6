"""Partial pooling: estimates of many groups drawn to what they have in common (Efron and Morris 1975; DerSimonian and Laird 1986)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sales_tech.promotions.panel import Floats

TINY = 1e-12
EVIDENCE = 3.0


@dataclass(frozen=True)
class Pooled:
    """Shrunken means and standard deviations by group, the common mean with its own deviation, and the spread between groups."""

    mean: Floats
    deviation: Floats
    common: float
    common_deviation: float
    spread: float


def pool(information: Floats, gain: Floats, centre: float | None = None) -> Pooled:
    """Shrink the estimates gain / information, whose variances are 1 / information.

    Groups without information get the common mean. The spread between groups is found by the method of
    moments; `centre` fixes the common mean.
    """
    seen = information > TINY
    estimate = np.divide(gain, information, out=np.zeros_like(gain), where=seen)
    spread = 0.0
    common, precision = centre if centre is not None else 0.0, np.inf
    for _ in range(30):
        weight = np.where(seen, 1 / (np.where(seen, 1 / np.maximum(information, TINY), 1.0) + spread), 0.0)
        if centre is None:
            precision = max(float(weight.sum()), TINY)
            common = float((weight * estimate).sum()) / precision
        count = int(seen.sum()) - (centre is None)
        if count <= 0:
            break
        excess = float((weight * (estimate - common) ** 2).sum()) - count
        slope = float((weight**2 * (estimate - common) ** 2).sum())
        spread = max(0.0, spread + excess / max(slope, TINY))
    prior = 1 / max(spread, TINY)
    variance = 1 / (information + prior)
    mean = common + variance * information * (estimate - common)
    own = 1 / (1 + information / prior)
    common_variance = 0.0 if precision == np.inf else 1 / precision
    deviation: Floats = np.sqrt(variance + own**2 * common_variance)
    return Pooled(mean, deviation, common, common_variance**0.5, spread**0.5)


def sparse_pool(information: Floats, gain: Floats, share: float = 0.02, scale: float = 0.1, rounds: int = 50) -> tuple[Floats, Floats]:
    """Means and deviations where most groups are exactly zero: a spike at zero and a normal slab (Stephens 2017), by EM.

    `share` and `scale` (mean and deviation of the slab) are where it starts; the share is estimated. A group has a mean
    where its Bayes factor is positive evidence (3 or more, Kass and Raftery 1995); of the others only doubt is told,
    since a little belief in each of many groups would add up to an effect that nobody has seen.
    """
    seen = information > TINY
    variance = 1 / np.where(seen, information, 1.0)
    estimate = np.where(seen, gain * variance, 0.0)
    wide = variance + scale**2
    log_ratio = 0.5 * np.log(variance / wide) - 0.5 * (estimate - scale) ** 2 / wide + 0.5 * estimate**2 / variance
    chance = np.full(estimate.shape, share)
    for _ in range(rounds):
        chance = np.where(seen, 1 / (1 + (1 - share) / share * np.exp(-np.clip(log_ratio, -50, 50))), 0.0)
        share = float(np.clip((chance.sum() + 1) / (seen.sum() + 50), 1e-3, 0.5))
    slab = (estimate * scale**2 + scale * variance) / wide
    slab_variance = variance * scale**2 / wide
    told = np.where(log_ratio >= np.log(EVIDENCE), chance * slab, 0.0)
    square = chance * (slab_variance + slab**2)
    deviation: Floats = np.sqrt(np.maximum(square - 2 * told * chance * slab + told**2, 0.0))
    return np.where(seen, told, 0.0), np.where(seen, deviation, 0.0)
