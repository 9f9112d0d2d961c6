"""Cells of CSV files that people open in a spreadsheet, where text may stand for a formula.

What begins with one of a few characters is worked out, and may start programs or send other cells away (OWASP, CSV
Injection: https://owasp.org/www-community/attacks/CSV_Injection). An apostrophe before it makes it text. It is put
behind each separator within the text too, since a file may be opened with another separator than it was written with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?(e[+-]?\d+)?", re.IGNORECASE)
_START = "[=+\\-@\uff1d\uff0b\uff0d\uff20]"
_FIRST = re.compile(f"[\"']*{_START}|[\t\r\n]")
_BEHIND = re.compile(f"([;,\t\r\n])(?=[\"']*{_START})")
_SPECIAL = re.compile('[";,\t\r\n]')


def guarded(cell: Any) -> Any:
    """The cell, with an apostrophe wherever a spreadsheet would begin a formula; numbers, also those in text, are left alone."""
    if not isinstance(cell, str) or _NUMBER.fullmatch(cell):
        return cell
    inside = _BEHIND.sub(r"\1'", cell)
    return f"'{inside}" if _FIRST.match(cell) else inside


def csv_line(cells: Iterable[Any]) -> str:
    """A line of a CSV file with guarded cells, commas between them and a line feed at its end; None is an empty cell.

    Unlike those of the csv module, a cell is also quoted where it holds a semicolon, a tab or a lone carriage return.
    """
    texts = ["" if cell is None else str(guarded(cell)) for cell in cells]
    return ",".join('"' + text.replace('"', '""') + '"' if _SPECIAL.search(text) else text for text in texts) + "\n"
