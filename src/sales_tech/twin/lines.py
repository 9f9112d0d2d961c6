"""Order lines as columns of numbers: what a sales file says, before it is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from sales_tech.twin.history import History, Ints
from sales_tech.twin.text import Rows

FATURADO, CANCELADO, DEVOLVIDO = range(3)
STATUSES = ("FATURADO", "CANCELADO", "DEVOLVIDO")
NO_FREIGHT = -1
DAY = 86_400


@dataclass(frozen=True)
class Lines:
    """One entry per order line in each array.

    An order is told by the position of its `day` and its `number` within the day. Stores, products, customers
    and promotions are rows, money is centavos, `clock` is the second of the day, `updated` seconds since the first day.
    `kind` is what is wrong with the line, as in `dirt`. Freight and promotion are -1 where there is none.
    """

    day: Rows
    number: Rows
    item: Rows
    clock: Rows
    store: Rows
    product: Rows
    customer: Rows
    quantity: Rows
    price: Rows
    discount: Rows
    freight: Rows
    promotion: Rows
    status: Rows
    updated: Rows
    kind: Rows

    def __len__(self) -> int:
        return len(self.day)

    def take(self, rows: Any) -> Lines:
        """Some of the lines, by row numbers or by a mask."""
        return Lines(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def but(self, **columns: Any) -> Lines:
        """The same lines with other columns; a single value stands for all lines."""
        return replace(self, **{name: np.broadcast_to(np.asarray(value), len(self)) for name, value in columns.items()})

    def file(self, history: History) -> Ints:
        """The row of the month in whose file a line stands that was written when it was updated."""
        return history.month_of(history.days[0] + (self.updated // DAY).astype("timedelta64[D]"))


def together(parts: Sequence[Lines]) -> Lines:
    """All lines of the parts; there must be one."""
    return Lines(**{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Lines)})
