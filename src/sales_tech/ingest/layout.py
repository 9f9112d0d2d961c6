"""The header of a file, held against the contract."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from unicodedata import normalize

from sales_tech.contracts.pack import FileContract
from sales_tech.errors import UnreadableFile
from sales_tech.ingest.lines import Line, split

_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Layout:
    """Where the contract's columns stand in one file.

    `header` is the file's header in its order, without blanks around the names. `places` gives for each
    contract column its 0-based position in the file, or None; `extras` are positions the contract does not know.
    """

    header: tuple[str, ...]
    delimiter: str
    places: dict[str, int | None]
    extras: tuple[int, ...]

    @property
    def width(self) -> int:
        """The number of fields that a line must have."""
        return len(self.header)


def read_layout(line: Line, contract: FileContract) -> Layout:
    """Understand the header line; UnreadableFile where it cannot be the header of such a file."""
    if line.too_long:
        wanted = _shown([texts[0] for texts in _wanted(contract)])
        raise UnreadableFile(f"the first line has {line.size} bytes; expected a header such as {wanted}")
    if "\0" in line.text:
        raise UnreadableFile("NUL bytes in the header; expected text (a file in utf-16, or a damaged one, looks like this)")
    header = _names(line.text, contract.delimiter)
    repeated = [name for name in dict.fromkeys(header) if header.count(name) > 1]
    missing = _missing(header, contract)
    if missing:
        for other in _DELIMITERS:
            if other != contract.delimiter and not _missing(_names(line.text, other), contract):
                raise UnreadableFile(f"the delimiter looks like {other!r}; the pack says {contract.delimiter!r}")
        hint = f"; the delimiter may be another than the pack's {contract.delimiter!r}" if len(header) == 1 < len(contract.columns) else ""
        lacks = ", ".join(" or ".join(map(repr, texts)) for texts in missing)
        raise UnreadableFile(f"the header lacks {_cut(lacks, len(missing))}; {_found(header, contract)}{hint}")
    if repeated:
        raise UnreadableFile(f"the header repeats {_shown(repeated)}; expected each name once, found {_shown(header)}")
    where = {name: place for place, name in enumerate(header)}
    places = dict[str, int | None]()
    for name, texts in contract.headers.items():
        there = [text for text in texts if text in where]
        if len(there) > 1:
            raise UnreadableFile(f"the header has {_shown(there)}, each a name of the column {name!r}; expected one of them")
        places[name] = where[there[0]] if there else None
    known = set(places.values())
    return Layout(tuple(header), contract.delimiter, places, tuple(place for place in range(len(header)) if place not in known))


def _names(text: str, delimiter: str) -> list[str]:
    # An accent may be written as a character of its own, as on a Mac.
    return [normalize("NFC", name.strip()) for name in split(text, delimiter).values]


def _wanted(contract: FileContract) -> list[tuple[str, ...]]:
    return [texts for name, texts in contract.headers.items() if not contract.columns[name].optional]


def _missing(header: list[str], contract: FileContract) -> list[tuple[str, ...]]:
    return [texts for texts in _wanted(contract) if not set(texts) & set(header)]


def _found(header: list[str], contract: FileContract) -> str:
    # A file without a header begins with data, and reasons are told in logs and in gold, where no personal data may stand.
    # A channel called Loja is no proof that Loja, beside it, heads a column.
    known = len(set(header).intersection(itertools.chain(*contract.headers.values())))
    if 2 * known >= len(header):
        return f"found {_shown(header)}"
    count = f"{len(header)} fields" if len(header) > 1 else "one field"
    return f"found {count} in the first line, of which {known or 'none'} has a name that the pack knows, so it may be data"


def _shown(names: list[str]) -> str:
    return _cut(", ".join(map(repr, names)), len(names))


def _cut(text: str, names: int) -> str:
    return text if len(text) <= 1000 else f"{text[:1000]}… ({names} names)"
