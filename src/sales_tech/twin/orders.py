"""Orders: the units that were drawn, put into baskets with customer, time, price, discount and what became of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sales_tech.twin.customers import Customers
from sales_tech.twin.demand import Demand, Expectation
from sales_tech.twin.dirt import Kind
from sales_tech.twin.history import Ints, ranges, stream
from sales_tech.twin.lines import CANCELADO, DAY, DEVOLVIDO, FATURADO, NO_FREIGHT, Lines
from sales_tech.twin.stores import CHANNELS
from sales_tech.twin.text import Rows

MOST_UNITS = 12
"""Units of a line, at most."""

ONLINE = CHANNELS.index("online")
# Chance that a unit joins the line of the one before, by price in centavos.
TOGETHER = ((10_000, 0.5), (50_000, 0.3), (None, 0.15))
SAME_BASKET = 0.33
ANONYMOUS_IN_SHOPS = 0.35
CANCELLED_ORDERS = 0.015
RETURNED_LINES = 0.0105
RETURNED_AFTER = (2, 22)
FREE_FREIGHT = 0.45
FREIGHT = (1290, 6490)

_HOURS = {
    "loja": (0,) * 9 + (1, 3, 5, 6, 5, 5, 6, 6, 7, 8, 7, 4, 1, 0, 0),
    "online": (3, 2, 1, 0.5, 0.5, 0.5, 1, 2, 4, 5, 6, 6, 7, 6, 6, 6, 6, 6, 6, 7, 9, 10, 9, 6),
}


@dataclass(frozen=True)
class Sold:
    """What was sold on some days, by time of sale, and what of it comes back later, as lines of their own without a number."""

    lines: Lines
    returns: Lines


class Till:
    """Turns the units of some days into order lines.

    Lines that are cancelled or come back are sold beside the drawn units, so that what stays sold is what was drawn.
    """

    def __init__(self, demand: Demand, customers: Customers) -> None:
        retailer = demand.retailer
        self._demand, self._customers = demand, customers
        self._seed, self._days = retailer.seed, len(retailer.history.days)
        self._prices = retailer.catalogue.prices(self._days)
        self._online = (retailer.stores["channel_row"] == ONLINE).to_numpy()
        self._hours = np.stack([_table(_HOURS[channel]) for channel in CHANNELS])

    def sell(self, first: int, stop: int) -> Sold:
        """The lines of the days from `first` to the one before `stop`."""
        expected, units = self._demand.sales(first, stop)
        rng = stream(self._seed, f"orders from {first}")
        cells, quantity = self._lines(units, first, rng)
        shape = units.shape
        _, store, day = _cell_of(cells, shape)
        lines, sizes = _baskets(day * shape[1] + store, rng)

        orders = len(sizes)
        cancelled = np.flatnonzero(rng.random(orders) < CANCELLED_ORDERS)
        back = np.flatnonzero(rng.random(len(lines)) < RETURNED_LINES)
        after = rng.integers(*RETURNED_AFTER, len(back))
        in_time = first + day[lines[back]] + after < self._days
        back, after = back[in_time], after[in_time]
        starts = np.cumsum(sizes) - sizes
        lines = np.concatenate([lines, lines[ranges(starts[cancelled], sizes[cancelled])], lines[back]])
        sizes = np.concatenate([sizes, sizes[cancelled], np.ones(len(back), dtype=np.int64)])
        status = np.repeat([FATURADO, CANCELADO, FATURADO], [orders, len(cancelled), len(back)])
        comes_back = np.concatenate([np.zeros(orders + len(cancelled), dtype=np.int64), after])

        starts = np.cumsum(sizes) - sizes
        head = lines[starts]
        clock = self._clock(self._online[store[head]], rng)
        by_time = _by_time(day[head], clock)
        sizes, starts = sizes[by_time], starts[by_time]
        lines = lines[ranges(starts, sizes)]
        of_line = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        order_day = day[head][by_time]
        first_of_day = np.searchsorted(order_day, np.arange(shape[2]))
        filled = self._fill(
            expected,
            cells[lines],
            quantity[lines],
            first,
            {
                "number": (np.arange(len(sizes)) - first_of_day[order_day] + 1)[of_line],
                "item": np.arange(len(lines)) - (np.cumsum(sizes) - sizes)[of_line] + 1,
                "clock": clock[by_time][of_line],
                "status": status[by_time][of_line],
            },
            of_line,
            rng,
        )
        return Sold(filled, self._returns(filled, comes_back[by_time][of_line], rng))

    def _lines(self, units: Ints, first: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """The cell of each line, and its quantity."""
        sold = np.flatnonzero(units.reshape(-1) > 0)
        count = units.reshape(-1)[sold]
        cell = np.repeat(np.arange(len(sold)), count)
        place = np.arange(len(cell)) - (np.cumsum(count) - count)[cell]
        sku, _, day = _cell_of(sold, units.shape)
        price = self._prices[day + first, sku]
        joins = np.select([price < limit for limit, _ in TOGETHER[:-1]], [share for _, share in TOGETHER[:-1]], TOGETHER[-1][1])
        begins = np.flatnonzero((place % MOST_UNITS == 0) | (rng.random(len(cell)) >= joins[cell]))
        return sold[cell[begins]], np.diff(begins, append=len(cell))

    def _clock(self, online: NDArray[np.bool_], rng: np.random.Generator) -> Ints:
        drawn = rng.integers(0, 2**32, len(online), dtype=np.uint32)
        hour = self._hours[online.astype(np.int64), drawn >> np.uint32(20)]
        within: Ints = (drawn & np.uint32(0xFFFFF)).astype(np.int64) * 3600 >> 20
        clock: Ints = hour * 3600 + within
        return clock

    def _fill(
        self,
        expected: Expectation,
        cells: Ints,
        quantity: Ints,
        first: int,
        known: dict[str, Ints],
        of_line: Rows,
        rng: np.random.Generator,
    ) -> Lines:
        product, store, day = _cell_of(cells, expected.units.shape)
        price = self._prices[day + first, product]
        percent = np.rint(expected.discount.reshape(-1)[cells] * 100).astype(np.int64)
        online = self._online[store]
        orders = int(of_line[-1]) + 1 if len(of_line) else 0
        nobody = rng.random(orders) < ANONYMOUS_IN_SHOPS
        customer = np.where(nobody[of_line] & ~online, self._customers.nobody, self._customers.draw(orders, rng)[of_line])
        delay = np.minimum(rng.exponential(1500, orders), 6 * 3600).astype(np.int64)
        shipping = np.where(rng.random(orders) < FREE_FREIGHT, 0, rng.integers(*FREIGHT, orders))
        return Lines(
            day=day + first,
            store=store,
            product=product,
            customer=customer,
            quantity=quantity,
            price=price,
            discount=(price * quantity * percent + 50) // 100,
            freight=np.where(online, np.where(known["item"] == 1, shipping[of_line], 0), NO_FREIGHT),
            promotion=expected.promotion.reshape(-1)[cells],
            updated=(day + first) * DAY + known["clock"] + delay[of_line],
            kind=np.zeros(len(cells), dtype=np.int8) + Kind.PLAIN,
            **known,
        )

    def _returns(self, lines: Lines, after: Ints, rng: np.random.Generator) -> Lines:
        rows = np.flatnonzero(after)
        back = lines.take(rows)
        day, clock = back.day + after[rows], rng.integers(10 * 3600, 19 * 3600, len(rows))
        updated = day * DAY + clock + rng.integers(60, 3 * 3600, len(rows))
        amounts = {"quantity": -back.quantity, "discount": -back.discount}
        return back.but(day=day, clock=clock, updated=updated, number=0, item=1, status=DEVOLVIDO, freight=NO_FREIGHT, **amounts)


def _cell_of(cells: Ints, shape: tuple[int, ...]) -> tuple[Ints, Ints, Ints]:
    """SKU, store and day; as np.unravel_index, without its slow remainders."""
    pairs = cells // shape[2]
    sku = pairs // shape[1]
    return sku, pairs - sku * shape[1], cells - pairs * shape[2]


def _baskets(group: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """The lines in the order of their baskets, and the baskets' sizes; a basket holds lines of one day and store."""
    shuffled = rng.permutation(len(group))
    shuffled = shuffled[_by_small_key(group[shuffled])]
    group = group[shuffled]
    begins = rng.random(len(group)) >= SAME_BASKET
    begins[1:] |= group[1:] != group[:-1]
    begins[:1] = True
    return shuffled, np.diff(np.flatnonzero(begins), append=len(group))


def _by_time(day: Ints, clock: Ints) -> Ints:
    """The rows by day and second of it, in two passes of small keys."""
    rows = _by_small_key(clock & 0xFFFF)
    return rows[_by_small_key((day << 1 | clock >> 16)[rows])]


def _by_small_key(keys: Ints) -> Ints:
    # numpy sorts keys of 16 bits by radix, several times as fast as longer ones.
    small = keys.astype(np.uint16) if len(keys) and int(keys.max()) < 2**16 else keys
    return np.argsort(small, kind="stable")


def _table(hours: tuple[float, ...]) -> Ints:
    """Hours as often as they are chosen, for twelve random bits."""
    shares = np.cumsum(hours) / sum(hours)
    return np.searchsorted(shares, (np.arange(4096) + 0.5) / 4096).astype(np.int64)
