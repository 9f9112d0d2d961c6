"""Learning, looking ahead anew, and what the numbers rest on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from tests.planning.outlooks import plan, response
from tests.planning.pasts import FIRST, RESULT, effect, fitted, past, planner, sales, twin_past
from tests.promotions.sources import listed

from sales_tech.contracts.calendar import RetailCalendar
from sales_tech.forecasting.checks import ShortPast
from sales_tech.planning import PromotionPlanner, SourcePast, TooLittleHistory
from sales_tech.planning import planner as planning
from sales_tech.planning.demand import demand_of
from sales_tech.planning.expected import expected_demand
from sales_tech.planning.losses import loss_rates
from sales_tech.planning.prices import price_list
from sales_tech.promotions import SourceFrames


def test_the_same_past_and_seed_give_the_same_numbers() -> None:
    again = planner().fit(twin_past()).outlook_
    for name, frame in fitted().outlook_.to_frames().items():
        pd.testing.assert_frame_equal(again.to_frames()[name], frame)


def test_observing_the_past_that_was_learnt_changes_nothing() -> None:
    model = planner().fit(twin_past())
    learnt = model.outlook_.baseline
    pd.testing.assert_frame_equal(model.observe(twin_past()).outlook_.baseline, learnt)


def test_days_of_its_own_in_which_a_source_sold_twice_as_much_are_told_so_again_by_learning_and_by_observing() -> None:
    # 100 days of ten units, twice as many in two times of four days; the third time lies in the 14 days after.
    daily = sales(100, A=10, B=10)
    days = (daily["sold_on"] - FIRST).dt.days
    feast = days.between(30, 33) | days.between(65, 68)
    daily["units"] = daily["units"].where(~feast, 20.0)
    times = [(FIRST.date() + timedelta(days=day), FIRST.date() + timedelta(days=day + 3)) for day in (30, 65, 104)]
    known = replace(past(daily), calendar=RetailCalendar(country="PT", occasions={"feast": times}))
    without = replace(known, calendar=RetailCalendar(country="PT", occasions={"feast": times[:2]}))

    def told(model: PromotionPlanner) -> tuple[float, float]:
        baseline = model.outlook_.baseline
        inside = (baseline["sold_on"] - FIRST).dt.days.between(104, 107)
        return baseline.loc[inside, "baseline_units"].mean(), baseline.loc[~inside, "baseline_units"].mean()

    inside, outside = told(planner(**known.days).fit(known))
    assert inside > 1.5 * outside
    unaware = planner(**without.days).fit(without)
    inside, outside = told(unaware)
    assert inside < 1.2 * outside
    inside, outside = told(unaware.observe(known))
    assert inside > 1.5 * outside
    # Days that are called off are not told; where no pack is known, those that were learnt stay.
    aware = planner(**known.days).fit(known)
    inside, outside = told(aware.observe(replace(known, calendar=RetailCalendar(country="PT"))))
    assert inside < 1.2 * outside
    inside, outside = told(aware.observe(replace(known, calendar=None)))
    assert inside > 1.5 * outside


def test_a_newer_past_moves_the_days_that_are_told() -> None:
    source = twin_past()
    daily = source.frames.daily
    week_ago = daily["sold_on"].max() - pd.Timedelta(days=7)
    frames = replace(source.frames, daily=daily[daily["sold_on"] <= week_ago])
    model = planner().fit(replace(source, frames=frames))
    assert model.outlook_.origin == week_ago
    assert model.observe(source).outlook_.origin == daily["sold_on"].max()


def test_a_past_that_has_become_short_is_told_as_far_as_was_learnt_and_says_nothing_else() -> None:
    daily = sales(150, A=8, B=4)
    model = planner(horizon=21).fit(past(daily))
    short = daily[daily["sold_on"] > daily["sold_on"].max() - pd.Timedelta(days=60)]
    look = model.observe(past(short)).outlook_
    assert (look.horizon, look.baseline["sold_on"].nunique(), model.notes_) == (21, 21, ())
    # Who learns from so little tells less, and says so.
    anew = planner(horizon=21).fit(past(short[short["sold_on"] > short["sold_on"].min() + pd.Timedelta(days=3)]))
    assert anew.outlook_.baseline["sold_on"].nunique() == 14
    assert anew.notes_ == ("56 days of sales are known, so forecasts reach 14 days ahead instead of 21",)


def renumbered(ago: int, days: int = 170) -> SourcePast:
    """Ten SKUs that sell too little to be told one by one, all of which were given other numbers so many days ago."""
    daily = sales(days, **{f"{kind}{number}": 1 for kind in ("OLD", "NEW") for number in range(10)})
    day, number = (daily["sold_on"] - FIRST).dt.days, daily["sku"].str[3:].astype(int)
    daily = daily[(day % 10 == number) & ((day >= days - ago) == (daily["sku"].str[:3] == "NEW"))]
    products = listed(*daily["sku"].unique())
    began = FIRST + pd.Timedelta(days=days - ago)
    products.loc[products["sku"].str[:3] == "OLD", "valid_to"] = began
    products.loc[products["sku"].str[:3] == "NEW", "valid_from"] = began
    return past(daily, products=products)


def test_a_source_all_of_whose_skus_are_new_is_told_from_a_month_on_and_is_no_error_before() -> None:
    with pytest.warns(ShortPast, match="the panel has 28 periods"):
        look = planner().fit(renumbered(28)).outlook_
    assert set(look.baseline["sku"]) == {"others of Notebooks"}
    assert look.baseline["baseline_units"].mean() == pytest.approx(1.0, rel=0.5)
    with pytest.raises(TooLittleHistory, match="only on 27 of 170 days was anything in stock"):
        planner().fit(renumbered(27))


def test_what_was_out_of_stock_until_a_month_ago_is_told_from_the_days_since() -> None:
    stockouts = pd.DataFrame({"store_id": "L1", "sku": ["A", "B"], "starts_on": FIRST, "ends_on": FIRST + pd.Timedelta(days=141)})
    look = planner().fit(past(sales(170, A=8, B=4), stockouts=stockouts)).outlook_
    assert look.baseline.groupby("sku")["baseline_units"].mean().to_dict() == pytest.approx({"A": 8, "B": 4}, rel=0.1)


class Knows:
    """Stands for what was learnt: of each day it tells so many units as it has seen days, and ends of the range that go with them."""

    def __init__(self, horizon: int) -> None:
        self.horizon, self.seen, self.asked = horizon, pd.DataFrame(), list[tuple[pd.Timestamp, pd.Timestamp, int]]()

    def observe(self, panel: pd.DataFrame) -> Knows:
        self.seen = panel
        return self

    def predict(self, asked: pd.DataFrame) -> pd.DataFrame:
        self.asked.append((self.seen["date"].max(), asked["date"].min(), asked["date"].nunique()))
        known = float(self.seen["date"].nunique())
        told = asked.assign(baseline=known, q10=0.5 * known, q50=0.9 * known, q90=2.0 * known)
        # What is never sold is told as nothing.
        return told.assign(baseline=told["baseline"].where(told["sku"] != "Z", 0.0))


def known_source(days: int) -> tuple[SourcePast, pd.DataFrame]:
    """B was out of stock on its last day but one and promoted on the last; W was withdrawn a week ago; A is sold in two regions."""
    daily = sales(days, A=8, B=4, W=6, Z=3)
    daily = daily[~((daily["sku"] == "W") & (daily["sold_on"] > FIRST + pd.Timedelta(days=days - 8)))]
    daily = pd.concat([daily, daily[daily["sku"] == "A"].assign(store_id="L2", units=2.0)])
    products = listed("A", "B", "W", "Z")
    products.loc[products["sku"] == "W", "valid_to"] = FIRST + pd.Timedelta(days=days - 7)
    stores = pd.DataFrame({"store_id": ["L1", "L2"], "state": ["SP", "BA"], "region": ["Sudeste", "Nordeste"], "channel": "loja"})
    gone = pd.DataFrame({"store_id": ["L1"], "sku": ["B"], "starts_on": FIRST + pd.Timedelta(days=days - 2)})
    stockouts = gone.assign(ends_on=gone["starts_on"])
    effects = pd.DataFrame([effect(days - 1, 1.0, sku="B")])
    results = pd.DataFrame([RESULT | {"pulled_forward_units": 5.0}])
    return past(daily, effects, results, products=products, stores=stores, stockouts=stockouts), daily


def test_a_forecast_of_four_weeks_ago_is_moved_by_what_was_sold_since_and_its_range_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    given, _ = known_source(150)
    demand, model = demand_of(given, 21), planner(horizon=21)
    moved: dict[str, pd.DataFrame] = {}

    def anchored(told: pd.DataFrame, sold: pd.DataFrame, origin: pd.Timestamp) -> np.ndarray:
        moved.update(told=told, sold=sold)
        assert origin == demand.origin
        return np.full(int((told["date"] > origin).sum()), 100.0)

    def restated(told: pd.DataFrame, panel: pd.DataFrame, origin: pd.Timestamp) -> np.ndarray:
        assert set(told["baseline"]) == {100.0}
        assert (panel["date"].max(), origin) == (demand.origin, demand.origin)
        return told["baseline"].to_numpy() * 3

    monkeypatch.setattr(planning, "anchored", anchored)
    monkeypatch.setattr(planning, "restated", restated)
    model.forecaster_, model.horizon_ = Knows(49), 21
    told = model._baseline(demand)
    day = pd.Timedelta(days=1)
    before = demand.origin - 28 * day
    assert model.forecaster_.asked == [(before, before + day, 49), (demand.origin, demand.origin + day, 21)]
    assert (moved["told"]["date"].min(), moved["told"]["date"].max()) == (before + day, demand.origin + 21 * day)
    # Of the four weeks since, the day without stock says nothing, and half of what the promotion sold is the promotion's.
    sold = moved["sold"].set_index(["sku", "date"])["units"]
    assert sold["B"].tolist() == pytest.approx([4.0] * 26 + [4.0 / 2])
    assert demand.origin - day not in sold["B"].index
    assert sold["A"].tolist() == pytest.approx([10.0] * 28)
    assert told["baseline"].tolist() == [300.0] * len(told)
    told = told.set_index("sku")
    assert told.loc["A", ["q10", "q50", "q90"]].drop_duplicates().to_numpy().tolist() == [pytest.approx([150.0, 270.0, 600.0])]
    # Of a forecast of nothing no ratio tells how far its range moves.
    assert told.loc["Z", ["q10", "q50", "q90"]].drop_duplicates().to_numpy().tolist() == [pytest.approx([75.0, 135.0, 300.0])]
    model.forecaster_ = Knows(21)
    assert set(model._baseline(demand)["baseline"]) == {150.0, 0.0}
    assert model.forecaster_.asked == [(demand.origin, demand.origin + day, 21)]


def test_an_outlook_is_the_forecast_less_what_was_bought_ahead_of_all_that_goes_on() -> None:
    given, _ = known_source(150)
    demand, model = demand_of(given, 21), planner(horizon=21)
    model.forecaster_, model.horizon_ = Knows(21), 21
    look = model._look_ahead(given, demand).outlook_
    assert (look.origin, look.horizon, look.currency) == (demand.origin, 21, "BRL")
    assert model.notes_ == demand.notes
    sold = look.baseline.set_index(["sku", "sold_on"])
    assert sorted(set(look.baseline["sku"])) == ["A", "B", "Z"]
    # The promotion added four units of B on the last day, of which half are missing within the 28 days after.
    whole = sum(0.5 ** (number / 7) for number in range(28))
    left = [1 - 0.5 * 4 * 0.5 ** (number / 7) / whole / 150 for number in range(21)]
    for name, units in (("units", 150), ("low", 75), ("median", 135), ("high", 300)):
        assert sold.loc["B", f"baseline_{name}"].tolist() == pytest.approx([units * part for part in left])
        assert set(sold.loc["A", f"baseline_{name}"]) == {units}
    assert look.members[["sku", "channel", "series", "share"]].to_numpy().tolist() == [[sku, "loja", sku, 1.0] for sku in "ABZ"]
    assert sorted(zip(look.regions["series"], look.regions["region"], strict=True)) == [
        (sku, region) for sku in "ABZ" for region in ("Nordeste", "Sudeste")
    ]
    assert set(look.regions["channel"]) == {"loja"}
    shares = look.regions.set_index(["series", "region"])["share"]
    # Of 150 days' units a fifth of A's, and none of B's, are sold in the northeast; 30 of the channel stand beside them.
    channel = 150 * 2 / (150 * (10 + 4 + 3) + 143 * 6)
    assert shares["A", "Nordeste"] == pytest.approx((300 + 30 * channel) / (1500 + 30))
    assert shares["B", "Nordeste"] == pytest.approx(30 * channel / (600 + 30))
    assert look.rates["pulled_forward"].tolist() == [pytest.approx(0.5)]
    assert set(look.prices["valid_from"]) == {demand.origin + pd.Timedelta(days=1)}


@pytest.mark.parametrize(("days", "told"), [(146, 21), (147, 49)])
def test_a_past_of_three_times_as_many_days_is_also_asked_from_four_weeks_ago(
    days: int, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    class Learns(Knows):
        def __init__(self, **about: Any) -> None:
            super().__init__(about["horizon"])
            given.update(about)

        def fit(self, panel: pd.DataFrame) -> Knows:
            return self.observe(panel)

    monkeypatch.setattr(planning, "PromotionForecaster", Learns)
    model = planner(
        horizon=21, country="PT", random_state=5, occasions={"feast": [("2026-02-01", "2026-02-03")]}, quantiles=(0.1, 0.5, 0.9)
    )
    model.fit(past(sales(days, A=8, B=4)))
    assert given["horizon"] == told
    assert model.outlook_.horizon == model.horizon_ == 21
    wanted = {"country": "PT", "random_state": 5, "most_rows": 3_000, "trees": 15, "freq": "D", "available": "available"}
    wanted |= {"series": ["sku", "channel"], "static": ["category", "brand"], "quantiles": (0.1, 0.5, 0.9), "shorter_plans": True}
    assert {name: given[name] for name in wanted} == wanted
    assert given["occasions"] == {"feast": [("2026-02-01", "2026-02-03")]}


def test_the_baseline_is_near_what_is_sold() -> None:
    daily = twin_past().frames.daily
    usual = daily.loc[daily["sold_on"] > daily["sold_on"].max() - pd.Timedelta(days=28), "units"].sum() / 28
    told = fitted().outlook_.baseline["baseline_units"].sum() / 14
    assert 0.6 * usual < told < 1.5 * usual


@pytest.mark.filterwarnings("ignore::sales_tech.forecasting.checks.PlanBeyondHistory")
def test_every_promotion_of_a_retailer_can_be_told_as_one_to_come() -> None:
    look = fitted().outlook_
    plans = twin_past().frames.promotions
    assert plans is not None
    sold = plans[plans["sku"].isin(look.members["sku"]) & (plans["region"].isna() | plans["region"].isin(look.regions["region"]))]
    begins = look.origin + pd.Timedelta(days=1)
    ahead = sold.assign(starts_on=begins, ends_on=begins + pd.Timedelta(days=4))
    told = look.forecast(ahead)
    assert set(told["promotion_id"]) == set(ahead["promotion_id"])
    assert np.isfinite(told.select_dtypes("number")).all(axis=None)
    assert set(look.alternatives(ahead)["promotion_id"]) == set(ahead["promotion_id"])


def test_a_source_without_promotions_stores_costs_and_stock_is_told_its_demand() -> None:
    source = past(sales(120, A=20, B=3), products=listed("A", "B", cost=np.nan, price=np.nan))
    look = planner().fit(source).outlook_
    assert look.prices.set_index("sku")["list_price"].to_dict() == {"A": 10, "B": 10}
    assert look.prices["cost"].isna().all()
    assert look.regions.empty
    by_sku = look.baseline.groupby("sku")["baseline_units"].mean()
    assert by_sku["A"] == pytest.approx(20, rel=0.1)
    assert by_sku["B"] == pytest.approx(3, rel=0.2)


@pytest.mark.parametrize(("gifts", "sold"), [(5, 0), (0.01, 0.01)], ids=["alone", "first of a pool"])
def test_what_no_catalogue_knows_and_was_only_given_away_is_forecast_and_planned_without_a_price(gifts: float, sold: float) -> None:
    daily = sales(120, A=20, G=gifts, Z=sold)
    daily.loc[daily["sku"] == "G", ["gross_sales", "net_sales"]] = 0.0
    look = planner().fit(past(daily, products=listed("A"))).outlook_
    look = replace(look, response=response(category="unknown"))
    first = look.origin + pd.Timedelta(days=1)
    gift = plan("G").assign(starts_on=first, ends_on=first)
    told = look.forecast(gift)
    assert told[["category", "mechanic"]].to_numpy().tolist() == [["unknown", "leaflet"]]
    assert told["units"].iloc[0] == pytest.approx(2 * gifts, rel=0.5)
    assert told[["list_price", "revenue"]].isna().all(axis=None)
    demand = expected_demand(look, gift)
    assert set(demand["category"]) == {"Notebooks", "unknown"}
    assert demand["promotions"].sum() == 1


def test_a_history_that_is_too_short_is_refused() -> None:
    with pytest.raises(TooLittleHistory):
        planner().fit(past(sales(30, A=2)))


@pytest.mark.parametrize("quantiles", [(0.5, 0.1), (0.1, 0.9, 0.5), (0.5, 0.5, 0.9)])
def test_quantiles_that_are_not_three_in_order_are_refused(quantiles: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="expected three that rise"):
        planner(quantiles=quantiles).fit(twin_past())


@pytest.mark.parametrize("horizon", [0, -3, 10.5])
def test_a_horizon_that_is_no_number_of_days_is_refused_as_it_was_asked(horizon: float) -> None:
    with pytest.raises(ValueError, match=f"horizon is {horizon}; expected a whole number of days, 1 or more"):
        planner(horizon=horizon).fit(past(sales(120, A=8)))


def test_a_planner_can_be_cloned() -> None:
    assert clone(planner(horizon=21)).horizon == 21


def test_prices_are_those_of_the_catalogue_on_the_day_else_the_last_that_was_charged() -> None:
    day = FIRST + pd.Timedelta(days=99)
    products = pd.concat([listed("A", price=12.0), listed("B", price=np.nan)], ignore_index=True)
    later = listed("A", price=15.0).assign(valid_from=day + pd.Timedelta(days=5))
    products.loc[0, "valid_to"] = day + pd.Timedelta(days=5)
    told = price_list(SourceFrames(sales(A=1, B=1), pd.concat([products, later])), day, day + pd.Timedelta(days=14))
    assert told[["sku", "list_price"]].to_numpy().tolist() == [["A", 12.0], ["A", 15.0], ["B", 10.0]]
    assert told.groupby("sku")["valid_from"].first().unique().tolist() == [day + pd.Timedelta(days=1)]


def test_losses_are_ratios_of_sums_and_a_category_is_drawn_to_all() -> None:
    results = pd.DataFrame(
        {
            "promotion_id": ["P", "Q"],
            "incremental_units": [900.0, 100.0],
            "cannibalised_units": [90.0, 30.0],
            "pulled_forward_units": [90.0, 10.0],
            "halo_units": 0.0,
            "halo_margin": 0.0,
        }
    )
    daily = pd.DataFrame({"promotion_id": ["P", "Q"], "sku": ["A", "B"]})
    told = loss_rates(results, daily, pd.Series({"A": "Mice", "B": "Cables", "C": "Chairs"})).set_index("category")
    # All together lose 120 of 1000; a tenth of all units is the weight of that.
    assert told.loc["Mice", "cannibalised"] == pytest.approx((90 + 100 * 0.12) / (900 + 100))
    assert told.loc["Cables", "cannibalised"] == pytest.approx((30 + 100 * 0.12) / (100 + 100))
    assert told.loc["Chairs", "cannibalised"] == pytest.approx(0.12)
    assert told["pulled_forward"].tolist() == pytest.approx([0.1, 0.1, 0.1])
    results = results.assign(halo_units=[45.0, np.nan], halo_margin=[450.0, 50.0], cannibalised_units=[3000.0, -300.0])
    results.loc[1, "incremental_units"] = -50.0
    told = loss_rates(results, daily, pd.Series({"A": "Mice", "B": "Cables", "C": "Chairs"})).set_index("category")
    # Where a category's promotions took more than they gave, the tenth of all 850 units stands alone beside its losses.
    assert told["halo"].to_dict() == pytest.approx({"Mice": (45 + 4.5) / (900 + 85), "Cables": 4.5 / 85, "Chairs": 45 / 850})
    assert told["halo_margin"].to_dict() == pytest.approx({"Mice": (450 + 50) / 985, "Cables": (50 + 50) / 85, "Chairs": 500 / 850})
    # Nobody loses less than nothing, and not all that is added comes from elsewhere.
    assert told["cannibalised"].to_dict() == {"Mice": 0.9, "Cables": 0.0, "Chairs": 0.9}
    for ran, seen in ((results.head(0), daily), (results, daily.head(0)), (results.assign(incremental_units=[50.0, -50.0]), daily)):
        told = loss_rates(ran, seen, pd.Series({"A": "Mice", "B": "Cables"}))
        assert told["category"].tolist() == ["Cables", "Mice"]
        assert (told.drop(columns="category") == 0).all(axis=None)
