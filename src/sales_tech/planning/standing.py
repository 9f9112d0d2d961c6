"""A forecast put together with where each SKU stands: who sells how much is told by states, how much in all by both.

The forecast tells the shape of the days ahead and the sum of each category; the shares of SKUs in it are those of `states`. Where the
same days of a year ago are known, the sum of each category lies between the forecast's and what states and the season of a
year ago say, as a geometric mean: two unlike answers stray less than either.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sales_tech.forecasting.rows import Floats
from sales_tech.planning.chosen import pull_of, shift_of
from sales_tech.planning.market import LEAST, Market, market_of, names_of, sums
from sales_tech.planning.states import Standing, standing_of


def restated(told: pd.DataFrame, panel: pd.DataFrame, origin: pd.Timestamp, promotions: pd.DataFrame | None = None) -> Floats:
    """The mean units of the rows of a forecast, in their order, with each SKU where it stands.

    `told` has sku, channel, date and baseline of the days after the origin; `panel` is that of `demand.Demand`. Series that are
    too young keep their baseline, as do all where there are fewer than `market.FEWEST_WEEKS` weeks or no SKU is steadily on sale.
    `promotions` has sku and starts_on of those that ran and those that are planned; see `chosen`.
    """
    usual: Floats = told["baseline"].to_numpy(dtype=np.float64)
    seen = market_of(panel, origin)
    standing = None if seen is None else standing_of(*seen.weekly())
    if seen is None or standing is None:
        return usual
    series = seen.names.get_indexer(names_of(told))
    known = (series >= 0) & np.append(seen.expected > 0, False)[series]
    series, forecast = series[known], usual[known]
    day = (told["date"] - origin).dt.days.to_numpy()[known] - 1
    days = int(day.max(initial=0)) + 1
    own = seen.level(series, forecast) * np.exp(standing.ahead(days)[seen.sku[series], day])
    if promotions is not None and len(promotions):
        own *= np.exp(_chosen(told[known], promotions, seen, standing, origin))
    category, channel = seen.category[series], seen.channel[series]
    of_day = (category * (seen.channel.max() + 1) + channel) * days + day
    size = (int(of_day.max(initial=0)) + 1, int(category.max(initial=0)) + 1)
    shaped = own * (sums(of_day, forecast, size[0]) / np.maximum(sums(of_day, own, size[0]), LEAST))[of_day]
    wanted = sums(category, forecast, size[1])
    season = seen.season(standing.together, sums(channel, own, len(seen.market)), days)
    if season is not None:
        ratio, weight = season
        wanted = wanted ** (1 - weight) * sums(category, own * ratio[channel], size[1]) ** weight
    out = usual.copy()
    out[known] = shaped * (wanted / np.maximum(sums(category, shaped, size[1]), LEAST))[category]
    return out


def _chosen(told: pd.DataFrame, promotions: pd.DataFrame, seen: Market, standing: Standing, origin: pd.Timestamp) -> Floats:
    """The log of what planned promotions say of the level of each row."""
    skus = pd.Index(seen.names.get_level_values(0)[np.unique(seen.sku, return_index=True)[1]])
    begun = promotions[["sku", "starts_on"]].astype({"sku": object}).drop_duplicates()
    begun = begun.assign(row=skus.get_indexer(begun["sku"]), back=(origin - begun["starts_on"]).dt.days)
    begun = begun[begun["row"] >= 0]
    ran = begun[begun["back"] >= 0]
    pull = pull_of(standing, ran["row"], ran["back"])
    # Of several the next one to begin is told.
    start = (-begun.loc[begun["back"] < 0].groupby("sku")["back"].max()).astype("float64")
    ahead = np.asarray(told["sku"].astype(object).map(start), dtype=np.float64)
    day = np.asarray((told["date"] - origin).dt.days, dtype=np.float64)
    return np.where(np.isnan(ahead), 0.0, shift_of(standing.law, pull, ahead, day))
