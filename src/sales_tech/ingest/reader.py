"""Reading one landed file: every physical line after the header becomes part of exactly one row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from sales_tech.contracts.pack import FileContract
from sales_tech.ingest.careful import careful_batches
from sales_tech.ingest.fast import fast_batches
from sales_tech.ingest.layout import Layout, read_layout
from sales_tech.ingest.lines import split
from sales_tech.ingest.rows import ROW_COLUMNS, schema
from sales_tech.ingest.scan import body_chunks, scan

__all__ = ["ROW_COLUMNS", "FileRows", "read_rows", "schema"]


@dataclass(frozen=True)
class FileRows:
    """A file that passed the checks of the whole file, and its rows.

    `header` is the file's, in its order. `fast` says that Arrow takes the file apart; the rows would be the same
    without. `physical_lines` counts the header too.
    """

    header: tuple[str, ...]
    fast: bool
    physical_lines: int
    _path: Path = field(repr=False)
    _encoding: str = field(repr=False)
    _layout: Layout = field(repr=False)
    _header_bytes: int = field(repr=False)
    _line_end: bytes = field(repr=False)
    _unended: str = field(repr=False)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The names of the columns that the contract does not know."""
        return tuple(self._layout.header[place] for place in self._layout.extras)

    def is_cut_off(self) -> bool:
        """Whether the last line has no end and is no whole record, as where a copy or an export was broken off.

        Reads the file again where the last line alone does not tell: it may end a record that began lines before.
        """
        found = split(self._unended, self._layout.delimiter)
        if not self._unended.strip() or (found.closed and len(found.values) >= self._layout.width):
            return False
        last = None
        for batch in self.batches():
            last = batch
        return last is not None and last.column("_problem")[-1].is_valid

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows in file order, with the columns of `schema`; each call reads the file again.

        A blank line is a row of empty text; a malformed one has `_raw` and `_problem` and nulls otherwise.
        """
        chunks = body_chunks(self._path, self._encoding, self._header_bytes)
        if self.fast:
            return fast_batches(chunks, self._layout, self.physical_lines)
        return careful_batches(chunks, self._line_end, self._layout, self.physical_lines)


def read_rows(path: Path, contract: FileContract) -> FileRows:
    """Check a landed file, plain or gzip; UnreadableFile with the reason if it cannot be loaded."""
    seen = scan(path, contract)
    layout = read_layout(seen.header, contract)
    # A line of blanks is a value for Arrow where there is one column only.
    fast = seen.plain and layout.width > 1
    return FileRows(
        layout.header, fast, seen.physical_lines, path, contract.encoding, layout, seen.header_bytes, seen.line_end, seen.unended
    )
