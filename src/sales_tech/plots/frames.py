"""What the pictures ask of a data frame, and its values as numbers and days."""

from __future__ import annotations

import math

import pandas as pd


def require(picture: str, frame: pd.DataFrame, columns: tuple[str, ...], currency: str | None = None) -> None:
    """Refuse a frame that lacks a column, or whose column `currency` names another currency than the picture's.

    Raises ValueError.
    """
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        found = ", ".join(map(str, frame.columns)) or "none"
        raise ValueError(f"{picture}: column {', '.join(missing)} is missing; expected {', '.join(columns)}, found {found}")
    if currency is not None and "currency" in frame.columns:
        others = sorted(set(frame["currency"].dropna()) - {currency})
        if others:
            raise ValueError(f"{picture}: amounts are in {', '.join(others)}; expected {currency} only, as the parameter currency says")


def numbers(column: pd.Series) -> pd.Series:
    """Turn a column of Decimal, integer or float into floats; null becomes NaN."""
    return pd.Series([math.nan if pd.isna(value) else float(value) for value in column], index=column.index, dtype=float)


def days(column: pd.Series) -> pd.Series:
    """Turn a column of dates, timestamps or ISO text into midnights; null becomes NaT."""
    return pd.to_datetime(column).dt.normalize()


def sales_by_day(daily: pd.DataFrame) -> pd.Series:
    """Add up net sales for every day from the first to the last; a day without a row had no sales and counts as 0.

    Expects the columns sold_on and net_sales.
    """
    amounts = pd.Series(numbers(daily["net_sales"]).to_numpy(), index=pd.DatetimeIndex(days(daily["sold_on"])))
    summed = amounts.groupby(level=0).sum()
    return summed.asfreq("D", fill_value=0.0) if len(summed) else summed


def labels(column: pd.Series, for_null: str) -> pd.Series:
    """Turn a column of names into text; null and blank become `for_null`."""
    texts = ["" if pd.isna(value) else str(value).strip() for value in column]
    return pd.Series([text or for_null for text in texts], index=column.index, dtype=object)
