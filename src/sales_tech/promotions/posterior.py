"""Fits baseline, lifts and spillovers in turn, each given the others, and keeps draws of what every promotion did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sales_tech.promotions.baseline import Baseline, Groups
from sales_tech.promotions.cells import PromotedCells
from sales_tech.promotions.lifts import LiftData, LiftDraws, LiftModel
from sales_tech.promotions.overlap import added, extra_units, joint, overlap_share
from sales_tech.promotions.panel import Floats, Ints, PromotionPanel
from sales_tech.promotions.placebo import Calibration, calibrate
from sales_tech.promotions.shrinkage import Pooled
from sales_tech.promotions.significance import Sightings, confidence
from sales_tech.promotions.spillovers import Offsets, Pressure, Spillovers, estimate_spillovers
from sales_tech.promotions.timing import DIP_DAYS, fade_shapes
from sales_tech.promotions.uncertainty import ErrorModel

TURNS = 4
ROUNDS = (10, 5, 4, 4)
DEPLETED_DAYS = 3
# What a promotion adds, in baselines, beyond which it tells nothing of shelves: a few stores that sell dozens would call
# those of all others empty, which makes the baseline less and the lift greater from turn to turn.
MOST_ADDED = 5.0
TINY = 1e-9


@dataclass(frozen=True)
class Posterior:
    """What was found about a panel.

    `expected` and `sold` (K, G, T) are units of available cells, expected without promotions of their own SKU
    but with what other promotions do to them (`offsets`), of which promoted cells are `spared` a part.
    `baseline`, `incremental` (draws, members) are draws of units in the cells of each member; `cannibalised`,
    `halo`, `pulled` of what its promotion moves elsewhere; `confidence` by promotion is one less the chance that it would have sold
    as much without effect.
    """

    panel: PromotionPanel
    cells: PromotedCells
    model: Baseline
    offsets: Offsets
    spillovers: Spillovers
    spared: Floats
    lifts: LiftDraws
    mechanics: list[str]
    calibration: Calibration
    overlap_share: float
    expected: Floats
    sold: Floats
    baseline: Floats
    incremental: Floats
    cannibalised: Floats
    halo: Floats
    pulled: Floats
    confidence: Floats

    @property
    def mechanic(self) -> Ints:
        """Row of each member's mechanic in `mechanics`."""
        kinds = self.panel.promotions["mechanic"].astype(object)
        rows: Ints = pd.Index(self.mechanics).get_indexer(pd.Index(kinds.where(kinds.notna(), "unknown").astype(str)))
        return rows[self.cells.promotions]

    def by_promotion(self, draws: Floats) -> Floats:
        """Sums of the members' draws (draws, members) by promotion (draws, promotions)."""
        size = len(self.panel.promotions)
        summed: Floats = np.stack([np.bincount(self.cells.promotions, weights=row, minlength=size) for row in draws])
        return summed


