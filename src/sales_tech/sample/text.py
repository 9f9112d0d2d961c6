"""How the ERP prints money, dates and times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sales_tech.sample.history import Days, Ints

Texts = NDArray[np.object_]


def money(centavos: Ints, blank: int | None = None) -> Texts:
    """`1234,50`; nothing for the value that stands for none."""
    values, where = np.unique(centavos, return_inverse=True)
    printed = ["" if value == blank else f"{'-' * (value < 0)}{abs(value) // 100},{abs(value) % 100:02d}" for value in values.tolist()]
    return np.array(printed, dtype=np.object_)[where]


def whole(numbers: Ints) -> Texts:
    """`12`."""
    values, where = np.unique(numbers, return_inverse=True)
    return np.array([str(value) for value in values.tolist()], dtype=np.object_)[where]


def days(moments: Days) -> Texts:
    """`31/12/2025`."""
    values, where = np.unique(moments.astype("datetime64[D]"), return_inverse=True)
    return np.array([f"{value:%d/%m/%Y}" for value in values.tolist()], dtype=np.object_)[where]


def times(moments: Days) -> Texts:
    """`31/12/2025 23:59:59`."""
    second = (moments.astype("datetime64[s]") - moments.astype("datetime64[D]")).astype(np.int64)
    values, where = np.unique(second, return_inverse=True)
    clock = [f" {value // 3600:02d}:{value // 60 % 60:02d}:{value % 60:02d}" for value in values.tolist()]
    printed: Texts = days(moments) + np.array(clock, dtype=np.object_)[where]
    return printed
