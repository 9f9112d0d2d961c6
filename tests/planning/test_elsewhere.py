"""What planned promotions take from neighbours and later weeks, against figures worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.planning.outlooks import DAYS, ORIGIN, USUAL, outlook, plan

from sales_tech.planning import Outlook
from sales_tech.planning.elsewhere import log_lost_to_neighbours
from sales_tech.planning.expected import expected_demand
from sales_tech.planning.shelves import LARGEST_LOSS

ADDED = 1.0  # of the baseline, at the depth of the plans below
CANNIBALISED, PULLED = 0.2, 0.1


def day(number: int) -> pd.Timestamp:
    return ORIGIN + pd.Timedelta(days=number)


def table(*plans: pd.DataFrame, **changed: Any) -> pd.DataFrame:
    return expected_demand(outlook(**changed), pd.concat(plans)).set_index(["sku", "channel", "sold_on"])


def lost(told: pd.DataFrame, column: str, sku: str, channel: str = "loja") -> list[float]:
    values: list[float] = told.loc[(sku, channel), column].tolist()
    return values


def test_neighbours_in_the_channel_lose_a_part_of_what_is_added() -> None:
    told = table(plan("A", channel="loja", days=3))
    assert lost(told, "cannibalised_units", "B") == pytest.approx([min(CANNIBALISED * 10 * ADDED, LARGEST_LOSS * 4)] * 3 + [0] * 7)
    assert lost(told, "cannibalised_units", "A") == [0.0] * DAYS
    assert lost(told, "cannibalised_units", "A", "online") == [0.0] * DAYS
    assert lost(told, "cannibalised_units", "others of Keyboards") == [0.0] * DAYS


def test_neighbours_share_the_loss_by_what_they_usually_sell() -> None:
    known = outlook()
    third = known.baseline[known.baseline["sku"] == "B"].assign(sku="C")
    third[[column for column in third if column.startswith("baseline")]] *= 3
    also = {"baseline": pd.concat([known.baseline, third])}
    also["members"] = pd.concat([known.members, pd.DataFrame([("C", "loja", "C", 1.0)], columns=known.members.columns)])
    also["prices"] = pd.concat([known.prices, known.prices[known.prices["sku"] == "B"].assign(sku="C")])
    also["regions"] = pd.concat([known.regions, known.regions[known.regions["series"] == "B"].assign(series="C")])
    told = table(plan("A", channel="loja", days=1), **also)
    assert lost(told, "cannibalised_units", "B")[0] == pytest.approx(CANNIBALISED * 10 * 4 / 16)
    assert lost(told, "cannibalised_units", "C")[0] == pytest.approx(CANNIBALISED * 10 * 12 / 16)


def test_what_is_promoted_itself_loses_nothing_to_another() -> None:
    told = table(plan("A", channel="loja", days=2), plan("B", promotion="Q", days=1))
    assert lost(told, "cannibalised_units", "B") == pytest.approx([0.0, CANNIBALISED * 10] + [0] * 8)


def test_a_promotion_of_a_region_takes_from_its_neighbours_there() -> None:
    known = outlook()
    elsewhere = known.regions.assign(share=np.where(known.regions["series"] == "B", [0.9, 0.1] * 4, known.regions["share"]))
    told = table(plan("A", channel="loja", region="Norte", days=1), regions=elsewhere)
    # Of mouse B's 4 units a tenth is sold in the north, and four fifths of that are the most that it can lose.
    assert lost(told, "cannibalised_units", "B")[0] == pytest.approx(LARGEST_LOSS * 4 * 0.1)
    told = table(plan("A", channel="loja", region="Norte", days=1))
    assert lost(told, "cannibalised_units", "B")[0] == pytest.approx(CANNIBALISED * 7.5)


def test_a_channel_or_a_series_of_which_no_region_is_known_meets_its_neighbours_all_the_same() -> None:
    known = outlook().regions
    without_any = known[known["channel"] != "loja"]
    without_one = known[~((known["channel"] == "loja") & (known["series"] == "B"))]
    for regions in (known, without_any, without_one):
        told = table(plan("A", channel="loja", days=2), regions=regions)
        assert lost(told, "cannibalised_units", "B") == pytest.approx([CANNIBALISED * 10] * 2 + [0] * 8)
        assert lost(told, "pulled_forward_units", "A")[2] > 0


def test_where_no_region_is_known_a_channel_is_one_place() -> None:
    told = table(plan("A", channel="loja", days=1), regions=outlook().regions.head(0))
    assert lost(told, "cannibalised_units", "B")[0] == pytest.approx(CANNIBALISED * 10)


def test_the_weeks_after_miss_what_was_bought_ahead_half_as_much_with_each_week() -> None:
    told = lost(table(plan("B", days=2)), "pulled_forward_units", "B")
    assert told[:2] == [0.0, 0.0]
    whole = sum(0.5 ** (number / 7) for number in range(28))
    assert told[2:] == pytest.approx([PULLED * 2 * 4 * ADDED * 0.5 ** (number / 7) / whole for number in range(8)])


def test_days_on_which_it_is_promoted_again_miss_nothing() -> None:
    told = lost(table(plan("B", days=2), plan("B", promotion="Q", starts_on=day(4), ends_on=day(5))), "pulled_forward_units", "B")
    assert [value > 0 for value in told] == [False, False, True, False, False, True, True, True, True, True]


@pytest.mark.parametrize(("sku", "series", "region"), [("K", "others of Keyboards", None), ("B", "B", "Norte"), ("B", "B", None)])
def test_a_sku_of_a_pool_or_in_a_region_misses_nothing_either_while_it_is_promoted_again(sku: str, series: str, region: str | None) -> None:
    rates = outlook().rates.assign(pulled_forward=0.5)
    again = plan(sku, promotion="Q", starts_on=day(3), ends_on=day(10), region=region)
    assert lost(table(plan(sku, days=2, region=region), again, rates=rates), "pulled_forward_units", series) == [0.0] * DAYS
    alone = lost(table(plan(sku, days=2, region=region), rates=rates), "pulled_forward_units", series)
    # What is promoted elsewhere lessens no dip here.
    other = plan("A", promotion="Q", starts_on=day(3), ends_on=day(10))
    assert lost(table(plan(sku, days=2, region=region), other, rates=rates), "pulled_forward_units", series) == pytest.approx(alone)
    assert alone[2] > 0


def test_a_promotion_that_goes_on_beyond_what_is_told_has_no_dip_yet() -> None:
    assert lost(table(plan("B", days=DAYS)), "pulled_forward_units", "B") == [0.0] * DAYS
    whole = sum(0.5 ** (number / 7) for number in range(28))
    told = lost(table(plan("B", days=DAYS - 1)), "pulled_forward_units", "B")
    assert told == pytest.approx([0.0] * (DAYS - 1) + [PULLED * (DAYS - 1) * 4 * ADDED / whole])


def test_a_sku_that_two_promotions_name_is_promoted_once() -> None:
    # The keyboard is a fifth of its pool, of which four fifths are free to lose, however many promotions it is in.
    rates = outlook().rates.assign(cannibalised=10.0)
    told = table(plan("K", days=1), plan("K", promotion="Q", days=1), rates=rates)
    assert lost(told, "cannibalised_units", "others of Keyboards")[0] == pytest.approx(LARGEST_LOSS * 5 * 0.8)


@pytest.mark.parametrize(("channel", "part"), [("loja", 0.2), ("online", 0.5)])
def test_a_sku_is_the_part_of_a_pool_that_it_is_in_the_channel_of_its_promotion(channel: str, part: float) -> None:
    known, pool = outlook(), "others of Keyboards"
    baseline = pd.concat([known.baseline, known.baseline[known.baseline["sku"] == pool].assign(channel="online")])
    regions = pd.concat([known.regions, known.regions[known.regions["series"] == pool].assign(channel="online")])
    members = pd.concat([known.members, pd.DataFrame([("K", "online", pool, 0.5)], columns=known.members.columns)])
    rates = known.rates.assign(cannibalised=10.0)
    told, asked = outlook(baseline=baseline, regions=regions, members=members, rates=rates), plan("K", channel=channel, days=1)
    # What is left of the pool in the channel is free to lose.
    most = LARGEST_LOSS * 5 * (1 - part)
    assert expected_demand(told, asked)["cannibalised_units"].sum() == pytest.approx(most)
    assert told.forecast(asked)["cannibalised_units"].sum() == pytest.approx(most)


def four_mice() -> Outlook:
    """Mouse A and three like B, which sell 4, 12 and 20 a day in the shop."""
    known = outlook()
    parts: dict[str, list[pd.DataFrame]] = {"baseline": [known.baseline], "members": [known.members], "prices": [known.prices]}
    parts["regions"] = [known.regions]
    for sku, times in (("C", 3), ("D", 5)):
        like = known.baseline[known.baseline["sku"] == "B"].assign(sku=sku)
        like[[column for column in like if column.startswith("baseline")]] *= times
        parts["baseline"].append(like)
        parts["members"].append(pd.DataFrame([(sku, "loja", sku, 1.0)], columns=known.members.columns))
        parts["prices"].append(known.prices[known.prices["sku"] == "B"].assign(sku=sku))
        parts["regions"].append(known.regions[known.regions["series"] == "B"].assign(series=sku))
    return outlook(**{name: pd.concat(frames) for name, frames in parts.items()}, rates=known.rates.assign(cannibalised=0.5))


# Half of the units that are added in the shop, or four fifths of what neighbours sell there where that is less; online A has none.
@pytest.mark.parametrize(("skus", "each_day"), [("B", 2.0), ("AD", 0.8 * 16), ("ACD", 0.8 * 4), ("ABCD", 0.0)])
@pytest.mark.parametrize(("region", "part"), [(None, 1.0), ("Norte", 0.75), ("Sul", 0.25)])
def test_a_promotion_is_charged_what_its_neighbours_lose(skus: str, each_day: float, region: str | None, part: float) -> None:
    known, asked = four_mice(), plan(*skus, region=region, days=3)
    forecast, compared = known.answered(asked)
    planned = compared[compared["planned"]].iloc[0]
    by_neighbours = expected_demand(known, asked)["cannibalised_units"].sum()
    assert by_neighbours == pytest.approx(3 * part * each_day)
    assert forecast["cannibalised_units"].sum() == pytest.approx(by_neighbours)
    assert planned["cannibalised_units"] == pytest.approx(by_neighbours)
    assert (planned["cannibalised_margin"] > 0) == (each_day > 0)


def test_promotions_that_are_asked_for_one_by_one_leave_each_other_to_take_from() -> None:
    known, asked = four_mice(), pd.concat([plan(*"AB", promotion="P"), plan(*"CD", promotion="Q")])
    alone, together = (known.forecast(asked, together=flag)["cannibalised_units"].sum() for flag in (False, True))
    assert alone == pytest.approx(sum(known.forecast(asked[asked["promotion_id"] == name])["cannibalised_units"].sum() for name in "PQ"))
    assert together == 0 < alone


@given(
    st.lists(st.tuples(st.sampled_from("ABK"), st.integers(1, 10), st.integers(0, 9), st.sampled_from([None, "Sul", "Norte"])), max_size=6),
    st.floats(0, 3),
    st.floats(0, 3),
)
def test_the_parts_add_up_and_no_more_is_lost_than_promotions_add(
    asked: list[tuple[str, int, int, str | None]], cannibalised: float, pulled: float
) -> None:
    plans = [
        plan(sku, promotion=f"P{number}", starts_on=day(first), ends_on=day(min(first + length, DAYS)), region=region)
        for number, (sku, first, length, region) in enumerate(asked)
    ]
    told = expected_demand(
        outlook(rates=outlook().rates.assign(cannibalised=cannibalised, pulled_forward=pulled)), pd.concat([plan("A").head(0), *plans])
    )
    parts = told["baseline_units"] + told["uplift_units"] - told["cannibalised_units"] - told["pulled_forward_units"]
    assert told["units"].tolist() == pytest.approx(parts.tolist())
    assert len(told) == len(USUAL) * DAYS
    assert (told[["units", "units_low", "cannibalised_units", "pulled_forward_units"]] >= -1e-9).all(axis=None)
    added = told["uplift_units"].sum()
    assert told["cannibalised_units"].sum() <= cannibalised * added + 1e-6
    assert told["pulled_forward_units"].sum() <= pulled * added + 1e-6


def test_in_the_past_neighbours_that_are_not_promoted_lost_a_part() -> None:
    series = pd.DataFrame({"category": ["Mice", "Mice", "Mice", "Keyboards"], "channel": ["loja", "loja", "online", "loja"]})
    uplift = np.zeros((4, 40))
    uplift[0, 20], uplift[2, 20] = 1.0, -0.3
    usual = np.array([[1.0], [0.4], [0.6], [0.5]])
    rates = pd.DataFrame({"category": ["Mice", "Keyboards"], "cannibalised": [0.2, 0.5]})
    told = log_lost_to_neighbours(series, usual * (1 + uplift), np.ones((4, 40), dtype=bool), uplift, rates)
    assert told[1, 20] == pytest.approx(np.log1p(-0.2 * 1 / 0.4))
    told[1, 20] = 0.0
    assert (told == 0).all()
