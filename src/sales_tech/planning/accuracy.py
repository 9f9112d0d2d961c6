"""How earlier forecasts compare with what was sold since: by the night they were made, category and age."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sales_tech.planning.past import WEEK
from sales_tech.planning.series import OTHERS

COLUMNS = ("category", "made_on", "age_weeks", "series", "days", "units", "forecast_units", "error_units", "wape", "bias", "coverage")


def accuracy_of(made: pd.DataFrame, sales: pd.DataFrame, origin: pd.Timestamp) -> pd.DataFrame:
    """One row per category, night and week of age that is over, with the columns COLUMNS.

    `made` has forecasts of earlier nights: made_on, sku, channel, sold_on, category, units, units_low, units_high; `sales` what was
    sold: sku, channel, sold_on, category, units (before returns). A SKU without a forecast of its own belongs to the others of its
    category.

    `error_units` is the sum of absolute errors of series and week, `wape` that over units sold, `bias` the error of all units over those
    sold, `coverage` the share of series and days within the interval; NaN where nothing was sold.
    """
    age = (made["sold_on"] - made["made_on"]).dt.days
    made = made.assign(age_weeks=(age - 1) // WEEK + 1)
    made = made[made["made_on"] + pd.to_timedelta(made["age_weeks"] * WEEK, unit="D") <= origin]
    if made.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    rows = pd.concat([_beside(part, sales) for _, part in made.groupby("made_on", sort=True)], ignore_index=True)
    rows["inside"] = (rows["units"] >= rows["units_low"]) & (rows["units"] <= rows["units_high"])
    keys = ["category", "made_on", "age_weeks"]
    weeks = rows.groupby([*keys, "sku", "channel"], sort=True)[["units", "forecast_units"]].sum()
    weeks["error"] = (weeks["forecast_units"] - weeks["units"]).abs()
    told = weeks.groupby(level=keys).agg(
        series=("units", "size"), units=("units", "sum"), forecast_units=("forecast_units", "sum"), error_units=("error", "sum")
    )
    by_day = rows.groupby(keys, sort=True)
    told["days"], told["coverage"] = by_day["sold_on"].nunique(), by_day["inside"].mean()
    sold = told["units"].where(told["units"] > 0).astype("float64")
    told["wape"] = told["error_units"] / sold
    told["bias"] = (told["forecast_units"] - told["units"]) / sold
    return told.reset_index()[list(COLUMNS)]


def _beside(made: pd.DataFrame, sales: pd.DataFrame) -> pd.DataFrame:
    keys = ["sku", "channel", "sold_on"]
    told = made.rename(columns={"units": "forecast_units"})
    known = pd.MultiIndex.from_frame(told[["sku", "channel"]].drop_duplicates().astype(object))
    own = pd.MultiIndex.from_frame(sales[["sku", "channel"]].astype(object)).isin(known)
    named = sales["sku"].astype(object)
    sold = sales.assign(sku=np.where(own, named, OTHERS + " " + sales["category"].astype(object)))
    sums = sold.groupby(keys, sort=True)["units"].sum().reset_index()
    told = told.merge(sums, on=keys, how="left")
    return told.assign(units=told["units"].fillna(0.0).astype("float64"))
