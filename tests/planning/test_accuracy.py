"""Earlier forecasts beside what was sold since."""

from __future__ import annotations

import numpy as np
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


def test_figures_are_those_counted_row_by_row_over_nights_weeks_and_categories() -> None:
    rng, day = np.random.default_rng(7), pd.Timedelta(days=1)
    nights = {MADE: {"A": "Mice", "B": "Mice", "others of Mice": "Mice", "K": "Keyboards"}, MADE + 3 * day: {"A": "Mice", "K": "Keyboards"}}
    made = pd.concat(
        forecast(sku, 0.0, 20).assign(made_on=night, category=category, sold_on=pd.date_range(night + day, periods=20).as_unit("s"))
        for night, told in nights.items()
        for sku, category in told.items()
    ).reset_index(drop=True)
    made["units"] = rng.integers(0, 6, len(made)).astype(float)
    made["units_low"], made["units_high"] = (made["units"] - 1).clip(lower=0), made["units"] + 1
    sales = pd.concat([sold(sku, 0.0, 23).assign(category=category) for sku, category in (*nights[MADE].items(), ("C", "Mice"))])
    sales = sales[(sales["sku"] != "others of Mice") & (rng.random(len(sales)) > 0.3)].reset_index(drop=True)
    sales["units"] = rng.integers(0, 6, len(sales)).astype(float)
    origin = MADE + 20 * day
    expected = {}
    for night, told in nights.items():
        for age in (1, 2, 3):
            if night + 7 * age * day > origin:
                continue
            for category in ("Keyboards", "Mice"):
                errors, units, forecasts, inside = [], 0.0, 0.0, []
                mine = [sku for sku, its in told.items() if its == category]
                for sku in mine:
                    week = [night + number * day for number in range(7 * age - 6, 7 * age + 1) if number <= 20]
                    true = []
                    for date in week:
                        rows = sales[(sales["sold_on"] == date) & (sales["category"] == category)]
                        own = rows["sku"] == sku if sku in "ABK" else ~rows["sku"].isin(list(told))
                        true.append(float(rows.loc[own, "units"].sum()))
                    said = made[(made["made_on"] == night) & (made["sku"] == sku) & made["sold_on"].isin(week)].sort_values("sold_on")
                    errors.append(abs(said["units"].sum() - sum(true)))
                    units, forecasts = units + sum(true), forecasts + said["units"].sum()
                    inside += [low <= one <= high for low, one, high in zip(said["units_low"], true, said["units_high"], strict=True)]
                row = (len(mine), len(week), units, forecasts, sum(errors), sum(errors) / units, forecasts / units - 1, np.mean(inside))
                expected[category, night, age] = row
    told = accuracy_of(made, sales, origin).set_index(["category", "made_on", "age_weeks"])
    assert list(told.columns) == ["series", "days", "units", "forecast_units", "error_units", "wape", "bias", "coverage"]
    assert list(told.index) == sorted(expected)
    for key, row in expected.items():
        assert told.loc[key].tolist() == pytest.approx(row), key
