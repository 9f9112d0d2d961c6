"""Prices that are told only where something is promoted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.forecasting.retail import forecaster, shop, split

from sales_tech.forecasting.offers import offers_of, with_usual_prices
from sales_tech.forecasting.roles import roles_of

PANEL = shop(skus=5, days=120).assign(list_price=lambda rows: rows["price"] + 0.5 * (rows["date"].dt.month > 2))
PANEL["promo_price"] = (PANEL["list_price"] * (1 - PANEL["depth"])).where(PANEL["depth"] > 0)
FILLED = PANEL.assign(promo_price=PANEL["promo_price"].fillna(PANEL["list_price"]))
BOTH, ALONE = ["list_price", "promo_price"], ["promo_price"]


def told(panel: pd.DataFrame, plan: list[str], **changed: Any) -> pd.DataFrame:
    """The last fortnight of a panel, told from what was before."""
    past, future = split(panel)
    return forecaster(plan=plan, trees=10, **changed).fit(past).predict(future)


def found(panel: pd.DataFrame, plan: list[str]) -> list[str]:
    """The columns that are taken for offers."""
    return [*offers_of(panel, roles_of(panel, plan, "units", None), "units", ["sku"], "date")]


@pytest.mark.parametrize("none", [np.nan, 0.0])
def test_an_offer_that_is_missing_is_the_price_that_another_column_tells(none: float) -> None:
    holes = PANEL.assign(promo_price=PANEL["promo_price"].fillna(none))
    shuffled = holes.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(told(holes, BOTH), told(FILLED, BOTH))
    assert found(shuffled, BOTH) == ALONE


@pytest.mark.parametrize("none", [np.nan, 0.0])
def test_without_that_column_what_is_offered_is_promoted_and_what_is_not_is_no_promotion(none: float) -> None:
    forecast = told(PANEL.assign(promo_price=PANEL["promo_price"].fillna(none)), ALONE)
    promoted = split(PANEL)[1]["depth"].to_numpy() > 0
    part = (forecast["uplift"] / forecast["baseline"]).to_numpy()
    assert promoted.any() and part[promoted].min() > 0.2 > 10 * np.abs(part[~promoted]).mean()


def test_a_plan_without_any_offer_and_a_series_that_never_had_one_are_told() -> None:
    past, future = split(PANEL.assign(promo_price=PANEL["promo_price"].where(PANEL["sku"] != "S04")))
    model = forecaster(plan=ALONE, trees=10).fit(past)
    none, all_cut = (model.predict(future.assign(promo_price=price)) for price in (np.nan, future["list_price"] * 0.8))
    assert not none["uplift"].any()
    lift = (all_cut["mean"] / none["mean"]).groupby(all_cut["sku"]).mean()
    assert 1.2 < lift["S04"] < 1.5 * lift.median()
    same = model.observe(past).predict(future.assign(promo_price=np.nan))
    pd.testing.assert_frame_equal(same, none)


def test_prices_of_receipts_holes_and_prices_that_begin_late_are_no_offers() -> None:
    receipts = PANEL.assign(sale_price=PANEL["price"].where(PANEL["units"] > 4))
    sold_with_a_price = receipts.assign(units=receipts["units"].where(receipts["units"] > 4, 0.0))
    assert found(sold_with_a_price, ["sale_price"]) == []
    assert found(PANEL.assign(sale_price=PANEL["price"].where(PANEL.index % 4 > 0)), ["sale_price"]) == []
    assert found(PANEL.assign(sale_price=PANEL["price"].where(PANEL["date"] > "2024-03-20")), ["sale_price"]) == []
    assert found(PANEL.assign(price=PANEL["promo_price"]), ["price"]) == []


def offered(prices: list[float], sku: str = "a", **others: float | list[float]) -> pd.DataFrame:
    """Days of a SKU that sells 5 on each, with its offers."""
    dates = pd.date_range("2024-01-01", periods=len(prices))
    return pd.DataFrame({"sku": sku, "date": dates, "units": 5.0, "promo_price": prices} | others)


def test_of_other_prices_that_is_the_usual_one_which_is_told_without_offers_is_seldom_below_them_and_nearest() -> None:
    prices = [8.0, np.nan, 0.0, np.nan, 9.0, np.nan, np.nan, 7.2]
    panel = offered(prices, list_price=10.0, catalog_price=12.0, cost_price=8.5, shelf_price=np.where(np.isnan(prices), np.nan, 9.5))
    roles = {name: "price" for name in panel if str(name).endswith("price")}
    offers = offers_of(panel[::-1], roles, "units", ["sku"], "date")
    assert {name: offer.regular for name, offer in offers.items()} == {"promo_price": "list_price"}
    told = with_usual_prices(panel, offers, ["sku"])
    assert told["promo_price"].tolist() == [8.0, 10.0, 10.0, 10.0, 9.0, 10.0, 10.0, 7.2]
    assert told.drop(columns="promo_price").equals(panel.drop(columns="promo_price"))
    # A frame that lacks a column is told elsewhere.
    assert with_usual_prices(panel.drop(columns="list_price"), offers, ["sku"])["promo_price"].equals(panel["promo_price"])


def test_without_another_price_offers_are_parts_of_what_is_a_little_above_the_highest_of_their_series() -> None:
    panel = pd.concat([offered([8.0, *[np.nan] * 5, 9.0, *[np.nan] * 6, 7.2]), offered([40.0, *[np.nan] * 5, 36.0], "b")])
    panel = panel.set_axis(range(len(panel)))
    offers = offers_of(panel, {"promo_price": "price"}, "units", ["sku"], "date")
    assert offers["promo_price"].usual.to_dict() == pytest.approx({"a": 9 / 0.9, "b": 40 / 0.9})
    asked = pd.concat([offered([6.0, np.nan, 0.0]), offered([20.0], "b"), offered([7.0, np.nan], "new")], ignore_index=True)
    # Of 0.72, 0.8, 0.81, 0.9 and 0.9 the usual one is that in the middle, which a new series is told.
    assert with_usual_prices(asked, offers, ["sku"])["promo_price"].tolist() == pytest.approx([0.6, 1, 1, 0.45, 0.81, 1])
    shops, keys = panel.assign(shop="x"), ["shop", "sku"]
    told = with_usual_prices(asked.assign(shop="x"), offers_of(shops, {"promo_price": "price"}, "units", keys, "date"), keys)
    assert told["promo_price"].tolist() == pytest.approx([0.6, 1, 1, 0.45, 0.81, 1])


def test_how_many_holes_make_a_price_one_of_offers() -> None:
    def holes(many: int, of: int = 20, none: float = np.nan, sold: float = 1.0, first: float = np.nan, **others: float) -> bool:
        prices = np.r_[none, 8.0, np.full(many, none), np.full(of - many - 1, 8.0), none]
        prices[2] = first
        at = np.arange(len(prices))
        units = np.where(prices > 0, at % 2, at % 40 < 40 * sold)
        panel = offered(prices.tolist(), **others).assign(units=units).sample(frac=1, random_state=1)
        return bool(offers_of(panel, dict.fromkeys(["promo_price", *others], "price"), "units", ["sku"], "date"))

    # Those before the first offer and after the last one are none.
    assert [holes(many, list_price=10.0) for many in (1, 2)] == [False, True]
    assert [holes(many) for many in (10, 11)] == [False, True]
    assert [holes(many, none=0.0, first=0.0) for many in (1, 2)] == [False, True]
    # One that is missing among prices of nothing may be anything.
    assert [holes(2, none=0.0), holes(11, none=0.0)] == [False, True]
    # Goods sell on half of the days that have an offer.
    assert [holes(800, 1000, sold=sold) for sold in (0.025, 0.05)] == [False, True]
