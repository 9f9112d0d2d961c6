"""Who stands beside a promoted SKU: what the neighbours that are not promoted usually sell, and so can lose to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sales_tech.forecasting.rows import Bools, Floats, Ints
from sales_tech.planning.lookup import Lookup, Rows, runs

# Of what neighbours usually sell no more than this is lost.
LARGEST_LOSS = 0.8
# What regions are called where none is known.
EVERYWHERE = ""
TINY = 1e-9
# The row of a series on its shelf, a SKU, and the part of the series that it is: a SKU that two promotions name is promoted once.
Running = Mapping[tuple[int, str, float], Bools]


@dataclass(frozen=True)
class Shelf:
    """The series of one category in one channel: `usual` units (series, days) and where they are sold (series, regions)."""

    rows: dict[str, int]
    regions: dict[str, int]
    usual: Floats
    sold_in: Floats

    def places(self, region: str | None) -> slice:
        """The regions in which a promotion runs: the one that it is limited to, or all."""
        if region is None:
            return slice(None)
        at = self.regions[region]
        return slice(at, at + 1)

    def divided(self, row: int, places: slice) -> Floats:
        """Which part of what a series sells in some regions it sells in each of them."""
        told: Floats = self.sold_in[row, places] / max(float(self.sold_in[row, places].sum()), TINY)
        return told

    def promoted(self, running: Running) -> dict[int, Floats]:
        """By row the part of a series that is promoted, (regions, days); `running` tells where and when each SKU is."""
        told: dict[int, Floats] = {}
        for (row, _, share), mask in running.items():
            told[row] = told.get(row, np.zeros(mask.shape)) + share * mask
        return {row: np.minimum(part, 1.0) for row, part in told.items()}

    def peers(self, promoted: Mapping[int, Floats]) -> Floats:
        """What is usually sold of all that is not promoted, (regions, days)."""
        left = self._whole.copy()
        for row, part in promoted.items():
            left -= self.sold_in[row][:, None] * self.usual[row] * part
        # Where all is promoted, differences of sums leave crumbs.
        return np.where(left > TINY * self._whole, left, 0.0)

    @cached_property
    def _whole(self) -> Floats:
        told: Floats = self.sold_in.T @ self.usual
        return told


def share_lost(wanted: Floats, peers: Floats) -> Floats:
    """The share of their usual units that neighbours lose, where promotions would take `wanted` units from `peers`."""
    return np.minimum(np.divide(wanted, peers, out=np.zeros_like(wanted), where=peers > 0), LARGEST_LOSS)


class Shelves:
    """The shelves of an outlook, each made when it is first asked for."""

    def __init__(self, known: Lookup) -> None:
        self.known, self._made = known, dict[tuple[str, str], Shelf]()
        self._series: dict[object, list[str]] = {}
        for name, category in known.categories.items():
            self._series.setdefault(category, []).append(str(name))

    def of(self, category: str, channel: str) -> Shelf:
        """The shelf of a category in a channel."""
        if (category, channel) not in self._made:
            self._made[category, channel] = self._shelf(category, channel)
        return self._made[category, channel]

    def _shelf(self, category: str, channel: str) -> Shelf:
        known = self.known
        names = [name for name in self._series[category] if (name, channel) in known.places]
        usual = np.stack([known.baseline["baseline_units"][known.places[name, channel]] for name in names])
        regions = known.region_names or [EVERYWHERE]
        sold_in = np.array([[known.regions.get((name, channel, region), 0.0) for region in regions] for name in names])
        told = sold_in.sum(axis=1) > 0
        # A series of which no region is known is sold where the others of its channel are, and where none is, as likely anywhere.
        sold_in[~told] = sold_in[told].mean(axis=0) if told.any() else 1 / len(regions)
        return Shelf({name: row for row, name in enumerate(names)}, {region: at for at, region in enumerate(regions)}, usual, sold_in)


class Neighbours:
    """What the promotions of some rows can take from SKUs that they leave alone, at whatever depth.

    `rows` are those of `Lookup.rows` of promotions that run together, ordered by promotion, SKU, channel and day.
    """

    def __init__(self, shelves: Shelves, rows: Rows) -> None:
        known = shelves.known
        self._size, self._rate = len(rows["sku"]), known.of_category("cannibalised", rows["category"])
        first = np.datetime64(known.origin, "D") + 1
        day = (rows["sold_on"].astype("datetime64[D]") - first).astype(np.int64)
        spans: dict[tuple[str, str], list[slice]] = {}
        for _, span in runs(rows["promotion_id"], rows["sku"], rows["channel"]):
            spans.setdefault((rows["category"][span.start], rows["channel"][span.start]), []).append(span)
        row, cell, part, peers = [], [], [], []
        begin = 0
        for (category, channel), mine in spans.items():
            shelf = shelves.of(category, channel)
            regions, days = len(shelf.regions), known.horizon
            running: dict[tuple[int, str, float], Bools] = {}
            for span in mine:
                at, places, on = shelf.rows[rows["series"][span.start]], shelf.places(rows["region"][span.start]), day[span]
                sku = rows["sku"][span.start]
                share = next(share for its, _, share in known.members[sku] if its == channel)
                running.setdefault((at, sku, share), np.zeros((regions, days), dtype=bool))[places, on] = True
                where = np.arange(regions)[places]
                row.append(np.tile(np.arange(span.start, span.stop), len(where)))
                cell.append(begin + (where[:, None] * days + on).ravel())
                part.append(np.repeat(shelf.divided(at, places), len(on)))
            peers.append(shelf.peers(shelf.promoted(running)).ravel())
            begin += regions * days
        self._row, self._cell, self._part, self._peers = (_joined(parts) for parts in (row, cell, part, peers))

    def lost(self, added: Floats) -> Floats:
        """Of the units that each row adds, those that its neighbours lose: by the category's rate, as far as they are there."""
        most = self._rate * np.maximum(added, 0.0)
        wanted = np.bincount(self._cell, most[self._row] * self._part, len(self._peers)).astype(np.float64)
        taken = share_lost(wanted, self._peers) * self._peers
        # What brings fewer units than nothing leaves its neighbours more, where there are any.
        there = np.divide(taken, wanted, out=(self._peers > 0).astype(np.float64), where=wanted > 0)
        told: Floats = self._rate * added * np.bincount(self._row, self._part * there[self._cell], self._size)
        return told


def _joined(parts: Iterable[Ints | Floats]) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])
