"""Days without a sale that say nothing of demand: shops were shut, or what they sold was lost."""

from __future__ import annotations

import numpy as np

from sales_tech.forecasting.rows import Bools, Rows

ENOUGH, ALWAYS, LARGE, LEAST, LONGEST = 8, 0.9, 20.0, 0.1, 7
"""Days of a weekday, the share of them that sold, their mean units, and the least that ever sold as a part of it, from which on a
day without a sale is no luck; and for how many days that may last until the series sells again."""


def outages(rows: Rows, holiday: Bools) -> Bools:
    """The rows by day without a sale of series that always sold much on such weekdays, and do again; none by week.

    Days that are a `holiday`, by period, are none of them, since they come again.
    """
    if rows.week == 1:
        return np.zeros(len(rows.code), dtype=bool)
    weekday = rows.code * rows.week + rows.period % rows.week
    usual = rows.known & ~holiday[rows.period]
    size = int(rows.code.max() + 1) * rows.week
    days, sold, units = (np.bincount(weekday[usual], of[usual], size) for of in (np.ones(len(usual)), rows.units > 0, rows.units))
    least, some = np.full(size, np.inf), usual & (rows.units > 0)
    np.minimum.at(least, weekday[some], rows.units[some])
    least[np.isinf(least)] = 0.0
    # What is bought in lots may sell little or nothing on any day.
    sure = (days >= ENOUGH) & (sold >= ALWAYS * days) & (units >= LARGE * days) & (least * days >= LEAST * units)
    at = np.arange(len(usual))
    before = np.maximum.accumulate(np.where(rows.units > 0, at, -1))
    after = np.minimum.accumulate(np.where(rows.units > 0, at, len(at))[::-1])[::-1]
    short = (before >= rows.start) & (after < rows.stop) & (after - before - 1 <= LONGEST)
    told: Bools = usual & (rows.units == 0) & sure[weekday] & short
    return told
