"""Intervals of draws, against counting them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sales_tech.promotions.intervals import credible_interval


def test_draws_that_all_differ_get_equal_tails() -> None:
    low, high = credible_interval(np.arange(101.0)[:, None], 0.8)
    assert (low[0], high[0]) == (pytest.approx(10), pytest.approx(90))


def test_an_end_where_many_draws_lie_leaves_nothing_out_there() -> None:
    draws = np.concatenate([np.zeros(40), np.linspace(1, 60, 60)])[:, None]
    low, high = credible_interval(draws, 0.8)
    assert low[0] == 0
    assert high[0] == pytest.approx(np.quantile(draws, 0.8))
    low, high = credible_interval(-draws, 0.8)
    assert (low[0], high[0]) == (pytest.approx(np.quantile(-draws, 0.2)), 0)


def test_of_an_effect_that_is_most_likely_none_the_interval_reaches_from_none_to_its_mean() -> None:
    draws = np.concatenate([np.zeros(90), np.arange(1.0, 11)])[:, None]
    assert [end[0] for end in credible_interval(draws, 0.8)] == [0, pytest.approx(0.55)]
    assert [end[0] for end in credible_interval(-draws, 0.8)] == [pytest.approx(-0.55), 0]
    assert [end[0] for end in credible_interval(np.zeros((100, 1)), 0.8)] == [0, 0]


@given(st.floats(0, 1), st.integers(0, 2**31))
def test_an_interval_holds_about_its_level_and_never_less(share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    draws = np.where(rng.random((400, 1)) < share, 0.0, rng.normal(1, 1, (400, 1)))
    low, high = credible_interval(draws, 0.8)
    inside = float(((draws >= low) & (draws <= high)).mean())
    assert inside >= 0.795
    assert low[0] <= draws.mean() <= high[0]
    assert inside <= 0.81 + float((draws == low).mean()) + float((draws == high).mean())
