"""The fields of an event: which there must be, and what each may hold.

A rule takes a value and the latest time that is allowed. It tells in words what is wrong with the value, never
the value itself, or None where nothing is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST_TEXT = 200
EVENT_TYPES = ("order_placed", "order_cancelled", "item_returned")

_MONEY = re.compile(r"[0-9]{1,16}(\.[0-9]{1,2})?")
_QUANTITY = re.compile(r"[1-9][0-9]{0,8}")
_LINE = re.compile(r"0|[1-9][0-9]{0,17}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_SOURCE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Whole(str):
    """A whole number of JSON, as it is written."""

    __slots__ = ()


class Decimal(str):
    """A number of JSON with a point or an exponent, as it is written: it never becomes a binary float."""

    __slots__ = ()


class Field(NamedTuple):
    """One field: its rule, what the rule expects in words, and whether it must be there."""

    name: str
    wrong: Callable[[Any, datetime], str | None]
    expected: str
    needed: bool = True


_KINDS = {
    type(None): "missing",
    bool: "true or false",
    Whole: "a whole number",
    Decimal: "a decimal number",
    str: "text",
    list: "a list",
    dict: "an object",
}


def kind(value: Any) -> str:
    """What a value of JSON is, in words."""
    return _KINDS[type(value)]


def lone_surrogate(text: str) -> bool:
    """Whether a text holds half a surrogate pair, which no UTF-8 can carry."""
    return bool(_SURROGATE.search(text))


def _text(value: Any, _: datetime, longest: int = LONGEST_TEXT) -> str | None:
    if type(value) is not str:
        return kind(value)
    if len(value) > longest:
        return f"text of {len(value)} characters"
    if not value or value.isspace():
        return "blank text"
    if not value.isprintable() and _CONTROL.search(value):
        return "text with a control character"
    return None


def _event_id(value: Any, latest: datetime) -> str | None:
    return _text(value, latest, 100)


def _event_type(value: Any, _: datetime) -> str | None:
    return None if type(value) is str and value in EVENT_TYPES else _other(value)


def _source(value: Any, latest: datetime) -> str | None:
    return _text(value, latest) or (None if _SOURCE.fullmatch(value) else "other text")


def _currency(value: Any, _: datetime) -> str | None:
    return None if type(value) is str and _CURRENCY.fullmatch(value) else _other(value)


def _time(value: Any, latest: datetime) -> str | None:
    if type(value) is not str:
        return kind(value)
    if not _TIME.fullmatch(value):
        return "other text"
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return "a day that no calendar has"
    if time > latest:
        return "a time in the future"
    return "a time before 2000" if time < EARLIEST else None


def _quantity(value: Any, _: datetime) -> str | None:
    if type(value) is not Whole:
        return kind(value)
    if _QUANTITY.fullmatch(value):
        return None
    return "a negative number" if value[0] == "-" else "zero" if value == "0" else f"a number of {len(value)} digits"


def _money(value: Any, _: datetime) -> str | None:
    if not isinstance(value, str):
        return kind(value)
    if _MONEY.fullmatch(value):
        return None
    return "a negative number" if value[:1] == "-" and _MONEY.fullmatch(value[1:]) else f"{kind(value)} of another form"


def _line(value: Any, latest: datetime) -> str | None:
    if type(value) is Whole:
        return None if _LINE.fullmatch(value) else "a negative number" if value[0] == "-" else f"a number of {len(value)} digits"
    return _text(value, latest)


def _nothing(value: Any, _: datetime) -> str | None:
    return kind(value)


def _other(value: Any) -> str:
    return "other text" if type(value) is str else kind(value)


_A_TEXT = f"text of 1 to {LONGEST_TEXT} characters without control characters"
_A_TIME = "a time such as 2026-03-01T10:00:00-03:00 from 2000 to tomorrow"
_AN_AMOUNT = "digits, at most 16, with at most two decimals after a point"
_A_LINE = f"{_A_TEXT}, or a whole number of at most 18 digits"

EVENT = (
    Field("event_id", _event_id, "text of 1 to 100 characters without control characters"),
    Field("event_type", _event_type, " or ".join(EVENT_TYPES)),
    Field("source", _source, "a source's name such as erp_br"),
    Field("occurred_at", _time, _A_TIME),
)

_ORDER_ID = Field("order_id", _text, _A_TEXT)
_SALE = (
    _ORDER_ID,
    Field("ordered_at", _time, _A_TIME),
    Field("store_id", _text, _A_TEXT),
    Field("currency", _currency, "3 capital letters"),
    Field("channel", _text, _A_TEXT, needed=False),
)

ORDER = {
    "order_placed": (*_SALE, Field("returns_order_id", _nothing, "none but in an item_returned", needed=False)),
    "order_cancelled": (_ORDER_ID,),
    "item_returned": (*_SALE, Field("returns_order_id", _text, _A_TEXT, needed=False)),
}

CUSTOMER = tuple(Field(name, _text, _A_TEXT, needed=False) for name in ("tax_id", "name", "email", "state"))

_LINE_NUMBER = Field("line", _line, _A_LINE)
_SOLD = (
    _LINE_NUMBER,
    Field("sku", _text, _A_TEXT),
    Field("quantity", _quantity, "a whole number of at least 1 with at most 9 digits"),
    Field("unit_price", _money, _AN_AMOUNT),
    Field("discount", _money, _AN_AMOUNT, needed=False),
    Field("freight", _money, _AN_AMOUNT, needed=False),
    Field("promotion_id", _text, _A_TEXT, needed=False),
)

LINE = {"order_placed": _SOLD, "order_cancelled": (_LINE_NUMBER,), "item_returned": _SOLD}

NAMES = frozenset(
    {"order", "customer", "lines"}.union(field.name for fields in (EVENT, *ORDER.values(), CUSTOMER, *LINE.values()) for field in fields)
)
"""All names that the contract knows, which a reason may hence tell."""
