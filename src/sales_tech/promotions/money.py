"""What promotions earned and cost: units of the posterior at prices, paid prices and costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sales_tech.promotions.panel import Floats
from sales_tech.promotions.posterior import Posterior
from sales_tech.promotions.spillovers import by_category

TINY = 1e-9
# Fewer units than these do not tell what was paid; the planned discount does.
FEWEST_PAID = 3.0


@dataclass(frozen=True)
class MemberPrices:
    """By member, in currency of one unit: list price, price paid in the promotion, cost (NaN: not known); units sold and their net sales.

    `peer_price`, `peer_margin`, `halo_price`, `halo_margin` are what a unit of its category, and of the categories
    that gain beside it, usually brings.
    """

    listed: Floats
    paid: Floats
    cost: Floats
    units: Floats
    net_sales: Floats
    peer_price: Floats
    peer_margin: Floats
    halo_price: Floats
    halo_margin: Floats


def net_sales_by_group(posterior: Posterior) -> Floats:
    """Net sales (K, G, T)."""
    panel, groups = posterior.panel, posterior.cells.groups
    table = np.zeros(posterior.expected.shape)
    for store in range(len(panel.stores)):
        table[:, groups.of_store[store]] += panel.net_sales[store]
    return table


def member_prices(posterior: Posterior, net_sales: Floats) -> MemberPrices:
    """The prices of each member, means over its cells weighted by expected units."""
    panel, cells = posterior.panel, posterior.cells
    size = len(panel.members)
    listed, cost, units, money = (np.full(size, np.nan) for _ in range(4))
    costs = np.full(panel.price.shape, np.nan) if panel.cost is None else panel.cost
    for row, (member, here) in enumerate(zip(panel.members, cells.of_member, strict=True)):
        window = member.sku, here, member.days
        weight = posterior.expected[window].sum(axis=0) + TINY
        listed[row] = np.average(panel.price[member.sku, member.days], weights=weight)
        cost[row] = np.average(costs[member.sku, member.days], weights=weight)
        units[row] = posterior.sold[window].sum()
        money[row] = net_sales[window].sum()
    depth = np.where(np.isnan(cells.depths), 0.0, cells.depths)
    paid = np.where(units >= FEWEST_PAID, money / np.maximum(units, 1), listed * (1 - depth))
    usual = by_category(panel, posterior.expected).sum(axis=(1, 2)) + TINY
    price = by_category(panel, posterior.expected.sum(axis=1) * panel.price).sum(axis=1) / usual
    known = ~np.isnan(costs)
    weights = by_category(panel, posterior.expected.sum(axis=1) * known).sum(axis=1)
    unit_margin = np.where(known, panel.price - np.where(known, costs, 0.0), 0.0)
    total = by_category(panel, posterior.expected.sum(axis=1) * unit_margin).sum(axis=1)
    margin = np.divide(total, weights, out=np.full(len(total), np.nan), where=weights > TINY)
    category = panel.category[cells.skus]
    halo = posterior.spillovers.halo + TINY
    share = halo / halo.sum(axis=1, keepdims=True)
    return MemberPrices(
        listed,
        paid,
        cost,
        units,
        money,
        price[category],
        margin[category],
        (share @ price)[category],
        (share @ np.where(np.isnan(margin), 0.0, margin))[category] + np.where(np.isnan(cost), np.nan, 0.0),
    )


@dataclass(frozen=True)
class Earnings:
    """Draws by promotion (draws, promotions), in currency; margins are NaN where a cost is not known."""

    baseline_revenue: Floats
    net_revenue: Floats
    base_margin: Floats
    incremental_margin: Floats
    cannibalised_margin: Floats
    halo_margin: Floats
    pulled_margin: Floats
    net_margin: Floats


def earnings(posterior: Posterior, prices: MemberPrices) -> Earnings:
    """What the promotions' expected units brought, with and without them."""
    add = posterior.by_promotion
    both = posterior.baseline + posterior.incremental
    margin = prices.listed - prices.cost
    lost_price, lost_margin = prices.peer_price, prices.peer_margin + 0 * prices.cost
    own = both * prices.paid - posterior.baseline * prices.listed
    base = posterior.baseline * margin
    change = both * (prices.paid - prices.cost) - base
    cannibalised, halo = posterior.cannibalised * lost_margin, posterior.halo * prices.halo_margin
    pulled = posterior.pulled * margin
    moved = posterior.halo * prices.halo_price - posterior.cannibalised * lost_price - posterior.pulled * prices.listed
    investment = posterior.panel.promotions["investment"].fillna(0.0).to_numpy(dtype=np.float64)
    return Earnings(
        baseline_revenue=add(posterior.baseline * prices.listed),
        net_revenue=add(own + moved),
        base_margin=add(base),
        incremental_margin=add(change),
        cannibalised_margin=add(cannibalised),
        halo_margin=add(halo),
        pulled_margin=add(pulled),
        net_margin=add(change - cannibalised + halo - pulled) - investment,
    )
