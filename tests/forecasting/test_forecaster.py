"""The forecaster on shops whose law of sales is known."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from tests.forecasting.retail import BY_DEPTH, WEEKDAY, forecaster, shop, split

from sales_tech.forecasting.checks import PlanBeyondHistory, UnknownSeries
from sales_tech.forecasting.forecaster import PromotionForecaster
from sales_tech.forecasting.rolling import backtest, rolling_cutoffs


@pytest.fixture(scope="module")
def fitted() -> tuple[PromotionForecaster, pd.DataFrame, pd.DataFrame]:
    past, future = split(shop(days=240))
    return forecaster().fit(past), past, future


def true_mean(rows: pd.DataFrame) -> np.ndarray:
    number = rows["sku"].str[1:].astype(int)
    return np.asarray(4.0 * 1.35**number * WEEKDAY[rows["date"].dt.day_of_week] * np.exp(BY_DEPTH * rows["depth"]))


def test_the_mean_is_near_the_law_that_made_the_sales(fitted: tuple) -> None:
    model, _, future = fitted
    told, truth = model.predict(future), true_mean(future)
    assert np.abs(told["mean"] - truth).sum() / truth.sum() < 0.12
    assert abs(told["mean"].sum() / truth.sum() - 1) < 0.06


def test_baseline_and_uplift_add_up_and_the_uplift_is_that_of_the_law(fitted: tuple) -> None:
    model, _, future = fitted
    told = model.predict(future)
    assert (told["baseline"] + told["uplift"] == told["mean"]).all()
    promoted = future["depth"] > 0
    expected = true_mean(future) * (1 - np.exp(-BY_DEPTH * future["depth"]))
    assert abs(told.loc[promoted, "uplift"].sum() / expected[promoted].sum() - 1) < 0.25
    assert told.loc[future.groupby("sku")["depth"].transform("max") == 0, "uplift"].abs().max() < 1e-9


def test_quantiles_rise_are_not_negative_and_cover_most(fitted: tuple) -> None:
    model, _, future = fitted
    told = model.predict(future)
    assert (told["q10"] >= 0).all()
    assert (told["q10"] <= told["q50"]).all()
    assert (told["q50"] <= told["q90"]).all()
    assert 0.7 < future["units"].between(told["q10"], told["q90"]).mean() < 0.9


def test_columns_and_order_are_those_that_were_promised(fitted: tuple) -> None:
    model, _, future = fitted
    shuffled = future.sample(frac=1, random_state=3)
    told = model.predict(shuffled)
    assert list(told.columns) == ["sku", "date", "horizon", "q10", "q50", "q90", "mean", "baseline", "uplift"]
    assert told["date"].tolist() == shuffled["date"].tolist()
    assert sorted(told["horizon"].unique()) == list(range(1, 15))


def test_a_deeper_discount_never_sells_less(fitted: tuple) -> None:
    model, _, future = fitted
    means = []
    for depth in (0.0, 0.1, 0.15, 0.2, 0.25, 0.3):
        plan = future.assign(depth=depth, mechanic="leaflet")
        means.append(model.predict(plan)["mean"].to_numpy())
    assert (np.diff(np.stack(means), axis=0) >= -1e-9).all()


def test_the_same_panel_in_any_order_gives_the_same_digits(fitted: tuple) -> None:
    model, past, future = fitted
    again = clone(model).fit(past.sample(frac=1, random_state=8)).predict(future)
    pd.testing.assert_frame_equal(again, model.predict(future), check_exact=True)


def test_a_depth_that_was_never_tried_is_warned_of(fitted: tuple) -> None:
    model, _, future = fitted
    with pytest.warns(PlanBeyondHistory, match="depth beyond the past"):
        model.predict(future.assign(depth=0.6, mechanic="leaflet"))
    with pytest.warns(PlanBeyondHistory, match="a text of mechanic that was never seen: 'raffle'; the past has leaflet, none;"):
        model.predict(future.assign(mechanic="raffle"))


def test_new_series_are_told_from_their_attributes_with_wider_intervals() -> None:
    panel = shop(skus=24, days=120)
    number = panel["sku"].str[1:].astype(int)
    panel["size"] = np.where(number % 4 < 2, "small", "large")
    panel["units"] = np.random.default_rng(4).poisson(np.where(panel["size"] == "small", 3.0, 30.0)).astype(float)
    past, future = split(panel)
    model = forecaster(static=["size"]).fit(past)
    fresh = future[future["sku"].isin(["S00", "S02"])].assign(sku=lambda rows: "new " + rows["size"], depth=0.0, mechanic="none")
    with pytest.warns(UnknownSeries):
        told = model.predict(fresh).groupby("sku")["mean"].mean()
    assert 2 < told["new small"] < 4.5
    assert 20 < told["new large"] < 45
    both = model.predict(pd.concat([fresh, future[future["sku"] == "S02"].assign(depth=0.0, mechanic="none")]))
    width = (both["q90"] - both["q10"]).groupby(both["sku"]).mean()
    assert width["new large"] > width["S02"]


def test_new_series_answer_promotions_as_their_group_does() -> None:
    panel = shop(skus=16, days=240)
    truth = true_mean(panel.assign(depth=np.where(panel["family"] == "A", panel["depth"], 0.0)))
    panel["units"] = np.random.default_rng(7).poisson(truth).astype(float)
    past, future = split(panel)
    model = forecaster(most_rows=8_000, trees=50).fit(past)
    fresh = pd.concat([future[future["sku"] == "S08"].assign(sku=f"new {family}", family=family) for family in "AB"])
    with pytest.warns(UnknownSeries):
        promoted, usual = (
            model.predict(fresh.assign(depth=depth, mechanic=mechanic)).groupby("sku")["mean"].sum()
            for depth, mechanic in ((0.2, "leaflet"), (0.0, "none"))
        )
    answered, unmoved = (promoted[sku] / usual[sku] - 1 for sku in ("new A", "new B"))
    assert answered > 0.6
    assert unmoved < answered / 2


def test_closed_days_sell_nothing_and_lower_no_other_day() -> None:
    past, future = split(shop(closed_sundays=True))
    model = forecaster(plan=["depth", "price", "mechanic", "open"]).fit(past)
    assert model.roles_["open"] == "open"
    told = model.predict(future)
    shut = future["open"] == 0
    assert (told.loc[shut, ["q10", "q50", "q90", "mean", "baseline", "uplift"]] == 0).all(axis=None)
    truth = true_mean(future)
    assert abs(told.loc[~shut, "mean"].sum() / truth[~shut].sum() - 1) < 0.08


def test_empty_shelves_do_not_count_as_low_demand() -> None:
    past, future = split(shop(days=160))
    out = np.random.default_rng(3).random(len(past)) < 0.3
    censored = past.assign(units=past["units"].where(~out, 0.0), on_shelf=(~out).astype(int))
    told = forecaster(available="on_shelf").fit(censored).predict(future)
    assert abs(told["mean"].sum() / true_mean(future).sum() - 1) < 0.08


def test_series_of_a_single_sale_and_of_a_million_are_forecast_by_one_model() -> None:
    past, future = split(shop(skus=6, days=120))
    scale = past["sku"].map({"S00": 0.02, "S05": 100_000.0}).fillna(1.0)
    told = forecaster().fit(past.assign(units=(past["units"] * scale).round())).predict(future)
    by_sku = told.groupby("sku")["mean"].mean()
    assert by_sku["S00"] < 1
    assert by_sku["S05"] > 1_000_000
    assert np.isfinite(told[["q10", "q50", "q90", "mean"]]).all(axis=None)


def test_nothing_ever_sold_is_forecast_as_next_to_nothing() -> None:
    past, future = split(shop(skus=3, days=80))
    told = forecaster(static=[]).fit(past.assign(units=0.0)).predict(future)
    assert told["mean"].max() < 1e-3


def test_weeks_without_plan_and_without_attributes_are_forecast() -> None:
    weeks = pd.date_range("2023-01-02", periods=80, freq="7D")
    panel = pd.DataFrame(
        {"sku": np.repeat(["a", "b"], 80), "date": np.tile(weeks, 2), "units": np.r_[np.full(80, 10.0), np.full(80, 50.0)]}
    )
    past, future = panel[panel["date"] < weeks[72]], panel[panel["date"] >= weeks[72]]
    told = forecaster(plan=[], static=[], freq="W", horizon=8, country=None).fit(past).predict(future)
    assert np.allclose(told["mean"], future["units"], rtol=0.03)
    assert (told["uplift"] == 0).all()


class Doubling:
    """An effect that is known: whatever is promoted sells twice."""

    def log_uplift(self, plan_frame: pd.DataFrame) -> np.ndarray:
        return np.where(plan_frame["depth"] > 0, np.log(2.0), 0.0)


def test_known_effects_multiply_a_baseline_that_knows_no_promotion() -> None:
    panel = shop(days=150)
    mean = true_mean(panel.assign(depth=0.0)) * np.where(panel["depth"] > 0, 2.0, 1.0)
    panel["units"] = np.random.default_rng(6).poisson(mean).astype(float)
    past, future = split(panel)
    model = forecaster(effects=Doubling()).fit(past)
    told, quiet = model.predict(future), model.predict(future.assign(depth=0.0))
    assert np.allclose(told["mean"], told["baseline"] * np.where(future["depth"] > 0, 2.0, 1.0))
    assert np.allclose(told["baseline"], quiet["baseline"])
    assert abs(told["baseline"].sum() / true_mean(future.assign(depth=0.0)).sum() - 1) < 0.06


def test_it_can_be_backtested() -> None:
    panel = shop(skus=5, days=130)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PlanBeyondHistory)
        told = backtest(forecaster(), panel, rolling_cutoffs(panel, "date", "D", 14, 2), 14)
    assert len(told) == 2 * 14 * 5
    assert np.abs(told["mean"] - told["actual"]).sum() / told["actual"].sum() < 0.4
