"""How much a promotion multiplies demand: depth, mechanic and display, partially pooled, with room for no effect at all.

Each member (a promotion of one SKU) gives one observation, the log of actual over baseline units. The lifts
are a hierarchical linear model (Gelman and Hill 2007) of depth by category and brand, mechanic and display,
with effects of promotion and member of their own and a spike at zero for promotions without effect (spike and
slab, Ishwaran and Rao 2005; compare Stephens 2017). What an observation says beyond the model is split between
error of the baseline, lift and noise by their variances (Efron and Morris 1975). Drawn by Gibbs sampling
(Geman and Geman 1984), with the regression and the promotions' effects drawn jointly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from sales_tech.promotions.depth import SHAPE, SHAPES, attention, depth_response, log_beliefs
from sales_tech.promotions.panel import Bools, Floats, Ints

BURN_IN, DRAWS = 150, 400
# Where one Gaussian stands for counts: observations are linearized about the mean of the last sampling.
LINEARIZATIONS = 3
# How far mechanics stray from one in the part of a cut that is noticed (a coupon's is not always), in what they add besides, and
# what display adds.
NOTICED, ATTENTION, MECHANIC, DISPLAY = 0.3, 0.2, 0.1, 0.3
LEAST_NOTICED = 0.1
# Degrees of freedom of what is a member's own: a SKU that answers unlike all others shall not bend the curve for them.
TAIL = 4.0
WEAK = 4.0


@dataclass(frozen=True)
class LiftData:
    """Members as observations.

    `actual` and `baseline` are units; `own_error` and `shared_error` variances of the log baseline, of the
    member alone and of all members of the promotion together. `promotion`, `category`, `brand`, `mechanic`
    are rows; `depth` is the discount share, `display` 0 or 1. Units vary by `dispersion` times what is expected, and
    `scatter` by member is the variance of their log that no number of units makes smaller. A baseline is right on average,
    so that its median, about which errors of the log are even, lies half of their variance lower.
    """

    actual: Floats
    baseline: Floats
    own_error: Floats
    shared_error: Floats
    promotion: Ints
    category: Ints
    brand: Ints
    mechanic: Ints
    depth: Floats
    display: Floats
    prior_slope: Floats
    dispersion: float = 1.0
    scatter: Floats | float = 0.0


@dataclass(frozen=True)
class LiftDraws:
    """Posterior draws (rows): log lift and log error of the baseline by member, whether a promotion works, and the coefficients.

    `slope` (draws, categories) and `brand_slope` (draws, categories x brands) add up to the slope, of which `noticed` (draws,
    mechanics; a coupon's cut is noticed less than a price tag's) is the part that customers act on. It multiplies `depth_response`
    of the `shape` (draws,); `mechanic` (draws, mechanics) times `attention` and `display` (draws,) are added.
    `predicted` by member is the share of units added that the model expects of promotions like it, counted by the chance that it
    works; `log_predicted` the log lift had it worked as they do.
    """

    log_lift: Floats
    log_error: Floats
    works: Bools
    slope: Floats
    brand_slope: Floats
    shape: Floats
    mechanic: Floats
    noticed: Floats
    display: Floats
    hyper: pd.DataFrame
    predicted: Floats
    log_predicted: Floats


def log_lift_at(lifts: LiftDraws, slope: Floats, mechanic: Ints | list[int], display: Floats | bool, depth: Floats) -> Floats:
    """Draws (draws, n) of the log lift at n depths; `slope` (draws, n or 1) is as far as it is noticed, `mechanic` rows, n or 1."""
    price = slope * depth_response(depth, lifts.shape[:, None])
    logs: Floats = price + lifts.mechanic[:, mechanic] * attention(depth) + lifts.display[:, None] * display
    return logs


class LiftModel:
    """Samples the lifts of `data`; the same `seed` gives the same draws."""

    def __init__(self, data: LiftData, sizes: dict[str, int], seed: int) -> None:
        if not (np.isfinite(data.baseline).all() and np.isfinite(data.actual).all()):
            raise ValueError("units or baselines of promotions are not finite; expected numbers, so the panel or the fit is wrong")
        self.data, self.sizes = data, sizes
        self.rng = np.random.default_rng(seed)
        self.design = self._design()
        self.below_mean = (data.own_error + data.shared_error) / 2
        self.median = data.baseline * np.exp(-self.below_mean)
        self.promotions = int(data.promotion.max()) + 1
        rows = np.arange(len(data.promotion))
        self._by_shape = depth_response(data.depth, SHAPES[:, None])
        # Sums by promotion as a sparse product.
        self._members = csr_array((np.ones(len(rows)), (data.promotion, rows)), shape=(self.promotions, len(rows)))

    def _design(self) -> Floats:
        data, sizes = self.data, self.sizes
        size = len(data.depth)
        # Slopes (common, deviations by category), which `_answering` multiplies by the response to depth, then what mechanics and
        # display add. Brands are drawn apart: each has members of its own.
        design = np.zeros((size, 1 + sizes["category"] + 1 + sizes["mechanic"] + 1))
        rows = np.arange(size)
        design[:, 0] = 1
        design[rows, 1 + data.category] = 1
        design[:, 1 + sizes["category"]] = attention(data.depth)
        design[rows, 2 + sizes["category"] + data.mechanic] = attention(data.depth)
        design[:, -1] = data.display
        return design

    def _answering(self, response: Floats) -> Floats:
        # The design with its slopes times the response of each member to its depth.
        slopes = 1 + self.sizes["category"]
        design = self.design.copy()
        design[:, :slopes] *= response[:, None]
        return design

    def sample(self) -> LiftDraws:
        """Draw from the posterior."""
        data = self.data
        mean = np.clip(np.log((data.actual + 1) / (self.median + 1)), -1, 1.5)
        rate = np.exp(mean)
        draws = None
        for turn in range(LINEARIZATIONS):
            # Counts are linearized about the posterior mean of their rate, not about the rate of the mean: else half a
            # unit would be added to each (variational Gaussian approximation, Opper and Archambeau 2009).
            expected = np.maximum(self.median * rate, 1e-9)
            observed = mean + (data.actual - expected) / expected
            last = turn == LINEARIZATIONS - 1
            draws = self._gibbs(observed, data.dispersion / expected + data.scatter, BURN_IN if last else 60, DRAWS if last else 60)
            total = draws.log_lift + draws.log_error
            mean, rate = total.mean(axis=0), np.exp(total).mean(axis=0)
        assert draws is not None
        return replace(draws, log_error=draws.log_error - self.below_mean)

    def _gibbs(self, observed: Floats, noise: Floats, burn_in: int, kept: int) -> LiftDraws:
        data, rng, sizes = self.data, self.rng, self.sizes
        promotions = self.promotions
        categories, brands = sizes["category"], sizes["brand"]
        slopes, cell = 1 + categories, data.category * brands + data.brand
        noticed, by_mechanic = np.ones(sizes["mechanic"]), np.eye(sizes["mechanic"])[data.mechanic]
        shape, response = SHAPE, depth_response(data.depth, SHAPE)
        design, depth = self._answering(response), response
        shared = np.zeros(promotions)
        shared[data.promotion] = data.shared_error
        beta, of_brand = self._centre(), np.zeros(categories * brands)
        works = np.ones(promotions, dtype=bool)
        spread = {"category": 0.5, "brand": 0.2, "promotion": 0.1, "member": 0.1}
        null_share = 0.2
        weight = np.ones(len(cell))
        saved: dict[str, list[Floats]] = {name: [] for name in ("lift", "error", "works", "beta", "brand", "noticed", "shape", "hyper")}
        added, usual = np.zeros(len(cell)), np.zeros(len(cell))
        for turn in range(burn_in + kept):
            predicted = design @ beta + of_brand[cell] * depth
            # Works or not, with all effects of promotion and member integrated out.
            base = data.own_error + noise
            of_member = spread["member"] ** 2 / weight
            full = base + of_member
            log_odds = np.log((1 - null_share) / null_share) + (
                self._evidence(observed - predicted, full, shared + spread["promotion"] ** 2) - self._evidence(observed, base, shared)
            )
            works = rng.random(promotions) < 1 / (1 + np.exp(-np.clip(log_odds, -50, 50)))
            on = works[data.promotion]
            variance = np.where(on, full, base)
            common = shared + np.where(works, spread["promotion"] ** 2, 0.0)
            seen = observed - np.where(on, of_brand[cell] * depth, 0.0)
            beta, effect = self._regression(design * on[:, None], seen, variance, common, self._prior(spread), self._centre())
            rest = observed - design @ beta - effect[data.promotion]
            of_brand = self._brands(rest, variance, on, cell, depth, spread["brand"])
            # What is noticed, and the shape, given the slopes, which both change in proportion.
            steep = self.design[:, :slopes] @ beta[:slopes] + of_brand[cell]
            besides = self.design[:, slopes:] @ beta[slopes:]
            column = by_mechanic * (on * steep * response)[:, None]
            seen, prior = observed - np.where(on, besides, 0.0), np.full(len(noticed), NOTICED**-2)
            noticed, effect = self._regression(column, seen, variance, common, prior, np.ones(len(noticed)))
            noticed = np.maximum(noticed, LEAST_NOTICED)
            steep = np.where(on, steep * noticed[data.mechanic], 0.0)
            shape = self._shape(observed - besides - effect[data.promotion], variance, steep)
            response = depth_response(data.depth, shape)
            depth = response * noticed[data.mechanic]
            design = self._answering(depth)
            predicted = design @ beta + of_brand[cell] * depth
            own = np.where(works, spread["promotion"] ** 2, 0.0)
            total = np.maximum(shared + own, 1e-12)
            lift_common = effect * own / total + rng.normal(size=promotions) * np.sqrt(own * shared / total)
            rest = observed - np.where(on, predicted, 0.0) - effect[data.promotion]
            member_lift, member_error = self._split(rest, np.where(on, of_member, 0.0), data.own_error, noise)
            lift = np.where(on, predicted + lift_common[data.promotion] + member_lift, 0.0)
            error = (effect - lift_common)[data.promotion] + member_error

            spread["promotion"] = self._spread(lift_common[works], 0.1)
            spread["member"] = self._spread((member_lift * np.sqrt(weight))[on], 0.1)
            # Student's t as a scale mixture of normals (Andrews and Mallows 1974).
            away = np.where(on, (member_lift / spread["member"]) ** 2, 0.0)
            weight = rng.gamma((TAIL + on) / 2) / ((TAIL + away) / 2)
            spread["category"] = self._spread(beta[1 : 1 + categories] - self.data.prior_slope, 0.3)
            used = np.bincount(cell[on], minlength=categories * brands) > 0
            spread["brand"] = self._spread(of_brand[used], 0.2)
            null_share = float(rng.beta(1 + (~works).sum(), 4 + works.sum()))
            if turn >= burn_in:
                saved["lift"].append(lift)
                added += np.where(on, np.expm1(predicted), 0.0) / kept
                usual += predicted / kept
                saved["error"].append(error)
                saved["works"].append(works.astype(np.float64))
                saved["beta"].append(beta)
                saved["brand"].append(of_brand)
                saved["noticed"].append(noticed)
                saved["shape"].append(np.array(shape))
                saved["hyper"].append(np.array([null_share, *spread.values()]))
        betas = np.stack(saved["beta"])
        return LiftDraws(
            log_lift=np.stack(saved["lift"]),
            log_error=np.stack(saved["error"]),
            works=np.stack(saved["works"]) > 0.5,
            slope=betas[:, :1] + betas[:, 1 : 1 + categories],
            brand_slope=np.stack(saved["brand"]),
            shape=np.stack(saved["shape"]),
            mechanic=betas[:, slopes : slopes + 1] + betas[:, slopes + 1 : -1],
            noticed=np.stack(saved["noticed"]),
            display=betas[:, -1],
            predicted=added,
            hyper=pd.DataFrame(saved["hyper"], columns=["null_share", *spread]),
            log_predicted=usual,
        )

    def _evidence(self, rest: Floats, variance: Floats, common: Floats) -> Floats:
        # Log density by promotion of members that share an effect of variance `common`, but for constants that cancel.
        rows, size = self.data.promotion, self.promotions
        precision = np.bincount(rows, weights=1 / variance, minlength=size)
        linear = np.bincount(rows, weights=rest / variance, minlength=size)
        square = np.bincount(rows, weights=rest**2 / variance + np.log(variance), minlength=size)
        evidence: Floats = -0.5 * (square + np.log1p(common * precision) - common * linear**2 / (1 + common * precision))
        return evidence

    def _regression(
        self, design: Floats, observed: Floats, variance: Floats, common: Floats, prior: Floats, centre: Floats
    ) -> tuple[Floats, Floats]:
        # The coefficients with the promotions' common effects integrated out, then those effects given the coefficients.
        data, rng = self.data, self.rng
        weight = 1 / variance
        by_promotion = self._members @ (design * weight[:, None])
        precision = np.bincount(data.promotion, weights=weight, minlength=self.promotions)
        linear = np.bincount(data.promotion, weights=weight * observed, minlength=self.promotions)
        shrink = common / (1 + common * precision)
        information = (design * weight[:, None]).T @ design - (by_promotion * shrink[:, None]).T @ by_promotion
        gain = design.T @ (weight * observed) - by_promotion.T @ (shrink * linear)
        factor = np.linalg.cholesky(information + np.diag(prior))
        mean = np.linalg.solve(factor.T, np.linalg.solve(factor, gain + prior * centre))
        beta: Floats = mean + np.linalg.solve(factor.T, rng.normal(size=len(mean)))
        rest = linear - by_promotion @ beta
        variance_of_effect = common / (1 + common * precision)
        effect: Floats = variance_of_effect * rest + rng.normal(size=self.promotions) * np.sqrt(variance_of_effect)
        return beta, effect

    def _brands(self, rest: Floats, variance: Floats, on: Bools, cell: Ints, depth: Floats, spread: float) -> Floats:
        size = self.sizes["category"] * self.sizes["brand"]
        weight = np.where(on, depth / variance, 0.0)
        precision = np.bincount(cell, weights=weight * depth, minlength=size) + 1 / spread**2
        linear = np.bincount(cell, weights=weight * rest, minlength=size)
        drawn: Floats = linear / precision + self.rng.normal(size=size) / np.sqrt(precision)
        return drawn

    def _shape(self, rest: Floats, variance: Floats, steep: Floats) -> float:
        # The shape enters by no linear way, so it is drawn on a grid (griddy Gibbs, Ritter and Tanner 1992).
        log = log_beliefs() + self._by_shape @ (steep * rest / variance) - 0.5 * (self._by_shape**2 @ (steep**2 / variance))
        chance = np.exp(log - log.max())
        return float(self.rng.choice(SHAPES, p=chance / chance.sum()))

    def _prior(self, spread: dict[str, float]) -> Floats:
        sizes = self.sizes
        parts = [
            np.full(1, 1 / WEAK),
            np.full(sizes["category"], 1 / spread["category"] ** 2),
            np.full(1, 1 / ATTENTION**2),
            np.full(sizes["mechanic"], 1 / MECHANIC**2),
            np.full(1, 1 / DISPLAY**2),
        ]
        return np.concatenate(parts)

    def _centre(self) -> Floats:
        centre = np.zeros(self.design.shape[1])
        centre[0] = 1.5
        # Regular prices say how categories differ; promotions correct that.
        centre[1 : 1 + self.sizes["category"]] = self.data.prior_slope
        return centre

    def _split(self, rest: Floats, lift: Floats, error: Floats, noise: Floats) -> tuple[Floats, Floats]:
        rng = self.rng
        total = lift + error + noise
        both = (lift + error) / total * rest + rng.normal(size=len(rest)) * np.sqrt((lift + error) * noise / total)
        share = np.divide(lift, lift + error, out=np.zeros_like(lift), where=lift + error > 0)
        part = share * both + rng.normal(size=len(rest)) * np.sqrt(share * error)
        return part, both - part

    def _spread(self, values: Floats, scale: float) -> float:
        # Inverse gamma prior worth four values of the given scale.
        shape, rate = 2 + len(values) / 2, 2 * scale**2 + float((values**2).sum()) / 2
        return float(np.sqrt(rate / self.rng.gamma(shape)))
