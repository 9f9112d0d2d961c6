"""What promotions move elsewhere: shapes and parts worked out by hand or by conditioning a Gaussian process."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sales_tech.promotions.baseline import Groups
from sales_tech.promotions.cells import PromotedCells
from sales_tech.promotions.luck import Luck
from sales_tech.promotions.panel import Member
from sales_tech.promotions.shrinkage import Pooled, pool, sparse_pool
from sales_tech.promotions.spillovers import Offsets, Pressure, Spillovers, estimate_spillovers
from sales_tech.promotions.states import Smoothed, Wander, choose_wander
from sales_tech.promotions.timing import DIP_DAYS, FADES, PRIOR_DEVIATION, PRIOR_SHARE, SLUMPS

STORES = np.array([0])


def pooled(share: float) -> Pooled:
    return Pooled(np.array([share]), np.zeros(1), share, 0.0, 0.0)


def shares(cannibal: float = 0.0, dip: float = 0.0, slump: float = 0.0, shape: int = 0) -> Spillovers:
    fade, slumps = np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(len(SLUMPS))
    slumps[shape] = slump
    return Spillovers(pooled(cannibal), fade, pooled(dip), np.zeros((1, 1)), np.zeros((1, 1)), slumps)


def panel(*members: Member, skus: int = 2, days: int = 10) -> Any:
    return SimpleNamespace(members=list(members), category=np.zeros(skus, dtype=int), skus=np.arange(skus), days=np.arange(days))


def cells(of: Any, alone: np.ndarray) -> Any:
    return SimpleNamespace(of_member=[np.array([0]) for _ in of.members], alone=alone)


def pressure(extra: np.ndarray, promoted: np.ndarray, after: np.ndarray, usual: np.ndarray) -> Pressure:
    of_category = extra.sum(axis=0, keepdims=True)
    peers, everything = ((usual * part).sum(axis=0, keepdims=True) for part in (~promoted, np.ones_like(promoted)))
    nothing = np.zeros((len(SLUMPS), 2, 10))
    return Pressure(extra, of_category, peers, everything, after, after, nothing)


def test_a_promotion_is_spared_the_dip_of_the_one_before_and_what_its_neighbour_takes() -> None:
    mine, neighbour = Member(0, 0, STORES, 5, 9, 0.2), Member(1, 1, STORES, 5, 5, 0.2)
    source = panel(mine, neighbour)
    promoted, usual, extra = np.zeros((2, 1, 10), dtype=bool), np.full((2, 1, 10), 10.0), np.zeros((2, 1, 10))
    promoted[0, 0, 5:], promoted[1, 0, 5] = True, True
    extra[0, 0, 5:], extra[1, 0, 5] = 4.0, 3.0
    after = np.zeros((len(FADES), 2, 1, 10))
    after[0, 0, 0, 5:7] = 2.0  # an earlier promotion of the same product, whose dip has two days to go
    told = pressure(extra, promoted, after, usual)
    spared = told.spared(source, shares(cannibal=0.2, dip=0.5), usual, cells(source, promoted))
    # Half of two units a day would be missing of ten, and a fifth of the neighbour's three: its own four do not count.
    assert spared[0, 0].tolist() == pytest.approx([0, 0, 0, 0, 0, 1 - 0.9 * (1 - 0.2 * 3 / 10), 0.1, 0, 0, 0])
    assert spared[1, 0, 5] == pytest.approx(0.2 * 4 / 10)


def test_where_another_promotion_of_the_product_runs_nothing_is_spared() -> None:
    source = panel(Member(0, 0, STORES, 5, 9, 0.2), Member(1, 0, STORES, 5, 9, 0.1))
    usual, after = np.full((2, 1, 10), 10.0), np.full((len(FADES), 2, 1, 10), 2.0)
    told = pressure(np.zeros((2, 1, 10)), np.zeros((2, 1, 10), dtype=bool), after, usual)
    assert not told.spared(source, shares(dip=0.5), usual, cells(source, np.zeros((2, 1, 10), dtype=bool))).any()


def test_slumps_of_several_leads_add_up_by_their_chances() -> None:
    usual, nothing = np.full((1, 1, 10), 5.0), np.zeros((1, 1, 10))
    told = pressure(nothing, nothing > 0, np.zeros((len(FADES), 1, 1, 10)), usual)
    chosen = np.zeros((len(SLUMPS), 1, 10))
    chosen[0, 0, 3], chosen[1, 0, 4] = 1.0, 1.0
    slumps = np.zeros(len(SLUMPS))
    slumps[:2] = -0.3, -0.1
    offsets = replace(told, chosen=chosen).offsets(panel(skus=1), replace(shares(), slump=slumps), usual, nothing > 0)
    assert offsets.chosen[0, 0].tolist() == pytest.approx([0, 0, 0, -0.3, -0.1, 0, 0, 0, 0, 0])


def test_half_way_is_the_mean_of_the_shares_and_slumps() -> None:
    between = shares(0.2, 0.1, -0.4).half_way(shares(0.1, 0.3, -0.2, shape=1))
    assert (between.cannibal.mean[0], between.dip.mean[0]) == (pytest.approx(0.15), pytest.approx(0.2))
    assert between.slump[:3].tolist() == pytest.approx([-0.2, -0.1, 0.0])


BOTH, FIRST, SECOND = np.array([0, 1]), np.array([0]), np.array([1])


def two_categories(*members: Member, skus: int, days: int, states: np.ndarray) -> tuple[Any, PromotedCells]:
    """A baseline of SKUs, half of them of each category, in two stores that are groups of their own; states (K,) stay as they are."""
    source: Any = SimpleNamespace(
        members=list(members),
        skus=np.arange(skus),
        days=np.arange(days),
        categories=["first", "second"],
        category=np.repeat([0, 1], skus // 2),
    )
    groups = Groups(np.array([0, 1]), 2)
    fitted = SimpleNamespace(
        panel=source,
        groups=groups,
        sku_state=Smoothed(np.tile(states[:, None], days), np.zeros((skus, days))),
        group_state=Smoothed(np.tile(np.repeat(states / 2, 2)[:, None], days), np.zeros((2 * skus, days))),
        category_day=np.zeros((2, days)),
        luck=Luck(),
        concentration=lambda _: np.ones((1, 1)),
        wanders={"sku": Wander(0.01, 32.0)},
    )
    return fitted, PromotedCells(source, groups)


def test_pressure_is_counted_cell_by_cell_and_day_by_day() -> None:
    members = [Member(0, 0, FIRST, 3, 5, 0.2), Member(1, 0, BOTH, 25, 27, 0.2), Member(2, 3, BOTH, 8, 9, 0.1)]
    rng = np.random.default_rng(5)
    states = np.array([0.2, 0.0, -0.1, 0.3])
    baseline, found = two_categories(*members, skus=4, days=40, states=states)
    extra, predicted, usual = rng.gamma(4.0, size=(3, 4, 2, 40))
    told = Pressure.of(baseline, extra, predicted, usual, found.promoted)
    lost = told.lost_to_category()
    for category, group, day in np.ndindex(2, 2, 40):
        skus = [2 * category, 2 * category + 1]
        more, all_of = (sum(table[sku, group, day] for sku in skus) for table in (extra, usual))
        left = sum(usual[sku, group, day] for sku in skus if not found.promoted[sku, group, day])
        at = category, group, day
        assert (told.extra[at], told.usual[at], told.peers[at]) == pytest.approx((more, all_of, left))
        assert lost[at] == pytest.approx(min(more / left, 4.0))
    # What is predicted without the states of SKUs and of their groups.
    calm_one = predicted * np.exp(-1.5 * states)[:, None, None]
    for table, missed in ((extra, told.after), (calm_one, told.calm_after)):
        expected = np.zeros((len(FADES), 4, 2, 40))
        for member in members:
            for (fade, half_life), group in product(enumerate(FADES), member.stores.tolist()):
                units = sum(table[member.sku, group, day] for day in range(member.start, member.end + 1))
                parts = [0.5 ** (day / half_life) for day in range(DIP_DAYS)]
                for day in range(min(DIP_DAYS, 39 - member.end)):
                    expected[fade, member.sku, group, member.end + 1 + day] += units * parts[day] / sum(parts)
        assert missed == pytest.approx(expected)


def test_offsets_are_logs_of_what_is_left_and_what_is_gained() -> None:
    rng = np.random.default_rng(9)
    source = SimpleNamespace(category=np.array([0, 0, 1, 1]))
    promoted, usual = rng.random((4, 2, 6)) < 0.3, rng.uniform(5, 15, size=(4, 2, 6))
    extra, after = rng.gamma(0.6, 12, size=(4, 2, 6)), rng.gamma(0.5, 12, size=(len(FADES), 4, 2, 6))
    by_category = [np.stack([table[:2].sum(axis=0), table[2:].sum(axis=0)]) for table in (extra, usual * ~promoted, usual)]
    told = Pressure(extra, *by_category, after, after, np.zeros((len(SLUMPS), 4, 6)))
    fade, cannibal, dip, halo = [0.1, 0.2, 0.3, 0.4], [0.5, 0.1], [0.6, -0.1], np.array([[0.0, 0.8], [0.1, 0.2]])
    both = (Pooled(np.array(part), np.zeros(2), 0.0, 0.0, 0.0) for part in (cannibal, dip))
    lost, missed = both
    shares_of = Spillovers(lost, np.array(fade), missed, halo, np.zeros((2, 2)))
    found = told.offsets(source, shares_of, usual, promoted)  # type: ignore[arg-type]
    clipped = 0
    for sku, group, day in np.ndindex(4, 2, 6):
        mine, at = sku // 2, (sku, group, day)
        moved = [sum(table[2 * row + part, group, day] for part in (0, 1)) for table in (extra, usual) for row in (0, 1)]
        left = sum(usual[2 * mine + part, group, day] * (not promoted[2 * mine + part, group, day]) for part in (0, 1))
        taken = cannibal[mine] * min(moved[mine] / max(left, 1e-9), 4.0)
        gain = (halo[0, mine] * moved[0] + halo[1, mine] * moved[1]) / moved[2 + mine]
        pulled = max(dip[mine], 0.0) * sum(part * after[(row, *at)] for row, part in enumerate(fade)) / usual[at]
        clipped += (taken > 0.8) + (pulled > 0.8) + (gain > 2)
        besides = np.log(1 + min(gain, 2.0))
        assert found.neighbours[at] == pytest.approx(besides + (0.0 if promoted[at] else np.log(max(1 - taken, 0.2))))
        assert found.dip[at] == pytest.approx(0.0 if promoted[at] else np.log(max(1 - pulled, 0.2)))
    assert clipped > 3
    assert found.moved == pytest.approx(found.neighbours + found.dip)
    assert found.total == pytest.approx(found.moved + found.chosen)


@pytest.mark.parametrize(("halo", "steps", "near"), [(0.0, 5, 0.007), (0.2, 5, 0.03), (0.0, 1, 0.016)])
def test_the_shares_and_the_slump_by_which_sales_were_made_are_found_again(halo: float, steps: int, near: float) -> None:
    runs = [(0, BOTH, 40, 7), (1, BOTH, 80, 8), (2, FIRST, 115, 7), (0, BOTH, 140, 7), (1, FIRST, 20, 5), (2, BOTH, 165, 5)]
    runs += [(3, BOTH, 43, 8), (4, SECOND, 83, 7), (5, BOTH, 125, 7), (3, BOTH, 150, 6), (5, SECOND, 65, 4), (4, BOTH, 18, 5)]
    of = [Member(row, sku, stores, start, start + days - 1, 0.2) for row, (sku, stores, start, days) in enumerate(runs)]
    rng = np.random.default_rng(0)
    states = rng.normal(0, 0.2, size=6)
    baseline, found_in = two_categories(*of, skus=6, days=200, states=states)
    promoted = found_in.promoted
    level = rng.uniform(4e4, 9e4, size=(1, 2, 1)) * np.exp(1.5 * states)[:, None, None] * np.ones((6, 2, 200))
    extra, slump = 0.6 * level * promoted, np.zeros(len(SLUMPS))
    slump[7] = -0.2

    def shares_of(cannibal: float, dips: list[float], halo: float) -> Spillovers:
        lost, missed = (Pooled(np.array(part), np.zeros(2), 0.0, 0.0, 0.0) for part in ([cannibal, cannibal], dips))
        return Spillovers(lost, np.eye(4)[2], missed, np.array([[0.0, halo], [0.0, 0.0]]), np.zeros((2, 2)), slump)

    def pressed(usual: np.ndarray) -> Pressure:
        return Pressure.of(baseline, extra, extra, usual, promoted)

    def offsets_of(known: Spillovers) -> Offsets:
        chosen = pressed(level).offsets(baseline.panel, known, level, promoted).chosen
        usual = level * np.exp(chosen)
        return pressed(usual).offsets(baseline.panel, known, usual, promoted)

    truth, nothing = shares_of(0.35, [0.25, 0.15], halo), np.zeros_like(level)
    # A level that is off all the time is no effect of promotions.
    sold = level * np.exp(offsets_of(truth).total) * np.repeat([1.04, 0.97], 3)[:, None, None]
    offsets, found = Offsets(nothing, nothing, nothing), Spillovers.none(2)
    if steps == 1:
        # From shares that are near, a single step is enough.
        found = shares_of(0.25, [0.18, 0.09], halo)
        offsets = offsets_of(found)
    for _ in range(steps):
        expected = level * np.exp(offsets.total)
        usual = expected * np.exp(-offsets.moved)
        told = pressed(usual)
        found = estimate_spillovers(baseline, told, sold, expected, offsets, promoted, found)
        offsets = told.offsets(baseline.panel, found, usual, promoted)
    assert found.cannibal.mean == pytest.approx(truth.cannibal.mean, abs=near)
    assert found.dip.mean == pytest.approx(truth.dip.mean, abs=0.006)
    assert found.fade == pytest.approx(truth.fade, abs=0.01)
    assert found.slump == pytest.approx(slump, abs=0.01)
    # What a clear gain is drawn to is a tenth.
    assert found.halo == pytest.approx(truth.halo, abs=0.02)


def regressed(y: np.ndarray, columns: list[np.ndarray], precision: np.ndarray, wander: Wander) -> np.ndarray:
    """Products (columns, columns and y) of one series, weighed by the inverse of its dense covariance, beside a constant."""
    days = np.arange(len(y))
    covariance = wander.deviation**2 * np.exp2(-np.abs(days[:, None] - days) / wander.half_life) + np.diag(1 / precision)
    inverse, one = np.linalg.inv(covariance), np.ones(len(y))
    weight = inverse - np.outer(inverse @ one, one @ inverse) / (one @ inverse @ one)
    x = np.stack(columns)
    return np.column_stack([x @ weight @ x.T, x @ weight @ y])


@pytest.mark.parametrize("groups", [1, 2])
def test_what_neighbours_lose_and_gain_is_a_regression_on_both(groups: int) -> None:
    days = 60
    # Both categories are promoted at once in part, so that a gain from the other one has to be told from one's own loss.
    runs = [(0, BOTH, 5, 14), (3, BOTH, 10, 19), (1, FIRST, 30, 41), (4, BOTH, 33, 38), (3, SECOND, 50, 55)]
    of = [Member(row, sku, stores, start, end, 0.2) for row, (sku, stores, start, end) in enumerate(runs)]
    baseline, found_in = two_categories(*of, skus=6, days=days, states=np.zeros(6))
    rng, promoted = np.random.default_rng(8), found_in.promoted[:, :groups]
    baseline.groups, baseline.group_state = Groups(np.arange(groups), groups), Smoothed(*np.zeros((2, 6 * groups, days)))
    baseline.category_day = rng.normal(0, 0.01, size=(2, days))
    # On the last days next to nothing is sold.
    level = rng.uniform(300, 900, size=(6, groups, 1)) * np.where(np.arange(days) < 50, 1.0, 5e-4)
    known = rng.normal(0, 0.01, size=(6, groups, days)) * ~promoted
    expected = level * np.exp(known + np.repeat(baseline.category_day, 3, axis=0)[:, None])
    extra = np.linspace(1.5, 2.5, days) * level * promoted
    by_kind = [np.stack([table[:3].sum(axis=0), table[3:].sum(axis=0)]) for table in (extra, level * ~promoted, level)]
    moved = 1 - 0.3 * by_kind[0] / by_kind[1]
    moved[1] += 0.25 * by_kind[0][0] / by_kind[2][1]
    sold = rng.poisson(expected * np.repeat(moved, 3, axis=0)) * 1.0
    told = Pressure(extra, *by_kind, *np.zeros((2, len(FADES), 6, groups, days)), np.zeros((len(SLUMPS), 6, days)))
    before = replace(Spillovers.none(2), cannibal=Pooled(np.array([0.1, 0.3]), np.zeros(2), 0.0, 0.0, 0.0))
    offsets = Offsets(known, np.zeros_like(known), np.zeros_like(known))
    found = estimate_spillovers(baseline, told, sold, expected, offsets, promoted, before)

    # Logs of sales over what is expected without neighbours, of the nation and of its groups, and what may have moved them.
    free, units, told_of = ~promoted, {}, {}
    for kind, group in product((0, 1), (*range(groups), -1)):
        here, mine = slice(None) if group < 0 else slice(group, group + 1), slice(3 * kind, 3 * kind + 3)
        came, units[kind, group] = ((table * free)[mine, here].sum(axis=(0, 1)) for table in (sold, expected))
        lost = np.minimum(by_kind[0][kind] / by_kind[1][kind], 4.0)
        left = np.maximum(1 - before.cannibal.mean[kind] * lost, 0.2)
        # A step from the share known so far: the tangent of the log there, carried on to a share of none.
        tangent = -lost / left
        plain = (expected * np.exp(-baseline.category_day[kind] - known) * free)[mine].sum(axis=0)
        plain = (plain * left * np.exp(-before.cannibal.mean[kind] * tangent))[here].sum(axis=0)
        parts = [tangent, *(by_kind[0][source] / by_kind[2][kind] for source in (0, 1))]
        usual = (expected * np.exp(-known) * free)[mine].sum(axis=0)[here]
        columns = (np.average(part[here], axis=0, weights=usual) for part in parts)
        told_of[kind, group] = np.stack([np.log((came + 0.5) / (plain + 0.5)), *columns])
    # The nation's without what both categories have in common on a day, and the groups' without the nation's.
    nation = [told_of[kind, -1] for kind in (0, 1)]
    common = np.average(nation, axis=0, weights=[np.tile(units[kind, -1], (4, 1)) for kind in (0, 1)])
    products = np.zeros((2, 3, 4))
    for of_level in ([-1], list(range(groups)) if groups > 1 else []):
        rows = [(kind, group) for kind in (0, 1) for group in of_level]
        apart = [told_of[row] - (common if row[1] < 0 else nation[row[0]]) for row in rows]
        if rows:
            wander = choose_wander(np.stack([part[0] for part in apart]), np.stack([units[row] for row in rows]), Wander(0.08, 16.0))
        for row, (y, *xs) in zip(rows, apart, strict=True):
            products[row[0]] += regressed(y, xs, units[row], wander)
    worth = 0.1 / PRIOR_DEVIATION**2
    cannibal = pool(products[:, 0, 0] + worth, products[:, 0, 3] + worth * PRIOR_SHARE)
    assert found.cannibal.mean == pytest.approx(np.clip(cannibal.mean, 0, 0.9))
    assert found.cannibal.deviation == pytest.approx(cannibal.deviation)
    # From one category to the other; none gains from itself.
    pairs = [(0, 1), (1, 0)]
    of_pairs = [products[to, 1 + source, 1 + source] for source, to in pairs]
    rest = [products[to, 1 + source, 3] - products[to, 1 + source, 0] * found.cannibal.mean[to] for source, to in pairs]
    mean, deviation = sparse_pool(np.array([0.0, *of_pairs, 0.0]), np.array([0.0, *rest, 0.0]))
    assert found.halo == pytest.approx(np.clip(mean, 0, 0.5).reshape(2, 2))
    assert found.halo_deviation == pytest.approx(deviation.reshape(2, 2))
    assert found.halo[0, 1] > 0.01
