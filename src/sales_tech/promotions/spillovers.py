"""What a promotion takes from its neighbours and from the weeks after, and what it brings to other categories.

Decomposed as by van Heerde, Leeflang and Wittink (2004, Marketing Science 23): extra units of a promotion come
from other SKUs of its category (cannibalised), from the same SKU's later weeks (pulled forward), and from more
consumption; others gain beside them (halo). Each is a share of the extra units, estimated by generalized least
squares on unpromoted cells, whose states are whitened out, and partially pooled by category.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from sales_tech.promotions.baseline import Baseline, by_row
from sales_tech.promotions.cells import PromotedCells
from sales_tech.promotions.panel import Bools, Floats, Ints, PromotionPanel
from sales_tech.promotions.shrinkage import Pooled, pool, sparse_pool
from sales_tech.promotions.states import Wander, choose_wander, whiten
from sales_tech.promotions.timing import DIP_DAYS, FADES, PRIOR_DEVIATION, PRIOR_SHARE, SLUMPS, fade_shapes, slump_shape, weigh

LOWEST_FACTOR, HIGHEST_HALO = 0.2, 2.0
TINY = 1e-9


@dataclass(frozen=True)
class Spillovers:
    """Shares of extra units: cannibalised by category, pulled forward by category, halo by pair of categories.

    `fade` are the chances of each of FADES, by which what was pulled forward is missed. `halo[a, b]` is what category b
    gains for each extra unit of category a, `halo_deviation` its standard deviation. `slump` by row of SLUMPS, which tell
    how long before their promotion SKUs are chosen and how that passes: mean log state on that day, times the chance that
    the row is the right one.
    """

    cannibal: Pooled
    fade: Floats
    dip: Pooled
    halo: Floats
    halo_deviation: Floats
    slump: Floats = field(default_factory=lambda: np.zeros(len(SLUMPS)))

    @classmethod
    def none(cls, categories: int) -> Spillovers:
        """No spillover at all."""
        zeros = np.zeros(categories)
        nothing = Pooled(zeros, zeros, 0.0, 0.0, 0.0)
        return cls(
            nothing, np.full(len(FADES), 1 / len(FADES)), nothing, np.zeros((categories, categories)), np.zeros((categories, categories))
        )

    def half_way(self, before: Spillovers) -> Spillovers:
        """Half way from `before` to these shares: whole steps swing, since states and shares explain the same days."""
        cannibal, dip = (
            replace(mine, mean=(mine.mean + other.mean) / 2) for mine, other in ((self.cannibal, before.cannibal), (self.dip, before.dip))
        )
        fade, halo, slump = ((getattr(self, name) + getattr(before, name)) / 2 for name in ("fade", "halo", "slump"))
        return replace(self, fade=fade, cannibal=cannibal, dip=dip, halo=halo, slump=slump)


@dataclass(frozen=True)
class Offsets:
    """Log factors (K, G, T) of demand: by promotions of neighbours, by the SKU's own past promotions, and by having been chosen for one.

    A SKU is promoted when it sells slowly, which passes (Ashenfelter 1978, Review of Economics and Statistics 60):
    `chosen` is that slump, and no effect of the promotion.
    """

    neighbours: Floats
    dip: Floats
    chosen: Floats

    @property
    def total(self) -> Floats:
        """All together."""
        return self.neighbours + self.dip + self.chosen

    @property
    def moved(self) -> Floats:
        """What promotions did; the slump in which SKUs are chosen would have been there without them."""
        return self.neighbours + self.dip


@dataclass(frozen=True)
class Pressure:
    """The extra units of promotions, as their neighbours feel them.

    `by_sku` (K, G, T) are extra units of a SKU, `extra` (C, G, T) of a category; `peers` (C, G, T) the usual units of
    its unpromoted SKUs, `usual` of all. `after` (fades, K, G, T) are extra units of a SKU's past promotions, spread over
    the days after by each of FADES, also while it is promoted again; `calm_after` those to be expected of promotions
    like them, without the states of SKUs: luck near a promotion moves its baseline, and so what it seems to have added.
    """

    by_sku: Floats
    extra: Floats
    peers: Floats
    usual: Floats
    after: Floats
    calm_after: Floats
    # By row of SLUMPS, one on the day on which the SKU is chosen for a promotion and less away from it (rows, K, T).
    chosen: Floats

    @classmethod
    def of(cls, baseline: Baseline, extra: Floats, predicted: Floats, usual: Floats, promoted: Bools) -> Pressure:
        """The pressure of extra units (K, G, T), as told and as predicted; `usual` are expected units without promotions."""
        panel, groups = baseline.panel, baseline.groups
        after, calm_after = (_after(panel, groups.of_store, table) for table in (extra, predicted * calm(baseline)))
        chosen = np.stack([slump_shape(panel, lead, half_life) for lead, half_life in SLUMPS])
        peers = by_category(panel, usual * ~promoted)
        return cls(extra, by_category(panel, extra), peers, by_category(panel, usual), after, calm_after, chosen)

    def lost_to_category(self) -> Floats:
        """Extra units over the usual units of those that may lose them (C, G, T)."""
        return np.minimum(self.extra / np.maximum(self.peers, TINY), 4.0)

    def offsets(self, panel: PromotionPanel, spillovers: Spillovers, usual: Floats, promoted: Bools) -> Offsets:
        """How spillovers move the demand of each cell."""
        cannibalised = self._cannibalised(spillovers)[panel.category]
        gained = np.einsum("ab,agt->bgt", spillovers.halo, self.extra) / np.maximum(self.usual, TINY)
        halo = np.log1p(np.clip(gained, 0, HIGHEST_HALO))[panel.category]
        dip = self._dipped(panel, spillovers, usual)
        chosen = np.broadcast_to(np.tensordot(spillovers.slump, self.chosen, axes=1)[:, None, :], usual.shape)
        return Offsets(np.where(promoted, 0.0, cannibalised) + halo, np.where(promoted, 0.0, dip), chosen)

    def spared(self, panel: PromotionPanel, spillovers: Spillovers, usual: Floats, cells: PromotedCells) -> Floats:
        """Part (K, G, T) of the demand of cells promoted once that neighbours and past promotions would take, were they not.

        What is promoted loses to no other promotion, and so not losing is part of what its own one adds.
        """
        dip = self._dipped(panel, spillovers, usual)
        cannibal = np.maximum(spillovers.cannibal.mean[panel.category], 0.0)
        table = np.zeros(usual.shape)
        by_promotion: dict[int, list[int]] = {}
        for row, member in enumerate(panel.members):
            by_promotion.setdefault(member.promotion, []).append(row)
        for rows in by_promotion.values():
            for row in rows:
                member, here = panel.members[row], cells.of_member[row]
                category, window = panel.category[member.sku], (member.sku, here, member.days)
                skus = [sku for sku in (panel.members[other].sku for other in rows) if panel.category[sku] == category]
                # Without the promotion its own extra units are gone, and its SKUs are peers that may lose.
                own = self.by_sku[skus][:, here, member.days].sum(axis=0)
                others = np.maximum(self.extra[category][here, member.days] - own, 0.0)
                peers = self.peers[category][here, member.days] + usual[skus][:, here, member.days].sum(axis=0)
                lost = np.minimum(cannibal[member.sku] * others / np.maximum(peers, TINY), 1 - LOWEST_FACTOR)
                table[window] = np.where(cells.alone[window], 1 - (1 - lost) * np.exp(dip[window]), 0.0)
        return table

    def _cannibalised(self, spillovers: Spillovers) -> Floats:
        lost = spillovers.cannibal.mean[:, None, None] * self.lost_to_category()
        factor: Floats = np.log(np.maximum(1 - lost, LOWEST_FACTOR))
        return factor

    def _dipped(self, panel: PromotionPanel, spillovers: Spillovers, usual: Floats) -> Floats:
        share = np.maximum(spillovers.dip.mean[panel.category], 0)[:, None, None]
        pulled = share * np.tensordot(spillovers.fade, self.after, axes=1) / np.maximum(usual, TINY)
        factor: Floats = np.log(np.maximum(1 - pulled, LOWEST_FACTOR))
        return factor


def estimate_spillovers(
    baseline: Baseline, pressure: Pressure, sold: Floats, expected: Floats, offsets: Offsets, promoted: Bools, before: Spillovers
) -> Spillovers:
    """Estimate the shares from unpromoted cells; `expected` includes `offsets`, the spillovers as known so far (all K, G, T).

    One step of Gauss and Newton from the shares known `before`.
    """
    fade, dip, slump = _dip(baseline, pressure, sold, expected, offsets, promoted, before)
    cannibal, halo, deviation = _neighbours(baseline, pressure, sold, expected, offsets, promoted, before)
    return Spillovers(cannibal, fade, dip, halo, deviation, slump)


def _dip(
    baseline: Baseline, pressure: Pressure, sold: Floats, expected: Floats, offsets: Offsets, promoted: Bools, before: Spillovers
) -> tuple[Floats, Pooled, Floats]:
    panel = baseline.panel
    free = ~promoted
    total, now = (sold * free).sum(axis=1), (expected * free).sum(axis=1)
    # States follow the luck of the very days that are explained; they are left out of what explains them.
    usual = np.maximum((expected * np.exp(-offsets.moved) * calm(baseline) * free).sum(axis=1), TINY)
    precision = baseline.luck.precision(now, baseline.concentration("sku"))
    after = np.stack([np.minimum((part * free).sum(axis=1) / usual, 3.0) for part in pressure.calm_after])
    share = before.dip.mean[panel.category][:, None]
    columns = -after / np.maximum(1 - share * np.tensordot(before.fade, after, axes=1), LOWEST_FACTOR)
    known = share * np.tensordot(before.fade, columns, axes=1) + np.tensordot(before.slump, pressure.chosen, axes=1)
    observed = np.clip(baseline.sku_state.mean + known + (total - now) / np.maximum(now, TINY), -4, 6)
    white = whiten([np.ones_like(observed), observed, *columns, *pressure.chosen], precision, baseline.wanders["sku"])
    one, *rest = white
    norm = np.maximum((one * one).sum(axis=1, keepdims=True), TINY)
    y, *rest = (part - one * (one * part).sum(axis=1, keepdims=True) / norm for part in rest)
    dips, slumps = rest[: len(FADES)], rest[len(FADES) :]
    slump, fade = weigh(y, dips, slumps)
    y = y - sum(part * column for part, column in zip(slump.tolist(), slumps, strict=True))
    x = sum(part * column for part, column in zip(fade.tolist(), dips, strict=True))
    return fade, _shares(panel, (x * x).sum(axis=1), (x * y).sum(axis=1)), slump


def _shares(panel: PromotionPanel, information: Floats, gain: Floats) -> Pooled:
    size = len(panel.categories)
    return _positive(by_row(panel.category, information, size), by_row(panel.category, gain, size))


def _positive(information: Floats, gain: Floats) -> Pooled:
    # A little of the prior goes into each category, so that none is told by noise alone.
    worth = 1 / PRIOR_DEVIATION**2
    pooled = pool(information + 0.1 * worth, gain + 0.1 * worth * PRIOR_SHARE)
    return Pooled(np.clip(pooled.mean, 0, 0.9), pooled.deviation, pooled.common, pooled.common_deviation, pooled.spread)


def _neighbours(
    baseline: Baseline, pressure: Pressure, sold: Floats, expected: Floats, offsets: Offsets, promoted: Bools, before: Spillovers
) -> tuple[Pooled, Floats, Floats]:
    panel = baseline.panel
    size, free = len(panel.categories), ~promoted
    # The states of single SKUs stay in: slow sellers are promoted, and those left behind would seem to sell better for it.
    states = baseline.category_day[panel.category][:, None, :]
    plain = by_category(panel, expected * np.exp(-states - offsets.neighbours) * free)
    total, now = by_category(panel, sold * free), by_category(panel, expected * free)
    usual = by_category(panel, expected * np.exp(-offsets.moved) * free)
    share = before.cannibal.mean[:, None, None]
    lost = -pressure.lost_to_category() / np.maximum(1 - share * pressure.lost_to_category(), LOWEST_FACTOR)
    plain *= np.exp(np.log(np.maximum(1 - share * pressure.lost_to_category(), LOWEST_FACTOR)) - share * lost)
    gains = [pressure.extra[row][None] / np.maximum(pressure.usual, TINY) for row in range(size)]
    information, gain = np.zeros((size, 1 + size)), np.zeros((size, 1 + size))
    cross = np.zeros((size, 1 + size))
    for level in ("nation", "contrast"):
        parts = _level(level, baseline, total, now, plain, usual, [lost, *gains])
        if parts is None:
            continue
        y, precision, columns, rows = parts
        wander = choose_wander(y, precision, Wander(0.08, 16.0))
        one, y, *xs = whiten([np.ones_like(y), y, *columns], precision, wander)
        norm = np.maximum((one * one).sum(axis=1, keepdims=True), TINY)
        y, *xs = (column - one * (one * column).sum(axis=1, keepdims=True) / norm for column in (y, *xs))
        for column, x in enumerate(xs):
            information[:, column] += np.bincount(rows, weights=(x * x).sum(axis=1), minlength=size)
            gain[:, column] += np.bincount(rows, weights=(x * y).sum(axis=1), minlength=size)
            cross[:, column] += np.bincount(rows, weights=(x * xs[0]).sum(axis=1), minlength=size)
    cannibal = _positive(information[:, 0], gain[:, 0])
    # What is left for each pair, once the category's own loss is taken out.
    rest = gain[:, 1:] - cross[:, 1:] * cannibal.mean[:, None]
    pairs = information[:, 1:].copy()
    pairs[np.arange(size), np.arange(size)] = 0.0
    mean, deviation = sparse_pool(pairs.ravel(), rest.ravel())
    halo = np.clip(mean.reshape(size, size).T, 0, 0.5)
    return cannibal, halo, deviation.reshape(size, size).T


def _level(
    level: str, baseline: Baseline, total: Floats, now: Floats, plain: Floats, usual: Floats, columns: list[Floats]
) -> tuple[Floats, Floats, list[Floats], np.ndarray] | None:
    # Either the nation's series by category, less what all categories share on a day, or what groups differ from it.
    size, groups, days = total.shape
    y = np.log((total + 0.5) / (plain + 0.5))
    share = usual / np.maximum(usual.sum(axis=1, keepdims=True), TINY)
    nation = np.log((total.sum(axis=1) + 0.5) / (plain.sum(axis=1) + 0.5))
    nation_columns = [(np.broadcast_to(column, usual.shape) * share).sum(axis=1) for column in columns]
    if level == "nation":
        weight = now.sum(axis=1) / np.maximum(now.sum(axis=(0, 1)), TINY)
        within = [column - (column * weight).sum(axis=0) for column in (nation, *nation_columns)]
        return within[0], baseline.luck.precision(now.sum(axis=1), baseline.concentration("category")), within[1:], np.arange(size)
    if groups == 1:
        return None
    flat = size * groups, days
    contrasts = [
        (np.broadcast_to(column, usual.shape) - of_nation[:, None, :]).reshape(flat)
        for column, of_nation in zip(columns, nation_columns, strict=True)
    ]
    told = baseline.luck.precision(now.reshape(flat), baseline.concentration("category and group"))
    return (y - nation[:, None, :]).reshape(flat), told, contrasts, np.repeat(np.arange(size), groups)


def calm(baseline: Baseline) -> Floats:
    """Factor (K, G, T) that takes the states of single SKUs out of demand."""
    states = baseline.group_state.mean.reshape(len(baseline.panel.skus), baseline.groups.size, -1)
    factor: Floats = np.exp(-baseline.sku_state.mean[:, None, :] - states)
    return factor


def _after(panel: PromotionPanel, of_store: Ints, extra: Floats) -> Floats:
    shapes = fade_shapes()
    after = np.zeros((len(FADES), *extra.shape))
    for member in panel.members:
        here = np.unique(of_store[member.stores])
        taken = extra[member.sku, here, member.days].sum(axis=1)
        last = min(member.end + 1 + DIP_DAYS, extra.shape[2])
        after[:, member.sku, here, member.end + 1 : last] += taken[:, None] * shapes[:, None, : last - member.end - 1]
    return after


def by_category(panel: PromotionPanel, table: Floats) -> Floats:
    """Sums by category (rows) of a table by SKU."""
    bounds = np.searchsorted(panel.category, np.arange(len(panel.categories)))
    total: Floats = np.add.reduceat(table, bounds, axis=0)
    return total
