"""Plain files, taken apart by Arrow."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from sales_tech.errors import ConservationError
from sales_tech.ingest.layout import Layout
from sales_tech.ingest.rows import Row, from_columns, to_batch, unsplit


def fast_batches(chunks: Iterator[bytes], layout: Layout, physical_lines: int) -> Iterator[pa.RecordBatch]:
    """The rows of a plain file's text after the header, in batches and in file order.

    ConservationError if the rows are not as many as the physical lines after the header.
    """
    first = 2
    for block in _whole_lines(chunks):
        batch = _block_batch(block, first, layout)
        first += batch.num_rows
        yield batch
    if first != physical_lines + 1:
        raise ConservationError(f"{first - 2} rows were read from {physical_lines - 1} lines after the header; expected one from each")


def _whole_lines(chunks: Iterator[bytes]) -> Iterator[memoryview]:
    """The chunks, cut at line ends; the last block may lack one."""
    rest = b""
    for chunk in chunks:
        text = rest + chunk
        end = text.rfind(b"\n") + 1
        rest = text[end:]
        if end:
            yield memoryview(text)[:end]
    if rest:
        yield memoryview(rest)


def _block_batch(block: memoryview, first: int, layout: Layout) -> pa.RecordBatch:
    """The rows of a block that starts on line `first`.

    Each block is a CSV of its own to Arrow: read as one stream, a file of malformed lines only would give
    no batch before its end, and all its lines would wait in memory.
    """
    skipped: list[Row] = []

    def note(row: Any) -> str:
        skipped.append(unsplit(first + row.number - 1, row.text, row.actual_columns, layout))
        return "skip"

    if bytes(block[: len(codecs.BOM_UTF8)]) == codecs.BOM_UTF8:
        # Arrow takes a mark off the start of whatever it reads; here it is text of the first field.
        block = memoryview(codecs.BOM_UTF8 + bytes(block))
    names = [str(place) for place in range(layout.width)]
    table = pa_csv.read_csv(
        pa.BufferReader(block),
        # Arrow numbers the rows it cannot split only where it reads them one after the other.
        read_options=pa_csv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=names),
        parse_options=pa_csv.ParseOptions(
            delimiter=layout.delimiter, ignore_empty_lines=False, newlines_in_values=False, invalid_row_handler=note
        ),
        convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
    )
    gaps = np.fromiter((row.line for row in skipped), np.int64, len(skipped))
    lines = _line_numbers(table.num_rows, gaps, first)
    fields = [column.combine_chunks() for column in table.columns]
    rows = from_columns(fields, pa.array(lines, pa.int64()), layout)
    if not skipped:
        return rows
    rows = pa.concat_batches([rows, to_batch(skipped, layout)])
    return rows.take(np.argsort(np.concatenate([lines, gaps]), kind="stable"))


def _line_numbers(rows: int, gaps: Any, first: int) -> Any:
    """The numbers from `first` on that are no gaps, as many as there are rows; `gaps` is in order."""
    places = np.arange(rows)
    rows_before_gap = gaps - first - np.arange(len(gaps))
    return first + places + np.searchsorted(rows_before_gap, places, side="right")
