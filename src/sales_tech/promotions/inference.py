"""Promotions told from prices alone, for sources that name none."""

from __future__ import annotations

import numpy as np
import pandas as pd

SMALLEST_DROP = 0.05
LONGEST_DAYS = 45
REFERENCE_DAYS = 60
FEWEST_UNITS = 30
# Units sold at the reference price before, without which it is no reference.
FEWEST_BEFORE = 5
FEWEST_WITHIN = 3


def infer_promotions(daily: pd.DataFrame) -> pd.DataFrame:
    """The promotions in which a SKU was charged clearly less than before, for a while; columns of silver.promotions and `inferred`.

    The reference is the median price of the units of the REFERENCE_DAYS days before (a regular price as in
    scanner-data research, Nakamura and Steinsson 2008). A promotion is a run of selling days at least SMALLEST_DROP
    below it that ends within LONGEST_DAYS by a price back near the reference; a price that stays down is a new price.
    One SKU, one promotion: who else took part is not known.
    """
    sold = daily[daily["units"] > 0]
    by_day = sold.groupby(["sku", "sold_on"], observed=True)[["units", "net_sales"]].sum().reset_index()
    enough = by_day.groupby("sku", observed=True)["units"].transform("sum") >= FEWEST_UNITS
    by_day = by_day[enough].assign(price=lambda frame: frame["net_sales"] / frame["units"])
    rows = [row for sku, part in by_day.groupby("sku", observed=True, sort=True) for row in _runs(str(sku), part)]
    columns = ["promotion_id", "sku", "name", "mechanic", "discount_share", "starts_on", "ends_on"]
    frame = pd.DataFrame(rows, columns=columns)
    for column in ("channel", "region", "display"):
        frame[column] = None
    return frame.assign(investment=np.nan, inferred=True)


def _runs(sku: str, part: pd.DataFrame) -> list[dict[str, object]]:
    days = part["sold_on"].to_numpy().astype("datetime64[D]")
    price, units = part["price"].to_numpy(dtype=np.float64), part["units"].to_numpy(dtype=np.float64)
    found: list[dict[str, object]] = []
    row = 1
    while row < len(days):
        reference = _reference(days, price, units, row)
        if reference is None or price[row] > reference * (1 - SMALLEST_DROP):
            row += 1
            continue
        end = row
        while end + 1 < len(days) and price[end + 1] <= reference * (1 - SMALLEST_DROP):
            end += 1
        length = int((days[end] - days[row]).astype(np.int64)) + 1
        back = end + 1 < len(days)
        if back and length <= LONGEST_DAYS and units[row : end + 1].sum() >= FEWEST_WITHIN:
            depth = 1 - float(np.average(price[row : end + 1], weights=units[row : end + 1])) / reference
            start = days[row].astype("datetime64[s]")
            found.append(
                {
                    "promotion_id": f"{sku}@{days[row]}",
                    "sku": sku,
                    "name": None,
                    "mechanic": None,
                    # Goods for which less than nothing was charged were given away.
                    "discount_share": min(round(depth, 4), 1.0),
                    "starts_on": pd.Timestamp(start),
                    "ends_on": pd.Timestamp(days[end].astype("datetime64[s]")),
                }
            )
        row = end + 1
    return found


def _reference(days: np.ndarray, price: np.ndarray, units: np.ndarray, row: int) -> float | None:
    before = (days < days[row]) & (days >= days[row] - np.timedelta64(REFERENCE_DAYS, "D"))
    if units[before].sum() < FEWEST_BEFORE:
        return None
    order = np.argsort(price[before])
    total = np.cumsum(units[before][order])
    usual = float(price[before][order][np.searchsorted(total, total[-1] / 2)])
    # What was given away has no price to fall from.
    return usual if usual > 0 else None
