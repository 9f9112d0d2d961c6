"""Answers as JSON: amounts digit by digit, and nothing that only some programs read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal


def json_text(value: object) -> str:
    """One value on one line; a decimal is a number with all its digits, what is no number (NaN, infinite) null, a moment text."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_quoted(str(name))}: {json_text(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(json_text, value)) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    return json.dumps(value, ensure_ascii=False, default=str)


def records_text(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as an array of objects, each cell on a line of its own."""
    keys = [_quoted(name) for name in names]
    records = [",\n".join(f"  {key}: {json_text(cell)}" for key, cell in zip(keys, row, strict=True)) for row in rows]
    return "[" + ",".join(f"\n {{\n{record}\n }}" for record in records) + ("\n]\n" if records else "]\n")


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)
