"""The order events of the first online shop: the last weeks, which the exports tell of too, and a day that they do not know yet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from sales_tech.twin.customers import Customers
from sales_tech.twin.lines import CANCELADO, DAY, DEVOLVIDO, Lines
from sales_tech.twin.retailer import Retailer
from sales_tech.twin.stores import CHANNELS

SOURCE = "erp_br"
DAYS = 21
"""Days of the export's end that the stream tells of as well."""

DOUBLED = 0.05
LATE_CANCELLATIONS = 4
_SAO_PAULO = ZoneInfo("America/Sao_Paulo")


@dataclass(frozen=True)
class StreamSummary:
    """What was written: the file, the events in it that can be read, those that came twice, and those that cannot."""

    path: Path
    events: int
    doubled: int
    spoilt: int


class EventMaker:
    """Turns the lines of a retailer into the events that its shop would post of them."""

    def __init__(self, retailer: Retailer, customers: Customers) -> None:
        self._first, self._customers = retailer.history.first, customers
        self._skus = retailer.catalogue.products["sku"].tolist()
        self._codes = [*retailer.promotions["code"], None]  # row -1 is no promotion
        self._stores = list(zip(retailer.stores["store_id"], retailer.stores["channel"], strict=True))

    def events(self, orders: Iterable[Lines]) -> Iterator[dict[str, Any]]:
        """An event for each order; one more where it was cancelled."""
        for order in orders:
            returned = order.status[0] == DEVOLVIDO
            said = self._order(order)
            yield self._event("item_returned" if returned else "order_placed", self._sold_at(order), order, said)
            if order.status[0] == CANCELADO:
                yield self.cancellation(order, int(order.updated[0]))

    def cancellation(self, order: Lines, second: int) -> dict[str, Any]:
        """An event that cancels a whole order, at a second since the first day."""
        said = {"order_id": self._number(order), "lines": [{"line": str(item)} for item in order.item.tolist()]}
        return self._event("order_cancelled", second, order, said)

    def _event(self, kind: str, second: int, order: Lines, said: dict[str, Any]) -> dict[str, Any]:
        number = f"{self._number(order)}-{kind.rpartition('_')[2]}"
        return {"event_id": number, "event_type": kind, "source": SOURCE, "occurred_at": self._moment(second), "order": said}

    def _order(self, order: Lines) -> dict[str, Any]:
        store, channel = self._stores[int(order.store[0])]
        said: dict[str, Any] = {"order_id": self._number(order), "ordered_at": self._moment(self._sold_at(order))}
        said |= {"store_id": store, "channel": channel, "currency": "BRL"}
        row = int(order.customer[0])
        if row != self._customers.nobody:
            said["customer"] = dict(zip(("tax_id", "name", "email"), self._customers.facts(row), strict=True))
        columns = (order.item, order.product, order.quantity, order.price, order.discount, order.freight, order.promotion)
        return said | {"lines": [self._line(*values) for values in zip(*(column.tolist() for column in columns), strict=True)]}

    def _line(self, item: int, product: int, quantity: int, price: int, discount: int, freight: int, promotion: int) -> dict[str, Any]:
        said = {"line": str(item), "sku": self._skus[product], "quantity": abs(quantity)}
        said |= {"unit_price": _money(price), "discount": _money(abs(discount))}
        if freight >= 0:
            said["freight"] = _money(freight)
        code = self._codes[promotion]
        return said | ({"promotion_id": code} if code else {})

    def _number(self, order: Lines) -> str:
        day = self._first + timedelta(days=int(order.day[0]))
        return f"{day:%y%m%d}{int(order.number[0]):06d}"

    def _sold_at(self, order: Lines) -> int:
        return int(order.day[0]) * DAY + int(order.clock[0])

    def _moment(self, second: int) -> str:
        local = datetime.combine(self._first, time()) + timedelta(seconds=second)
        return local.replace(tzinfo=_SAO_PAULO).isoformat()


def told(retailer: Retailer, lines: Lines) -> Lines:
    """The lines that the stream tells of: those of the first online store in the last weeks."""
    store = int(np.flatnonzero(retailer.stores["channel_row"] == CHANNELS.index("online"))[0])
    return lines.take(np.flatnonzero((lines.store == store) & (lines.day >= len(retailer.history.days) - DAYS)))


def write_events(path: Path, lines: Lines, maker: EventMaker, last: int, rng: np.random.Generator) -> StreamSummary:
    """Write the stream as JSON lines, shuffled, some twice, a few that cannot be read; `last` is the position of the last day."""
    day = lines.take(np.flatnonzero((lines.day == last) & (lines.status != DEVOLVIDO)))
    tomorrow = day.but(day=last + 1, updated=(last + 1) * DAY + day.clock)
    events = [event for part in (lines, tomorrow) for event in maker.events(_orders(part))]
    late = [order for order in _orders(tomorrow) if order.status[0] != CANCELADO][:LATE_CANCELLATIONS]
    events += [maker.cancellation(order, int(order.updated[0]) + 3 * 3600) for order in late]
    again = [events[row] for row in rng.choice(len(events), size=round(DOUBLED * len(events)), replace=False).tolist()]
    texts = [json.dumps(event, ensure_ascii=False) for event in (*events, *again)]
    spoilt = _spoilt(texts[0]) if texts else []
    texts = [texts[row] for row in rng.permutation(len(texts)).tolist()]
    for text in spoilt:
        texts.insert(int(rng.integers(0, len(texts))), text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return StreamSummary(path, len(events), len(again), len(spoilt))


def _orders(lines: Lines) -> Iterator[Lines]:
    keys = lines.day.astype(np.int64) << 20 | lines.number
    order = np.argsort(keys, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
        if len(rows):
            yield lines.take(rows)


def _spoilt(text: str) -> list[str]:
    """Messages as they should not be: no JSON, no order, a quantity in words, a time to come, an unknown kind."""
    event = json.loads(text)
    lines = [{**event["order"]["lines"][0], "quantity": "dois"}]
    changes: tuple[dict[str, Any], ...] = (
        {"order": None},
        {"order": {**event["order"], "lines": lines}, "event_type": "order_placed"},
        {"occurred_at": "2199-01-01T00:00:00Z"},
        {"event_type": "order_lost"},
    )
    return [text[: len(text) // 2], *(json.dumps(event | change | {"event_id": f"spoilt-{row}"}) for row, change in enumerate(changes))]


def _money(centavos: int) -> str:
    return f"{centavos // 100}.{centavos % 100:02}"
