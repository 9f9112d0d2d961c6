"""The sales file of the ERP: its headers, and lines as it prints them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sales_tech.twin.customers import Customers
from sales_tech.twin.dirt import NO_NUMBERS, NO_SUCH_DATES, NO_SUCH_SKUS, Kind, cut_price
from sales_tech.twin.lines import DAY, STATUSES, Lines
from sales_tech.twin.orders import FREIGHT, MOST_UNITS
from sales_tech.twin.planning import DEPTHS
from sales_tech.twin.retailer import Retailer
from sales_tech.twin.text import Money, Texts, clocks, dates, join, money, numbers, pick, words

SALES_HEADERS = (
    "Pedido", "Item", "Data da Venda", "Loja", "Canal", "SKU", "CPF do Cliente", "Nome do Cliente", "E-mail", "Quantidade",
    "Preço Unitário", "Desconto", "Frete", "Promoção", "Situação", "Atualizado em",
)  # fmt: skip
DAYS_AFTER = 10
"""Lines are updated, and the event stream tells of orders, for a few days after the history."""

MOST_ITEMS = 60
"""Lines of an order, at most."""

DEEPEST = max(max(depths) for depths in DEPTHS.values())

_MOST = MOST_UNITS + 3


class Printer:
    """Prints lines of one retailer; every value is looked up among those that may occur."""

    def __init__(self, retailer: Retailer, customers: Customers) -> None:
        stores, products, history = retailer.stores, retailer.catalogue.products, retailer.history
        days = history.days[0] + np.arange(len(history.days) + DAYS_AFTER)
        self._days, self._skus = len(days), len(products)
        self._day = words((f"{day:%y%m%d}" for day in days.tolist()), "")
        self._number = _pairs(numbers(1_000, 3, end=""), numbers(1_000, 3))
        self._item_and_date = _pairs(numbers(MOST_ITEMS), pa.concat_arrays([dates(days), words(NO_SUCH_DATES, "")]))
        self._clock, self._updated_on, self._updated_at = clocks(), dates(days), clocks("\n")
        self._store = words(f"{code};{channel}" for code, channel in zip(stores["store_id"], stores["channel"], strict=True))
        self._sku = words([*products["sku"], *NO_SUCH_SKUS])
        self._customer = customers.printed
        regular = retailer.catalogue.revisions["price"].to_numpy()
        self._prices = np.unique(np.concatenate([regular, cut_price(regular)]))
        self._place_of_price = np.zeros(int(self._prices[-1]) + 1, dtype=np.int32)
        self._place_of_price[self._prices] = np.arange(len(self._prices))
        quantities = words([*map(str, range(-_MOST, _MOST + 1)), *NO_NUMBERS])
        self._quantity_and_price = _pairs(quantities, words(money(self._prices.tolist())))
        self._money = Money.up_to(int(self._prices[-1]) * max(100, _MOST * DEEPEST) // 100)
        self._freight = words(["", *money(range(FREIGHT[1]))])
        # The first three, which row -1 means, are no promotion.
        self._ending = words(f"{code};{status}" for code in ["", *retailer.promotions["code"]] for status in STATUSES)

    def print(self, lines: Lines) -> Texts:
        """Each line with its line end; what is spoilt cannot be read by a typed column."""
        date, product, quantity = lines.day, lines.product, lines.quantity + _MOST
        if lines.kind.any():
            which = lines.number % 3
            date = np.where(lines.kind == Kind.IMPOSSIBLE_DATE, self._days + which, date)
            product = np.where(lines.kind == Kind.UNKNOWN_SKU, self._skus + which, product)
            quantity = np.where(lines.kind == Kind.TEXT_QUANTITY, 2 * _MOST + 1 + which, quantity)
        updated_on = lines.updated // DAY
        return join(
            [
                *(pick(self._day, lines.day), pick(self._number, lines.number)),
                pick(self._item_and_date, lines.item * (self._days + len(NO_SUCH_DATES)) + date),
                pick(self._clock, lines.clock),
                *(pick(self._store, lines.store), pick(self._sku, product), pick(self._customer, lines.customer)),
                pick(self._quantity_and_price, quantity * len(self._prices) + self._place_of_price[lines.price]),
                *self._money.columns(lines.discount),
                pick(self._freight, lines.freight + 1),
                pick(self._ending, 3 * (lines.promotion + 1) + lines.status),
                *(pick(self._updated_on, updated_on), pick(self._updated_at, lines.updated - DAY * updated_on)),
            ]
        )


def _pairs(first: Texts, second: Texts) -> Texts:
    """Every text of the one followed by every text of the other: one column to look up in place of two."""
    rows = np.arange(len(first) * len(second), dtype=np.int32)
    return join([pick(first, rows // len(second)), pick(second, rows % len(second))])
