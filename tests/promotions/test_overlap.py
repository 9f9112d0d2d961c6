"""Promotions of one SKU at a time: the strongest counts in full, and of each other a share."""

from __future__ import annotations

from itertools import permutations
from math import exp
from types import SimpleNamespace

import numpy as np
import pytest

from sales_tech.promotions.cells import Segment
from sales_tech.promotions.overlap import added, extra_units, joint, overlap_share


def test_the_strongest_counts_in_full_and_the_others_by_their_share() -> None:
    assert joint(np.array([0.1, 0.5, 0.2]), 0.25) == pytest.approx(0.5 + 0.25 * 0.3)
    assert joint(np.array([0.1, 0.5, 0.2]), 0.0) == pytest.approx(0.5)
    assert joint(np.array([0.1, 0.5, 0.2]), 1.0) == pytest.approx(0.8)


def test_one_promotion_by_itself_does_what_it_does() -> None:
    assert joint(np.array([[0.4], [0.7]]), 0.3) == pytest.approx([0.4, 0.7])


def test_what_is_added_is_what_would_be_missing_without_it() -> None:
    first, second = 0.3, 0.6
    together = exp(0.6 + 0.5 * 0.3)
    assert added(np.array([first, second]), 0.5) == pytest.approx([together - exp(second), together - exp(first)])


def test_the_order_of_promotions_does_not_matter() -> None:
    lifts = np.array([0.15, 0.6, 0.3])
    expected = dict(zip(lifts.tolist(), added(lifts, 0.4).tolist(), strict=True))
    for order in permutations(lifts.tolist()):
        assert added(np.array(order), 0.4) == pytest.approx([expected[lift] for lift in order])
        assert joint(np.array(order), 0.4) == pytest.approx(float(joint(lifts, 0.4)))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_promotion_without_effect_adds_nothing(share: float) -> None:
    found = added(np.array([[0.5, 0.0], [0.2, 0.0]]), share)
    assert found[:, 1] == pytest.approx([0, 0])
    assert found[:, 0] == pytest.approx(np.exp([0.5, 0.2]) - 1)


@pytest.mark.parametrize("truth", [0.1, 0.5, 0.9])
def test_the_share_that_comes_through_is_found(truth: float) -> None:
    rng = np.random.default_rng(0)
    lifts = rng.uniform(0.1, 0.8, size=40)
    pairs = [(row, row + 1) for row in range(0, 40, 2)]
    nowhere = np.zeros(0, dtype=np.int64)
    segments = [Segment(0, pair, nowhere, nowhere) for pair in pairs]
    usual = np.full(20, 2000.0)
    log_mean = [max(lifts[[a, b]]) + truth * min(lifts[[a, b]]) for a, b in pairs]
    actual = rng.poisson(usual * np.exp(log_mean)).astype(np.float64)
    assert overlap_share(segments, lifts[None, :], actual, usual) == pytest.approx(truth, abs=0.04)


def test_where_several_promotions_run_they_add_what_all_of_them_do_together() -> None:
    segment = Segment(0, (0, 1), np.array([0]), np.array([1]))
    factors = np.array([[[np.expm1(0.2), np.expm1(0.4), np.expm1(0.4)]]])
    cells = SimpleNamespace(segments=[segment], spread=lambda _: factors)
    lifts, right = np.array([[0.2, 0.4]]), np.ones((1, 2))
    found = extra_units(cells, np.full((1, 1, 3), 10.0), lifts, right, share=0.5)  # type: ignore[arg-type]
    assert found[0, 0].tolist() == pytest.approx([10 * np.expm1(0.2), 10 * np.expm1(0.4 + 0.1), 10 * np.expm1(0.4)])


def test_doubt_about_lifts_is_no_share_of_the_weaker() -> None:
    rng, nowhere = np.random.default_rng(1), np.zeros(0, dtype=np.int64)
    # Nothing comes through: what sells is the mean of the stronger lift, wherever the truth lies within the doubt.
    lifts = 0.3 + 0.1 * rng.normal(size=(4000, 2))
    actual = 20_000 * np.exp(lifts.max(axis=1)).mean()
    found = overlap_share([Segment(0, (0, 1), nowhere, nowhere)], lifts, np.array([actual]), np.array([20_000.0]))
    assert found == pytest.approx(0, abs=0.01)


def test_where_little_overlaps_a_third_is_taken() -> None:
    nowhere = np.zeros(0, dtype=np.int64)
    found = overlap_share([Segment(0, (0, 1), nowhere, nowhere)], np.array([[0.5, 0.5]]), np.array([900.0]), np.array([99.0]))
    assert found == pytest.approx(1 / 3)
