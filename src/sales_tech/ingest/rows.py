"""Rows of a file as Arrow batches: the contract's columns as text, then where each row comes from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from sales_tech.contracts.pack import FileContract
from sales_tech.ingest.layout import Layout

ROW_COLUMNS = ("_extra", "_raw", "_problem", "_line_number")
_CONTROL = {chr(code): json.dumps(chr(code))[1:-1] for code in range(0x20)}


class Row(NamedTuple):
    """One row: the fields in the file's order, or the raw text and the problem of a malformed one."""

    line: int
    fields: Sequence[str] | None
    raw: str | None = None
    problem: str | None = None


def schema(contract: FileContract) -> pa.Schema:
    """The schema of all batches read by a contract: its columns as text, and ROW_COLUMNS."""
    return batch_schema(tuple(contract.columns))


def batch_schema(names: Sequence[str]) -> pa.Schema:
    """The schema of batches with these columns of text, and ROW_COLUMNS."""
    text = [(name, pa.string()) for name in (*names, *ROW_COLUMNS[:-1])]
    return pa.schema([*text, (ROW_COLUMNS[-1], pa.int64())])


def unsplit(line: int, text: str, found: int, layout: Layout) -> Row:
    """The row of a line with another number of fields than the header; it is a blank one if nothing is in it."""
    if not text.strip():
        return Row(line, [""] * layout.width)
    return Row(line, None, text, f"expected {layout.width} fields, found {found}")


def to_batch(rows: Sequence[Row], layout: Layout) -> pa.RecordBatch:
    """A batch of rows, in their order."""
    columns = [[None if row.fields is None or place is None else row.fields[place] for row in rows] for place in layout.places.values()]
    columns.append([_extra(row.fields, layout) for row in rows])
    columns.append([row.raw for row in rows])
    columns.append([row.problem for row in rows])
    arrays = [pa.array(column, pa.string()) for column in columns]
    arrays.append(pa.array([row.line for row in rows], pa.int64()))
    return pa.RecordBatch.from_arrays(arrays, schema=batch_schema(tuple(layout.places)))


def from_columns(fields: Sequence[pa.Array], lines: pa.Array, layout: Layout) -> pa.RecordBatch:
    """A batch of well-formed rows, from the file's columns in the file's order and the rows' line numbers."""
    nothing = pa.nulls(len(lines), pa.string())
    arrays = [nothing if place is None else fields[place] for place in layout.places.values()]
    arrays += [_extras(fields, layout, nothing), nothing, nothing, lines]
    return pa.RecordBatch.from_arrays(arrays, schema=batch_schema(tuple(layout.places)))


def _extra(fields: Sequence[str] | None, layout: Layout) -> str | None:
    if fields is None or not layout.extras:
        return None
    return json.dumps({layout.header[place]: fields[place] for place in layout.extras}, ensure_ascii=False)


def _extras(fields: Sequence[pa.Array], layout: Layout, nothing: pa.Array) -> pa.Array:
    if not layout.extras:
        return nothing
    parts: list[pa.Array | str] = []
    for place in layout.extras:
        lead = ", " if parts else "{"
        parts += [f'{lead}{json.dumps(layout.header[place], ensure_ascii=False)}: "', _escaped(fields[place]), '"']
    return pc.binary_join_element_wise(*parts, "}", "")


def _escaped(text: pa.Array) -> pa.Array:
    text = pc.replace_substring(text, "\\", "\\\\")
    text = pc.replace_substring(text, '"', '\\"')
    if pc.any(pc.match_substring_regex(text, r"[\x00-\x1f]")).as_py():
        for character, escape in _CONTROL.items():
            text = pc.replace_substring(text, character, escape)
    return text
