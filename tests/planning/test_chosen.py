"""SKUs for which promotions are planned are those that sell slowly, or not, as past promotions tell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.planning.skus import by_week, wander

from sales_tech.forecasting.rows import Floats
from sales_tech.planning.chosen import pull_of, shift_of
from sales_tech.planning.states import Law, Standing, standing_of

WEEKS, SKUS, SD, HALF_LIFE = 80, 150, 0.25, 30.0


def drawn(pull: float) -> tuple[Standing, pd.Series, pd.Series]:
    """Where SKUs stand, and SKU and days back of promotions, each of one of ten SKUs by their deviation in the week before."""
    rng = np.random.default_rng(3)
    state = wander(rng, SKUS, 7 * WEEKS, SD, HALF_LIFE)
    units = by_week(rng.poisson(30 * np.exp(state)).astype(float))
    sku, back = [], []
    for _ in range(500):
        day = int(rng.integers(7, 7 * WEEKS))
        some = rng.choice(SKUS, 10, replace=False)
        weight = np.exp(-pull * state[some, day - 7 : day].mean(axis=1))
        sku.append(int(rng.choice(some, p=weight / weight.sum())))
        back.append(7 * WEEKS - 1 - day)
    standing = standing_of(units, np.repeat(units.mean(axis=1, keepdims=True), WEEKS, axis=1))
    assert standing is not None
    return standing, pd.Series(sku), pd.Series(back)


@pytest.mark.parametrize(("pull", "low", "high"), [(4.0, 2.0, 5.0), (-4.0, -5.0, -2.0), (0.0, -0.9, 0.9)])
def test_past_promotions_tell_whether_slow_sellers_are_chosen(pull: float, low: float, high: float) -> None:
    assert low <= pull_of(*drawn(pull)) <= high


def test_a_handful_of_promotions_tells_nothing() -> None:
    standing, sku, back = drawn(4.0)
    assert pull_of(standing, sku.head(5), back.head(5)) == 0


def test_the_shift_is_the_mean_of_paths_that_are_weighted_by_their_odds_to_be_chosen() -> None:
    rng, pull, start = np.random.default_rng(7), 2.0, 20
    keep = 0.5 ** (1 / HALF_LIFE)
    path: Floats = np.zeros((40_000, 31))
    for day in range(1, 31):
        path[:, day] = keep * path[:, day - 1] + rng.normal(0, SD * (1 - keep**2) ** 0.5, len(path))
    weight = np.exp(-pull * path[:, start - 4])
    days = np.array([5, 16, 30])
    law = Law(trend_sd=0.1, deviation_sd=SD, half_life=HALF_LIFE, overdispersion=1.0, noise=0.01)
    told = shift_of(law, pull, np.full(3, float(start)), days.astype(float))
    assert told == pytest.approx(weight @ path[:, days] / weight.sum(), abs=0.005)
