"""What promotions move elsewhere: shapes and parts worked out by hand or by conditioning a Gaussian process."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sales_tech.promotions.panel import Member
from sales_tech.promotions.shrinkage import Pooled
from sales_tech.promotions.spillovers import Pressure, Spillovers
from sales_tech.promotions.timing import FADES, SLUMPS

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
