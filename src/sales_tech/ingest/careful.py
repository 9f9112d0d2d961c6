"""Files with lines that need a closer look, taken apart line by line."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice

import pyarrow as pa

from sales_tech.errors import ConservationError
from sales_tech.ingest.layout import Layout
from sales_tech.ingest.lines import MAX_LINE_BYTES, Line, physical_lines, split, split_record
from sales_tech.ingest.rows import Row, to_batch, unsplit

MAX_JOINED_LINES = 100
MAX_JOINED_CHARACTERS = 64 << 10
_BATCH_ROWS = 32_768
_BATCH_CHARACTERS = 8 << 20


def careful_batches(chunks: Iterator[bytes], line_end: bytes, layout: Layout, lines: int) -> Iterator[pa.RecordBatch]:
    """The rows of any file's text after the header, in batches and in file order.

    ConservationError if the rows do not cover the `lines` physical lines of the file after the header, each once.
    """
    ahead = _Lookahead(physical_lines(chunks, line_end, first=2))
    rows: list[Row] = []
    characters = 0
    for line in ahead:
        row = _row(line, ahead, layout)
        rows.append(row)
        characters += sum(map(len, row.fields if row.fields is not None else (row.raw or "",)))
        if len(rows) >= _BATCH_ROWS or characters >= _BATCH_CHARACTERS:
            yield to_batch(rows, layout)
            rows, characters = [], 0
    if rows:
        yield to_batch(rows, layout)
    if ahead.taken != lines - 1:
        raise ConservationError(f"the rows cover {ahead.taken} lines after the header; expected {lines - 1}")


def _row(line: Line, ahead: _Lookahead, layout: Layout) -> Row:
    if line.too_long:
        problem = f"line of {line.size} bytes in UTF-8, more than {MAX_LINE_BYTES}; the whole line is in the archived file"
        return Row(line.number, None, _visible(line.text), problem)
    if "\0" in line.text:
        return Row(line.number, None, _visible(line.text), "NUL byte")
    found = split(line.text, layout.delimiter)
    if not found.closed:
        return _joined(line, ahead, layout)
    # In a file of one column a blank line would be a field of blanks.
    if len(found.values) == layout.width and (layout.width > 1 or line.text.strip()):
        return Row(line.number, found.values)
    return unsplit(line.number, line.text, len(found.values), layout)


def _joined(line: Line, ahead: _Lookahead, layout: Layout) -> Row:
    """The record that goes on over the next lines, if they close its quotes and give all fields."""
    record = split_record(_candidates(line, ahead), layout.delimiter)
    if not record.closed or len(record.values) != layout.width:
        return Row(line.number, None, line.text, "unclosed quote")
    ahead.skip(record.lines - 1)
    return Row(line.number, record.values)


def _candidates(line: Line, ahead: _Lookahead) -> Iterator[Line]:
    characters = 0
    for candidate in islice(ahead.peek(line), MAX_JOINED_LINES):
        characters += len(candidate.text) + len(candidate.end)
        if candidate is not line and (candidate.too_long or "\0" in candidate.text or characters > MAX_JOINED_CHARACTERS):
            return
        yield candidate


def _visible(text: str) -> str:
    return text.replace("\0", "\u2400")


class _Lookahead:
    """Lines one at a time, of which the next ones can be seen before they are taken."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._seen: deque[Line] = deque()
        self.taken = 0

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        line = self._seen.popleft() if self._seen else next(self._lines)
        self.taken += 1
        return line

    def peek(self, current: Line) -> Iterator[Line]:
        """The current line, and those after it, which stay to be taken."""
        yield current
        yield from list(self._seen)
        for line in self._lines:
            self._seen.append(line)
            yield line

    def skip(self, count: int) -> None:
        """Take lines that were seen."""
        for _ in range(count):
            next(self)
