"""A first look at a whole file, without taking its lines apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from sales_tech.contracts.pack import FileContract
from sales_tech.errors import UnreadableFile
from sales_tech.ingest.lines import MAX_LINE_BYTES, Line, physical_lines
from sales_tech.ingest.source import checked_chunks, in_utf8, utf8_chunks, widest

_LINE_END = re.compile(rb"\r*\n|\r")


@dataclass(frozen=True)
class Scan:
    """What must be known of a file before its lines are taken apart.

    `header_bytes` counts the header line with its end, in UTF-8. `line_end` is the header's: LF, or CR
    in files of an old Mac; the other one is then ordinary text. `plain` means that every physical line is a
    record for any CSV parser: no quote stays open over a line's end, no NUL, no lone CR, no line that is too long.
    `unended` is the text of a last line that has no end; it is empty where the last line has one, or is too long.
    """

    header: Line
    header_bytes: int
    line_end: bytes
    physical_lines: int
    plain: bool
    unended: str


def scan(path: Path, contract: FileContract) -> Scan:
    """Read the file once; UnreadableFile where it is empty, has only a header, is broken or in another encoding."""
    chunks = checked_chunks(path, contract.encoding)
    first = _head(chunks)
    if not first:
        raise UnreadableFile("empty file; expected a header and rows")
    match = _LINE_END.search(first)
    at = match.end() if match else len(first)
    line_end = b"\n" if not match or match[0].endswith(b"\n") else b"\r"
    told = in_utf8(first[:at], contract.encoding)
    header = next(physical_lines([told], line_end))
    if not match and header.too_long:
        raise UnreadableFile(f"the first {len(first)} bytes are one line; expected a header of at most {MAX_LINE_BYTES} bytes")
    body = _Body(line_end, contract.delimiter, MAX_LINE_BYTES // widest(contract.encoding))
    for chunk in chain([first[at:]], chunks):
        body.feed(chunk)
    body.finish()
    if not body.has_data:
        raise UnreadableFile("only a header, no row; expected at least one line with data")
    unended = in_utf8(body.rest, contract.encoding).decode() if len(body.rest) <= MAX_LINE_BYTES else ""
    return Scan(header, len(told), line_end, 1 + body.lines, body.plain, unended)


def _head(chunks: Iterator[bytes]) -> bytes:
    """As many first chunks as hold the header line, or show that it is too long."""
    head = b""
    for chunk in chunks:
        head += chunk
        match = _LINE_END.search(head)
        # At the end of a chunk a CR may be the half of a CR LF.
        if len(head) > MAX_LINE_BYTES or (match and match.end() < len(head)):
            break
    return head


def body_chunks(path: Path, encoding: str, header_bytes: int) -> Iterator[bytes]:
    """The text after the header as UTF-8 chunks, none of them empty."""
    left = header_bytes
    for chunk in utf8_chunks(path, encoding):
        rest, left = chunk[left:], max(left - len(chunk), 0)
        if rest:
            yield rest


class _Body:
    """Counts the lines after the header, and watches whether they are plain.

    It works on whole lines at C speed: what follows a chunk's last line end waits for the next chunk. The
    buffer starts with the end of the line before, so that a line's start can be told by it.
    """

    def __init__(self, line_end: bytes, delimiter: str, most: int) -> None:
        self.lines, self.has_data, self._most, self.rest = 0, False, most, b""
        # Arrow takes one byte as delimiter.
        self.plain = line_end == b"\n" and delimiter.isascii()
        self._end, self._buffer = line_end, line_end
        # A quote that opens a field and is not closed before the line ends. Within a closed field the
        # pattern may match by chance, which costs time only. One pattern per start, for a literal
        # prefix makes the search fast.
        starts = (b"\n", delimiter.encode())
        self._open_quotes = [re.compile(re.escape(start) + rb'"[^"\n]*+(?:""[^"\n]*+)*+\n') for start in starts]

    def feed(self, chunk: bytes) -> None:
        """Look at the next chunk."""
        if not chunk:
            return
        self.lines += chunk.count(self._end)
        ended = chunk.rfind(self._end) + 1
        self.rest = (chunk[ended:] if ended else self.rest + chunk)[: MAX_LINE_BYTES + 1]
        self.has_data = self.has_data or not chunk.isspace()
        if self.plain:
            buffer = self._buffer + chunk
            last = buffer.rfind(b"\n")
            self.plain = self._is_plain(buffer, last + 1) and len(buffer) - last <= self._most
            self._buffer = buffer[last:]

    def finish(self) -> None:
        """Look at a last line without an end."""
        if self.rest:
            self.lines += 1
            # A CR here would be the end of an old Mac's line, or half of one that was cut.
            ended = self._buffer + b"\n"
            self.plain = self.plain and not ended.endswith(b"\r\n") and self._is_plain(ended, len(ended))

    def _is_plain(self, buffer: bytes, stop: int) -> bool:
        returns = buffer.count(b"\r", 0, stop) if b"\r" in buffer else 0
        return (
            (returns == 0 or returns == buffer.count(b"\r\n", 0, stop))
            and b"\0" not in buffer
            and _lines_fit(buffer, stop, self._most)
            and (b'"' not in buffer or not any(pattern.search(buffer, 0, stop) for pattern in self._open_quotes))
        )


def _lines_fit(buffer: bytes, stop: int, most: int) -> bool:
    """Whether no line between line ends, the first at 0 and the last before `stop`, is longer than `most` bytes."""
    at = 0
    while at < stop - 1:
        at = buffer.rfind(b"\n", at + 1, min(at + 2 + most, stop))
        if at < 0:
            return False
    return True
