"""A deeper discount is told no less than any shallower one that was tried."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sales_tech.forecasting.plan_features import Plan
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


def no_deeper(plan: Plan, column: str, depth: float) -> Plan:
    """The same plan where nothing is cut by more than a depth; where depths are shares, prices that were cut rise by as much."""
    values = dict(plan.rows.plan)
    cut = values[column]
    values[column] = np.minimum(cut, depth)
    if depth < 1:
        rise = np.divide(1 - depth, 1 - cut, out=np.ones(len(cut)), where=(cut > depth) & (cut < 1))
        for price in plan.of_role(PRICE):
            # A list price, which no discount moves, stays.
            low = values[price] < plan.references[price] * (1 - depth)
            values[price] = np.where(low, values[price] * rise, values[price])
    return Plan(plan.rows.with_plan(values), plan.roles, plan.neutral, plan.references)


def raised(mean: Floats, plan: Plan, at: Ints, tried: dict[str, Floats], told: Callable[[Plan, Bools], Floats]) -> Floats:
    """The means of the rows `at` of a plan, no less than at shallower depths; `told` are those of some of them under another plan."""
    mean = mean.copy()
    for column, depths in tried.items():
        cut = plan.rows.plan[column][at]
        for depth in depths.tolist():
            deeper = cut > depth + TINY
            if deeper.any():
                mean[deeper] = np.maximum(mean[deeper], told(no_deeper(plan, column, depth), deeper))
    return mean
