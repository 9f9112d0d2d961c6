"""Panels and plans as people have them: holes, gaps, names of their own, weeks called by their last day."""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.forecasting.retail import forecaster, shop, split

from sales_tech.forecasting import PromotionForecaster
from sales_tech.forecasting.checks import NegativeSales
from sales_tech.forecasting.evaluation import evaluate
from sales_tech.forecasting.past import Names, past_of, texts_of
from sales_tech.forecasting.roles import roles_of
from sales_tech.forecasting.rolling import backtest, rolling_cutoffs

PANEL = shop(skus=4, days=90)
PAST, FUTURE = split(PANEL, 7)
LAST = PAST["date"].max()


def told(past: pd.DataFrame, future: pd.DataFrame, **changed: Any) -> pd.DataFrame:
    """What a small model that was fitted on a past says of a plan."""
    return forecaster(**({"horizon": 7, "trees": 5} | changed)).fit(past).predict(future)


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Fail unless two forecasts have the same numbers to the last digit."""
    numbers = ["q10", "q50", "q90", "mean", "baseline", "uplift"]
    pd.testing.assert_frame_equal(one[numbers], other[numbers], check_exact=True)


def test_what_is_missing_in_a_plan_column_says_nothing() -> None:
    full = told(PAST, FUTURE)
    quiet = [
        frame.assign(depth=frame["depth"].replace(0.0, np.nan), mechanic=frame["mechanic"].replace("none", None))
        for frame in (PAST, FUTURE)
    ]
    same(told(*quiet), full)


def test_a_missing_price_is_the_one_before_it_or_the_next_one() -> None:
    flat = [frame.assign(price=10.0 + frame["sku"].str[1:].astype(float)) for frame in (PAST, FUTURE)]
    holes = [frame.assign(price=frame["price"].where(frame.index % 5 != at)) for frame, at in zip(flat, (0, 2), strict=True)]
    same(told(*holes), told(*flat))


def test_a_price_of_nothing_or_a_depth_below_it_here_and_there_is_no_price_and_no_depth() -> None:
    flat = PAST.assign(price=10.0)
    slip = (flat.index == 31) & (flat["depth"] == 0)
    assert slip.any()
    slips = flat.assign(price=flat["price"].where(flat.index != 30, 0.0), depth=flat["depth"].where(~slip, -0.1))
    assert roles_of(slips, ["price", "depth"], "units", None) == {"price": "price", "depth": "depth"}
    same(told(slips, FUTURE.assign(price=10.0)), told(flat, FUTURE.assign(price=10.0)))


def test_where_nothing_is_said_a_number_or_a_price_is_the_one_in_the_middle_of_those_seen() -> None:
    panel = pd.DataFrame({"warmth": [-5.0, np.nan, -1.0, 0.0, 2.0], "price": [0.0, 8.0, np.nan, 12.0, 11.0], "new": [np.nan] * 5})
    panel = panel.assign(depth=0.3, flag=1.0, open=0.0)
    roles = {"warmth": "context", "price": "price", "new": "context", "depth": "depth", "flag": "flag", "open": "open"}
    texts, neutral = texts_of(panel, roles)
    assert texts == {}
    assert neutral == {"warmth": -0.5, "price": 11.0, "new": 0.0, "depth": 0.0, "flag": 0.0, "open": 1.0}


def test_a_static_number_may_be_missing() -> None:
    distance = {"S00": 100.0, "S01": np.nan, "S02": 300.0, "S03": 50.0}
    frames = [frame.assign(distance=frame["sku"].map(distance)) for frame in (PAST, FUTURE)]
    assert np.isfinite(told(*frames, static=["family", "distance"])["mean"]).all()


def test_a_plan_need_not_say_again_what_never_changes_of_series_that_are_known() -> None:
    same(told(PAST, FUTURE.drop(columns="family")), told(PAST, FUTURE))
    fresh = pd.concat([FUTURE, FUTURE[FUTURE["sku"] == "S00"].assign(sku="new")]).drop(columns="family")
    with pytest.raises(ValueError, match="no column family, and sku new was not in the panel"):
        told(PAST, fresh)


@pytest.mark.parametrize("name", ["level", "factor", "answer", "mean 4", "code", "weekday"])
def test_a_plan_column_may_have_any_name(name: str) -> None:
    frames = [frame.assign(stock=np.arange(len(frame)) % 7.0) for frame in (PAST, FUTURE)]
    roles = {"stock": "context"}
    expected = told(*frames, plan=["depth", "stock"], roles=roles)
    named = [frame.rename(columns={"stock": name}) for frame in frames]
    same(told(*named, plan=["depth", name], roles={name: "context"}), expected)


def test_series_may_be_called_code_and_be_attributes_too() -> None:
    expected = told(PAST, FUTURE)
    coded = [frame.rename(columns={"sku": "code"}) for frame in (PAST, FUTURE)]
    same(told(*coded, series=["code"], static=["family", "code"]), expected)


def test_names_that_a_file_made_texts_of_are_known_again() -> None:
    numbered = [frame.assign(sku=frame["sku"].str[1:].astype(int)) for frame in (PAST, FUTURE)]
    texts = numbered[1].assign(sku=numbered[1]["sku"].astype(str))
    again = told(numbered[0], texts)
    same(again, told(*numbered))
    assert again["sku"].tolist() == texts["sku"].tolist()
    with pytest.raises(ValueError, match=r"the plan: column sku is .* was one of numbers in the panel"):
        told(numbered[0], FUTURE)


def split_weeks(panel: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The past, and the last four weeks."""
    return panel.iloc[:-4].reset_index(drop=True), panel.iloc[-4:].reset_index(drop=True)


