"""What all forecasters agree on: how long a period is, and which columns a frame must have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import pandas as pd

PERIODS = {"D": pd.Timedelta(days=1), "W": pd.Timedelta(days=7)}
QUANTILE = re.compile(r"q(\d+(?:\.\d+)?)")
TOLD = ("horizon", "mean", "baseline", "uplift")
"""What a forecast has beside the columns of series and time, and its quantiles."""


def period_of(freq: str) -> pd.Timedelta:
    """How long a period of a frequency is; ValueError for one that is not D or W."""
    if freq not in PERIODS:
        raise ValueError(f"freq is {freq!r}; expected {' or '.join(map(repr, PERIODS))}")
    return PERIODS[freq]


def require_columns(frame: pd.DataFrame, wanted: Iterable[str], what: str) -> None:
    """ValueError that names the columns which a frame lacks; `what` is its name in the message."""
    missing = [column for column in dict.fromkeys(wanted) if column not in frame.columns]
    if missing:
        raise ValueError(f"{what} has no column {', '.join(map(str, missing))}; its columns are {', '.join(map(str, frame.columns))}")


def require_numbers(frame: pd.DataFrame, columns: Iterable[str], what: str, wanted: str = "number") -> None:
    """ValueError that names the first column with a missing value, how many rows lack it, and what is `wanted` there."""
    for column in columns:
        lacking = int(frame[column].isna().sum())
        if lacking:
            raise ValueError(f"{what} has {lacking} of {len(frame)} rows without a {wanted} in {column}; fill them or leave the rows out")


def require_single_rows(frame: pd.DataFrame, series: Sequence[str], time: str, what: str) -> None:
    """ValueError that names the first series and time which a frame has twice."""
    key = [*series, time]
    doubled = frame[frame.duplicated(key)]
    if len(doubled):
        first = ", ".join(f"{name} {value}" for name, value in doubled.iloc[0][key].items())
        raise ValueError(f"{what} has more than one row for {first}; expected one row per {', '.join(key)}")


def quantile_columns(quantiles: Iterable[float]) -> dict[float, str]:
    """The column of each quantile: q10 for 0.1. ValueError for a quantile outside 0 to 1."""
    named = {}
    for quantile in quantiles:
        if not 0 < quantile < 1:
            raise ValueError(f"quantiles has {quantile}; expected numbers between 0 and 1")
        named[quantile] = f"q{100 * quantile:g}"
    return named
