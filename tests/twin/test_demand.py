"""Expected units are the product of what is written in docs/twin.md, and units sold scatter about them as promised."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from math import exp

import numpy as np
import pytest
from scipy.stats import nbinom
from tests.twin.retailers import SMALL, demand_of

from sales_tech.twin.assortment import CATEGORIES
from sales_tech.twin.dates import day_factors
from sales_tech.twin.demand import DISPERSION, Demand
from sales_tech.twin.history import History, stream
from sales_tech.twin.retailer import Retailer


def unpromoted(retailer: Retailer) -> Demand:
    """The demand of the same retailer had it never promoted anything, with full shelves."""
    return Demand(
        replace(retailer, promotions=retailer.promotions.head(0), members=retailer.members.head(0), stockouts=retailer.stockouts.head(0))
    )


def calendar(day: date, channel: str) -> float:
    """What a day outside the seasons is worth, from the tables in docs/twin.md."""
    weekday = {"loja": (0.85, 0.85, 0.92, 1.0, 1.2, 1.5, 0.62), "online": (1.12, 1.06, 1.02, 1.0, 0.95, 0.9, 0.95)}[channel]
    month = (0.96, 0.9, 0.98, 0.95, 1.04, 0.99, 0.96, 1.0, 0.94, 1.0, 1.16, 1.24)[day.month - 1]
    payday = 1.15 if 5 <= day.day <= 9 else 1.08 if day.day == 20 else 0.92 if day.day >= 27 else 1.0
    return weekday[day.weekday()] * month * payday


def test_demand_without_promotions_is_the_product_of_its_factors() -> None:
    retailer = demand_of().retailer
    market, products, stores = retailer.market, retailer.catalogue.products, retailer.stores
    units = unpromoted(retailer).expect(0, len(retailer.history.days)).units
    trends = stream(retailer.seed, "trends").normal(0, 0.08, len(CATEGORIES))
    prices = retailer.catalogue.prices(len(retailer.history.days))
    always = np.flatnonzero((products["launch"] == 0) & (products["withdrawn"] == len(retailer.history.days))).tolist()
    scale = []
    # Ordinary days far from seasons and holidays, for shops and for the web.
    for place, store, day in ((0, 0, date(2026, 2, 24)), (5, 2, date(2026, 4, 8)), (17, 5, date(2026, 4, 29)), (-1, 1, date(2026, 3, 28))):
        sku = always[place]
        at, channel = retailer.history.position(day), str(stores["channel"][store])
        growth = {"loja": 1.04, "online": 1.2}[channel] ** (at / 365.25)
        years = at / 365.25
        demand = (
            products["popularity"][sku]
            * exp(market.state[sku, at] + trends[products["category_row"][sku]] * years)
            * exp(-market.elasticity[sku] * (prices[at, sku] / prices[0, sku] - 1))
            * (calendar(day, channel) * growth)
            * (market.affinity[sku, store] * market.store_day[store, at])
        )
        scale.append(units[sku, store, at] / demand)
    assert scale == pytest.approx([scale[0]] * len(scale), rel=1e-5)


def test_the_mean_of_what_is_on_sale_is_the_scenarios() -> None:
    retailer = demand_of().retailer
    units = unpromoted(retailer).expect(0, len(retailer.history.days)).units
    on_sale = (retailer.market.sku_day[:, 1] > 0)[:, None, :] & (retailer.market.store_day > 0)[None]
    assert units.sum(dtype=np.float64) / on_sale.sum() == pytest.approx(retailer.scenario.units_per_cell, rel=1e-4)


def test_shops_are_closed_at_christmas_and_black_friday_is_the_highest_day_of_its_month() -> None:
    history = History(date(2025, 11, 1), date(2025, 12, 31))
    factors = day_factors(history)
    assert (factors[:, 0, history.position(date(2025, 12, 25))] == 0).all()
    assert (factors[:, 1, history.position(date(2025, 12, 25))] > 0).all()
    november = factors[:, 1, :30].mean(axis=0)
    assert abs(int(november.argmax()) - history.position(date(2025, 11, 28))) <= 3
    assert november.max() > 1.5 * np.median(november)


def test_an_empty_shelf_sells_nothing_with_or_without_a_promotion() -> None:
    demand = demand_of()
    retailer = demand.retailer
    days = len(retailer.history.days)
    out = retailer.stockouts
    assert len(out) > 50
    for without in (None, 0, 3):
        units = demand.expect(0, days, without=without).units
        for row in out.itertuples(index=False):
            assert not units[row.product, row.store, row.start : row.end + 1].any()


@pytest.mark.parametrize("mean", [0.02, 0.3, 1.0, 6.0, 60.0])
def test_units_scatter_as_a_negative_binomial_does(mean: float) -> None:
    size = 200_000
    drawn = demand_of().draw(np.full((size, 1, 1), mean, dtype=np.float32), np.random.default_rng(5)).reshape(-1)
    law = nbinom(DISPERSION, DISPERSION / (DISPERSION + mean))
    variance = mean + mean**2 / DISPERSION
    assert drawn.mean() == pytest.approx(mean, abs=4 * (variance / size) ** 0.5)
    assert drawn.var() == pytest.approx(variance, rel=0.05)
    for count in (0, 1, 2, 3, round(mean), round(3 * mean)):
        chance = law.pmf(count)
        assert np.mean(drawn == count) == pytest.approx(chance, abs=4 * (chance * (1 - chance) / size) ** 0.5 + 1 / size)
    assert np.mean(drawn > 4 * mean) == pytest.approx(law.sf(4 * mean), abs=4 * (law.sf(4 * mean) / size) ** 0.5 + 1 / size)


def test_nothing_expected_is_nothing_sold() -> None:
    assert not demand_of().draw(np.zeros((5, 5, 5), dtype=np.float32), np.random.default_rng(1)).any()


def test_windows_tile_the_history_and_stay_within_months(monkeypatch: pytest.MonkeyPatch) -> None:
    demand = demand_of()
    days = demand.retailer.history.days
    for cells in (1, SMALL.skus * SMALL.stores * 7, 10**9):
        monkeypatch.setattr("sales_tech.twin.demand.CELLS_AT_ONCE", cells)
        windows = demand.windows()
        assert [first for first, _ in windows] == [0, *(stop for _, stop in windows[:-1])]
        assert windows[-1][1] == len(days)
        assert all(days[first].item().month == days[stop - 1].item().month for first, stop in windows)
        assert max(stop - first for first, stop in windows) <= max(cells // (SMALL.skus * SMALL.stores), 1)
    assert len(windows) == SMALL.months


def test_expectation_does_not_depend_on_what_else_is_asked_for() -> None:
    demand = demand_of()
    whole = demand.expect(20, 80)
    stores = np.array([1, 4])
    part = demand.expect(50, 70, stores=stores)
    np.testing.assert_allclose(part.units, whole.units[:, stores, 30:50], rtol=1e-5)
    assert (part.promotion == whole.promotion[:, stores, 30:50]).all()


def test_the_same_days_sell_the_same_twice_and_other_seeds_sell_otherwise() -> None:
    first, again = (demand_of().sales(0, 20)[1] for _ in range(2))
    assert (first == again).all()
    assert (first != demand_of(seed=8).sales(0, 20)[1]).any()
