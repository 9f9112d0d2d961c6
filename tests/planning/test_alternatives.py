"""Which depth earns most, against sums worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from tests.planning.outlooks import UPLIFT, USUAL, outlook, plan, response

from sales_tech.planning import PlanBeyondHistory
from sales_tech.planning.alternatives import COLUMNS
from sales_tech.planning.ranges import MARKET, TAIL
from sales_tech.planning.shelves import LARGEST_LOSS


def test_net_margin_is_what_is_added_less_what_others_and_later_weeks_lose_and_what_is_invested() -> None:
    told = outlook().alternatives(plan("B", investment=7.0), [0.2]).iloc[0]
    # 20 units usually, 40 at 20 % off: 40 x (8 - 5) instead of 20 x (10 - 5).
    assert told["incremental_margin"] == pytest.approx(40 * 3 - 20 * 5)
    assert told["cannibalised_units"] == pytest.approx(0.2 * 20)
    # A mouse leaves (16 x 12 + 4 x 5) / 20 on average.
    assert told["cannibalised_margin"] == pytest.approx(0.2 * 20 * (16 * 12 + 4 * 5) / 20)
    assert told["pulled_forward_margin"] == pytest.approx(0.1 * 20 * 5)
    parts = told["incremental_margin"] - told["cannibalised_margin"] - told["pulled_forward_margin"] - told["investment"]
    assert told["net_margin"] == pytest.approx(parts)
    assert told["investment"] == 7


LISTED, SHELF = {"A": 20.0, "B": 10.0}, {"A": "B", "B": "A"}
RATES = {"cannibalised": 0.3, "pulled_forward": 0.1, "halo": 0.0, "halo_margin": 0.4}


def by_hand(sku: str, depth: float, uplift: float, days: float, costs: dict[str, float]) -> dict[str, float]:
    """What a mouse sells and earns at a depth, written from what the figures mean."""
    told = dict.fromkeys(COLUMNS[4:-1], 0.0)
    margin = sum(units * (LISTED[name] - costs[name]) for (name, _), units in USUAL.items() if name in LISTED) / 20
    for (name, channel), usual in USUAL.items():
        if name != sku:
            continue
        units, before = usual * (1 + uplift), usual * (LISTED[sku] - costs[sku])
        after = units * (LISTED[sku] * (1 - depth) - costs[sku])
        beside = USUAL.get((SHELF[sku], channel), 0.0)
        taken = min(RATES["cannibalised"] * usual * uplift, LARGEST_LOSS * beside) if beside else 0.0
        figures = {"baseline_units": usual, "uplift_units": units - usual, "units": units, "revenue": units * LISTED[sku] * (1 - depth)}
        figures |= {"incremental_revenue": figures["revenue"] - usual * LISTED[sku], "margin": after, "incremental_margin": after - before}
        figures |= {"cannibalised_units": taken, "cannibalised_margin": taken * margin, "halo_margin": 0.4 * usual * uplift}
        figures |= {"pulled_forward_units": 0.1 * usual * uplift, "pulled_forward_margin": 0.1 * uplift * before}
        lost = figures["cannibalised_margin"] + figures["pulled_forward_margin"] - figures["halo_margin"]
        figures["net_margin"] = figures["incremental_margin"] - lost
        told = {label: told[label] + days * figures.get(label, 0.0) for label in told}
    return told


def spread_by_hand(sku: str, distance: float, days: int) -> float:
    """How far the sum over days may lie from its middle, where each day of a series may by `distance`."""
    mine = [units for (name, _), units in USUAL.items() if name == sku]
    shared = sum((days * math.sqrt(max((distance / TAIL) ** 2 - usual, 0))) ** 2 for usual in mine)
    return TAIL * math.sqrt(days * sum(mine) + shared + (MARKET * days * sum(mine)) ** 2)


@pytest.mark.parametrize("sku", ["A", "B"])
@pytest.mark.parametrize("days", [1, 4])
# At the dearer ones a deep discount loses money, and the more it sells the more it loses.
@pytest.mark.parametrize("costs", [{"A": 8.0, "B": 5.0}, {"A": 15.0, "B": 7.5}])
def test_units_money_and_their_ranges_are_those_worked_out_by_hand(sku: str, days: int, costs: dict[str, float]) -> None:
    known = outlook()
    usual = known.baseline["baseline_units"]
    wide = known.baseline.assign(baseline_low=usual - 3.5, baseline_high=usual + 5.5)
    prices = known.prices.assign(cost=known.prices["sku"].map(costs | {"K": 20.0}))
    rates = known.rates.assign(**RATES)
    effects = pd.concat([response(uplift_low=-0.2), response(uplift_low=-0.2, category="Keyboards")])
    known = outlook(baseline=wide, prices=prices, rates=rates, response=effects)
    told = known.alternatives(plan(sku, days=days, investment=7.0), list(UPLIFT)).set_index("discount_share")
    assert set(told.index) == set(UPLIFT)
    for depth, uplift in UPLIFT.items():
        expected = by_hand(sku, depth, uplift, days, costs)
        ends = [by_hand(sku, depth, end, days, costs) for end in (-0.2, 2 * uplift)]
        for name, least in (("units", 0.0), ("net_margin", -math.inf)):
            middle, moved = expected[name], [end[name] - expected[name] for end in ends]
            by_baseline = [
                side * middle * spread_by_hand(sku, distance, days) / expected["baseline_units"] for side, distance in ((-1, 3.5), (1, 5.5))
            ]
            expected[f"{name}_low"] = max(middle - math.hypot(min(*moved, 0), min(*by_baseline)), least)
            expected[f"{name}_high"] = middle + math.hypot(max(*moved, 0), max(*by_baseline))
        expected |= {f"net_margin_if_{end}": ends[at]["net_margin"] for at, end in enumerate(("weak", "strong"))}
        for name in ("net_margin", "net_margin_low", "net_margin_high", "net_margin_if_weak", "net_margin_if_strong"):
            expected[name] -= 7
        expected["investment"] = 7
        assert told.loc[depth, list(expected)].to_dict() == pytest.approx(expected)
    assert told.sort_values("rank")["net_margin"].is_monotonic_decreasing


@pytest.mark.parametrize(
    ("mice", "keyboards", "asked"),
    [
        ((0.12, 0.31), None, [0.12, 0.15, 0.2, 0.25, 0.3, 0.31]),
        ((0.1, 0.3), (0.2, 0.4), [0.2, 0.25, 0.3]),
        ((0.1, 0.15), (0.3, 0.35), [0.1, 0.15, 0.2, 0.25, 0.3, 0.35]),
        ((0.02, 0.06), (0.02, 0.06), [0.02, 0.05, 0.06]),
    ],
)
def test_depths_are_those_that_all_categories_tried_else_those_that_any_did(
    mice: tuple[float, float], keyboards: tuple[float, float] | None, asked: list[float]
) -> None:
    bounds = {"Mice": mice} | ({"Keyboards": keyboards} if keyboards else {})
    effects = pd.concat([response(category=name, depth_from=low, depth_to=high) for name, (low, high) in bounds.items()])
    plans = plan("B", "K", discount_share=0.5) if keyboards else plan("B", discount_share=0.5)
    with pytest.warns(PlanBeyondHistory):
        told = outlook(response=effects).alternatives(plans)
    assert sorted(told.loc[~told["planned"], "discount_share"]) == pytest.approx(asked)
    # What goes deeper than one of the categories ever did is beyond what was tried.
    least = min(high for _, high in bounds.values())
    assert told["beyond_tried"].tolist() == [depth > least + 1e-6 for depth in told["discount_share"]]


def test_a_category_that_tried_nothing_is_asked_what_the_others_tried() -> None:
    bounds = {"Keyboards": (0.1, 0.2), "Chairs": (0.15, 0.4)}
    effects = pd.concat([response(category=name, depth_from=low, depth_to=high) for name, (low, high) in bounds.items()])
    with pytest.warns(PlanBeyondHistory):
        told = outlook(response=effects).alternatives(plan("B", discount_share=0.3))
    assert sorted(told["discount_share"]) == [0.15, 0.2, 0.3]
    with pytest.warns(PlanBeyondHistory):
        told = outlook(response=effects).alternatives(plan("B", discount_share=0.3), [0.4, 0.41])
    assert told.set_index("discount_share")["beyond_tried"].to_dict() == {0.3: False, 0.4: False, 0.41: True}


def test_where_no_cost_is_known_the_depth_that_adds_most_revenue_is_first() -> None:
    prices = outlook().prices.assign(cost=np.nan)
    told = outlook(prices=prices).alternatives(plan("A", discount_share=0.3), np.array([0.1, 0.2]))
    # 80 units at a price of 20 and a discount of 10, 20 and 30 % sell half, once and one and a half times as many more.
    added = {depth: 80 * 20 * ((1 - depth) * (1 + uplift) - 1) for depth, uplift in UPLIFT.items()}
    assert told["discount_share"].tolist() == sorted(added, key=lambda depth: -added[depth])
    assert told["incremental_revenue"].tolist() == pytest.approx(sorted(added.values(), reverse=True))
    assert told["rank"].tolist() == [1, 2, 3]
    money = [name for name in told if "net_margin" in name]
    assert told[[*money, "margin"]].isna().all(axis=None)


def test_an_investment_is_that_of_all_skus_and_a_depth_that_is_asked_twice_is_told_once() -> None:
    told = outlook().alternatives(plan("A", "B").assign(investment=[3.0, 4.0]), [0.3, 0.1, 0.1])
    assert sorted(told["discount_share"]) == [0.1, 0.2, 0.3]
    assert set(told["investment"]) == {7}
    free = outlook().alternatives(plan("A", "B"), [0.3, 0.1])
    assert (free["net_margin"] - told["net_margin"]).tolist() == pytest.approx([7] * 3)


def test_depths_of_a_promotion_that_sells_nothing_where_it_runs_are_told_as_nothing() -> None:
    known = outlook()
    regions = known.regions.assign(share=np.where(known.regions["region"] == "Norte", 0.0, known.regions["share"]))
    told = outlook(regions=regions).alternatives(plan("A", "B", region="Norte").assign(discount_share=[0.1, 0.3]), [0.2])
    assert told.loc[told["planned"], "discount_share"].iloc[0] == pytest.approx(0.2)
    assert (told[["units", "units_low", "units_high", "revenue", "net_margin"]] == 0).all(axis=None)


def test_the_depths_that_were_tried_are_compared_and_the_best_is_first() -> None:
    told = outlook().alternatives(plan("A"))
    assert sorted(told["discount_share"]) == pytest.approx([0.1, 0.15, 0.2, 0.25, 0.3])
    assert told["rank"].tolist() == [1, 2, 3, 4, 5]
    assert told["net_margin"].is_monotonic_decreasing
    assert told.loc[told["planned"], "discount_share"].tolist() == [0.2]


def test_units_agree_with_the_forecast() -> None:
    plans = plan("A", "B", region="Sul")
    told = outlook().alternatives(plans)
    row = told[told["planned"]].iloc[0]
    rows = outlook().forecast(plans)
    for name in ("baseline_units", "uplift_units", "units", "revenue", "margin"):
        assert row[name] == pytest.approx(rows[name].sum())


def test_a_plan_with_several_depths_keeps_its_row_beside_the_even_ones() -> None:
    plans = plan("A", "B").assign(discount_share=[0.1, 0.3])
    told = outlook().alternatives(plans, [0.2])
    assert sorted(told["planned"]) == [False, True]
    assert told.loc[told["planned"], "discount_share"].iloc[0] == pytest.approx((16 * 0.1 + 4 * 0.3) / 20)


def test_the_range_holds_the_figure_and_widens_with_the_effect() -> None:
    told = outlook().alternatives(plan("A")).sort_values("discount_share")
    assert (told["units_low"] < told["units"]).all()
    assert (told["units"] < told["units_high"]).all()
    assert (told["net_margin_low"] <= told["net_margin"]).all()
    assert (told["net_margin"] <= told["net_margin_high"]).all()
    assert np.diff(told["units_high"] - told["units_low"]).min() > 0


def test_the_ends_of_the_effect_are_those_of_all_figures_with_the_baseline_as_told() -> None:
    told = outlook().alternatives(plan("B", investment=7.0), [0.2]).iloc[0]
    # Of an effect from 0 to 200 %: 20 or 60 units x (8 - 5), instead of 20 x (10 - 5); the neighbours' margin is that of a mouse.
    lost = 0.2 * 40 * (16 * 12 + 4 * 5) / 20 + 0.1 * 2 * 20 * 5
    assert told["net_margin_if_weak"] == pytest.approx(20 * 3 - 100 - 7)
    assert told["net_margin_if_strong"] == pytest.approx(60 * 3 - 100 - 7 - lost)


def test_a_sum_over_days_is_surer_than_its_days() -> None:
    one, five = (outlook().alternatives(plan("B", days=days), [0.2]).iloc[0] for days in (1, 5))
    assert (five["units_high"] - five["units"]) < 5 * (one["units_high"] - one["units"])


def test_depths_beyond_those_that_were_tried_are_marked_and_warned_of_once() -> None:
    with pytest.warns(PlanBeyondHistory) as caught:
        told = outlook().alternatives(plan("B"), [0.2, 0.5, 0.6])
    assert len(caught) == 1
    assert told.set_index("discount_share")["beyond_tried"].to_dict() == {0.2: False, 0.5: True, 0.6: True}


def test_depths_that_are_no_shares_are_refused() -> None:
    for depths in ([20], [0.2, 1], [0, 0.2]):
        with pytest.raises(ValueError, match=rf"depths are \[{', '.join(map(str, depths))}\]; expected shares"):
            outlook().alternatives(plan("B"), depths)


def test_each_promotion_is_ranked_by_itself() -> None:
    told = outlook().alternatives(pd.concat([plan("A", promotion="P"), plan("B", promotion="Q")]))
    assert told.groupby("promotion_id")["rank"].min().to_dict() == {"P": 1, "Q": 1}
