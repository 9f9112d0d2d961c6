"""Confidence is one less the chance that a promotion without effect would have looked as effective."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import nbinom, norm, poisson

from sales_tech.promotions import significance
from sales_tech.promotions.baseline import Groups
from sales_tech.promotions.cells import PromotedCells, Segment
from sales_tech.promotions.lifts import LiftData
from sales_tech.promotions.panel import Floats, Member
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


def test_no_promotion_is_surer_than_one_in_a_thousand() -> None:
    # The promotion itself is one of the thousand that could have looked so.
    found = confidence(members([0, 1]), sightings([1e4, 0.0], [6.0, 6.0]), SPREAD, seed=0)
    assert found.tolist() == pytest.approx([0.999, 0.0], abs=1e-12)


def test_units_are_weighed_by_the_linear_discriminant_of_no_effect_and_the_predicted_one() -> None:
    rng = np.random.default_rng(4)
    member, lift = [0, 1, 2, 0], [0.4, 0.5, -0.3, 0.2]
    own, shared, spread = [0.02, 0.05, 0.03], [0.04, 0.04, 0.07], {"promotion": 0.3, "member": 0.2}
    data = replace(members([0, 0, 1], dispersion=1.3), own_error=np.array(own), shared_error=np.array(shared))
    usual, scatter = np.array([40.0, 70.0, 20.0, 25.0]), np.array([0.1, 0.2, 0.3, 0.4])
    doubt = rng.normal(scale=0.1, size=(6, 4))
    doubt -= doubt.mean(axis=0)
    seen = Sightings(np.array(member), np.zeros(4), np.zeros((6, 4)), np.array(lift), scatter)
    found = significance._weights(data, seen, spread, usual * (1 + doubt))
    lift[2] = 0.01  # Where less is predicted, this is looked for.
    middle = [units * np.exp(effect / 2) for units, effect in zip(usual, lift, strict=True)]
    for mine in ([0, 1, 3], [2]):
        # Covariance of units of one promotion, half of its lifts' own variance counted: the mean of without and with effect.
        covariance = np.zeros((len(mine), len(mine)))
        for (row, one), (column, other) in product(enumerate(mine), repeat=2):
            log = np.mean(doubt[:, one] * doubt[:, other]) + shared[member[one]] + 0.3**2 / 2
            log += (own[member[one]] + 0.2**2 / 2) * (member[one] == member[other])
            covariance[row, column] = log * middle[one] * middle[other]
            covariance[row, column] += (1.3 * middle[one] + scatter[one] * middle[one] ** 2) * (one == other)
        shift = [lift[one] * middle[one] for one in mine]
        # The shared cells of the first would count against it, which no unit may.
        assert found[mine] == pytest.approx(np.maximum(np.linalg.inv(covariance) @ shift, 0.0), rel=1e-9)


def test_cells_under_several_promotions_speak_of_each_beside_the_lifts_of_the_others() -> None:
    first, second, both, rng = np.array([0]), np.array([1]), np.array([0, 1]), np.random.default_rng(2)
    of = [
        Member(0, 0, first, 1, 4, 0.2),
        Member(1, 0, both, 3, 5, 0.3),
        Member(2, 0, both, 4, 6, 0.1),
        Member(1, 1, second, 0, 1, 0.3),
    ]
    panel: Any = SimpleNamespace(members=of, skus=np.arange(2), days=np.arange(7))
    cells = PromotedCells(panel, Groups(np.array([0, 1]), 2))
    expected, sold, scattered = rng.gamma(9.0, size=(3, 2, 2, 7))
    draws: Any = SimpleNamespace(log_lift=rng.uniform(0, 0.8, size=(5, 4)), log_predicted=np.array([0.3, 0.5, 0.2, 0.4]))
    share = 0.4
    found = Sightings.of(cells, expected, sold, scattered, draws, share)
    assert found.member.tolist() == [0, 1, 2, 3, 0, 1, 2]

    def together(lifts: list[float]) -> float:
        return float(np.exp(max(lifts) + share * (sum(lifts) - max(lifts))))

    for at, member in enumerate(found.member.tolist()):
        units = other = square = 0.0
        without, lifted = np.zeros(5), np.zeros(5)
        for sku, group, day in np.ndindex(2, 2, 7):
            here = [row for row, one in enumerate(of) if one.sku == sku and group in one.stores and one.start <= day <= one.end]
            if member not in here or (len(here) == 1) != (at < 4):
                continue
            others = [row for row in here if row != member]
            units, other, square = units + sold[sku, group, day], other + expected[sku, group, day], square + scattered[sku, group, day]
            for draw in range(5):
                lifts = draws.log_lift[draw, others].tolist()
                without[draw] += expected[sku, group, day] * (together(lifts) if lifts else 1.0)
                lifted[draw] += expected[sku, group, day] * together([*lifts, draws.log_predicted[member]])
        assert found.actual[at] == pytest.approx(units)
        assert found.without[:, at] == pytest.approx(without)
        assert found.predicted[at] == pytest.approx(np.log(lifted.mean() / without.mean()))
        assert found.scatter[at] == pytest.approx(square / other**2)
