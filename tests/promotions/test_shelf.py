"""The chance of having been on the shelf is that of all histories of the shelf, weighed one by one."""

from __future__ import annotations

from itertools import pairwise, product
from math import exp

import numpy as np
import pytest

from sales_tech.promotions.shelf import Cells, ShelfRates, _smooth, on_shelf

RATES = ShelfRates(runs_out=0.05, runs_out_promoted=0.2, refilled=0.3)


def enumerated(sold: list[bool], zero: list[float], promoted: list[bool], rates: ShelfRates) -> list[float]:
    """Chance of being on the shelf by day, from every history of in (1) and out (0) since the day before the first."""
    total, there = 0.0, [0.0] * len(sold)
    for history in product((0, 1), repeat=len(sold) + 1):
        usual = rates.refilled / (rates.refilled + rates.runs_out)
        chance = usual if history[0] else 1 - usual
        for day, (before, now) in enumerate(pairwise(history)):
            leave = rates.runs_out_promoted if promoted[day] else rates.runs_out
            moves = {(1, 1): 1 - leave, (1, 0): leave, (0, 1): rates.refilled, (0, 0): 1 - rates.refilled}
            sells = 1 - zero[day] if now else 0.0
            chance *= moves[before, now] * (sells if sold[day] else 1 - sells)
        total += chance
        there = [sum_ + chance * now for sum_, now in zip(there, history[1:], strict=True)]
    return [part / total for part in there]


def test_the_smoother_is_the_sum_over_all_histories_of_the_shelf() -> None:
    rng = np.random.default_rng(0)
    days, chains = 8, 12
    expected = rng.gamma(1.5, 1.0, size=(days, chains)).astype(np.float32)
    sold, promoted = rng.random((days, chains)) < 0.25, rng.random((days, chains)) < 0.3
    found = _smooth(sold, np.exp(-expected), promoted, RATES)[0]
    for chain in range(chains):
        zero = [exp(-units) for units in expected[:, chain].tolist()]
        oracle = enumerated(sold[:, chain].tolist(), zero, promoted[:, chain].tolist(), RATES)
        assert found[:, chain] == pytest.approx(oracle, abs=2e-5)


def simulated(
    rates: ShelfRates, days: int = 500, chains: int = 300, seed: int = 1, each: int = 1
) -> tuple[Cells, Cells, np.ndarray, np.ndarray]:
    """Units, expected units, promoted days and the truth of chains drawn day by day, of customers who take so many `each`."""
    rng = np.random.default_rng(seed)
    promoted = (np.arange(days)[:, None] + rng.integers(0, 50, size=chains)) % 50 < 10
    expected = rng.gamma(20.0, 0.1, size=chains).astype(np.float32) * np.ones((days, 1), np.float32)
    there, truth = np.ones(chains, dtype=bool), np.empty((days, chains), dtype=bool)
    for day in range(days):
        leave = np.where(promoted[day], rates.runs_out_promoted, rates.runs_out)
        there = np.where(there, rng.random(chains) >= leave, rng.random(chains) < rates.refilled)
        truth[day] = there
    return (each * rng.poisson(expected / each) * truth).astype(np.float32), expected, promoted, truth


def test_the_rates_of_simulated_shelves_are_found() -> None:
    truth = ShelfRates(runs_out=0.01, runs_out_promoted=0.035, refilled=0.15)
    units, expected, promoted, there = simulated(truth)
    chance, found = on_shelf(units, expected, promoted, np.ones(units.shape, dtype=bool))
    assert found.runs_out == pytest.approx(truth.runs_out, rel=0.15)
    assert found.runs_out_promoted == pytest.approx(truth.runs_out_promoted, rel=0.15)
    assert found.refilled == pytest.approx(truth.refilled, rel=0.15)
    assert found.scatter < 0.05
    assert chance.mean() == pytest.approx(there.mean(), abs=0.01)
    # Said with 30 to 70 %, it is true about half of the time.
    unsure = (chance > 0.3) & (chance < 0.7)
    assert unsure.sum() > 300
    assert there[unsure].mean() == pytest.approx(chance[unsure].mean(), abs=0.08)


@pytest.mark.parametrize("each", [1, 2, 4])
def test_customers_who_take_several_are_not_taken_for_empty_shelves(each: int) -> None:
    truth = ShelfRates(runs_out=0.01, runs_out_promoted=0.035, refilled=0.15)
    units, expected, promoted, there = simulated(truth, each=each)
    chance, found = on_shelf(units, expected, promoted, np.ones(units.shape, dtype=bool))
    assert found.customers == pytest.approx(1 / each, rel=0.05)
    assert (found.runs_out, found.refilled) == pytest.approx((truth.runs_out, truth.refilled), rel=0.25)
    assert chance.mean() == pytest.approx(there.mean(), abs=0.015)
    assert chance[~there].mean() < 0.5 < 0.9 < chance[there].mean()


def test_of_a_panel_without_sales_it_is_not_told_how_many_customers_there_are() -> None:
    nothing = np.zeros((10, 4), np.float32)
    _, found = on_shelf(nothing, nothing + np.float32(0.01), np.zeros(nothing.shape, dtype=bool), np.ones(nothing.shape, dtype=bool))
    assert found.customers == pytest.approx(1.0, abs=0.02)


def test_what_sold_was_on_the_shelf() -> None:
    units, expected, promoted, _ = simulated(RATES, days=120, chains=60, seed=2)
    chance, _ = on_shelf(units, expected, promoted, np.ones(units.shape, dtype=bool))
    assert (chance[units > 0] == 1).all()
    assert ((chance >= 0) & (chance <= 1)).all()
    assert chance[units == 0].min() < 0.05


def test_a_day_on_which_the_store_was_closed_tells_nothing() -> None:
    units = np.full((41, 30), 3.0, np.float32)
    units[20] = 0
    known = np.ones(units.shape, dtype=bool)
    promoted = np.zeros(units.shape, dtype=bool)
    open_day, _ = on_shelf(units, np.full(units.shape, 3.0, np.float32), promoted, known)
    known[20] = False
    closed, rates = on_shelf(units, np.full(units.shape, 3.0, np.float32), promoted, known)
    # Between two days with sales: out just that day, or never out.
    out = rates.runs_out * rates.refilled
    assert closed[20] == pytest.approx((1 - rates.runs_out) ** 2 / ((1 - rates.runs_out) ** 2 + out), abs=1e-4)
    assert (open_day[20] < closed[20]).all()