def test_weeks_that_are_called_by_their_sunday_are_those_that_are_called_by_their_monday() -> None:
    weeks = pd.date_range("2022-01-03", periods=90, freq="7D")
    sold = 30 + 8 * np.sin(np.arange(90)) + 25 * np.isin(weeks.isocalendar().week, (16, 51))
    monday = pd.DataFrame({"sku": "a", "date": weeks, "units": np.round(sold)})
    sunday = monday.assign(date=monday["date"] + pd.Timedelta(days=6))
    plain = {"plan": [], "static": [], "freq": "W", "horizon": 4}
    expected = told(*split_weeks(monday), **plain)
    same(told(*split_weeks(sunday), **plain), expected)
    same(told(*split_weeks(sunday), **plain, weeks="last"), expected)
    assert not np.array_equal(told(*split_weeks(sunday), **plain, weeks="first")["mean"], expected["mean"])


@pytest.fixture(scope="module")
def closed_mondays() -> pd.DataFrame:
    """A shop that has no rows of Mondays."""
    return PANEL[PANEL["date"].dt.day_of_week != 0].reset_index(drop=True)


@pytest.mark.parametrize("gaps", [0, "unknown"])
def test_a_panel_with_gaps_can_be_backtested_from_any_day(closed_mondays: pd.DataFrame, gaps: Any) -> None:
    monday, tuesday = "2024-03-18", "2024-03-19"
    found = backtest(forecaster(horizon=7, trees=5, fill_gaps=gaps), closed_mondays, [monday, tuesday], 7)
    days = found[found["sku"] == "S00"].groupby("cutoff")["horizon"].agg(list)
    assert days.to_dict() == {pd.Timestamp(monday): [1, 2, 3, 4, 5, 6], pd.Timestamp(tuesday): [1, 2, 3, 4, 5, 7]}
    assert found["horizon"].equals((found["date"] - found["cutoff"]).dt.days)


def test_series_without_rows_at_the_end_sold_nothing_where_gaps_are_zeros() -> None:
    ended = PAST[(PAST["sku"] != "S03") | (PAST["date"] < LAST - pd.Timedelta(days=40))]
    zeros = PAST.assign(units=PAST["units"].where(PAST["date"].lt(LAST - pd.Timedelta(days=40)) | PAST["sku"].ne("S03"), 0.0))
    plain = {"plan": [], "static": []}
    same(told(ended, FUTURE, fill_gaps=0, **plain), told(zeros, FUTURE, **plain))


def test_an_origin_without_rows_needs_gaps_that_are_filled() -> None:
    with pytest.raises(ValueError, match=r"origin is 2024-04-01 00:00:00, .* fill_gaps is None; expected a later origin"):
        forecaster(horizon=7).fit(PAST, origin=pd.Timestamp("2024-04-01"))


