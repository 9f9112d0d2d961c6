"""Errors of baselines learnt from promotions that never were: where these are put, and what is made of errors of known size."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sales_tech.promotions import placebo
from sales_tech.promotions.baseline import Groups
from sales_tech.promotions.cells import PromotedCells
from sales_tech.promotions.panel import Member


@pytest.mark.parametrize(("own", "shared"), [(1.0, 1.0), (3.0, 1.0), (1.0, 5.0), (2.5, 4.0)])
def test_variances_are_scaled_to_those_of_the_errors_that_were_made(own: float, shared: float) -> None:
    rng, promotion = np.random.default_rng(2), np.repeat(np.arange(1500), 3)
    noise, stated_own, stated_shared = (
        rng.uniform(0.005, 0.02, 4500),
        rng.uniform(0.005, 0.03, 4500),
        rng.uniform(0.005, 0.02, 1500)[promotion],
    )
    error = rng.normal(size=1500)[promotion] * np.sqrt(shared * stated_shared)
    error += rng.normal(size=4500) * np.sqrt(own * stated_own + noise)
    found = placebo._factors(error, noise, stated_own, stated_shared, promotion)
    assert found.shared == pytest.approx(shared, rel=0.15)
    assert found.own == pytest.approx(own, abs=0.35)
    assert found.windows == 4500
    # Four in five of the promotions' mean errors lie within four fifths of the distribution that is now stated.
    weight = (1 / (noise + found.own * stated_own)).reshape(-1, 3)
    mean = (weight * error.reshape(-1, 3)).sum(axis=1) / weight.sum(axis=1)
    deviation = np.sqrt(1 / weight.sum(axis=1) + found.shared * stated_shared[::3])
    assert (np.abs(mean / deviation) < 1.2816).mean() == pytest.approx(0.8, abs=0.02)


def test_a_few_windows_that_are_far_off_do_not_make_all_baselines_doubtful() -> None:
    rng, rows = np.random.default_rng(3), np.arange(2000)
    error = rng.normal(size=2000) * 0.2
    error[:10] = 50.0
    part = np.full(2000, 0.02)
    assert placebo._factors(error, part / 2, part, part / 2, rows).own < 1.5


def test_variances_that_are_stated_too_large_are_at_most_halved() -> None:
    error, part = np.random.default_rng(4).normal(size=3000) * 0.01, np.full(3000, 0.02)
    found = placebo._factors(error, part / 100, part, part, np.arange(3000))
    assert (found.own, found.shared) == pytest.approx((0.5, 0.5), rel=1e-3)


def test_promotions_are_moved_as_a_whole_to_days_on_which_their_skus_are_sold_and_not_promoted() -> None:
    both, first = np.array([0, 1]), np.array([0])
    members = [
        Member(0, 0, both, 60, 66, 0.2),
        Member(0, 1, both, 60, 69, 0.2),
        Member(1, 0, first, 130, 139, 0.3),
        Member(2, 1, first, 160, 170, 0.3),
        Member(3, 2, both, 100, 106, 0.1),
    ]
    panel: Any = SimpleNamespace(
        members=members, skus=np.arange(3), days=np.arange(220), launched=np.array([-1, 10, 30]), withdrawn=np.array([220, 220, 180])
    )
    cells = PromotedCells(panel, Groups(np.array([0, 1]), 2))
    shifts: dict[int, set[int]] = {row: set() for row in range(5)}
    earliest, latest, before, after = [220] * 3, [0] * 3, {220}, {220}
    for seed in range(900):
        rows, starts = placebo._moved(cells, np.random.default_rng(seed))
        of_promotion: dict[int, int] = {}
        taken = np.zeros((3, 2, 220), dtype=bool)
        for row, start in zip(rows.tolist(), starts.tolist(), strict=True):
            member = members[row]
            end, shift = start + member.end - member.start, start - member.start
            assert of_promotion.setdefault(member.promotion, shift) == shift
            assert 28 <= abs(shift) < 120
            window = member.sku, cells.of_member[row], slice(start, end + 1)
            # Nor in the fortnight after a promotion, nor where another one was moved to.
            assert not (cells.promoted | cells.after(14) | taken)[window].any()
            taken[window] = True
            shifts[row].add(shift)
            apart = [(one.start - end, start - one.end) for one in members if one.sku == member.sku == 0]
            before |= {days for days, _ in apart if days > 0}
            after |= {days for _, days in apart if days > 0}
            earliest[member.sku], latest[member.sku] = min(earliest[member.sku], start), max(latest[member.sku], end)
    assert all(min(found) < 0 < max(found) for found in shifts.values())
    # A fortnight after a launch, or the first days that are known, and a week before the last of them are left out.
    assert (earliest, latest) == ([13, 24, 44], [212, 212, 179])
    assert (min(before), min(after)) == (1, 15)
