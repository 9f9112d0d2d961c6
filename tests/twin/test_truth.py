"""The truth of a promotion is the difference that it makes to the whole retailer, and simple figures miss it."""

from __future__ import annotations

from dataclasses import replace
from math import exp

import numpy as np
import pandas as pd
import pytest
from tests.twin.retailers import demand_of

from sales_tech.twin.demand import Demand
from sales_tech.twin.response import PULL_DAYS
from sales_tech.twin.scenario import Size
from sales_tech.twin.truth import elasticity_truth, promotion_truth, units_by_depth


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return promotion_truth(demand_of())


def test_a_promotion_without_effect_changes_nothing(truth: pd.DataFrame) -> None:
    effectless = truth[truth["effectless"]]
    assert 0 < len(effectless) < len(truth)
    parts = ["incremental", "cannibalised", "halo", "pulled_forward", "net"]
    assert not effectless[parts].to_numpy().any()
    assert (effectless["discount_given"] > 0).all()
    assert (effectless["net_margin"] < 0).all()


def test_net_units_are_what_is_added_less_what_was_taken_from_neighbours_and_later_days(truth: pd.DataFrame) -> None:
    net = truth["incremental"] - truth["cannibalised"] + truth["halo"] - truth["pulled_forward"]
    assert truth["net"].to_numpy() == pytest.approx(net.to_numpy(), abs=1e-6)


def test_a_promotion_with_effect_adds_units_takes_some_and_leaves_a_dip(truth: pd.DataFrame) -> None:
    real = truth[~truth["effectless"] & (truth["baseline"] > 0)]
    assert (real["incremental"] > 0).all()
    assert (real["cannibalised"] >= 0).all()
    assert (real["halo"] >= 0).all()
    assert (real.loc[real["complete"], "pulled_forward"] > 0).all()
    assert real["cannibalised"].sum() > 0
    assert real["halo"].sum() > 0
    assert real["net"].sum() < real["incremental"].sum()


@pytest.mark.parametrize("number", [0, 4, 9])
def test_the_truth_is_the_difference_over_all_skus_stores_and_days(truth: pd.DataFrame, number: int) -> None:
    demand = demand_of()
    retailer = demand.retailer
    promotion = retailer.promotions.iloc[number]
    days = len(retailer.history.days)
    with_it, without = (demand.expect(0, days, without=less) for less in (None, number))
    change = with_it.units.astype(np.float64) - without.units
    own = retailer.members.loc[retailer.members["promotion"] == number, "product"].to_numpy()
    row = truth[truth["promotion_id"] == promotion["code"]].iloc[0]
    assert row["net"] == pytest.approx(change.sum(), rel=1e-3, abs=1e-3)
    assert row["incremental"] == pytest.approx(change[own, :, promotion["start"] : promotion["end"] + 1].sum(), rel=1e-3, abs=1e-3)
    assert not change[:, :, : promotion["start"]].any()
    assert not change[:, :, promotion["end"] + 1 + PULL_DAYS :].any()
    prices = retailer.catalogue.prices(days).T[:, None, :] / 100
    paid = [expected.units.astype(np.float64) * (1 - expected.discount) * prices for expected in (with_it, without)]
    assert row["net_revenue"] == pytest.approx((paid[0] - paid[1]).sum(), rel=1e-3, abs=1e-2)


def test_units_at_the_depth_that_was_tried_are_those_of_the_promotion(truth: pd.DataFrame) -> None:
    demand = demand_of()
    retailer = demand.retailer
    percents = retailer.members.groupby("promotion")["percent"].agg(["min", "max"])
    real = ~retailer.promotions["effectless"] & (retailer.promotions["start"] < len(retailer.history.days))
    alone = [number for number in np.flatnonzero(real) if percents.loc[number, "min"] == percents.loc[number, "max"]]
    assert alone
    for number in alone[:3]:
        row = truth[truth["promotion_id"] == retailer.promotions["code"][number]].iloc[0]
        depth = int(percents.loc[number, "min"])
        assert units_by_depth(demand, number)(depth) == pytest.approx(row["baseline"] + row["incremental"], rel=0.02)
        assert units_by_depth(demand, number)(depth + 10) > units_by_depth(demand, number)(depth)


def test_elasticities_are_those_of_the_customers() -> None:
    demand = demand_of()
    found = elasticity_truth(demand).set_index("category")["elasticity"]
    drawn = demand.retailer.market.elasticity
    assert len(found) > 3
    # A price drop of some depth d gives log demand elasticity * d, over -log(1 - d) > d in the log of price.
    assert found.min() > 0.6 * drawn.min()
    assert found.max() < drawn.max()


def before_and_after(demand: Demand) -> pd.DataFrame:
    """The naive figure: units of the promoted SKUs in the promotion's stores, less those of the four weeks before, day by day.

    It calls a promotion successful when the difference stands out of chance at the 90 % level.
    """
    promotions = demand.retailer.promotions
    sold = np.concatenate([demand.sales(first, stop)[1] for first, stop in demand.windows()], axis=2)
    rows = []
    for number, (code, start, end) in enumerate(zip(promotions["code"], promotions["start"], promotions["end"], strict=True)):
        members = [member for member in demand.response.members if member.promotion == number]
        cells = sold[[member.product for member in members]][:, members[0].stores]
        days, before = end + 1 - start, min(28, start)
        during, earlier = cells[:, :, start : end + 1].sum(), cells[:, :, start - before : start].sum()
        chance = max((during / days**2 + earlier / before**2) ** 0.5, 1e-9)
        rows.append((code, during - earlier * days / before, (during / days - earlier / before) / chance > 1.2816))
    return pd.DataFrame(rows, columns=["promotion_id", "naive", "called_successful"])


def test_before_and_after_fails_on_the_hard_retailer() -> None:
    demand = demand_of("hard", Size(stores=25, skus=150, months=18, promotions=120), 4)
    truth = promotion_truth(demand)
    both = before_and_after(demand).merge(truth[truth["complete"]], on="promotion_id")
    assert len(both) > 100
    assert both["naive"].sum() > 1.15 * both["incremental"].sum()
    assert both.loc[both["effectless"], "called_successful"].mean() >= 0.25


def test_a_hidden_shock_is_part_of_the_baseline_and_no_effect_of_the_promotion_that_it_comes_with() -> None:
    retailer = demand_of("shock").retailer
    calm = Demand(replace(retailer, scenario=replace(retailer.scenario, hidden_shock=0.0)))
    shocked, unshocked = (promotion_truth(demand).set_index("promotion_id") for demand in (demand_of("shock"), calm))
    hit = [code for code in retailer.promotions.loc[retailer.promotions["shock"], "code"] if code in shocked.index]
    assert hit
    for code in hit:
        # Neighbours' promotions may take some of it.
        assert shocked["baseline"][code] == pytest.approx(exp(0.4) * unshocked["baseline"][code], rel=0.1)
        assert shocked["effectless"][code] == (shocked["incremental"][code] == 0)
