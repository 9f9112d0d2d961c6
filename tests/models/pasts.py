"""A small source whose demand is known, with one mechanic of a known effect, and planners that are quick rather than good."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sales_tech.planning import PromotionPlanner, SourcePast
from sales_tech.promotions.frames import SourceFrames

FIRST = pd.Timestamp("2025-01-06")
CHANNELS, STORES = ("loja", "online"), ("L1", "WEB")
BY_DEPTH = 3.0
DEPTHS = (0.1, 0.2, 0.3)
ELASTICITY = pd.DataFrame({"category": pd.Series(dtype=object), "elasticity": pd.Series(dtype="float64")})


def days_of(count: int) -> pd.DatetimeIndex:
    return pd.date_range(FIRST, periods=count, freq="D").as_unit("s")


def small_past(days: int = 150, skus: int = 6, seed: int = 3, costed: bool = True) -> SourcePast:
    """`days` of daily sales of SKUs in two channels; every SKU had one promotion of the mechanic `percentual`, and one is planned."""
    rng = np.random.default_rng(seed)
    names, dates = [f"S{number}" for number in range(skus)], days_of(days)
    weekday = np.array([1.0, 0.9, 0.8, 0.9, 1.1, 1.5, 0.8])[dates.day_of_week]
    promotions = [_promotion(f"P{number}", sku, dates[20 + 9 * number], 6, DEPTHS[number % 3]) for number, sku in enumerate(names)]
    promotions.append(_promotion("NEXT", "S1", dates[-1] + pd.Timedelta(days=3), 7, 0.2))
    sales, told = [], []
    for number, sku in enumerate(names):
        own = promotions[number]
        inside = (dates >= own["starts_on"]) & (dates <= own["ends_on"])
        for channel, store in zip(CHANNELS, STORES, strict=True):
            usual = 3.0 * 1.5**number * weekday * (1.0 if channel == "loja" else 0.6)
            units = rng.poisson(usual * np.where(inside, np.exp(BY_DEPTH * own["discount_share"]), 1.0))
            price = 10.0 + number
            rows = pd.DataFrame({"sold_on": dates, "store_id": store, "sku": sku, "channel": channel, "units": units})
            paid = 1 - np.where(inside, own["discount_share"], 0.0)
            rows["gross_sales"] = rows["units"] * price
            rows["net_sales"] = rows["gross_sales"] * paid
            rows["discount"] = rows["gross_sales"] - rows["net_sales"]
            sales.append(rows[rows["units"] > 0])
        usual = 1.6 * 3.0 * 1.5**number * weekday[inside]
        told.append(
            pd.DataFrame(
                {
                    "promotion_id": own["promotion_id"],
                    "sku": sku,
                    "sold_on": dates[inside],
                    "phase": "during",
                    "baseline_units": usual,
                    "uplift_units": usual * np.expm1(BY_DEPTH * own["discount_share"]),
                    "share": 1.0,
                }
            )
        )
    products = pd.DataFrame(
        {
            "sku": names,
            "valid_from": pd.Timestamp("1900-01-01").as_unit("s"),
            "valid_to": pd.Series(pd.NaT, index=range(skus)).astype("datetime64[s]"),
            "category": ["fones" if number % 2 else "mouses" for number in range(skus)],
            "brand": "Marca",
            "price": [10.0 + number for number in range(skus)],
            "cost": [6.0 if costed else np.nan] * skus,
        }
    )
    stores = pd.DataFrame({"store_id": STORES, "state": ["SP", "SP"], "region": ["Sul", "Norte"], "channel": CHANNELS, "opened_on": FIRST})
    daily = pd.concat(sales, ignore_index=True).sort_values(["sold_on", "store_id", "sku"], ignore_index=True)
    frames = SourceFrames(_named(daily), _named(products), _named(stores), _named(pd.DataFrame(promotions).astype({"display": "boolean"})))
    results = pd.DataFrame(
        {
            "promotion_id": [f"P{number}" for number in range(skus)],
            "channel": pd.Series([None] * skus, dtype=object),
            "region": pd.Series([None] * skus, dtype=object),
            "incremental_units": 30.0,
            "cannibalised_units": 3.0,
            "halo_units": 0.0,
            "pulled_forward_units": 1.5,
            "halo_margin": 0.0,
        }
    )
    return SourcePast(frames, results, pd.concat(told, ignore_index=True), response(), ELASTICITY, "BRL")


def response() -> pd.DataFrame:
    """What a discount adds in both categories, by depth."""
    rows = [
        {
            "category": category,
            "brand": "all",
            "mechanic": "percentual",
            "display": False,
            "discount_share": depth,
            "uplift": float(np.expm1(BY_DEPTH * depth)),
            "uplift_low": float(np.expm1(BY_DEPTH * depth * 0.7)),
            "uplift_high": float(np.expm1(BY_DEPTH * depth * 1.3)),
            "works_share": 1.0,
            "depth_from": DEPTHS[0],
            "depth_to": DEPTHS[-1],
            "promotions": 3,
        }
        for category in ("fones", "mouses")
        for depth in DEPTHS
    ]
    return pd.DataFrame(rows)


def recipe(**changed: Any) -> PromotionPlanner:
    """A planner that is quick rather than good."""
    return PromotionPlanner(**({"horizon": 21, "most_rows": 2_000, "trees": 8} | changed))


def plan(**changed: Any) -> pd.DataFrame:
    """One promotion of one SKU within the horizon of `small_past`."""
    begins = days_of(150)[-1] + pd.Timedelta(days=2)
    return pd.DataFrame([_promotion("plan", "S2", begins, 10, 0.2) | {"investment": 50.0} | changed])


def _promotion(name: str, sku: str, begins: pd.Timestamp, days: int, depth: float) -> dict[str, object]:
    return {
        "promotion_id": name,
        "sku": sku,
        "name": name,
        "mechanic": "percentual",
        "discount_share": depth,
        "starts_on": begins,
        "ends_on": begins + pd.Timedelta(days=days - 1),
        "channel": None,
        "region": None,
        "display": False,
        "investment": 0.0,
    }


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    texts = [name for name in frame if frame[name].dtype == object or isinstance(frame[name].dtype, pd.StringDtype)]
    return frame.astype(dict.fromkeys(texts, "category"))
