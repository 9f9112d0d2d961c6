"""What each promotion really did: the same demand with and without it, on the same shelves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from sales_tech.twin.assortment import CATEGORIES
from sales_tech.twin.demand import Demand, Expectation
from sales_tech.twin.history import Floats, Ints
from sales_tech.twin.response import ACCESSORIES, PULL_DAYS, log_lift, price_response


def promotion_truth(demand: Demand) -> pd.DataFrame:
    """One row per promotion that began within the history: expected units and money of its days and of the dip after it.

    `complete` says whether the history holds all of these days. `effectless` promotions change nothing.
    Units: baseline (promoted SKUs, without it), incremental (gross), cannibalised, halo, pulled_forward and
    net, which is incremental - cannibalised + halo - pulled_forward. Money (currency): incremental_revenue
    of the promoted SKUs in the promotion, net_revenue, net_margin (less cost and investment), discount_given.
    """
    retailer = demand.retailer
    days = len(retailer.history.days)
    price, cost = (retailer.catalogue.prices(days, column).T / 100 for column in ("price", "cost"))
    rows = []
    promotions = (retailer.promotions[column].tolist() for column in ("code", "start", "end"))
    for number, (code, start, end) in enumerate(zip(*promotions, strict=True)):
        if start < days:
            rows.append({"promotion_id": code, **_truth(demand, number, start, end, price, cost)})
    return pd.DataFrame(rows)


def _truth(demand: Demand, number: int, start: int, end: int, price: Floats, cost: Floats) -> dict[str, float | bool]:
    retailer = demand.retailer
    members = [member for member in demand.response.members if member.promotion == number]
    own = np.unique([member.product for member in members])
    skus = _neighbourhood(demand, own)
    stop = min(end + 1 + PULL_DAYS, price.shape[1])
    with_it, without = (demand.expect(start, stop, skus=skus, stores=members[0].stores, without=less) for less in (None, number))
    change = with_it.units.astype(np.float64) - without.units
    inside = np.zeros(change.shape, dtype=bool)
    mine = np.isin(skus, own)
    inside[mine, :, : end + 1 - start] = True
    categories = demand.category[skus]
    peers = ~mine & np.isin(categories, demand.category[own])
    later = mine[:, None, None] & ~inside
    money = _revenue(with_it, price[skus, start:stop]) - _revenue(without, price[skus, start:stop])
    costs = change * cost[skus, None, start:stop]
    parts = {
        "incremental": float(change[inside].sum()),
        "cannibalised": -float(change[peers].sum()),
        "halo": float(change[~mine & ~peers].sum()),
        "pulled_forward": -float(change[later].sum()),
    }
    investment = float(retailer.members.loc[retailer.members["promotion"] == number, "investment"].sum()) / 100
    discount = with_it.units * with_it.discount * price[skus, None, start:stop]
    return {
        "baseline": float(without.units[inside].sum(dtype=np.float64)),
        **parts,
        "net": float(change.sum()),
        "revenue": float(_revenue(with_it, price[skus, start:stop])[inside].sum()),
        "incremental_revenue": float(money[inside].sum()),
        "net_revenue": float(money.sum()),
        "net_margin": float(money.sum() - costs.sum()) - investment,
        "discount_given": float(discount[inside].sum()),
        "effectless": bool(retailer.promotions["effectless"].iloc[number]),
        "complete": end + PULL_DAYS < price.shape[1],
    }


def _neighbourhood(demand: Demand, own: Ints) -> Ints:
    # Own categories, their accessories, and whatever else lifts those accessories: all that shares a factor with them.
    names = [category.name for category in CATEGORIES]
    chosen = {names[row] for row in np.unique(demand.category[own]).tolist()}
    chosen |= {accessory for name in chosen for accessory in ACCESSORIES.get(name, ())}
    chosen |= {name for name, accessories in ACCESSORIES.items() if chosen & set(accessories)}
    return np.flatnonzero(np.isin(demand.category, [names.index(name) for name in chosen]))


def _revenue(expected: Expectation, price: Floats) -> Floats:
    money: Floats = expected.units * (1 - expected.discount.astype(np.float64)) * price[:, None, :]
    return money


def elasticity_truth(demand: Demand) -> pd.DataFrame:
    """One row per category that was promoted: the arc elasticity of the price alone, at the middle of the depths tried.

    Minus the log of the factor of demand over the log of the factor of price, weighted by popularity.
    """
    retailer = demand.retailer
    days = len(retailer.history.days)
    promotions = retailer.promotions.loc[retailer.members["promotion"]]
    ran = (promotions["start"] < days).to_numpy() & ~promotions["effectless"].to_numpy()
    members = retailer.members[ran].assign(start=promotions["start"].to_numpy()[ran])
    popularity = retailer.catalogue.products["popularity"].to_numpy()
    rows = []
    for category, part in members.groupby(demand.category[members["product"]]):
        depth = float(part["percent"].median()) / 100
        skus = np.flatnonzero(demand.category == category)
        response = np.array([price_response(retailer, sku, 0, depth) for sku in skus.tolist()])
        arc = float(np.average(response, weights=popularity[skus])) / -np.log1p(-depth)
        rows.append({"category": CATEGORIES[int(str(category))].name, "depth": depth, "elasticity": arc})
    return pd.DataFrame(rows)


def units_by_depth(demand: Demand, number: int) -> Callable[[int | None, float], float]:
    """Expected units of a promotion's SKUs in its days and stores as a function of depth (percent; None: as planned) and strength.

    Strength multiplies the log lifts: one is the truth, none is a promotion that nobody answers.
    """
    retailer = demand.retailer
    promotion = retailer.promotions.iloc[number]
    start, end = int(promotion["start"]), int(promotion["end"])
    members = [member for member in demand.response.members if member.promotion == number]
    bases = []
    for member in members:
        skus = _neighbourhood(demand, np.array([member.product]))
        bases.append(demand.expect(start, end + 1, skus=skus, stores=member.stores, without=number).units[skus == member.product][0])

    def units(percent: int | None = None, strength: float = 1.0) -> float:
        total = 0.0
        for member, base in zip(members, bases, strict=True):
            # What is the promotion's own (its luck, its stores, its days) stays as it was at the depth that was tried.
            depths = member.percent if percent is None else percent, member.percent
            asked, planned = (_planned(demand, member.product, promotion, depth) for depth in depths)
            lift = member.log_lift[:, : base.shape[1]] * (strength * asked / planned)
            total += float((base * np.exp(lift)).sum(dtype=np.float64))
        return total

    return units


def _planned(demand: Demand, product: int, promotion: pd.Series, percent: int) -> float:
    day, depth = int(promotion["start"]), percent / 100
    return log_lift(demand.retailer, product, day, depth, promotion["mechanic"], bool(promotion["display"]))
