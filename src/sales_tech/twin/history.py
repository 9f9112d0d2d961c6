"""The span of days that the twin covers, and the random streams that fill it."""

from __future__ import annotations

import calendar
import zlib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sales_tech.errors import SettingsError

Days = NDArray[np.datetime64]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class History:
    """Whole months, from the first day of one to the last day of another."""

    first: date
    last: date

    @classmethod
    def ending(cls, last_month: date, months: int) -> History:
        """The given number of months up to and with the month of `last_month`; SettingsError below one month."""
        if months < 1:
            raise SettingsError(f"months is {months}; expected at least 1")
        index = last_month.year * 12 + last_month.month - months
        _, length = calendar.monthrange(last_month.year, last_month.month)
        return cls(date(index // 12, index % 12 + 1, 1), last_month.replace(day=length))

    @cached_property
    def days(self) -> Days:
        """Every day, in order."""
        return np.arange(np.datetime64(self.first), np.datetime64(self.last) + np.timedelta64(1, "D"))

    @cached_property
    def months(self) -> tuple[date, ...]:
        """The first day of every month, in order."""
        return tuple(day for day in self.days.tolist() if day.day == 1)

    def windows(self, longest: int) -> list[tuple[int, int]]:
        """The days of every month in parts of about the same length, at most `longest`: the first day and the one after the last."""
        starts = [*map(self.position, self.months), len(self.days)]
        windows = []
        for first, stop in pairwise(starts):
            parts = -(-(stop - first) // max(longest, 1))
            cuts = [first + (stop - first) * part // parts for part in range(parts + 1)]
            windows += list(pairwise(cuts))
        return windows

    def month_of(self, moments: Days) -> Ints:
        """The row of the month in which each moment lies."""
        starts = np.array(self.months, dtype="datetime64[D]")
        return np.searchsorted(starts, moments.astype("datetime64[D]"), side="right").astype(np.int64) - 1

    @cached_property
    def end(self) -> np.datetime64:
        """The first second after the history."""
        return np.datetime64(self.last + timedelta(days=1), "s")

    def position(self, day: date) -> int:
        """How many days after the first a day is; negative before it."""
        return (day - self.first).days


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Random numbers of their own for each purpose, so that a change in one part leaves the others' bytes alone."""
    return np.random.default_rng((seed, zlib.crc32(purpose.encode())))


def ranges(starts: Ints, sizes: Ints) -> Ints:
    """The numbers from each start on, as many as its size, one range after the other."""
    ends = np.cumsum(sizes)
    numbers: Ints = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(starts - (ends - sizes), sizes)
    return numbers
