"""What is left to say of a baseline where sales say nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sales_tech.promotions.lifts import LiftData, LiftModel, bend, depth_response


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


def members_of(slopes: dict[int, float], noticed: dict[int, float], *, tried: list[tuple[int, int, float]]) -> LiftData:
    """Members that sell what a category's slope, as far as a mechanic's cut is noticed, makes of a thousand units, plus chance."""
    rng = np.random.default_rng(5)
    category, mechanic, depth = (np.array(column) for column in zip(*tried, strict=True))
    slope = np.array([slopes[one] for one in category]) * np.array([noticed[one] for one in mechanic])
    rows = len(tried)
    return LiftData(
        actual=rng.poisson(1000 * np.exp(slope * depth_response(depth))).astype(float),
        baseline=np.full(rows, 1000.0),
        own_error=np.full(rows, 1e-3),
        shared_error=np.full(rows, 1e-3),
        promotion=np.arange(rows),
        category=category,
        brand=np.zeros(rows, dtype=np.int64),
        mechanic=mechanic,
        depth=depth,
        display=np.zeros(rows),
        prior_slope=np.zeros(len(slopes)),
    )


def test_a_mechanic_that_a_category_never_tried_is_noticed_as_much_as_elsewhere() -> None:
    depths = (0.1, 0.2, 0.3, 0.4)
    tried = [(category, 0, depth) for category in (0, 1) for depth in depths for _ in range(6)]
    tried += [(1, 1, depth) for depth in depths for _ in range(6)]
    data = members_of({0: 4.0, 1: 1.5}, {0: 1.0, 1: 0.6}, tried=tried)
    draws = LiftModel(data, {"category": 2, "brand": 1, "mechanic": 2}, seed=0).sample()
    ratio = draws.noticed[:, 1] / draws.noticed[:, 0]
    assert ratio.mean() == pytest.approx(0.6, abs=0.1)
    slope = ((draws.slope[:, 0] + draws.brand_slope[:, 0]) * draws.noticed[:, 1]).mean()
    assert slope == pytest.approx(2.4, abs=0.4), "0.6 of 4.0: not the 3.4 that the other category's difference would make of it"


def test_one_sku_that_answers_unlike_all_others_does_not_bend_the_curve_for_them() -> None:
    tried = [(0, 0, depth) for depth in (0.1, 0.2, 0.3, 0.4) for _ in range(8)]
    data = members_of({0: 2.0}, {0: 1.0}, tried=tried)
    odd = data.actual.copy()
    odd[-1] *= 12
    told = []
    for actual in (data.actual, odd):
        draws = LiftModel(replace(data, actual=actual), {"category": 1, "brand": 1, "mechanic": 1}, seed=0).sample()
        slope = (draws.slope[:, 0] + draws.brand_slope[:, 0]) * draws.noticed[:, 0]
        deep = np.array(0.4)
        told.append((slope * depth_response(deep) * (1 + draws.curvature * bend(deep)) + draws.mechanic[:, 0]).mean())
    assert told[0] == pytest.approx(2.0 * float(depth_response(np.array(0.4))), abs=0.05)
    assert told[1] == pytest.approx(told[0], abs=0.08)
