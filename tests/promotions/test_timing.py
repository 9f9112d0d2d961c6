"""Slumps in which SKUs are chosen and dips after promotions: against drawn levels and against regressions worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sales_tech.promotions.panel import Member
from sales_tech.promotions.timing import (
    DIP_DAYS,
    FADES,
    PRIOR_DEVIATION,
    PRIOR_SHARE,
    SLUMP_DEVIATION,
    SLUMPS,
    fade_shapes,
    slump_shape,
    weigh,
)

STORES = np.array([0])


def panel(*members: Member, skus: int, days: int) -> Any:
    return SimpleNamespace(members=list(members), skus=np.arange(skus), days=np.arange(days))


def noise(*, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(4, 120))


def slumps() -> list[np.ndarray]:
    source = panel(*(Member(0, sku, STORES, start, start + 9, 0.2) for sku, start in enumerate((30, 40, 50, 60))), skus=4, days=120)
    return [slump_shape(source, lead, half_life) for lead, half_life in SLUMPS]


def dips() -> list[np.ndarray]:
    table = np.zeros((len(FADES), 4, 120))
    for sku, end in enumerate((40, 50, 60, 70)):
        table[:, sku, end : end + DIP_DAYS] = -fade_shapes()
    return list(table)


@pytest.mark.parametrize("starts", [(15,), (15, 18), (10, 16, 30)])
def test_the_slump_is_what_choosing_slow_days_leaves_of_a_wandering_level(starts: tuple[int, ...]) -> None:
    source = panel(*(Member(0, 0, STORES, start, start + 2, 0.2) for start in starts), skus=1, days=40)
    found = slump_shape(source, lead=7, half_life=6.0)[0]
    # Levels are drawn, and kept by odds that fall by a constant factor with the level on each day of choice.
    day, eagerness = np.arange(40), 1.0
    covariance = 0.5 ** (np.abs(day[:, None] - day) / 6.0)
    levels = np.random.default_rng(3).multivariate_normal(np.zeros(40), covariance, size=200_000)
    odds = np.exp(-eagerness * levels[:, np.array(starts) - 7].sum(axis=1))
    assert -eagerness * found == pytest.approx(odds @ levels / odds.sum(), abs=0.06)


def test_skus_chosen_twice_for_one_day_are_in_one_slump() -> None:
    twice = panel(Member(0, 0, STORES, 15, 20, 0.2), Member(1, 0, STORES, 15, 18, 0.1), skus=1, days=40)
    once = panel(Member(0, 0, STORES, 15, 20, 0.2), skus=1, days=40)
    assert slump_shape(twice, lead=7, half_life=6.0) == pytest.approx(slump_shape(once, lead=7, half_life=6.0))


def test_what_was_bought_ahead_is_missed_within_four_weeks_and_half_of_it_by_the_half_life() -> None:
    shapes = fade_shapes()
    assert shapes.sum(axis=1) == pytest.approx(1)
    # Seven days on, a fade of seven days has half of its first day left.
    assert shapes[FADES.index(7.0), 7] == pytest.approx(shapes[FADES.index(7.0), 0] / 2)


def test_a_slump_and_a_dip_that_sales_tell_clearly_are_taken_alone() -> None:
    chosen, fading = slumps(), dips()
    slump, fade = weigh(-30 * chosen[7] + 800 * fading[1] + noise(), [800 * part for part in fading], [30 * part for part in chosen])
    assert (np.argmin(slump), np.argmax(fade)) == (7, 1)
    assert slump.sum() == pytest.approx(-1, abs=0.05)
    assert slump[7] == pytest.approx(slump.sum(), rel=0.01)
    assert fade[1] == pytest.approx(1, abs=0.01)


def test_slumps_that_sales_cannot_tell_apart_count_alike_and_so_do_dips() -> None:
    choice, dip = slumps()[7], 5 * dips()[1]
    y = -2 * choice + dip + noise()
    slump, fade = weigh(y, [dip, dip], [choice, choice])
    # The ridge regression of both on sales, with a share known beforehand; its slump is shared equally.
    columns, prior = np.stack([dip.ravel(), choice.ravel()]), np.diag([PRIOR_DEVIATION**-2, SLUMP_DEVIATION**-2])
    _, whole = np.linalg.inv(columns @ columns.T + prior) @ (columns @ y.ravel() + prior @ [PRIOR_SHARE, 0])
    assert slump.tolist() == pytest.approx([whole / 2, whole / 2])
    assert fade.tolist() == pytest.approx([0.5, 0.5])
