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
from sales_tech.promotions.shelf import on_shelf
from sales_tech.promotions.shrinkage import pool
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
    by_channel = [of(model.pair[channel == CHANNEL].ravel().tolist()) for channel in (0, 1)]
    assert model.concentration("channel").ravel() == pytest.approx(by_channel)
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


def drawn(seed: int) -> tuple[Baseline, np.ndarray, np.ndarray, np.random.Generator]:
    """A model of the shop with one launch and one withdrawal more, and tables of units sold and expected."""
    panel, _ = shop()
    panel.launched[0], panel.withdrawn[2] = 10, 150
    rng = np.random.default_rng(seed)
    now = rng.gamma(3.0, 4.0, size=(6, 4, DAYS))
    return Baseline(panel, Groups.of(panel)), rng.poisson(now * rng.uniform(0.5, 2, size=(6, 1, DAYS))) * 1.0, now, rng


def test_skus_share_how_sales_begin_and_end_week_by_week_and_categories_their_weekdays() -> None:
    model, units, now, _ = drawn(5)
    expected, age = now.copy(), np.zeros((6, DAYS))
    launches, ends = {0: 10, 2: 40}, {2: 150, 4: 129}
    weeks = [[(sku, first + 7 * week + day) for sku, first in launches.items() for day in range(7)] for week in range(8)]
    weeks += [[(sku, last - 7 * week - day) for sku, last in ends.items() for day in range(7)] for week in range(6)]
    for days in weeks:
        # Five units more on both sides hold what is hardly seen.
        change = (sum(units[sku, :, day].sum() for sku, day in days) + 5) / (sum(expected[sku, :, day].sum() for sku, day in days) + 5)
        for sku, day in days:
            expected[sku, :, day] *= change
            age[sku, day] += np.log(change)
    assert model._ages(units, now) == pytest.approx(expected)
    assert model.age == pytest.approx(age)

    weekday = np.arange(DAYS) % 7  # The first day is a Monday.
    for row in (0, 1):
        came, usual = (np.array([table[row == CATEGORY][:, :, weekday == day].sum() for day in range(7)]) for table in (units, now))
        change = (came + 200) / (usual + 200)
        change /= (change * usual).sum() / usual.sum()
        expected[row == CATEGORY] = now[row == CATEGORY] * change[weekday]
    assert model._weekdays(units, now) == pytest.approx(expected)


def test_elasticities_are_regressions_on_the_price_beside_a_level_that_wanders_drawn_to_category_and_brand() -> None:
    model, units, now, rng = drawn(6)
    model.sku_state, model.price_effect = (
        Smoothed(rng.normal(0, 0.2, size=(6, DAYS)), np.zeros((6, DAYS))),
        rng.normal(0, 0.1, size=(6, DAYS)),
    )
    state, before = model.sku_state.mean, model.price_effect
    log_price = np.log(model.panel.price) - np.log(model.panel.price).mean(axis=1, keepdims=True)
    days = np.arange(DAYS)
    information, gain = np.zeros(6), np.zeros(6)
    for sku in range(6):
        came, usual = units[sku].sum(axis=0), now[sku].sum(axis=0)
        y = np.clip(state[sku] + before[sku] + came / usual - 1, -4, 6)
        covariance = 0.15**2 * np.exp2(-np.abs(days[:, None] - days) / 32) + np.diag(1 / usual)
        design = np.column_stack([-log_price[sku], np.ones(DAYS)])
        both = np.linalg.inv(design.T @ np.linalg.solve(covariance, design))
        information[sku] = 1 / both[0, 0]
        gain[sku] = information[sku] * (both @ design.T @ np.linalg.solve(covariance, y))[0]
    scaled = model._prices(units, now)
    of_category = pool(*(np.array([part[:3].sum(), part[3:].sum()]) for part in (information, gain)))
    rest, cell = gain - information * of_category.mean[CATEGORY], 2 * CATEGORY + model.panel.brand
    of_brand = pool(*(np.bincount(cell, part, 4) for part in (information, rest)), centre=0.0)
    elasticity = of_category.mean[CATEGORY] + of_brand.mean[cell]
    assert model.sku_elasticity == pytest.approx(elasticity)
    assert model.price_elasticity.deviation == pytest.approx(of_category.deviation)
    assert model.price_effect == pytest.approx(-elasticity[:, None] * log_price)
    assert scaled == pytest.approx(now * np.exp(model.price_effect - before)[:, None])


def test_shelves_are_inferred_from_what_each_store_was_expected_to_sell_with_its_promotions() -> None:
    model, _, _, rng = drawn(7)
    panel, groups = model.panel, Groups(np.array([1, 0, 1, 0]), 2)
    model.groups, model.group_state = groups, Smoothed(rng.normal(0, 0.2, size=(12, DAYS)), np.zeros((12, DAYS)))
    model.pair, model.store_day = rng.gamma(2.0, size=(4, 6)), rng.normal(0, 0.2, size=(4, DAYS))
    model.channel_day, model.weekday = rng.uniform(0.5, 2, size=(2, DAYS)), rng.uniform(0.5, 2, size=(2, 7))
    model.category_day, model.age = rng.normal(0, 0.2, size=(2, DAYS)), rng.normal(0, 0.2, size=(6, DAYS))
    model.price_effect, model.sku_state = (
        rng.normal(0, 0.2, size=(6, DAYS)),
        Smoothed(rng.normal(0, 0.2, size=(6, DAYS)), np.zeros((6, DAYS))),
    )
    offset, promoted = rng.normal(0, 0.3, size=(6, 2, DAYS)), rng.random((6, 2, DAYS)) < 0.2
    panel.units[:] = rng.poisson(2.0, size=panel.units.shape) * panel.available
    panel.units[1, 3, 60:75] = 0.0
    expected, within = np.zeros((DAYS, 4, 6), np.float32), np.zeros((DAYS, 4, 6), dtype=bool)
    for store, sku, day in np.ndindex(4, 6, DAYS):
        kind, group = CATEGORY[sku], groups.of_store[store]
        logs = model.category_day[kind, day] + model.age[sku, day] + model.price_effect[sku, day] + model.sku_state.mean[sku, day]
        logs += model.group_state.mean[2 * sku + group, day] + offset[sku, group, day] + model.store_day[store, day]
        units = model.pair[store, sku] * model.weekday[kind, day % 7] * model.channel_day[CHANNEL[store], day] * np.exp(logs)
        expected[day, store, sku], within[day, store, sku] = units, promoted[sku, group, day]
    sold, known = (np.moveaxis(table, 2, 0).reshape(DAYS, 24) for table in (panel.units, panel.available))
    chance, rates = on_shelf(sold, expected.reshape(DAYS, 24), within.reshape(DAYS, 24), known)
    model.infer_shelves(offset, promoted)
    told = np.where(known, chance, 0.0).reshape(DAYS, 4, 6)
    assert model.exposure == pytest.approx(np.moveaxis(told, 0, 2), abs=1e-4)
    assert np.ptp(model.exposure[panel.available]) > 0.5
    assert vars(model.shelf_rates) == pytest.approx(vars(rates), rel=1e-4)
