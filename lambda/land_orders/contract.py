"""The event contract: what the body of a message must be to land, and the reason where it is not.

An event says that an order was placed or cancelled, or that items came back:

    {"event_id": "...", "event_type": "order_placed", "source": "erp_br", "occurred_at": "2026-03-01T10:00:00-03:00",
     "order": {"order_id": "...", "ordered_at": "...", "store_id": "...", "currency": "BRL",
               "lines": [{"line": 1, "sku": "...", "quantity": 2, "unit_price": "199.90"}]}}

`fields.py` holds the rule of each field. Unknown fields are kept, and a null counts as absent. Of a cancelled
order only its id and its line numbers are looked at. Reasons name fields and kinds, never a value: it may be personal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NoReturn

from fields import CUSTOMER, EVENT, LINE, NAMES, ORDER, Decimal, Field, Whole, kind, lone_surrogate

LONGEST = 256 * 1024
"""Bytes of UTF-8 that an event may have; an SQS message holds as much or more."""

DEEPEST = 20
MOST_LINES = 500
LONGEST_NUMBER = 40
"""Characters of a number, also in unknown fields; readers of JSON give up at different lengths beyond."""

AHEAD = timedelta(days=1)
"""How far a clock that makes events may be ahead of ours."""

_BLANKS = " \t\r\n"
_REASONS = 3


class Refused(Exception):
    """An event breaks the contract; the text is the reason, made of our own words and field names alone."""


def check(body: str | bytes, now: datetime) -> str:
    """The event as one line of text, character by character as it came but for line breaks between its parts.

    Two texts of one event that differ in blanks between their parts stay two lines. A line may hold any character
    but carriage return and line feed, so lines are to be split at line feeds alone. Raises Refused.
    """
    text = _text(body)
    event = _parsed(text)
    problems = list(islice(_problems(event, now + AHEAD), _REASONS))
    if problems:
        raise Refused("; ".join(problems))
    return text.strip(_BLANKS).replace("\r", " ").replace("\n", " ")


def _text(body: str | bytes) -> str:
    """The body as text that can be written as UTF-8."""
    try:
        text = body.decode() if isinstance(body, bytes) else body
        size = len(body) if isinstance(body, bytes) or body.isascii() else len(body.encode())
    except UnicodeDecodeError as error:
        raise Refused(f"invalid UTF-8 at byte {error.start}, expected JSON in UTF-8") from None
    except UnicodeEncodeError as error:
        raise Refused(f"half a surrogate pair at character {error.start}, expected text in Unicode") from None
    if size > LONGEST:
        raise Refused(f"{size} bytes, expected at most {LONGEST}")
    return text


def _parsed(text: str) -> dict[str, Any]:
    """The event as an object of JSON, its numbers as they are written."""
    try:
        event = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Refused(f"not JSON: {error.msg.partition(':')[0].removesuffix(' at')} at character {error.pos}") from None
    except RecursionError:
        raise Refused(_TOO_DEEP) from None
    if type(event) is not dict:
        raise Refused(f"{'null' if event is None else kind(event)}, expected an object with an event")
    # Half a pair can only come from an escape, and depth only from brackets: cheap to rule out for nearly every event.
    if "\\u" in text and any(map(lone_surrogate, _strings(event))):
        raise Refused("half a surrogate pair in a text or a key, expected text in Unicode")
    if text.count("{") + text.count("[") > DEEPEST and _depth(event) > DEEPEST:
        raise Refused(_TOO_DEEP)
    return event


_TOO_DEEP = f"nested deeper than {DEEPEST} levels"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # Readers of JSON differ in which one they take.
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Refused(f"{twice if twice in NAMES else 'a key that the contract does not know'}: given twice in one object, expected once")
    return found


def _decimal(digits: str) -> Decimal:
    return Decimal(_of_sane_length(digits))


def _whole(digits: str) -> Whole:
    return Whole(_of_sane_length(digits))


def _of_sane_length(digits: str) -> str:
    if len(digits) > LONGEST_NUMBER:
        raise Refused(f"a number of {len(digits)} characters, expected at most {LONGEST_NUMBER}")
    return digits


def _no_number(name: str) -> NoReturn:
    raise Refused(f"not JSON: {name}, expected a number")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=_decimal, parse_int=_whole, parse_constant=_no_number)


def _depth(event: dict[str, Any]) -> int:
    """Levels of objects and lists within each other, the event itself being one; stops one past the deepest allowed."""
    level: list[Any] = [event]
    depth = 0
    while level and depth <= DEEPEST:
        depth += 1
        level = [part for whole in level for part in (whole.values() if type(whole) is dict else whole) if type(part) in (dict, list)]
    return depth


def _strings(event: dict[str, Any]) -> Iterator[str]:
    """All keys and texts of an event."""
    waiting: list[Any] = [event]
    while waiting:
        part = waiting.pop()
        if type(part) is dict:
            yield from part
            waiting.extend(part.values())
        elif type(part) is list:
            waiting.extend(part)
        elif type(part) is str:
            yield part


def _problems(event: dict[str, Any], latest: datetime) -> Iterator[str]:
    yield from _of_fields(event, EVENT, "", latest)
    order = event.get("order")
    if type(order) is not dict:
        yield f"order: {kind(order)}, expected an object"
        return
    of = event.get("event_type")
    if type(of) is not str or of not in ORDER:
        return
    yield from _of_fields(order, ORDER[of], "order.", latest)
    if of != "order_cancelled":
        customer = order.get("customer")
        if type(customer) is dict:
            yield from _of_fields(customer, CUSTOMER, "order.customer.", latest)
        elif customer is not None:
            yield f"order.customer: {kind(customer)}, expected an object or nothing"
    yield from _of_lines(order.get("lines"), LINE[of], latest)


def _of_lines(lines: Any, fields: tuple[Field, ...], latest: datetime) -> Iterator[str]:
    if type(lines) is not list or not 1 <= len(lines) <= MOST_LINES:
        found = f"a list of {len(lines)}" if type(lines) is list else kind(lines)
        yield f"order.lines: {found}, expected a list of 1 to {MOST_LINES} lines"
        return
    seen: dict[str, int] = {}
    for place, line in enumerate(lines):
        if type(line) is not dict:
            yield f"order.lines[{place}]: {kind(line)}, expected an object"
            continue
        yield from _of_fields(line, fields, f"order.lines[{place}].", latest)
        number = line.get("line")
        if isinstance(number, str):
            first = seen.setdefault(number.strip(), place)
            if first != place:
                yield f"order.lines[{place}].line: the same as that of order.lines[{first}], expected another"


def _of_fields(found: dict[str, Any], fields: tuple[Field, ...], path: str, latest: datetime) -> Iterator[str]:
    for name, wrong, expected, needed in fields:
        value = found.get(name)
        if value is None:
            if needed:
                yield f"{path}{name}: missing, expected {expected}"
        elif problem := wrong(value, latest):
            yield f"{path}{name}: {problem}, expected {expected}"
