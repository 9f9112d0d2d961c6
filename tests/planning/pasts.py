"""Pasts of a source that are written by hand, and those of a small synthetic retailer."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pandas as pd
from tests.promotions.sources import listed
from tests.twin.retailers import demand_of

from sales_tech.planning import PromotionPlanner, SourcePast
from sales_tech.promotions import SourceFrames, estimate
from sales_tech.twin.observed import observed_daily, observed_products, observed_promotions, observed_stockouts
from sales_tech.twin.scenario import Size

FIRST = pd.Timestamp("2026-01-01").as_unit("s")
RESULT = {"promotion_id": "P", "channel": None, "region": None, "incremental_units": 10.0, "cannibalised_units": 0.0}
RESULT |= {"halo_units": 0.0, "pulled_forward_units": 0.0, "halo_margin": 0.0}


def sales(days: int = 100, **units: float) -> pd.DataFrame:
    """So many units of each SKU every day in store L1, channel loja, at a price of 10."""
    dates = pd.date_range(FIRST, periods=days).as_unit("s")
    parts = [pd.DataFrame({"sold_on": dates, "sku": sku, "units": each}) for sku, each in units.items() if each]
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(store_id="L1", channel="loja", gross_sales=frame["units"] * 10.0, discount=0.0, net_sales=frame["units"] * 10.0)


def past(daily: pd.DataFrame, effects: pd.DataFrame | None = None, results: pd.DataFrame | None = None, **frames: Any) -> SourcePast:
    elasticity = frames.pop("elasticity", pd.DataFrame())
    products = frames.pop("products", listed(*sorted(daily["sku"].unique())))
    columns = ["promotion_id", "sku", "sold_on", "phase", "baseline_units", "uplift_units", "share"]
    effects = pd.DataFrame(columns=columns) if effects is None else effects
    results = pd.DataFrame([RESULT]) if results is None else results
    return SourcePast(SourceFrames(daily, products, **frames), results, effects, pd.DataFrame(), elasticity)


def effect(day: int, ratio: float, phase: str = "during", **changed: Any) -> dict[str, Any]:
    """A row of gold.promotion_daily: what a promotion did on a day, as a share of what would have been sold."""
    about = {"promotion_id": "P", "sku": "A", "sold_on": FIRST + pd.Timedelta(days=day), "phase": phase}
    return about | {"baseline_units": 4.0, "uplift_units": 4.0 * ratio, "share": 1.0} | changed


@lru_cache
def twin_past() -> SourcePast:
    demand = demand_of("default", Size(stores=6, skus=36, months=6, promotions=20))
    retailer = demand.retailer
    frames = SourceFrames(
        observed_daily(demand), observed_products(retailer), retailer.stores, observed_promotions(retailer), observed_stockouts(retailer)
    )
    return SourcePast.of(frames, estimate(frames))


def planner(**changed: Any) -> PromotionPlanner:
    """One that is quick rather than good."""
    given: dict[str, Any] = {"horizon": 14, "most_rows": 3_000, "trees": 15}
    return PromotionPlanner(**(given | changed))


@lru_cache
def fitted() -> PromotionPlanner:
    """Shared by tests, which must not change it."""
    return planner().fit(twin_past())