def test_a_shorter_backtest_than_the_horizon_is_made() -> None:
    found = backtest(forecaster(horizon=14, trees=3), PANEL, LAST.date(), 7)
    assert found["horizon"].max() == 7
    assert evaluate(found, "sku")["sku"].tolist() == ["S00", "S01", "S02", "S03"]


def test_sales_below_nothing_are_warned_of_and_learnt_as_nothing() -> None:
    returned = PAST.assign(units=PAST["units"].where(PAST.index % 50 != 3, -2.0).where(PAST.index != 103, -5.0))
    with pytest.warns(NegativeSales, match=f"7 rows with a negative units, the least -5.0 on {PAST['date'][103]};"):
        found = told(returned, FUTURE)
    same(found, told(PAST.assign(units=PAST["units"].where(PAST.index % 50 != 3, 0.0)), FUTURE))


def test_flags_of_the_calendar_are_no_promotions() -> None:
    flags = {name: PAST["date"].dt.day_of_week.ge(5).astype(int) for name in ("is_weekend", "is_working_day", "business_day", "fechado")}
    assert set(roles_of(PAST.assign(**flags), list(flags), "units", None).values()) == {"context"}


@pytest.mark.parametrize(
    "name", ["price_discount", "valor_desconto", "desconto_valor", "temp_price_reduction", "seasonal_discount", "PriceOff"]
)
def test_what_is_taken_off_a_price_is_a_depth_whatever_its_name_has_of_prices_or_seasons(name: str) -> None:
    for missing in (0.0, np.nan):
        panel = PAST.assign(**{name: (PAST["depth"] * PAST["price"]).where(PAST["depth"] > 0, missing)})
        assert roles_of(panel, [name], "units", None) == {name: "depth"}


def test_a_price_that_is_discounted_stays_a_price_and_a_holiday_s_promotion_a_flag() -> None:
    panel = PAST.assign(discounted_price=PAST["price"] * (1 - PAST["depth"]), holiday_promo=PAST["depth"] > 0, holiday=PAST["depth"] > 0)
    roles = roles_of(panel, ["discounted_price", "holiday_promo", "holiday"], "units", None)
    assert roles == {"discounted_price": "price", "holiday_promo": "flag", "holiday": "context"}


def test_weather_is_no_promotion_even_where_it_is_mostly_nothing_or_called_almost_like_a_price() -> None:
    rng = np.random.default_rng(3)
    wet = pd.Series(rng.random(len(PAST)) * (rng.random(len(PAST)) < 0.4))
    columns = {"precipitation": wet, "precipitacao_mm": 1 + 20 * wet, "chuva": wet > 0, "snow_depth": wet, "wind": 1 + wet}
    assert set(roles_of(PAST.assign(**columns), list(columns), "units", None).values()) == {"context"}
    assert roles_of(PAST.assign(window=PAST["depth"] > 0), ["window"], "units", None) == {"window": "flag"}


def test_numbers_of_mechanics_are_names_and_not_how_deep_a_promotion_is() -> None:
    number = PAST["mechanic"].ne("none") * (1 + PAST["sku"].str[-1].astype(int))
    names = ("promo_type", "promotion_id", "offer_code", "mechanic", "tipo_desconto", "campaign")
    others = {"promo_count": "depth", "campaign_spend": "context", "week_id": "context"}
    numbered = PAST.assign(**dict.fromkeys([*names, *others], number), promo_code=1 + number)
    told_by = roles_of(numbered, [*names, *others, "promo_code"], "units", None)
    assert told_by == dict.fromkeys(names, "kind") | others | {"promo_code": "depth"}
    frames = [frame.assign(promo_type=frame["depth"].mul(10).round().astype(int)) for frame in (PAST, FUTURE)]
    named = [frame.assign(promo_type=frame["promo_type"].map({0: "none", 1: "a", 2: "b", 3: "c"})) for frame in frames]
    other = [frame.assign(promo_type=frame["promo_type"].map({0: 0, 1: 7, 2: 8, 3: 9})) for frame in frames]
    same(told(*other, plan=["promo_type"]), told(*frames, plan=["promo_type"]))
    assert forecaster(plan=["promo_type"], horizon=7).fit(named[0]).roles_ == {"promo_type": "kind"}


