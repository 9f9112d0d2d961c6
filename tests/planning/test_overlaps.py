"""Promotions of one SKU at the same time: what they sell together, against figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.planning.outlooks import DAYS, ORIGIN, UPLIFT, outlook, plan, response

from sales_tech.planning.expected import expected_demand
from sales_tech.planning.overlaps import SHARE

SUMMED = ["baseline_units", "units", "revenue", "baseline_revenue", "margin", "baseline_margin"]


def together(*plans: pd.DataFrame) -> pd.DataFrame:
    return outlook().forecast(pd.concat(plans), together=True)


def lift(first: float, *others: float) -> float:
    """What units are multiplied by where promotions meet, the strongest first."""
    told = 1 + first
    for other in others:
        told *= (1 + other) ** SHARE
    return told


def test_the_rows_of_promotions_that_meet_add_up_to_what_is_sold_at_the_deepest_price() -> None:
    told = together(plan("B", promotion="P"), plan("B", promotion="Q", discount_share=0.1))
    units = 4 * lift(1.0, 0.5)
    assert set(told["price"]) == {8.0}
    for _, day in told.groupby("sold_on"):
        sums = day[SUMMED].sum().to_dict()
        expected = {"baseline_units": 4, "units": units, "revenue": units * 8, "baseline_revenue": 40}
        expected |= {"margin": units * (8 - 5), "baseline_margin": 4 * (10 - 5)}
        assert sums == pytest.approx(expected)
    # Alone they would have added 4 and 2 units a day.
    parts = told.groupby("promotion_id")[["baseline_units", "uplift_units", "revenue"]].sum()
    assert (parts.loc["P"] / parts.loc["Q"]).tolist() == pytest.approx([2, 2, 2])


def test_days_and_skus_on_which_promotions_do_not_meet_stay_as_they_are_alone() -> None:
    first, second = plan("B", promotion="P", days=3), plan("B", promotion="Q", days=3, starts_on=ORIGIN + pd.Timedelta(days=4))
    plans = [first, second.assign(ends_on=ORIGIN + pd.Timedelta(days=6)), plan("A", promotion="Q", discount_share=0.1)]
    own = ["baseline_units", "baseline_low", "baseline_high", "uplift_units", "units_low", "units_high", "price", "revenue", "margin"]
    pd.testing.assert_frame_equal(together(*plans)[own], outlook().forecast(pd.concat(plans))[own], check_exact=True)


def test_promotions_of_two_regions_do_not_meet() -> None:
    plans = [plan("A", promotion="P", region="Sul"), plan("A", promotion="Q", region="Norte", discount_share=0.3)]
    alone = outlook().forecast(pd.concat(plans))
    pd.testing.assert_frame_equal(together(*plans)[SUMMED], alone[SUMMED], check_exact=True)


def test_a_promotion_of_all_regions_meets_one_of_a_region_there_only() -> None:
    told = together(plan("A", promotion="P", channel="loja"), plan("A", promotion="Q", channel="loja", region="Norte", discount_share=0.3))
    # Of mouse A's 10 units 7.5 are sold in the north, where 30 % off holds for all.
    north, south = 7.5 * lift(1.5, 1.0), 2.5 * 2
    sums = told[told["sold_on"] == told["sold_on"].min()][SUMMED].sum()
    assert sums["baseline_units"] == pytest.approx(10)
    assert sums["units"] == pytest.approx(north + south)
    assert sums["revenue"] == pytest.approx(north * 14 + south * 16)
    price = told.groupby("promotion_id")["price"].first()
    assert price["Q"] == pytest.approx(14)
    assert 14 < price["P"] < 16


PLACES = {"Sul": 0.25, "Norte": 0.75}
ENDS = {"uplift": 0.0, "uplift_low": -0.4, "uplift_high": 0.7}
Meeting = list[tuple[str | None, float]]


def rows_by_hand(asked: Meeting, effect: dict[float, float]) -> list[dict[str, float]]:
    """Of mouse A in the shop, which sells 8 to 13 and usually 10 a day, the row of each promotion: place by place, then put together."""
    weights: list[list[tuple[float, dict[str, float], float]]] = [[] for _ in asked]
    for place, portion in PLACES.items():
        there = [number for number, (region, _) in enumerate(asked) if region in (None, place)]
        alone = [max(effect[asked[number][1]], 0.0) for number in there]
        added, together = sum(alone), lift(*sorted(alone, reverse=True)) - 1 if there else 0.0
        factor = min(together / added, 1.0) if added else 1.0
        moved = {name: factor * sum(effect[asked[number][1]] + end for number in there) for name, end in ENDS.items()}
        deepest = max((asked[number][1] for number in there), default=0.0)
        for number in there:
            share = max(effect[asked[number][1]], 0.0) / added if added else 1 / len(there)
            weights[number].append(((portion if asked[number][0] is None else 1.0) * share, moved, deepest))
    told = []
    for (region, _), mine in zip(asked, weights, strict=True):
        scope, part = PLACES.get(region, 1.0) if region else 1.0, sum(weight for weight, *_ in mine)
        if not part:
            told.append({"baseline_units": 0.0, "units": 0.0, "units_low": 0.0, "units_median": 0.0, "units_high": 0.0})
            continue
        moved = {name: sum(weight * effects[name] for weight, effects, _ in mine) / part for name in ENDS}
        bought = [weight * (1 + effects["uplift"]) for weight, effects, _ in mine]
        charged = sum(units * depth for units, (*_, depth) in zip(bought, mine, strict=True)) / sum(bought)
        usual, lift_, root = 10 * scope * part, 1 + moved["uplift"], math.sqrt(scope * part)
        # Of the row alone, before it is divided, no end of the range lies below nothing.
        below, above = min(2 * math.sqrt(scope), 10 * scope) * math.sqrt(part), 3 * root
        below = min(below, usual)
        row = {"baseline_units": usual, "units": usual * lift_, "units_median": usual * lift_, "price": 20 * (1 - charged)}
        row |= {"baseline_low": usual - below, "baseline_median": usual, "baseline_high": usual + above}
        row["units_low"] = max(usual * lift_ - math.hypot(below * lift_, usual * (moved["uplift"] - moved["uplift_low"])), 0.0)
        row["units_high"] = usual * lift_ + math.hypot(above * lift_, usual * (moved["uplift_high"] - moved["uplift"]))
        told.append(row)
    return told


@pytest.mark.parametrize(
    "effect", [UPLIFT, {0.1: 0.0, 0.2: 1.0, 0.3: 1.5}, {0.1: -0.2, 0.2: 1.0, 0.3: 1.5}], ids=["all add", "one adds nothing", "one takes"]
)
@pytest.mark.parametrize(
    "asked",
    [
        [(None, 0.1), (None, 0.2)],
        [(None, 0.2), ("Norte", 0.1)],
        [(None, 0.1), ("Sul", 0.3), (None, 0.2)],
        [("Norte", 0.2), ("Norte", 0.3), ("Sul", 0.1)],
        [(None, 0.1), ("Norte", 0.1), ("Sul", 0.2), (None, 0.1), ("Norte", 0.3)],
        [(None, 0.1), (None, 0.1)],
    ],
)
def test_each_promotion_has_its_part_of_baseline_effect_range_and_price(asked: Meeting, effect: dict[float, float]) -> None:
    uplift = np.array(list(effect.values()))
    known = outlook(response=response(uplift=uplift, uplift_low=uplift - 0.4, uplift_high=uplift + 0.7))
    plans = [
        plan("A", promotion=f"P{number}", channel="loja", region=region, discount_share=depth)
        for number, (region, depth) in enumerate(asked)
    ]
    told = known.forecast(pd.concat(plans), together=True).drop_duplicates("promotion_id").reset_index()
    for number, expected in enumerate(rows_by_hand(asked, effect)):
        assert told.loc[number, list(expected)].to_dict() == pytest.approx(expected), number
    assert told.notna().all()[["price", "revenue", "units", "units_low", "units_high"]].all()


@pytest.mark.parametrize("taken", [0.4, 0.5, 0.9])
def test_promotions_that_each_take_from_a_sku_leave_no_fewer_than_no_units_of_it(taken: float) -> None:
    effect = {0.1: 0.5, 0.2: -taken, 0.3: -taken}
    uplift = np.array(list(effect.values()))
    known = outlook(response=response(uplift=uplift, uplift_low=uplift - 0.05, uplift_high=uplift + 0.05))
    depths = {"P": 0.2, "Q": 0.3, "R": 0.3}
    asked = pd.concat([plan("A", promotion=name, channel="loja", discount_share=depth) for name, depth in depths.items()])
    told = known.forecast(asked, together=True)
    assert (told[["baseline_units", "units", "units_low"]] >= 0).all(axis=None)
    assert (told["units_low"] <= told["units_median"]).all()
    assert told["price"].tolist() == pytest.approx([20 * (1 - 0.3)] * len(told))
    assert told["revenue"].tolist() == pytest.approx((told["units"] * told["price"]).tolist())
    by_day = told.groupby("sold_on")[["baseline_units", "units"]].sum()
    assert by_day["baseline_units"].tolist() == pytest.approx([10.0] * 5)
    assert (by_day["units"] < 1).all()
    demand = expected_demand(known, asked)
    promoted = demand[(demand["promotions"] > 0)]
    assert promoted["units"].tolist() == pytest.approx(by_day["units"].tolist())
    # One that adds beside them does not bring them above it.
    beside = known.forecast(pd.concat([asked, plan("A", promotion="S", channel="loja", discount_share=0.1)]), together=True)
    assert (beside[["units", "units_low"]] >= 0).all(axis=None)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("AB"),
            st.integers(1, DAYS),
            st.integers(0, 5),
            st.sampled_from([None, "Sul", "Norte"]),
            st.sampled_from(sorted(UPLIFT)),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_however_promotions_meet_their_rows_add_up_to_what_each_place_sells(asked: list[tuple[str, int, int, str | None, float]]) -> None:
    days = [(first, min(first + length, DAYS)) for _, first, length, _, _ in asked]
    plans = [
        plan(sku, promotion=f"P{number}", channel="loja", region=region, discount_share=depth)
        .assign(starts_on=ORIGIN + pd.Timedelta(days=days[number][0]), ends_on=ORIGIN + pd.Timedelta(days=days[number][1]))
        for number, (sku, _, _, region, depth) in enumerate(asked)
    ]  # fmt: skip
    baseline = units = revenue = 0.0
    for sku, usual, price in (("A", 10, 20), ("B", 4, 10)):
        for day in range(1, DAYS + 1):
            for place, share in (("Sul", 0.25), ("Norte", 0.75)):
                there = [
                    depth
                    for (its, _, _, region, depth), (first, last) in zip(asked, days, strict=True)
                    if its == sku and first <= day <= last and region in (None, place)
                ]
                if there:
                    sold = usual * share * lift(*sorted((UPLIFT[depth] for depth in there), reverse=True))
                    # No more than they would add one beside the other.
                    sold = min(sold, usual * share * (1 + sum(UPLIFT[depth] for depth in there)))
                    baseline, units, revenue = baseline + usual * share, units + sold, revenue + sold * price * (1 - max(there))
    sums = together(*plans)[["baseline_units", "units", "revenue"]].sum()
    assert sums.tolist() == pytest.approx([baseline, units, revenue])
