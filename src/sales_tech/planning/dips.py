"""What was bought ahead is missing later: the weeks after promotions that have just ended."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sales_tech.forecasting.rows import Floats
from sales_tech.planning.past import SourcePast
from sales_tech.planning.regions import scope_share
from sales_tech.planning.series import SeriesTable

DIP_DAYS, HALF_LIFE = 28, 7.0
LARGEST_DIP = 0.5


def dip_shape() -> Floats:
    """The shares of what was bought ahead that are missing on each of the DIP_DAYS days after a promotion."""
    left = 0.5 ** (np.arange(DIP_DAYS) / HALF_LIFE)
    shares: Floats = left / left.sum()
    return shares


def dips_ahead(
    past: SourcePast, table: SeriesTable, regions: pd.DataFrame, rates: pd.DataFrame, told: pd.DataFrame, origin: pd.Timestamp
) -> Floats:
    """The share of the baseline of each row of `told` (sku, channel, date, baseline) that was bought ahead already.

    Of the units that a promotion added up to the origin, the category's rate of pulled-forward ones (see `losses`) is missing in the
    DIP_DAYS days after it, half as many with each week, as the analysis of promotions has it. Promotions that still run have no dip yet.
    """
    nothing = np.zeros(len(told))
    if past.daily.empty or rates.empty:
        return nothing
    during = past.daily[(past.daily["phase"] == "during") & (past.daily["sold_on"] <= origin)]
    during = during.assign(added=during["uplift_units"].astype("float64") * during["share"].astype("float64"))
    keys = ["promotion_id", "sku"]
    ended = during.groupby(keys, observed=True, sort=True).agg(last=("sold_on", "max"), added=("added", "sum")).reset_index()
    if past.frames.promotions is not None:
        # Of one that still runs, what it added so far is missing once it is over.
        ends = past.frames.promotions.astype({name: object for name in keys}).groupby(keys, sort=True)["ends_on"].max()
        planned = pd.to_datetime(ends.reindex(pd.MultiIndex.from_frame(ended[keys].astype(object)))).to_numpy()
        ended["last"] = np.where(planned > origin.to_datetime64(), planned, ended["last"].to_numpy())
    ended = ended[(ended["last"] > origin - pd.Timedelta(days=DIP_DAYS)) & (ended["added"] > 0)]
    if ended.empty:
        return nothing
    ended = ended.merge(past.results[["promotion_id", "channel", "region"]].rename(columns={"channel": "only"}), on="promotion_id")
    rows = ended.merge(table.members[["sku", "channel", "series"]], on="sku")
    rows = rows[rows["only"].isna() | (rows["only"].astype(object) == rows["channel"])]
    rows["category"] = table.series["category"].to_numpy()[rows["series"]]
    rate = rates.set_index("category")["pulled_forward"]
    # Units were added in all channels together; each has its part by what it usually sells where the promotion ran.
    names = pd.MultiIndex.from_frame(table.series.loc[rows["series"], ["name", "channel"]].astype(object))
    usual = told.groupby(["sku", "channel"], sort=True, observed=True)["baseline"].mean().reindex(names).to_numpy(dtype=np.float64)
    rows["weight"] = np.nan_to_num(usual) * scope_share(regions, rows["series"], rows["region"])
    rows["weight"] /= rows.groupby(keys, sort=False)["weight"].transform("sum").replace(0, 1)
    rows["missing"] = rows["added"] * rows["weight"] * rows["category"].map(rate).fillna(0.0)
    shape = dip_shape()
    place = pd.MultiIndex.from_frame(told[["sku", "channel", "date"]].astype({"sku": object, "channel": object}))
    lost = np.zeros(len(told))
    series = table.series[["name", "channel"]].astype(object).to_numpy()
    for number, last, missing in zip(rows["series"].tolist(), rows["last"], rows["missing"].tolist(), strict=True):
        days = pd.date_range(last + pd.Timedelta(days=1), periods=DIP_DAYS).as_unit("s")
        at = place.get_indexer(pd.MultiIndex.from_arrays([[series[number, 0]] * DIP_DAYS, [series[number, 1]] * DIP_DAYS, days]))
        lost[at[at >= 0]] += missing * shape[at >= 0]
    usual_day = told["baseline"].to_numpy(dtype=np.float64)
    share: Floats = np.clip(np.divide(lost, usual_day, out=nothing, where=usual_day > 0), 0.0, LARGEST_DIP)
    return share
