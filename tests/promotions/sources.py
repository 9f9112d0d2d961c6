"""Small sources for the tests: frames written by hand, and those of synthetic retailers with their truth."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import pandas as pd
from tests.twin.retailers import demand_of

from sales_tech.promotions import PromotionEffects, SourceFrames, build_panel
from sales_tech.twin.demand import Demand
from sales_tech.twin.observed import observed_daily, observed_products, observed_promotions, observed_stockouts
from sales_tech.twin.scenario import Size

SIZE = Size(12, 90, 10, 50)
HARD = Size(8, 40, 7, 20)
Row = tuple[str, str, str, float]


def twin_demand(difficulty: str = "default") -> Demand:
    return demand_of(difficulty, SIZE if difficulty == "default" else HARD)


@lru_cache
def twin_frames(difficulty: str = "default") -> SourceFrames:
    demand = twin_demand(difficulty)
    retailer = demand.retailer
    return SourceFrames(
        observed_daily(demand),
        observed_products(retailer),
        retailer.stores,
        observed_promotions(retailer),
        observed_stockouts(retailer),
    )


@lru_cache
def fitted(difficulty: str = "default") -> PromotionEffects:
    """Effects of a whole synthetic retailer; shared by tests, which must not change them."""
    return PromotionEffects().fit(build_panel(twin_frames(difficulty)))


def sold(rows: list[Row], channel: str = "loja", price: float = 10.0, paid: float | None = None) -> pd.DataFrame:
    """Daily sales of (day, store, SKU, units), at a list price and what was paid of it."""
    frame = pd.DataFrame(rows, columns=["sold_on", "store_id", "sku", "units"])
    frame["sold_on"] = pd.to_datetime(frame["sold_on"]).astype("datetime64[s]")
    net = price if paid is None else paid
    money = {"gross_sales": frame["units"] * price, "discount": frame["units"] * (price - net), "net_sales": frame["units"] * net}
    return frame.assign(channel=channel, **money)


def listed(*skus: str, **columns: object) -> pd.DataFrame:
    """A catalogue in which all was on sale since long ago."""
    about = {"category": "Notebooks", "brand": "Acme", "price": 10.0, "cost": 6.0} | columns
    frame = pd.DataFrame({"sku": list(skus), "valid_from": pd.Timestamp("1900-01-01").as_unit("s"), "valid_to": pd.NaT})
    return frame.assign(**about)


def planned(sku: str, first: str, last: str, promotion_id: str = "PR1", **columns: object) -> pd.DataFrame:
    """A promotion of one SKU in all stores."""
    row = {
        "promotion_id": promotion_id,
        "sku": sku,
        "name": "Promoção",
        "mechanic": "percentual",
        "discount_share": 0.2,
        "starts_on": pd.Timestamp(first).as_unit("s"),
        "ends_on": pd.Timestamp(last).as_unit("s"),
        "channel": None,
        "region": None,
        "display": False,
        "investment": 0.0,
    } | columns
    return pd.DataFrame([row])


def steady(days: int = 60, skus: str = "AB", stores: tuple[str, ...] = ("1", "2"), units: float = 4.0) -> list[Row]:
    """The same units of every SKU in every store on every day from the first of January 2026."""
    dates = pd.date_range("2026-01-01", periods=days).strftime("%Y-%m-%d")
    return [(day, store, sku, units) for day in dates for store in stores for sku in skus]


def less(frames: SourceFrames, **columns: pd.DataFrame | None) -> SourceFrames:
    """The frames with others in their place."""
    return replace(frames, **columns)
