"""What the parts of a fit make of each other: effects cell by cell and draw by draw, and what is moved elsewhere."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sales_tech.promotions import posterior
from sales_tech.promotions.baseline import Groups
from sales_tech.promotions.cells import PromotedCells
from sales_tech.promotions.luck import Luck
from sales_tech.promotions.overlap import overlap_share
from sales_tech.promotions.panel import Member
from sales_tech.promotions.shrinkage import Pooled
from sales_tech.promotions.spillovers import Spillovers
from sales_tech.promotions.timing import DIP_DAYS, FADES

NAN, DRAWS, DAYS = float("nan"), 5, 50
# Store 0 is the first group, stores 1 and 2 are the second; each two SKUs are of one category.
GROUP, CATEGORY = [0, 1, 1], [0, 0, 1, 1]
FIRST, SECOND, ALL = np.array([0]), np.array([1, 2]), np.array([0, 1, 2])
MEMBERS = [
    Member(0, 0, FIRST, 3, 6, 0.2),
    Member(1, 0, ALL, 5, 8, NAN),
    Member(2, 0, ALL, 8, 9, 0.1),
    Member(1, 1, ALL, 5, 8, 0.5),
    Member(3, 2, SECOND, 40, 41, 0.3),
]


def cells_of(members: list[Member]) -> PromotedCells:
    frame = pd.DataFrame({"mechanic": ["cupom", None, "leve 3", "cupom"], "display": [True, False, False, True]})
    panel: Any = SimpleNamespace(
        members=members,
        skus=np.arange(4),
        days=np.arange(DAYS),
        categories=["first", "second"],
        category=np.array(CATEGORY),
        brands=["one", "two"],
        brand=np.array([0, 1, 1, 0]),
        promotions=frame,
    )
    return PromotedCells(panel, Groups(np.array(GROUP), 2))


def groups_of(member: Member) -> list[int]:
    return sorted({GROUP[store] for store in member.stores})


def running(sku: int, group: int, day: int) -> list[int]:
    """Members that run in a cell."""
    return [row for row, one in enumerate(MEMBERS) if one.sku == sku and group in groups_of(one) and one.start <= day <= one.end]


def window(member: Member) -> list[tuple[int, int, int]]:
    return [(member.sku, group, day) for group in groups_of(member) for day in range(member.start, member.end + 1)]


def lifts_of(rng: np.random.Generator) -> Any:
    error, lift = rng.normal(0, 0.2, size=(DRAWS, 5)), rng.uniform(-0.2, 0.8, size=(DRAWS, 5))
    return SimpleNamespace(log_error=error, log_lift=lift, works=rng.random((DRAWS, 4)) < 0.6)


def test_each_member_has_the_units_of_its_cells_without_it_and_what_it_adds_to_them() -> None:
    rng = np.random.default_rng(1)
    cells, lifts = cells_of(MEMBERS), lifts_of(rng)
    expected, sold, spared = rng.gamma(4.0, size=(4, 2, DAYS)), rng.gamma(4.0, size=(4, 2, DAYS)), rng.uniform(0, 0.3, size=(4, 2, DAYS))
    share, baseline, incremental = posterior._effects(cells, lifts, expected, sold, spared)
    # So little overlaps that a third of the weaker one is taken to come through.
    assert share == pytest.approx(1 / 3)

    def together(lifts: list[float]) -> float:
        return float(np.exp(max(lifts) + (sum(lifts) - max(lifts)) / 3)) if lifts else 1.0

    for (row, member), draw in product(enumerate(MEMBERS), range(DRAWS)):
        usual = extra = 0.0
        for cell in window(member):
            here = running(*cell)
            others = [one for one in here if one != row]
            units = expected[cell] * np.mean(np.exp(lifts.log_error[draw, here]))
            with_all = together(lifts.log_lift[draw, here].tolist())
            without = together(lifts.log_lift[draw, others].tolist())
            # What a promotion that works keeps from being lost elsewhere is part of what it adds.
            kept = spared[cell] * lifts.works[draw, member.promotion] if not others else 0.0
            usual += units * (without - kept)
            extra += units * (with_all - without + kept)
        assert baseline[draw, row] == pytest.approx(usual)
        assert incremental[draw, row] == pytest.approx(extra)


def test_the_share_that_comes_through_is_told_beside_the_errors_of_baselines() -> None:
    rng = np.random.default_rng(2)
    cells, lifts = cells_of(MEMBERS), lifts_of(rng)
    expected, sold = rng.gamma(4.0, 50, size=(4, 2, DAYS)), rng.gamma(6.0, 50, size=(4, 2, DAYS))
    usual, actual = [], []
    for segment in cells.segments:
        where = list(zip(segment.groups.tolist(), segment.days.tolist(), strict=True))
        error = np.mean([np.exp(lifts.log_error[:, row]).mean() for row in segment.members])
        usual.append(sum(expected[segment.sku, group, day] for group, day in where) * error)
        actual.append(sum(sold[segment.sku, group, day] for group, day in where))
    told = overlap_share(cells.segments, lifts.log_lift, np.array(actual), np.array(usual))
    assert posterior._share(cells, lifts, expected, sold) == pytest.approx(told)
    assert told != pytest.approx(1 / 3, abs=0.01)


def moved(cells: PromotedCells, spillovers: Spillovers, incremental: np.ndarray, usual: np.ndarray) -> tuple[np.ndarray, ...]:
    return posterior._moved(cells.panel, cells, spillovers, incremental, usual, np.random.default_rng(3))


def test_what_is_moved_is_a_share_of_what_is_added_where_there_is_somebody_to_lose_it_and_a_day_to_miss_it() -> None:
    rng = np.random.default_rng(4)
    cells, incremental = cells_of(MEMBERS), rng.normal(5, 3, size=(DRAWS, 5))
    usual = rng.gamma(4.0, size=(4, 2, DAYS))
    # The second SKU is not on sale in the second group until the sixth day, and the first SKU not from the twentieth on.
    usual[1, 1, :6], usual[0, :, 20:] = 0.0, 0.0
    fade, halo = np.array([0.1, 0.2, 0.3, 0.4]), np.array([[0.0, 0.2], [0.1, 0.05]])
    exact = [Pooled(np.array(mean), np.zeros(2), 0.0, 0.0, 0.0) for mean in ([0.3, 0.2], [0.15, 0.25])]
    nothing = np.zeros((2, 2))
    cannibalised, gained, pulled = moved(cells, Spillovers(exact[0], fade, exact[1], halo, nothing), incremental, usual)
    left = np.array([[0.5 ** (day / half_life) for day in range(DIP_DAYS)] for half_life in FADES])
    missed = [sum(fade[row] * left[row, day] / left[row].sum() for row in range(4)) for day in range(DIP_DAYS)]
    for row, member in enumerate(MEMBERS):
        category = CATEGORY[member.sku]
        peers = [
            any(usual[sku, group, day] > 0 and not running(sku, group, day) for sku in range(4) if CATEGORY[sku] == category)
            for _, group, day in window(member)
        ]
        assert cannibalised[:, row] == pytest.approx([0.3, 0.2][category] * np.mean(peers) * incremental[:, row])
        assert gained[:, row] == pytest.approx(halo[category].sum() * incremental[:, row])
        weight = {group: sum(usual[member.sku, group, day] for day in range(member.start, member.end + 1)) for group in groups_of(member)}
        later = 0.0
        for group, part in weight.items():
            for ahead in range(DIP_DAYS):
                day = member.end + 1 + ahead
                if day < DAYS and usual[member.sku, group, day] > 0 and not running(member.sku, group, day):
                    later += part / sum(weight.values()) * missed[ahead]
        assert pulled[:, row] == pytest.approx([0.15, 0.25][category] * later * incremental[:, row])


def test_doubt_about_what_is_moved_is_partly_common_to_all_categories_and_takes_no_share_below_none() -> None:
    cells, many = cells_of(MEMBERS), 40_000
    incremental, usual = np.ones((many, 5)), np.ones((4, 2, DAYS))
    shares = Pooled(np.array([0.4, 0.5]), np.array([0.05, 0.04]), 0.45, 0.03, 0.0)
    edge = Pooled(np.array([0.0, 0.9]), np.array([0.05, 0.05]), 0.45, 0.0, 0.0)
    halo, doubt = np.array([[0.0, 0.01], [0.0, 0.0]]), np.array([[0.03, 0.04], [0.0, 0.02]])
    cannibalised, gained, pulled = moved(cells, Spillovers(shares, np.full(4, 0.25), edge, halo, doubt), incremental, usual)
    one, other = (cannibalised[:, row] / cannibalised[:, row].mean() * mean for row, mean in ((0, 0.4), (4, 0.5)))
    assert np.cov(one, other) == pytest.approx(np.array([[0.05**2, 0.03**2], [0.03**2, 0.04**2]]), rel=0.05, abs=5e-5)
    assert np.corrcoef(cannibalised[:, 0], cannibalised[:, 2])[0, 1] == pytest.approx(1)
    # What is only doubt is no gain, but it may be a loss as well.
    assert gained[:, 0].mean() == pytest.approx(0.01, abs=0.001)
    assert (gained[:, 0].std(), gained[:, 4].std()) == pytest.approx((0.05, 0.02), rel=0.02)
    assert pulled[:, 3].min() == 0
    assert (pulled[:, 3] == 0).mean() == pytest.approx(0.5, abs=0.01)
    assert (pulled[:, 4] == pulled[:, 4].max()).mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("depth", [0.3, NAN])
def test_members_are_observed_in_the_cells_that_each_has_alone(depth: float) -> None:
    rng = np.random.default_rng(6)
    depths = [0.2, NAN, 0.1, 0.5, 0.3] if depth == 0.3 else [NAN] * 5
    of = [Member(one.promotion, one.sku, one.stores, one.start, one.end, part) for one, part in zip(MEMBERS, depths, strict=True)]
    cells = cells_of(of)
    expected, sold = rng.gamma(4.0, size=(2, 4, 2, DAYS))
    own, shared = rng.uniform(0.01, 0.1, size=(2, 5))
    share = rng.uniform(0.2, 1, size=(8, 1))
    model: Any = SimpleNamespace(
        luck=Luck(1.4, 0.3),
        concentration=lambda name: {"group": share}[name],
        price_elasticity=Pooled(np.array([1.5, 2.5]), np.zeros(2), 1.8, 0.0, 0.0),
    )
    found = posterior._data(model, cells, expected, sold, own, shared, np.array([0, 2, 1, 0], dtype=np.int8))
    for row, member in enumerate(MEMBERS):
        alone = [cell for cell in window(member) if running(*cell) == [row]]
        units = sum(expected[cell] for cell in alone)
        assert (found.actual[row], found.baseline[row]) == pytest.approx((sum(sold[cell] for cell in alone), units))
        scattered = sum(0.3 * expected[cell] ** 2 * share[2 * cell[0] + cell[1], 0] for cell in alone)
        assert np.broadcast_to(found.scatter, 5)[row] == pytest.approx(scattered / units**2)
    assert found.own_error.tolist() == own.tolist()
    # The second promotion has two members, which share one error.
    both = (shared[1] + shared[3]) / 2
    assert found.shared_error.tolist() == pytest.approx([shared[0], both, shared[2], both, shared[4]])
    assert (found.promotion.tolist(), found.category.tolist(), found.brand.tolist()) == ([0, 1, 2, 1, 3], [0, 0, 0, 0, 1], [0, 0, 0, 1, 1])
    assert (found.mechanic.tolist(), found.display.tolist()) == ([0, 2, 1, 2, 0], [1, 0, 0, 0, 1])
    # Where none is planned, the middle of the others; a tenth where none of them is.
    assert found.depth.tolist() == pytest.approx([0.2, 0.25, 0.1, 0.5, 0.3] if depth == 0.3 else [0.1] * 5)
    assert (found.prior_slope.tolist(), found.dispersion) == ([pytest.approx(-0.3), pytest.approx(0.7)], 1.4)


def test_a_promotion_without_a_mechanic_is_of_an_unknown_one() -> None:
    told: Any = SimpleNamespace(panel=cells_of(MEMBERS).panel, cells=cells_of(MEMBERS), mechanics=["cupom", "leve 3", "unknown"])
    kinds = posterior.Posterior.mechanic.fget(told)  # type: ignore[attr-defined]
    assert kinds.tolist() == [0, 2, 1, 2, 0]


def test_draws_of_members_add_up_to_those_of_their_promotion() -> None:
    told: Any = SimpleNamespace(panel=cells_of(MEMBERS).panel, cells=cells_of(MEMBERS))
    draws = np.arange(10.0).reshape(2, 5)
    assert posterior.Posterior.by_promotion(told, draws).tolist() == [[0, 1 + 3, 2, 4], [5, 6 + 8, 7, 9]]
