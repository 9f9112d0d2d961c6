"""The comparison that most reports make: sales during a promotion against sales before it. It is here to be beaten."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sales_tech.promotions.panel import PromotionPanel

DAYS_BEFORE = 28
# One-sided level of 90 % of the normal distribution.
CRITICAL = 1.2816


def before_after(panel: PromotionPanel) -> pd.DataFrame:
    """One row per promotion: promotion_id, incremental_units (during less as many days at the mean before), successful.

    `successful` is the verdict of Welch's test on daily units at the level of 90 %. Bias is its defining trait:
    season, selection, stock-outs and neighbours all count as effect.
    """
    rows = []
    for number, promotion in enumerate(panel.promotions["promotion_id"].tolist()):
        members = [member for member in panel.members if member.promotion == number]
        start, end = min(member.start for member in members), max(member.end for member in members)
        during, before = np.zeros(end + 1 - start), np.zeros(min(DAYS_BEFORE, start))
        for member in members:
            units = panel.units[member.stores, member.sku].sum(axis=0)
            during[member.start - start : member.end + 1 - start] += units[member.days]
            before += units[start - len(before) : start]
        if not len(before):
            rows.append({"promotion_id": promotion, "incremental_units": np.nan, "successful": False})
            continue
        effect = during.sum() - before.mean() * len(during)
        error = np.inf
        if len(during) > 1 and len(before) > 1:
            error = float(np.sqrt(during.var(ddof=1) / len(during) + before.var(ddof=1) / len(before)) * len(during))
        rows.append({"promotion_id": promotion, "incremental_units": effect, "successful": bool(effect > CRITICAL * error)})
    return pd.DataFrame(rows)
