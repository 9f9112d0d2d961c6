"""Small panels for the tests, and forecasters that are easy to follow by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

FIRST = pd.Timestamp("2026-01-05")


def panel_of(freq: str = "D", first: pd.Timestamp = FIRST, **units: Sequence[float]) -> pd.DataFrame:
    """One series per name, whose periods follow one another from the first on."""
    days = {"D": 1, "W": 7}[freq]
    rows = [
        {"sku": sku, "date": first + pd.Timedelta(days=days * at), "units": float(value)}
        for sku, values in units.items()
        for at, value in enumerate(values)
    ]
    return pd.DataFrame(rows)


def future_of(panel: pd.DataFrame, periods: int, freq: str = "D") -> pd.DataFrame:
    """The rows of all series in the periods after a panel."""
    days = {"D": 1, "W": 7}[freq]
    dates = [panel["date"].max() + pd.Timedelta(days=days * at) for at in range(1, periods + 1)]
    return pd.DataFrame([{"sku": sku, "date": date} for sku in panel["sku"].unique() for date in dates])