def fit_posterior(panel: PromotionPanel, seed: int) -> Posterior:
    """Fit a panel that has members; the same seed gives the same draws."""
    groups = Groups.of(panel)
    cells = PromotedCells(panel, groups)
    model = Baseline(panel, groups)
    nothing = np.zeros(cells.promoted.shape)
    offsets, spillovers = Offsets(nothing, nothing, nothing), Spillovers.none(len(panel.categories))
    kinds = panel.promotions["mechanic"].astype(object)
    mechanic = pd.Categorical(kinds.where(kinds.notna(), "unknown"))
    calibration, extra = Calibration(1.0, 1.0, 0), nothing
    for turn in range(TURNS):
        last = turn == TURNS - 1
        clean = ~cells.promoted & ~cells.after(DIP_DAYS) if turn == 0 else ~cells.promoted
        model.fit(clean, offsets.total, rounds=ROUNDS[turn])
        expected, sold = model.expect(offsets.total)
        expected = expected * model.above_median(expected * clean)
        if last:
            calibration = calibrate(model, cells, offsets.total, seed)
        own, shared = ErrorModel.of(model, expected * clean).variances(cells.skus, cells.of_member, cells.starts, cells.ends)
        data = _data(model, cells, expected, sold, own * calibration.own, shared * calibration.shared, mechanic.codes)
        sizes = {"category": len(panel.categories), "brand": len(panel.brands), "mechanic": len(mechanic.categories)}
        lifts = LiftModel(data, sizes, seed).sample()
        usual = expected * np.exp(-offsets.moved)
        added_units = extra_units(cells, expected, lifts.log_lift, np.exp(lifts.log_error), _share(cells, lifts, expected, sold))
        # Half steps, since what promotions add raises the baseline from which it is told, and whole steps swing.
        extra = added_units if turn == 0 else (extra + added_units) / 2
        pressure = Pressure.of(model, extra, expected * cells.spread(lifts.predicted), usual, cells.promoted)
        found = estimate_spillovers(model, pressure, sold, expected, offsets, cells.promoted, spillovers)
        spillovers = found.half_way(spillovers) if turn > 0 else found
        if not last:
            offsets = pressure.offsets(panel, spillovers, usual, cells.promoted)
            if not panel.stock_known:
                gained = np.clip(extra / np.maximum(expected, TINY), -0.9, MOST_ADDED)
                lifted = offsets.total + np.log1p(np.where(cells.promoted, gained, 0.0))
                # What a promotion emptied is found empty in the days after it, too.
                model.infer_shelves(lifted, cells.promoted | cells.after(DEPLETED_DAYS))
    spared = pressure.spared(panel, spillovers, usual, cells)
    share, baseline, incremental = _effects(cells, lifts, expected, sold, spared)
    rng = np.random.default_rng((seed, 1))
    moved = _moved(panel, cells, spillovers, incremental, usual, rng)
    seen = Sightings.of(cells, expected, sold, _scattered(model, expected), lifts, share)
    return Posterior(
        panel=panel,
        cells=cells,
        model=model,
        offsets=offsets,
        spillovers=spillovers,
        spared=spared,
        lifts=lifts,
        mechanics=[str(name) for name in mechanic.categories],
        calibration=calibration,
        overlap_share=share,
        expected=expected,
        sold=sold,
        baseline=baseline,
        incremental=incremental,
        cannibalised=moved[0],
        halo=moved[1],
        pulled=moved[2],
        confidence=confidence(data, seen, lifts.hyper.mean().to_dict(), seed),
    )


def _data(model: Baseline, cells: PromotedCells, expected: Floats, sold: Floats, own: Floats, shared: Floats, mechanic: Ints) -> LiftData:
    panel, promotions = cells.panel, cells.promotions
    count = np.maximum(np.bincount(promotions, minlength=len(panel.promotions)), 1)
    of_promotion = np.bincount(promotions, weights=shared, minlength=len(panel.promotions)) / count
    depth = cells.depths
    # Where no depth is planned, the middle of the others stands for it.
    depth = np.where(np.isnan(depth), np.nanmedian(depth) if not np.isnan(depth).all() else 0.1, depth)
    elasticity = model.price_elasticity
    return LiftData(
        actual=cells.sums(sold),
        baseline=cells.sums(expected),
        own_error=own,
        shared_error=of_promotion[promotions],
        promotion=promotions,
        category=panel.category[cells.skus],
        brand=panel.brand[cells.skus],
        mechanic=mechanic.astype(np.int64)[promotions],
        depth=depth,
        display=panel.promotions["display"].to_numpy(dtype=np.float64)[promotions],
        prior_slope=elasticity.mean - elasticity.common,
        dispersion=model.luck.dispersion,
        scatter=cells.sums(_scattered(model, expected)) / np.maximum(cells.sums(expected) ** 2, TINY),
    )


def _scattered(model: Baseline, expected: Floats) -> Floats:
    # Variance of the cells' units that grows with the square of their mean.
    variance: Floats = model.luck.scatter * expected**2 * model.concentration("group").reshape(len(expected), -1, 1)
    return variance


