"""A deeper discount is told no less than any shallower one that was tried."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from sales_tech.forecasting.plan_features import AHEAD, Plan
from sales_tech.forecasting.roles import DEPTH, PRICE
from sales_tech.forecasting.rows import Bools, Floats, Ints

# Depths of a column that are looked at: each costs a forecast of all that is cut deeper.
MOST = 6
TINY = 1e-9


def tried_depths(plan: Plan) -> dict[str, Floats]:
    """By column of depths those that the known rows had, at most MOST of them, from the smallest to the greatest."""
    told = {}
    for column in plan.of_role(DEPTH):
        values = np.unique(plan.rows.plan[column][plan.rows.known])
        values = values[values > 0]
        if len(values):
            told[column] = np.unique(np.quantile(values, np.linspace(0, 1, MOST), method="nearest"))
    return told


def no_deeper(plan: Plan, column: str, depth: float, above: float = np.inf) -> Plan:
    """The same plan where nothing is cut by more than a depth; where depths are shares, prices that were cut rise by as much.

    What is planned to be cut by more than `above` is cut by no less either, and its prices fall by as much.
    """
    values = dict(plan.rows.plan)
    cut = values[column]
    values[column] = np.where((cut > above + TINY) & (values[AHEAD] > 0), depth, np.minimum(cut, depth))
    if depth < 1:
        changed = (values[column] != cut) & (cut < 1)
        change = np.divide(1 - values[column], 1 - cut, out=np.ones(len(cut)), where=changed)
        for price in plan.of_role(PRICE):
            # A list price, which no discount moves, stays.
            least = np.where(values[column] > cut, cut / 2, depth)
            low = values[price] < plan.references[price] * (1 - least)
            values[price] = np.where(low, values[price] * change, values[price])
    return Plan(plan.rows.with_plan(values), plan.roles, plan.neutral, plan.references)


def raised(mean: Floats, baseline: Floats, plan: Plan, at: Ints, tried: dict[str, Floats], told: Callable[[Plan, Bools], Floats]) -> Floats:
    """The means of the rows `at` of a plan, which rise with each depth from the least to the greatest that was tried.

    At depths that were tried they are no less than at shallower ones and the `baseline`; between two of them they follow the logs of
    both. `told` are the means of some of the rows under another plan.
    """
    for column, depths in tried.items():
        cut = plan.rows.plan[column][at]
        most, upper, since, until = baseline.copy(), np.full(len(at), np.nan), np.zeros(len(at)), np.ones(len(at))
        for shallower, depth in pairwise([np.inf, *depths.tolist()]):
            deeper = cut > depth + TINY
            within = (cut > shallower + TINY) & (cut < depth - TINY)
            asked = deeper | within
            if not asked.any():
                continue
            value = most.copy()
            value[asked] = np.maximum(most[asked], told(no_deeper(plan, column, depth, shallower), asked))
            upper[within], until[within] = value[within], depth
            most[deeper], since[deeper] = value[deeper], depth
        part = (cut - since) / (until - since)
        with np.errstate(divide="ignore", invalid="ignore"):
            between = np.where(most > 0, most * (upper / most) ** part, 0.0)
        rising = np.where(~np.isnan(upper), between, np.where(cut > TINY, np.maximum(mean, most), mean))
        # What several columns say of a row has no order of its own.
        mean = rising if len(tried) == 1 else np.maximum(mean, rising)
    return mean
