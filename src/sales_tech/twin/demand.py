"""Expected units by SKU, store and day, with or without any of the promotions, and units drawn from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sales_tech.twin.assortment import CATEGORIES
from sales_tech.twin.history import Ints, ranges, stream
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
        self._shocked = [member for member in self.response.members if member.shock]
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
        row_of, column_of = _places(skus, size[0]), _places(stores, size[1])
        self._shocks(base, row_of, column_of, first, stop)
        touched, near = self._near(row_of, first, stop, without)
        if not near:
            return Expectation(base, discount, promotion)
        # Most SKUs are neither promoted nor in a dip: their cells are left alone until neighbours take from them.
        place_of = _places(touched, size[0])
        highest, total, dip = (np.zeros((len(touched), *base.shape[1:]), dtype=np.float32) for _ in range(3))
        for member in near:
            row, place = int(row_of[member.product]), int(place_of[member.product])
            self._apply(member, column_of, first, stop, highest[place], total[place], dip[place], discount[row], promotion[row])
        rows = row_of[touched]
        lift = highest + OVERLAP_SHARE * (total - highest)
        units, extra = base.copy(), np.zeros_like(base)
        units[rows] = base[rows] * np.exp(lift)
        extra[rows] = units[rows] - base[rows]
        # What customers answer is not lost to other promotions; a promotion that nobody answers shields from nothing.
        unpromoted = np.ones(base.shape, dtype=bool)
        unpromoted[rows] = total == 0
        self._spill(units, base, extra, unpromoted, self.category[skus])
        units[rows] *= np.exp(np.where(unpromoted[rows], -np.minimum(dip, np.float32(LARGEST_LOSS)), np.float32(0)))
        return Expectation(units, discount, promotion)

    def _near(self, row_of: Ints, first: int, stop: int, without: int | None) -> tuple[Ints, list[Member]]:
        """The members that reach into the days, but those of one promotion, and their SKUs."""
        at = np.flatnonzero((self._reach[:, 0] < stop) & (self._reach[:, 1] >= first)).tolist()
        members = [self.response.members[number] for number in at]
        near = [member for member in members if row_of[member.product] >= 0 and member.promotion != without]
        return np.unique(np.array([member.product for member in near], dtype=np.int64)), near

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
            rest = rest[more]
            again, chance, below, target = (part[more] for part in (again, chance, below, target))
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
        near = np.flatnonzero((out["start"] < stop) & (out["end"] >= first))
        row_of, column_of = _places(skus, len(self.category)), _places(stores, len(self._channel))
        rows, columns = row_of[out["product"][near]], column_of[out["store"][near]]
        inside = (rows >= 0) & (columns >= 0)
        begin = np.maximum(out["start"][near] - first, 0)[inside]
        length = np.minimum(out["end"][near] + 1 - first, stop - first)[inside] - begin
        starts = (rows[inside] * len(stores) + columns[inside]) * (stop - first) + begin
        base.reshape(-1)[ranges(starts, length)] = 0.0

    def _apply(
        self,
        member: Member,
        column_of: Ints,
        first: int,
        stop: int,
        highest: Cells,
        total: Cells,
        dip: Cells,
        discount: Cells,
        promotion: NDArray[np.int32],
    ) -> None:
        """Put a member's lift, discount and dip into its SKU's cells by store and day."""
        columns = column_of[member.stores]
        here = np.flatnonzero(columns >= 0)
        columns = columns[here]
        # A slice is several times as fast where the promotion runs in all of the stores.
        where: Ints | slice = slice(None) if np.array_equal(columns, np.arange(len(total))) else columns
        start, end = max(member.start, first), min(member.end + 1, stop)
        if start < end:
            days = slice(start - first, end - first)
            lift = member.log_lift[here, start - member.start : end - member.start].astype(np.float32)
            highest[where, days] = np.maximum(highest[where, days], lift)
            total[where, days] += lift
            share = np.float32(member.percent / 100)
            promotion[where, days] = np.where(share > discount[where, days], member.promotion, promotion[where, days])
            discount[where, days] = np.maximum(discount[where, days], share)
        start, end = max(member.end + 1, first), min(member.end + 1 + PULL_DAYS, stop)
        if start < end:
            weights = pull_weights()[start - member.end - 1 : end - member.end - 1]
            share = self.response.pull[self.category[member.product]]
            dip[where, start - first : end - first] += (share * member.taken[here])[:, None] * weights

    def _shocks(self, base: Cells, row_of: Ints, column_of: Ints, first: int, stop: int) -> None:
        for member in self._shocked:
            start, end = max(member.start, first), min(member.end + 1, stop)
            row = row_of[member.product]
            if start < end and row >= 0:
                columns = column_of[member.stores]
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


def _places(chosen: Ints, size: int) -> Ints:
    """The place of each row among the chosen ones; -1 for those left out."""
    places = np.full(size, -1)
    places[chosen] = np.arange(len(chosen))
    return places
