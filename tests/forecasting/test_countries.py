"""Whose holidays a panel keeps, told from its sales."""

from __future__ import annotations

from typing import Any

import holidays
import numpy as np
import pandas as pd
import pytest
from tests.forecasting.retail import FIRST, WEEKDAY, forecaster

from sales_tech.forecasting.countries import AUTO, country_of
from sales_tech.forecasting.occasions import occasions_of

DAYS = pd.date_range(FIRST, periods=420)


def shops(keeps: str | None, part: float = 0.0, days: pd.DatetimeIndex = DAYS) -> pd.DataFrame:
    """Six shops that sell a part of the usual on the holidays of a country."""
    rng = np.random.default_rng(5)
    kept = {} if keeps is None else holidays.country_holidays(keeps, years=range(2022, 2026))
    shut = np.array([part if day in kept else 1.0 for day in days.date])
    parts = [
        pd.DataFrame({"sku": f"S{shop}", "date": days, "units": rng.poisson(20 * (1 + shop) * WEEKDAY[days.day_of_week] * shut)})
        for shop in range(6)
    ]
    return pd.concat(parts, ignore_index=True)


def fitted(panel: pd.DataFrame, **changed: Any) -> Any:
    """A quick model whose country is to be found."""
    return forecaster(**({"plan": [], "static": [], "trees": 3, "country": AUTO} | changed)).fit(panel)


@pytest.mark.parametrize("country", ["BR", "DE", "AT", "GB", "US", "JP"])
def test_shops_that_are_shut_on_a_countrys_holidays_are_of_that_country(country: str) -> None:
    assert fitted(shops(country)).country_ == country


def test_half_of_the_usual_sales_tells_a_country_too() -> None:
    assert fitted(shops("DE", 0.5)).country_ == "DE"


def test_sales_that_show_no_holiday_are_taken_for_brazilian() -> None:
    assert fitted(shops(None)).country_ == "BR"
    assert fitted(shops(None)[lambda panel: panel["date"] < "2024-03-01"]).country_ == "BR"


@pytest.mark.parametrize("days", [8, 20, 27, 29])
def test_a_panel_of_some_days_is_taken_for_brazilian(days: int) -> None:
    assert fitted(shops(None, days=DAYS[:days]), horizon=2).country_ == "BR"


def test_what_brazilians_buy_for_is_no_sign_of_another_country() -> None:
    days = pd.date_range("2022-01-01", periods=900)
    busy = {day for one in occasions_of("BR", range(2021, 2026)) for day in pd.date_range(one.first, one.last).date}
    panel = shops("BR", 0.9, days)
    lifted = np.where([day in busy for day in panel["date"].dt.date], 1.6, 1.0)
    assert fitted(panel.assign(units=np.round(panel["units"] * lifted))).country_ == "BR"


def test_shut_days_that_the_plan_tells_of_count_as_well() -> None:
    panel = shops("DE")
    panel = panel.assign(open=(panel["units"] > 0).astype(int))
    model = fitted(panel, plan=["open"])
    assert model.roles_ == {"open": "open"}
    assert model.country_ == "DE"


def test_a_country_that_was_told_stays_and_a_newer_past_does_not_change_it() -> None:
    assert fitted(shops("DE"), country="PT").country_ == "PT"
    assert fitted(shops("DE"), country=None).country_ is None
    model = fitted(shops("DE"))
    assert model.observe(shops("BR")).country_ == "DE"


def test_panels_by_week_do_not_tell() -> None:
    by_week = shops("DE").groupby(["sku", pd.Grouper(key="date", freq="7D")], as_index=False)["units"].sum()
    rows = fitted(by_week, freq="W", horizon=4, country="DE").past_.rows
    assert country_of(rows, AUTO) == "BR"
