"""Periods without a sale that say nothing of demand: shops were shut, or what they sold was lost."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sales_tech.forecasting.rows import WEEKS_OF_YEAR, Bools, Floats, Ints, Rows

ENOUGH, ALWAYS, LARGE, LEAST, LONGEST = 8, 0.9, 20.0, 0.1, 7
"""Days of a weekday, the share of them that sold, their mean units, and the least that ever sold as a part of it, from which on a
day without a sale is no luck; and for how many days that may last until the series sells again."""
LONGEST_OF_ALL = 8
"""For how many weeks nothing may be sold in all series of a group until it sells again; after that it may be another shop."""


def outages(rows: Rows, holiday: Bools) -> Bools:
    """The rows by day without a sale of series that always sold much on such weekdays, and do again; none by week.

    Days that are a `holiday`, by period, are none of them, since they come again.
    """
    if rows.week == 1:
        return np.zeros(len(rows.code), dtype=bool)
    weekday = rows.code * rows.week + rows.period % rows.week
    usual = rows.known & ~holiday[rows.period]
    sure = _always_much(weekday, usual, rows.units, int(rows.code.max() + 1) * rows.week)[0]
    before, after = _about(rows.units > 0)
    short = (before >= rows.start) & (after < rows.stop) & (after - before - 1 <= LONGEST)
    told: Bools = usual & (rows.units == 0) & sure[weekday] & short
    return told


def closings(rows: Rows, holiday: Bools, groups: Iterable[Ints]) -> Bools:
    """The rows of stretches, longer than those of `outages`, in which nothing was sold in any series of a group that always sells much.

    `holiday` goes on to the last period that is predicted. Each of `groups` numbers the series from 0 on by the group that they belong
    to, with -1 for none. A stretch that came again a year later is a season, and so may be one that would do so ahead.
    """
    span = int(rows.period.max()) + 1
    told = np.zeros(len(rows.code), dtype=bool)
    for group in groups:
        number = group[rows.code]
        at = (number * span + rows.period)[number >= 0]
        if len(at):
            size = (int(group.max()) + 1) * span
            sold, there = (np.bincount(at, of[number >= 0], size).astype(np.float64) for of in (rows.units, rows.known))
            told[number >= 0] |= _shut(sold, there > 0, holiday, rows.week, span)[at]
    lost: Bools = told & rows.known & (rows.units == 0)
    return lost


def _shut(sold: Floats, there: Bools, holiday: Bools, week: int, span: int) -> Bools:
    # Periods of groups, those of one after those of another, each of `span` periods.
    day = np.arange(len(sold))
    group, period = day // span, day % span
    before, after = _about(sold > 0)
    length = after - before - 1
    within = (before >= group * span) & (after < (group + 1) * span)
    long = (sold == 0) & within & (length > LONGEST * week // 7) & (length <= LONGEST_OF_ALL * week)
    weekday = group * week + period % week
    sure, never = _always_much(weekday, there & ~long & ~holiday[period], sold, int(weekday.max()) + 1)
    year = WEEKS_OF_YEAR * week
    later, earlier = (np.roll(long, -by) & (period + by >= 0) & (period + by < span) for by in (year, -year))
    again = (period + year >= span) & (period + year < len(holiday) + 2 * week)
    doubted = long & (later | earlier | again | ~(sure | never)[weekday])
    whole = np.bincount(before[long], doubted[long], len(sold))[before] == 0
    told: Bools = long & whole & sure[weekday]
    return told


def _about(some: Bools) -> tuple[Ints, Ints]:
    # The places of the last and of the next one; -1 and the length where there is none.
    at = np.arange(len(some))
    before: Ints = np.maximum.accumulate(np.where(some, at, -1))
    after: Ints = np.minimum.accumulate(np.where(some, at, len(at))[::-1])[::-1]
    return before, after


def _always_much(weekday: Ints, usual: Bools, units: Floats, size: int) -> tuple[Bools, Bools]:
    # Which weekdays always sell much, and which never anything.
    days, sold, all_units = (np.bincount(weekday[usual], of[usual], size) for of in (np.ones(len(usual)), units > 0, units))
    least, some = np.full(size, np.inf), usual & (units > 0)
    np.minimum.at(least, weekday[some], units[some])
    least[np.isinf(least)] = 0.0
    # What is bought in lots may sell little or nothing on any day.
    sure = (days >= ENOUGH) & (sold >= ALWAYS * days) & (all_units >= LARGE * days) & (least * days >= LEAST * all_units)
    return sure, sold == 0
