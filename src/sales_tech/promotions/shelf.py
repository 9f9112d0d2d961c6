"""Where stock is not reported: the chance that a SKU was on the shelf, told from how long it did not sell.

Each SKU and store is a hidden Markov chain of two states, on the shelf and out. Out, nothing sells; on the shelf,
customers are negative binomial about what is expected (a zero-inflated count, Lambert 1992, whose zeros last; filter,
smoother and expectation-maximization of Baum and Welch, see Rabiner 1989). Rates are shared by all chains, apart
for days within promotions. Days that are likely out count as censored, not as days of low demand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sales_tech.promotions.panel import Bools

Cells = NDArray[np.float32]
MOST_INFORMATIVE = 4000
ROUNDS = 20
SHORTEST, LONGEST = 1.5, 20.0
LARGEST_RATE = 0.05
FEWEST_CUSTOMERS, BELIEF, NEWTON_STEPS = 0.05, 25.0, 5
LEAST_EXPECTED, TYPICAL_SCATTER = 0.05, 0.25
MOST_SALES = np.float32(80)


@dataclass(frozen=True)
class ShelfRates:
    """Chance of running out on a day, without and within a promotion; chance of being refilled on a day out.

    `scatter` is the squared coefficient of variation of a cell's own luck (0: Poisson), and `customers` how many there are for
    each unit: where some take several, more days sell none than of as many units for one each.
    """

    runs_out: float = 0.005
    runs_out_promoted: float = 0.01
    refilled: float = 0.2
    customers: float = 1.0
    scatter: float = 0.0


def on_shelf(units: Cells, expected: Cells, promoted: Bools, known: Bools) -> tuple[Cells, ShelfRates]:
    """Probability of having been on the shelf by day and chain, and the rates found.

    All arrays are (T, N). `expected` are units if on the shelf; cells that are not `known`, as on days when the
    store is closed, tell nothing.
    """
    telling = np.argsort(-np.where(known, expected, 0).sum(axis=0))[:MOST_INFORMATIVE]
    few_units, few_expected = units[:, telling], expected[:, telling]
    few_promoted, few_known = promoted[:, telling], known[:, telling]
    sold = float((few_units * few_known).sum(dtype=np.float64))
    rates, there, level = ShelfRates(), few_known.astype(np.float32), np.float32(1)
    for _ in range(ROUNDS):
        # Empty shelves look like luck of high variance until they are known, and like low demand, so that all are found together.
        scaled = few_expected * level
        rates = replace(rates, scatter=_scatter(few_units, scaled, there))
        rates = replace(rates, customers=_customers(few_units > 0, scaled, there, rates))
        rates, there = _maximize(few_units > 0, _zeros(scaled, few_known, rates), few_promoted, few_known, rates)
        level = np.float32(sold / max(float((few_expected * there).sum(dtype=np.float64)), 1e-9))
    return _smooth(units > 0, _zeros(expected * level, known, rates), promoted, rates)[0], rates


def _scatter(units: Cells, expected: Cells, there: Cells) -> float:
    # By moments: squared errors over the mean are `constant`, above one where some buy several, and more by `scatter` times the mean.
    told = (expected > LEAST_EXPECTED) & (there > 0)
    if told.sum() < 1000:
        return 0.0
    mean = expected[told].astype(np.float64)
    weight, error = there[told] * mean / (1 + TYPICAL_SCATTER * mean) ** 2, (units[told] - mean) ** 2 / mean
    ones, means, squares = (float((weight * mean**power).sum()) for power in range(3))
    seen, seen_by_mean = float((weight * error).sum()), float((weight * error * mean).sum())
    constant = max(1.0, (seen * squares - seen_by_mean * means) / max(ones * squares - means**2, 1e-9))
    return float(np.clip((seen_by_mean - constant * means) / max(squares, 1e-9), 0.0, 1.0))


def _customers(sold: Bools, expected: Cells, there: Cells, rates: ShelfRates) -> float:
    # The most likely one by Newton's steps, of days weighted by their chance of being on the shelf.
    rate, customers = _rate(expected, rates.scatter), rates.customers
    by_units, quiet = (rate * there)[sold], float((rate * there)[~sold].sum(dtype=np.float64))
    selling = rate[sold]
    for _ in range(NEWTON_STEPS):
        # Of days that sell thousands the odds of none are 0, where the exponential would overflow.
        odds = 1 / np.expm1(np.clip(customers * selling, np.float32(1e-6), MOST_SALES))
        # A few days of the belief in one customer for each unit, so that a quiet panel tells no zero.
        slope = float((by_units * odds).sum(dtype=np.float64)) - quiet + BELIEF * (1 - customers)
        bend = float((by_units * selling * odds * (1 + odds)).sum(dtype=np.float64)) + BELIEF
        customers = float(np.clip(customers + slope / bend, FEWEST_CUSTOMERS, 1.0))
    return customers


def _rate(expected: Cells, scatter: float) -> Cells:
    # Minus the log of a negative binomial's chance of none.
    excess = np.maximum(np.float32(scatter) * expected, np.float32(1e-3))
    rate: Cells = expected * np.log1p(excess) / excess
    return rate


def _zeros(expected: Cells, known: Bools, rates: ShelfRates) -> Cells:
    return np.where(known, np.exp(-np.float32(rates.customers) * _rate(expected, rates.scatter)), np.float32(1))


def _smooth(sold: Bools, zero: Cells, promoted: Bools, rates: ShelfRates) -> tuple[Cells, Cells, Cells]:
    # Chance of being on the shelf by day; before the day is seen; and the odds of the days from it on, out over on the shelf.
    days, chains = sold.shape
    ahead: Cells = np.empty((days, chains), np.float32)
    odds: Cells = np.empty((days, chains), np.float32)
    refilled = np.float32(rates.refilled)
    now: Cells = np.full(chains, np.float32(1 - rates.runs_out / (rates.runs_out + rates.refilled)))
    for day in range(days):
        leave = np.where(promoted[day], np.float32(rates.runs_out_promoted), np.float32(rates.runs_out))
        before = now * (1 - leave) + (1 - now) * refilled
        ahead[day] = before
        there = before * zero[day]
        now = np.where(sold[day], np.float32(1), there / (there + (1 - before)))
    later: Cells = np.ones(chains, np.float32)
    for day in range(days - 1, -1, -1):
        if day + 1 < days:
            leave = np.where(promoted[day + 1], np.float32(rates.runs_out_promoted), np.float32(rates.runs_out))
            later[:] = (refilled + (1 - refilled) * odds[day + 1]) / (1 - leave + leave * odds[day + 1])
        none_since = np.minimum(later / np.maximum(zero[day], np.float32(1e-12)), np.float32(1e12))
        odds[day] = np.where(sold[day], np.float32(0), none_since)
    smoothed: Cells = (ahead / (ahead + (1 - ahead) * odds)).astype(np.float32, copy=False)
    return smoothed, ahead, odds


def _maximize(sold: Bools, zero: Cells, promoted: Bools, known: Bools, rates: ShelfRates) -> tuple[ShelfRates, Cells]:
    smoothed, ahead, odds = _smooth(sold, zero, promoted, rates)
    # From the day before (filtered) to the day (with all that follows).
    there = ahead[:-1] * zero[:-1]
    filtered = np.where(sold[:-1], np.float32(1), there / (there + (1 - ahead[:-1])))
    leave = np.where(promoted[1:], np.float32(rates.runs_out_promoted), np.float32(rates.runs_out))
    total = filtered * (1 - leave + leave * odds[1:]) + (1 - filtered) * (rates.refilled + (1 - rates.refilled) * odds[1:])
    left = np.where(known[1:], filtered * leave * odds[1:] / total, 0.0)
    back = np.where(known[1:], (1 - filtered) * rates.refilled / total, 0.0)
    stayed = np.where(known[1:], smoothed[:-1], 0.0)
    within = promoted[1:]
    # A few days of the starting rates, so that a quiet panel tells no zero.
    runs_out = (left[~within].sum() + 1) / (stayed[~within].sum() + 200)
    promoted_rate = (left[within].sum() + 1) / (stayed[within].sum() + 100)
    refilled = (back.sum() + 2) / (np.where(known[1:], 1 - smoothed[:-1], 0.0).sum() + 10)
    found = replace(
        rates,
        runs_out=min(float(runs_out), LARGEST_RATE),
        runs_out_promoted=min(float(promoted_rate), LARGEST_RATE),
        refilled=float(np.clip(refilled, 1 / LONGEST, 1 / SHORTEST)),
    )
    return found, smoothed * known
