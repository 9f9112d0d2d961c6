"""What is left to say of a baseline where sales say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from sales_tech.promotions.lifts import LiftData, LiftModel


def test_a_baseline_of_which_sales_say_nothing_is_right_on_average() -> None:
    members = 60
    row, nothing = np.arange(members), np.zeros(members, dtype=np.int64)
    data = LiftData(
        actual=np.zeros(members),
        baseline=np.full(members, 1e-3),
        own_error=np.full(members, 0.2),
        shared_error=np.full(members, 0.1),
        promotion=row // 3,
        category=nothing,
        brand=nothing,
        mechanic=nothing,
        depth=np.full(members, 0.2),
        display=np.zeros(members),
        prior_slope=np.zeros(1),
    )
    draws = LiftModel(data, {"category": 1, "brand": 1, "mechanic": 1}, seed=0).sample()
    assert np.exp(draws.log_error).mean() == pytest.approx(1, abs=0.03)
    assert draws.log_error.var() == pytest.approx(0.3, abs=0.03)
