"""Confidence is one less the chance that a promotion without effect would have looked as effective."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import nbinom, norm, poisson

from sales_tech.promotions.cells import Segment
from sales_tech.promotions.lifts import LiftData
from sales_tech.promotions.panel import Floats
from sales_tech.promotions.significance import Sightings, confidence

SPREAD = {"promotion": 0.1, "member": 0.1}


def members(promotion: list[int], own: float = 0.0, shared: float = 0.0, dispersion: float = 1.0) -> LiftData:
    size = len(promotion)
    nothing, zero = np.zeros(size), np.zeros(size, dtype=np.int64)
    return LiftData(
        actual=nothing,
        baseline=nothing,
        own_error=nothing + own,
        shared_error=nothing + shared,
        promotion=np.array(promotion),
        category=zero,
        brand=zero,
        mechanic=zero,
        depth=nothing,
        display=nothing,
        prior_slope=np.zeros(1),
        dispersion=dispersion,
    )


def sightings(actual: list[float], usual: list[float], predicted: float = 0.3, scatter: float = 0.0) -> Sightings:
    size = len(actual)
    return Sightings(np.arange(size), np.array(actual), np.tile(usual, (4, 1)), np.full(size, predicted), np.full(size, scatter))


@pytest.mark.parametrize("units", [1, 4, 7, 9, 12])
def test_few_units_are_judged_as_the_counts_they_are(units: int) -> None:
    found = confidence(members([0]), sightings([units], [6.0]), SPREAD, seed=0)
    assert found == pytest.approx([poisson.cdf(units - 1, 6.0)], abs=0.05)


def test_counts_that_scatter_more_say_less() -> None:
    mean, variance = 20.0, 1.5 * 20 + 0.1 * 20**2
    found = confidence(members([0], dispersion=1.5), sightings([28], [mean], scatter=0.1), SPREAD, seed=0)
    # The negative binomial of that mean and variance.
    chance = mean / variance
    assert found == pytest.approx([nbinom.cdf(27, mean * chance / (1 - chance), chance)], abs=0.05)


def test_many_units_are_judged_by_the_error_of_their_baseline() -> None:
    units = 1e6 * np.exp([-0.1, 0.0, 0.15, 0.3])
    found = confidence(members([0, 1, 2, 3], own=0.01, shared=0.03), sightings(units.tolist(), [1e6] * 4), SPREAD, seed=0)
    # Lognormal about a mean of one.
    assert found == pytest.approx(norm.cdf((np.array([-0.1, 0.0, 0.15, 0.3]) + 0.02) / 0.2), abs=0.05)


def test_an_error_that_members_share_does_not_average_out() -> None:
    many = sightings([1.15e6] * 8, [1e6] * 8)
    shared, own = (confidence(members([0] * 8, **{name: 0.04}), many, SPREAD, seed=0)[0] for name in ("shared", "own"))
    assert shared == pytest.approx(norm.cdf((np.log(1.15) + 0.02) / 0.2), abs=0.06)
    assert own > 0.97


def test_more_units_never_speak_against_a_promotion() -> None:
    data = members([0, 0], shared=0.04)
    usual, predicted = np.tile([400.0, 400.0], (4, 1)), np.array([0.5, 0.02])
    told = [
        confidence(data, Sightings(np.arange(2), np.array([480.0, units]), usual, predicted, np.zeros(2)), SPREAD, seed=0)[0]
        for units in (300.0, 400.0, 500.0)
    ]
    assert told == sorted(told)


def beside(units: float, lifts: Floats) -> float:
    # Two promotions of one SKU on the same days, nothing alone; the second has been seen elsewhere.
    one = np.array([0])
    cells: Any = SimpleNamespace(segments=[Segment(0, (0, 1), one, one)], sums=lambda _table: np.zeros(2))
    draws: Any = SimpleNamespace(log_lift=np.stack([np.full(len(lifts), 0.4), lifts], axis=1), log_predicted=np.array([0.4, 0.4]))
    tables = (np.full((1, 1, 1), value) for value in (100.0, units, 0.0))
    return float(confidence(members([0, 1]), Sightings.of(cells, *tables, draws, 0.5), SPREAD, seed=0)[0])


def test_beside_another_promotion_what_that_one_adds_is_no_success() -> None:
    known = np.full(50, 0.5)
    assert beside(165.0, known) == pytest.approx(poisson.cdf(164, 100 * np.exp(0.5)), abs=0.05)
    assert beside(210.0, known) > 0.99


def test_doubt_about_the_other_promotion_is_doubt_about_this_one() -> None:
    found = beside(195.0, np.tile([0.2, 0.8], 25))
    assert found == pytest.approx(np.mean([poisson.cdf(194, 100 * np.exp(lift)) for lift in (0.2, 0.8)]), abs=0.05)
