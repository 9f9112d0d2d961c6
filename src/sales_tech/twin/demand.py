"""Expected units by SKU, store and day, with or without any of the promotions, and units drawn from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sales_tech.twin.assortment import CATEGORIES
from sales_tech.twin.history import Ints, stream
from sales_tech.twin.response import ACCESSORIES, PULL_DAYS, Member, Response, make_response, pull_weights
from sales_tech.twin.retailer import Retailer
from sales_tech.twin.stores import CHANNELS, REGIONS

Cells = NDArray[np.float32]
NO_PROMOTION = -1
# Gamma shape of a cell's own luck. A cell without units has the chance (1 + mean / 4)**-4: `draw` squares twice.
DISPERSION = 4.0
NEGLIGIBLE = 1e-18
CELLS_AT_ONCE = 1_600_000
OVERLAP_SHARE = 0.3
LARGEST_LOSS = 1.2
LARGEST_HALO = 1.0


@dataclass(frozen=True)
class Expectation:
    """By SKU, store and day: expected units, discount share of list price, and row of the promotion in force (-1: none)."""

    units: Cells
    discount: Cells
    promotion: NDArray[np.int32]


class Demand:
    """The structural demand of a retailer. Days are positions, given as a first and the one after the last."""

    def __init__(self, retailer: Retailer, response: Response | None = None) -> None:
        self.retailer = retailer
        self.response = make_response(retailer) if response is None else response
        self.category: Ints = retailer.catalogue.products["category_row"].to_numpy()
        self._channel = retailer.stores["channel_row"].to_numpy()
        self._region = retailer.stores["region_row"].to_numpy()
        self._out = {name: retailer.stockouts[name].to_numpy() for name in ("product", "store", "start", "end")}
        # What reaches into a window: from the first day of a promotion to the last day of the dip after it.
        self._reach = np.array([(member.start, member.end + PULL_DAYS) for member in self.response.members]).reshape(-1, 2)

    def expect(
        self, first: int, stop: int, *, skus: Ints | None = None, stores: Ints | None = None, without: int | None = None
    ) -> Expectation:
        """What is expected of the days, by default of all SKUs and stores; `without` leaves one promotion out.

        The chosen SKUs must be sorted and hold whole categories, since neighbours share their demand.
        """
        size = len(self.category), len(self._channel)
        skus = np.arange(size[0]) if skus is None else skus
        stores = np.arange(size[1]) if stores is None else stores
        base = self._base(skus, stores, first, stop)
        discount: Cells = np.zeros_like(base)
        promotion = np.full(base.shape, NO_PROMOTION, dtype=np.int32)
        sku_row, store_row = np.full(size[0], -1), np.full(size[1], -1)
        sku_row[skus], store_row[stores] = np.arange(len(skus)), np.arange(len(stores))
        near = [
            (member, int(sku_row[member.product]))
            for at in np.flatnonzero((self._reach[:, 0] < stop) & (self._reach[:, 1] >= first)).tolist()
            if sku_row[(member := self.response.members[at]).product] >= 0 and member.promotion != without
        ]
        if not near:
            return Expectation(base, discount, promotion)
        highest, total, dip = np.zeros_like(base), np.zeros_like(base), np.zeros_like(base)
        for member, row in near:
            self._apply(member, row, store_row, first, stop, highest, total, dip, discount, promotion)
        lift = highest + OVERLAP_SHARE * (total - highest)
        self._shocks(base, sku_row, store_row, first, stop)
        units = base * np.exp(lift)
        extra = units - base
        unpromoted = promotion == NO_PROMOTION
        self._spill(units, base, extra, unpromoted, self.category[skus])
        units *= np.exp(np.where(unpromoted, -np.minimum(dip, np.float32(LARGEST_LOSS)), np.float32(0)))
        return Expectation(units, discount, promotion)

    def draw(self, units: Cells, rng: np.random.Generator) -> Ints:
        """Units sold: negative binomial counts, whose variance is the mean + mean² / DISPERSION."""
        # Few cells sell anything, so one number decides whether; how many, by inversion given that it is one or more.
        sold = np.zeros(units.size, dtype=np.int64)
        nothing = np.square(np.square(np.float32(DISPERSION) / (units.reshape(-1) + np.float32(DISPERSION))))
        rest = np.flatnonzero(rng.random(units.size, dtype=np.float32) >= nothing)
        mean = units.reshape(-1)[rest].astype(np.float64)
        again = mean / (mean + DISPERSION)
        chance = (1 - again) ** DISPERSION
        below, target = chance, chance + (1 - chance) * rng.random(len(rest))
        number, largest = 0, float(mean.max(initial=0.0))
        while len(rest) and (number < largest or float(chance.max()) > NEGLIGIBLE):
            chance = chance * again * ((DISPERSION + number) / (number + 1))
            number += 1
            below = below + chance
            sold[rest] = number
            more = np.flatnonzero(target >= below)
            rest, again, chance, below, target = (part[more] for part in (rest, again, chance, below, target))
        return sold.reshape(units.shape)

    def windows(self) -> list[tuple[int, int]]:
        """The history in parts of a month or less, as bounds for `sales`, so that the cells of a part fit in memory at any size."""
        return self.retailer.history.windows(CELLS_AT_ONCE // (len(self.category) * len(self._channel)))

    def sales(self, first: int, stop: int) -> tuple[Expectation, Ints]:
        """What is expected of the days and what was sold; the same days, asked for by the same bounds, sell the same."""
        expected = self.expect(first, stop)
        return expected, self.draw(expected.units, stream(self.retailer.seed, f"units from {first}"))

    def _base(self, skus: Ints, stores: Ints, first: int, stop: int) -> Cells:
        market = self.retailer.market
        base: Cells = np.empty((len(skus), len(stores), stop - first), dtype=np.float32)
        sku_day = market.sku_day[skus, :, first:stop].astype(np.float32)
        affinity = market.affinity[np.ix_(skus, stores)].astype(np.float32)
        store_day = market.store_day[stores, first:stop].astype(np.float32)
        channel, region = self._channel[stores], self._region[stores]
        for channel_row in range(len(CHANNELS)):
            for region_row in range(len(REGIONS)):
                here = np.flatnonzero((channel == channel_row) & (region == region_row))
                if not len(here):
                    continue
                factor = sku_day[:, channel_row]
                if market.region_day is not None:
                    factor = factor * market.region_day[skus, region_row, first:stop].astype(np.float32)
                base[:, here] = factor[:, None, :] * affinity[:, here, None] * store_day[None, here]
        self._empty_shelves(base, skus, stores, first, stop)
        return base

    def _empty_shelves(self, base: Cells, skus: Ints, stores: Ints, first: int, stop: int) -> None:
        out = self._out
        near = (out["start"] < stop) & (out["end"] >= first)
        sku_row, store_row = np.full(len(self.category), -1), np.full(len(self._channel), -1)
        sku_row[skus], store_row[stores] = np.arange(len(skus)), np.arange(len(stores))
        rows, columns = sku_row[out["product"][near]], store_row[out["store"][near]]
        starts, stops = np.maximum(out["start"][near] - first, 0), np.minimum(out["end"][near] + 1, stop) - first
        inside = (rows >= 0) & (columns >= 0)
        for row, column, start, end in zip(*(part[inside].tolist() for part in (rows, columns, starts, stops)), strict=True):
            base[row, column, start:end] = 0.0

    def _apply(
        self,
        member: Member,
        row: int,
        store_row: Ints,
        first: int,
        stop: int,
        highest: Cells,
        total: Cells,
        dip: Cells,
        discount: Cells,
        promotion: NDArray[np.int32],
    ) -> None:
        columns = store_row[member.stores]
        here = np.flatnonzero(columns >= 0)
        columns = columns[here]
        start, end = max(member.start, first), min(member.end + 1, stop)
        if start < end:
            cells = row, columns[:, None], np.arange(start, end)[None] - first
            lift = member.log_lift[here, start - member.start : end - member.start].astype(np.float32)
            highest[cells] = np.maximum(highest[cells], lift)
            total[cells] += lift
            share = np.float32(member.percent / 100)
            promotion[cells] = np.where(share > discount[cells], member.promotion, promotion[cells])
            discount[cells] = np.maximum(discount[cells], share)
        start, end = max(member.end + 1, first), min(member.end + 1 + PULL_DAYS, stop)
        if start < end:
            weights = pull_weights()[start - member.end - 1 : end - member.end - 1]
            share = self.response.pull[self.category[member.product]]
            dip[row, columns, start - first : end - first] += (share * member.taken[here])[:, None] * weights

    def _shocks(self, base: Cells, sku_row: Ints, store_row: Ints, first: int, stop: int) -> None:
        for member in self.response.members:
            start, end = max(member.start, first), min(member.end + 1, stop)
            row = sku_row[member.product]
            if member.shock and start < end and row >= 0:
                columns = store_row[member.stores]
                base[row, columns[columns >= 0], start - first : end - first] *= np.float32(np.exp(member.shock))

    def _spill(self, units: Cells, base: Cells, extra: Cells, unpromoted: NDArray[np.bool_], category: Ints) -> None:
        names = [item.name for item in CATEGORIES]
        bounds = np.searchsorted(category, np.arange(len(names) + 1))
        gained = {}
        for row, name in enumerate(names):
            part = slice(bounds[row], bounds[row + 1])
            if part.start == part.stop or unpromoted[part].all():
                continue
            gained[name] = extra[part].sum(axis=0)
            others = (base[part] * unpromoted[part]).sum(axis=0)
            loss = np.minimum(self.response.cannibal[row] * gained[name] / np.maximum(others, 1e-6), LARGEST_LOSS)
            units[part] *= np.where(unpromoted[part], np.exp(-loss), 1.0)
        for row, name in enumerate(names):
            for accessory in ACCESSORIES.get(name, ()) if name in gained else ():
                at = names.index(accessory)
                part = slice(bounds[at], bounds[at + 1])
                usual = base[part].sum(axis=0)
                if part.start < part.stop:
                    units[part] *= 1 + np.minimum(self.response.halo[row] * gained[name] / np.maximum(usual, 1e-6), LARGEST_HALO)
