"""The retailer's sales as the lake would show them, without the way through files: what an estimator may see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from sales_tech.twin.demand import Demand
from sales_tech.twin.history import Ints
from sales_tech.twin.retailer import Retailer
from sales_tech.twin.stores import CHANNELS


def observed_daily(demand: Demand) -> pd.DataFrame:
    """One row per day, store and SKU with a sale: the columns of gold.daily_sales that the analysis reads."""
    retailer = demand.retailer
    prices = retailer.catalogue.prices(len(retailer.history.days))
    parts = []
    for first, stop in demand.windows():
        expected, units = demand.sales(first, stop)
        cells = np.nonzero(units)
        sku, store, day = cells
        gross = units[cells] * prices[day + first, sku]
        discount = np.rint(gross * expected.discount[cells].astype(np.float64)).astype(np.int64)
        parts.append((sku, store, day + first, units[cells], gross, discount))
    sku, store, day, sold, gross, discount = (np.concatenate(column) for column in zip(*parts, strict=True))
    frame = pd.DataFrame({"sold_on": retailer.history.days[day].astype("datetime64[s]"), "units": sold})
    frame["store_id"] = _named(store, retailer.stores["store_id"])
    frame["sku"] = _named(sku, retailer.catalogue.products["sku"])
    channel = retailer.stores["channel_row"].to_numpy()
    frame["channel"] = _named(channel[store], CHANNELS)
    frame["gross_sales"], frame["discount"] = gross / 100, discount / 100
    frame["net_sales"] = (gross - discount) / 100
    return frame


def observed_products(retailer: Retailer) -> pd.DataFrame:
    """The history of the assortment, as silver.products holds it."""
    revisions = retailer.catalogue.revisions.sort_values(["product", "since"], kind="stable", ignore_index=True)
    about = retailer.catalogue.products.loc[revisions["product"], ["sku", "category", "brand"]].reset_index(drop=True)
    since = revisions["since"].to_numpy()
    last = np.append(np.diff(revisions["product"].to_numpy()) != 0, True)
    about["valid_from"] = _dates(retailer, since)
    about["valid_to"] = _dates(retailer, np.append(since[1:], 0)).where(~last)
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


def _named(rows: Ints, names: Iterable[str]) -> pd.Categorical[Any]:
    return pd.Categorical.from_codes(rows, dtype=pd.CategoricalDtype(pd.Index(list(names))))
