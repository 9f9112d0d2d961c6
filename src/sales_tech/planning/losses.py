"""What neighbours and later weeks lose to a promotion: units for each unit that it adds, pooled over those that ran."""

from __future__ import annotations

import numpy as np
import pandas as pd

RATES = ("cannibalised", "pulled_forward", "halo")
# A category's own promotions count as much as all together once they added this part of all units that were.
PRIOR_SHARE = 0.1
# Of each unit that is added, no more than this comes from elsewhere.
MOST = 0.9


def loss_rates(results: pd.DataFrame, daily: pd.DataFrame, categories: pd.Series) -> pd.DataFrame:
    """One row per category of `categories` (by sku): cannibalised, pulled_forward and halo units for each incremental one, halo_margin.

    `halo_margin` is money of other SKUs for each incremental unit. Ratios of sums over promotions (gold.promotion_results), those of a
    category drawn to those of all. Nothing is lost where no promotion is known.
    """
    names = sorted(set(categories))
    told = pd.DataFrame(0.0, index=pd.Index(names, name="category", dtype=object), columns=[*RATES, "halo_margin"])
    if results.empty or daily.empty:
        return told.reset_index()
    sku = daily.drop_duplicates("promotion_id").set_index("promotion_id")["sku"].astype(object)
    columns = {name: f"{name}_units" for name in RATES} | {"halo_margin": "halo_margin"}
    sums = pd.DataFrame({name: results[column].astype("float64").fillna(0.0) for name, column in columns.items()})
    sums["incremental"] = results["incremental_units"].astype("float64").fillna(0.0)
    sums["category"] = results["promotion_id"].map(sku).map(categories)
    total = sums.drop(columns="category").sum()
    if total["incremental"] <= 0:
        return told.reset_index()
    by_category = sums.groupby("category", sort=True).sum().reindex(told.index, fill_value=0.0)
    prior = PRIOR_SHARE * float(total["incremental"])
    added = np.maximum(by_category["incremental"], 0.0) + prior
    for name in told.columns:
        told[name] = (by_category[name] + prior * total[name] / total["incremental"]) / added
    for name in RATES:
        told[name] = told[name].clip(0.0, MOST)
    return told.reset_index()
