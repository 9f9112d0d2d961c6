"""Promotions of the same SKU at the same time: what they do together, and each one's part in it."""

from __future__ import annotations

import numpy as np
import pandas as pd

# Of the weaker ones' log lifts this part comes through, as the analysis of promotions assumes where it knows no better.
SHARE = 1 / 3


def put_together(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows (promotion_id, sku, channel, sold_on, baseline_units, uplift, ...) with the uplift of promotions that overlap divided.

    Where several promotions move a SKU in a channel on a day, the strongest counts in full and SHARE of the log lift of each other;
    the sum is divided in proportion to what each would have done alone. The deepest price holds for all of them.
    """
    keys = ["sku", "channel", "sold_on"]
    several = rows.duplicated(keys, keep=False).to_numpy()
    if not several.any():
        return rows
    part = rows[several]
    # Promotions that are limited to regions meet in a part of the channel only; they are told as if they met in all of the smaller one.
    lift = np.log1p(part["uplift"].clip(lower=0.0))
    by = [part[key] for key in keys]
    highest, total = lift.groupby(by).transform("max"), lift.groupby(by).transform("sum")
    alone = np.expm1(lift)
    together = np.expm1(highest + SHARE * (total - highest))
    sums = alone.groupby(by).transform("sum")
    factor = (together / sums.where(sums > 0)).fillna(1.0).clip(upper=1.0)
    told = rows.copy()
    for name in ("uplift", "uplift_low", "uplift_high"):
        told.loc[several, name] = part[name] * factor
    return told
