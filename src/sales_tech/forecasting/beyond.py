"""What a plan asks for that the past never showed: numbers and texts beyond it, prices that were never cut so far, other series."""

from __future__ import annotations

import warnings
from collections.abc import Container, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from sales_tech.forecasting.checks import PlanBeyondHistory, UnknownSeries, named
from sales_tech.forecasting.plan_features import AHEAD, Plan
from sales_tech.forecasting.roles import PRICE, TEXTS, text_of
from sales_tech.forecasting.rows import Floats, Ints

MOST_LISTED = 5


def seen_of(plan: Plan) -> dict[str, tuple[float, float]]:
    """By plan column, the least and the greatest value of the rows that were learnt from; of a price, of how far it was cut, as a log."""
    at = np.flatnonzero(plan.rows.known)
    told = {}
    for column in plan.roles:
        values = _values(plan, column, at)
        told[column] = (float(values.min()), float(values.max()))
    return told


def warn_beyond(
    plan: Plan,
    at: Ints,
    frame: pd.DataFrame,
    seen: Mapping[str, tuple[float, float]],
    texts: Mapping[str, Sequence[str]],
    key: Sequence[str],
    counts: Container[str] = (),
) -> None:
    """PlanBeyondHistory for each column of which rows of a plan go beyond what was `seen`.

    The rows of `frame` stand at `at`; `texts` are those of the past, `key` the columns of series and time, and `counts` those told
    beside the usual count of a series.
    """
    asked = np.flatnonzero(~plan.rows.closed[at] & (plan.rows.plan[AHEAD][at] > 0))
    for column, (low, high) in seen.items():
        values = _values(plan, column, at[asked])
        margin = 1e-9 + 1e-6 * (high - low)
        over = np.maximum(low - margin - values, values - high - margin)
        if not (over > 0).any():
            continue
        farthest = int(np.argmax(over))
        row, count = frame.iloc[asked[farthest]], f"the plan has {int((over > 0).sum())} rows with"
        where = f"such as {named(row, key)}"
        if plan.roles[column] in TEXTS:
            unseen = _listed(map(repr, text_of(frame[column].iloc[asked[over > 0]]).unique()))
            said = f"{count} a text of {column} that was never seen: {unseen}; the past has {_listed(texts[column])}"
        elif plan.roles[column] == PRICE:
            range_seen = f"was from {_cut(low)} to {_cut(high)}" if high > low else "never changed"
            said = f"{count} a {column} beyond the past, {where}: {_cut(values[farthest])} the usual one of its series; it {range_seen}"
        elif column in counts:
            times = f"{values[farthest]:.3g} times the usual of its series; it was up to {high:.3g}"
            said = f"{count} more of {column} than ever, {where}: {times}"
        else:
            said = f"{count} a value of {column} beyond the past ({low:g} to {high:g}), {where}: {values[farthest]:g}"
        warnings.warn(f"{said}; their forecasts are a guess", PlanBeyondHistory, stacklevel=3)


def warn_unknown(code: Ints, frame: pd.DataFrame, table: pd.DataFrame, series: Sequence[str]) -> None:
    """UnknownSeries where a plan has several series and none of them was in the panel, whose series are those of `table`."""
    if code.min() < len(table) or code.min() == code.max():
        return
    one, other = (", ".join(f"{name} {row[name]!r}" for name in series) for row in (frame.iloc[0], table.iloc[0]))
    warnings.warn(
        f"none of the {len(np.unique(code))} series of the plan was in the panel: the plan has {one}, the panel {other}; all are told as "
        "series without a past; write names in both alike where they are the same series",
        UnknownSeries,
        stacklevel=3,
    )


def _values(plan: Plan, column: str, at: Ints) -> Floats:
    return plan.cheapness(column, at, at) if plan.roles[column] == PRICE else plan.rows.plan[column][at]


def _cut(log: float) -> str:
    share = 100 * abs(np.expm1(-log))
    return f"{share:.3g} % {'above' if log < 0 else 'below'}"


def _listed(texts: Iterable[str]) -> str:
    told = list(texts)
    rest = f" and {len(told) - MOST_LISTED} others" if len(told) > MOST_LISTED else ""
    return ", ".join(told[:MOST_LISTED]) + rest
