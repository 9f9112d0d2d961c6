"""An outlook's frames by name: a plan of one SKU looks up what is its own, where joins would go through all of them each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from sales_tech.forecasting.rows import Floats, Ints
from sales_tech.planning.frames import OutlookFrames
from sales_tech.planning.plans import UNKNOWN_MECHANIC, channels_of
from sales_tech.planning.prices import prices_on

BASELINE = ("baseline_units", "baseline_low", "baseline_median", "baseline_high")
RATES = ("cannibalised", "pulled_forward", "halo", "halo_margin")
Rows = dict[str, np.ndarray]
_DAY = np.dtype("datetime64[D]")


@dataclass(frozen=True)
class Prices:
    """The days from which prices of a SKU hold, in order, with list price and cost."""

    days: Ints
    list_price: Floats
    cost: Floats


class Lookup:
    """What an outlook says of SKUs, series, categories and regions, by their names."""

    def __init__(self, outlook: OutlookFrames) -> None:
        first = outlook.prices.drop_duplicates("sku")
        self.origin, self.horizon = outlook.origin, outlook.horizon
        self.about = {sku: (category, brand) for sku, category, brand in _tuples(first, "sku", "category", "brand")}
        self.members: dict[str, list[tuple[str, str, float]]] = {}
        for sku, channel, series, share in sorted(_tuples(outlook.members, "sku", "channel", "series", "share")):
            self.members.setdefault(sku, []).append((channel, series, share))
        of_series = outlook.members.drop_duplicates("series")
        self.categories = {series: self.about[sku][0] for series, sku in _tuples(of_series, "series", "sku") if sku in self.about}
        self.channels = sorted(outlook.members["channel"].astype(object).unique())
        self.regions = {(series, channel, region): share for series, channel, region, share in _tuples(
            outlook.regions, "series", "channel", "region", "share"
        )}  # fmt: skip
        self.region_names = sorted({region for _, _, region in self.regions})
        baseline = outlook.baseline.sort_values(["sku", "channel", "sold_on"], kind="stable")
        self.days = baseline["sold_on"].to_numpy().astype(_DAY).astype(np.int64)
        self.baseline = {name: baseline[name].to_numpy(dtype=np.float64) for name in BASELINE}
        self.places = _spans(list(_tuples(baseline, "sku", "channel")))
        prices = outlook.prices.sort_values(["sku", "valid_from"], kind="stable")
        since, listed, cost = (prices[name].to_numpy() for name in ("valid_from", "list_price", "cost"))
        since = since.astype(_DAY).astype(np.int64)
        self.prices = {
            sku: Prices(since[span], listed[span].astype(np.float64), cost[span].astype(np.float64))
            for sku, span in _spans(prices["sku"].tolist()).items()
        }
        self._effects(outlook.response)
        rates = outlook.rates.set_index("category")
        self.rates = {name: rates[name].astype("float64").dropna().to_dict() for name in RATES}
        self.margins = unit_margins(outlook).to_dict()

    def rows(self, plans: pd.DataFrame) -> Rows:
        """The days of checked plans with the baseline where they are valid, prices, and what the response is asked by.

        Arrays of one length, ordered by promotion, SKU, channel and day: those of the plan, `only` for its channels, category,
        brand, channel, series, scope (the part of the series that is meant), sold_on, the baseline's, list_price and cost.
        """
        ordered = plans.sort_values(["promotion_id", "sku"], kind="stable")
        begins, ends = (ordered[name].to_numpy().astype(_DAY).astype(np.int64) for name in ("starts_on", "ends_on"))
        asked = [ordered[name].tolist() for name in ("sku", "channel", "region", "mechanic")]
        named: list[tuple[object, ...]] = []
        spans, scopes, lengths, plan = [], [], [], []
        for at, (sku, where, region, mechanic) in enumerate(zip(*asked, strict=True)):
            if sku not in self.about:
                continue
            only = channels_of(where)
            category, brand = self.about[sku]
            kind = self.mechanic(category, mechanic)
            for channel, series, share in self.members.get(sku, []):
                span = self.places.get((series, channel))
                if span is None or (only is not None and channel not in only):
                    continue
                days = self.days[span]
                low, high = np.searchsorted(days, begins[at]), np.searchsorted(days, ends[at], side="right")
                spans.append(np.arange(span.start + low, span.start + high))
                lengths.append(high - low)
                scopes.append(share * (1.0 if region is None else self.regions.get((series, channel, region), 0.0)))
                named.append((category, brand, channel, series, kind))
                plan.append(at)
        return self._filled(ordered, np.array(plan, dtype=np.int64), named, spans, np.array(lengths, dtype=np.int64), np.array(scopes))

    def mechanic(self, category: object, mechanic: object) -> object:
        """A plan's mechanic; where plan or past do not tell mechanics, the one that promotions of the category, or of all, had most."""
        usual = self.usual.get(category, next(iter(self.usual.values()), None))
        if usual is None or (category, mechanic) in self.kinds or UNKNOWN_MECHANIC not in (mechanic, usual):
            return mechanic
        return usual

    def of_category(self, name: str, categories: np.ndarray) -> Floats:
        """One of RATES, or `margin` of a unit at list price, by category."""
        values: Mapping[Any, float] = self.margins if name == "margin" else self.rates[name]
        missing = np.nan if name == "margin" else 0.0
        return np.array([values.get(category, missing) for category in categories.tolist()], dtype=np.float64)

    def _filled(
        self, plans: pd.DataFrame, plan: Ints, named: list[tuple[object, ...]], spans: list[Ints], lengths: Ints, scopes: Floats
    ) -> Rows:
        at = np.concatenate(spans) if spans else np.zeros(0, dtype=np.int64)
        which, scope = np.repeat(plan, lengths), np.repeat(scopes.astype(np.float64), lengths)
        told: Rows = {"only" if name == "channel" else name: plans[name].to_numpy()[which] for name in plans.columns if name != "mechanic"}
        for place, name in enumerate(("category", "brand", "channel", "series", "mechanic")):
            told[name] = np.repeat(np.array([*(one[place] for one in named), None], dtype=object)[:-1], lengths)
        told["scope"], told["sold_on"] = scope, self.days[at].astype(_DAY).astype("datetime64[s]")
        usual, low, wide, high = (self.baseline[name][at] for name in BASELINE)
        # Chance does more to a part of a series than to all of it.
        told["baseline_low"] = np.maximum(wide * scope + (low - wide) * np.sqrt(scope), 0.0)
        told["baseline_high"] = wide * scope + (high - wide) * np.sqrt(scope)
        told["baseline_units"], told["baseline_median"] = usual * scope, wide * scope
        told["list_price"], told["cost"] = self._priced(told["sku"], self.days[at])
        return told

    def _priced(self, skus: np.ndarray, days: Ints) -> tuple[Floats, Floats]:
        listed, cost = np.full(len(days), np.nan), np.full(len(days), np.nan)
        for sku, span in runs(skus):
            known = self.prices[sku]
            place = np.searchsorted(known.days, days[span], side="right") - 1
            for told, values in ((listed, known.list_price), (cost, known.cost)):
                told[span] = np.where(place >= 0, values[np.maximum(place, 0)], np.nan)
        return listed, cost

    def _effects(self, response: pd.DataFrame) -> None:
        tried = response.sort_values(["promotions", "mechanic"], ascending=[False, True], kind="stable")
        self.usual: dict[object, object] = {}
        for category, mechanic in _tuples(tried, "category", "mechanic"):
            self.usual.setdefault(category, mechanic)
        self.kinds = set(_tuples(response, "category", "mechanic"))
        by_category = response.astype({"category": object}).groupby("category", sort=True)[["depth_from", "depth_to"]]
        bounds, deepest = by_category.first().astype("float64"), by_category.max().astype("float64")
        self.bounds = {category: (low, high) for category, low, high in bounds.itertuples()}
        self.deepest = deepest["depth_to"].to_dict()


