"""Athena's results as Arrow tables with exact types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

_PLAIN = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "real": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
    "varbinary": pa.binary(),
    "unknown": pa.null(),
}
NESTED = ("array", "map", "row")
_BLOCK = 64 * 2**20  # a row longer than a block is more than Arrow reads; one of Athena has 32 MB at most


@dataclass(frozen=True)
class ResultColumn:
    """A column of a result as Athena describes it; `kind` is its name of the type, without digits."""

    name: str
    kind: str
    type: pa.DataType

    @classmethod
    def read(cls, info: dict[str, Any]) -> ResultColumn:
        """A column from ResultSetMetadata; types that Arrow has no like of, and nested ones, are text."""
        kind = info["Type"].lower()
        if kind == "decimal":
            return cls(info["Name"], kind, pa.decimal128(info["Precision"], info["Scale"]))
        return cls(info["Name"], kind, _PLAIN.get(kind, pa.string()))


def read_csv(file: BinaryIO, columns: Sequence[ResultColumn]) -> pa.Table:
    """The table in a result's CSV, in which only an unquoted blank is null."""
    names = [str(number) for number in range(len(columns))]
    texts = csv.read_csv(
        file,
        # A name may stand twice in the header.
        csv.ReadOptions(column_names=names, skip_rows_after_names=1, block_size=_BLOCK),
        # An empty line is a null, where there is one column.
        csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )
    return pa.table([from_text(texts.column(name), column) for name, column in zip(names, columns, strict=True)], schema=schema(columns))


def schema(columns: Sequence[ResultColumn]) -> pa.Schema:
    """The Arrow schema of a result."""
    return pa.schema([(column.name, column.type) for column in columns])


def from_text(values: pa.ChunkedArray, column: ResultColumn) -> pa.ChunkedArray:
    """A column's values from Athena's texts of them."""
    if column.kind == "timestamp with time zone":
        return _moments(values, column.type)
    if column.kind == "varbinary":
        return pa.chunked_array([[None if text is None else bytes.fromhex(text) for text in values.to_pylist()]], column.type)
    if pa.types.is_null(column.type):
        return pa.chunked_array([pa.nulls(len(values))])
    if column.kind == "timestamp":
        values = _to_the_microsecond(values)
    return values.cast(column.type)


def _to_the_microsecond(values: pa.ChunkedArray) -> pa.ChunkedArray:
    # Athena's clock has up to twelve digits, as from_unixtime_nanos has nine; the contracts' has six.
    return pc.replace_substring_regex(values, r"(\.\d{6})\d+", r"\1")


def _moments(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    # 2026-03-01 02:00:00.123456 UTC: the last word is a zone or an offset, nearly always the same; without one it is UTC.
    parts = pc.extract_regex(_to_the_microsecond(values), r"^(?P<local>\S+ \S+)(?: (?P<zone>\S+))?$")
    local, zones = pc.struct_field(parts, "local").cast(pa.timestamp("us")), pc.struct_field(parts, "zone")
    zones = pc.if_else(pc.equal(zones, ""), "UTC", zones)
    found = pa.nulls(len(values), kind)
    for zone in pc.unique(zones).drop_null().to_pylist():
        moments = pc.assume_timezone(local, timezone=zone, ambiguous="earliest", nonexistent="latest").cast(kind)
        found = pc.if_else(pc.fill_null(pc.equal(zones, zone), False), moments, found)
    return found if isinstance(found, pa.ChunkedArray) else pa.chunked_array([found])
