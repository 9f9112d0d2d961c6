"""Levels of SKUs that wander and come back are found in counts."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import nbinom
from tests.planning.skus import by_week, wander

from sales_tech.forecasting.rows import Floats
from sales_tech.planning.states import BURN_IN, LEVEL_SD, ODD, Law, Standing, follow, standing_of, steady_ones

WEEKS, SD, HALF_LIFE = 70, 0.25, 30.0
LAW = Law(trend_sd=0.1, deviation_sd=SD, half_life=HALF_LIFE, overdispersion=1.0, noise=0.01)


@lru_cache
def drawn(skus: int = 120, seed: int = 5) -> tuple[Floats, Floats, Floats]:
    """Units by week, those of usual weeks, and the true deviation of each day and four weeks more."""
    rng = np.random.default_rng(seed)
    state = wander(rng, skus, 7 * (WEEKS + 4), SD, HALF_LIFE)
    level = rng.lognormal(1.5, 0.8, skus)[:, None]
    units = by_week(rng.poisson(level * np.exp(state[:, : 7 * WEEKS])).astype(float))
    usual = np.repeat(units.mean(axis=1, keepdims=True), WEEKS, axis=1)
    return units, usual, state + np.log(7 * level / usual[:, :1])


def found(units: Floats, usual: Floats) -> Standing:
    standing = standing_of(units, usual)
    assert standing is not None
    return standing


def test_the_level_of_the_next_four_weeks_is_told_better_than_by_the_last_four_or_by_all() -> None:
    units, usual, truth = drawn()
    true = truth[:, 7 * WEEKS :].mean(axis=1)
    standing = found(units, usual)
    told = standing.ahead(28).mean(axis=1) + standing.together[-4:].mean()
    lately = np.log((units[:, -4:].sum(axis=1) + 0.5) / usual[:, -4:].sum(axis=1))
    missed = [float(np.square(one - true).mean() ** 0.5) for one in (told, lately, np.zeros(len(true)))]
    assert missed[0] < 0.9 * missed[1]
    assert missed[0] < 0.8 * missed[2]


def test_how_far_and_how_lastingly_skus_deviate_is_found() -> None:
    units, usual, _ = drawn()
    law = found(units, usual).law
    assert law.deviation_sd == pytest.approx(SD, rel=0.2)
    assert law.half_life == pytest.approx(HALF_LIFE, rel=0.35)
    assert law.overdispersion == pytest.approx(1.0, abs=0.25)


def test_a_level_that_stays_has_the_posterior_that_a_grid_of_levels_gives() -> None:
    units, usual = np.array([[9.0, 14.0, 12.0, 10.0]]), np.full((1, 4), 8.0)
    law = Law(trend_sd=1e-6, deviation_sd=1e-6, half_life=30, overdispersion=1.0, noise=1e-6)
    told = follow(units, usual, law)
    grid = np.linspace(-4, 4, 8001)
    log = -np.square(grid) / 2 + (units[0][:, None] * grid - usual[0][:, None] * np.exp(grid)).sum(axis=0)
    weight = np.exp(log - log.max())
    mean = float(weight @ grid / weight.sum())
    assert told.mean[0, 0] == pytest.approx(mean, abs=0.02)
    assert told.covariance[0, 0, 0] == pytest.approx(float(weight @ np.square(grid - mean) / weight.sum()), rel=0.1)


def test_a_deviation_fades_by_its_half_life_and_a_level_does_not() -> None:
    nothing = np.zeros((2, 3, 3))
    law = Law(trend_sd=0.1, deviation_sd=1e-6, half_life=20.0, overdispersion=1.0, noise=0.01)
    standing = Standing(law, np.array([[0.0, 0.0, 0.4], [0.4, 0.0, 0.0]]), nothing, np.zeros(1), 0.0, np.ones(2, dtype=bool))
    ahead = standing.ahead(40)
    assert ahead[0, 25] / ahead[0, 5] == pytest.approx(0.5)
    assert ahead[1] == pytest.approx(np.full(40, 0.4))


def test_a_sku_that_sells_nothing_any_more_falls_and_one_that_never_did_stays_finite() -> None:
    units, usual, _ = drawn(30)
    gone, never = np.where(np.arange(WEEKS) < WEEKS - 10, usual[:1], 0.0), np.zeros((1, WEEKS))
    table, expected = np.vstack([units, gone, never]), np.vstack([usual, usual[:1], np.full((1, WEEKS), 0.1)])
    ahead = found(table, expected).ahead(28)
    assert np.isfinite(ahead).all()
    assert ahead[-2].max() < np.log(0.6)
    assert ahead[-1].max() < 0


def test_products_that_went_do_not_change_the_law_of_the_others() -> None:
    units, usual, _ = drawn(30)
    gone = np.where(np.arange(WEEKS) < WEEKS // 2, usual[:3], 0.0)
    assert not steady_ones(gone, usual[:3]).any()
    assert found(np.vstack([units, gone]), np.vstack([usual, usual[:3]])).law == found(units, usual).law


def test_weeks_in_which_nothing_is_known_leave_the_level_where_it_was() -> None:
    units, usual, _ = drawn(30)
    some = usual.copy()
    some[:, -3:] = 0.0
    law = replace(LAW, trend_sd=1e-6)
    closed, before = follow(units, some, law), follow(units[:, :-3], some[:, :-3], law)
    assert closed.mean[:, 2] == pytest.approx(before.mean[:, 2] * 0.5 ** (21 / HALF_LIFE))


def test_what_all_sell_less_is_no_deviation_of_any() -> None:
    units, usual, _ = drawn()
    halved = units * np.where(np.arange(WEEKS) < WEEKS - 6, 1.0, 0.5)
    every = np.ones(len(units), dtype=bool)
    before, after = follow(units, usual, LAW, every), follow(halved, usual, LAW, every)
    assert after.together[-6:] - before.together[-6:] == pytest.approx(np.full(6, np.log(0.5)), abs=0.03)
    assert after.mean[:, 2].mean() == pytest.approx(before.mean[:, 2].mean(), abs=0.02)
    # Levels that are told by their own mean stay about it in the long run.
    assert abs(before.together.mean()) < 0.06


def test_without_any_steady_sku_nothing_is_told() -> None:
    assert standing_of(np.zeros((3, WEEKS)), np.full((3, WEEKS), 50.0)) is None


def common_by_hand(units: Floats, expected: Floats, sure: Floats, law: Law) -> float:
    """The log factor on what is expected by which levels, each as sure as it is, do not move on the whole."""

    def moved(log: float) -> float:
        told = expected * np.exp(log)
        ratio = law.overdispersion + (law.noise * np.sqrt(told)) ** 2
        return float((sure * np.log((sure + units / ratio) / (sure + told / ratio))).sum())

    return float(brentq(moved, -2, 2)) if units.sum() else 0.0


@pytest.mark.parametrize("law", [replace(LAW, overdispersion=1.0, noise=0.0), Law(0.3, 0.5, 12.0, 1.6, 0.2)])
def test_states_are_those_of_a_dynamic_generalised_linear_model_written_with_matrices(law: Law) -> None:
    rng = np.random.default_rng(3)
    usual = rng.uniform(0.5, 30.0, (4, 9)) * (rng.random((4, 9)) > 0.2)
    units = rng.poisson(usual * 1.3).astype(float)
    steady = np.array([True, True, False, True])
    for together in (None, steady):
        told = follow(units, usual, law, together)
        mean = np.zeros((4, 3))
        covariance = np.array([np.diag([LEVEL_SD, law.trend_sd, law.deviation_sd])] * 4) ** 2
        score, keep = 0.0, 0.5 ** (7 / law.half_life)
        move, more = np.diag([1, 1, keep]), np.diag([0, 0, law.deviation_sd**2 * (1 - keep**2)])
        for week in range(9):
            if week:
                mean, covariance = mean @ move.T, move @ covariance @ move.T + more
            seen_by = np.array([1, -7 * (8 - week) / 365.25, 1])
            variance = np.array([seen_by @ one @ seen_by for one in covariance])
            expected, on_sale = usual[:, week] * np.exp(mean @ seen_by), usual[:, week] > 0
            if together is not None:
                some = on_sale & together
                common = common_by_hand(units[some, week], expected[some], 1 / variance[some], law)
                assert told.together[week] == pytest.approx(common, abs=1e-3)
                expected *= np.exp(told.together[week])
            for sku in np.flatnonzero(on_sale):
                q, ratio = variance[sku], law.overdispersion + law.noise**2 * expected[sku]
                count, rate = units[sku, week] / ratio, expected[sku] / ratio
                if ratio == 1.0 and week >= BURN_IN:
                    # The gamma of a factor e^N(0, q) has about the shape 1/q + 1/2 and the rate 1/q.
                    usually, oddly = (nbinom.pmf(count, 1 / v + 0.5, (1 / v) / (1 / v + rate)) for v in (q, q + 1))
                    score += np.log((1 - ODD) * usually + ODD * oddly)
                gain = covariance[sku] @ seen_by
                mean[sku] = mean[sku] + gain / q * np.log((1 / q + count) / (1 / q + rate))
                covariance[sku] = covariance[sku] - np.outer(gain, gain) / q * (1 - 1 / (1 / q + count) / q)
        assert told.mean == pytest.approx(mean, abs=1e-9)
        assert told.covariance == pytest.approx(covariance, abs=1e-9)
        if together is None and law.overdispersion == 1:
            assert told.score == pytest.approx(score)


def test_the_factor_ahead_is_the_mean_of_what_level_trend_and_deviation_may_be() -> None:
    law = Law(trend_sd=0.1, deviation_sd=0.3, half_life=20.0, overdispersion=1.0, noise=0.01)
    root = np.array([[0.2, 0.0, 0.0], [0.05, 0.1, 0.0], [-0.1, 0.02, 0.15]])
    mean, covariance = np.array([[0.1, -0.2, 0.3]]), (root @ root.T)[None]
    told = Standing(law, mean, covariance, np.zeros(1), 0.0, np.ones(1, dtype=bool)).ahead(100)
    for day in (1, 30, 100):
        # The last week shows where a SKU stood three days before its end.
        kept = 0.5 ** ((day + 3) / 20.0)
        state = np.array([1, day / 365.25, kept])
        variance = np.square(state @ root).sum() + 0.3**2 * (1 - kept**2)
        assert told[0, day - 1] == pytest.approx(float(mean[0] @ state) + variance / 2)


def test_steady_are_skus_of_which_no_four_weeks_are_far_from_usual() -> None:
    rng = np.random.default_rng(1)
    usual = rng.uniform(0.0, 6.0, (300, 8)) * (rng.random((300, 1)) > 0.1)
    units = rng.poisson(usual * np.exp(rng.normal(0, 1.2, (300, 1)))).astype(float)
    expected = []
    for sold, told in zip(units.tolist(), usual.tolist(), strict=True):
        parts = [(sum(sold[week : week + 4]) + 5) / (sum(told[week : week + 4]) + 5) for week in range(5)]
        expected.append(sum(told) > 0 and all(1 / 5 < part < 5 for part in parts))
    assert steady_ones(units, usual).tolist() == expected
    assert 30 < sum(expected) < 290


def test_a_past_of_no_more_weeks_than_are_needed_to_begin_with_tells_nothing() -> None:
    usual = np.full((3, BURN_IN + 1), 8.0)
    assert standing_of(usual[:, :-1], usual[:, :-1]) is None
    assert standing_of(usual, usual) is not None
