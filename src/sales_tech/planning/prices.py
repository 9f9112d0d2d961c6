"""List price and cost of each SKU on the days to come."""

from __future__ import annotations

from typing import Final

import pandas as pd

from sales_tech.planning.series import UNKNOWN, catalogue_of
from sales_tech.promotions.frames import SourceFrames

DAY: Final = "datetime64[s]"


def price_list(frames: SourceFrames, origin: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """One row per SKU and day from which a price holds: sku, valid_from, category, brand, list_price, cost (NaN: not known).

    The first row of a SKU holds on the day after the origin, further ones where the catalogue knows of a later price already.
    The list price is that of the catalogue; where it has none, the one last charged before discounts. What the catalogue does not know
    and was only ever given away has a row without a price.
    """
    sold = frames.daily[frames.daily["sold_on"] <= origin]
    paid = sold[(sold["units"] > 0) & (sold["gross_sales"] > 0)]
    charged = paid.groupby(["sku", "sold_on"], observed=True, sort=True)[["gross_sales", "units"]].sum()
    latest = (charged["gross_sales"] / charged["units"]).groupby(level="sku", observed=True).last()
    latest.index = latest.index.astype(object)
    about = catalogue_of(frames.products)
    skus = pd.Index(sorted(set(about.index) | set(sold["sku"].unique())), dtype=object, name="sku")
    history = frames.products[["sku", "valid_from", "valid_to", "price", "cost"]].astype({"sku": object})
    begin = origin + pd.Timedelta(days=1)
    history = history[(history["valid_from"] <= last) & (history["valid_to"].isna() | (history["valid_to"] > begin))]
    history = history.assign(valid_from=history["valid_from"].where(history["valid_from"] > begin, begin)).drop(columns="valid_to")
    lacking = skus.difference(history.loc[history["valid_from"] == begin, "sku"])
    history = pd.concat([history, pd.DataFrame({"sku": lacking, "valid_from": begin})], ignore_index=True)
    history["list_price"] = history.pop("price").astype("float64").fillna(history["sku"].map(latest))
    history["cost"] = history["cost"].astype("float64")
    told = history.merge(about[["category", "brand"]].fillna(UNKNOWN), left_on="sku", right_index=True, how="left")
    told[["category", "brand"]] = told[["category", "brand"]].fillna(UNKNOWN)
    told["valid_from"] = told["valid_from"].astype(DAY)
    columns = ["sku", "valid_from", "category", "brand", "list_price", "cost"]
    return told[columns].sort_values(["sku", "valid_from"], kind="stable", ignore_index=True)


def prices_on(prices: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows (with sku and sold_on) with list_price and cost of their day, in their order."""
    asked = (
        rows[["sku", "sold_on"]].assign(row=range(len(rows))).sort_values("sold_on", kind="stable").astype({"sku": object, "sold_on": DAY})
    )
    known = (
        prices[["sku", "valid_from", "list_price", "cost"]]
        .sort_values("valid_from", kind="stable")
        .astype({"sku": object, "valid_from": DAY})
    )
    found = pd.merge_asof(asked, known, left_on="sold_on", right_on="valid_from", by="sku").sort_values("row")
    return rows.assign(list_price=found["list_price"].to_numpy(), cost=found["cost"].to_numpy())
