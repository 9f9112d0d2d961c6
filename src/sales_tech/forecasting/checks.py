"""What a panel and a plan have to be: complete, single, of the right kind; said where they are not."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sales_tech.forecasting.reading import like_numbers
from sales_tech.forecasting.roles import DEPTH, PRICE, TEXTS, is_number, text_of
from sales_tech.forecasting.shapes import period_of, require_columns, require_numbers, require_single_rows

Gaps = float | str | None
_CODE = "\0code"


class PlanBeyondHistory(UserWarning):
    """A plan goes beyond what the past has ever shown, so that its effect is a guess."""


class NegativeSales(UserWarning):
    """A panel has sales below 0, such as returns, which are learnt as nothing sold."""


class UnknownSeries(UserWarning):
    """None of the series of a plan was in the panel."""


class ShortPast(UserWarning):
    """A panel is too short for its intervals to be made from errors of what had not been learnt."""


def check_times(frame: pd.DataFrame, time: str, what: str) -> None:
    """ValueError where the column of time holds no timestamps, or lacks some."""
    if not pd.api.types.is_datetime64_any_dtype(frame[time]) or frame[time].dt.tz is not None:
        texts = [value for value in frame[time] if isinstance(value, str)]
        such = f" (such as {texts[0]!r})" if texts else ""
        raise ValueError(
            f"{what}: column {time} is {frame[time].dtype}{such}, expected dates without time zone; convert it with pandas.to_datetime "
            "(dayfirst=True where the day comes before the month), dt.tz_localize(None) or dt.to_timestamp()"
        )
    require_numbers(frame, [time], what, "date")


def check_numbers(frame: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    """ValueError for columns that hold texts or infinite numbers; missing ones are looked for by `require_numbers`."""
    for column in columns:
        if not is_number(frame[column]):
            examples = [value for value in frame[column] if not isinstance(value, int | float)]
            such = f" (such as {examples[0]!r})" if examples else ""
            raise ValueError(f"{what}: column {column} is {frame[column].dtype}{such}, expected numbers; convert it with pandas.to_numeric")
        if np.isinf(frame[column].to_numpy(dtype=np.float64, na_value=np.nan)).any():
            raise ValueError(f"{what}: column {column} has infinite numbers, expected finite ones")


def check_panel(panel: pd.DataFrame, series: Sequence[str], time: str, target: str, told: Sequence[str], available: str | None) -> None:
    """ValueError for whatever keeps a panel from being learnt from; gaps are looked for later."""
    what = "the panel"
    require_columns(panel, [*series, time, target, *told, *([available] if available else [])], what)
    if panel.empty:
        raise ValueError("the panel has no rows; expected at least one per series")
    check_times(panel, time, what)
    require_numbers(panel, series, what, "value")
    check_numbers(panel, [column for column in told if is_number(panel[column])], what)
    require_single_rows(panel, series, time, what)
    if available:
        check_numbers(panel, [available], what)
        require_numbers(panel, [available], what)
    # Nobody knows the demand of an empty shelf, so that none has to be told.
    seen = panel[panel[available] != 0] if available else panel
    check_numbers(seen, [target], what)
    require_numbers(seen, [target], what)
    if (seen[target] < 0).any():
        worst = seen.sort_values(target, kind="stable").iloc[0]
        warnings.warn(
            f"the panel has {int((seen[target] < 0).sum())} rows with a negative {target}, the least {worst[target]} on {worst[time]}; "
            "they are learnt as 0, since returns are no demand",
            NegativeSales,
            stacklevel=4,
        )


def static_table(frame: pd.DataFrame, codes: np.ndarray, series: Sequence[str], static: Sequence[str], what: str) -> pd.DataFrame:
    """One row of series and static columns per code; ValueError for a static column that changes within a series."""
    table = frame[[*series, *static]].assign(**{_CODE: codes}).drop_duplicates().set_index(_CODE).sort_index()
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


def like_the_panel(plan: pd.DataFrame, numbers: Mapping[str, bool], table: pd.DataFrame, roles: Mapping[str, str]) -> pd.DataFrame:
    """A plan whose columns are of the kind they are of in the panel, as by a file that gave 7 as text; ValueError where they cannot be.

    `numbers` tells whether each column is one of numbers, `table` has the names that the panel had.
    """
    told = plan = like_numbers(plan, roles, "the plan")
    for column, was in numbers.items():
        if column not in plan.columns or is_number(plan[column]) == was or plan[column].isna().all():
            continue
        if not was and not (column in table.columns and all(isinstance(name, str) for name in table[column].dropna())):
            continue
        try:
            alike = pd.to_numeric(plan[column].astype(object)) if was else text_of(plan[column])
        except (ValueError, TypeError) as error:
            raise ValueError(f"the plan: column {column} is {plan[column].dtype} and was one of numbers in the panel: {error}") from None
        told = told.assign(**{column: alike})
    return told


def check_plan(plan: pd.DataFrame, series: Sequence[str], time: str, told: Sequence[str], roles: dict[str, str]) -> None:
    """ValueError for columns, values and kinds of values that a plan lacks."""
    what = "the plan"
    require_columns(plan, [*series, time, *told], what)
    if plan.empty:
        raise ValueError("the plan has no rows; expected one per series and period of the horizon")
    check_times(plan, time, what)
    require_numbers(plan, series, what, "value")
    require_single_rows(plan, series, time, what)
    check_numbers(plan, [column for column, role in roles.items() if role not in TEXTS and not plan[column].isna().all()], what)
    for column, role in roles.items():
        if role == PRICE and plan[column].isna().all():
            require_numbers(plan, [column], what)
        if role in (PRICE, DEPTH):
            values = plan[column].to_numpy(dtype=np.float64, na_value=np.nan)
            known = values[~np.isnan(values)]
            if len(known) and (known.max() <= 0 if role == PRICE else known.max() < 0):
                wanted = "prices above 0" if role == PRICE else "0 without promotion, more for a deeper one"
                raise ValueError(
                    f"{what}: column {column} is a {role} and {known.min():g} to {known.max():g} throughout; expected {wanted}"
                )


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


def check_plan_gaps(plan: pd.DataFrame, steps: np.ndarray, going: pd.DataFrame, series: Sequence[str], time: str, shorter: bool) -> None:
    """ValueError for a gap in a plan, or between it and the panel for a series of `going`, which the panel has up to its end.

    Series that are new, or that ended before, may begin in any period; where plans may be `shorter`, all may.
    """
    codes = np.asarray(plan.groupby(list(series), observed=True, sort=True).ngroup())
    order = np.lexsort((steps, codes))
    check_complete(plan.iloc[order], codes[order], steps[order], series, time, "the plan")
    first = order[np.r_[True, np.diff(codes[order]) > 0]]
    late = first[steps[first] > 1]
    if shorter or not len(late):
        return
    asked = pd.MultiIndex.from_frame(plan[series].iloc[late].astype(object))
    late = late[asked.isin(pd.MultiIndex.from_frame(going.astype(object)))]
    if len(late):
        row = plan.iloc[late[0]]
        raise ValueError(
            f"the plan of {named(row, series)} begins on {row[time]}, {steps[late[0]]} periods after the panel, and {len(late)} series "
            "begin late in all; expected every period from the first one after the panel on, since what is planned in it tells of the next "
            "ones; plan it, too, or pass shorter_plans=True"
        )


def warn_short(periods: int, horizon: int) -> None:
    """ShortPast for a panel of fewer than three horizons."""
    warnings.warn(
        f"the panel has {periods} periods, fewer than three horizons ({3 * horizon}): its intervals are made from errors on rows that were "
        "learnt from, and are too narrow (of those of 80 %, 52 to 61 % was seen to hold); give it a longer past or a shorter horizon",
        ShortPast,
        stacklevel=3,
    )


def named(row: pd.Series, series: Sequence[str]) -> str:
    """How a series is called in a message."""
    return ", ".join(f"{name} {row[name]}" for name in series)
