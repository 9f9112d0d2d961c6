"""What goes wrong in real exports, planted in known numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sales_tech.twin.catalogue import Catalogue
from sales_tech.twin.history import History, Ints
from sales_tech.twin.lines import CANCELADO, DAY, FATURADO, Lines, together
from sales_tech.twin.text import ENCODING, Rows, Texts, content, line_ends

DUPLICATES = 0.002
CORRECTIONS = 0.002
CANCELLED_LATER = 0.0015
BLANK_LINES_PER_FILE = 2
QUOTED_NAMES = 6

NO_SUCH_DATES = ("31/02/2026", "00/13/2025", "29/02/2025")
NO_SUCH_SKUS = ("SKU-99999", "SKU-99998", "SKU-00000")
NO_NUMBERS = ("dois", "1 un.", "três")
NAME_ENDINGS = (' "Edição Especial"', "; acompanha maleta", ' 15,6"')


class Kind(IntEnum):
    """Why a line of the sales file is not simply a sale."""

    PLAIN = 0
    DUPLICATE = 1
    CORRECTION = 2
    CANCELLATION = 3
    NEGATIVE_QUANTITY = 4
    UNKNOWN_SKU = 5
    IMPOSSIBLE_DATE = 6
    TEXT_QUANTITY = 7
    TRUNCATED = 8


SPOILT = {Kind.NEGATIVE_QUANTITY: 0.0003, Kind.UNKNOWN_SKU: 0.0004, Kind.IMPOSSIBLE_DATE: 0.0003, Kind.TEXT_QUANTITY: 0.0002}


@dataclass(frozen=True)
class PlantedDirt:
    """How many lines of each kind stand in the files.

    Duplicates, corrections and cancellations are lines beside the one they repeat; the other kinds
    spoil a line that would have been good. `quoted_names` counts lines of the product files.
    """

    duplicates: int = 0
    corrections: int = 0
    cancellations: int = 0
    negative_quantities: int = 0
    unknown_skus: int = 0
    impossible_dates: int = 0
    text_quantities: int = 0
    truncated_lines: int = 0
    blank_lines: int = 0
    repeated_headers: int = 0
    quoted_names: int = 0


@dataclass(frozen=True)
class Planted:
    """Lines with dirt: those printed in their places, those that come late, and the one (or none) cut off at the file's end."""

    lines: Lines
    late: Lines
    cut: Lines


def plant(history: History, lines: Lines, truncate: bool, rng: np.random.Generator) -> Planted:
    """Spoil some lines of one month, given in the order of their sale, and repeat others.

    No line is spoilt twice, so that each kind can be counted in the files; a part of the history has one of each, at least.
    """
    month = int(history.month_of(history.days[lines.day[:1]])[0]) if len(lines) else 0
    free = lines.status == FATURADO
    cut = np.flatnonzero(free)[-1:] if truncate else np.empty(0, dtype=np.int64)
    free[cut] = False
    cancelled, cancellations = _cancellations(history, lines, free, rng)
    free[cancelled] = False
    pool = rng.permutation(np.flatnonzero(free))
    kind, quantity = lines.kind.copy(), lines.quantity.copy()
    for name, share in SPOILT.items():
        chosen, pool = np.split(pool, [_number(share, lines)])
        kind[chosen] = name
    quantity[kind == Kind.NEGATIVE_QUANTITY] *= -1
    chosen, pool = np.split(pool, [_number(DUPLICATES, lines)])
    late = [lines.take(np.sort(chosen)).but(kind=Kind.DUPLICATE), cancellations]
    if month < len(history.months) - 1:
        chosen = pool[: _number(CORRECTIONS, lines)]
        late.append(_corrections(lines.take(np.sort(chosen)), history.position(history.months[month + 1]), rng))
    kept = np.delete(np.arange(len(lines)), cut)
    return Planted(lines.but(kind=kind, quantity=quantity).take(kept), together(late), lines.take(cut).but(kind=Kind.TRUNCATED))


def _number(share: float, lines: Lines) -> int:
    return max(1, round(share * len(lines)))


def _cancellations(history: History, lines: Lines, free: NDArray[np.bool_], rng: np.random.Generator) -> tuple[Ints, Lines]:
    """All lines of some orders, and the same again, cancelled one to four days after the sale."""
    order = np.cumsum(lines.item == 1) - 1
    starts = np.flatnonzero(lines.item == 1)
    open_still = (lines.day[starts] < len(history.days) - 6) & np.logical_and.reduceat(free, starts)
    # Shares count lines, and an order has about one and a half of them.
    chosen = rng.permutation(np.flatnonzero(open_still))[: _number(CANCELLED_LATER / 1.5, lines)]
    delay = np.zeros(len(starts), dtype=np.int64)
    delay[chosen] = rng.integers(1, 5, len(chosen)) * DAY + rng.integers(9 * 3600, 18 * 3600, len(chosen))
    rows = np.flatnonzero(delay[order])
    again = lines.take(rows)
    return rows, again.but(kind=Kind.CANCELLATION, status=CANCELADO, updated=again.day * DAY + delay[order[rows]])


def cut_price(price: Rows) -> Rows:
    """What a corrected price is, in centavos."""
    return price * 95 // 100


def _corrections(lines: Lines, next_month: int, rng: np.random.Generator) -> Lines:
    """The lines again in the first days of the next month, with another quantity or another price."""
    repriced = rng.random(len(lines)) < 0.5
    price = np.where(repriced, cut_price(lines.price), lines.price)
    quantity = np.where(repriced, lines.quantity, lines.quantity + rng.integers(1, 3, len(lines)))
    share = (price * quantity) / (lines.price * lines.quantity)
    updated = (next_month + rng.integers(0, 5, len(lines))) * DAY + rng.integers(8 * 3600, 18 * 3600, len(lines))
    discount = np.rint(lines.discount * share).astype(np.int64)
    return lines.but(kind=Kind.CORRECTION, price=price, quantity=quantity, discount=discount, updated=updated)


def interruptions(texts: Texts, header: str, again: bool, rng: np.random.Generator) -> list[bytes | memoryview]:
    """The printed lines in pieces, with blank lines between them, and a second header if asked for."""
    ends, all_lines = line_ends(texts), content(texts)
    extra = [b"\n"] * BLANK_LINES_PER_FILE + [f"{header}\n".encode(ENCODING)] * again
    places = np.sort(ends[rng.integers(0, max(len(texts), 1), len(extra))] - ends[0]).tolist()
    bounds = [0, *places, len(all_lines)]
    pieces: list[bytes | memoryview] = []
    for row, (start, stop) in enumerate(pairwise(bounds)):
        pieces += [all_lines[start:stop], *extra[row : row + 1]]
    return pieces


def odd_names(catalogue: Catalogue, rng: np.random.Generator) -> Catalogue:
    """Some product names with quotation marks or the delimiter in them, which CSV must quote."""
    rows = rng.choice(len(catalogue.products), size=min(QUOTED_NAMES, len(catalogue.products)), replace=False).tolist()
    names = catalogue.products["name"].tolist()
    return catalogue.renamed({row: names[row] + NAME_ENDINGS[number % len(NAME_ENDINGS)] for number, row in enumerate(rows)})
