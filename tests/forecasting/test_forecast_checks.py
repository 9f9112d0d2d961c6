"""What the forecaster refuses, and whether it says what was found and what was expected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.forecasting.retail import forecaster, shop, split

from sales_tech.forecasting.checks import ShortPast
from sales_tech.forecasting.forecaster import PromotionForecaster

PAST, FUTURE = split(shop(skus=3, days=60), 7)


@pytest.fixture(scope="module")
def fitted() -> PromotionForecaster:
    return forecaster(horizon=7, trees=3).fit(PAST)


@pytest.mark.parametrize(
    ("panel", "changed", "said"),
    [
        (
            PAST[PAST["date"] < "2024-01-03"],
            {},
            "has 6 rows of 3 series up to 2024-01-02 00:00:00, of which 0 can be learnt from",
        ),
        (PAST.drop(columns="depth"), {}, "the panel has no column depth; its columns are sku"),
        (PAST.iloc[:0], {}, "the panel has no rows"),
        (PAST.assign(family=PAST["date"].dt.month.astype(str)), {}, "static column family changes within sku S00 .1, 2."),
        (PAST.drop(index=20), {}, "skips from 2024-01-20 00:00:00 to 2024-01-22 00:00:00 for sku S00.*fill_gaps=0"),
        (PAST.drop(index=75), {}, "skips from 2024-01-22 00:00:00 to 2024-01-24 00:00:00 for sku S01, and has 1 gaps"),
        (pd.concat([PAST, PAST.iloc[:1]]), {}, "more than one row for sku S00"),
        (PAST.assign(units=PAST["units"].where(PAST.index != 3)), {}, "1 of 159 rows without a number in units"),
        (PAST.assign(sku=PAST["sku"].where(PAST.index != 3)), {}, "1 of 159 rows without a value in sku"),
        (PAST.assign(date=PAST["date"].where(PAST.index != 3)), {}, "1 of 159 rows without a date in date"),
        (PAST.assign(units=PAST["units"].astype(str)), {}, "column units is str .*expected numbers"),
        (PAST.assign(date=PAST["date"].astype(str)), {}, "column date is str .such as '2024-01-01'., expected dates"),
        (
            PAST.assign(date=PAST["date"].dt.strftime("%d/%m/%Y")),
            {},
            "such as '01/01/2024'.*pandas.to_datetime .dayfirst=True where the day",
        ),
        (PAST.assign(price=PAST["price"].where(PAST.index != 3, np.inf)), {}, "column price has infinite numbers"),
        (PAST.assign(shelf="yes"), {"available": "shelf"}, "column shelf is str .such as 'yes'., expected numbers"),
        (PAST.assign(shelf=np.where(PAST.index == 3, np.nan, 1.0)), {"available": "shelf"}, "1 of 159 rows without a number in shelf"),
        (
            PAST.assign(shelf=1, units=PAST["units"].where(PAST.index != 3)),
            {"available": "shelf"},
            "1 of 159 rows without a number in units",
        ),
        (PAST, {"freq": "M"}, "freq is 'M'; expected 'D' or 'W'"),
        (PAST, {"freq": "W"}, "no whole period .W."),
        (PAST, {"horizon": 0}, "horizon is 0"),
        (PAST, {"series": "sku"}, "series is 'sku'; expected a list"),
        (PAST, {"quantiles": (0.1, 1.5)}, "quantiles has 1.5"),
        (PAST, {"roles": {"depth": "deep"}}, "roles has depth: deep"),
        (PAST, {"fill_gaps": 3}, "fill_gaps is 3"),
        (PAST, {"country": "Narnia"}, "country is 'Narnia'"),
        (PAST, {"available": "shelf"}, "no column shelf"),
    ],
)
def test_a_panel_that_cannot_be_learnt_from_is_refused(panel: pd.DataFrame, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        forecaster(**({"horizon": 7} | changed)).fit(panel)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (FUTURE.drop(columns="price"), "the plan has no column price"),
        (FUTURE.iloc[:0], "the plan has no rows"),
        (FUTURE.assign(price=np.nan), "21 of 21 rows without a number in price"),
        (FUTURE.assign(price=0.0), "the plan: column price is a price and 0 to 0 throughout; expected prices above 0"),
        (FUTURE.assign(price=[-1.0, *[np.nan] * 20]), "column price is a price and -1 to -1 throughout"),
        (FUTURE.assign(price=[np.inf, np.nan, *[10.0] * 19]), "the plan: column price has infinite numbers"),
        (FUTURE.assign(depth=-0.3), "the plan: column depth is a depth and -0.3 to -0.3 throughout; expected 0 without promotion"),
        (FUTURE.iloc[1:], "the plan of sku S00 begins on 2024-02-24 00:00:00, 2 periods after the panel, and 1 series begin late in all"),
        (FUTURE.assign(price="cheap"), "column price is str and was one of numbers at the fit, but has 'cheap'"),
        (FUTURE[FUTURE["date"] < FUTURE["date"].max()], "6 periods after 2024-02-22 00:00:00; expected it to reach the horizon, 7"),
        (FUTURE.drop(index=3), "the plan skips from"),
        (pd.concat([FUTURE, FUTURE.iloc[:1]]), "the plan has more than one row"),
        (FUTURE.assign(date=FUTURE["date"] + pd.Timedelta(days=7)), "expected 1 to 7 periods after"),
        (FUTURE.assign(family="C"), "static column family changes within sku S00 .A, C."),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(fitted: PromotionForecaster, plan: pd.DataFrame, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fitted.predict(plan)


def test_shorter_plans_are_taken_where_that_is_said() -> None:
    model = forecaster(horizon=7, trees=3, shorter_plans=True).fit(PAST)
    assert len(model.predict(FUTURE[FUTURE["date"] < FUTURE["date"].max()])) == 18
    assert len(model.predict(FUTURE[FUTURE["date"] > FUTURE["date"].min()])) == 18


def test_series_that_are_new_or_ended_before_may_begin_at_any_time(fitted: PromotionForecaster) -> None:
    late = FUTURE[(FUTURE["sku"] != "S01") | (FUTURE["date"] > FUTURE["date"].min())]
    assert len(fitted.predict(late.assign(sku=late["sku"].replace("S01", "new")))) == 20
    ended = PAST[(PAST["sku"] != "S01") | (PAST["date"] < PAST["date"].max())]
    assert len(forecaster(horizon=7, trees=3).fit(ended).predict(late)) == 20


def test_gaps_are_filled_as_told() -> None:
    sparse = PAST[(PAST.index % 3 > 0) | (PAST["depth"] > 0)]
    zero, unknown = (forecaster(horizon=7, fill_gaps=gaps, trees=10).fit(sparse).predict(FUTURE)["mean"].sum() for gaps in (0, "unknown"))
    whole = forecaster(horizon=7, trees=10).fit(PAST).predict(FUTURE)["mean"].sum()
    assert abs(unknown / whole - 1) < 0.15
    assert zero < 0.85 * unknown


def test_a_month_is_enough_for_a_forecast_of_the_next() -> None:
    dates = pd.date_range("2024-01-01", periods=56)
    panel = pd.DataFrame({"sku": np.repeat(["a", "b"], 56), "date": np.tile(dates, 2)})
    panel["units"] = np.where(panel["sku"] == "a", 5.0, 60.0) + 2.0 * (panel["date"].dt.day_of_week == 5)
    past, future = split(panel, 28)
    with pytest.warns(ShortPast, match="the panel has 28 periods, fewer than three horizons .84.: its intervals"):
        told = forecaster(horizon=28, plan=[], static=[]).fit(past).predict(future)
    totals = told["mean"].groupby(told["sku"]).sum() / future["units"].groupby(future["sku"]).sum()
    assert totals.between(0.8, 1.2).all()
