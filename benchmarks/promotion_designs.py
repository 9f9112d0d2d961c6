"""How well promotions are told in shops that run them in other ways than the scorecard's retailers, with the truth beside.

    python benchmarks/promotion_designs.py [--seeds 1,2,3] [--designs "whole shop,few units"] [--json FILE]

The shops are small and follow laws of their own, not the twin's: demand is a product of SKU, store, weekday, season, a week of
Black Friday, regular price and a wandering level, and units are drawn from it. Each design changes one thing. `total` is by how much
all promotions together are told wrong, by seed; `error` the median of single ones that add 20 units or more; `covers` the share of
intervals of 80 % that hold the truth; `pulled` and `taken` what later weeks and neighbours are told to lose, as shares of what was added.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sales_tech.promotions import PromotionEffects, SourceFrames, build_panel

Floats = NDArray[np.float64]
Rng = np.random.Generator

ELASTICITY, LUCK_OF_A_PROMOTION = 2.2, 0.08
BLACK_FRIDAY = 1.8
QUIET = 30  # days at the begin and, but for ten of them, at the end without a promotion
TELLING = 20.0
PULLED_DAYS = 21
CATEGORIES, BRANDS = 3, 3


@dataclass(frozen=True)
class Design:
    """How a shop sells and promotes; `units` is the median of a SKU in a store and day, shares are of 1.

    `wandering` is the deviation of a SKU's level (log), `gathered` the squared coefficient of variation of a day's demand, `each` how many
    a customer takes, `fading` how fast an effect falls by day, `pulled` and `taken` what later weeks and neighbours lose of it, `idle` the
    share of promotions that do nothing, `emptied` the share of stores in which a promotion empties the shelf, `cut` whether the price
    stays lower after it.
    """

    skus: int = 30
    stores: int = 4
    days: int = 400
    units: float = 4.0
    promotions: int = 30
    lengths: tuple[int, int] = (5, 12)
    members: tuple[int, int] = (1, 3)
    depths: tuple[float, float] = (0.1, 0.4)
    growth: float = 0.0
    season: float = 0.15
    wandering: float = 0.0
    gathered: float = 0.0
    each: int = 1
    fading: float = 0.0
    pulled: float = 0.0
    taken: float = 0.0
    idle: float = 0.0
    emptied: float = 0.0
    chosen: str = "any"
    whole: bool = False
    one_store: bool = False
    price_changes: bool = True
    cut: bool = False


DESIGNS = {
    "plain": Design(),
    "gathered demand": Design(gathered=0.3),
    "few units": Design(units=0.3),
    "three at a time": Design(each=3),
    "one store": Design(stores=1, units=15),
    "fivefold growth": Design(growth=1.6),
    "wandering levels": Design(wandering=0.3),
    "chosen in season": Design(chosen="high", season=0.4),
    "chosen in a slump": Design(chosen="low", wandering=0.3),
    "fading effects": Design(fading=0.25),
    "pulled forward": Design(pulled=0.3),
    "taken from neighbours": Design(taken=0.4),
    "a third idle": Design(idle=1 / 3),
    "emptied shelves": Design(emptied=0.5),
    "one store of four": Design(one_store=True),
    "whole shop": Design(whole=True, promotions=10),
    "whole single store": Design(whole=True, promotions=10, stores=1, units=15),
    "often": Design(promotions=200, lengths=(7, 20)),
    "one or two months": Design(promotions=20, lengths=(30, 60)),
    "single days": Design(promotions=60, lengths=(1, 1)),
    "three months known": Design(days=90, promotions=8),
    "three SKUs": Design(skus=3, promotions=10),
    "one SKU": Design(skus=1, stores=1, units=20, promotions=6, members=(1, 1)),
    "half off and more": Design(depths=(0.5, 0.7)),
    "price stays lower": Design(cut=True),
    "no price changes": Design(price_changes=False),
    "several at once": Design(pulled=0.25, taken=0.3, wandering=0.25, gathered=0.1, idle=0.2),
}


@dataclass(frozen=True)
class Offer:
    """A SKU in a promotion: the days from `first` before `end`, in some stores."""

    promotion: int
    sku: int
    first: int
    end: int
    depth: float
    works: bool
    stores: NDArray[np.int64]


@dataclass
class Shop:
    """A drawn shop: demand without promotions (SKU, day), what each store sells of it, list prices, and the promotions."""

    design: Design
    rng: Rng
    days: pd.DatetimeIndex
    category: NDArray[np.int64]
    demand: Floats
    stores: Floats
    price: Floats
    offers: list[Offer]

    @classmethod
    def drawn(cls, design: Design, seed: int) -> Shop:
        """The same seed draws the same shop."""
        rng, at = np.random.default_rng(seed), np.arange(design.days)
        days = pd.date_range("2024-03-01", periods=design.days)
        level = design.units * rng.lognormal(0, 0.7, design.skus)
        weekday = 1 + 0.3 * np.array([-0.5, -0.4, -0.2, 0, 0.5, 1, 0.2])[days.day_of_week]
        season = 1 + design.season * np.sin(2 * np.pi * at / 365 + 1)
        season *= np.where((days.month == 11) & (days.day >= 22), BLACK_FRIDAY, 1.0)
        price = np.repeat(50 * rng.lognormal(0, 0.6, (design.skus, 1)), design.days, axis=1)
        for row in price if design.price_changes else []:
            for day in rng.integers(20, design.days, rng.integers(0, 3)):
                row[day:] *= np.exp(rng.normal(0, 0.06))
        price = price.round(2)
        demand = level[:, None] * weekday * season * np.exp(design.growth * at / design.days) * (price / price[:, :1]) ** -ELASTICITY
        demand *= np.exp(_wandering(design, rng))
        stores = rng.lognormal(0, 0.4, design.stores)
        shop = cls(design, rng, days, rng.integers(0, CATEGORIES, design.skus), demand, stores / stores.mean(), price, [])
        shop._promote(season)
        return shop

    def _promote(self, season: Floats) -> None:
        design, rng = self.design, self.rng
        busy = np.zeros(self.demand.shape, dtype=bool)
        for number in range(design.promotions):
            length = int(rng.integers(design.lengths[0], design.lengths[1] + 1))
            depth = round(float(rng.uniform(*design.depths)) / 0.05) * 0.05
            works, places = bool(rng.random() >= design.idle), np.arange(design.stores)
            where = rng.choice(places, 1) if design.one_store else places
            for _ in range(50):
                first, skus = self._choice(length, season)
                end = first + length
                free = [sku for sku in skus if not busy[sku, first - 2 : end + 2].any()]
                if free:
                    break
            for sku in free:
                busy[sku, first:end] = True
                self.offers.append(Offer(number, sku, first, end, depth, works, where))
                if design.cut:
                    self.price[sku, end:] = (self.price[sku, end:] * (1 - depth / 2)).round(2)
                    self.demand[sku, end:] *= (1 - depth / 2) ** -ELASTICITY

    def _choice(self, length: int, season: Floats) -> tuple[int, list[int]]:
        design, rng = self.design, self.rng
        begins = np.arange(QUIET, design.days - length - 10)
        chance = season[begins] ** 12 if design.chosen == "high" else np.ones(len(begins))
        first = int(rng.choice(begins, p=chance / chance.sum()))
        if design.whole:
            return first, list(range(design.skus))
        count = min(int(rng.integers(design.members[0], design.members[1] + 1)), design.skus)
        if design.chosen == "low":
            now = self.demand[:, first] / self.demand.mean(axis=1) + rng.normal(0, 0.1, design.skus)
            return first, np.argsort(now)[:count].tolist()
        return first, rng.choice(design.skus, count, replace=False).tolist()

    def sold(self) -> tuple[SourceFrames, pd.Series]:
        """What the lake would show, and what each promotion truly added, as an expectation of what could be sold."""
        design, rng = self.design, self.rng
        usual = self.stores[:, None, None] * self.demand
        gain, lost, discount = np.zeros_like(usual), np.zeros_like(usual), np.zeros_like(usual)
        there = np.ones(usual.shape, dtype=bool)
        outs = []
        for offer in self.offers:
            window = np.ix_(offer.stores, [offer.sku], range(offer.first, offer.end))
            log = -ELASTICITY * np.log(1 - offer.depth) + rng.normal(0, LUCK_OF_A_PROMOTION)
            shape = np.exp(-design.fading * np.arange(offer.end - offer.first))
            gain[window] = usual[window] * offer.works * np.expm1(log) * shape / shape.mean()
            discount[window] = offer.depth
            self._move(offer, gain, lost)
            for store in offer.stores.tolist():
                if rng.random() < design.emptied:
                    since, until = offer.first + int(rng.integers(1, max(offer.end - offer.first, 2))), offer.end + 3
                    there[store, offer.sku, since:until] = False
                    outs.append((store, offer.sku, since, until))
        mean = np.maximum(usual + gain - lost, 0.05 * usual) * there
        if design.gathered:
            mean = mean * rng.gamma(1 / design.gathered, design.gathered, mean.shape)
        units = rng.poisson(mean / design.each) * design.each
        added = pd.Series(0.0, index=[f"P{number}" for number in sorted({offer.promotion for offer in self.offers})])
        for offer in self.offers:
            window = np.ix_(offer.stores, [offer.sku], range(offer.first, offer.end))
            added[f"P{offer.promotion}"] += (gain * there)[window].sum()
        return self._frames(units, discount, outs), added

    def _move(self, offer: Offer, gain: Floats, lost: Floats) -> None:
        days = slice(offer.first, offer.end)
        for store in offer.stores.tolist():
            mine = gain[store, offer.sku, days]
            later = np.exp(-np.arange(PULLED_DAYS) / 7)
            after = lost[store, offer.sku, offer.end : offer.end + PULLED_DAYS]
            after += self.design.pulled * mine.sum() * (later / later.sum())[: len(after)]
            peers = np.flatnonzero((self.category == self.category[offer.sku]) & (np.arange(len(self.category)) != offer.sku))
            if len(peers):
                share = self.demand[peers, offer.first] / self.demand[peers, offer.first].sum()
                lost[store, peers, days] += self.design.taken * share[:, None] * mine

    def _frames(self, units: NDArray[np.int64], discount: Floats, outs: list[tuple[int, int, int, int]]) -> SourceFrames:
        store, sku, day = np.nonzero(units)
        count, price, share = units[store, sku, day].astype(float), self.price[sku, day], discount[store, sku, day]
        daily = pd.DataFrame({"sold_on": self.days[day], "store_id": _names("L", store), "sku": _names("S", sku), "channel": "loja"})
        daily = daily.assign(units=count, gross_sales=count * price, discount=(count * price * share).round(2))
        daily = daily.assign(net_sales=daily["gross_sales"] - daily["discount"]).sort_values("sold_on", kind="stable", ignore_index=True)
        places = np.arange(self.design.stores)
        stores = pd.DataFrame({"store_id": _names("L", places), "region": _names("R", places), "state": "SP", "channel": "loja"})
        promotions = pd.DataFrame(
            {
                "promotion_id": f"P{offer.promotion}",
                "sku": f"S{offer.sku}",
                "name": f"Oferta {offer.promotion}",
                "mechanic": "percentual",
                "discount_share": offer.depth,
                "starts_on": self.days[offer.first],
                "ends_on": self.days[offer.end - 1],
                "channel": None,
                "region": f"R{offer.stores[0]}" if self.design.one_store else None,
                "display": False,
                "investment": 0.0,
            }
            for offer in self.offers
        )
        empty = pd.DataFrame(
            {"store_id": f"L{store}", "sku": f"S{sku}", "starts_on": self.days[since], "ends_on": self.days[min(until, len(self.days)) - 1]}
            for store, sku, since, until in outs
        )
        opened = stores.assign(opened_on=pd.Timestamp("2000-01-01"))
        frames = [_as_read(frame) for frame in (daily, self._products(), opened, promotions)]
        return SourceFrames(*frames, _as_read(empty) if outs else None)

    def _products(self) -> pd.DataFrame:
        rows = []
        for sku, price in enumerate(self.price):
            starts = [0, *(np.flatnonzero(np.diff(price)) + 1).tolist()]
            for first, end in zip(starts, [*starts[1:], None], strict=True):
                rows.append(
                    {
                        "sku": f"S{sku}",
                        "valid_from": self.days[first] if first else pd.Timestamp("1900-01-01"),
                        "valid_to": pd.NaT if end is None else self.days[end],
                        "category": f"C{self.category[sku]}",
                        "brand": f"B{sku % BRANDS}",
                        "price": price[first],
                        "cost": 0.7 * price[0],
                    }
                )
        return pd.DataFrame(rows)


def _wandering(design: Design, rng: Rng) -> Floats:
    keep, level = np.exp(-1 / 20), np.zeros((design.skus, design.days))
    for day in range(1, design.days):
        level[:, day] = keep * level[:, day - 1] + rng.normal(0, design.wandering * np.sqrt(1 - keep**2), design.skus)
    return level


def _names(letter: str, numbers: NDArray[np.int64]) -> list[str]:
    return [f"{letter}{number}" for number in numbers.tolist()]


def _as_read(frame: pd.DataFrame) -> pd.DataFrame:
    # As they come from the lake: days to the second, texts as categoricals.
    days = {name: "datetime64[s]" for name in frame if pd.api.types.is_datetime64_any_dtype(frame[name])}
    texts = {name: "category" for name in frame if frame[name].dtype in (object, "str")}
    return frame.astype({**days, **texts})


def judged(design: Design, seed: int) -> dict[str, float]:
    """The figures of one shop; see the top."""
    frames, added = Shop.drawn(design, seed).sold()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        told = PromotionEffects().fit(build_panel(frames)).results_
    told = told.set_index(told["promotion_id"].astype(str)).select_dtypes("number")
    truth = added.reindex(told.index)
    units, held = told["incremental_units"], truth.between(told["incremental_units_low"], told["incremental_units_high"])
    return {
        "total": float(units.sum() / truth.sum() - 1),
        "error": float((units / truth - 1)[truth >= TELLING].abs().median()),
        "covers": float(held.mean()),
        "pulled": float(told["pulled_forward_units"].sum() / units.sum()),
        "taken": float(told["cannibalised_units"].sum() / units.sum()),
    }


def main() -> None:
    """Judge each design on each seed, print a line for each, and write JSON where asked."""
    parser = argparse.ArgumentParser(description="How well promotions are told in shops that run them in various ways.")
    parser.add_argument("--seeds", type=_listed(int), default=[1, 2, 3])
    parser.add_argument("--designs", type=_listed(str), default=list(DESIGNS), help="a comma between each")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if unknown := [name for name in given.designs if name not in DESIGNS]:
        parser.error(f"no design {unknown[0]!r}; expected some of {', '.join(DESIGNS)}")
    found: dict[str, dict[str, list[float]]] = {}
    for name in given.designs:
        figures = pd.DataFrame([judged(DESIGNS[name], seed) for seed in given.seeds])
        found[name] = {str(column): figures[column].tolist() for column in figures}
        means = figures.mean()
        totals = " ".join(f"{total:+.3f}" for total in figures["total"])
        rest = "  ".join(f"{column} {means[column]:.2f}" for column in ("error", "covers", "pulled", "taken"))
        sys.stdout.write(f"{name:<22} total {totals}   {rest}\n")
        sys.stdout.flush()
    if given.json:
        given.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


def _listed(kind: Callable[[str], int | str]) -> Callable[[str], list[int | str]]:
    return lambda text: [kind(part.strip()) for part in text.split(",")]


if __name__ == "__main__":
    main()
