"""Imputed demand, against integrals over what is not known of its level and against the demand of a shop that was made up."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sales_tech.promotions.baseline import Baseline, Groups
from sales_tech.promotions.panel import PromotionPanel
from sales_tech.promotions.states import Smoothed, Wander, smooth


def mean_demand(variance: float) -> float:
    """Mean of the exponential of a Gaussian about zero, by Gauss and Hermite."""
    at, weight = np.polynomial.hermite_e.hermegauss(40)
    return float(np.exp(at * variance**0.5) @ weight / weight.sum())


def states(sku: list[float], group: list[float]) -> Any:
    sku_state, group_state = (Smoothed(np.zeros((1, len(values))), np.array([values])) for values in (sku, group))
    return SimpleNamespace(sku_state=sku_state, group_state=group_state)


def test_imputed_demand_is_a_mean_and_lies_above_the_middle_by_what_its_doubt_exceeds_that_of_fitted_days() -> None:
    known = states([0.01, 0.03, 0.2, 0.5], [0.02, 0.02, 0.1, 0.02])
    # The first day counts three times as much as the second; the last two are imputed.
    factor = Baseline.above_median(known, np.array([[[3.0, 1.0, 0.0, 0.0]]]))
    usual = mean_demand((3 * 0.03 + 0.05) / 4)
    assert factor[0, 0].tolist() == pytest.approx([1, 1, mean_demand(0.3) / usual, mean_demand(0.52) / usual])


CATEGORY, CHANNEL, REGION, DAYS = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), 160


def shop() -> tuple[PromotionPanel, np.ndarray]:
    """A panel of four stores and six SKUs, one of them launched and one withdrawn within it, and the mean of its units."""
    rng = np.random.default_rng(0)
    price, on_sale, age = np.full((6, DAYS), 10.0), np.ones((4, 6, DAYS), dtype=bool), np.ones((6, DAYS))
    for sku in range(6):
        price[sku, 30 + 15 * sku :] *= (0.8, 1.25)[sku % 2]
    age[2, 40:96] = np.repeat([0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0], 7)
    age[4, 88:130] = np.repeat([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], 7)
    on_sale[:, 2, :40] = on_sale[:, 4, 130:] = on_sale[1, 0, 50:55] = False
    peak = np.ones((2, DAYS))
    peak[1, 70], peak[0, 71] = 3.0, 2.0
    week = np.array([[0.8, 0.8, 0.9, 1, 1.1, 1.4, 1.0], [1, 1, 1, 1, 1, 1.2, 0.8]])[:, np.arange(DAYS) % 7]
    wave = np.exp(0.2 * np.sin(np.arange(DAYS) / 25) * np.array([[1.0], [-0.5]]))
    by_sku = (week * wave)[CATEGORY] * (price / 10) ** -np.array([1.5, 2.5])[CATEGORY, None] * age
    mean = (rng.uniform(20, 50, size=(4, 1)) * rng.uniform(20, 60, size=6))[:, :, None] * peak[CHANNEL][:, None] * by_sku
    units = (rng.poisson(mean) * on_sale).astype(np.float32)
    panel = PromotionPanel(
        days=np.datetime64("2026-01-05") + np.arange(DAYS),
        skus=np.array(list("ABCDEF"), dtype=object),
        categories=["first", "second"],
        category=CATEGORY,
        brands=["one", "two"],
        brand=np.array([0, 1, 1, 0, 0, 1]),
        stores=np.array(list("1234"), dtype=object),
        regions=["north", "south"],
        region=REGION,
        channels=["loja", "web"],
        channel=CHANNEL,
        units=units,
        net_sales=units * 10,
        available=on_sale,
        price=price,
        cost=None,
        promotions=pd.DataFrame(),
        members=[],
        launched=np.array([-1, -1, 40, -1, -1, -1]),
        withdrawn=np.array([DAYS] * 4 + [129, DAYS]),
        stock_known=True,
    )
    return panel, mean * on_sale


def test_demand_of_days_that_are_left_out_is_imputed_from_stores_seasons_ages_and_prices() -> None:
    panel, mean = shop()
    groups = Groups.of(panel)
    # Stores of one region and channel are one group: here each store is its own.
    assert groups.size == 4
    assert len({*groups.of_store.tolist()}) == 4
    clean = np.ones((6, 4, DAYS), dtype=bool)
    clean[0, :, 100:107] = clean[3, 1, 60:80] = clean[2, 2, 110:120] = False
    # What is told to be known besides, as a promotion of a neighbour, is no part of the baseline.
    known = np.zeros(clean.shape)
    known[5, :, 20:50] = np.log(0.7)
    panel.units[:, 5, 20:50] = np.random.default_rng(1).poisson(0.7 * mean[:, 5, 20:50])
    model = Baseline(panel, groups).fit(clean, known)
    expected, sold = model.expect(known)
    truth = np.zeros(clean.shape)
    for store, group in enumerate(groups.of_store.tolist()):
        assert sold[:, group].tolist() == panel.units[store].tolist()
        truth[:, group] += mean[store] * np.exp(known[:, group])
    assert not expected[truth == 0].any()
    there = truth > 0
    off = np.log(expected[there] / truth[there])
    assert off.mean() == pytest.approx(0, abs=0.002)
    assert off.std() < 0.018
    for hidden in ((0, slice(None), slice(100, 107)), (3, 1, slice(60, 80)), (2, 2, slice(110, 120))):
        assert expected[hidden].sum() == pytest.approx(truth[hidden].sum(), rel=0.02)
    assert model.price_elasticity.mean == pytest.approx([1.5, 2.5], abs=0.5)
    # A peak is that of its channel.
    assert model.channel_day[1, 70] / model.channel_day[1, 63] == pytest.approx(3, rel=0.25)
    assert model.channel_day[0, 70] / model.channel_day[0, 63] == pytest.approx(1, rel=0.25)


def test_concentration_is_the_sum_of_squared_shares_of_the_cells_of_a_day() -> None:
    panel, _ = shop()
    model = Baseline(panel, Groups(np.array([0, 0, 1, 1]), 2))
    model.pair = np.random.default_rng(2).uniform(1, 9, size=(4, 6))

    def of(cells: list[float]) -> float:
        return sum((cell / sum(cells)) ** 2 for cell in cells)

    assert model.concentration("sku").ravel() == pytest.approx([of(model.pair[:, sku].tolist()) for sku in range(6)])
    by_group = [of(model.pair[2 * group : 2 * group + 2, sku].tolist()) for sku in range(6) for group in (0, 1)]
    assert model.concentration("group").ravel() == pytest.approx(by_group)
    by_category = [of(model.pair[:, 3 * row : 3 * row + 3].ravel().tolist()) for row in (0, 1)]
    assert model.concentration("category").ravel() == pytest.approx(by_category)
    assert model.concentration("store").ravel() == pytest.approx([of(model.pair[store].tolist()) for store in range(4)])


@pytest.mark.parametrize(("selling", "begins"), [(6, True), (5, True), (6, False)])
def test_pairs_and_days_of_channels_and_stores_of_next_to_no_sale_are_held_by_what_the_others_say(selling: int, begins: bool) -> None:
    panel, _ = shop()
    rng = np.random.default_rng(4)
    # Three units a day, of some pairs far more than of others, and a day on which one store sold far more than ever.
    units = rng.poisson(rng.gamma(4.0, size=(4, 6, 1)) * np.ones((4, 6, DAYS)) * 0.7).astype(np.float32)
    units[3, :, 20] = 40.0
    units[:, selling:] = 0.0
    available = panel.available.copy()
    units[2:, :, 5:8] = 0.0
    # Nothing is there to be sold on a day, and next to nothing on another.
    available[:2, :, 9:11] = False
    available[0, 1, 10], units[0, 1, 10] = True, 4.0
    clean = rng.random((6, 4, DAYS)) < 0.9
    clean[:, :, 10] = True
    groups = Groups.of(panel)
    model = Baseline(replace(panel, units=units, available=available), groups)
    if not begins:
        model.pair = rng.uniform(0.2, 4, size=(4, 6))
    first = model.pair.copy()
    model.fit(clean, np.zeros(clean.shape), rounds=1)

    seen = available & clean.transpose(1, 0, 2)[groups.of_store]
    sold, cells = units * seen, seen.sum(axis=2)
    if begins:
        # At first each store sells its part of what each SKU sells on average.
        by_sku = sold.sum(axis=(0, 2)) / cells.sum(axis=0)
        first = np.maximum(np.outer(sold.sum(axis=(1, 2)) / (cells @ by_sku), by_sku), 1e-9)
    usual = first[:, :, None] * seen
    for channel in (0, 1):
        came, expected = (table[channel == CHANNEL].sum(axis=(0, 1)) for table in (sold, usual))
        told = [(one + 2) / (two + 2) if two > 0 else 1.0 for one, two in zip(came, expected, strict=True)]
        assert model.channel_day[channel] == pytest.approx(told, rel=1e-5)
    # A pair is worth what is expected of it so many times over as pairs differ from each other; where few are seen, ten units.
    by_sku = np.maximum(sold.sum(axis=(0, 2)), 0.1) / np.maximum(usual.sum(axis=(0, 2)), 0.1)
    came, wanted = sold.sum(axis=2), np.maximum(usual.sum(axis=2) * by_sku, 1e-9)
    off = [((one - two) ** 2 - two) / two**2 for one, two in zip(came.ravel(), wanted.ravel(), strict=True) if two > 5]
    assert (len(off) > 20) == (selling == 6)
    strength = 1 / np.clip(np.mean(off), 0.02, 1.0) if selling == 6 else 10.0
    assert model.pair == pytest.approx(first * by_sku * (came + strength) / (wanted + strength), rel=1e-5)
    came, wanted = sold.sum(axis=1), usual.sum(axis=1)
    wanted = wanted * came.sum(axis=1, keepdims=True) / wanted.sum(axis=1, keepdims=True)
    there = wanted > 0
    level = np.clip(np.divide(came, wanted, out=np.zeros(came.shape), where=there) - 1, -2, 3)
    assert model.store_day == pytest.approx(smooth(level, usual.sum(axis=1), Wander(0.08, 8.0)).mean, rel=1e-4, abs=1e-6)
