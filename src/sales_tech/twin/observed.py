"""The retailer's sales as the lake would show them, without the way through files: what an estimator may see."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from sales_tech.twin.demand import Demand
from sales_tech.twin.history import Ints
from sales_tech.twin.retailer import Retailer

DAYS_AT_ONCE = 31


def observed_daily(demand: Demand) -> pd.DataFrame:
    """One row per day, store and SKU with a sale: the columns of gold.daily_sales that the analysis reads."""
    retailer = demand.retailer
    days = len(retailer.history.days)
    prices = retailer.catalogue.prices(days)
    parts = []
    for first in range(0, days, DAYS_AT_ONCE):
        stop = min(first + DAYS_AT_ONCE, days)
        expected, units = demand.sales(first, stop)
        cells = np.nonzero(units)
        sku, store, day = cells
        gross = units[cells] * prices[day + first, sku]
        discount = np.rint(gross * expected.discount[cells].astype(np.float64)).astype(np.int64)
        parts.append((sku, store, day + first, units[cells], gross, discount))
    sku, store, day, sold, gross, discount = (np.concatenate(column) for column in zip(*parts, strict=True))
    frame = pd.DataFrame({"sold_on": retailer.history.days[day].astype("datetime64[s]"), "units": sold})
    frame["store_id"] = pd.Categorical.from_codes(store, retailer.stores["store_id"].tolist())
    frame["sku"] = pd.Categorical.from_codes(sku, retailer.catalogue.products["sku"].tolist())
    channel = retailer.stores["channel_row"].to_numpy()
    frame["channel"] = pd.Categorical.from_codes(channel[store], ["loja", "online"])
    frame["gross_sales"], frame["discount"] = gross / 100, discount / 100
    frame["net_sales"] = (gross - discount) / 100
    return frame


def observed_products(retailer: Retailer) -> pd.DataFrame:
    """The history of the assortment, as silver.products holds it."""
    revisions = retailer.catalogue.revisions.sort_values(["product", "since"], kind="stable", ignore_index=True)
    about = retailer.catalogue.products.loc[revisions["product"], ["sku", "category", "brand"]].reset_index(drop=True)
    following = revisions.groupby("product")["since"].shift(-1)
    about["valid_from"] = _dates(retailer, revisions["since"].to_numpy())
    about["valid_to"] = pd.to_datetime([_date(retailer, int(day)) if day == day else None for day in following])
    return about.assign(price=revisions["price"] / 100, cost=revisions["cost"] / 100)


def observed_promotions(retailer: Retailer) -> pd.DataFrame:
    """The promotion calendar, as silver.promotions holds it; past promotions and planned ones."""
    members, promotions = retailer.members, retailer.promotions.loc[retailer.members["promotion"]].reset_index(drop=True)
    return pd.DataFrame(
        {
            "promotion_id": promotions["code"],
            "sku": retailer.catalogue.products["sku"].to_numpy()[members["product"]],
            "name": promotions["name"],
            "mechanic": promotions["mechanic"],
            "discount_share": members["percent"] / 100,
            "starts_on": _dates(retailer, promotions["start"].to_numpy()),
            "ends_on": _dates(retailer, promotions["end"].to_numpy()),
            "channel": promotions["channel"].replace("", None),
            "region": promotions["region"].replace("", None),
            "display": promotions["display"],
            "investment": members["investment"] / 100,
        }
    )


def observed_stockouts(retailer: Retailer) -> pd.DataFrame:
    """The days without a unit on the shelf, as silver.stockouts holds them; none where the retailer does not count stock."""
    stockouts = retailer.stockouts if retailer.scenario.stockouts_flagged else retailer.stockouts.head(0)
    return pd.DataFrame(
        {
            "store_id": retailer.stores["store_id"].to_numpy()[stockouts["store"]],
            "sku": retailer.catalogue.products["sku"].to_numpy()[stockouts["product"]],
            "starts_on": _dates(retailer, stockouts["start"].to_numpy()),
            "ends_on": _dates(retailer, stockouts["end"].to_numpy()),
        }
    )


def _dates(retailer: Retailer, positions: Ints) -> pd.DatetimeIndex:
    return pd.DatetimeIndex((np.datetime64(retailer.history.first) + positions.astype("timedelta64[D]")).astype("datetime64[s]"))


def _date(retailer: Retailer, position: int) -> pd.Timestamp:
    return pd.Timestamp(retailer.history.first + timedelta(days=position))
