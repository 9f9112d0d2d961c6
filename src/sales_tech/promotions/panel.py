"""Sales, prices, shelves and promotions of one source as dense arrays by store, SKU and day."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Member:
    """A promotion of one SKU: rows of promotion, SKU and stores, positions of its first and last observed day, depth."""

    promotion: int
    sku: int
    stores: Ints
    start: int
    end: int
    depth: float

    @property
    def days(self) -> slice:
        """Its days as a slice of the panel's."""
        return slice(self.start, self.end + 1)


@dataclass(frozen=True)
class PromotionPanel:
    """Arrays over S stores, K SKUs (sorted by category) and T days, and the promotions that ran within them.

    `units` and `net_sales` (S, K, T) are what was sold; `available` (S, K, T) tells where a unit could be sold: the store open,
    the SKU on sale and on the shelf. `price` and `cost` (K, T) are list price and cost, in currency; cost is
    None where the source tells none. `promotions` has one row per promotion, `members` one entry per
    promotion and SKU. `launched` and `withdrawn` (K,) are the first and last position at which a SKU was on sale,
    -1 and T where that lies outside the panel. `notes` say what the data does not tell.
    """

    days: NDArray[np.datetime64]
    skus: NDArray[np.object_]
    categories: list[str]
    category: Ints
    brands: list[str]
    brand: Ints
    stores: NDArray[np.object_]
    regions: list[str]
    region: Ints
    channels: list[str]
    channel: Ints
    units: NDArray[np.float32]
    net_sales: NDArray[np.float32]
    available: Bools
    price: Floats
    cost: Floats | None
    promotions: pd.DataFrame
    members: list[Member]
    launched: Ints
    withdrawn: Ints
    stock_known: bool
    notes: list[str] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Stores, SKUs, days."""
        stores, skus, days = self.units.shape
        return stores, skus, days
