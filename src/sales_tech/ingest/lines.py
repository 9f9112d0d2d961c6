"""Physical lines of UTF-8 text, and how one is taken apart into fields."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import NamedTuple

MAX_LINE_BYTES = 1 << 20
SHOWN_CHARACTERS = 4096
# Lone surrogates cannot stand in decoded text, so they can take the place of line ends that are not
# the end of a record, which the csv module would not let pass.
_HIDE = str.maketrans("\r\n", "\udc0d\udc0a")
_SHOW = str.maketrans("\udc0d\udc0a", "\r\n")


class Line(NamedTuple):
    """One physical line: its number from 1, its text, the text of its end, and its length in bytes of UTF-8.

    The text of a line above MAX_LINE_BYTES is only its first SHOWN_CHARACTERS.
    """

    number: int
    text: str
    end: str
    size: int

    @property
    def too_long(self) -> bool:
        """Whether the text is only the line's beginning."""
        return self.size > MAX_LINE_BYTES


class Fields(NamedTuple):
    """The fields of a record, how many lines it took, and whether its quotes were closed."""

    values: list[str]
    lines: int
    closed: bool


def physical_lines(chunks: Iterable[bytes], end: bytes, first: int = 1) -> Iterator[Line]:
    """The lines of UTF-8 chunks in order, numbered from `first`; a line of any length takes bounded memory."""
    number, kept, size = first, b"", 0
    for chunk in chunks:
        *ended, rest = chunk.split(end)
        for part in ended:
            yield _line(number, kept + part[: MAX_LINE_BYTES + 2], size + len(part), end)
            number, kept, size = number + 1, b"", 0
        kept, size = (kept + rest)[: MAX_LINE_BYTES + 2], size + len(rest)
    if size:
        yield _line(number, kept, size, b"")


def _line(number: int, kept: bytes, size: int, end: bytes) -> Line:
    if size > len(kept):
        return Line(number, _beginning(kept), end.decode(), size)
    body = kept.rstrip(b"\r\n")
    text = _beginning(body) if len(body) > MAX_LINE_BYTES else body.decode()
    return Line(number, text, (kept[len(body) :] + end).decode(), len(body))


def _beginning(body: bytes) -> str:
    return body[: 4 * SHOWN_CHARACTERS].decode(errors="ignore")[:SHOWN_CHARACTERS]


def split(text: str, delimiter: str) -> Fields:
    """Take one line apart; a quote counts only at the start of a field, elsewhere it is text."""
    if '"' not in text:
        return Fields(text.split(delimiter), 1, True)
    return _parse(_Feed([Line(0, text, "", 0)]), delimiter, strict=False)


def split_record(lines: Iterable[Line], delimiter: str) -> Fields:
    """Take a record apart that starts on the first line and takes as many lines as its quotes need.

    A quote that closes a field must stand at its end here: where lines are joined by mistake, the next
    opening quote would pass for a closing one.
    """
    feed = _Feed(lines)
    try:
        return _parse(feed, delimiter, strict=True)
    except csv.Error:
        return Fields([], feed.given, False)


def _parse(feed: _Feed, delimiter: str, *, strict: bool) -> Fields:
    allow_long_fields()
    values = next(csv.reader(feed, delimiter=delimiter, strict=strict))
    return Fields([value.translate(_SHOW) for value in values], feed.given, not feed.exhausted)


def allow_long_fields() -> None:
    """Let the csv module take a field as long as the longest line; its limit is one for the process."""
    if csv.field_size_limit() < MAX_LINE_BYTES:
        csv.field_size_limit(MAX_LINE_BYTES)


class _Feed:
    """Lines for the csv module, which asks for a further one exactly while a quote is open."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = iter(lines)
        self._end = ""
        self.given, self.exhausted = 0, False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines, None)
        if line is None:
            self.exhausted = True
            raise StopIteration
        # The end of a line is text only where the record goes on, so it leads the next line.
        text = (self._end + line.text).translate(_HIDE)
        self.given, self._end = self.given + 1, line.end
        return text