@pytest.mark.parametrize("shape", [lambda share: share, lambda share: share > 0])
def test_what_nobody_called_a_promotion_and_lowers_sales_is_none(shape: Any) -> None:
    # Large series have it more often, and sales are compared within each.
    large = PAST["sku"].isin(["S02", "S03"])
    rng = np.random.default_rng(3)
    share = pd.Series(rng.uniform(0.3, 1.0, len(PAST)) * (rng.random(len(PAST)) < np.where(large, 0.45, 0.1)))
    for by, role in ((-1.0, {"context"}), (1.0, {"flag", "depth"})):
        panel = PAST.assign(disturbed=shape(share), units=PAST["units"] * np.exp(by * share) * np.where(large, 9, 1))
        assert roles_of(panel, ["disturbed"], "units", None, ["sku"], "date")["disturbed"] in role
        called = panel.assign(deal=panel["disturbed"])
        assert roles_of(called, ["deal"], "units", None, ["sku"], "date")["deal"] in {"flag", "depth"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"plan": None}, "plan is None; expected a list"),
        ({"static": "family"}, "static is 'family'; expected a list"),
        ({"quantiles": 0.5}, "quantiles is 0.5; expected a list"),
        ({"horizon": 14.0}, "horizon is 14.0; expected a whole number"),
        ({"weeks": "monday"}, "weeks is 'monday'"),
        ({"trees": 0}, "trees is 0; expected a whole number, 1 or more"),
        ({"random_state": "x"}, "'x' cannot be used to seed"),
        ({"series": ["sku", "sku"]}, "series has the column sku 2 times; expected it once"),
        ({"plan": ["price", "price"]}, "plan has the column price 2 times"),
        ({"plan": [0]}, "plan has the column 0; expected names that are texts"),
        ({"series": ["sku", "date"]}, "the column date is in series and in time; expected one part of each column"),
        ({"plan": ["price", "units"]}, "the column units is in target and in plan"),
        ({"plan": ["date"]}, "the column date is in time and in plan"),
        ({"plan": ["sku"]}, "the column sku is in series and in plan"),
        ({"static": ["units"]}, "the column units is in target and in static"),
        ({"time": "mean"}, "series and time have mean, as a forecast calls a column of its own"),
    ],
)
def test_a_parameter_of_another_kind_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PromotionForecaster(**({"series": ["sku"]} | changed)).fit(PAST)


def test_columns_that_are_called_by_numbers_are_refused_by_a_backtest_too() -> None:
    with pytest.raises(ValueError, match="series has the column 0; expected names that are texts"):
        backtest(forecaster(series=[0], horizon=7), PANEL.rename(columns={"sku": 0}), LAST, 7)
    with pytest.raises(ValueError, match="the panel has no column 0"):
        backtest(forecaster(plan=[0], horizon=7), PANEL, LAST, 7)


def test_a_column_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="the panel has more than one column price; expected one of each name"):
        told(pd.concat([PAST, PAST[["price"]]], axis=1), FUTURE)
    with pytest.raises(ValueError, match="the plan has more than one column price; expected one of each name"):
        told(PAST, pd.concat([FUTURE, FUTURE[["price"]]], axis=1))


def test_an_index_may_be_called_as_a_column_is() -> None:
    same(told(PAST.set_index("sku", drop=False), FUTURE.set_index("date", drop=False)), told(PAST, FUTURE))


def test_days_may_come_from_arrow() -> None:
    days = [frame.assign(date=frame["date"].astype("date32[pyarrow]")) for frame in (PAST, FUTURE)]
    same(told(*days), told(PAST, FUTURE))
    panel = pd.concat(days, ignore_index=True)
    (cutoff,) = rolling_cutoffs(panel, "date", "D", 7, 1)
    assert cutoff == LAST
    found = backtest(forecaster(horizon=7, trees=3), panel, np.datetime64("2024-03-23"), 7)
    assert evaluate(found, insample=panel, series=["sku"])["rmsse"].notna().all()


