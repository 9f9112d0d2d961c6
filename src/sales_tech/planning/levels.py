"""Where the level of each series stands now: a forecast from some weeks ago, corrected by what was sold since.

A forecast tells better how demand goes on than where it stands; its level comes from smoothed sums. So the forecast of an
origin ANCHOR_DAYS back is told over these days and those to come, and what was sold in them moves it: all series
together by the ratio of their sums, each SKU by its own ratio, drawn to that of all as strongly as chance in its units asks
(the gamma-Poisson posterior mean, its prior by the method of moments). What is a SKU's own fades with time.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sales_tech.forecasting.rows import Floats

ANCHOR_DAYS = 28
# Half-lives in days: of what a day of sales says about today, and of how long the level of a SKU stays off its usual one.
MEMORY, FADING = 10.0, 180.0
# Counts stray more than Poisson's.
OVERDISPERSION = 1.3
LEAST_SPREAD = 0.002
FARTHEST = 3.0
MOST_TOGETHER = 1.25


def anchored(told: pd.DataFrame, sold: pd.DataFrame, origin: pd.Timestamp) -> Floats:
    """The mean units of the days after the origin, corrected, in the order of those rows of `told`.

    `told` is the forecast of an earlier origin: sku, channel, date, baseline. `sold` has sku, channel, date, units (free of
    promotions) of days in which there was stock.
    """
    seen = told[told["date"] <= origin].merge(sold, on=["sku", "channel", "date"])
    ahead = told[told["date"] > origin]
    usual: Floats = ahead["baseline"].to_numpy(dtype=np.float64)
    weight = 0.5 ** ((origin - seen["date"]).dt.days.to_numpy() / MEMORY)
    sums = pd.DataFrame({"sku": seen["sku"], "sold": seen["units"] * weight, "told": seen["baseline"] * weight})
    sums["square"] = seen["baseline"] * np.square(weight)
    by_sku = sums.groupby("sku", sort=True, observed=True).sum()
    by_sku = by_sku[by_sku["told"] > 0]
    if by_sku.empty or by_sku["sold"].sum() <= 0:
        return usual
    together = float(np.clip(by_sku["sold"].sum() / by_sku["told"].sum(), 1 / MOST_TOGETHER, MOST_TOGETHER))
    ratio = by_sku["sold"] / (together * by_sku["told"])
    chance = OVERDISPERSION * by_sku["square"] / (together * np.square(by_sku["told"]))
    trust = np.minimum(by_sku["told"], by_sku["told"].quantile(0.75))
    spread = max(float(np.average(np.square(ratio - 1) - chance, weights=trust)), LEAST_SPREAD)
    own = np.log((1 + (ratio - 1) * spread / (spread + chance)).clip(1 / FARTHEST, FARTHEST))
    days = (ahead["date"] - origin).dt.days.to_numpy()
    moved = ahead["sku"].map(own).fillna(0.0).to_numpy(dtype=np.float64) * 0.5 ** (days / FADING)
    corrected: Floats = usual * together * np.exp(moved)
    return corrected
