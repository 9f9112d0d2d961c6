"""Where promotions run, as cells of SKU, group of stores and day: which are free, which belong to one promotion, which to several."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sales_tech.promotions.baseline import Groups
from sales_tech.promotions.panel import Bools, Floats, Ints, PromotionPanel


@dataclass(frozen=True)
class Segment:
    """Cells of one SKU that lie under the same several members."""

    sku: int
    members: tuple[int, ...]
    groups: Ints
    days: Ints


class PromotedCells:
    """The cells of a panel's members.

    `promoted` (K, G, T) tells where any promotion runs, `alone` where just one does; `segments` hold the rest.
    """

    def __init__(self, panel: PromotionPanel, groups: Groups) -> None:
        self.panel, self.groups = panel, groups
        self.of_member = [np.unique(groups.of_store[member.stores]) for member in panel.members]
        shape = len(panel.skus), groups.size, len(panel.days)
        count = np.zeros(shape, dtype=np.int16)
        for member, here in zip(panel.members, self.of_member, strict=True):
            count[member.sku, here, member.days] += 1
        self.promoted: Bools = count > 0
        self.alone: Bools = count == 1
        self.segments = self._segments(count > 1)

    @cached_property
    def starts(self) -> Ints:
        """First day of each member."""
        return np.array([member.start for member in self.panel.members], dtype=np.int64)

    @cached_property
    def ends(self) -> Ints:
        """Last observed day of each member."""
        return np.array([member.end for member in self.panel.members], dtype=np.int64)

    @cached_property
    def skus(self) -> Ints:
        """SKU of each member."""
        return np.array([member.sku for member in self.panel.members], dtype=np.int64)

    @cached_property
    def promotions(self) -> Ints:
        """Promotion of each member."""
        return np.array([member.promotion for member in self.panel.members], dtype=np.int64)

    @cached_property
    def depths(self) -> Floats:
        """Depth of each member."""
        return np.array([member.depth for member in self.panel.members], dtype=np.float64)

    def after(self, days: int) -> Bools:
        """Cells (K, G, T) up to so many days after the end of a promotion, not promoted themselves."""
        table = np.zeros(self.promoted.shape, dtype=bool)
        for member, here in zip(self.panel.members, self.of_member, strict=True):
            table[member.sku, here, member.end + 1 : member.end + 1 + days] = True
        return table & ~self.promoted

    def sums(self, table: Floats) -> Floats:
        """Sum over the cells that each member has alone."""
        return np.array(
            [
                float((table[member.sku, here, member.days] * self.alone[member.sku, here, member.days]).sum())
                for member, here in zip(self.panel.members, self.of_member, strict=True)
            ]
        )

    def spread(self, factors: Floats) -> Floats:
        """A table (K, G, T) with the greatest of the factors of the members that run in a cell, zero elsewhere."""
        table = np.zeros(self.promoted.shape)
        for member, here, factor in zip(self.panel.members, self.of_member, factors.tolist(), strict=True):
            cells = member.sku, here, member.days
            table[cells] = np.where(table[cells] == 0, factor, np.maximum(table[cells], factor))
        return table

    def _segments(self, several: Bools) -> list[Segment]:
        found: dict[tuple[int, tuple[int, ...]], tuple[list[int], list[int]]] = {}
        by_sku: dict[int, list[int]] = defaultdict(list)
        for number, member in enumerate(self.panel.members):
            by_sku[member.sku].append(number)
        inside = {number: set(here.tolist()) for number, here in enumerate(self.of_member)}
        members = self.panel.members
        for sku, group, day in zip(*(part.tolist() for part in np.nonzero(several)), strict=True):
            names = tuple(
                number for number in by_sku[sku] if members[number].start <= day <= members[number].end and group in inside[number]
            )
            groups, days = found.setdefault((sku, names), ([], []))
            groups.append(group)
            days.append(day)
        return [
            Segment(sku, names, np.array(groups, dtype=np.int64), np.array(days, dtype=np.int64))
            for (sku, names), (groups, days) in found.items()
        ]
