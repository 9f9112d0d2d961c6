"""A small shop whose law of sales is known: level by SKU, weekday, and a promotion that multiplies by depth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sales_tech.forecasting import PromotionForecaster

FIRST = pd.Timestamp("2024-01-01")
WEEKDAY = np.array([1.0, 0.9, 0.8, 0.9, 1.1, 1.5, 0.8])
BY_DEPTH = 4.0


def shop(skus: int = 12, days: int = 200, seed: int = 1, closed_sundays: bool = False) -> pd.DataFrame:
    """Rows of sku, date, units, depth, price, mechanic, open and family."""
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(skus):
        dates = pd.date_range(FIRST, periods=days, freq="D")
        begins = rng.random(days) < 0.04
        depth = np.zeros(days)
        for day in np.flatnonzero(begins):
            depth[day : day + 6] = rng.choice([0.1, 0.2, 0.3])
        shut = (dates.day_of_week == 6) & closed_sundays
        mean = 4.0 * 1.35**number * WEEKDAY[dates.day_of_week] * np.exp(BY_DEPTH * depth) * ~shut
        parts.append(
            pd.DataFrame(
                {
                    "sku": f"S{number:02d}",
                    "date": dates,
                    "units": rng.poisson(mean).astype(float),
                    "depth": depth,
                    "price": 10.0 + number,
                    "mechanic": np.where(depth > 0, "leaflet", "none"),
                    "open": (~shut).astype(int),
                    "family": "AB"[number % 2],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def forecaster(**changed: Any) -> PromotionForecaster:
    """One that is quick rather than good."""
    usual: dict[str, Any] = {
        "series": ["sku"],
        "plan": ["depth", "price", "mechanic"],
        "static": ["family"],
        "horizon": 14,
        "most_rows": 4_000,
        "trees": 25,
    }
    return PromotionForecaster(**(usual | changed))


def split(panel: pd.DataFrame, horizon: int = 14) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The past, and the rows of the horizon with what came true."""
    cutoff = panel["date"].max() - pd.Timedelta(days=horizon)
    return panel[panel["date"] <= cutoff].reset_index(drop=True), panel[panel["date"] > cutoff].reset_index(drop=True)
