"""How sure a forecast with a promotion is: the range of the baseline and that of the effect put together."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from sales_tech.forecasting.rows import Floats
from sales_tech.planning.lookup import runs

# Standard normal deviate of the ends of an 80 % interval.
TAIL = 1.2816
# How far demand as a whole strays within the horizon, as a standard deviation of its log: no sum over series is surer than this.
MARKET = 0.05


def row_range(rows: Mapping[str, np.ndarray] | pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """Low, median and high units of each row, never negative.

    Rows have baseline_units, baseline_low, baseline_median, baseline_high, and by what share the promotion moves them: uplift,
    uplift_low, uplift_high. The two errors are taken as independent.
    """
    usual, low, median, high = (
        np.asarray(rows[name], dtype=np.float64) for name in ("baseline_units", "baseline_low", "baseline_median", "baseline_high")
    )
    lift, least, most = (np.asarray(rows[name], dtype=np.float64) for name in ("uplift", "uplift_low", "uplift_high"))
    middle = median * (1 + lift)
    below = np.hypot((median - low) * (1 + lift), usual * np.maximum(lift - least, 0.0))
    above = np.hypot((high - median) * (1 + lift), usual * np.maximum(most - lift, 0.0))
    return np.maximum(middle - below, 0.0), middle, middle + above


def total_spread(rows: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """How far the baseline of the sum over rows may lie below and above it, in units; rows are ordered by SKU and channel.

    Of the range of a row, what chance does to its count is its own; what is beyond it the rows of a series (sku, channel)
    share; and MARKET all series share.
    """
    usual = rows["baseline_units"]
    begins = [span.start for _, span in runs(rows["sku"], rows["channel"])]
    chance = float(usual.sum())
    told = []
    for near, far in (("baseline_low", "baseline_median"), ("baseline_median", "baseline_high")):
        spread = (rows[far] - rows[near]) / TAIL
        series = np.add.reduceat(np.sqrt(np.maximum(np.square(spread) - usual, 0.0)), begins)
        told.append(TAIL * math.sqrt(chance + float(np.square(series).sum()) + (MARKET * chance) ** 2))
    return told[0], told[1]
