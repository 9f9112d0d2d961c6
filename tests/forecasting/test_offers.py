"""Prices that are told only where something is promoted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.forecasting.retail import forecaster, shop, split

from sales_tech.forecasting.offers import offers_of
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
