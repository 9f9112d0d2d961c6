"""Intervals of draws, also where many of them are one value."""

from __future__ import annotations

import numpy as np

from sales_tech.promotions.panel import Floats


def credible_interval(draws: Floats, level: float) -> tuple[Floats, Floats]:
    """Low and high end of the interval that holds `level` of the draws (draws, columns), with equal tails where that can be.

    Where many draws are one value, as where a promotion may have no effect at all, an end at that value leaves nothing out on
    its side beyond it, and the other end moves in, else the interval would hold more than `level`; but never past the mean of the
    draws, which is what is told beside it.
    """
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    mean = draws.mean(axis=0)
    for column in range(draws.shape[1]):
        mine = draws[:, column]
        below, above = float((mine < low[column]).mean()), float((mine > high[column]).mean())
        if (mine == low[column]).sum() > 1 and below < tail:
            high[column] = max(low[column], np.quantile(mine, min(below + level, 1.0)))
        elif (mine == high[column]).sum() > 1 and above < tail:
            low[column] = min(high[column], np.quantile(mine, max(1 - above - level, 0.0)))
    return np.minimum(low, mean), np.maximum(high, mean)