def test_a_seed_may_be_what_scikit_learn_takes() -> None:
    one, other = (told(PAST, FUTURE, random_state=np.random.RandomState(3)) for _ in range(2))
    same(one, other)
    assert np.isfinite(told(PAST, FUTURE, random_state=None)["mean"]).all()


def test_a_day_whose_sales_were_lost_is_as_good_as_one_without_rows() -> None:
    large = PAST.assign(units=40 + PAST["units"])
    day = pd.Timestamp("2024-03-12")
    plain = {"plan": [], "static": []}
    lost = large.assign(units=large["units"].where(large["date"] != day, 0.0))
    same(told(lost, FUTURE, **plain), told(large[large["date"] != day], FUTURE, fill_gaps="unknown", **plain))


def shops(days: int = 120) -> pd.DataFrame:
    """Two shops of three SKUs that sell 9 and 10 on each day, and from Monday to Friday only in the second one."""
    dates = pd.date_range("2023-05-01", periods=days)
    rows = [{"store": store, "sku": sku, "date": date} for store in "ab" for sku in "xyz" for date in dates]
    panel = pd.DataFrame(rows)
    return panel.assign(units=np.where((panel["store"] == "b") & (panel["date"].dt.day_of_week > 4), 0.0, 9.0 + panel["date"].dt.day % 2))


def not_known(panel: pd.DataFrame, **changed: Any) -> list[tuple[str, str, pd.Timestamp]]:
    """Which rows of a panel a model that was fitted on it takes for no demand."""
    usual = {"series": ["store", "sku"], "horizon": 7, "trees": 3, "plan": [], "static": []}
    past = forecaster(**(usual | changed)).fit(panel).past_
    lost = np.flatnonzero(~past.rows.known)
    names = past.table.iloc[past.rows.code[lost]]
    return sorted(zip(names["store"], names["sku"], past.rows.dates[lost], strict=True))


def closed(panel: pd.DataFrame, store: str, first: str, days: int) -> pd.DataFrame:
    """A panel of a shop that sells nothing for some days."""
    shut = panel["store"].isin([*store]) & panel["date"].isin(pd.date_range(first, periods=days))
    return panel.assign(units=panel["units"].where(~shut, 0.0))


@pytest.mark.parametrize("store", ["a", "b", "ab"])
def test_a_shop_that_is_shut_for_weeks_has_no_demand_in_them(store: str) -> None:
    days = pd.date_range("2023-06-06", periods=20)
    # Of a weekend on which all shops are shut nothing is told either.
    expected = [(one, sku, day) for one in store for sku in "xyz" for day in days if "a" in store or day.day_of_week < 5]
    assert not_known(closed(shops(), store, "2023-06-06", 20)) == sorted(expected)


def test_two_skus_are_a_shop_that_may_be_shut() -> None:
    panel = closed(shops(), "a", "2023-06-06", 20)
    panel = panel.assign(units=2 * panel["units"])
    expected = [("a", sku, day) for sku in "xy" for day in pd.date_range("2023-06-06", periods=20)]
    # The other shop never sells at weekends, so that in those all are shut.
    lost = [row for row in not_known(panel[panel["sku"] != "z"].reset_index(drop=True)) if row[0] == "a"]
    assert lost == sorted(expected)


def test_days_on_which_a_single_sku_sells_nothing_for_weeks_are_known() -> None:
    panel = shops()
    gone = (panel["sku"] == "x") & panel["date"].isin(pd.date_range("2023-06-06", periods=20))
    assert not_known(panel.assign(units=panel["units"].where(~gone, 0.0))) == []


def test_a_shop_that_sells_little_may_sell_nothing_for_weeks() -> None:
    panel = shops()
    assert not_known(closed(panel.assign(units=panel["units"].clip(upper=6.0)), "a", "2023-06-06", 20)) == []


def test_a_shop_that_sells_nothing_for_months_or_up_to_the_end_is_believed() -> None:
    assert not_known(closed(shops(), "a", "2023-06-06", 57)) == []
    assert not_known(closed(shops(), "a", "2023-08-09", 20)) == []


