"""Quantiles of errors, where rows share their luck."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.forecasting.retail import forecaster

from sales_tech.forecasting.features import Matrix
from sales_tech.forecasting.intervals import ConformalIntervals

# So many origins that nothing is in doubt for want of them.
MANY = 1e6


def matrix_of(rows: int, promoted: bool) -> Matrix:
    names = ("dispersion", "zeros 26")
    return Matrix(
        np.zeros((rows, len(names)), dtype=np.float32),
        names,
        np.full(rows, 10.0),
        np.ones(rows),
        np.ones(rows, dtype=np.int64),
        np.full(rows, promoted),
        np.zeros(rows, dtype=bool),
    )


def hazen(scores: list[float], level: float) -> float:
    # The k-th of n stands in the middle of its n-th part.
    at, ordered = level * len(scores) - 0.5, sorted(scores)
    below = min(max(math.floor(at), 0), len(scores) - 1)
    above = min(below + 1, len(scores) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * min(max(at - below, 0.0), 1.0)


@pytest.mark.parametrize(("size", "clusters", "strayed", "new"), [(120, 5, 0.0, False), (400, 25, 3.0, False), (400, 25, 3.0, True)])
def test_quantiles_of_like_rows_are_those_of_their_errors_set_apart_and_widened_by_drift(
    size: int, clusters: int, strayed: float, new: bool
) -> None:
    rng = np.random.default_rng(11)
    levels = [0.004, 0.1, 0.3, 0.5, 0.8, 0.98]
    origin = np.arange(size) % 4 + 20
    error = rng.gamma(2.0, 1.5, size)
    error -= (np.bincount(origin, error) / (size / 4))[origin] - strayed * np.array([1.0, 0.4, -0.3, 0.6])[origin - 20]
    alike = replace(matrix_of(size, False), new=np.full(size, new))
    intervals = ConformalIntervals().fit(alike, np.full(size, 10.0), 10 + error, np.arange(size) % clusters, origin, 1)
    (told,) = intervals.quantiles(alike.where(np.arange(1)), np.array([10.0]), levels)
    assert intervals.quantiles(alike.where(np.arange(1)), np.array([10.0]), levels[::-1])[0].tolist() == told[::-1].tolist()
    scores, middle, square = error.tolist(), statistics.median(error), float(np.mean(error**2))
    beyond = sum(error[origin == one].sum() ** 2 - size / 4 * square for one in range(20, 24)) / (4 * (10 * size / 4) ** 2)
    assert (beyond > 0) == (strayed > 0)
    share = min(100 * max(beyond, 0.0) / square, 1.0)
    for level, value in zip(levels, told, strict=True):
        outer = min(max(0.5 + (level - 0.5) * (1 + 1 / max(clusters, 8)), 0.0), 1.0)
        # Fewer than two origins are taken for two, of which Student's t has a closed form; far tails are widened as those of 5 %.
        tail = min(max(level, 1 - level, 0.6), 0.95)
        student = (2 * tail - 1) / math.sqrt(2 * tail * (1 - tail))
        wider = 1 + share * ((student / statistics.NormalDist().inv_cdf(tail)) ** 2 * 1.5 - 1)
        assert value == pytest.approx(max(10 + middle + math.sqrt(wider) * (hazen(scores, outer) - middle), 0.0), abs=1e-4)


def test_errors_are_those_of_the_narrowest_group_with_rows_and_clusters_enough() -> None:
    rng = np.random.default_rng(6)
    size = 6_000
    promoted, new, far = rng.random(size) < 0.3, rng.random(size) < 0.1, rng.random(size) < 0.5
    mean = rng.uniform(1.0, 7.0, size)
    # All miss by half, so that they are alike in scale; how many of a group are too high is what tells it from others.
    low = 0.5 + 0.1 * promoted - 0.2 * new + 0.03 * (mean - 4) + np.where(far, 0.1, -0.1)
    units = mean * np.where(rng.random(size) < low, 0.5, 1.5)
    matrix = replace(matrix_of(size, False), promoted=promoted, new=new, step=np.where(far, 8, 7))
    # The promotions of the largest series are few and long.
    few = promoted & ~new & (mean > 6)
    cluster = np.where(few, np.arange(size) % 19, np.arange(size))
    intervals = ConformalIntervals().fit(matrix, mean, units, cluster, np.zeros(size, dtype=np.int64), MANY)
    edges = statistics.quantiles(mean, n=6, method="inclusive")
    band = np.array([sum(edge < one for edge in edges) for one in mean])
    levels = np.linspace(0.02, 0.98, 97).tolist()
    chosen = np.unique(np.stack([promoted, new, band, far]), axis=1, return_index=True)[1]
    told = intervals.quantiles(matrix.where(chosen), mean[chosen], levels)
    used = set()
    for place, at in enumerate(chosen):
        state = (promoted == promoted[at]) & (new == new[at])
        groups = [state & (band == band[at]) & (far == far[at]), state & (band == band[at]), state, np.ones(size, dtype=bool)]
        narrow = next(level for level, one in enumerate(groups) if level == 3 or (one.sum() >= 150 and len(set(cluster[one])) >= 20))
        used.add(narrow)
        share = float((units[groups[narrow]] < mean[groups[narrow]]).mean())
        sure = [(level, value) for level, value in zip(levels, told[place], strict=True) if abs(level - share) > 0.01]
        expected = [mean[at] * (0.5 if level < share else 1.5) for level, _ in sure]
        assert [value for _, value in sure] == pytest.approx(expected, rel=1e-3), (narrow, share)
    assert used == {0, 1, 2, 3}


def covered(clusters: int, told_apart: bool, seed: int) -> float:
    # Days of a promotion share most of their luck: what is learnt of some promotions is asked of others.
    rng = np.random.default_rng(seed)
    days = 20
    matrix, mean = matrix_of(clusters * days, True), np.full(clusters * days, 10.0)
    units = 10 * np.exp(np.repeat(rng.normal(0, 0.5, clusters), days) + rng.normal(0, 0.2, clusters * days))
    cluster = np.repeat(np.arange(clusters), days) if told_apart else np.arange(clusters * days)
    intervals = ConformalIntervals().fit(matrix, mean, units, cluster, np.zeros(len(mean), dtype=np.int64), MANY)
    low, high = intervals.quantiles(matrix_of(1, True), np.array([10.0]), [0.1, 0.9])[0]
    others = 10 * np.exp(rng.normal(0, 0.5, 5_000) + rng.normal(0, 0.2, 5_000))
    return float(((others >= low) & (others <= high)).mean())


@pytest.mark.parametrize("clusters", [25, 60])
def test_the_days_of_a_promotion_count_as_one_piece_of_evidence(clusters: int) -> None:
    seeds = range(100)
    apart = np.mean([covered(clusters, True, seed) for seed in seeds])
    alike = np.mean([covered(clusters, False, seed) for seed in seeds])
    assert apart > alike
    assert abs(apart - 0.8) < abs(alike - 0.8)
    assert apart == pytest.approx(0.8, abs=0.02)


def covered_under_drift(drift: float, origins: int, believed: float, seed: int) -> float:
    # All rows of an origin stray together: what is learnt of a few origins is asked of others.
    rng = np.random.default_rng(seed)
    series = 200
    size = series * origins
    origin = np.repeat(np.arange(origins), series)
    mean = np.full(size, 10.0)
    units = 10 * np.exp(rng.normal(0, drift, origins)[origin] + rng.normal(0, 0.3, size))
    intervals = ConformalIntervals().fit(matrix_of(size, False), mean, units, np.arange(size), origin, believed)
    low, high = intervals.quantiles(matrix_of(1, False), np.array([10.0]), [0.1, 0.9])[0]
    others = 10 * np.exp(rng.normal(0, drift, 5_000) + rng.normal(0, 0.3, 5_000))
    return float(((others >= low) & (others <= high)).mean())


@pytest.mark.parametrize("drift", [0.15, 0.3])
def test_drift_that_few_origins_tell_of_makes_intervals_wider(drift: float) -> None:
    seeds = range(150)
    few = np.mean([covered_under_drift(drift, 3, 3, seed) for seed in seeds])
    as_if_many = np.mean([covered_under_drift(drift, 3, MANY, seed) for seed in seeds])
    assert few == pytest.approx(0.8, abs=0.04)
    assert abs(few - 0.8) < abs(as_if_many - 0.8)


def test_where_origins_did_not_stray_their_number_makes_no_difference() -> None:
    few, many = (np.mean([covered_under_drift(0.0, 3, believed, seed) for seed in range(50)]) for believed in (3, MANY))
    assert few == pytest.approx(many, abs=0.01)


@pytest.mark.parametrize("direction", [1, -1])
def test_what_all_origins_strayed_alike_widens_outwards_and_leaves_the_median(direction: int) -> None:
    rng = np.random.default_rng(3)
    origin = np.repeat(np.arange(3), 200)
    mean = np.full(600, 10.0)
    units = mean * (1 + direction * np.array([0.2, 0.25, 0.3])[origin] + rng.normal(0, 0.05, 600))
    levels = [0.001, 0.1, 0.5, 0.9, 0.999]
    few, many = (
        ConformalIntervals()
        .fit(matrix_of(600, False), mean, units, np.arange(600), origin, origins)
        .quantiles(matrix_of(1, False), mean[:1], levels)[0]
        for origins in (1, MANY)
    )
    assert (few[:2] < many[:2]).all()
    assert few[2] == pytest.approx(many[2])
    assert (few[3:] > many[3:]).all()
    # A single origin is no reason to expect anything whatever.
    assert few[-1] < 5 * many[-1]


def test_an_origin_in_which_next_to_nothing_is_sold_tells_no_drift() -> None:
    rng = np.random.default_rng(1)
    origin = np.repeat(np.arange(12), 50)
    mean = np.where(origin == 11, 0.02, 100.0)
    units = np.where(origin == 11, np.where(np.arange(600) % 50 < 3, 5.0, 0.0), rng.poisson(mean))
    intervals = ConformalIntervals().fit(matrix_of(600, False), mean, units, np.arange(600), origin, 3)
    assert intervals.drift_ < 0.02


def test_quantiles_do_not_cross_and_are_not_below_zero() -> None:
    rng = np.random.default_rng(0)
    matrix, mean = matrix_of(400, False), rng.uniform(0.1, 20, 400)
    told = (
        ConformalIntervals()
        .fit(matrix, mean, rng.poisson(mean).astype(float), np.arange(400), np.arange(400) // 100, 4)
        .quantiles(matrix, mean, [0.05, 0.1, 0.5, 0.9, 0.95])
    )
    assert (np.diff(told, axis=1) >= 0).all()
    assert told.min() >= 0


def below_of_mostly_none(seed: int) -> tuple[float, float]:
    # Of how many rows that seldom sell less is sold than the lower quantile, of all and of those of small means; what is known of their
    # dispersion is a little more, and more surely, than it was of the rows that were learnt from.
    rng = np.random.default_rng(seed)
    size = 6_000
    learnt, asked = matrix_of(size, False), matrix_of(size, False)
    learnt.values[:, 0], asked.values[:, 0] = rng.normal(1.0, 0.3, size), rng.normal(1.2, 0.1, size)
    mean, now = (np.exp(rng.normal(-1.0, 0.7, size)) for _ in range(2))
    units = rng.poisson(mean * rng.gamma(2 / learnt.values[:, 0].clip(0.2), learnt.values[:, 0].clip(0.2) / 2)).astype(float)
    intervals = ConformalIntervals().fit(learnt, mean, units, np.arange(size), np.arange(size) % 4, MANY)
    below = rng.poisson(now) < intervals.quantiles(asked, now, [0.1, 0.9])[:, 0]
    return float(below.mean()), float(below[now < np.median(now)].mean())


def test_of_rows_that_mostly_sell_nothing_as_many_lie_below_as_are_said_to_though_their_luck_has_changed() -> None:
    told = np.array([below_of_mostly_none(seed) for seed in range(10)])
    assert told.mean(axis=0) == pytest.approx([0.1, 0.1], abs=0.025)


def test_nothing_is_left_out_of_ranges_where_most_is_expected_of_rows_that_mostly_sell_nothing() -> None:
    rng = np.random.default_rng(0)
    matrix, mean = matrix_of(2_000, False), np.linspace(0.1, 0.3, 2_000)
    intervals = ConformalIntervals().fit(matrix, mean, rng.poisson(mean).astype(float), np.arange(2_000), np.arange(2_000) % 4, MANY)
    low = intervals.quantiles(matrix_of(3, False), np.array([0.1, 0.13, 0.1324]), [0.1])[:, 0]
    assert low.tolist() == [0.0, pytest.approx(0.0013), pytest.approx(0.001324)]


def test_of_rows_that_sold_nothing_as_many_of_the_largest_means_are_below_as_make_up_the_level() -> None:
    size = 200
    mean, sold = np.linspace(0.1, 0.3, size), np.arange(size) % 10 == 0
    units = np.where(sold, 0.01, 0.0)
    intervals = ConformalIntervals().fit(matrix_of(size, False), mean, units, np.arange(size), np.arange(size) % 4, MANY)
    low, middle = intervals.quantiles(matrix_of(size, False), mean, [0.1, 0.3]).T
    # Set apart for 200 clusters, a tenth is 9.8 %.
    assert ((low > 0) & ~sold).sum() == int((0.5 - 0.4 * (1 + 1 / 200)) * size)
    assert low[mean < mean[~sold][-19]].max() == 0.0
    assert low[-1] == pytest.approx(0.01 * 0.01)
    # Of three in ten 4 times as many would be more than all.
    assert (middle != low).any()
    nothing = ConformalIntervals().fit(matrix_of(size, False), mean, units * 0, np.arange(size), np.arange(size) % 4, MANY)
    assert nothing.quantiles(matrix_of(1, False), np.array([0.3]), [0.1])[0] == pytest.approx(0.003)


def test_a_promotion_that_never_ends_does_not_make_ranges_of_all_that_was_seen() -> None:
    rng = np.random.default_rng(3)
    dates = pd.date_range("2024-01-01", periods=260)
    parts = [pd.DataFrame({"sku": sku, "date": dates, "units": rng.poisson(20.0, 260).astype(float), "depth": 0.2}) for sku in "abc"]
    panel = pd.concat(parts, ignore_index=True)
    fitted = forecaster(plan=["depth"], static=[]).fit(panel)
    plan = panel.groupby("sku").tail(14).assign(date=lambda frame: frame["date"] + pd.Timedelta(days=14)).reset_index(drop=True)
    told = fitted.predict(plan)
    # 80 % of Poisson's with mean 20 lie within 11.5 units; all of the past within 27.
    assert 9 < (told["q90"] - told["q10"]).mean() < 17
