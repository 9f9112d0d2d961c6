"""Reading one landed object of order events: each order line of each event becomes one row of text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from sales_tech.contracts.stream import stream_contract
from sales_tech.errors import UnreadableFile
from sales_tech.ingest.rows import ROW_COLUMNS
from sales_tech.ingest.source import raw_chunks

_SOURCE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST_SOURCE = 200  # as the consumer of the queue takes it; it becomes the name of a folder
_ROWS_A_BATCH = 20_000
_LONGEST = 4 << 20  # the consumer of the queue takes no event beyond 256 KiB


@dataclass(frozen=True)
class EventRows:
    """The rows of one object, which was proved to hold events."""

    path: Path

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows in file order, with the columns of `event_schema`."""
        rows: list[tuple[Any, ...]] = []
        position = 0
        for number, event in _events(self.path):
            for row in _rows(event):
                position += 1
                rows.append((*row, None, None, position, number))
            if len(rows) >= _ROWS_A_BATCH:
                yield _batch(rows)
                rows = []
        if rows:
            yield _batch(rows)


def event_schema() -> pa.Schema:
    """Source, the contract's columns as text, where a row comes from, and the number of its event."""
    text = [(name, pa.string()) for name in ("source", *stream_contract().columns, *ROW_COLUMNS[:-1])]
    return pa.schema([*text, (ROW_COLUMNS[-1], pa.int64()), ("_event_number", pa.int64())])


def read_events(path: Path) -> tuple[EventRows, set[str]]:
    """An object's rows, and the sources that its events name.

    Raises UnreadableFile where a line is no event: whoever lands events has checked each, so an object
    with another line in it is not what it seems to be.
    """
    sources: set[str] = set()
    for number, event in _events(path):
        source = event.get("source")
        if not isinstance(source, str) or len(source) > _LONGEST_SOURCE or not _SOURCE.fullmatch(source):
            raise UnreadableFile(f"line {number}: no source; expected the name of a pack, such as erp_br")
        order = event.get("order")
        lines = order.get("lines") if isinstance(order, dict) else None
        if not isinstance(lines, list) or not lines or not all(isinstance(line, dict) for line in lines):
            raise UnreadableFile(f"line {number}: no order.lines; expected a list of at least one order line")
        sources.add(source)
    if not sources:
        raise UnreadableFile("empty file; expected at least one event")
    return EventRows(path), sources


def _events(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    rest, number = b"", 0
    for chunk in chain(raw_chunks(path), [b"\n"]):
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > _LONGEST:
            raise UnreadableFile(f"line {number + len(whole) + 1} has more than {_LONGEST:,} bytes; expected one event")
        for line in whole:
            number += 1
            if line.strip():
                yield number, _event(number, line)


def _event(number: int, line: bytes) -> dict[str, Any]:
    try:
        # Numbers stay text: no amount passes through a binary float.
        event = json.loads(line.decode(), parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"line {number}: no JSON ({type(error).__name__}); expected one event") from error
    if b"\\u" in line and not _encodable(event):
        raise UnreadableFile(f"line {number}: half of a surrogate pair, which is no character; expected text")
    if not isinstance(event, dict):
        raise UnreadableFile(f"line {number}: a JSON {type(event).__name__}; expected an event, which is an object")
    return event


def _encodable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _rows(event: dict[str, Any]) -> Iterator[tuple[str | None, ...]]:
    order = event["order"]
    customer = order.get("customer")
    around = {"": event, "order": order, "order.customer": customer if isinstance(customer, dict) else {}}
    for line in order["lines"]:
        levels = around | {"order.lines": line}
        known = [_text(levels[level].get(name)) for level, name in _places()]
        yield (event["source"], *known, _unknown(levels, customer))


@cache
def _places() -> tuple[tuple[str, str], ...]:
    # Level and field of each column: order.customer.tax_id is tax_id of order.customer.
    return tuple((level, name) for level, _, name in (path.rpartition(".") for (path,) in stream_contract().headers.values()))


def _unknown(levels: dict[str, dict[str, Any]], customer: Any) -> str | None:
    taken = {*_places(), ("", "source"), ("", "order"), ("order", "lines")}
    if customer is None or isinstance(customer, dict):
        taken.add(("order", "customer"))
    left = {
        level or "event": fields
        for level, values in levels.items()
        if (fields := {name: value for name, value in values.items() if (level, name) not in taken})
    }
    return json.dumps(left, ensure_ascii=False, sort_keys=True) if left else None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _batch(rows: list[tuple[Any, ...]]) -> pa.RecordBatch:
    schema = event_schema()
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), schema, strict=True)], schema=schema
    )
