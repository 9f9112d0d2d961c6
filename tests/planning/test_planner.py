"""Learning, looking ahead anew, and what the numbers rest on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from tests.planning.pasts import FIRST, fitted, past, planner, sales, twin_past
from tests.promotions.sources import listed

from sales_tech.contracts.calendar import RetailCalendar
from sales_tech.planning import PromotionPlanner, TooLittleHistory
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


def test_a_history_that_is_too_short_is_refused() -> None:
    with pytest.raises(TooLittleHistory):
        planner().fit(past(sales(30, A=2)))


def test_quantiles_that_are_not_three_in_order_are_refused() -> None:
    with pytest.raises(ValueError, match="expected three that rise"):
        planner(quantiles=(0.5, 0.1)).fit(twin_past())


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
    for nothing in (results.head(0), results.assign(incremental_units=[50.0, -50.0])):
        told = loss_rates(nothing, daily, pd.Series({"A": "Mice", "B": "Cables"}))
        assert told["category"].tolist() == ["Cables", "Mice"]
        assert (told.drop(columns="category") == 0).all(axis=None)
