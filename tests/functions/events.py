"""Events by the contract, to be broken one field at a time."""

from __future__ import annotations

import gzip
import json
from typing import Any


def placed(order_id: str = "PED-1", **changes: Any) -> dict[str, Any]:
    """A sale of two lines; the changes replace fields of the event."""
    event = {
        "event_id": f"evt-{order_id}",
        "event_type": "order_placed",
        "source": "erp_br",
        "occurred_at": "2026-03-01T10:00:00.123456-03:00",
        "order": {
            "order_id": order_id,
            "ordered_at": "2026-03-01T13:00:00Z",
            "store_id": "LOJA-1",
            "channel": "online",
            "currency": "BRL",
            "customer": {"tax_id": "11144477735", "name": "Ana Lídia", "email": "ana@example.com", "state": "SP"},
            "lines": [line(1), line("2")],
        },
    }
    return event | changes


def line(number: Any, **changes: Any) -> dict[str, Any]:
    return {"line": number, "sku": "SKU-1", "quantity": 1, "unit_price": "199.90", "discount": 10, "freight": 12.9} | changes


def with_order(**changes: Any) -> dict[str, Any]:
    """A sale with other fields in its order."""
    event = placed()
    return event | {"order": event["order"] | changes}


def with_line(**changes: Any) -> dict[str, Any]:
    """A sale of one line with other fields."""
    return with_order(lines=[line(1, **changes)])


def record(body: Any, identifier: Any = "m-1", receives: Any = "1") -> dict[str, Any]:
    return {"messageId": identifier, "body": body, "attributes": {"ApproximateReceiveCount": receives}}


def batch(*records: Any) -> dict[str, Any]:
    return {"Records": list(records)}


def text_of(number: int) -> str:
    return json.dumps(placed(f"PED-{number}"))


def lines_of(objects: dict[str, bytes]) -> list[str]:
    return [line for content in objects.values() for line in gzip.decompress(content).decode().removesuffix("\n").split("\n")]


def failed(answer: dict[str, Any]) -> list[str]:
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]