def test_a_closing_that_comes_each_year_or_may_come_again_ahead_is_a_season() -> None:
    panel = shops(days=480)
    once = closed(panel, "a", "2023-07-03", 12)
    assert len(not_known(once)) == 36
    assert not_known(closed(once, "a", "2024-07-01", 12)) == []
    # A year after the closing lies in the days that are predicted, or about them.
    assert not_known(closed(panel, "a", "2023-08-28", 12)) == []
    assert not_known(closed(panel, "a", "2023-08-10", 12)) != []


def test_weeks_in_which_a_shop_was_shut_have_no_demand() -> None:
    weeks = pd.date_range("2023-01-02", periods=40, freq="7D")
    panel = pd.DataFrame([{"store": store, "sku": sku, "date": week, "units": 9.0} for store in "ab" for sku in "xyz" for week in weeks])
    shut = (panel["store"] == "a") & panel["date"].isin(weeks[[20, 21, 22]])
    found = not_known(panel.assign(units=panel["units"].where(~shut, 0.0)), freq="W", horizon=4)
    assert found == [("a", sku, week) for sku in "xyz" for week in weeks[[20, 21, 22]]]


def test_a_holiday_without_sales_is_known_and_so_is_a_small_sellers_day_of_none() -> None:
    panel = shop(skus=4, days=100)
    panel = panel.assign(units=np.where(panel["sku"] == "S00", panel["units"] % 3, 40 + panel["units"]))
    good_friday, day_before = pd.Timestamp("2024-03-29"), pd.Timestamp("2024-03-28")
    shut = panel.assign(units=panel["units"].where(~panel["date"].isin([good_friday, day_before]), 0.0))
    rows = forecaster(horizon=7, trees=3, plan=[], static=[]).fit(shut).past_.rows
    unknown = sorted(zip(rows.code[~rows.known].tolist(), rows.dates[~rows.known].tolist(), strict=True))
    assert unknown == [(1, day_before), (2, day_before), (3, day_before)]


def test_a_missing_mechanic_is_the_panels_own_word_for_none_and_otherwise_one_more() -> None:
    spoken = [frame.replace({"mechanic": {"none": "sem promoção"}}) for frame in (PAST, FUTURE)]
    holes = [frame.assign(mechanic=frame["mechanic"].where((frame["depth"] > 0) | (frame.index % 3 > 0))) for frame in spoken]
    same(told(*holes), told(*spoken))
    never = forecaster(horizon=7, trees=3).fit(PAST.assign(mechanic=PAST["mechanic"].where(PAST["depth"] > 0)))
    assert never.texts_ == {"mechanic": ("leaflet", "none")}
    assert never.past_.neutral["mechanic"] == 1


def test_numbers_that_are_categories_are_known_again_as_numbers() -> None:
    numbered = [frame.assign(sku=frame["sku"].str[1:].astype(int)) for frame in (PAST, FUTURE)]
    kinds = numbered[0].assign(sku=numbered[0]["sku"].astype("category"))
    assert np.allclose(told(kinds, numbered[1])["mean"], told(*numbered)["mean"], rtol=0.2)


def test_promotions_of_a_week_or_a_day_are_promotions() -> None:
    names = {
        "promo_week": "flag",
        "deal_of_the_day": "flag",
        "week_price": "price",
        "discount_this_week": "depth",
        "offer_of_month": "kind",
    }
    values = {"flag": (PAST["depth"] > 0).astype(int), "price": PAST["price"], "depth": PAST["depth"], "kind": PAST["mechanic"]}
    assert roles_of(PAST.assign(**{name: values[role] for name, role in names.items()}), list(names), "units", None) == names


def test_a_large_series_that_no_longer_sells_is_no_outage() -> None:
    large = PAST.assign(units=40 + PAST["units"])
    dead = large.assign(units=large["units"].where((large["sku"] != "S03") | (large["date"] < LAST - pd.Timedelta(days=24)), 0.0))
    assert forecaster(horizon=7, trees=3).fit(dead).past_.rows.known.all()
    gone = told(dead, FUTURE).groupby("sku")["mean"].sum()
    assert gone["S03"] < 0.7 * gone["S02"]


@pytest.mark.parametrize("said", [{"fill_gaps": 0}, {"available": "open"}])
def test_who_says_what_days_without_sales_are_is_believed(said: dict[str, Any]) -> None:
    lost = PAST.assign(units=(40 + PAST["units"]).where(PAST["date"] != pd.Timestamp("2024-03-12"), 0.0))
    assert forecaster(horizon=7, trees=3, **said).fit(lost).past_.rows.known.all()


