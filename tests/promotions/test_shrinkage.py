"""Pooled estimates lie between what a group says by itself and what all have in common."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from sales_tech.promotions.shrinkage import pool, sparse_pool


def test_groups_that_differ_by_chance_alone_get_the_common_mean() -> None:
    information = np.array([4.0, 25.0, 100.0, 1.0])
    # As far from two as their own standard deviations or less.
    estimate = np.array([2.4, 1.9, 2.05, 1.5])
    found = pool(information, information * estimate)
    common = float((information * estimate).sum() / information.sum())
    assert found.spread == 0
    assert found.mean == pytest.approx(np.full(4, common))
    assert found.common == pytest.approx(common)
    assert found.common_deviation == pytest.approx(information.sum() ** -0.5)
    assert found.deviation == pytest.approx(np.full(4, information.sum() ** -0.5), rel=1e-4)


def test_a_group_that_is_known_exactly_keeps_its_own_estimate() -> None:
    estimate = np.array([-3.0, 0.5, 4.0, 1.0])
    found = pool(np.full(4, 1e6), 1e6 * estimate)
    assert found.mean == pytest.approx(estimate, abs=1e-5)
    assert found.deviation == pytest.approx(np.full(4, 1e-3), rel=1e-3)
    assert found.spread == pytest.approx(float(np.std(estimate, ddof=1)), rel=1e-3)
    assert found.common == pytest.approx(estimate.mean())


def test_a_group_without_information_gets_the_common_mean_and_its_doubt() -> None:
    information = np.array([50.0, 50.0, 50.0, 0.0])
    found = pool(information, information * np.array([0.0, 1.0, 2.0, 0.0]))
    assert found.mean[3] == pytest.approx(1.0)
    assert found.deviation[3] == pytest.approx((found.spread**2 + found.common_deviation**2) ** 0.5)
    assert found.deviation[3] > found.deviation[:3].max()


def test_equal_information_shrinks_by_the_share_of_the_variance_between_groups() -> None:
    estimate, information = np.array([0.0, 1.0, 2.0, 3.0, 4.0]), np.full(5, 2.0)
    # By moments: the variance between the estimates is that of noise (one half) and that of the groups.
    between = float(np.var(estimate, ddof=1)) - 0.5
    found = pool(information, information * estimate)
    assert found.spread**2 == pytest.approx(between, rel=1e-6)
    assert found.mean == pytest.approx(2 + (estimate - 2) * between / (between + 0.5), rel=1e-6)


def test_a_fixed_centre_is_what_estimates_are_drawn_to() -> None:
    found = pool(np.full(6, 1.0), np.array([0.3, -0.2, 0.1, 0.4, -0.3, 0.0]), centre=0.0)
    assert found.common == 0
    assert found.common_deviation == 0
    assert found.mean == pytest.approx(np.zeros(6), abs=1e-9)


def test_without_any_information_nothing_is_told() -> None:
    found = pool(np.zeros(3), np.zeros(3))
    assert found.mean == pytest.approx(np.zeros(3))
    assert np.isfinite(found.deviation).all()


def test_noise_is_drawn_to_nothing_and_a_clear_effect_is_kept() -> None:
    rng = np.random.default_rng(0)
    information = np.full(400, 400.0)
    estimate = rng.normal(0, 0.05, size=400)
    mean, _ = sparse_pool(information, information * estimate)
    assert np.abs(mean).mean() < 0.1 * np.abs(estimate).mean()
    estimate[:4] = 0.3
    mean, deviation = sparse_pool(information, information * estimate)
    # The slab (0.1, give or take 0.1) has a fifth of the weight.
    assert mean[:4] == pytest.approx(np.full(4, 0.3 * 0.8 + 0.1 * 0.2), abs=0.005)
    assert deviation[:4] == pytest.approx(np.full(4, (0.8 / 400) ** 0.5), rel=0.1)
    assert np.abs(mean[4:]).mean() < 0.01


def test_a_belief_that_nothing_bears_out_is_doubt_and_no_effect() -> None:
    mean, deviation = sparse_pool(np.full(300, 1.0), np.zeros(300))
    assert not mean.any()
    assert (deviation > 0).all()


def test_pairs_that_were_never_seen_are_zero_with_certainty() -> None:
    mean, deviation = sparse_pool(np.array([0.0, 100.0, 0.0]), np.array([5.0, 30.0, 0.0]))
    assert mean[[0, 2]].tolist() == deviation[[0, 2]].tolist() == [0.0, 0.0]
    assert mean[1] > 0


INFORMATION = np.array([2.0, 0.0, 9.0, 30.0, 0.5, 14.0])
ESTIMATE = np.array([1.5, 0.0, -0.4, 0.9, 3.0, 2.0])


@pytest.mark.parametrize("centre", [None, 0.7])
def test_groups_of_unlike_information_shrink_by_the_spread_that_leaves_each_degree_of_freedom_one(centre: float | None) -> None:
    seen = [row for row in range(6) if INFORMATION[row] > 0]

    def mean_of(spread: float) -> tuple[float, list[float]]:
        weights = [1 / (1 / INFORMATION[row] + spread) for row in seen]
        middle = sum(w * ESTIMATE[row] for w, row in zip(weights, seen, strict=True)) / sum(weights)
        return middle if centre is None else centre, weights

    def excess(spread: float) -> float:
        middle, weights = mean_of(spread)
        return sum(w * (ESTIMATE[row] - middle) ** 2 for w, row in zip(weights, seen, strict=True)) - (4 if centre is None else 5)

    spread = float(brentq(excess, 1e-6, 50))
    middle, weights = mean_of(spread)
    doubt = 1 / sum(weights) if centre is None else 0.0
    found = pool(INFORMATION, INFORMATION * ESTIMATE, centre)
    assert (found.common, found.common_deviation, found.spread) == pytest.approx((middle, doubt**0.5, spread**0.5), abs=1e-9)
    for row in range(6):
        # What a group's own estimate weighs beside the common mean, each by one over its variance.
        share = INFORMATION[row] / (INFORMATION[row] + 1 / spread)
        assert found.mean[row] == pytest.approx(share * ESTIMATE[row] + (1 - share) * middle)
        assert found.deviation[row] == pytest.approx((1 / (INFORMATION[row] + 1 / spread) + (1 - share) ** 2 * doubt) ** 0.5)


@pytest.mark.parametrize(("effects", "groups"), [(6, 60), (290, 300), (0, 1100)])
def test_spike_and_slab_are_the_mixture_whose_share_bears_itself_out(effects: int, groups: int) -> None:
    rng = np.random.default_rng(effects)
    information = rng.gamma(4.0, 60.0, size=groups) * (np.arange(groups) != groups - 1)
    deviation = 1 / np.sqrt(np.where(information > 0, information, 1.0))
    estimate = np.where(np.arange(groups) < effects, 0.2, 0.0) + deviation * rng.normal(size=groups) * (0.3 if effects == 0 else 1.0)
    seen, wide = information > 0, np.sqrt(deviation**2 + 0.1**2)
    slab, spike = norm.pdf(estimate, 0.1, wide), norm.pdf(estimate, 0.0, deviation)

    def chance(share: float) -> np.ndarray:
        return np.where(seen, share * slab / (share * slab + (1 - share) * spike), 0.0)

    def step(share: float) -> float:
        # As if fifty groups more had been seen, one of them with an effect.
        return float(np.clip((chance(share).sum() + 1) / (seen.sum() + 50), 0.001, 0.5))

    share = float(brentq(lambda share: step(share) - share, 1e-4, 0.9))
    mean, found = sparse_pool(information, information * estimate)
    shrunk = (estimate / deviation**2 + 0.1 / 0.1**2) / (1 / deviation**2 + 1 / 0.1**2)
    told = np.where(seen & (slab / spike >= 3), chance(share) * shrunk, 0.0)
    square = chance(share) * ((shrunk - told) ** 2 + 1 / (1 / deviation**2 + 1 / 0.1**2)) + (1 - chance(share)) * told**2
    assert mean == pytest.approx(told, abs=1e-6)
    assert found == pytest.approx(np.where(seen, np.sqrt(square), 0.0), abs=1e-5)
