"""A time axis with few, short labels in the reader's language."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num

_MOST_LABELS = 12
_FEW_DAYS = 70


def place(day: pd.Timestamp) -> float:
    """Tell where on an axis of dates a day stands: days since 1970."""
    return float(date2num(day))  # type: ignore[no-untyped-call]


def label_days(axes: Axes, first: pd.Timestamp, last: pd.Timestamp, months: list[str], most: int = _MOST_LABELS) -> None:
    """Set the ticks of an x axis of dates: days where it spans some weeks, beginnings of months where it spans more."""
    if (last - first).days <= _FEW_DAYS:
        every = pd.date_range(first, last)
        ticks = every[:: _step(len(every), most, (1, 2, 7, 14))]
        texts = _with_years(ticks, [f"{tick.day} {months[tick.month - 1]}" for tick in ticks])
    else:
        ticks = _some_months(pd.date_range(first, last, freq="MS"), most)
        texts = _with_years(ticks, [months[tick.month - 1] for tick in ticks])
    axes.set_xticks([place(tick) for tick in ticks], texts)


def label_months(axes: Axes, every: pd.DatetimeIndex, months: list[str], most: int = 24) -> None:
    """Set the ticks of an x axis whose positions 0, 1, 2 and on stand for the months of `every`."""
    ticks = _some_months(every, most)
    axes.set_xticks(every.get_indexer(ticks), _with_years(ticks, [months[tick.month - 1] for tick in ticks]))


def day_text(day: pd.Timestamp, months: list[str]) -> str:
    """Tell a day as 28 Nov 2025."""
    return f"{day.day} {months[day.month - 1]} {day.year}"


def _some_months(every: pd.DatetimeIndex, most: int) -> pd.DatetimeIndex:
    step = _step(len(every), most, (1, 2, 3, 4, 6, 12, 24, 60, 120))
    return every[(every.year * 12 + every.month - 1) % step == 0]  # counted from January, so January is among them


def _with_years(ticks: pd.DatetimeIndex, texts: list[str]) -> list[str]:
    years = [tick.year for tick in ticks]
    return [text if year == before else f"{text}\n{year}" for text, year, before in zip(texts, years, [None, *years], strict=False)]


def _step(count: int, most: int, steps: tuple[int, ...]) -> int:
    return next((step for step in steps if count / step <= most), steps[-1])
