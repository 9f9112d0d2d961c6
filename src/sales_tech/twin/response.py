"""How customers answer a promotion: its own lift, what neighbours lose and gain, and the weeks after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sales_tech.twin.assortment import CATEGORIES
from sales_tech.twin.history import Floats, Ints, stream
from sales_tech.twin.retailer import Retailer

# How much of a price cut customers take in by each mechanic, and the attention that it brings besides.
SALIENCE = {"percentual": 1.0, "cupom": 0.75, "combo": 0.7, "relampago": 1.15}
ATTENTION = {"percentual": 0.10, "cupom": 0.06, "combo": 0.12, "relampago": 0.25}
ATTENTION_DEPTH = 0.08
DISPLAY = 0.15
PROMOTION_SD = 0.1
PULL_DAYS = 21
PULL_MEAN_DAYS = 7.0
ACCESSORIES = {
    "Notebooks": ("Mouses", "Teclados"),
    "Smartphones": ("Áudio", "Wearables"),
    "Tablets": ("Áudio",),
    "Monitores": ("Cabos e Adaptadores",),
    "Impressoras": ("Cabos e Adaptadores",),
    "Placas de Vídeo": ("Energia",),
    "Processadores": ("Memórias",),
}


@dataclass(frozen=True)
class Member:
    """A promotion of one SKU: where and when it runs, and the log lift by store and day of it."""

    promotion: int
    product: int
    percent: int
    start: int
    end: int
    stores: Ints
    log_lift: Floats
    shock: float

    @cached_property
    def taken(self) -> Floats:
        """Extra demand of the whole promotion by store, in days of usual demand."""
        extra: Floats = np.expm1(self.log_lift).sum(axis=1)
        return extra


@dataclass(frozen=True)
class Response:
    """The members of all promotions, and by category the shares of extra units that come from elsewhere.

    `cannibal`: from SKUs of the same category; `pull`: from the same SKU's coming weeks; `halo`: extra
    units of accessories for each extra unit.
    """

    members: list[Member]
    cannibal: Floats
    pull: Floats
    halo: Floats


def make_response(retailer: Retailer) -> Response:
    """Draw how the retailer's customers answer its promotions."""
    rng = stream(retailer.seed, "spillovers")
    size = len(CATEGORIES)
    cannibal, pull, halo = rng.uniform(0.08, 0.25, size), rng.uniform(0.06, 0.18, size), rng.uniform(0.05, 0.15, size)
    rng = stream(retailer.seed, "lifts")
    count, stores = len(retailer.promotions), len(retailer.stores)
    own = np.exp(rng.normal(0, PROMOTION_SD, count))
    by_store = np.clip(1 + rng.normal(0, retailer.scenario.store_lift_sd, (count, stores)), 0.2, 2.0)
    reach = _reach(retailer)
    promotions = retailer.promotions.to_dict("records")
    columns = (retailer.members[name].tolist() for name in ("promotion", "product", "percent"))
    members = [
        _member(retailer, promotions[number], (number, product, percent), reach[number], own[number], by_store[number])
        for number, product, percent in zip(*columns, strict=True)
    ]
    return Response(members, cannibal, pull, halo)


def _reach(retailer: Retailer) -> list[Ints]:
    """The rows of the stores where each promotion runs."""
    promotions = retailer.promotions
    channels, regions = (retailer.stores[column].to_numpy() for column in ("channel", "region"))
    return [
        np.flatnonzero(((channels == channel) | (channel == "")) & ((regions == region) | (region == "")))
        for channel, region in zip(promotions["channel"], promotions["region"], strict=True)
    ]


def price_response(retailer: Retailer, product: int, day: int, depth: float) -> float:
    """Log change of demand by the price alone when a product costs `depth` (share) less than on a day."""
    market = retailer.market
    at = min(day, market.relative_price.shape[1] - 1)
    return float(market.elasticity[product] * market.relative_price[product, at] * depth)


def log_lift(retailer: Retailer, product: int, day: int, depth: float, mechanic: str, display: bool) -> float:
    """Log lift of an average day of a promotion in an average store, before what is its own."""
    attention = ATTENTION[mechanic] * (1 - np.exp(-depth / ATTENTION_DEPTH)) + DISPLAY * display
    return SALIENCE[mechanic] * price_response(retailer, product, day, depth) + float(attention) * retailer.scenario.lift_scale


def _member(
    retailer: Retailer, promotion: Mapping[Any, Any], row: tuple[int, int, int], stores: Ints, own: float, by_store: Floats
) -> Member:
    number, product, percent = row
    start, end = promotion["start"], promotion["end"]
    level = log_lift(retailer, product, start, percent / 100, promotion["mechanic"], promotion["display"]) * own
    profile = 0.92 + 0.3 * np.exp(-np.arange(end - start + 1) / 2.5)
    lift = level * by_store[stores][:, None] * profile
    if promotion["effectless"]:
        lift = np.zeros_like(lift)
    shock = retailer.scenario.hidden_shock if promotion["shock"] else 0.0
    return Member(number, product, percent, start, end, stores, lift, shock)


def pull_weights() -> Floats:
    """How what was bought ahead is spread over the days after the end; adds up to one."""
    weights = np.exp(-np.arange(PULL_DAYS) / PULL_MEAN_DAYS)
    normed: Floats = weights / weights.sum()
    return normed
