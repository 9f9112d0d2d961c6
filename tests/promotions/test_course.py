"""What a channel sells on days of which little is seen is told by the days about them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.promotions.sources import listed, planned, sold

from sales_tech.promotions import PromotionEffects, SourceFrames, build_panel
from sales_tech.promotions.course import HALF_LIVES, Course
from sales_tech.promotions.states import DEVIATIONS, Wander, likelihood

COURSE = Course(Wander(0.2, 20.0), 0.05)


def level(days: int, wander: Wander = COURSE.wander) -> np.ndarray:
    """Covariance of a level that is left half as far from its mean after each half-life."""
    apart = np.abs(np.subtract.outer(np.arange(days), np.arange(days)))
    found: np.ndarray = wander.deviation**2 * np.exp2(-apart / wander.half_life)
    return found


def seen(rng: np.random.Generator, channels: int = 2, days: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Log effects about another mean for each channel, and their precision; some days are not seen at all."""
    precision = rng.gamma(2.0, 200.0, size=(channels, days)) * (rng.random((channels, days)) > 0.2)
    precision[0, 20:30] = 0
    return rng.normal(0.3, 0.2, size=(channels, days)) * np.array([[1.0], [2.0]])[:channels], precision


def test_effects_of_days_are_regression_on_a_level_that_wanders_and_on_what_is_a_days_own() -> None:
    observed, precision = seen(np.random.default_rng(1))
    found = COURSE.drawn(observed, precision)
    for row in range(2):
        there = precision[row] > 0
        noise = np.diag(1 / precision[row, there])
        own = COURSE.sudden**2
        told = 1 / (1 / precision[row, there] + own)
        mean = (told * observed[row, there]).sum() / told.sum()
        both = level(60) + own * np.eye(60)
        gain = np.linalg.solve(both[np.ix_(there, there)] + noise, both[there]).T
        assert found[row] == pytest.approx(mean + gain @ (observed[row, there] - mean), abs=1e-9)


def test_a_day_that_sells_much_keeps_its_own_effect() -> None:
    observed, precision = seen(np.random.default_rng(2))
    assert COURSE.drawn(observed, precision * 0 + 1e9) == pytest.approx(observed, abs=1e-5)


def test_of_a_channel_that_was_never_seen_nothing_is_told() -> None:
    assert COURSE.drawn(np.full((1, 30), 0.7), np.zeros((1, 30))).tolist() == [[0.0] * 30]


def test_the_course_is_the_likeliest_of_those_that_are_tried() -> None:
    rng, days = np.random.default_rng(3), 500
    truth = rng.multivariate_normal(np.zeros(days), level(days), size=2) + rng.normal(0, 0.05, size=(2, days))
    precision = np.full((2, days), 1e4)
    observed = truth + rng.normal(0, 0.01, size=truth.shape)
    found = Course.of(observed, precision)
    assert found.sudden == 0.05
    # How far the level moves in a day, which a greater deviation with a longer half-life leaves as it is.
    assert found.wander.deviation**2 / found.wander.half_life == pytest.approx(0.2**2 / 20, rel=0.3)

    def score(course: Course) -> float:
        told = 1 / (1 / precision + course.sudden**2)
        centred = observed - observed.mean(axis=1, keepdims=True)
        return likelihood(centred, told, course.wander) + 0.5 * float(np.log(told).sum())

    near = DEVIATIONS.index(found.wander.deviation)
    others = [Course(Wander(deviation, found.wander.half_life), 0.05) for deviation in (DEVIATIONS[near - 1], DEVIATIONS[near + 1])]
    others += [Course(found.wander, sudden) for sudden in (0.03, 0.08)]
    others += [Course(Wander(found.wander.deviation, half_life), 0.05) for half_life in HALF_LIVES]
    assert all(score(found) >= score(other) for other in others)


def whole_shop(seed: int) -> tuple[SourceFrames, dict[str, float]]:
    """A shop with a season that puts all it has on offer four times, and what that truly added."""
    rng = np.random.default_rng(seed)
    days, skus = pd.date_range("2025-01-01", periods=300), list("ABCDEFGH")
    usual = 30 * (1 + 0.4 * np.sin(2 * np.pi * np.arange(300) / 240))
    lift, plans, added = np.ones(300), [], {}
    for number, (first, depth) in enumerate([(50, 0.1), (110, 0.2), (170, 0.3), (230, 0.2)]):
        within = slice(first, first + 8)
        lift[within] = (1 - depth) ** -2.0
        name = f"PR{number}"
        added[name] = float((usual * (lift - 1))[within].sum() * len(skus))
        about = {"promotion_id": name, "discount_share": depth}
        plans += [planned(sku, str(days[first].date()), str(days[first + 7].date()), **about) for sku in skus]
    units = rng.poisson(np.outer(usual * lift, np.ones(len(skus))))
    rows = [(str(day.date()), "1", sku, float(units[at, of])) for at, day in enumerate(days) for of, sku in enumerate(skus)]
    return SourceFrames(sold(rows), listed(*skus), None, pd.concat(plans, ignore_index=True), None), added


def test_when_all_goods_are_on_offer_the_days_about_tell_what_the_shop_would_have_sold() -> None:
    frames, added = whole_shop(0)
    found = PromotionEffects().fit(build_panel(frames)).results_.set_index("promotion_id")
    truth = pd.Series(added)
    # The mean of all days would be up to a third off, and so half and more of what was added.
    assert found["incremental_units"].sum() == pytest.approx(truth.sum(), rel=0.1)
    assert ((found["incremental_units"] - truth).abs() / truth).max() < 0.25
    # A deviation of the luck of what was sold alone is 40 to 60 units.
    width = found["incremental_units_high"] - found["incremental_units_low"]
    assert width.between(2 * 1.28 * 40, 300).all()
