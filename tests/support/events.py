"""Order events as a shop posts them, and landed as the consumer of the queue lands them."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Event = dict[str, Any]


def line(number: str = "1", **fields: Any) -> dict[str, Any]:
    """A line of an order."""
    return {"line": number, "sku": "A", "quantity": 1, "unit_price": "10.00"} | fields


def placed(order_id: str = "P1", at: str = "2026-01-10T10:00:00-03:00", *lines: dict[str, Any], **fields: Any) -> Event:
    """An order that was placed, with one plain line unless some are given; `fields` are the order's."""
    order = {
        "order_id": order_id,
        "ordered_at": at,
        "store_id": "L1",
        "channel": "Loja",
        "currency": "BRL",
        "lines": list(lines) or [line()],
    }
    return _event("order_placed", at, order | fields)


def amended(event: Event, at: str, **fields: Any) -> Event:
    """The same order, stated anew at another moment."""
    return _event(event["event_type"], at, event["order"] | fields)


def cancelled(order_id: str = "P1", at: str = "2026-01-11T10:00:00-03:00", *lines: str) -> Event:
    """A cancellation of an order's lines, of line 1 unless some are given."""
    return _event("order_cancelled", at, {"order_id": order_id, "lines": [{"line": number} for number in lines or ("1",)]})


def returned(order_id: str, of: str, at: str, *lines: dict[str, Any]) -> Event:
    """A return, which is booked under an order of its own."""
    event = placed(order_id, at, *lines, returns_order_id=of)
    return _event("item_returned", at, event["order"])


def land_events(landing: Path, *events: Event | str) -> Path:
    """Write events as one object, named by its content."""
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    text = "".join(f"{one}\n" for one in lines).encode()
    name = hashlib.sha256(text).hexdigest()
    path = landing / "order_events" / name[:2] / f"{name}.jsonl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text, mtime=0))
    return path


def land_each(landing: Path, events: Iterable[Event]) -> None:
    """Write every event as an object of its own."""
    for event in events:
        land_events(landing, event)


def _event(kind: str, at: str, order: dict[str, Any]) -> Event:
    identity = json.dumps([kind, at, order], sort_keys=True)
    return {
        "event_id": hashlib.sha256(identity.encode()).hexdigest()[:16],
        "event_type": kind,
        "source": "erp_br",
        "occurred_at": at,
        "order": order,
    }
