"""A forecast put together with where each SKU stands: who sells how much is told by states, how much in all by both.

The forecast tells the shape of the days ahead and the sum of each category; the shares of SKUs in it are those of `states`. Where the
same days of a year ago are known, the sum of each category lies between the forecast's and what states and the season of a
year ago say, as a geometric mean: two unlike answers stray less than either.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sales_tech.forecasting.rows import Floats
from sales_tech.planning.market import LEAST, market_of, names_of, sums
from sales_tech.planning.states import standing_of


def restated(told: pd.DataFrame, panel: pd.DataFrame, origin: pd.Timestamp) -> Floats:
    """The mean units of the rows of a forecast, in their order, with each SKU where it stands.

    `told` has sku, channel, date and baseline of the days after the origin; `panel` is that of `demand.Demand`. Series that are
    too young keep their baseline, as do all where there are fewer than `market.FEWEST_WEEKS` weeks or no SKU is steadily on sale.
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
