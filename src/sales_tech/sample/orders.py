"""Orders: lines put into baskets, with shop, customer, time, quantity, price, discount and what became of them.

A frame of lines has one row per order line: order, item, sold_at, place, product, customer, quantity,
price, discount, freight, promotion, status, updated_at. Places, products, customers and promotions are
row numbers, money is centavos, times are local; freight and promotion are -1 where there is none.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sales_tech.sample.catalogue import Catalogue
from sales_tech.sample.customers import POOL, Customers
from sales_tech.sample.demand import Demand
from sales_tech.sample.history import History, Ints
from sales_tech.sample.places import CHANNELS, WEB, shop_shares

FATURADO, CANCELADO, DEVOLVIDO = range(3)
STATUSES = ("FATURADO", "CANCELADO", "DEVOLVIDO")
NO_FREIGHT = -1
FIRST_ORDER = 1_000_001

BASKETS = (0.66, 0.22, 0.08, 0.04)
ANONYMOUS_IN_SHOPS = 0.35
CANCELLED_ORDERS = 0.015
RETURNED_LINES = 0.0105
FREE_FREIGHT = 0.45
BULK_LINES = 0.003

_HOURS = {
    "loja": (0,) * 9 + (1, 3, 5, 6, 5, 5, 6, 6, 7, 8, 7, 4, 1, 0, 0),
    "online": (3, 2, 1, 0.5, 0.5, 0.5, 1, 2, 4, 5, 6, 6, 7, 6, 6, 6, 6, 6, 6, 7, 9, 10, 9, 6),
}


def make_orders(
    history: History,
    catalogue: Catalogue,
    customers: Customers,
    promotions: pd.DataFrame,
    active: Ints,
    demand: Demand,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Turn demand into lines, returns included, in the order of their sale."""
    shuffled = rng.permutation(len(demand.day))
    by_day = shuffled[np.lexsort((demand.channel[shuffled], demand.day[shuffled]))]
    channel, day, product = demand.channel[by_day], demand.day[by_day], demand.product[by_day]
    basket, item = _baskets(channel, day, rng)
    first = np.flatnonzero(item == 1)
    of_basket = _basket_facts(history, customers, channel[first], day[first], rng)

    lines = of_basket.iloc[basket].reset_index(drop=True)
    lines["order"], lines["item"], lines["product"] = basket, item, product
    lines["price"] = catalogue.prices(len(history.days))[day, product]
    lines["quantity"] = _quantities(lines["price"].to_numpy(), rng)
    lines["promotion"] = active[channel, day, product]
    percent = np.append(promotions["percent"].to_numpy(), 0)[lines["promotion"].to_numpy()]
    lines["discount"] = np.rint(lines["price"].to_numpy() * lines["quantity"].to_numpy() * percent / 100).astype(np.int64)
    shipping = np.where(rng.random(len(lines)) < FREE_FREIGHT, 0, rng.integers(1290, 6490, len(lines)))
    lines["freight"] = np.where(channel == CHANNELS.index("loja"), NO_FREIGHT, np.where(item == 1, shipping, 0))
    return _numbered(pd.concat([lines, _returns(history, lines, rng)], ignore_index=True))


def _baskets(channel: Ints, day: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """The basket of each line and its place in it; a basket holds lines of one day and channel."""
    sizes = rng.choice(np.arange(1, len(BASKETS) + 1), size=len(day), p=BASKETS)
    drawn = np.repeat(np.arange(len(day)), sizes)[: len(day)]
    starts = np.ones(len(day), dtype=bool)
    starts[1:] = (np.diff(drawn) != 0) | (np.diff(day) != 0) | (np.diff(channel) != 0)
    basket = np.cumsum(starts) - 1
    return basket, np.arange(len(day)) - np.flatnonzero(starts)[basket] + 1


def _basket_facts(history: History, customers: Customers, channel: Ints, day: Ints, rng: np.random.Generator) -> pd.DataFrame:
    size = len(day)
    shop = (shop_shares(history)[day] < rng.random(size)[:, None]).sum(axis=1)
    web = channel == CHANNELS.index("online")
    hours = np.where(web, *(rng.choice(24, size=size, p=np.array(_HOURS[name]) / sum(_HOURS[name])) for name in ("online", "loja")))
    seconds = hours * 3600 + rng.integers(0, 3600, size)
    sold_at = history.days[day].astype("datetime64[s]") + seconds.astype("timedelta64[s]")
    known = web | (rng.random(size) >= ANONYMOUS_IN_SHOPS)
    delay = np.minimum(rng.exponential(1500, size), 6 * 3600).astype(np.int64)
    return pd.DataFrame(
        {
            "sold_at": sold_at,
            "place": np.where(web, WEB, shop),
            "customer": np.where(known, customers.draw(size, rng), POOL),
            "status": np.where(rng.random(size) < CANCELLED_ORDERS, CANCELADO, FATURADO),
            "updated_at": sold_at + delay.astype("timedelta64[s]"),
        }
    )


def _quantities(price: Ints, rng: np.random.Generator) -> Ints:
    """Mostly one; cheap things more often several; now and then a company buys for an office."""
    several = 1 + rng.poisson(np.select([price < 10_000, price < 50_000], [0.35, 0.12], 0.03))
    return np.where(rng.random(len(price)) < BULK_LINES, rng.integers(5, 16, len(price)), several).astype(np.int64)


def _returns(history: History, lines: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Orders of their own, up to three weeks later, that take back one line each with its discount."""
    sold = np.flatnonzero((lines["status"] == FATURADO).to_numpy())
    back = lines.iloc[np.sort(rng.choice(sold, size=round(RETURNED_LINES * len(lines)), replace=False))].copy()
    days = back["sold_at"].to_numpy().astype("datetime64[D]") + rng.integers(2, 22, len(back)).astype("timedelta64[D]")
    back["sold_at"] = days.astype("datetime64[s]") + rng.integers(10 * 3600, 19 * 3600, len(back)).astype("timedelta64[s]")
    back["updated_at"] = back["sold_at"].to_numpy() + rng.integers(60, 3 * 3600, len(back)).astype("timedelta64[s]")
    back["order"] = lines["order"].max() + 1 + np.arange(len(back))
    back = back.assign(item=1, status=DEVOLVIDO, freight=NO_FREIGHT, quantity=-back["quantity"], discount=-back["discount"])
    return back[back["sold_at"] < history.end]


def _numbered(lines: pd.DataFrame) -> pd.DataFrame:
    """Number the orders by the time of sale, as a till does."""
    lines = lines.sort_values(["sold_at", "order", "item"], kind="stable", ignore_index=True)
    lines["order"] = FIRST_ORDER + pd.factorize(lines["order"])[0]
    return lines