def test_periods_that_are_filled_in_are_open_and_nothing_is_promoted_in_them() -> None:
    panel = shop(skus=3, days=90, closed_sundays=True)
    sunday = panel[(panel["sku"] != "S02") | (panel["date"] <= "2024-02-18")]
    rows = forecaster(horizon=7, trees=3, plan=["open", "depth"], fill_gaps=0).fit(sunday).past_.rows
    filled = (rows.code == 2) & (rows.dates > "2024-02-18")
    assert filled.sum() == 41
    assert rows.known[filled].all()
    assert (rows.plan["depth"][filled] == 0).all()


def test_behind_a_gap_of_all_series_something_is_said() -> None:
    origin = LAST + pd.Timedelta(days=21)
    plan = FUTURE.assign(date=FUTURE["date"] + pd.Timedelta(days=21))
    model = forecaster(horizon=7, trees=3, fill_gaps="unknown").fit(PAST, origin=origin)
    first = model.predict(plan)
    assert np.isfinite(first["mean"]).all()
    same(model.observe(PAST, origin=str(origin.date())).predict(plan), first)


@pytest.mark.parametrize("stocked", [0, 1])
def test_a_panel_whose_shelves_were_empty_at_first_is_told_from_the_days_since(stocked: int) -> None:
    # Nothing is known of the days before those by which intervals are usually made, or next to nothing.
    number = (PAST["date"] - PAST["date"].min()).dt.days
    panel = PAST.assign(shelf=((number >= 68) | (number < stocked)).astype(int))
    first = told(panel, FUTURE, available="shelf")
    assert first["baseline"].mean() == pytest.approx(PAST.loc[(number >= 68) & (PAST["depth"] == 0), "units"].mean(), rel=0.25)
    assert (first["q10"] <= first["q90"]).all()


def test_a_panel_of_one_day_says_that_it_is_too_short() -> None:
    with pytest.raises(ValueError, match=r"of which 0 can be learnt from, .* give it a longer past"):
        told(PAST[PAST["date"] == LAST], FUTURE)


def test_a_backtest_knows_what_was_on_the_shelf() -> None:
    empty = PANEL.assign(shelf=(PANEL.index % 9 > 0).astype(int), units=PANEL["units"].where(PANEL.index % 9 > 0, 0.0))
    found = backtest(forecaster(horizon=7, trees=3, available="shelf"), empty, [LAST], 7)
    assert len(found) == 28


def carried(prices: dict[pd.Timestamp, float], day: pd.Timestamp, usual: float) -> float:
    """The last price up to a day, otherwise the next one, otherwise what is usual."""
    known = {when: price for when, price in prices.items() if price > 0}
    return next((known[when] for when in sorted(known, reverse=True) if when <= day), known[min(known)] if known else usual)


