"""Which of a source's promotions an outlook tells of: those that are planned or running in the days ahead."""

from __future__ import annotations

import pandas as pd

from sales_tech.planning.outlook import Outlook
from sales_tech.planning.plans import channels_of

# Reasons, promotions and SKUs that notes give one by one.
MOST_NAMED = 5


def planned_ahead(outlook: Outlook, promotions: pd.DataFrame | None, last: pd.Timestamp) -> tuple[pd.DataFrame, list[str]]:
    """The promotions of the days after the origin up to `last` that can be told, and notes on those that cannot.

    `promotions` has the columns of silver.promotions, None where a source names none. Of one that ends later the days up to `last`
    are told; `until` keeps its own end. An SKU that a promotion names twice is told at the deeper discount; one that is not sold where
    it is promoted leaves the others of the promotion.
    """
    if promotions is None:
        return pd.DataFrame(), []
    ahead = promotions[(promotions["ends_on"] > outlook.origin) & (promotions["starts_on"] <= last)]
    ahead = ahead.astype({"promotion_id": object, "sku": object})
    told = (ahead["discount_share"] > 0) & (ahead["discount_share"] < 1)
    notes = _left_out(ahead[~told], "of which no discount between 0 and 100 % is told")
    ahead = ahead[told]
    plans = ahead.assign(ends_on=ahead["ends_on"].where(ahead["ends_on"] <= last, last), until=ahead["ends_on"])
    unsold = _unsold(outlook, plans)
    notes += _left_out(plans[unsold], "which have no sale to go by where it runs or are withdrawn")
    plans = plans[~unsold].sort_values("discount_share", ascending=False, kind="stable").drop_duplicates(["promotion_id", "sku"])
    refused = outlook.refused(plans) if len(plans) else {}
    # What holds for all of them, as where no promotion could be judged yet, is said once.
    reasons = list(dict.fromkeys(refused.values()))[:MOST_NAMED]
    notes += [f"left out: {reason}" for reason in reasons]
    rest = sum(reason not in reasons for reason in refused.values())
    notes += [f"left out besides: {rest} promotions"] if rest else []
    return plans[~plans["promotion_id"].isin(refused)].sort_values(["promotion_id", "sku"], ignore_index=True), notes


def _unsold(outlook: Outlook, plans: pd.DataFrame) -> pd.Series:
    sold_in: dict[str, set[str]] = {}
    for sku, channel in zip(outlook.members["sku"], outlook.members["channel"], strict=True):
        sold_in.setdefault(sku, set()).add(channel)
    known = {*outlook.lookup.channels}
    told = []
    for sku, named in zip(plans["sku"], plans["channel"], strict=True):
        only = {*(channels_of(named) or known)}
        # A channel that nobody knows is refused by its name.
        told.append(sku not in sold_in or (only <= known and only.isdisjoint(sold_in[sku])))
    return pd.Series(told, index=plans.index, dtype=bool)


def _left_out(rows: pd.DataFrame, why: str) -> list[str]:
    notes = []
    for promotion, skus in rows.groupby("promotion_id", sort=True)["sku"]:
        names = sorted(skus.unique())
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        notes.append(f"left out of promotion {promotion}: SKUs {', '.join(names[:MOST_NAMED])}{more}, {why}")
    rest = len(notes) - MOST_NAMED
    return [*notes[:MOST_NAMED], f"left out besides: SKUs of {rest} promotions, {why}"] if rest > 0 else notes
