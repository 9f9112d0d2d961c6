"""What a date is known for long before: weekday, place in month and year, holidays and the days about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import holidays
import numpy as np
import pandas as pd

from sales_tech.forecasting.occasions import Occasion, occasion_columns, occasions_of
from sales_tech.forecasting.rows import Floats
from sales_tech.retail_dates import black_friday

NEAR = 10
YEAR = 364


def calendar_of(
    first: pd.Timestamp, periods: int, length: pd.Timedelta, country: str | None, own: Sequence[Occasion] = (), *, weeks: str | None = None
) -> pd.DataFrame:
    """One row per period since `first`: numbers, and `name`, the holiday of the day (the first in it, of a week).

    `ago` is how many periods back the period stands that the year before compares with: 52 weeks, or as far as
    the same holiday is, for the days about one; of a holiday of several days, the same one of them. Without a country there are
    no holidays. Columns of occasions (see `occasions`), by day the country's and always one's `own`, have the share of the period
    that lies in them. The date of a week is that of its "first" or "last" day, as `weeks` says; None: of the first where that is
    a Monday.
    """
    days = int(length / pd.Timedelta(days=1))
    if days > 1 and (weeks == "last" or (weeks is None and first.day_of_week != 0)):
        first = first - pd.Timedelta(days=days - 1)
    dates = pd.DatetimeIndex(first + np.arange(periods) * length)
    named = _named_days(dates[0], dates[-1] + length, country)
    held = _held(dates, days, named)
    marks = np.array([one != "" for one in held])
    before, after = _distances(dates, days, named)
    table = pd.DataFrame(
        {
            "weekday": dates.day_of_week.astype(np.float64),
            "day_of_month": dates.day.astype(np.float64),
            "week_of_year": np.minimum(dates.isocalendar().week.to_numpy(dtype=np.float64), 52.0),
            "day_of_year": dates.day_of_year.astype(np.float64),
            "to_month_end": (dates.days_in_month - dates.day).astype(np.float64),
            "since_payday": _since_payday(dates),
            "holiday": marks.astype(np.float64),
            "to_holiday": after,
            "since_holiday": before,
            "ago": _year_ago(dates, days, named),
        }
    )
    # A week tells its holiday already; on real sales by week, seen for little more than a year, occasions told nothing more.
    known = occasions_of(country, range(dates[0].year - 1, dates[-1].year + 2)) if days == 1 else []
    return table.assign(name=held, **occasion_columns([*known, *own], dates, days))


def _named_days(first: pd.Timestamp, last: pd.Timestamp, country: str | None) -> dict[date, str]:
    if country is None:
        return {}
    years = range(first.year - 2, last.year + 2)
    try:
        # By itself the library follows the environment's language, and with it the names by which years are matched.
        found = dict(holidays.country_holidays(country, years=years, language="en_US"))
    except NotImplementedError as error:
        raise ValueError(f"country is {country!r}, of which no holidays are known; expected an ISO code such as BR, or None") from error
    for year in years:
        found.setdefault(black_friday(year), "Black Friday")
        found.setdefault(date(year, 12, 25), "Christmas")
    return {day: str(name) for day, name in sorted(found.items())}


def _held(dates: pd.DatetimeIndex, days: int, named: dict[date, str]) -> list[str]:
    told = []
    for day in dates.date:
        within = (named.get(day + timedelta(days=ahead), "") for ahead in range(days))
        told.append(next((name for name in within if name), ""))
    return told


def _distances(dates: pd.DatetimeIndex, days: int, named: dict[date, str]) -> tuple[Floats, Floats]:
    if not named:
        none = np.full(len(dates), float(NEAR))
        return none, none.copy()
    at = np.array([day.toordinal() for day in dates.date])
    marks = np.array([day.toordinal() for day in named])
    next_mark = marks[np.clip(np.searchsorted(marks, at), 0, len(marks) - 1)]
    last_mark = marks[np.clip(np.searchsorted(marks, at + days, side="left") - 1, 0, len(marks) - 1)]
    after = np.clip(next_mark - at, 0, NEAR * days).astype(np.float64)
    before = np.clip(at - last_mark, 0, NEAR * days).astype(np.float64)
    return before, after


def _since_payday(dates: pd.DatetimeIndex) -> Floats:
    # Wages come about the fifth of a month and about its twentieth.
    day = dates.day.to_numpy(dtype=np.float64)
    told: Floats = np.where(day >= 20, day - 20, np.where(day >= 5, day - 5, day + 10))
    return told


def _year_ago(dates: pd.DatetimeIndex, days: int, named: dict[date, str]) -> Floats:
    usual = YEAR // days
    if not named or days > 1:
        return np.full(len(dates), float(usual))
    by_name: dict[tuple[str, int], list[date]] = {}
    for day, name in named.items():
        by_name.setdefault((name, day.year), []).append(day)
    marks = list(named)
    ordinals = np.array([day.toordinal() for day in marks])
    told = np.full(len(dates), float(usual))
    for place, day in enumerate(dates.date):
        at = day.toordinal()
        nearest = marks[int(np.abs(ordinals - at).argmin())]
        name, year = named[nearest], nearest.year
        back = by_name.get((name, year - 1))
        if abs(nearest.toordinal() - at) <= 1 and back is not None:
            # A holiday of several days is compared day by day.
            which = by_name[name, year].index(nearest)
            told[place] = (nearest - back[min(which, len(back) - 1)]).days
    return told
