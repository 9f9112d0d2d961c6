"""From sales to the demand that is learnt from: series, days, promotions told apart, empty shelves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from holidays import country_holidays
from tests.planning.pasts import FIRST, effect, past, sales
from tests.promotions.sources import listed

from sales_tech.planning import SourcePast, TooLittleHistory
from sales_tech.planning.demand import demand_of


def day(number: int) -> pd.Timestamp:
    return FIRST + pd.Timedelta(days=number)


def uplift(told: pd.DataFrame, number: int, sku: str = "A", channel: str = "loja") -> float:
    row = told[(told["sku"] == sku) & (told["date"] == day(number)) & (told["channel"] == channel)]
    return float(np.expm1(row["log_uplift"].iloc[0]))


def test_days_without_a_sale_are_days_of_no_units() -> None:
    daily = sales(A=2, B=1)
    told = demand_of(past(daily[~((daily["sku"] == "A") & (daily["sold_on"] == day(50)))]), 14).panel
    mine = told[told["sku"] == "A"].set_index("date")["units"]
    assert len(mine) == 100
    assert mine[day(50)] == 0
    assert mine.sum() == 2 * 99


def test_skus_that_sell_little_share_the_series_of_their_category() -> None:
    daily = sales(A=2, B=1)
    rare = daily[(daily["sku"] == "B") & (daily["sold_on"].dt.day == 10)]
    told = demand_of(past(pd.concat([daily[daily["sku"] == "A"], rare, rare.assign(sku="C", units=3)])), 14)
    assert told.table.series["name"].tolist() == ["A", "others of Notebooks"]
    shares = told.table.members.set_index("sku")["share"]
    assert shares["A"] == 1
    # Of the four units of a month one is of B; nobody is counted out for good.
    assert shares["B"] == pytest.approx(0.25, abs=0.01)
    assert told.panel.loc[told.panel["sku"] == "others of Notebooks", "units"].sum() == 4 * len(rare)


def test_a_promotion_is_told_apart_where_it_was_valid() -> None:
    daily = pd.concat([sales(A=4), sales(A=4).assign(channel="online", store_id="L2")])
    results = past(daily).results.assign(channel="loja")
    told = demand_of(past(daily, pd.DataFrame([effect(30, 0.5)]), results), 14).panel
    assert uplift(told, 30) == pytest.approx(0.5)
    assert uplift(told, 31) == 0
    assert uplift(told, 30, channel="online") == 0


def test_a_promotion_of_a_region_moves_the_share_of_its_stores() -> None:
    daily = pd.concat([sales(A=9), sales(A=1).assign(store_id="L2")])
    stores = pd.DataFrame({"store_id": ["L1", "L2"], "state": ["SP", "BA"], "region": ["Sudeste", "Nordeste"], "channel": "loja"})
    source = past(daily, pd.DataFrame([effect(30, 1.0)]), past(daily).results.assign(region="Sudeste"), stores=stores)
    assert uplift(demand_of(source, 14).panel, 30) == pytest.approx(0.9)


def test_promotions_at_once_count_with_their_part_and_a_dip_within_one_not_at_all() -> None:
    rows = [effect(30, 0.9, share=2 / 3), effect(30, 0.9, share=1 / 3, promotion_id="Q"), effect(30, -0.5, "after", promotion_id="R")]
    rows += [effect(40, -0.2, "after"), effect(40, -0.3, "after", promotion_id="Q")]
    results = pd.concat([past(sales(A=4)).results.assign(promotion_id=name) for name in "PQR"])
    told = demand_of(past(sales(A=4), pd.DataFrame(rows), results), 14).panel
    assert uplift(told, 30) == pytest.approx(0.9)
    assert uplift(told, 40) == pytest.approx(-0.3)


def test_of_a_promotion_that_began_before_the_first_day_or_goes_on_after_the_last_the_days_between_are_told() -> None:
    rows = [effect(number, 0.5) for number in (-1, 0, 99, 100)]
    told = demand_of(past(sales(A=4), pd.DataFrame(rows)), 14).panel
    assert told.loc[told["log_uplift"] > 0, "date"].tolist() == [day(0), day(99)]


def test_what_makes_no_sense_is_bounded() -> None:
    rows = [effect(30, 1.0, baseline_units=0.0), effect(31, 1e6), effect(32, -5.0)]
    told = demand_of(past(sales(A=4), pd.DataFrame(rows)), 14).panel
    assert uplift(told, 30) == 0
    assert 5 < uplift(told, 31) < 50
    assert -1 < uplift(told, 32) < 0


def test_days_when_most_stores_were_out_of_stock_are_no_demand() -> None:
    daily = pd.concat([sales(A=3), sales(A=1).assign(store_id="L2")])
    out = pd.DataFrame([("L1", "A", day(20), day(22)), ("L2", "A", day(40), day(41))], columns=["store_id", "sku", "starts_on", "ends_on"])
    told = demand_of(past(daily, stockouts=out), 14).panel.set_index("date")["available"]
    assert told[told == 0].index.tolist() == [day(20), day(21), day(22)]


def test_sales_of_which_almost_every_day_was_without_stock_are_too_little_to_tell_what_is_to_come() -> None:
    def source(out: int) -> SourcePast:
        stockouts = pd.DataFrame({"store_id": ["L1"], "sku": ["A"], "starts_on": [day(0)], "ends_on": [day(out - 1)]})
        return past(sales(100, A=3), stockouts=stockouts)

    assert demand_of(source(72), 14).panel["available"].sum() == 28
    with pytest.raises(TooLittleHistory, match=r"only on 27 of 100 days was anything in stock .* at least 28 are needed"):
        demand_of(source(73), 14)
    with pytest.raises(TooLittleHistory, match="only on 0 of 100 days"):
        demand_of(source(400), 14)


def test_a_sku_that_was_withdrawn_teaches_but_is_not_forecast() -> None:
    products = listed("A", "B")
    products.loc[products["sku"] == "B", "valid_to"] = day(60)
    daily = sales(A=2, B=2)
    told = demand_of(past(daily[(daily["sku"] == "A") | (daily["sold_on"] < day(60))], products=products), 14)
    assert told.panel.loc[told.panel["sku"] == "B", "date"].max() == day(59)
    assert told.ahead(14)["sku"].unique().tolist() == ["A"]


@pytest.mark.parametrize("units", [2, 0.01])
def test_a_source_all_of_whose_skus_were_withdrawn_is_told_that_nothing_is_to_come(units: float) -> None:
    daily, gone = sales(A=units), listed("A").assign(valid_to=day(99))
    with pytest.raises(TooLittleHistory, match="every SKU that was sold up to 2026-04-10 is withdrawn in the catalogue"):
        demand_of(past(daily, products=gone), 14)
    assert demand_of(past(daily, products=gone.assign(valid_to=day(100))), 14).ahead(14)["date"].min() == day(100)


def test_a_sku_begins_with_its_first_day_on_sale() -> None:
    products = listed("A", "B")
    products.loc[products["sku"] == "B", "valid_from"] = day(70)
    daily = sales(A=2, B=2)
    told = demand_of(past(daily[(daily["sku"] == "A") | (daily["sold_on"] >= day(73))], products=products), 14).panel
    assert told.loc[told["sku"] == "B", "date"].min() == day(70)
    assert told.loc[told["sku"] == "A", "date"].min() == day(0)


def test_last_days_that_are_not_whole_are_left_out_with_a_note() -> None:
    daily = sales(A=20)
    late = daily.tail(3).assign(units=1)
    told = demand_of(past(pd.concat([daily.iloc[:-3], late])), 14)
    assert told.origin == day(96)
    assert "sales after 2026-04-07 are too few to be whole (3 units up to 2026-04-10)" in told.notes[0]
    assert told.panel["date"].max() == day(96)


def test_a_whole_day_after_a_week_of_nothing_makes_no_whole_week() -> None:
    daily = sales(A=20)
    told = demand_of(past(daily[~daily["sold_on"].between(day(90), day(98))]), 14)
    assert told.origin == day(89)
    assert "(20 units up to 2026-04-10)" in told.notes[0]


def test_a_closed_day_is_no_end() -> None:
    daily = sales(A=20)
    daily = daily[daily["sold_on"].dt.day_of_week != 6]
    told = demand_of(past(daily), 14)
    assert told.origin == daily["sold_on"].max()
    assert not told.notes


def test_a_short_history_is_told_less_far_and_a_shorter_one_not_at_all() -> None:
    told = demand_of(past(sales(100, A=2)), 91)
    assert told.horizon == 28
    assert told.notes == ("100 days of sales are known, so forecasts reach 28 days ahead instead of 91",)
    with pytest.raises(TooLittleHistory, match="only 40 days of sales are known, at least 56 are needed"):
        demand_of(past(sales(40, A=2)), 91)


def test_what_comes_after_the_origin_changes_nothing_before_it() -> None:
    daily = sales(A=20, B=3)
    whole = demand_of(past(daily), 14).panel
    before = demand_of(past(daily[daily["sold_on"] <= day(80)]), 14).panel
    same = whole[whole["date"] <= day(80)].reset_index(drop=True)
    pd.testing.assert_frame_equal(same, before)


def test_a_day_of_which_the_source_has_no_sale_says_nothing_of_demand_unless_it_is_a_holiday() -> None:
    daily = sales(200, A=30, B=10)
    national = country_holidays("BR", years=FIRST.year)
    shut = next(number for number in range(60, 150) if day(number).date() in national)
    lost = next(number for number in range(60, 150) if day(number).date() not in national and day(number).day_of_week == 2)
    told = demand_of(past(daily[~daily["sold_on"].isin([day(shut), day(lost), day(lost + 1)])]), 14)
    unknown = told.panel.loc[told.panel["available"] == 0, "date"]
    assert set(unknown) == {day(lost), day(lost + 1)}
    (note,) = told.notes
    assert note.startswith(f"nothing at all was sold on {day(lost):%Y-%m-%d}, {day(lost + 1):%Y-%m-%d}:")


def test_a_source_that_sells_little_has_days_without_a_sale() -> None:
    daily = sales(200, A=2)
    told = demand_of(past(daily[daily["sold_on"] != day(100)]), 14)
    assert (told.panel["available"] == 1).all()
    assert not told.notes