def _share(cells: PromotedCells, lifts: LiftDraws, expected: Floats, sold: Floats) -> float:
    usual, actual = (np.array([table[part.sku, part.groups, part.days].sum() for part in cells.segments]) for table in (expected, sold))
    # Lifts are told beside the errors of the baselines, which the units of both promotions share.
    error = np.exp(lifts.log_error).mean(axis=0)
    usual = usual * np.array([error[list(part.members)].mean() for part in cells.segments])
    return overlap_share(cells.segments, lifts.log_lift, actual, usual)


def _effects(cells: PromotedCells, lifts: LiftDraws, expected: Floats, sold: Floats, spared: Floats) -> tuple[float, Floats, Floats]:
    error = np.exp(lifts.log_error)
    alone = cells.sums(expected)
    kept = cells.sums(expected * spared) * error * lifts.works[:, cells.promotions]
    baseline = alone * error - kept
    incremental = alone * error * np.expm1(lifts.log_lift) + kept
    share = _share(cells, lifts, expected, sold)
    for part in cells.segments:
        rows, units = list(part.members), float(expected[part.sku, part.groups, part.days].sum())
        # Members of one SKU and day see one baseline; the mean of their errors stands for its.
        shared = units * error[:, rows].mean(axis=1, keepdims=True)
        own = added(lifts.log_lift[:, rows], share)
        baseline[:, rows] += shared * (np.exp(joint(lifts.log_lift[:, rows], share))[:, None] - own)
        incremental[:, rows] += shared * own
    return share, baseline, incremental


def _moved(
    panel: PromotionPanel, cells: PromotedCells, spillovers: Spillovers, incremental: Floats, usual: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    # Shares are drawn with what all categories have in common apart, since an error there moves all promotions together.
    draws, size = len(incremental), len(panel.categories)
    category = panel.category[cells.skus]
    cannibal, dip = (_shares(pooled, draws, size, rng) for pooled in (spillovers.cannibal, spillovers.dip))
    # Not cut at none: what is only doubt would add up to a gain.
    doubt = np.sqrt((spillovers.halo_deviation**2).sum(axis=1))
    gained = spillovers.halo.sum(axis=1) + doubt * rng.normal(size=(draws, size))
    peers, within = _with_peers(panel, cells, usual), _with_later_days(cells, spillovers.fade, usual)
    return cannibal[:, category] * peers * incremental, gained[:, category] * incremental, dip[:, category] * within * incremental


def _shares(pooled: Pooled, draws: int, size: int, rng: np.random.Generator) -> Floats:
    own = np.sqrt(np.maximum(pooled.deviation**2 - pooled.common_deviation**2, 0.0))
    drawn = pooled.mean + pooled.common_deviation * rng.normal(size=(draws, 1)) + own * rng.normal(size=(draws, size))
    shares: Floats = np.clip(drawn, 0.0, 0.9)
    return shares


def _with_later_days(cells: PromotedCells, fade: Floats, usual: Floats) -> Floats:
    # Part of what a member pulls forward that falls on days when its SKU is on sale and not promoted again.
    by_day = fade @ fade_shapes()
    free = (usual > TINY) & ~cells.promoted
    parts = []
    for member, here in zip(cells.panel.members, cells.of_member, strict=True):
        weight = usual[member.sku, here, member.days].sum(axis=1)
        later = free[member.sku, here, member.end + 1 : member.end + 1 + DIP_DAYS]
        parts.append(float(weight @ later @ by_day[: later.shape[1]]) / max(float(weight.sum()), TINY))
    return np.array(parts)


def _with_peers(panel: PromotionPanel, cells: PromotedCells, usual: Floats) -> Floats:
    # Part of a member's cells in which any SKU of its category is left that may lose.
    free = np.zeros((len(panel.categories), *usual.shape[1:]))
    np.add.at(free, panel.category, usual * ~cells.promoted)
    parts = [
        float((free[panel.category[member.sku]][here, member.days] > TINY).mean())
        for member, here in zip(panel.members, cells.of_member, strict=True)
    ]
    return np.array(parts)
