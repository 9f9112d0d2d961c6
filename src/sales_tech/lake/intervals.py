"""Spans of time in answers, as the texts that Athena gives."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

_DAY = 24 * 60 * 60 * 1000
_NANOSECONDS = 1_000_000  # of a millisecond


def with_texts(table: pa.Table) -> pa.Table:
    """The table with texts such as `2 00:00:00.000` (days) or `1-6` (years and months) in place of spans."""
    for number, field in enumerate(table.schema):
        if pa.types.is_interval(field.type):
            texts = [None if span is None else _text(span) for span in table.column(number).to_pylist()]
            table = table.set_column(number, field.name, pa.array(texts, pa.string()))
    return table


def _text(span: Any) -> str:
    milliseconds = span.days * _DAY + int(span.nanoseconds / _NANOSECONDS)
    parts = [_years(span.months)] if span.months else []
    return " ".join([*parts, _days(milliseconds)] if milliseconds or not parts else parts)


def _years(months: int) -> str:
    years, rest = divmod(abs(months), 12)
    return f"{'-' if months < 0 else ''}{years}-{rest}"


def _days(milliseconds: int) -> str:
    days, rest = divmod(abs(milliseconds), _DAY)
    seconds, thousandths = divmod(rest, 1000)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{thousandths:03d}"
    return f"{'-' if milliseconds < 0 else ''}{days} {clock}"