@pytest.mark.parametrize("gaps", [0, "unknown"])
def test_rows_of_a_panel_and_its_plan_are_those_of_each_day_of_each_series(gaps: float | str) -> None:
    rng = np.random.default_rng(9)
    days = pd.date_range("2024-03-01", periods=40)
    # The last series never had a price; one begins late, one ends early, and a new one is only planned.
    spans = {"a": (0, 30), "b": (6, 30), "c": (0, 22), "d": (2, 30)}
    frame = pd.DataFrame([{"sku": sku, "date": day, "family": f"of {sku}"} for sku in (*spans, "new") for day in days])
    size = len(frame)
    frame["units"] = np.where(rng.random(size) < 0.1, np.nan, rng.integers(-2, 9, size))
    frame["shelf"] = np.where(frame["units"].isna(), 0, rng.integers(0, 9, size))
    frame["price"] = np.where(rng.random(size) < 0.3, rng.choice([0.0, np.nan], size), rng.integers(5, 9, size)) * np.where(
        frame["sku"] == "d", np.nan, 1
    )
    frame["cut"] = rng.choice([np.nan, -0.1, 0.0, 0.2], size)
    frame["open"] = rng.choice([0.0, 1.0, np.nan], size, p=[0.1, 0.8, 0.1])
    frame["kind"] = rng.choice(["leaflet", "none", None], size)
    frame["heat"] = rng.choice([-10.0, 20.0, 40.0, np.nan], size, p=[0.2, 0.5, 0.2, 0.1])
    roles = {"price": "price", "cut": "depth", "open": "open", "kind": "kind", "heat": "context"}
    at = (frame["date"] - days[0]).dt.days
    inside = pd.concat([(frame["sku"] == sku) & (at >= first) & (at < last) for sku, (first, last) in spans.items()], axis=1).any(axis=1)
    edge = pd.concat([(frame["sku"] == sku) & at.isin([first, last - 1]) for sku, (first, last) in spans.items()], axis=1).any(axis=1)
    panel = frame[inside & (edge | (rng.random(size) < 0.7))].sample(frac=1, random_state=1)
    # The plan begins two days after the panel, and leaves out a series.
    plan = frame[(at >= 33) & ~frame["sku"].isin(["b"])].sample(frac=1, random_state=2)
    texts, neutral = texts_of(panel, roles)
    assert (texts, neutral["kind"], neutral["open"], neutral["cut"]) == ({"kind": ("leaflet", "none")}, 1.0, 1.0, 0.0)
    assert neutral["price"] == statistics.median([price for price in panel["price"] if price > 0])
    assert neutral["heat"] == statistics.median([heat for heat in panel["heat"] if heat == heat])
    names = Names(("sku",), "date", "units", ("family",), roles, "shelf", "D")
    factor, until = rng.uniform(1.0, 2.0, len(panel)), days[31]
    past = past_of(panel, names, gaps, factor, texts, neutral, until)
    whole, place = past.with_plan(plan)
    seen = {(row.sku, row.date): (row, by) for row, by in zip(panel.itertuples(), factor, strict=True)}
    asked = {(row.sku, row.date): row for row in plan.itertuples()}
    for found, told in ((past, {}), (whole, asked)):
        expected = []
        for sku in sorted({one for one, _ in (*seen, *told)}):
            own = [day for one, day in (*seen, *told) if one == sku]
            last = max(max(own), until) if sku != "new" else max(own)
            prices = {day: row.price for (one, day), row in [*((key, row) for key, (row, _) in seen.items()), *told.items()] if one == sku}
            for day in pd.date_range(min(own), last):
                row, by = seen.get((sku, day), (told.get((sku, day)), 1.0))
                there, ahead = (sku, day) in seen, (sku, day) in told
                shut = row is not None and row.open == 0
                known = not shut and (row.shelf != 0 if there else gaps == 0 and not ahead and day <= until)
                expected.append(
                    {
                        "date": day,
                        "family": f"of {sku}",
                        "known": known,
                        # What lies behind the panel is closed where the plan says so.
                        "closed": shut,
                        "units": max(row.units, 0.0) / by if there and known else 0.0,
                        "ahead": float(ahead),
                        "price": carried(prices, day, neutral["price"]),
                        "cut": max(row.cut, 0.0) if row is not None and row.cut > 0 else 0.0,
                        "open": row.open if row is not None and row.open == row.open else 1.0,
                        "kind": float(row is None or row.kind != "leaflet"),
                        "heat": row.heat if row is not None and row.heat == row.heat else neutral["heat"],
                    }
                )
        rows = found.rows
        columns = {"date": rows.dates, "family": found.table["family"].to_numpy()[rows.code], "known": rows.known, "closed": rows.closed}
        values = pd.DataFrame(columns | {"units": rows.units, "ahead": rows.plan["\0ahead"]} | {name: rows.plan[name] for name in roles})
        wanted = pd.DataFrame(expected)
        wanted.loc[wanted["date"] <= until, "closed"] = wanted["closed"] if found is past else False
        pd.testing.assert_frame_equal(values, wanted, check_dtype=False)
    assert whole.table["sku"].to_numpy()[whole.rows.code[place]].tolist() == plan["sku"].tolist()
    assert whole.rows.dates[place].tolist() == plan["date"].tolist()
    assert sorted(past.going()["sku"]) == ["a", "b", "c", "d"]
    assert (past.last, past.origin) == (31, until)
