"""The effects of the promotion analysis as a forecaster asks for them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.forecasting.retail import forecaster, shop, split

from sales_tech.forecasting.checks import PlanBeyondHistory
from sales_tech.forecasting.response import PromotionResponse

DEPTHS = {0.1: np.expm1(0.4), 0.2: np.expm1(0.8), 0.3: np.expm1(1.2)}


def table(category: str = "A", brand: str = "all", mechanic: str = "leaflet", display: bool = False, factor: float = 1.0) -> pd.DataFrame:
    rows = {"category": category, "brand": brand, "mechanic": mechanic, "display": display}
    return pd.DataFrame([rows | {"discount_share": depth, "uplift": factor * uplift} for depth, uplift in DEPTHS.items()])


def asked(*depths: float, **changes: object) -> pd.DataFrame:
    rows = {"category": "A", "brand": "Acme", "mechanic": "leaflet", "display": False} | changes
    return pd.DataFrame([rows | {"discount_share": depth} for depth in depths])


def test_without_a_discount_nothing_is_added_whatever_else_is_told() -> None:
    assert PromotionResponse(table()).log_uplift(asked(0.0, mechanic=None, category="nowhere")).tolist() == [0]


def test_between_and_below_the_depths_logs_are_interpolated() -> None:
    assert PromotionResponse(table()).log_uplift(asked(0.05, 0.1, 0.15, 0.3)).tolist() == pytest.approx([0.2, 0.4, 0.6, 1.2])


def test_a_brand_of_its_own_comes_before_that_of_the_category() -> None:
    both = pd.concat([table(), table(brand="Acme", factor=0.5)])
    told = PromotionResponse(both)
    assert told.log_uplift(asked(0.2))[0] == pytest.approx(np.log1p(0.5 * DEPTHS[0.2]))
    assert told.log_uplift(asked(0.2, brand="Other"))[0] == pytest.approx(0.8)


def test_a_deeper_discount_than_was_tried_is_warned_of_and_told_the_deepest() -> None:
    with pytest.warns(
        PlanBeyondHistory, match="^50 % in category A is a deeper discount than was ever tried there, and is told the effect of 30 %$"
    ):
        assert PromotionResponse(table()).log_uplift(asked(0.2, 0.4, 0.5)).tolist() == pytest.approx([0.8, 1.2, 1.2])


def test_what_was_never_tried_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match="coupon with display was never tried in category A; expected leaflet"):
        PromotionResponse(table()).log_uplift(asked(0.2, mechanic="coupon", display=True))
    with pytest.raises(ValueError, match="the plan has no column mechanic"):
        PromotionResponse(table()).log_uplift(asked(0.2).drop(columns="mechanic"))
    with pytest.raises(ValueError, match="coupon was never tried in category B; expected another category"):
        PromotionResponse(table()).log_uplift(asked(0.2, mechanic="coupon", category="B"))
    with pytest.raises(ValueError, match="the response has no column uplift"):
        PromotionResponse(table().drop(columns="uplift"))
    shown = [table(mechanic=name, display=True) for name in ("pack", "flyer", "bundle")]
    several = pd.concat([*shown, table(), table("B", mechanic="coupon")])
    with pytest.raises(
        ValueError,
        match=r"coupon was never tried in category A; expected bundle with display, flyer with display, leaflet, pack with display$",
    ):
        PromotionResponse(several).log_uplift(asked(0.0, 0.2, mechanic="coupon"))
    for wrong in (20.0, 1.0, -0.1, np.nan):
        with pytest.raises(ValueError, match="discount_share of the plan is missing or not between 0 and 1"):
            PromotionResponse(table()).log_uplift(asked(0.0, wrong))


def test_rows_of_a_plan_are_told_in_their_order_and_a_category_is_warned_of_once() -> None:
    response = PromotionResponse(pd.concat([table().iloc[::-1], table("B", factor=0.5), table("C")]))
    plan = pd.concat([asked(0.4, 0.2), asked(0.1, category="B"), asked(0.0, 0.3), asked(0.5, category="B"), asked(0.30005, category="C")])
    with pytest.warns(PlanBeyondHistory) as warned:
        told = response.log_uplift(plan.set_axis(np.zeros(len(plan), dtype=int)))
    half = {depth: np.log1p(uplift / 2) for depth, uplift in DEPTHS.items()}
    assert told.tolist() == pytest.approx([1.2, 0.8, half[0.1], 0.0, 1.2, half[0.3], 1.2])
    # A table's depths are rounded, so that a little more is no more.
    assert sorted(str(one.message)[:21] for one in warned) == ["40 % in category A is", "50 % in category B is"]


def test_a_forecast_with_the_response_is_its_baseline_times_the_effect_of_the_analysis() -> None:
    names = {"depth": "discount_share", "family": "category"}
    past, future = split(shop(skus=4, days=150).rename(columns=names).assign(brand="Acme", display=False))
    response = PromotionResponse(pd.concat([table(kind) for kind in "AB"]))
    wanted = forecaster(plan=["discount_share", "mechanic", "display"], static=["category", "brand"], effects=response)
    told = wanted.fit(past).predict(future.drop(columns="units"))
    assert told["mean"].to_numpy() == pytest.approx(told["baseline"].to_numpy() * np.exp(response.log_uplift(future)))
    assert (future["discount_share"] > 0).any()
