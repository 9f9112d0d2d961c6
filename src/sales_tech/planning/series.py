"""Which SKUs and channels have a series of their own, and which share one with the others of their category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sales_tech.promotions.frames import SourceFrames

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNKNOWN = "unknown"
OTHERS = "others of"
RECENT_DAYS = 91
# Units in RECENT_DAYS, about one a week, from which on a SKU is told by itself within a channel.
FEWEST_UNITS = 13
# A member of a pool that sold nothing lately may sell again.
SELDOM = 0.1
NO_DATE = pd.Timestamp("1950-01-01")


@dataclass(frozen=True)
class SeriesTable:
    """The series of a source, and how its SKUs take part in them.

    `series` has a row per series: name (a SKU, or "others of" a category), channel, category, brand, first and stop (days
    since the first one of the source, the stop exclusive; withdrawn SKUs stop before the origin). `members` has a row per SKU and
    channel: sku, channel, series (row of `series`), share (of the series' units lately), withdrawn, units of all days.
    """

    series: pd.DataFrame
    members: pd.DataFrame

    @property
    def ahead(self) -> NDArray[np.bool_]:
        """Whether each series goes on after the origin."""
        told: NDArray[np.bool_] = self.series["goes_on"].to_numpy(dtype=bool)
        return told


def catalogue_of(products: pd.DataFrame) -> pd.DataFrame:
    """One row per SKU, by sku: category, brand, first day on sale (NaT: long ago) and the day it was withdrawn (NaT: not)."""
    ordered = products.sort_values(["sku", "valid_from"], kind="stable")
    by_sku = ordered.groupby("sku", observed=True, sort=True)
    about = by_sku[["category", "brand"]].last().astype(object)
    about = about.where(about.notna(), UNKNOWN)
    since = by_sku["valid_from"].first()
    about["since"] = since.where(since >= NO_DATE)
    latest = ordered.drop_duplicates("sku", keep="last").set_index("sku")["valid_to"]
    about["withdrawn"] = latest.reindex(about.index)
    about.index = about.index.astype(object)
    return about


def series_of(frames: SourceFrames, first: pd.Timestamp, origin: pd.Timestamp) -> SeriesTable:
    """The series of a source as of a day, from the sales up to it."""
    daily = frames.daily[frames.daily["sold_on"] <= origin]
    recent = daily["sold_on"] > origin - pd.Timedelta(days=RECENT_DAYS)
    keys = ["sku", "channel"]
    by_pair = daily.assign(recent=daily["units"] * recent).groupby(keys, observed=True, sort=True)
    pairs = by_pair.agg(units=("units", "sum"), recent=("recent", "sum"), first=("sold_on", "min")).reset_index()
    pairs[keys] = pairs[keys].astype(object)
    about = catalogue_of(frames.products).reindex(pairs["sku"])
    pairs["category"] = about["category"].fillna(UNKNOWN).to_numpy()
    pairs["brand"] = about["brand"].fillna(UNKNOWN).to_numpy()
    days = (origin - first).days + 1
    since = pd.Series(pd.to_datetime(about["since"]).to_numpy(), index=pairs.index)
    begun = since.where(since < pairs["first"], pairs["first"]).where(since.notna(), first)
    pairs["first"] = np.clip((begun - first).dt.days.to_numpy(), 0, days - 1)
    gone = pd.Series(pd.to_datetime(about["withdrawn"]).to_numpy(), index=pairs.index)
    pairs["withdrawn"] = (gone <= origin).to_numpy()
    stop = (gone - first).dt.days.where(pairs["withdrawn"], days).to_numpy(dtype=np.float64)
    pairs["stop"] = np.clip(stop, pairs["first"] + 1, days).astype(np.int64)
    lived = np.minimum(pairs["stop"] - pairs["first"], RECENT_DAYS)
    often = pairs["units"] / (pairs["stop"] - pairs["first"]) * lived
    wanted = FEWEST_UNITS * np.maximum(lived, 28) / RECENT_DAYS
    own = np.where(pairs["withdrawn"], often >= wanted, pairs["recent"] >= wanted)
    pairs["name"] = pairs["sku"].where(own, OTHERS + " " + pairs["category"])
    pairs.loc[~own, "brand"] = UNKNOWN
    # What was withdrawn before it sold well tells nothing of what is to come.
    pairs = pairs[own | ~pairs["withdrawn"]].reset_index(drop=True)
    return _numbered(pairs)


def _numbered(pairs: pd.DataFrame) -> SeriesTable:
    by_series = pairs.groupby(["name", "channel"], sort=True)
    pairs = pairs.assign(series=by_series.ngroup())
    table = by_series.agg(
        category=("category", "first"), brand=("brand", "first"), first=("first", "min"), stop=("stop", "max"), gone=("withdrawn", "all")
    ).reset_index()
    table["goes_on"] = ~table.pop("gone")
    pairs["share"] = shares_of(pairs["recent"].where(~pairs["withdrawn"], -SELDOM), pairs["series"])
    return SeriesTable(table, pairs[["sku", "channel", "series", "share", "withdrawn", "units"]])


def shares_of(recent: pd.Series, series: pd.Series) -> pd.Series:
    """The part that each member has in the units of its series, from those sold lately."""
    weight = recent + SELDOM
    told: pd.Series = weight / weight.groupby(series).transform("sum").replace(0, 1)
    return told
