"""The order events of the sample's online shop: the last weeks, which the exports tell of too, and a day that they do not know yet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from sales_tech.sample.catalogue import Catalogue
from sales_tech.sample.customers import POOL, Customers
from sales_tech.sample.history import History
from sales_tech.sample.orders import CANCELADO, DEVOLVIDO
from sales_tech.sample.places import PLACES, WEB

SOURCE = "erp_br"
DAYS = 21
"""Days of the export's end that the stream tells of as well."""

DOUBLED = 0.05
LATE_CANCELLATIONS = 4
_SAO_PAULO = ZoneInfo("America/Sao_Paulo")
_AHEAD = 9_000_000
"""Numbers of orders that no export has yet begin here."""


@dataclass(frozen=True)
class StreamSummary:
    """What was written: the file, the events in it that can be read, those that came twice, and those that cannot."""

    path: Path
    events: int
    doubled: int
    spoilt: int


class EventMaker:
    """Turns lines into the events that a shop would post of them; `codes` are the promotions' in the order of their rows."""

    def __init__(self, catalogue: Catalogue, customers: Customers, codes: list[str]) -> None:
        self._skus = catalogue.products["sku"].tolist()
        self._customers, self._codes = customers, [*codes, None]  # row -1 is no promotion

    def events(self, lines: pd.DataFrame) -> Iterator[dict[str, Any]]:
        """An event for each order; one more where it was cancelled."""
        for _, order in lines.groupby("order", sort=True):
            head = order.iloc[0]
            returned = head["status"] == DEVOLVIDO
            yield self._event("item_returned" if returned else "order_placed", head["sold_at"], order, self._order(order))
            if head["status"] == CANCELADO:
                yield self.cancellation(order, head["updated_at"])

    def cancellation(self, order: pd.DataFrame, moment: Any) -> dict[str, Any]:
        """An event that cancels a whole order."""
        said = {"order_id": str(order["order"].iloc[0]), "lines": [{"line": str(item)} for item in order["item"]]}
        return self._event("order_cancelled", moment, order, said)

    def _event(self, kind: str, moment: Any, order: pd.DataFrame, said: dict[str, Any]) -> dict[str, Any]:
        number = f"{order['order'].iloc[0]}-{kind.rpartition('_')[2]}"
        return {"event_id": number, "event_type": kind, "source": SOURCE, "occurred_at": _local(moment), "order": said}

    def _order(self, order: pd.DataFrame) -> dict[str, Any]:
        head = order.iloc[0]
        place = PLACES[head["place"]]
        said: dict[str, Any] = {"order_id": str(head["order"]), "ordered_at": _local(head["sold_at"])}
        said |= {"store_id": place.code, "channel": place.channel, "currency": "BRL"}
        row = int(head["customer"])
        if row != POOL:
            known = self._customers
            said["customer"] = {"tax_id": known.cpf[row], "name": known.name[row], "email": known.email[row]}
        return said | {"lines": [self._line(line) for _, line in order.iterrows()]}

    def _line(self, line: pd.Series) -> dict[str, Any]:
        said = {
            "line": str(line["item"]),
            "sku": self._skus[line["product"]],
            "quantity": abs(int(line["quantity"])),
            "unit_price": _money(line["price"]),
            "discount": _money(abs(line["discount"])),
        }
        if line["freight"] >= 0:
            said["freight"] = _money(line["freight"])
        promotion = self._codes[line["promotion"]]
        return said | ({"promotion_id": promotion} if promotion else {})


def write_events(path: Path, history: History, lines: pd.DataFrame, maker: EventMaker, rng: np.random.Generator) -> StreamSummary:
    """Write the stream of the online shop as JSON lines, shuffled, some twice, a few that cannot be read.

    `lines` has the columns of `orders`.
    """
    start = history.end - np.timedelta64(DAYS, "D")
    web = lines[(lines["place"] == WEB) & (lines["sold_at"] >= start)]
    day = web[web["sold_at"] >= history.end - np.timedelta64(1, "D")]
    day = day[day["status"] != DEVOLVIDO]
    tomorrow = day.assign(order=day["order"] + _AHEAD, sold_at=day["sold_at"] + np.timedelta64(1, "D"))
    tomorrow = tomorrow.assign(updated_at=tomorrow["sold_at"])
    events = [event for part in (web, tomorrow) for event in maker.events(part)]
    late = [order for _, order in list(tomorrow[tomorrow["status"] != CANCELADO].groupby("order"))[:LATE_CANCELLATIONS]]
    events += [maker.cancellation(order, order["sold_at"].iloc[0] + np.timedelta64(3, "h")) for order in late]
    again = [events[row] for row in rng.choice(len(events), size=round(DOUBLED * len(events)), replace=False).tolist()]
    texts = [json.dumps(event, ensure_ascii=False) for event in (*events, *again)]
    spoilt = _spoilt(texts[0])
    texts = [texts[row] for row in rng.permutation(len(texts)).tolist()]
    for text in spoilt:
        texts.insert(int(rng.integers(0, len(texts))), text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return StreamSummary(path, len(events), len(again), len(spoilt))


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


def _local(moment: Any) -> str:
    return pd.Timestamp(moment).to_pydatetime().replace(tzinfo=_SAO_PAULO).isoformat()


def _money(centavos: int) -> str:
    return f"{int(centavos) // 100}.{int(centavos) % 100:02}"
