"""What all series of a source sold together from day to day, beside the level of each: the season that is the same for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sales_tech.forecasting.rows import Floats, Ints
from sales_tech.planning.ranges import MARKET
from sales_tech.planning.states import WEEK

MOST_WEEKS = 110
FEWEST_WEEKS = 26
A_YEAR = 52 * WEEK
# Where the market stands is told by the days of eight weeks, beside the same ones a year before.
LATELY = 56
# The first days of a product that came later than the first ones by as long are those of its launch.
LAUNCH = 42
ROUNDS = 3
# A channel that sold less than this part of its usual units for weeks was closed.
THERE = 0.05
LEAST = 1e-9


@dataclass(frozen=True)
class Market:
    """Days on which series that go on could sell: of each its series, days back from the origin, units, and factor of what moved them.

    `market` (channel, day back) is what all series of a channel sold beside their level on each day. By series: names,
    number of SKU, channel and category, units sold, and those expected of a level of 1.
    """

    names: pd.MultiIndex
    sku: Ints
    channel: Ints
    category: Ints
    series: Ints
    back: Ints
    units: Floats
    factor: Floats
    market: Floats
    sold: Floats
    expected: Floats

    def weekly(self) -> tuple[Floats, Floats]:
        """Units and usual units, (SKU, week)."""
        weeks = self.market.shape[1] // WEEK
        at = self.sku[self.series] * weeks + weeks - 1 - self.back // WEEK
        level = self.sold / np.maximum(self.expected, LEAST)
        usual = level[self.series] * self.factor * self.market[self.channel[self.series], self.back]
        size = int(self.sku.max()) + 1
        return sums(at, self.units, size * weeks).reshape(size, weeks), sums(at, usual, size * weeks).reshape(size, weeks)

    def level(self, series: Ints, forecast: Floats) -> Floats:
        """Units of a day of each row's series in a usual market; what hardly sold is drawn to its forecast by one unit."""
        count = np.maximum(np.bincount(series, minlength=len(self.sold)), 1)
        mean = np.bincount(series, forecast, len(self.sold)) / count
        told: Floats = (self.sold + 1) / (self.expected + 1 / np.maximum(mean, LEAST))
        return told[series]

    def season(self, together: Floats, usual: Floats, days: int) -> tuple[Floats, float] | None:
        """By channel, the market of the days ahead by the same ones of a year ago, and how far to trust it beside a forecast, 0 to 1.

        `usual` is what each channel sells. The trust is what inverse variances give: of a forecast that strays by MARKET, and of years as
        unlike as they were at origins before, seen from the same place. None where no such origin is known, or none of the channels that
        sell was there all the time; one that was not is told as the others together.
        """
        origins = np.arange(days, self.market.shape[1] - A_YEAR - LATELY + 1, WEEK)
        if not len(origins):
            return None
        weeks = np.arange(self.market.shape[1]) // WEEK
        market = self.market * np.exp(together[len(together) - 1 - weeks])
        lately = np.stack([market[:, at : at + LATELY].mean(axis=1) for at in range(market.shape[1] - LATELY + 1)], axis=1)
        after = np.stack([market[:, at : at + days].mean(axis=1) for at in range(market.shape[1] - days + 1)], axis=1)
        there = (usual > 0) & (lately.min(axis=1) >= THERE)
        if not there.any():
            return None
        share = np.where(there, usual, 0.0) / float(usual[there].sum())
        now, before = ((share @ after[:, at - days]) / (share @ lately[:, at]) for at in (origins, origins + A_YEAR))
        error = float(np.square(np.log(now / before)).mean())
        ratio: Floats = lately[:, 0] * after[:, A_YEAR - days] / np.maximum(lately[:, A_YEAR], LEAST)
        ratio = np.where(there, ratio, share @ np.where(there, ratio, 0.0))
        return ratio, MARKET**2 / (MARKET**2 + error)


def market_of(panel: pd.DataFrame, origin: pd.Timestamp) -> Market | None:
    """The market of a panel as in `demand.Demand`, of the series that reach the origin; None for fewer than FEWEST_WEEKS weeks."""
    by_series = panel.groupby(["sku", "channel"], observed=True, sort=True)
    number, back = by_series.ngroup().to_numpy(), (origin - panel["date"]).dt.days.to_numpy()
    about = by_series["category"].first().reset_index()
    began, ended = (getattr(pd.Series(back).groupby(number), name)().to_numpy() for name in ("max", "min"))
    goes_on = ended[number] == 0
    weeks = min((int(back[goes_on].max(initial=-1)) + 1) // WEEK, MOST_WEEKS)
    if weeks < FEWEST_WEEKS:
        return None
    launched = np.where(began < began[ended == 0].max() - LAUNCH, np.minimum(LAUNCH, (began - ended + 1) // 2), 0)
    some = goes_on & (back <= (began - launched)[number]) & (back < weeks * WEEK) & (panel["available"].to_numpy() > 0)
    sku, channel, category = (pd.factorize(about[name].astype(object), sort=True)[0] for name in ("sku", "channel", "category"))
    series, back, units = number[some], back[some], panel["units"].to_numpy(dtype=np.float64)[some]
    factor = np.exp(panel["log_uplift"].to_numpy(dtype=np.float64)[some])
    days = weeks * WEEK
    market = np.ones((int(channel.max()) + 1, days))
    of_day = channel[series] * days + back
    sold = sums(series, units, len(about))
    # Levels free of the market and the market free of levels are each told by the other.
    for _ in range(ROUNDS):
        expected = sums(series, factor * market.ravel()[of_day], len(about))
        usual = (sold / np.maximum(expected, LEAST))[series] * factor
        market = sums(of_day, units, market.size) / np.maximum(sums(of_day, usual, market.size), LEAST)
        market = np.maximum(market.reshape(-1, days), LEAST)
        market /= market.mean()
    expected = sums(series, factor * market.ravel()[of_day], len(about))
    return Market(names_of(about), sku, channel, category, series, back, units, factor, market, sold, expected)


def sums(at: Ints, values: Floats, size: int) -> Floats:
    """The sum of the values at each of so many places."""
    told: Floats = np.bincount(at, values, size).astype(np.float64)
    return told


def names_of(frame: pd.DataFrame) -> pd.MultiIndex:
    """SKU and channel of rows."""
    return pd.MultiIndex.from_frame(frame[["sku", "channel"]].astype(object))
