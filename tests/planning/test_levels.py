"""A forecast of some weeks ago is moved to where sales stand now."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sales_tech.planning.levels import ANCHOR_DAYS, FADING, anchored

ORIGIN = pd.Timestamp("2026-03-31").as_unit("s")


def forecast(**units: float) -> pd.DataFrame:
    dates = pd.date_range(ORIGIN - pd.Timedelta(days=ANCHOR_DAYS - 1), periods=ANCHOR_DAYS + 10).as_unit("s")
    return pd.concat(
        [pd.DataFrame({"sku": sku, "channel": "loja", "date": dates, "baseline": each}) for sku, each in units.items()], ignore_index=True
    )


def sold(told: pd.DataFrame, **factors: float) -> pd.DataFrame:
    seen = told[told["date"] <= ORIGIN]
    return seen.assign(units=seen["baseline"] * seen["sku"].map(factors)).drop(columns="baseline")


def ratio(told: pd.DataFrame, mean: np.ndarray, sku: str) -> np.ndarray:
    ahead = told[told["date"] > ORIGIN]
    mine = (ahead["sku"] == sku).to_numpy()
    return mean[mine] / ahead.loc[mine, "baseline"].to_numpy()


def test_what_all_series_sell_more_moves_them_all() -> None:
    told = forecast(A=20.0, B=5.0)
    mean = anchored(told, sold(told, A=1.1, B=1.1), ORIGIN)
    assert ratio(told, mean, "A") == pytest.approx(1.1)
    assert ratio(told, mean, "B") == pytest.approx(1.1)


def test_what_one_sells_more_fades_with_time() -> None:
    told = forecast(**{f"S{number}": 20.0 for number in range(20)})
    factors = {f"S{number}": 1.3 if number % 2 else 0.7 for number in range(20)}
    moved = ratio(told, anchored(told, sold(told, **factors), ORIGIN), "S1")
    assert 1.15 < moved[0] < 1.3
    assert np.log(moved[9]) / np.log(moved[0]) == pytest.approx(0.5 ** (9 / FADING))


def test_few_units_say_less_than_many() -> None:
    told = forecast(**{f"S{number}": 20.0 for number in range(20)}, rare=0.2)
    factors = {f"S{number}": 1.3 if number % 2 else 0.7 for number in range(20)} | {"rare": 1.3}
    mean = anchored(told, sold(told, **factors), ORIGIN)
    assert ratio(told, mean, "rare")[0] < 0.5 * (ratio(told, mean, "S1")[0] - 1) + 1


def test_without_any_sale_since_the_forecast_stays() -> None:
    told = forecast(A=20.0)
    assert anchored(told, sold(told, A=1.0).head(0), ORIGIN).tolist() == [20.0] * 10
