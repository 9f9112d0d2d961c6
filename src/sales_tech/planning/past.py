"""What planning is given of one source: its rows, and what the analysis of its promotions says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sales_tech.contracts.calendar import RetailCalendar
from sales_tech.forecasting.outages import outages
from sales_tech.forecasting.rows import Bools, Floats, Rows
from sales_tech.promotions.frames import Estimates, SourceFrames

WEEK = 7
# Sales of the last week and day must be this part of those of a usual one, or the days are not whole yet.
WHOLE = 0.25
RECENT_DAYS = 28
USUAL_DAYS = 91
FEWEST_DAYS = 56
COUNTRIES = {"BRL": "BR", "USD": "US"}


class TooLittleHistory(ValueError):
    """A source's sales do not reach back far enough to tell what is to come."""


@dataclass(frozen=True)
class SourcePast:
    """One source's rows, and of the analysis of its promotions the rows that planning needs; these may be empty.

    `frames` as the analysis takes them. `results`, `daily`, `response` and `elasticity` have columns of gold.promotion_results,
    gold.promotion_daily, gold.promotion_response and gold.price_elasticity, money and units as floats; `currency` is the ISO
    code of all money, `calendar` what the source's pack says of its own days, None where no pack
    is known.
    """

    frames: SourceFrames
    results: pd.DataFrame
    daily: pd.DataFrame
    response: pd.DataFrame
    elasticity: pd.DataFrame
    currency: str = "BRL"
    calendar: RetailCalendar | None = None

    @property
    def days(self) -> dict[str, Any]:
        """What `PromotionPlanner` is told of the days: `occasions`, and as `country` the calendar's or else the currency's."""
        told = self.calendar or RetailCalendar()
        return {"country": told.country or COUNTRIES.get(self.currency), "occasions": told.days}

    @classmethod
    def of(cls, frames: SourceFrames, estimates: Estimates, currency: str = "BRL") -> SourcePast:
        """The past of a source whose promotions have just been estimated."""
        return cls(frames, estimates.results, estimates.daily, estimates.response, estimates.elasticity, currency)


def whole_days(sold_on: pd.Series, units: pd.Series) -> tuple[pd.Timestamp, pd.Timestamp, list[str]]:
    """The first day, the last day up to which sales are whole, and a note where days after it are left out.

    Exports end with orders of a few days that are not complete. TooLittleHistory for fewer than FEWEST_DAYS days.
    """
    if sold_on.empty:
        raise TooLittleHistory("the source has no sale; expected rows of gold.daily_sales")
    by_day = units.groupby(sold_on, sort=True).sum()
    first, last = pd.Timestamp(by_day.index[0]), pd.Timestamp(by_day.index[-1])
    daily = by_day.reindex(pd.date_range(first, last, freq="D"), fill_value=0)
    weekly = daily.rolling(WEEK, min_periods=1).sum()
    usual = weekly.rolling(USUAL_DAYS, min_periods=1).median().shift(WEEK).bfill()
    usual_day = daily.rolling(RECENT_DAYS, min_periods=1).median().shift(1).bfill()
    whole = np.flatnonzero(((weekly >= WHOLE * usual) & (daily > 0) & (daily >= WHOLE * usual_day)).to_numpy())
    origin = pd.Timestamp(daily.index[whole[-1]]) if len(whole) else last
    notes = []
    if origin < last:
        notes.append(
            f"sales after {origin:%Y-%m-%d} are too few to be whole ({int(daily[origin:].iloc[1:].sum())} units up to {last:%Y-%m-%d}), "
            "so forecasts begin the day after it"
        )
    days = (origin - first).days + 1
    if days < FEWEST_DAYS:
        raise TooLittleHistory(f"only {days} days of sales are known, at least {FEWEST_DAYS} are needed to tell what is to come")
    return first, origin, notes


def days_lost(past: SourcePast, first: pd.Timestamp, units: Floats) -> Bools:
    """Which days since `first`, of which `units` are all that the source sold, say nothing of demand, see `forecasting.outages`."""
    from sales_tech.forecasting.calendar_features import calendar_of  # takes long to import, and a query needs it not

    day, days = pd.Timedelta(days=1), len(units)
    country = past.days["country"]
    holiday = calendar_of(first, days, day, country)["name"].to_numpy(dtype=str) != ""
    none = np.zeros(days, dtype=bool)
    return outages(Rows(np.zeros(days, dtype=np.int64), np.arange(days), units, ~none, none, {}, first, day), holiday)


def horizon_of(days: int, wanted: int) -> int:
    """How many days ahead a history of so many days can tell: a third of it in whole weeks, where that is less than wanted."""
    return min(wanted, max(days // 3 // WEEK, 2) * WEEK)
