"""Money of promotions, added up cell by cell and draw by draw."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sales_tech.promotions.baseline import Groups
from sales_tech.promotions.cells import PromotedCells
from sales_tech.promotions.money import Earnings, MemberPrices, earnings, member_prices, net_sales_by_group
from sales_tech.promotions.panel import Member
from sales_tech.promotions.posterior import Posterior

NAN = float("nan")
CATEGORY = [0, 0, 1]
# Store 0 is the first group, stores 1 and 2 are the second.
GROUP = [0, 1, 1]
MEMBERS = [
    Member(0, 0, np.array([0]), 1, 3, 0.2),
    Member(1, 0, np.array([0, 1, 2]), 2, 4, 0.3),
    Member(1, 1, np.array([1, 2]), 0, 1, NAN),
    Member(1, 2, np.array([0, 1, 2]), 5, 5, 0.1),
]


def world(*, costs: bool = True) -> Any:
    """Three SKUs of two categories, three stores in two groups, six days, three draws; the second SKU's cost is not known on two days."""
    rng = np.random.default_rng(7)
    price, cost = rng.uniform(8, 12, size=(3, 6)), rng.uniform(3, 6, size=(3, 6))
    cost[1, 4:] = NAN
    panel: Any = SimpleNamespace(
        members=MEMBERS,
        skus=np.array(["A", "B", "C"]),
        days=np.arange(6),
        stores=np.array(["1", "2", "3"]),
        categories=["first", "second"],
        category=np.array(CATEGORY),
        price=price,
        cost=cost if costs else None,
        net_sales=rng.uniform(20, 60, size=(3, 3, 6)),
        promotions=pd.DataFrame({"investment": [40.0, NAN]}),
    )
    expected, sold = rng.gamma(3.0, 2.0, size=(2, 3, 2, 6))
    # So few that what was paid of them tells nothing.
    sold[2, :, 5] = 1.4
    baseline, incremental, cannibalised, halo, pulled = rng.uniform(1, 9, size=(5, 3, 4))
    posterior: Any = SimpleNamespace(
        panel=panel,
        cells=PromotedCells(panel, Groups(np.array(GROUP), 2)),
        expected=expected,
        sold=sold,
        baseline=baseline,
        incremental=incremental,
        cannibalised=cannibalised,
        halo=halo,
        pulled=pulled,
        spillovers=SimpleNamespace(halo=np.array([[0.0, 0.3], [0.1, 0.2]])),
    )
    posterior.by_promotion = lambda draws: Posterior.by_promotion(posterior, draws)
    return posterior


def told(posterior: Any) -> MemberPrices:
    return member_prices(posterior, net_sales_by_group(posterior))


def cells_of(member: Member) -> list[tuple[int, int, int]]:
    return [(member.sku, group, day) for group in sorted({GROUP[s] for s in member.stores}) for day in range(member.start, member.end + 1)]


def test_prices_of_a_promotion_are_means_over_the_units_to_be_expected_and_what_was_paid_is_told_by_the_units_sold() -> None:
    posterior = world()
    panel, found = posterior.panel, told(posterior)
    for row, member in enumerate(MEMBERS):
        here = cells_of(member)
        weight = [posterior.expected[cell] for cell in here]
        for name, table in (("listed", panel.price), ("cost", panel.cost)):
            mean = sum(w * table[sku, day] for w, (sku, _, day) in zip(weight, here, strict=True)) / sum(weight)
            assert getattr(found, name)[row] == pytest.approx(mean)
        units = sum(posterior.sold[cell] for cell in here)
        money = sum(panel.net_sales[store, sku, day] for sku, group, day in here for store in range(3) if GROUP[store] == group)
        assert (found.units[row], found.net_sales[row]) == (pytest.approx(units), pytest.approx(money))
        if row < 3:
            assert found.paid[row] == pytest.approx(money / units)
    assert found.units[3] < 3
    assert found.paid[3] == pytest.approx(found.listed[3] * 0.9), "of less than three units the planned discount tells what was paid"
    few = replace(MEMBERS[3], depth=NAN)
    posterior.panel.members = [*MEMBERS[:3], few]
    posterior.cells = PromotedCells(posterior.panel, Groups(np.array(GROUP), 2))
    assert told(posterior).paid[3] == pytest.approx(found.listed[3]), "and without one the list price does"


