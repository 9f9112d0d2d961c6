"""Features against values by hand, against one another in training and predicting, and against the future."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.forecasting.retail import forecaster, shop, split

from sales_tech.forecasting.calendar_features import calendar_of
from sales_tech.forecasting.features import Matrix
from sales_tech.forecasting.forecaster import PromotionForecaster
from sales_tech.forecasting.plan_features import Plan, plan_columns
from sales_tech.forecasting.poisson import PoissonRidge
from sales_tech.forecasting.roles import roles_of
from sales_tech.forecasting.rows import Rows, Smoothed, Sums

DAY = pd.Timedelta(days=1)


def rows_of(units: list[list[float]], plan: dict[str, list[float]] | None = None, length: pd.Timedelta = DAY) -> Rows:
    code = np.repeat(np.arange(len(units)), [len(one) for one in units])
    period = np.concatenate([np.arange(len(one)) for one in units])
    flat = np.concatenate([np.asarray(one, dtype=float) for one in units])
    columns = {name: np.asarray(values, dtype=float) for name, values in (plan or {}).items()}
    known = np.ones(len(flat), dtype=bool)
    return Rows(code, period, flat, known, ~known, columns, pd.Timestamp("2024-01-01"), length)


def matrix_of(model: PromotionForecaster, past_and_plan: pd.DataFrame, at_date: pd.Timestamp, step: int) -> Matrix:
    """Features of all series on a date, seen `step` days before, of a panel that goes on as told."""
    whole, _ = model.past_.with_plan(past_and_plan[past_and_plan["date"] > model.origin_].reset_index(drop=True))
    row = np.flatnonzero(whole.rows.dates == at_date)
    return model.ensemble_.matrix(whole, model._calendar(model.past_), row, np.full(len(row), step))


@pytest.fixture(scope="module")
def fitted() -> tuple[PromotionForecaster, pd.DataFrame]:
    panel = shop(skus=5, days=140)
    return forecaster(static=[], trees=5).fit(split(panel)[0]), panel


def test_training_and_predicting_make_the_same_features(fitted: tuple) -> None:
    model, panel = fitted
    # A model that has seen the fortnight trains on it; the first one, which had not, predicts it.
    later = forecaster(static=[], trees=5).fit(panel)
    later.ensemble_.factors_ = model.ensemble_.factors_
    later.ensemble_.statics_ = model.ensemble_.statics_
    later.ensemble_.least_ = model.ensemble_.least_
    plan = Plan.of(later.past_.rows, later.roles_, later.past_.neutral)
    later.ensemble_.factor_ = np.exp(model.ensemble_.factors_.logs(plan, later._calendar(later.past_))[0])
    date = model.origin_ + 9 * DAY
    predicted = matrix_of(model, panel, date, 9)
    row = np.flatnonzero(later.past_.rows.dates == date)
    trained = later.ensemble_.matrix(later.past_, later._calendar(later.past_), row, np.full(len(row), 9))
    assert predicted.names == trained.names
    np.testing.assert_array_equal(predicted.values, trained.values)
    np.testing.assert_array_equal(predicted.base, trained.base)


def test_no_feature_moves_with_the_sales_of_the_future(fitted: tuple) -> None:
    model, panel = fitted
    origin = model.origin_ - 20 * DAY
    before = matrix_of(model, panel, origin + 6 * DAY, 6)
    units, after = model.past_.rows.units, model.past_.rows.dates > origin
    kept = units[after].copy()
    try:
        units[after] = 1_000.0
        moved = matrix_of(model, panel, origin + 6 * DAY, 6)
    finally:
        units[after] = kept
    np.testing.assert_array_equal(before.values, moved.values)
    units_before = ~after
    kept = units[units_before].copy()
    try:
        units[units_before] += 3.0
        assert not np.array_equal(before.values, matrix_of(model, panel, origin + 6 * DAY, 6).values, equal_nan=True)
    finally:
        units[units_before] = kept


def test_sums_stay_within_their_series() -> None:
    rows = rows_of([[1, 2, 3], [10, 20, 30, 40]])
    sums = Sums(rows, rows.units)
    assert sums.between(np.array([2, 5, 3]), np.array([-5, 3, 1]), np.array([2, 5, 2])).tolist() == [6, 50, 0]


def test_smoothing_halves_the_weight_at_every_half_life() -> None:
    rows = rows_of([[8, 0, 0], [4, 4, 1]])
    at = np.arange(6)
    assert Smoothed(rows, rows.units, 1.0).at(at, at).tolist() == [8, 4, 2, 4, 6, 4]
    assert Smoothed(rows, rows.units, 2.0, lag=2).at(at, at).tolist() == [8, 0, 4, 4, 4, 3]
    assert Smoothed(rows, rows.units, 1.0).at(np.array([3]), np.array([2])).tolist() == [0]


def test_the_plan_tells_where_in_a_promotion_a_day_lies() -> None:
    depth = [0, 0, 0.2, 0.2, 0.2, 0, 0, 0, 0.1, 0]
    rows = rows_of([[1.0] * 10], {"depth": depth, "\0ahead": [0.0] * 10})
    plan = Plan.of(rows, {"depth": "depth"}, {})
    told = plan_columns(plan, np.array([1, 2, 4, 6]), np.array([0, 0, 0, 0]), horizon=20)
    assert told["into promotion"].tolist() == [0, 1, 3, 0]
    assert told["to promotion"].tolist() == [1, 0, 0, 2]
    assert told["since promotion"].tolist() == [35, 0, 0, 2]
    assert told["left of promotion"].tolist() == [35, 2, 0, 35]


def test_a_promotion_beyond_the_plan_is_not_known() -> None:
    rows = rows_of([[1.0] * 10], {"depth": [0.0] * 8 + [0.1, 0.1], "\0ahead": [0.0] * 10})
    plan = Plan.of(rows, {"depth": "depth"}, {})
    row, origin = np.array([5, 5]), np.array([4, 4])
    assert plan_columns(plan, row, origin, horizon=4)["to promotion"].tolist() == [3, 3]
    assert plan_columns(plan, row, origin, horizon=3)["to promotion"].tolist() == [35, 35]


def test_a_price_is_low_against_the_usual_one_of_its_series() -> None:
    price = [10.0] * 70 + [8.0] * 3 + [100.0] * 73
    rows = rows_of([[1.0] * 73, [1.0] * 73], {"price": price, "\0ahead": [0.0] * 146})
    plan = Plan.of(rows, {"price": "price"}, {})
    at = np.array([72, 145])
    assert np.allclose(plan.cheapness("price", at, at), [np.log(10 / 8), 0])
    assert plan.promoted[[69, 72, 145]].tolist() == [False, True, False]


def test_a_price_that_stays_low_is_its_own_reference_but_not_that_of_the_year() -> None:
    price = [10.0] * 300 + [8.0] * 100 + [50.0] * 5
    rows = rows_of([[1.0] * 400, [1.0] * 5], {"price": price, "\0ahead": [0.0] * 405})
    plan = Plan.of(rows, {"price": "price"}, {})
    at, origin = np.array([399, 399, 404]), np.array([389, 299, 399])
    assert np.allclose(plan.cheapness("price", at, origin), [0, np.log(10 / 8), 0])
    # 90 of the 364 days up to day 389 had the low price already; a series without a past is where its first price is.
    assert np.allclose(plan.below_year("price", at, origin), [274 / 364 * np.log(10 / 8), np.log(10 / 8), 0], atol=1e-6)


def test_a_price_that_never_changes_tells_nothing() -> None:
    rows = rows_of([[1.0] * 400, [1.0] * 400], {"price": [19.9] * 400 + [0.07] * 400, "\0ahead": [0.0] * 800})
    at = np.arange(800)
    assert not Plan.of(rows, {"price": "price"}, {}).below_year("price", at, at - 5).any()


def test_a_missing_price_is_the_usual_one() -> None:
    rows = rows_of([[1.0] * 400], {"price": [10.0] * 200 + [0.0] * 30 + [10.0] * 169 + [8.0], "\0ahead": [0.0] * 400})
    plan = Plan.of(rows, {"price": "price"}, {})
    assert plan.below_year("price", np.array([210, 399]), np.array([199, 398])) == pytest.approx([0, np.log(10 / 8)], abs=1e-6)


def test_roles_are_told_by_names_and_values() -> None:
    panel = pd.DataFrame({"units": [0.0, 3.0, 2.0, 5.0] * 10})
    columns = {
        "sell_price": [2.5, 2.5, 2.0, 2.5],
        "Open": [0, 1, 1, 1],
        "Promo": [0, 0, 1, 1],
        "StateHoliday": ["0", "0", "a", "0"],
        "IsHoliday": [False, False, True, False],
        "MarkDown1": [0.0, 0.0, 1200.0, 5.0],
        "onpromotion": [0, 0, 12, 3],
        "desconto": [0.0, 0.0, 0.1, 0.0],
        "mechanic": ["none", "none", "leaflet", "none"],
        "temperature": [20.0, 21.0, 22.0, 10.0],
    }
    for name, values in columns.items():
        panel[name] = values * 10
    assert roles_of(panel, list(columns), "units", {"temperature": "label"}) == {
        "sell_price": "price",
        "Open": "open",
        "Promo": "flag",
        "StateHoliday": "label",
        "IsHoliday": "context",
        "MarkDown1": "depth",
        "onpromotion": "depth",
        "desconto": "depth",
        "mechanic": "kind",
        "temperature": "label",
    }


@pytest.mark.parametrize("language", ["", "pt_BR", "en_US"])
def test_holidays_have_the_same_names_whatever_language_the_machine_speaks(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(name, language)
    assert calendar_of(pd.Timestamp("2024-03-25"), 10, DAY, "BR")["name"].tolist()[4] == "Good Friday"


def test_days_about_a_holiday_compare_with_those_about_it_a_year_before() -> None:
    table = calendar_of(pd.Timestamp("2024-03-25"), 10, DAY, "BR")
    assert table["name"].tolist()[4] == "Good Friday"
    assert table["ago"].tolist()[3:6] == [357.0] * 3
    assert table["ago"].tolist()[8] == 364
    assert table["to_holiday"].tolist()[:5] == [4, 3, 2, 1, 0]
    assert calendar_of(pd.Timestamp("2024-03-25"), 10, DAY, None)["holiday"].sum() == 0


def test_poisson_regression_finds_its_law_and_keeps_the_signs_it_is_told() -> None:
    rng = np.random.default_rng(2)
    columns = rng.normal(size=(4_000, 2))
    ratio = rng.poisson(np.exp(0.3 + 0.5 * columns[:, 0] - 0.4 * columns[:, 1])).astype(float)
    free = PoissonRidge(ridge=0.0).fit(columns, ratio, np.ones(4_000), np.array([True, False]))
    assert np.allclose(free.log_mean(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])), [0.3, 0.8, -0.1], atol=0.06)
    held = PoissonRidge(ridge=0.0).fit(columns, ratio, np.ones(4_000), np.array([False, True]))
    assert np.isclose(*held.log_mean(np.array([[0.0, 0.0], [0.0, 1.0]])))
