"""Whose holidays a panel keeps: told from the days on which its sales left their usual way."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import numpy as np
import pandas as pd

from sales_tech.forecasting.occasions import Occasion, occasions_of
from sales_tech.forecasting.rows import Bools, Floats, Rows

AUTO, BRAZIL = "auto", "BR"
CANDIDATES = (
    *("AR", "AT", "AU", "BE", "CA", "CH", "CL", "CN", "CO", "CZ", "DE", "DK", "EC", "ES", "FI", "FR", "GB", "GR", "HU", "IE", "IN"),
    *("IT", "JP", "KR", "MX", "NL", "NO", "NZ", "PE", "PL", "PT", "RO", "RU", "SE", "TR", "US", "ZA"),
)
NEIGHBOURS = 4
"""Weeks before and after, whose same weekdays tell what was usual."""
LUCK, MOST, CLEAR = 2.0, 8.0, 12.0
"""In units of the days' scatter: what a day may be off by luck, what counts of one, and what has to be seen before Brazil is left."""


def country_of(rows: Rows, country: str | None) -> str | None:
    """The country itself, where it is not AUTO; otherwise the one whose holidays the past shows best.

    By day, that is Brazil, unless the sales were off on enough days that are holidays elsewhere and not there, and the other
    country explains all such days better. Panels by week do not tell, and are taken for Brazilian.
    """
    if country != AUTO:
        return country
    if rows.week == 1:
        return BRAZIL
    dates = pd.date_range(rows.first, periods=int(rows.period.max()) + 1)
    days = {day: place for place, day in enumerate(dates.date)}
    brazilian = _holidays(BRAZIL, days)
    # What Brazilians buy for, and where they are free without a law, is no sign of elsewhere.
    busy = {day for one in occasions_of(BRAZIL, range(dates[0].year - 1, dates[-1].year + 2)) for day in _days(one) if day in days}
    own = brazilian | busy | _holidays(BRAZIL, days, "optional")
    off = _off(rows, np.array([day in busy for day in days]))
    told = {BRAZIL: _evidence(off, days, brazilian)}
    for candidate in CANDIDATES:
        theirs = _holidays(candidate, days)
        if _evidence(off, days, theirs - own) >= CLEAR:
            told[candidate] = _evidence(off, days, (theirs - own) | (theirs & brazilian))
    # Brazil comes first, and so wins where it is as good.
    return max(told, key=lambda one: told[one])


def _off(rows: Rows, busy: Bools) -> Floats:
    # By period, how far the sum of all series, each drawn to its own size, is from that of the weekdays about it, those of `busy` times not
    # among them: a log over its scatter.
    seen = rows.known | rows.closed
    weekday = rows.code * rows.week + rows.period % rows.week
    size = int(rows.code.max() + 1)
    days, units = (np.bincount(weekday[seen], of[seen], size * rows.week) for of in (np.ones(len(seen)), rows.units))
    usual = units / np.maximum(days, 1)
    whole = usual.reshape(size, rows.week).mean(axis=1)
    weight = 1 / np.sqrt(np.maximum(whole, 1e-9))[rows.code]
    periods = int(rows.period.max()) + 1
    sold, expected = (np.bincount(rows.period[seen], (weight * of)[seen], periods) for of in (rows.units, usual[weekday]))
    ratio = np.where(expected > 0, sold / np.where(expected > 0, expected, 1.0), np.nan)
    logs = np.log(ratio + 0.05)
    quiet = np.where(busy, np.nan, logs)
    about = np.full((2 * NEIGHBOURS, periods), np.nan)
    for place, weeks in enumerate((*range(-NEIGHBOURS, 0), *range(1, NEIGHBOURS + 1))):
        shift = weeks * rows.week
        if abs(shift) >= periods:
            continue
        about[place, max(shift, 0) : periods + min(shift, 0)] = quiet[max(-shift, 0) : periods + min(-shift, 0)]
    known = np.isfinite(logs) & (np.isfinite(about).sum(axis=0) > 1)
    told = np.zeros(periods)
    told[known] = np.abs(logs[known] - np.nanmedian(about[:, known], axis=0))
    scatter = 1.4826 * float(np.median(told[known])) if known.any() else 0.0
    return told / max(scatter, 0.01)


def _evidence(off: Floats, days: dict[date, int], kept: set[date]) -> float:
    return float(sum(min(off[days[day]], MOST) - LUCK for day in kept))


def _holidays(country: str, days: dict[date, int], category: str = "public") -> set[date]:
    years = range(min(days).year, max(days).year + 1)
    return {day for day in holidays.country_holidays(country, years=years, categories=category) if day in days}


def _days(occasion: Occasion) -> list[date]:
    return [occasion.first + timedelta(days=ahead) for ahead in range((occasion.last - occasion.first).days + 1)]
