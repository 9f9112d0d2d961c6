"""What a panel and a plan have to be: complete, single, of the right kind; said where they are not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sales_tech.forecasting.roles import TEXTS, is_number
from sales_tech.forecasting.shapes import period_of, require_columns, require_numbers, require_single_rows

Gaps = float | str | None


class PlanBeyondHistory(UserWarning):
    """A plan goes beyond what the past has ever shown, so that its effect is a guess."""


def check_times(frame: pd.DataFrame, time: str, what: str) -> None:
    """ValueError where the column of time holds no timestamps, or lacks some."""
    if not pd.api.types.is_datetime64_any_dtype(frame[time]) or frame[time].dt.tz is not None:
        raise ValueError(
            f"{what}: column {time} is {frame[time].dtype}, expected dates without time zone; convert it with pandas.to_datetime"
        )
    require_numbers(frame, [time], what)


def check_numbers(frame: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    """ValueError for columns that hold texts or missing values."""
    for column in columns:
        if not is_number(frame[column]):
            example = next((value for value in frame[column] if not isinstance(value, int | float)), "")
            raise ValueError(f"{what}: column {column} is {frame[column].dtype} (such as {example!r}), expected numbers; convert it")
    require_numbers(frame, columns, what)
    for column in columns:
        if not np.isfinite(frame[column].to_numpy(dtype=np.float64)).all():
            raise ValueError(f"{what}: column {column} has infinite numbers, expected finite ones")


def check_panel(panel: pd.DataFrame, series: Sequence[str], time: str, target: str, told: Sequence[str], available: str | None) -> None:
    """ValueError for whatever keeps a panel from being learnt from; gaps are looked for later."""
    what = "the panel"
    require_columns(panel, [*series, time, target, *told, *([available] if available else [])], what)
    if panel.empty:
        raise ValueError("the panel has no rows; expected at least one per series")
    check_times(panel, time, what)
    require_numbers(panel, [*series, *told], what)
    require_single_rows(panel, series, time, what)
    if available:
        check_numbers(panel, [available], what)
    # Nobody knows the demand of an empty shelf, so that none has to be told.
    seen = panel[panel[available] != 0] if available else panel
    check_numbers(seen, [target], what)
    if (seen[target] < 0).any():
        worst = seen.sort_values(target, kind="stable").iloc[0]
        raise ValueError(
            f"the panel has {int((seen[target] < 0).sum())} rows with a negative {target}, the least {worst[target]} on {worst[time]}; "
            "expected 0 or more; book returns apart, or clip them"
        )


def static_table(frame: pd.DataFrame, codes: np.ndarray, series: Sequence[str], static: Sequence[str], what: str) -> pd.DataFrame:
    """One row of series and static columns per code; ValueError for a static column that changes within a series."""
    table = frame[[*series, *static]].assign(code=codes).drop_duplicates().set_index("code").sort_index()
    changing = table.index[table.index.duplicated()].to_numpy(dtype=np.int64)
    if len(changing):
        both = table[table.index == changing[0]]
        name = next(column for column in static if both[column].nunique(dropna=False) > 1)
        values = ", ".join(map(str, both[name].unique()[:3]))
        raise ValueError(
            f"{what}: static column {name} changes within {named(both.iloc[0], series)} ({values}); "
            "expected one value per series; name it in plan if it is known ahead"
        )
    return table


def periods_of(frame: pd.DataFrame, time: str, first: pd.Timestamp, freq: str, what: str) -> np.ndarray:
    """Whole periods since `first`; ValueError for dates between two periods."""
    ahead = ((frame[time] - first) / period_of(freq)).to_numpy(dtype=np.float64)
    between = np.flatnonzero(ahead % 1 != 0)
    if len(between):
        raise ValueError(
            f"{what} has a row on {frame[time].iloc[between[0]]}, which is no whole period ({freq}) from {first}; "
            "expected one weekday and time of day throughout"
        )
    return ahead.astype(np.int64)


def check_complete(frame: pd.DataFrame, codes: np.ndarray, periods: np.ndarray, series: Sequence[str], time: str, what: str) -> None:
    """ValueError for the first gap in rows that are ordered by series and period."""
    skips = np.flatnonzero((codes[1:] == codes[:-1]) & (np.diff(periods) != 1))
    if len(skips):
        before, after = frame.iloc[skips[0]], frame.iloc[skips[0] + 1]
        raise ValueError(
            f"{what} skips from {before[time]} to {after[time]} for {named(before, series)}, and has {len(skips)} gaps in all; expected "
            "every period; pass fill_gaps=0 where nothing was sold in them, fill_gaps='unknown' where it is not known"
        )


def check_plan(plan: pd.DataFrame, series: Sequence[str], time: str, told: Sequence[str], roles: dict[str, str]) -> None:
    """ValueError for columns, values and kinds of values that a plan lacks."""
    what = "the plan"
    require_columns(plan, [*series, time, *told], what)
    if plan.empty:
        raise ValueError("the plan has no rows; expected one per series and period of the horizon")
    check_times(plan, time, what)
    require_numbers(plan, [*series, *told], what)
    require_single_rows(plan, series, time, what)
    check_numbers(plan, [column for column, role in roles.items() if role not in TEXTS], what)


def check_reach(plan: pd.DataFrame, time: str, steps: np.ndarray, horizon: int, origin: pd.Timestamp, shorter: bool) -> None:
    """ValueError where a plan does not cover the horizon, or goes beyond it."""
    outside = np.flatnonzero((steps < 1) | (steps > horizon))
    if len(outside):
        raise ValueError(f"the plan has a row on {plan[time].iloc[outside[0]]}; expected 1 to {horizon} periods after {origin}")
    if steps.max() < horizon and not shorter:
        raise ValueError(
            f"the plan ends on {plan[time].max()}, {steps.max()} periods after {origin}; expected it to reach the horizon, {horizon} "
            "periods; plan further, or pass shorter_plans=True"
        )


def named(row: pd.Series, series: Sequence[str]) -> str:
    """How a series is called in a message."""
    return ", ".join(f"{name} {row[name]}" for name in series)
