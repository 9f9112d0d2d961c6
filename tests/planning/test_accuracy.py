"""Earlier forecasts beside what was sold since."""

from __future__ import annotations

import pandas as pd
import pytest

from sales_tech.planning.accuracy import accuracy_of

MADE = pd.Timestamp("2026-03-01").as_unit("s")


def forecast(sku: str = "A", units: float = 2.0, days: int = 21) -> pd.DataFrame:
    dates = pd.date_range(MADE + pd.Timedelta(days=1), periods=days).as_unit("s")
    frame = pd.DataFrame({"made_on": MADE, "sku": sku, "channel": "loja", "sold_on": dates, "category": "Mice", "units": units})
    return frame.assign(units_low=1.0, units_high=3.0)


def sold(sku: str = "A", units: float = 2.0, days: int = 21) -> pd.DataFrame:
    return forecast(sku, units, days)[["sku", "channel", "sold_on", "category", "units"]]


def test_only_weeks_that_are_over_are_compared() -> None:
    told = accuracy_of(forecast(), sold(), MADE + pd.Timedelta(days=15))
    assert told["age_weeks"].tolist() == [1, 2]
    assert accuracy_of(forecast(), sold(), MADE + pd.Timedelta(days=6)).empty


def test_errors_are_those_of_the_weeks_of_each_series() -> None:
    made = pd.concat([forecast("A", 2.0, 7), forecast("B", 4.0, 7)])
    told = accuracy_of(made, pd.concat([sold("A", 4.0, 7), sold("B", 3.0, 7)]), MADE + pd.Timedelta(days=7)).iloc[0]
    assert (told["units"], told["forecast_units"], told["series"], told["days"]) == (49, 42, 2, 7)
    assert told["wape"] == pytest.approx((14 + 7) / 49)
    assert told["bias"] == pytest.approx(-7 / 49)
    # Four units are beyond the interval, three at its end.
    assert told["coverage"] == 0.5


def test_skus_without_a_forecast_of_their_own_are_the_others_of_their_category() -> None:
    made = pd.concat([forecast("A", 2.0, 7), forecast("others of Mice", 1.0, 7)])
    told = accuracy_of(made, pd.concat([sold("A", 2.0, 7), sold("X", 0.5, 7), sold("Y", 0.5, 7)]), MADE + pd.Timedelta(days=7)).iloc[0]
    assert told["wape"] == 0
    assert told["units"] == 21


def test_where_nothing_was_sold_there_is_no_share_of_it() -> None:
    told = accuracy_of(forecast(days=7), sold(days=7).head(0), MADE + pd.Timedelta(days=7)).iloc[0]
    assert told["units"] == 0
    assert told["error_units"] == told["forecast_units"] > 0
    assert pd.isna(told["wape"])
    assert pd.isna(told["bias"])
