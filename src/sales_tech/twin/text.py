"""How the ERP prints: columns of bytes, taken from small dictionaries and joined into lines, without a Python object for each cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sales_tech.twin.history import Days

ENCODING = "latin-1"
Texts = Any
"""An Arrow array of binary values (pyarrow has no types)."""

Rows = NDArray[np.integer[Any]]


def words(values: Iterable[str], end: str = ";") -> Texts:
    """Each word with what stands behind it."""
    return pa.array([f"{value}{end}".encode(ENCODING) for value in values], pa.binary())


def numbers(count: int, width: int = 0, end: str = ";") -> Texts:
    """The numbers from 0 on, filled up with zeros to a width."""
    texts = pc.utf8_lpad(pa.array(np.arange(count)).cast(pa.string()), width, "0").cast(pa.binary())
    return pc.binary_join_element_wise(texts, end.encode(ENCODING), b"")


def pick(texts: Texts, rows: Rows) -> Texts:
    """The texts of some rows."""
    return texts.take(pa.array(rows))


def join(columns: Sequence[Texts]) -> Texts:
    """Row by row, all columns in one text."""
    return pc.binary_join_element_wise(*columns, b"")


def content(texts: Texts) -> memoryview:
    """All texts one after the other."""
    ends = line_ends(texts)
    return memoryview(texts.buffers()[2])[int(ends[0]) : int(ends[-1])]


def line_ends(texts: Texts) -> NDArray[np.int32]:
    """Where in the buffer the first text begins, and where each one ends."""
    return np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]


@dataclass(frozen=True)
class Money:
    """Prints centavos up to an amount, of either sign: `1234,50;`."""

    reais: Texts
    centavos: Texts

    @classmethod
    def up_to(cls, centavos: int) -> Money:
        """Dictionaries for amounts no larger than this."""
        whole = numbers(centavos // 100 + 1, end="")
        negative = join([pick(words(["-"], ""), np.zeros(len(whole), dtype=np.int32)), whole])
        return cls(pa.concat_arrays([whole, negative]), words(f",{value:02d}" for value in range(100)))

    def columns(self, amounts: Rows) -> list[Texts]:
        """Two columns: reais and the rest."""
        size = np.abs(amounts)
        reais = size // 100  # several times as fast as divmod, here and elsewhere
        return [pick(self.reais, reais + (amounts < 0) * (len(self.reais) // 2)), pick(self.centavos, size - 100 * reais)]


def dates(days: Days, end: str = "") -> Texts:
    """`31/12/2025`."""
    return words((f"{day:%d/%m/%Y}" for day in days.astype("datetime64[D]").tolist()), end)


def clocks(end: str = ";") -> Texts:
    """Every second of a day: ` 23:59:59`."""
    rows, sixty = np.arange(86_400), numbers(60, 2, ":")
    hours = words((f" {hour:02d}:" for hour in range(24)), "")
    return join([pick(hours, rows // 3600), pick(sixty, rows // 60 % 60), pick(numbers(60, 2, end), rows % 60)])


def money(centavos: Iterable[int]) -> list[str]:
    """`1234,50`, for files of few rows."""
    return [f"{'-' * (value < 0)}{abs(value) // 100},{abs(value) % 100:02d}" for value in centavos]
