"""Promotions of one SKU at a time: the strongest counts in full, and of each other a share."""

from __future__ import annotations

from itertools import permutations
from math import exp
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, poisson

from sales_tech.promotions.baseline import Groups
from sales_tech.promotions.cells import PromotedCells, Segment
from sales_tech.promotions.overlap import added, extra_units, joint, overlap_frame, overlap_share
from sales_tech.promotions.panel import Member

# Store 0 is the first group, stores 1 and 2 are the second; the first two SKUs are of one category.
GROUP, CATEGORY = [0, 1, 1], [0, 0, 1]
EVERYWHERE, FIRST, SECOND = np.array([0, 1, 2]), np.array([0]), np.array([1, 2])


def cells_of(*members: Member) -> PromotedCells:
    names = [f"PR{row}" for row in range(max(member.promotion for member in members) + 1)]
    panel: Any = SimpleNamespace(
        members=list(members),
        skus=np.arange(3),
        days=np.arange(12),
        category=np.array(CATEGORY),
        promotions=pd.DataFrame({"promotion_id": names}),
    )
    return PromotedCells(panel, Groups(np.array(GROUP), 2))


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


def test_a_few_hundred_units_tell_a_share_between_theirs_and_a_third() -> None:
    nowhere, rng = np.zeros(0, dtype=np.int64), np.random.default_rng(2)
    segments = [Segment(0, (0, 1), nowhere, nowhere), Segment(1, (1, 2), nowhere, nowhere)]
    lifts, usual = rng.normal([0.3, 0.5, 0.2], 0.1, size=(50, 3)), np.array([90.0, 60.0])
    for actual in (np.array([140.0, 100.0]), np.array([175.0, 120.0])):
        grid = np.linspace(0, 1, 2001)
        pairs = [np.stack([np.maximum(lifts[:, a], lifts[:, b]), np.minimum(lifts[:, a], lifts[:, b])]) for a, b in ((0, 1), (1, 2))]
        means = [np.exp(high + grid[:, None] * low).mean(axis=1) for high, low in pairs]
        told = norm.logpdf(grid, 1 / 3, 0.3) + sum(poisson.logpmf(n, m * mean) for n, m, mean in zip(actual, usual, means, strict=True))
        assert overlap_share(segments, lifts, actual, usual) == pytest.approx(grid[np.argmax(told)], abs=0.002)


def test_what_promotions_add_is_told_cell_by_cell_with_the_doubt_about_baselines() -> None:
    rng = np.random.default_rng(6)
    members = [Member(0, 0, FIRST, 1, 4, 0.2), Member(1, 0, EVERYWHERE, 3, 6, 0.3), Member(2, 0, FIRST, 4, 5, 0.1)]
    cells, expected = cells_of(*members), rng.gamma(5.0, size=(3, 2, 12))
    lifts, error = rng.normal(0.3, 0.3, size=(7, 3)), rng.uniform(0.8, 1.3, size=(7, 3))
    found = extra_units(cells, expected, lifts, error, share=0.4)
    for sku, group, day in np.ndindex(3, 2, 12):
        here = [row for row, one in enumerate(members) if one.sku == sku and group in [GROUP[s] for s in one.stores]]
        here = [row for row in here if members[row].start <= day <= members[row].end]
        draws = []
        for draw in range(7 if here else 0):
            mine = [lifts[draw, row] for row in here]
            together = exp(max(mine) + 0.4 * (sum(mine) - max(mine)))
            draws.append(sum(error[draw, row] for row in here) / len(here) * (together - 1))
        assert found[sku, group, day] == pytest.approx(expected[sku, group, day] * np.mean(draws) if draws else 0.0)


def test_promotions_meet_on_their_cells_or_else_on_the_days_in_places_and_categories_of_both() -> None:
    members = [
        Member(0, 0, FIRST, 1, 4, 0.2),
        Member(1, 0, EVERYWHERE, 3, 6, 0.3),
        Member(1, 1, EVERYWHERE, 3, 6, 0.3),
        Member(2, 1, SECOND, 6, 8, 0.1),
        Member(3, 1, FIRST, 4, 4, 0.1),  # one day beside the first, of its category
        Member(4, 2, EVERYWHERE, 0, 9, 0.1),  # another category
        Member(5, 1, FIRST, 7, 9, 0.1),  # another place than the third, and the day after the second
        Member(6, 0, EVERYWHERE, 6, 11, 0.1),
        Member(6, 1, FIRST, 1, 1, 0.1),  # the seventh runs from day 1 to day 11
    ]
    expected = np.random.default_rng(4).gamma(5.0, size=(3, 2, 12))

    def cells(promotion: int) -> set[tuple[int, int, int]]:
        mine = [member for member in members if member.promotion == promotion]
        return {(m.sku, GROUP[store], day) for m in mine for store in m.stores for day in range(m.start, m.end + 1)}

    rows = {}
    for one in range(7):
        for other in {*range(7)} - {one}:
            mine, theirs = cells(one), cells(other)
            both = mine & theirs
            days = [range(min(day for *_, day in part), max(day for *_, day in part) + 1) for part in (mine, theirs)]
            common = set(days[0]) & set(days[1])
            near = (
                [{(CATEGORY[sku]) for sku, *_ in part} for part in (mine, theirs)],
                [{group for _, group, _ in part} for part in (mine, theirs)],
            )
            if common and all(first & second for first, second in near):
                share = sum(expected[cell] for cell in both) / sum(expected[cell] for cell in mine)
                at = (len({sku for sku, *_ in both}), len({day for *_, day in both} if both else common), pytest.approx(share))
                rows[f"PR{one}", f"PR{other}"] = ("same_sku" if both else "same_category", *at)
    found = overlap_frame(cells_of(*members), expected)
    names = ["relation", "shared_skus", "shared_days", "shared_units_share"]
    assert {(row.promotion_id, row.other_promotion_id): tuple(row[name] for name in names) for _, row in found.iterrows()} == rows
    assert rows["PR0", "PR3"] == ("same_category", 0, 1, 0.0)
    assert not {("PR0", "PR2"), ("PR0", "PR4"), ("PR2", "PR5"), ("PR1", "PR5")} & set(rows)


def test_a_source_without_promotions_has_none_that_meet() -> None:
    panel: Any = SimpleNamespace(members=[], skus=np.arange(1), days=np.arange(3), promotions=pd.DataFrame())
    assert overlap_frame(PromotedCells(panel, Groups(np.array([0]), 1)), np.ones((1, 1, 3))).empty
