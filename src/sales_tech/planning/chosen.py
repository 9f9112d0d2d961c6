"""What it says of a SKU that a promotion is planned for it: planners choose what sells slowly, or well, at the time.

If the odds of being chosen rise with exp(-pull * level), the level of a chosen SKU lies lower than expected by pull times its variance
(the mean of a normal distribution that is tilted so). Past promotions tell the pull: by how much SKUs sold less in the week before
one began than had been expected some weeks earlier.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sales_tech.forecasting.rows import Floats
from sales_tech.planning.states import LEAD, WEEK, Law, Standing

# Levels are not known well before.
FIRST_WEEK = 13
FEWEST = 10
LARGEST = 0.5


def pull_of(standing: Standing, sku: pd.Series, back: pd.Series) -> float:
    """The pull of promotions by their SKU (row of the standing) and the days from their first to the origin; 0 where it may be chance."""
    surprise, variance = standing.surprise, standing.surprise_variance
    weeks = surprise.shape[1]
    # The week that ends before the first day.
    week = weeks - 2 - np.asarray(back, dtype=np.int64) // WEEK
    row = np.asarray(sku, dtype=np.int64)[week >= FIRST_WEEK + LEAD]
    week = week[week >= FIRST_WEEK + LEAD]
    expected = variance[row, week]
    some = (expected > 0) & standing.steady[row]
    if some.sum() < FEWEST:
        return 0.0
    total = float(expected[some].sum())
    pull = -float(surprise[row, week][some].sum()) / total
    # Its variance is 1 / total: what is no farther from 0 than that is none (the positive part of James and Stein 1961).
    return pull * max(0.0, 1 - 1 / (total * pull**2)) if pull else 0.0


def shift_of(law: Law, pull: float, start: Floats, day: Floats) -> Floats:
    """The log of what a promotion that starts so many days ahead says of the level so many days ahead, up to LARGEST."""
    keep = 0.5 ** (1 / law.half_life)
    told_on = np.maximum(start - WEEK // 2 - 1, 0)
    shared = law.deviation_sd**2 * (keep ** np.abs(told_on - day) - keep ** (told_on + day))
    shift: Floats = np.clip(-pull * shared, -LARGEST, LARGEST)
    return shift
