"""Ids and names in the template: made from the names of the specification alone, so that they are the same in every run."""

from __future__ import annotations

import hashlib
import re
import unicodedata

_BETWEEN = re.compile(r"[^a-z0-9]+")
LONGEST_SLUG = 40


def identifier(*parts: str) -> str:
    """An id for what the parts lead to, such as dashboard, sheet and visual: the last one legible, all of them in the hash."""
    return f"{slug(parts[-1])}-{_hash(parts)}"


def logical(kind: str, *parts: str) -> str:
    """A logical id of the template, such as `DataSetSalesByDay1f2e3d4c`."""
    return kind + "".join(word.capitalize() for word in slug(parts[-1]).split("-")) + _hash(parts)


def slug(text: str) -> str:
    """A text in lower-case letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _BETWEEN.sub("-", plain).strip("-")[:LONGEST_SLUG].strip("-") or "x"


def parameter(column: str) -> str:
    """The name of the parameter that holds the chosen values of a column; QuickSight takes letters and digits."""
    return "".join(word.capitalize() for word in slug(column).split("-"))


def _hash(parts: tuple[str, ...]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]
