"""A forecaster that takes a newer past without learning anew."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from tests.forecasting.retail import BY_DEPTH, WEEKDAY, forecaster, shop, split

from sales_tech.forecasting.checks import PlanBeyondHistory
from sales_tech.forecasting.forecaster import PromotionForecaster
from sales_tech.forecasting.shapes import period_of

COLUMNS = ["q10", "q50", "q90", "mean", "baseline", "uplift"]


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return shop(days=170)


@pytest.fixture
def fitted(panel: pd.DataFrame) -> PromotionForecaster:
    return forecaster(trees=8).fit(split(panel, 28)[0])


def after(panel: pd.DataFrame, day: int, days: int = 14) -> pd.DataFrame:
    first = panel["date"].min() + period_of("D") * day
    return panel[(panel["date"] >= first) & (panel["date"] < first + period_of("D") * days)]


def before(panel: pd.DataFrame, day: int) -> pd.DataFrame:
    return panel[panel["date"] < panel["date"].min() + period_of("D") * day]


def test_the_very_past_that_was_fitted_gives_the_same_digits(panel: pd.DataFrame, fitted: PromotionForecaster) -> None:
    past, plan = before(panel, 142), after(panel, 142)
    told = fitted.predict(plan)
    again = fitted.observe(past.sample(frac=1, random_state=2)).predict(plan)
    pd.testing.assert_frame_equal(again, told, check_exact=True)


def test_another_past_and_back_gives_the_same_digits(panel: pd.DataFrame, fitted: PromotionForecaster) -> None:
    told = fitted.predict(after(panel, 142))
    fitted.observe(before(panel, 156)[lambda rows: rows["date"] > "2024-02-01"])
    assert fitted.origin_ == panel["date"].min() + period_of("D") * 155
    fitted.observe(before(panel, 142))
    pd.testing.assert_frame_equal(fitted.predict(after(panel, 142)), told, check_exact=True)


def test_a_newer_past_moves_the_origin_and_the_level(panel: pd.DataFrame, fitted: PromotionForecaster) -> None:
    plan = after(panel, 156)
    doubled = panel.assign(units=panel["units"].where(panel["date"] < "2024-03-01", 2 * panel["units"]))
    usual, twice = (fitted.observe(before(one, 156)).predict(plan)["mean"].sum() for one in (panel, doubled))
    truth = 4.0 * 1.35 ** plan["sku"].str[1:].astype(int) * WEEKDAY[plan["date"].dt.day_of_week] * np.exp(BY_DEPTH * plan["depth"])
    assert abs(usual / truth.sum() - 1) < 0.08
    assert abs(twice / usual - 2) < 0.2


def test_nothing_that_was_learnt_changes(panel: pd.DataFrame, fitted: PromotionForecaster) -> None:
    correction, intervals, seen = fitted.correction_, fitted.intervals_, fitted.seen_
    members = fitted.ensemble_.members_
    fitted.observe(before(panel, 156))
    assert fitted.correction_ is correction
    assert fitted.intervals_ is intervals
    assert fitted.seen_ is seen
    assert fitted.ensemble_.members_ is members


def test_series_are_known_again_by_name_whatever_their_place(panel: pd.DataFrame, fitted: PromotionForecaster) -> None:
    fitted.predict(after(panel, 142))
    model = fitted.ensemble_
    encoded, levels = model._attributes(fitted.past_.table)
    fitted.observe(before(panel, 156)[lambda rows: ~rows["sku"].isin(["S00", "S03"])])
    kept = [place for place in range(12) if place not in (0, 3)]
    fewer, lower = model._attributes(fitted.past_.table)
    np.testing.assert_array_equal(fewer, encoded[kept])
    np.testing.assert_array_equal(lower, levels[kept])


def test_new_series_attributes_and_texts_are_taken_as_predict_takes_them(panel: pd.DataFrame, fitted: PromotionForecaster) -> None:
    fresh = panel[panel["sku"] == "S05"].assign(sku="A new one", family="C")
    fresh["mechanic"] = fresh["mechanic"].replace("leaflet", "raffle")
    both = pd.concat([fresh, panel], ignore_index=True)
    with pytest.warns(PlanBeyondHistory, match="a text of mechanic that was never seen: 'raffle'"):
        told = fitted.observe(before(both, 156)).predict(after(both, 156))
    assert np.isfinite(told[COLUMNS]).all(axis=None)
    totals = told.groupby("sku")["mean"].sum()
    assert 0.6 < totals["A new one"] / totals["S05"] < 1.6


def test_a_kind_of_promotion_that_was_learnt_keeps_its_code(panel: pd.DataFrame) -> None:
    past = before(panel, 142)
    model = forecaster(trees=8).fit(past.assign(mechanic=past["mechanic"].where(past["depth"] < 0.2, "bundle")))
    model.observe(past.assign(mechanic="none"))
    assert model.texts_ == {"mechanic": ("bundle", "leaflet", "none")}
    assert model.past_.neutral["mechanic"] == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"price": "cheap"}, "the panel: column price is .* and was one of numbers at the fit"),
        ({"family": 3}, "family is int64 and was one of texts"),
        ({"mechanic": 1.0}, "mechanic is float64 and was one of texts"),
        ({"sku": 7}, "sku is int64 and was one of texts"),
        ({"price": 0.0}, "price was a price, which is above 0, and is 0"),
        ({"depth": -0.1}, "depth was a depth, which is 0 or more, and is -0.1"),
    ],
)
def test_a_past_of_another_kind_is_refused_and_changes_nothing(
    panel: pd.DataFrame, fitted: PromotionForecaster, changed: dict[str, object], said: str
) -> None:
    past, ensemble = fitted.past_, fitted.ensemble_.factor_
    other = before(panel, 156)
    other = other[other["sku"] == "S01"].assign(**changed)
    with pytest.raises(ValueError, match=said):
        fitted.observe(other)
    assert fitted.past_ is past
    assert fitted.ensemble_.factor_ is ensemble


def test_open_and_flag_columns_keep_their_meaning() -> None:
    panel = shop(skus=4, days=80, closed_sundays=True).assign(flag=lambda rows: (rows["depth"] > 0).astype(int))
    model = forecaster(plan=["open", "flag"], trees=3).fit(before(panel, 60))
    assert model.roles_ == {"open": "open", "flag": "flag"}
    with pytest.raises(ValueError, match="open was 0 where nothing is sold, and is so on rows with units"):
        model.observe(panel.assign(open=0))
    with pytest.raises(ValueError, match="flag was a flag of 0 and 1, and is 0 to 2"):
        model.observe(panel.assign(flag=2 * panel["flag"]))
    always_open = panel[panel["date"].between("2024-03-11", "2024-03-16")].assign(flag=0)
    assert (model.observe(always_open).past_.rows.known).all()


def test_a_column_that_is_missing_is_named(panel: pd.DataFrame, fitted: PromotionForecaster) -> None:
    with pytest.raises(ValueError, match="the panel has no column depth"):
        fitted.observe(panel.drop(columns="depth"))


def test_a_forecaster_has_to_be_fitted_first(panel: pd.DataFrame) -> None:
    with pytest.raises(NotFittedError):
        forecaster().observe(panel)
