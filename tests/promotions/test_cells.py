"""Which cells belong to one promotion, to several, to none: two SKUs, two groups of stores and six days, counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.promotions.sources import listed, sold, steady

from sales_tech.promotions import SourceFrames, build_panel
from sales_tech.promotions.baseline import Groups
from sales_tech.promotions.cells import PromotedCells
from sales_tech.promotions.panel import Member

# Store 0 is the first group, stores 1 and 2 are the second.
FIRST, SECOND, ALL = np.array([0]), np.array([1]), np.array([0, 1, 2])
MEMBERS = [
    Member(0, 0, FIRST, 1, 3, 0.2),
    Member(1, 0, ALL, 3, 4, 0.3),
    Member(1, 1, SECOND, 0, 1, float("nan")),
]


def cells_of(*members: Member) -> PromotedCells:
    stores = pd.DataFrame(
        {"store_id": ["1", "2", "3"], "state": None, "region": ["Norte", "Sul", "Sul"], "channel": "loja", "opened_on": pd.NaT}
    )
    panel = build_panel(SourceFrames(sold(steady(days=6, stores=("1", "2", "3"))), listed("A", "B"), stores))
    return PromotedCells(replace(panel, members=list(members)), Groups.of(panel))


def table(*rows: str) -> np.ndarray:
    """Days of SKU 0 in both groups, then of SKU 1; an x is true."""
    return np.array([[mark == "x" for mark in row] for row in rows]).reshape(2, 2, 6)


def test_a_cell_is_promoted_where_any_promotion_runs_and_alone_where_just_one_does() -> None:
    cells = cells_of(*MEMBERS)
    assert (cells.promoted == table(".xxxx.", "...xx.", "......", "xx....")).all()
    assert (cells.alone == table(".xx.x.", "...xx.", "......", "xx....")).all()


def test_a_member_runs_in_each_group_of_its_stores_once() -> None:
    assert [here.tolist() for here in cells_of(*MEMBERS).of_member] == [[0], [0, 1], [1]]


def test_cells_under_the_same_promotions_are_one_segment() -> None:
    third = Member(2, 0, np.array([1, 2]), 2, 4, 0.1)
    found = {
        (part.sku, part.members): sorted(zip(part.groups.tolist(), part.days.tolist(), strict=True))
        for part in cells_of(*MEMBERS, third).segments
    }
    assert found == {(0, (0, 1)): [(0, 3)], (0, (1, 3)): [(1, 3), (1, 4)]}


def test_where_no_promotions_overlap_there_is_no_segment() -> None:
    assert cells_of(MEMBERS[0], MEMBERS[2]).segments == []


def test_the_days_after_end_at_the_last_day_and_at_the_next_promotion() -> None:
    cells = cells_of(*MEMBERS)
    # The day after the first member is promoted by the second, so it is no day after.
    assert (cells.after(1) == table(".....x", ".....x", "......", "..x...")).all()
    assert (cells.after(3) == table(".....x", ".....x", "......", "..xxx.")).all()
    # Nothing comes before it: not even the day before one that lasts for a single day.
    assert (cells_of(Member(0, 0, SECOND, 2, 2, 0.2)).after(2) == table("......", "...xx.", "......", "......")).all()


def test_sums_are_over_the_cells_that_a_member_has_alone() -> None:
    sku, group, day = np.indices((2, 2, 6))
    values = 100.0 * sku + 10.0 * group + day
    assert cells_of(*MEMBERS).sums(values).tolist() == [1 + 2, 4 + 13 + 14, 110 + 111]


@pytest.mark.parametrize(
    ("first", "second", "both"), [(0.5, 0.2, 0.5), (0.2, 0.5, 0.5), (-0.2, -0.5, -0.2), (-0.5, -0.2, -0.2), (0.4, -0.1, 0.4)]
)
def test_a_cell_under_several_members_takes_the_greatest_of_their_factors(first: float, second: float, both: float) -> None:
    found = cells_of(*MEMBERS).spread(np.array([first, second, -0.3]))
    assert found[0].tolist() == [[0, first, first, both, second, 0], [0, 0, 0, second, second, 0]]
    assert found[1].tolist() == [[0] * 6, [-0.3, -0.3, 0, 0, 0, 0]]


def test_members_are_also_told_as_columns() -> None:
    cells = cells_of(*MEMBERS)
    assert cells.skus.tolist() == [0, 0, 1]
    assert cells.promotions.tolist() == [0, 1, 1]
    assert (cells.starts.tolist(), cells.ends.tolist()) == ([1, 3, 0], [3, 4, 1])
    np.testing.assert_array_equal(cells.depths, [0.2, 0.3, np.nan])
