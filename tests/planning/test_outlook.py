"""What an outlook tells of a plan, against figures worked out by hand."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.planning.outlooks import ORIGIN, outlook, plan, response

from sales_tech.planning import Outlook, PlanBeyondHistory
from sales_tech.planning.expected import expected_demand
from sales_tech.planning.planned import planned_ahead
from sales_tech.planning.plans import PlanRefused


def total(frame: pd.DataFrame, column: str) -> float:
    return float(frame[column].sum())


def test_a_plan_sells_the_baseline_times_the_effect() -> None:
    told = outlook().forecast(plan("A"))
    assert len(told) == 5 * 2
    assert total(told, "baseline_units") == pytest.approx(5 * 16)
    assert total(told, "uplift_units") == pytest.approx(5 * 16)
    assert told["units"].tolist() == (told["baseline_units"] + told["uplift_units"]).tolist()


def test_money_is_units_at_the_reduced_price_less_their_cost() -> None:
    told = outlook().forecast(plan("B", discount_share=0.1))
    assert set(told["price"]) == {9.0}
    assert total(told, "revenue") == pytest.approx(5 * 6 * 9)
    assert total(told, "margin") == pytest.approx(5 * 6 * (9 - 5))
    assert total(told, "baseline_margin") == pytest.approx(5 * 4 * (10 - 5))


def test_what_is_lost_elsewhere_is_told_by_the_rates_of_the_category() -> None:
    rates = outlook().rates.assign(halo=0.3, halo_margin=0.5)
    told = outlook(rates=rates).forecast(plan("B", discount_share=0.1))
    added = 5 * 4 * 0.5
    assert total(told, "cannibalised_units") == pytest.approx(0.2 * added)
    assert total(told, "pulled_forward_units") == pytest.approx(0.1 * added)
    assert total(told, "halo_units") == pytest.approx(0.3 * added)
    assert total(told, "net_units") == pytest.approx((1 - 0.2 - 0.1 + 0.3) * added)
    # A mouse leaves 12 (A, 16 of 20 units) or 5 (B); what is pulled forward would have left 5.
    usual = (16 * 12 + 4 * 5) / 20
    lost = 0.2 * added * usual + 0.1 * added * 5 - 0.5 * added
    assert total(told, "net_margin_before_investment") == pytest.approx(5 * 6 * (9 - 5) - 5 * 4 * 5 - lost)


def test_where_no_rate_is_known_nothing_is_lost_elsewhere() -> None:
    known = outlook().rates
    unknown = known.assign(**{name: known[name].where(known["category"] != "Mice") for name in ("cannibalised", "pulled_forward", "halo")})
    for rates in (known[known["category"] != "Mice"], unknown):
        told = outlook(rates=rates)
        rows = told.forecast(plan("B"))
        assert (rows[["cannibalised_units", "pulled_forward_units", "halo_units", "halo_margin"]] == 0).all(axis=None)
        assert rows["net_units"].tolist() == rows["uplift_units"].tolist()
        assert told.alternatives(plan("B"))["cannibalised_units"].sum() == 0
        assert (expected_demand(told, plan("B"))[["cannibalised_units", "pulled_forward_units"]] == 0).all(axis=None)


def test_a_plan_in_several_channels_is_told_in_those_of_them_that_sell_it_and_paid_for_once() -> None:
    known, both = outlook(), [["loja", "online"]]
    everywhere, named = plan("A", investment=7.0), plan("A", investment=7.0).assign(channel=both)
    pd.testing.assert_frame_equal(known.forecast(named), known.forecast(everywhere))
    pd.testing.assert_frame_equal(known.alternatives(named), known.alternatives(everywhere))
    assert set(known.forecast(plan("K").assign(channel=both))["channel"]) == {"loja"}
    for one in (["online"], ("online",), "online"):
        assert set(known.forecast(plan("A").assign(channel=[one]))["channel"]) == {"online"}
    assert set(known.forecast(plan("A").assign(channel=[[]]))["channel"]) == {"loja", "online"}


def test_channels_that_are_not_known_or_none_of_which_sells_an_sku_are_refused() -> None:
    with pytest.raises(PlanRefused, match="SKU A: channel is loja, mars; expected loja, online, or none for all"):
        outlook().forecast(plan("A").assign(channel=[("loja", "mars")]))
    members = outlook().members
    three = outlook(members=pd.concat([members, members[members["sku"] == "K"].assign(channel="mail")]))
    with pytest.raises(PlanRefused, match="SKU B: it was never sold in channel online, mail; expected a channel that sells it"):
        three.forecast(plan("B").assign(channel=[("online", "mail")]))


def test_the_days_of_a_promotion_add_up_to_what_is_compared_of_it() -> None:
    asked = plan("A", "B", investment=7.0)
    told, compared = outlook().forecast(asked), outlook().alternatives(asked)
    planned = compared[compared["planned"]].iloc[0]
    assert total(told, "net_margin_before_investment") - 14 == pytest.approx(planned["net_margin"])
    for name in ("cannibalised_units", "cannibalised_margin", "halo_margin", "pulled_forward_units", "pulled_forward_margin"):
        assert total(told, name) == pytest.approx(planned[name])


def test_one_channel_and_one_region_are_their_part_of_the_baseline() -> None:
    told = outlook().forecast(plan("A", channel="loja", region="Sul"))
    assert told["channel"].unique().tolist() == ["loja"]
    assert total(told, "baseline_units") == pytest.approx(5 * 10 * 0.25)
    assert total(told, "units") == pytest.approx(2 * 5 * 10 * 0.25)


def test_a_sku_without_a_series_of_its_own_has_its_share_of_the_others() -> None:
    assert total(outlook().forecast(plan("K")), "baseline_units") == pytest.approx(5 * 5 * 0.2)


def test_of_a_running_promotion_the_days_to_come_are_told() -> None:
    told = outlook().forecast(plan("B", starts_on=ORIGIN - pd.Timedelta(days=3), ends_on=ORIGIN + pd.Timedelta(days=2)))
    assert told["sold_on"].tolist() == [ORIGIN + pd.Timedelta(days=1), ORIGIN + pd.Timedelta(days=2)]


def test_units_are_never_negative_and_their_range_is_in_order() -> None:
    told = outlook(response=response(uplift=-0.9, uplift_low=-1.0, uplift_high=0.5)).forecast(plan("A", "B"))
    assert (told["units_low"] >= 0).all()
    assert (told["units_low"] <= told["units_median"]).all()
    assert (told["units_median"] <= told["units_high"]).all()


def test_chance_does_more_to_the_part_of_a_region_than_to_the_whole() -> None:
    told = outlook().forecast(plan("B", region="Norte", days=1)).iloc[0]
    # Of 4 units, at worst 2 and at best 7, three quarters are sold there, and the root of that is left of how far they stray.
    assert told["baseline_low"] == pytest.approx(3 - 2 * 0.75**0.5)
    assert told["baseline_high"] == pytest.approx(3 + 3 * 0.75**0.5)


def test_the_range_holds_both_errors() -> None:
    told = outlook().forecast(plan("B")).iloc[0]
    assert told["units_high"] - told["units_median"] == pytest.approx(np.hypot(3 * 2, 4 * 1))


def test_without_a_cost_there_is_no_margin_but_revenue() -> None:
    known = outlook()
    told = outlook(prices=known.prices.assign(cost=np.nan))
    assert told.forecast(plan("A"))[["margin", "cannibalised_margin"]].isna().all(axis=None)
    compared = told.alternatives(plan("A"))
    assert compared["net_margin"].isna().all()
    assert compared.sort_values("rank")["incremental_revenue"].is_monotonic_decreasing


def test_a_category_of_which_all_skus_sell_little_has_a_margin_too_and_each_sku_counts_by_what_it_sells() -> None:
    known = outlook()
    rest = pd.DataFrame([("L", "loja", "others of Keyboards", 0.8)], columns=known.members.columns)
    price = known.prices[known.prices["sku"] == "K"].assign(sku="L", list_price=40.0, cost=15.0)
    told = outlook(
        members=pd.concat([known.members, rest]),
        prices=pd.concat([known.prices, price]),
        rates=known.rates.assign(cannibalised=0.3, pulled_forward=0.0),
    )
    # A fifth of the keyboards leave 30, the others 25. At 20 % off two are sold a day, not one, and three tenths of one less of others.
    lost = 0.3 * (0.2 * 30 + 0.8 * 25)
    compared = told.alternatives(plan("K"), [0.2]).iloc[0]
    assert compared["cannibalised_margin"] == pytest.approx(5 * lost)
    assert compared["net_margin"] == pytest.approx(5 * (2 * (40 - 20) - 1 * (50 - 20) - lost))
    assert total(told.forecast(plan("K")), "net_margin_before_investment") == pytest.approx(compared["net_margin"])


def test_the_price_is_the_one_that_will_hold_on_the_day() -> None:
    known = outlook()
    later = known.prices[known.prices["sku"] == "B"].assign(valid_from=ORIGIN + pd.Timedelta(days=4), list_price=30.0)
    told = outlook(prices=pd.concat([known.prices, later])).forecast(plan("B"))
    assert told["list_price"].tolist() == [10, 10, 10, 30, 30]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"sku": "Z"}, "promotion P, SKU Z: it has no sale or is withdrawn; expected one that is sold, such as A"),
        ({"discount_share": 20.0}, "discount_share is 20.0; expected a share of the list price above 0 and below 1"),
        ({"channel": "fax"}, "channel is fax; expected loja, online"),
        ({"region": "Oeste"}, "region is Oeste; expected Norte, Sul"),
        ({"ends_on": ORIGIN, "starts_on": ORIGIN}, "it ends on 2026-03-31; expected a day after 2026-03-31"),
        ({"ends_on": pd.Timestamp("2026-05-01")}, "expected a day up to 2026-04-10, since 10 days ahead are told"),
        ({"starts_on": None}, "starts_on is missing"),
        ({"investment": -1.0}, "investment is -1.0; expected money of 0 or more"),
        ({"investment": np.inf}, "investment is inf; expected money of 0 or more"),
        ({"mechanic": "raffle"}, "mechanic is raffle, which was never tried; expected leaflet"),
        ({"display": True}, "leaflet was never tried with display in category Mice; expected no display"),
    ],
)
def test_what_cannot_be_told_is_refused_by_its_name(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        outlook().forecast(plan("A").assign(**wrong))


def test_a_refusal_names_row_and_field() -> None:
    with pytest.raises(PlanRefused) as refused:
        outlook().forecast(plan("A", "B", "K").assign(ends_on=[pd.Timestamp(f"2026-04-{day}") for day in ("05", "11", "12")]))
    told = refused.value
    assert (told.row, told.field, told.found) == (1, "ends_on", "2026-04-11")
    assert told.expected == "a day up to 2026-04-10, since 10 days ahead are told"


def test_a_channel_that_never_sold_the_sku_is_refused() -> None:
    with pytest.raises(ValueError, match="SKU B: it was never sold in channel online"):
        outlook().forecast(plan("B", channel="online"))


def test_a_sku_that_is_listed_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="it is listed twice"):
        outlook().forecast(plan("A", "A"))


def test_columns_that_are_left_out_mean_the_usual() -> None:
    short = plan("A")[["promotion_id", "sku", "discount_share", "starts_on", "ends_on"]]
    pd.testing.assert_frame_equal(outlook().forecast(short), outlook().forecast(plan("A")))


def test_what_a_nullable_table_does_not_tell_means_the_usual() -> None:
    asked = plan("A").assign(channel=pd.array([pd.NA], "string"), region=pd.array([pd.NA], "string"), display=pd.array([pd.NA], "boolean"))
    pd.testing.assert_frame_equal(outlook().forecast(asked), outlook().forecast(plan("A")))


def test_a_deeper_discount_than_was_tried_is_warned_of() -> None:
    with pytest.warns(PlanBeyondHistory, match="deeper discount than was ever tried"):
        outlook().forecast(plan("B", discount_share=0.5))


def test_a_mechanic_of_other_categories_is_told_by_them_with_a_warning() -> None:
    strong = response(category="Keyboards", mechanic="coupon", uplift=3.0)
    told = outlook(response=pd.concat([response(), response(category="Keyboards"), strong]))
    with pytest.warns(PlanBeyondHistory, match="coupon was never tried in category Mice"):
        units = total(told.forecast(plan("B", mechanic="coupon")), "units")
    # In the other category it did twice what a leaflet does at this depth: 4 instead of 2 times the baseline.
    assert units == pytest.approx(5 * 4 * 2 * 2)


def test_a_category_that_tried_nothing_is_told_by_the_others_in_the_usual_mechanic() -> None:
    with pytest.warns(PlanBeyondHistory, match="leaflet was never tried in category Mice"):
        told = outlook(response=response(category="Keyboards")).forecast(plan("B", mechanic=None))
    assert set(told["mechanic"]) == {"leaflet"}
    assert total(told, "units") == pytest.approx(5 * 4 * 2)
    with pytest.warns(PlanBeyondHistory):
        compared = outlook(response=response(category="Keyboards")).alternatives(plan("B"))
    assert len(compared) == 5


def test_a_source_without_any_promotion_says_so() -> None:
    with pytest.raises(ValueError, match="no promotion of this source could be judged yet"):
        outlook(response=response().head(0)).forecast(plan("A"))


def test_promotions_at_once_are_told_alone_unless_asked_together() -> None:
    both = pd.concat([plan("B", promotion="P"), plan("B", promotion="Q")])
    alone, together = (outlook().forecast(both, together=flag) for flag in (False, True))
    assert total(alone, "uplift_units") == pytest.approx(2 * 5 * 4)
    # The log lift of one and a third of the other's.
    assert total(together, "uplift_units") == pytest.approx(5 * 4 * (2 ** (4 / 3) - 1))
    assert together.groupby("promotion_id")["uplift_units"].sum().nunique() == 1


def test_the_demand_of_all_series_holds_the_planned_uplift() -> None:
    told = expected_demand(outlook(), pd.concat([plan("B", promotion="P"), plan("K", promotion="Q")]))
    assert len(told) == 4 * 10
    assert total(told, "baseline_units") == pytest.approx(10 * 25)
    assert total(told[told["sku"] == "B"], "uplift_units") == pytest.approx(5 * 4)
    assert total(told[told["sku"] == "others of Keyboards"], "uplift_units") == pytest.approx(5 * 1)
    assert told.groupby("sku")["promotions"].max().to_dict() == {"A": 0, "B": 1, "others of Keyboards": 1}


def test_without_plans_demand_is_the_baseline() -> None:
    told = expected_demand(outlook(), plan("A").head(0))
    assert told["units"].tolist() == told["baseline_units"].tolist()


def test_an_outlook_comes_back_from_its_frames() -> None:
    known = outlook()
    again = Outlook.from_frames(known.to_frames(), known.about)
    pd.testing.assert_frame_equal(again.alternatives(plan("A", "B")), known.alternatives(plan("A", "B")))
    with pytest.raises(ValueError, match="the stored outlook lacks rates"):
        Outlook.from_frames({name: frame for name, frame in known.to_frames().items() if name != "rates"}, known.about)


def test_promotions_that_cannot_be_told_are_named_with_the_reason() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = outlook().refused(pd.concat([plan("A", promotion="good"), plan("A", promotion="bad", region="Oeste")]))
    assert list(told) == ["bad"]
    assert "region is Oeste" in told["bad"]


def test_a_mechanic_that_was_never_tried_is_refused_as_soon_for_many_promotions_as_for_few() -> None:
    known, few = outlook(), plan("A", mechanic="raffle")
    many = few.loc[np.repeat(0, 20_000)].assign(promotion_id=[f"P{number}" for number in range(20_000)])
    begun = time.process_time()
    with pytest.raises(ValueError, match="promotion P0, SKU A: mechanic is raffle, which was never tried"):
        known.forecast(many)
    assert time.process_time() - begun < 5


def test_what_is_left_out_of_the_plans_of_a_source_is_named() -> None:
    plans = pd.concat([plan("A", "Z", "Y", promotion="P"), plan("A", promotion="Q", mechanic="raffle"), plan("Z", promotion="R")])
    kept, notes = planned_ahead(outlook(), plans, outlook().last)
    assert list(zip(kept["promotion_id"], kept["sku"], strict=True)) == [("P", "A")]
    assert notes == [
        "left out of promotion P: SKUs Y, Z, which have no sale to go by where it runs or are withdrawn",
        "left out of promotion R: SKUs Z, which have no sale to go by where it runs or are withdrawn",
        "left out: promotion Q, SKU A: mechanic is raffle, which was never tried; expected leaflet",
    ]


def test_of_many_skus_without_a_sale_some_are_named() -> None:
    _, notes = planned_ahead(outlook(), plan("A", *(f"Z{number}" for number in range(7))), outlook().last)
    assert notes == [
        "left out of promotion P: SKUs Z0, Z1, Z2, Z3, Z4 and 2 more, which have no sale to go by where it runs or are withdrawn"
    ]


def test_a_sku_that_is_not_sold_in_the_channel_of_a_promotion_leaves_the_others_of_it() -> None:
    online = plan("A", "B", "K", promotion="P", channel="online")
    unknown = plan("A", "B", promotion="Q", channel="catalogue")
    kept, notes = planned_ahead(outlook(), pd.concat([online, unknown, plan("A", "B", promotion="R", channel="loja")]), outlook().last)
    assert list(zip(kept["promotion_id"], kept["sku"], strict=True)) == [("P", "A"), ("R", "A"), ("R", "B")]
    assert notes == [
        "left out of promotion P: SKUs B, K, which have no sale to go by where it runs or are withdrawn",
        "left out: promotion Q, SKU A: channel is catalogue; expected loja, online, or none for all",
    ]
    told = outlook().forecast(kept)
    assert set(told.loc[told["promotion_id"] == "P", "channel"]) == {"online"}


def test_planned_skus_of_which_no_discount_is_told_are_named() -> None:
    depths = {"A": 0.2, "B": np.nan, "C": 1.0, "K": 0.0}
    plans = pd.concat([plan(sku, promotion="P", discount_share=depth) for sku, depth in depths.items()])
    over = plan("A", promotion="OVER", discount_share=np.nan, starts_on=ORIGIN, ends_on=ORIGIN)
    kept, notes = planned_ahead(outlook(), pd.concat([plans, over]), outlook().last)
    assert list(zip(kept["promotion_id"], kept["sku"], strict=True)) == [("P", "A")]
    assert notes == ["left out of promotion P: SKUs B, C, K, of which no discount between 0 and 100 % is told"]
    many = pd.concat([plan("A", promotion=f"P{number}", discount_share=np.nan) for number in range(7)])
    kept, notes = planned_ahead(outlook(), many, outlook().last)
    assert kept.empty
    assert notes[4:] == [
        "left out of promotion P4: SKUs A, of which no discount between 0 and 100 % is told",
        "left out besides: SKUs of 2 promotions, of which no discount between 0 and 100 % is told",
    ]


def test_a_reason_that_holds_for_all_promotions_is_given_once() -> None:
    plans = pd.concat([plan("A", promotion=f"P{number}") for number in range(8)])
    kept, notes = planned_ahead(outlook(response=response().head(0)), plans, outlook().last)
    assert kept.empty
    assert [note.split(",")[0] for note in notes] == ["left out: no promotion of this source could be judged yet"]
    _, notes = planned_ahead(outlook(), plans.assign(mechanic="raffle"), outlook().last)
    assert [note.split(", SKU")[0] for note in notes] == [f"left out: promotion P{number}" for number in range(5)] + [
        "left out besides: 3 promotions"
    ]
