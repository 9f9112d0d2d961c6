"""How the level of each SKU moves: a long-run level with a trend of its own, and a deviation that comes back by itself.

A structural model of counts: units of a SKU and week have the mean `usual` * exp(level + trend * time + deviation), the deviation an
autoregression of order one (of an Ornstein-Uhlenbeck process, one point a week), and stray more than Poisson's. The filter is
that of the dynamic generalised linear model (West, Harrison and Migon 1985) with gamma-Poisson updates; how far and how
lastingly SKUs deviate is the same for all of them and found by maximum likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sales_tech.forecasting.rows import Bools, Floats

WEEK, YEAR = 7, 365.25
# Of the log of a SKU's level about what its units of all weeks say.
LEVEL_SD = 1.0
# Before any sales are seen: trend_sd, deviation_sd, half_life, overdispersion, noise. The logs are drawn to them with PRIOR_SD.
USUAL = np.log([0.1, 0.2, 45.0, 1.3, 0.05])
LOWEST, HIGHEST = np.log([0.01, 0.02, 5.0, 0.5, 0.003]), np.log([1.0, 0.8, 400.0, 20.0, 1.0])
PRIOR_SD = 2.0
FIRST_STEP, ROUNDS = 0.4, 200
MOST_FITTED = 400
# Part of the weeks in which something else happens, that moves a SKU by about a factor of e.
ODD = 0.02
BURN_IN = 4
# Four weeks within this factor of what was expected, of so many units more on either side, are those of a SKU that is steadily on sale.
STEADY_WEEKS, STEADY, FEW_UNITS = 4, 5.0, 5.0
# Of a week of all SKUs, as a log.
LARGEST, NEWTON_STEPS = 2.0, 4
LEAST = 1e-12


@dataclass(frozen=True)
class Law:
    """What is the same for all SKUs, deviations and trend (of a year) as standard deviations of the log, the half-life in days.

    The variance of a week's units is mean * overdispersion + (mean * noise)².
    """

    trend_sd: float
    deviation_sd: float
    half_life: float
    overdispersion: float
    noise: float


@dataclass(frozen=True)
class Standing:
    """Where SKUs stand in the last week: mean (SKU, 3) and covariance (SKU, 3, 3) of log level, trend of a year and deviation.

    `together` (week) is the log of what all SKUs sold beside what was expected of each; `score` the log likelihood; `steady` are the SKUs
    by which the law was found.
    """

    law: Law
    mean: Floats
    covariance: Floats
    together: Floats
    score: float
    steady: Bools

    def ahead(self, days: int) -> Floats:
        """The log of the expected factor on usual sales, (SKU, day) from the day after the last week on."""
        day = np.arange(1, days + 1)
        # What the last week shows is where a SKU stood in its middle.
        kept = 0.5 ** ((day + WEEK // 2) / self.law.half_life)
        design = np.column_stack([np.ones(days), day / YEAR, kept])
        spread = np.einsum("di,sij,dj->sd", design, self.covariance, design, optimize=True)
        spread += self.law.deviation_sd**2 * (1 - kept**2)
        told: Floats = self.mean @ design.T + spread / 2
        return told


def standing_of(sold: Floats, usual: Floats) -> Standing | None:
    """Where SKUs stand by their units and usual units, (SKU, week) each, usual ones 0 where nothing is known; None without a steady SKU.

    Products that came or went say nothing of how far others stray, so the law is found without them.
    """
    steady = steady_ones(sold, usual)
    if not steady.any() or sold.shape[1] <= BURN_IN:
        return None
    moved = usual * np.exp(follow(sold, usual, _law(USUAL), steady).together)
    return follow(sold, usual, law_of(sold[steady], moved[steady]), steady)


def steady_ones(sold: Floats, usual: Floats) -> Bools:
    """The SKUs that sold about as usual in each four weeks."""
    sums = [np.cumsum(np.pad(table, ((0, 0), (1, 0))), axis=1) for table in (sold, usual)]
    seen, expected = (table[:, STEADY_WEEKS:] - table[:, :-STEADY_WEEKS] + FEW_UNITS for table in sums)
    ratio = np.abs(np.log(seen / expected))
    told: Bools = (ratio.max(axis=1, initial=0.0) < np.log(STEADY)) & (usual.sum(axis=1) > 0)
    return told


def law_of(sold: Floats, usual: Floats) -> Law:
    """The law that makes the units of these SKUs most likely, by the simplex of Nelder and Mead (1965)."""
    from scipy.optimize import minimize

    if len(sold) > MOST_FITTED:
        order = np.argsort(-sold.sum(axis=1), kind="stable")
        some = np.sort(order[np.linspace(0, len(order) - 1, MOST_FITTED).astype(np.int64)])
        sold, usual = sold[some], usual[some]

    def unlikely(logs: Floats) -> float:
        held = np.clip(logs, LOWEST, HIGHEST)
        return float(np.square((logs - USUAL) / PRIOR_SD).sum() / 2 - follow(sold, usual, _law(held)).score)

    simplex = np.vstack([USUAL, USUAL + FIRST_STEP * np.eye(len(USUAL))])
    options = {"maxfev": ROUNDS, "xatol": 0.03, "fatol": 0.5, "initial_simplex": simplex}
    found = minimize(unlikely, USUAL, method="Nelder-Mead", options=options)
    return _law(np.clip(found.x, LOWEST, HIGHEST))


def follow(sold: Floats, usual: Floats, law: Law, together: Bools | None = None) -> Standing:
    """Follow SKUs week by week; those in `together` tell how all moved in a week, which is no deviation of any."""
    from scipy.special import gammaln

    skus, weeks = sold.shape
    keep = 0.5 ** (WEEK / law.half_life)
    mean = np.zeros((skus, 3))
    covariance = np.zeros((skus, 3, 3))
    covariance[:, range(3), range(3)] = np.square([LEVEL_SD, law.trend_sd, law.deviation_sd])
    common, score = np.zeros(weeks), 0.0

    def likely(spread: Floats, count: Floats, expected: Floats) -> Floats:
        # Negative binomial, of a gamma whose log has mean 0 and this variance, about: shape 1 / variance + 1/2, rate 1 / variance.
        shape, rate = 1 / spread + 0.5, 1 / spread
        told: Floats = gammaln(shape + count) - gammaln(shape) - gammaln(count + 1) + shape * np.log(rate / (rate + expected))
        return told + count * np.log(np.maximum(expected, LEAST) / (rate + expected))

    for week in range(weeks):
        if week:
            mean, covariance = mean.copy(), covariance.copy()
            mean[:, 2] *= keep
            covariance[:, 2, :] *= keep
            covariance[:, :, 2] *= keep
            covariance[:, 2, 2] += law.deviation_sd**2 * (1 - keep**2)
        design = np.array([1.0, (week - weeks + 1) * WEEK / YEAR, 1.0])
        gain = covariance @ design
        spread = gain @ design
        known = usual[:, week] > 0
        expected = usual[:, week] * np.exp(mean @ design)
        if together is not None:
            common[week] = _common(sold[:, week], expected, spread, law, known & together)
            expected = expected * np.exp(common[week])
        # Counts over their ratio of variance to mean are about Poisson's.
        ratio = law.overdispersion + law.noise**2 * expected
        sure, count, rate = 1 / spread, sold[:, week] / ratio, expected / ratio
        if together is None and week >= BURN_IN:
            odd = likely(spread + 1, count, rate) + np.log(ODD)
            score += float((np.logaddexp(likely(spread, count, rate) + np.log1p(-ODD), odd) - np.log(ratio))[known].sum())
        step = np.where(known, np.log((sure + count) / (sure + rate)), 0.0)
        less = np.where(known, np.clip(1 - sure / (sure + count), 0.0, None), 0.0)
        mean = mean + gain * (step / spread)[:, None]
        covariance = covariance - gain[:, :, None] * gain[:, None, :] * (less / spread)[:, None, None]
    return Standing(law, mean, covariance, common, score, np.ones(skus, dtype=bool) if together is None else together)


def _common(sold: Floats, expected: Floats, spread: Floats, law: Law, told_by: Bools) -> float:
    """The log factor on what is expected by which the levels of SKUs, as sure as they are, do not move on the whole."""
    sold, expected, sure = sold[told_by], expected[told_by], 1 / spread[told_by]
    told = 0.0
    for _ in range(NEWTON_STEPS if len(sold) and sold.any() else 0):
        moved = expected * np.exp(told)
        ratio = law.overdispersion + law.noise**2 * moved
        count, rate = sold / ratio, moved / ratio
        step = float(sure @ np.log((sure + count) / (sure + rate))) / float(sure @ (rate / (sure + rate)))
        told = float(np.clip(told + step, -LARGEST, LARGEST))
    return told


def _law(logs: Floats) -> Law:
    return Law(*np.exp(logs).tolist())
