"""Features in few steps: nothing that trees could tell is lost or moved."""

from __future__ import annotations

import numpy as np

from sales_tech.forecasting.coarse import STEPS, coarse


def test_few_values_categories_and_gaps_stay_as_they_are() -> None:
    rng = np.random.default_rng(1)
    values = np.stack([rng.choice([0.0, 0.1, 0.3], 500), rng.integers(0, 500, 500), rng.normal(size=500)], axis=1).astype(np.float32)
    values[::7, 2] = np.nan
    told = coarse(values, [False, True, False], 0)
    np.testing.assert_array_equal(told[:, :2], values[:, :2])
    assert np.array_equal(np.isnan(told[:, 2]), np.isnan(values[:, 2]))


def test_values_go_to_the_nearest_of_their_steps_in_their_order() -> None:
    values = np.random.default_rng(2).lognormal(size=(3_000, 1)).astype(np.float32)
    told = coarse(values, [False], 0)[:, 0]
    steps = np.unique(told)
    assert len(steps) <= STEPS
    assert set(steps) <= set(values[:, 0])
    nearest = steps[np.abs(values - steps[None, :].astype(np.float64)).argmin(axis=1)]
    assert np.mean(nearest == told) > 0.999
    assert (np.diff(told[np.argsort(values[:, 0])]) >= 0).all()


def test_what_is_rare_and_far_out_keeps_a_step() -> None:
    values = np.r_[np.random.default_rng(3).normal(size=4_000), 50.0, 60.0].astype(np.float32)[:, None]
    assert coarse(values, [False], 0).max() == 60.0


def test_a_column_without_any_value_stays_without() -> None:
    assert np.isnan(coarse(np.full((30, 1), np.nan, dtype=np.float32), [False], 0)).all()
