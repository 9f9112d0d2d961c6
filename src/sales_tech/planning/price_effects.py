"""What list prices did to demand: sales at another price than that of the origin are not what is sold at this one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sales_tech.forecasting.response import ALL_BRANDS
from sales_tech.forecasting.rows import Floats
from sales_tech.planning.past import SourcePast

MOST_ELASTIC = 4.0
# A price that was another by more than this factor is that of another offer, or a slip.
FARTHEST = 2.0


def price_effects(past: SourcePast, series: pd.DataFrame, first: pd.Timestamp, days: int) -> Floats:
    """The log of what the list price of each series (rows) and day multiplied demand by, relative to the price on the last day.

    By the elasticity of the category, from gold.price_elasticity; 0 where it, or the catalogue's price, is not known, and for pools.
    """
    told = np.zeros((len(series), days))
    if past.elasticity.empty:
        return told
    whole = past.elasticity[
        (past.elasticity["brand"].astype(object) == ALL_BRANDS) & (past.elasticity["discount_share"].astype("float64") == 0)
    ]
    slope = whole.assign(category=whole["category"].astype(object)).set_index("category")["elasticity"].astype("float64")
    products = past.frames.products[["sku", "valid_from", "valid_to", "price"]].astype({"sku": object, "price": "float64"})
    products = products[products["price"] > 0]
    history = {sku: part for sku, part in products.groupby("sku", sort=False) if len(part) > 1}
    elastic = series["category"].map(slope).fillna(0.0).clip(0.0, MOST_ELASTIC).to_numpy(dtype=np.float64)
    known: dict[object, Floats] = {}
    for row, sku in enumerate(series["name"].tolist()):
        if sku not in history or elastic[row] == 0:
            continue
        if sku not in known:
            known[sku] = _relative(history[sku], first, days)
        told[row] = -elastic[row] * known[sku]
    return told


def _relative(history: pd.DataFrame, first: pd.Timestamp, days: int) -> Floats:
    """The log of the price of each day over that of the last one."""
    begin = np.clip((history["valid_from"] - first).dt.days.to_numpy(), 0, days)
    stop = (history["valid_to"] - first).dt.days.fillna(days).to_numpy(dtype=np.float64)
    log = np.full(days, np.nan)
    for start, end, price in zip(begin.tolist(), np.clip(stop, 0, days).astype(int).tolist(), history["price"].tolist(), strict=True):
        log[start:end] = np.log(price)
    last = log[np.isfinite(log)]
    if not len(last):
        return np.zeros(days)
    relative = np.nan_to_num(log - last[-1])
    told: Floats = np.clip(relative, -np.log(FARTHEST), np.log(FARTHEST))
    return told