def test_what_a_unit_elsewhere_brings_is_the_mean_of_its_category_and_of_those_that_gain() -> None:
    posterior = world()
    panel, found = posterior.panel, told(posterior)
    price, margin = [], []
    for category in (0, 1):
        cells = [(sku, group, day) for sku, group, day in np.ndindex(3, 2, 6) if CATEGORY[sku] == category]
        known = [cell for cell in cells if not np.isnan(panel.cost[cell[0], cell[2]])]
        price.append(sum(posterior.expected[k, g, t] * panel.price[k, t] for k, g, t in cells) / sum(posterior.expected[c] for c in cells))
        earned = sum(posterior.expected[k, g, t] * (panel.price[k, t] - panel.cost[k, t]) for k, g, t in known)
        margin.append(earned / sum(posterior.expected[cell] for cell in known))
    assert found.peer_price.tolist() == pytest.approx([price[0], price[0], price[0], price[1]])
    assert found.peer_margin.tolist() == pytest.approx([margin[0], margin[0], margin[0], margin[1]])
    # All that the first category moves goes to the second; of the second's, a third goes to the first.
    second = (price[0] + 2 * price[1]) / 3, (margin[0] + 2 * margin[1]) / 3
    assert found.halo_price.tolist() == pytest.approx([price[1]] * 3 + [second[0]])
    assert found.halo_margin.tolist() == pytest.approx([margin[1]] * 3 + [second[1]])


def test_the_margin_of_a_category_without_a_cost_is_not_known_and_adds_nothing_to_that_of_others() -> None:
    posterior = world()
    posterior.panel.cost[2] = NAN
    found = told(posterior)
    assert np.isnan(found.peer_margin).tolist() == [False, False, False, True]
    # A unit of the first category brings gains in the second only, of which nothing is known; the last has no cost itself.
    assert found.halo_margin.tolist() == pytest.approx([0.0, 0.0, 0.0, NAN], nan_ok=True, abs=1e-6)
    nothing = told(world(costs=False))
    for name in ("cost", "peer_margin", "halo_margin"):
        assert np.isnan(getattr(nothing, name)).all(), name
    assert not np.isnan(nothing.halo_price).any()


def test_earnings_are_units_at_prices_and_costs_draw_by_draw() -> None:
    posterior = world()
    prices = told(posterior)
    found = earnings(posterior, prices)
    for draw in range(3):
        sums: dict[str, list[float]] = {name: [0.0, 0.0] for name in Earnings.__dataclass_fields__}
        sums["net_margin"] = [-40.0, 0.0]
        for row, member in enumerate(MEMBERS):
            usual, extra = posterior.baseline[draw, row], posterior.incremental[draw, row]
            lost, gained, earlier = posterior.cannibalised[draw, row], posterior.halo[draw, row], posterior.pulled[draw, row]
            listed, paid, cost = prices.listed[row], prices.paid[row], prices.cost[row]
            parts = {
                "baseline_revenue": usual * listed,
                "base_margin": usual * (listed - cost),
                # What more is sold at the price paid, less what is forgone on the units that would have sold anyway.
                "incremental_margin": extra * (paid - cost) - usual * (listed - paid),
                "cannibalised_margin": lost * prices.peer_margin[row],
                "halo_margin": gained * prices.halo_margin[row],
                "pulled_margin": earlier * (listed - cost),
            }
            parts["net_revenue"] = extra * paid - usual * (listed - paid)
            parts["net_revenue"] += gained * prices.halo_price[row] - lost * prices.peer_price[row] - earlier * listed
            parts["net_margin"] = parts["incremental_margin"] - parts["cannibalised_margin"] + parts["halo_margin"] - parts["pulled_margin"]
            for name, value in parts.items():
                sums[name][member.promotion] += value
        for name, values in sums.items():
            assert getattr(found, name)[draw] == pytest.approx(values), name


def test_without_the_cost_of_a_sku_no_margin_of_its_promotion_is_told() -> None:
    posterior = world()
    posterior.panel.cost[2] = NAN
    found = earnings(posterior, told(posterior))
    for name in Earnings.__dataclass_fields__:
        assert np.isnan(getattr(found, name)).any(axis=0).tolist() == [False, "margin" in name], name
