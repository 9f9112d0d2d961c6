"""Periods of many series as flat arrays, in which a step back in time is a step back in the array."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

WEEKS_OF_YEAR = 52


@dataclass(frozen=True)
class Rows:
    """Complete periods of each series, ordered by series and period.

    `code` numbers the series, `period` the periods since `first`, each `length` long; `units` is 0 where `known` is
    False: rows of the plan, closed days, empty shelves. `plan` has the numbers of each plan column, of texts their codes.
    """

    code: Ints
    period: Ints
    units: Floats
    known: Bools
    closed: Bools
    plan: Mapping[str, Floats]
    first: pd.Timestamp
    length: pd.Timedelta

    @property
    def week(self) -> int:
        """Periods of a week."""
        return int(pd.Timedelta(days=7) / self.length)

    @cached_property
    def bounds(self) -> Ints:
        """Where each series begins, and where the last one ends."""
        begins = np.flatnonzero(np.r_[True, self.code[1:] != self.code[:-1]]) if len(self.code) else np.zeros(0, np.int64)
        told: Ints = np.r_[begins, len(self.code)].astype(np.int64)
        return told

    @cached_property
    def ordinal(self) -> Ints:
        """The place of each row's series among those that have rows."""
        return np.repeat(np.arange(len(self.bounds) - 1), np.diff(self.bounds))

    @cached_property
    def start(self) -> Ints:
        """The first row of each row's series."""
        return np.repeat(self.bounds[:-1], np.diff(self.bounds))

    @cached_property
    def stop(self) -> Ints:
        """The row after the last one of each row's series."""
        return np.repeat(self.bounds[1:], np.diff(self.bounds))

    @property
    def dates(self) -> pd.DatetimeIndex:
        """The date of each row."""
        return pd.DatetimeIndex(self.first + self.period * self.length)

    def with_plan(self, plan: Mapping[str, Floats]) -> Rows:
        """The same rows under another plan."""
        return replace(self, plan=plan)


class Sums:
    """Sums of a column over any stretch of a series, each series added up by itself so that none touches another's digits."""

    def __init__(self, rows: Rows, values: Floats) -> None:
        self._rows = rows
        self._sums = np.zeros(len(values) + len(rows.bounds))
        for place, (begin, end) in enumerate(zip(rows.bounds[:-1], rows.bounds[1:], strict=True)):
            np.cumsum(values[begin:end], out=self._sums[begin + place + 1 : end + place + 1])

    def between(self, series_of: Ints, after: Ints, last: Ints) -> Floats:
        """The sum over rows after `after` up to and with `last`, of the series that the rows `series_of` belong to."""
        rows = self._rows
        low, high = rows.start[series_of] - 1, rows.stop[series_of] - 1
        shift = rows.ordinal[series_of] + 1
        last = np.clip(last, low, high)
        told: Floats = self._sums[last + shift] - self._sums[np.clip(after, low, last) + shift]
        return told


class Smoothed:
    """Exponentially weighted sums with a half-life in periods, over every `lag`-th period back."""

    def __init__(self, rows: Rows, values: Floats, half_life: float, lag: int = 1) -> None:
        self._rows = rows
        # Whoever answers plans from an outlook only needs the names of this module, and scipy takes a second to import.
        from scipy.signal import lfilter

        decay = 0.5 ** (lag / half_life)
        back = np.zeros(lag + 1)
        back[0], back[lag] = 1.0, -decay
        self._sums = np.zeros(len(values))
        for begin, end in zip(rows.bounds[:-1], rows.bounds[1:], strict=True):
            self._sums[begin:end] = lfilter([1.0], back, values[begin:end])

    def at(self, series_of: Ints, row: Ints) -> Floats:
        """The sum as of a row; 0 before the first."""
        start = self._rows.start[series_of]
        told: Floats = np.where(row >= start, self._sums[np.maximum(row, start)], 0.0)
        return told