def runs(*keys: np.ndarray) -> list[tuple[Any, slice]]:
    """The stretches of rows in which all keys stay the same, with the first key's value."""
    if not len(keys[0]):
        return []
    changed = np.zeros(len(keys[0]) - 1, dtype=bool)
    for key in keys:
        changed |= key[1:] != key[:-1]
    bounds = [0, *(np.flatnonzero(changed) + 1).tolist(), len(keys[0])]
    return [(keys[0][begin], slice(begin, stop)) for begin, stop in pairwise(bounds)]


def unit_margins(outlook: OutlookFrames) -> pd.Series:
    """The margin of one unit at list price by category, weighted by the units expected of each SKU."""
    usual = outlook.baseline.groupby(["sku", "channel"], sort=True)["baseline_units"].sum().rename("units").reset_index()
    usual = outlook.members.merge(usual.rename(columns={"sku": "series"}), on=["series", "channel"])
    usual = usual.assign(units=usual["units"] * usual["share"], sold_on=outlook.origin + pd.Timedelta(days=1))
    priced = prices_on(outlook.prices, usual).merge(outlook.prices.drop_duplicates("sku")[["sku", "category"]], on="sku")
    priced["margin"] = (priced["list_price"] - priced["cost"]) * priced["units"]
    known = priced[priced["margin"].notna()].groupby("category", sort=True)[["margin", "units"]].sum()
    return known["margin"] / known["units"].where(known["units"] > 0)


def _tuples(frame: pd.DataFrame, *columns: str) -> zip[tuple[Any, ...]]:
    return zip(*(frame[name].tolist() for name in columns), strict=True)


def _spans(ordered: list[Any]) -> dict[Any, slice]:
    told, begin = {}, 0
    for stop in range(1, len(ordered) + 1):
        if stop == len(ordered) or ordered[stop] != ordered[begin]:
            told[ordered[begin]] = slice(begin, stop)
            begin = stop
    return told
