"""Where the units of a series are sold, so that a promotion in one region moves that part of them only."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sales_tech.forecasting.rows import Floats
from sales_tech.planning.series import SeriesTable
from sales_tech.promotions.frames import SourceFrames

RECENT_DAYS = 182
# Units of the channel as a whole that stand beside those of a series, so that few sales tell no region.
PRIOR_UNITS = 30.0


def region_shares(frames: SourceFrames, table: SeriesTable, origin: pd.Timestamp) -> pd.DataFrame:
    """Series (row of the table), region, share of its units lately; without a row where no store's region is known."""
    empty = pd.DataFrame({"series": pd.Series(dtype=np.int64), "region": pd.Series(dtype=object), "share": pd.Series(dtype=np.float64)})
    if frames.stores is None or frames.stores.empty:
        return empty
    stores = frames.stores.drop_duplicates("store_id").set_index("store_id")
    region = stores["region"].astype(object)
    region = region.where(region.notna(), stores["state"].astype(object)).dropna()
    region.index = region.index.astype(object)
    if region.empty:
        return empty
    daily = frames.daily
    daily = daily[(daily["sold_on"] <= origin) & (daily["sold_on"] > origin - pd.Timedelta(days=RECENT_DAYS))]
    keys = ["sku", "channel", "store_id"]
    sold = daily.groupby(keys, observed=True, sort=True)["units"].sum().reset_index()
    sold[keys] = sold[keys].astype(object)
    sold["region"] = region.reindex(sold["store_id"]).to_numpy()
    sold = sold.dropna(subset=["region"])
    channel = sold.groupby(["channel", "region"], sort=True)["units"].sum()
    usual = (channel / channel.groupby("channel").transform("sum")).rename("usual").reset_index()
    series = table.series[["channel"]].rename_axis("series").reset_index().merge(usual, on="channel")
    sold = sold.merge(table.members[["sku", "channel", "series"]], on=["sku", "channel"])
    own = sold.groupby(["series", "region"], sort=True)["units"].sum().rename("units").reset_index()
    told = series.merge(own, on=["series", "region"], how="left").fillna({"units": 0.0})
    total = told.groupby("series")["units"].transform("sum")
    told["share"] = (told["units"] + PRIOR_UNITS * told["usual"]) / (total + PRIOR_UNITS)
    return told[["series", "region", "share"]].sort_values(["series", "region"], kind="stable", ignore_index=True)


def scope_share(regions: pd.DataFrame, series: pd.Series, region: pd.Series) -> Floats:
    """The part of each series' units that is sold in a region (null: everywhere); 1 where the regions are not known."""
    named = region.astype(object)
    if regions.empty:
        return np.ones(len(series))
    shares = regions.set_index(["series", "region"])["share"]
    found = shares.reindex(pd.MultiIndex.from_arrays([series, named])).to_numpy(dtype=np.float64)
    told: Floats = np.where(named.isna().to_numpy(), 1.0, np.nan_to_num(found, nan=0.0))
    return told
