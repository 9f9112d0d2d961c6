"""What goes wrong in real exports, planted in known numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sales_tech.sample.catalogue import Catalogue
from sales_tech.sample.history import Days, History, Ints
from sales_tech.sample.orders import CANCELADO, FATURADO
from sales_tech.sample.text import Texts

DUPLICATES = 0.002
CORRECTIONS = 0.002
CANCELLED_LATER = 0.0015
BLANK_LINES_PER_FILE = 2
QUOTED_NAMES = 6

NO_SUCH_DATES = ("31/02/2026 10:00:00", "00/13/2025 09:30:00", "29/02/2025 18:45:00")
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


def plant(history: History, lines: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Spoil some lines and repeat others.

    `lines` has the columns of `orders`, and `kind`, `file` (row of the month) and `written` (its place in
    the file). No line is spoilt twice, so that each kind can be counted in the files.
    """
    lines = lines.copy()
    free = ((lines["status"] == FATURADO) & (lines["quantity"] > 0)).to_numpy().copy()
    last = np.flatnonzero(free & (lines["file"] == len(history.months) // 2).to_numpy())[-1:]
    lines.loc[last, "kind"] = Kind.TRUNCATED
    lines.loc[last, "written"] = history.end + np.timedelta64(365, "D")
    free[last] = False

    cancellations = _cancellations(history, lines, free, rng)
    free[cancellations.index] = False
    pool = rng.permutation(np.flatnonzero(free))
    for kind, share in SPOILT.items():
        chosen, pool = np.split(pool, [_number(share, lines)])
        lines.loc[chosen, "kind"] = kind
    lines.loc[lines["kind"] == Kind.NEGATIVE_QUANTITY, "quantity"] *= -1

    chosen, pool = np.split(pool, [_number(DUPLICATES, lines)])
    duplicates = lines.loc[chosen].assign(kind=Kind.DUPLICATE)
    duplicates["written"] += rng.integers(0, 3 * 86_400, len(duplicates)).astype("timedelta64[s]")
    correctable = pool[lines["file"].to_numpy()[pool] < len(history.months) - 1]
    corrections = _corrections(history, lines.loc[correctable[: _number(CORRECTIONS, lines)]], rng)
    return pd.concat([lines, duplicates, corrections, cancellations], ignore_index=True)


def _number(share: float, lines: pd.DataFrame) -> int:
    return max(1, round(share * len(lines)))


def _cancellations(history: History, lines: pd.DataFrame, free: NDArray[np.bool_], rng: np.random.Generator) -> pd.DataFrame:
    """All lines of some orders again, cancelled one to four days after the sale."""
    open_still = pd.Series(free & (lines["sold_at"] < history.end - np.timedelta64(6, "D")).to_numpy())
    orders = lines["order"][open_still.groupby(lines["order"]).transform("all")].unique()
    # Shares count lines, and an order has about one and a half of them.
    chosen = rng.permutation(orders)[: _number(CANCELLED_LATER / 1.5, lines)]
    again = lines[lines["order"].isin(chosen)].assign(kind=Kind.CANCELLATION, status=CANCELADO)
    order = np.searchsorted(np.sort(chosen), again["order"].to_numpy())
    delay = rng.integers(1, 5, len(chosen)) * 86_400 + rng.integers(9 * 3600, 18 * 3600, len(chosen))
    return _updated(history, again, again["sold_at"].to_numpy().astype("datetime64[D]") + delay[order].astype("timedelta64[s]"))


def _corrections(history: History, lines: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The lines again in the first days of the next month, with another quantity or another price."""
    again = lines.assign(kind=Kind.CORRECTION)
    price, quantity = again["price"].to_numpy(), again["quantity"].to_numpy()
    repriced = rng.random(len(again)) < 0.5
    again["price"] = np.where(repriced, price * 95 // 100, price)
    again["quantity"] = np.where(repriced, quantity, quantity + rng.integers(1, 3, len(again)))
    before, after = price * quantity, (again["price"] * again["quantity"]).to_numpy()
    again["discount"] = np.rint(again["discount"].to_numpy() * (after / before)).astype(np.int64)
    delay = rng.integers(0, 5, len(again)) * 86_400 + rng.integers(8 * 3600, 18 * 3600, len(again))
    next_month = np.array(history.months, dtype="datetime64[D]")[again["file"].to_numpy() + 1]
    return _updated(history, again, next_month + delay.astype("timedelta64[s]"))


def _updated(history: History, lines: pd.DataFrame, moment: Days) -> pd.DataFrame:
    return lines.assign(updated_at=moment, written=moment, file=history.month_of(moment))


def garble(texts: dict[str, Texts], kinds: Ints, rng: np.random.Generator) -> None:
    """Overwrite, in the printed columns, what a typed column cannot hold."""
    for kind, column, choices in (
        (Kind.UNKNOWN_SKU, "sku", NO_SUCH_SKUS),
        (Kind.IMPOSSIBLE_DATE, "data_venda", NO_SUCH_DATES),
        (Kind.TEXT_QUANTITY, "quantidade", NO_NUMBERS),
    ):
        where = np.flatnonzero(kinds == kind)
        texts[column][where] = np.array(choices, dtype=np.object_)[rng.integers(0, len(choices), len(where))]


def cut(line: str) -> str:
    """A line of a file whose writing stopped in the middle."""
    return line[: len(line) // 2]


def interleave(lines: list[str], header: str, repeat_header: bool, rng: np.random.Generator) -> list[str]:
    """Put blank lines, and a second header if asked for, between the lines of one file."""
    extra = [""] * BLANK_LINES_PER_FILE + [header] * repeat_header
    result = list(lines)
    for text, place in zip(extra, rng.integers(0, max(len(lines), 1), len(extra)).tolist(), strict=True):
        result.insert(place, text)
    return result


def odd_names(catalogue: Catalogue, rng: np.random.Generator) -> Catalogue:
    """Some product names with quotation marks or the delimiter in them, which CSV must quote."""
    rows = rng.choice(len(catalogue.products), size=min(QUOTED_NAMES, len(catalogue.products)), replace=False).tolist()
    names = catalogue.products["name"].tolist()
    return catalogue.renamed({row: names[row] + NAME_ENDINGS[number % len(NAME_ENDINGS)] for number, row in enumerate(rows)})
