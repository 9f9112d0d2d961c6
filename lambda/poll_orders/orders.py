"""Orders as the API tells them, and the events they become."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

LOG = logging.getLogger("poll_orders")

LARGEST = 256 * 1024
"""Bytes of an event: what the event contract takes, and what every SQS queue holds."""

_LONGEST_INTEGER = 40
_EVENT_TYPES = {"placed": "order_placed", "cancelled": "order_cancelled", "returned": "item_returned"}


class NoPage(Exception):
    """The answer is not a page of orders; the text says what was found and expected, without values."""


def parse(answer: bytes) -> Any:
    """The answer's JSON so that no value changes: decimals become text digit by digit, never binary floats.

    What readers of JSON would lose is kept for the event contract to refuse: an object that has a key twice becomes
    a list of its pairs, NaN and Infinity become text. Raises NoPage.
    """
    try:
        return _DECODER.decode(answer.decode())
    except UnicodeDecodeError as error:
        raise NoPage(f"invalid UTF-8 at byte {error.start}, expected JSON in UTF-8") from None
    except json.JSONDecodeError as error:
        raise NoPage(f"no JSON at character {error.pos} of {len(answer)} bytes, expected a page of orders") from None
    except RecursionError:
        raise NoPage("JSON nested too deep to be read, expected a page of orders") from None


def _pairs(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    return found if len(found) == len(pairs) else [list(pair) for pair in pairs]


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else digits


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_float=str, parse_int=_integer, parse_constant=str, strict=False)


def event_of(order: Any, source: str) -> str:
    """The event of an order, the same text whenever the order is the same; an order that is none is sent as it is.

    An order that no message can carry is replaced by its id alone, which land_orders refuses: it ends among the dead
    letters, where somebody sees it.
    """
    found = order if isinstance(order, dict) else {}
    status, updated_at = found.get("status"), found.get("updated_at")
    event = {
        "event_type": _EVENT_TYPES.get(status, status) if isinstance(status, str) else status,
        "source": source,
        "occurred_at": updated_at,
        "order": order,
    }
    try:
        text = _canonical({"event_id": _identity(source, order), **event})
        problem = f"an order of {len(text)} bytes as an event, expected at most {LARGEST}" if len(text) > LARGEST else None
    except RecursionError:
        problem = "an order nested too deep to be written"
    if problem is None:
        return text
    known = {name: value if isinstance(value, str) and len(value) <= 200 else None for name, value in (found | event).items()}
    rest = {"order": {"order_id": known.get("order_id")}, "left_out": problem}
    event_id = _identity(source, [known.get("order_id"), known["event_type"], known["occurred_at"], problem])
    LOG.error(json.dumps({"event_id": event_id, "problem": problem}))
    return _canonical({"event_id": event_id, **{name: known[name] for name in event}, **rest})


def _identity(source: str, content: Any) -> str:
    """An id that follows from the content; that of an order holds its id, its status and the time of its update."""
    return sha256(_canonical([source, content]).encode()).hexdigest()


def page_digest(events: Iterable[str]) -> str:
    """Tells one page's events from another's."""
    return sha256("\n".join(events).encode()).hexdigest()


def _canonical(value: Any) -> str:
    """JSON in one form, ASCII alone, so that SQS takes it and its length is its bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
