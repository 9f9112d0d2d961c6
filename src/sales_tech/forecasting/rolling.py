"""Forecasts of the past from what was known then: rolling origins, with time as the only split."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import date
from typing import Any, Protocol

import numpy as np
import pandas as pd
from sklearn.base import clone

from sales_tech.forecasting.checks import check_times
from sales_tech.forecasting.evaluation import CUTOFF
from sales_tech.forecasting.reading import tidied
from sales_tech.forecasting.shapes import QUANTILE, TOLD, period_of, require_columns, require_single_rows

ACTUAL = "actual"


class ColumnsLeftOut(UserWarning):
    """Predictions do not carry columns of the plan, or static ones, that are called as a part of predictions is."""


class Forecaster(Protocol):
    """What can be backtested: the columns that it is told of, `fit` of a panel, `predict` of the future rows of the plan."""

    series: Sequence[str]
    time: str
    target: str
    plan: Sequence[str]
    static: Sequence[str]
    freq: str

    def fit(self, panel: pd.DataFrame) -> Any:
        """Learn from rows of series, time, target, plan and static columns."""

    def predict(self, plan_frame: pd.DataFrame) -> pd.DataFrame:
        """Rows of series, time, horizon, quantiles, mean, baseline and uplift for the rows of the plan."""


def backtest(
    forecaster: Forecaster, panel: pd.DataFrame, cutoffs: Sequence[pd.Timestamp], horizon: int, *, unseen: bool = False
) -> pd.DataFrame:
    """Predictions from every cutoff with the columns `cutoff` and `actual`, and the plan and static columns of their rows.

    Of those, what is called as a part of predictions or as any quantile is left out, so that `evaluate` takes none for one, and
    `ColumnsLeftOut` says so.

    At each cutoff a clone is fitted on the rows up to it, and given the rows of the `horizon` periods after it,
    plan and static columns but not the target. Series without a row before the cutoff are left out unless `unseen`.
    A forecaster that fills gaps is told the cutoff, which need not have a row; one that looks farther is given shorter plans.
    ValueError for columns that are missing, for series called as a part of the predictions, for a cutoff without rows before
    or after it, for a forecaster that looks less far than `horizon`, and for predictions that lack rows.
    """
    series, time, target = list(forecaster.series), forecaster.time, forecaster.target
    told = list(dict.fromkeys([*series, time, *forecaster.plan, *forecaster.static]))
    available = getattr(forecaster, "available", None)
    shelf = [] if available is None or available in told else [available]
    require_columns(panel, [*told, target, *shelf], "the panel")
    panel = tidied(panel, [*told, target, *shelf], time, "the panel")
    taken = [name for name in (*series, time) if _is_taken(name)]
    if taken:
        raise ValueError(
            f"series and time have {', '.join(taken)}, as predictions call a column of theirs; expected other names; rename them"
        )
    require_single_rows(panel, series, time, "the panel")
    left_out = [name for name in told if name not in (*series, time) and _is_taken(name)]
    if left_out:
        warnings.warn(
            f"the predictions come without the columns {', '.join(left_out)} of plan and static, as predictions call a column of theirs; "
            "rename them to group by them",
            ColumnsLeftOut,
            stacklevel=2,
        )
    reach = getattr(forecaster, "horizon", horizon)
    if horizon < 1 or reach < horizon:
        raise ValueError(f"horizon is {horizon}; expected 1 to {reach}, the horizon of the forecaster")
    cutoffs = _moments(cutoffs)
    check_times(panel, time, "the panel")
    period = period_of(forecaster.freq)
    ahead = period * horizon
    parts = []
    for cutoff in cutoffs:
        past = panel.loc[panel[time] <= cutoff, [*told, target, *shelf]]
        future = panel[(panel[time] > cutoff) & (panel[time] <= cutoff + ahead)]
        if past.empty or future.empty:
            side = "up to" if past.empty else "after"
            raise ValueError(f"the panel has no row {side} the cutoff {cutoff}; it goes from {panel[time].min()} to {panel[time].max()}")
        origin = past[time].min() + (cutoff - past[time].min()) // period * period
        gaps = getattr(forecaster, "fill_gaps", None) is not None
        if origin + ahead > panel[time].max() and not gaps and not getattr(forecaster, "shorter_plans", False):
            raise ValueError(
                f"the panel goes to {panel[time].max()}, less than {horizon} periods after the cutoff {cutoff}; expected cutoffs up to "
                f"{panel[time].max() - ahead}, or a shorter horizon"
            )
        if not unseen:
            known = pd.MultiIndex.from_frame(past[series].drop_duplicates().astype(object))
            future = future[pd.MultiIndex.from_frame(future[series].astype(object)).isin(known)]
        model = clone(forecaster, safe=False)
        if reach > horizon and hasattr(model, "shorter_plans"):
            model.set_params(shorter_plans=True)
        model.fit(past.reset_index(drop=True), **({"origin": origin} if gaps else {}))
        predicted = model.predict(future[told].reset_index(drop=True))
        parts.append(_with_actuals(predicted, future[[*told, target]], series, time, target).assign(**{CUTOFF: cutoff}))
    return pd.concat(parts, ignore_index=True)


def rolling_cutoffs(panel: pd.DataFrame, time: str, freq: str, horizon: int, count: int, step: int | None = None) -> list[pd.Timestamp]:
    """The last `count` cutoffs with `horizon` periods after each, `step` periods apart (`horizon` by default), in order.

    ValueError where the panel is too short for them, or where a number is below 1.
    """
    require_columns(panel, [time], "the panel")
    panel = tidied(panel, [time], time, "the panel")
    check_times(panel, time, "the panel")
    step = horizon if step is None else step
    if min(horizon, count, step) < 1:
        raise ValueError(f"horizon, count and step are {horizon}, {count} and {step}; expected 1 or more of each")
    period, first, last = period_of(freq), panel[time].min(), panel[time].max()
    cutoffs = [last - period * (horizon + step * back) for back in reversed(range(count))]
    if pd.isna(first) or cutoffs[0] < first:
        raise ValueError(
            f"{count} cutoffs {step} periods apart, the last with {horizon} after it, begin on {cutoffs[0]}, but the panel goes "
            f"from {first} to {last}; expected fewer cutoffs, a smaller step or a shorter horizon"
        )
    return cutoffs


def _is_taken(name: str) -> bool:
    return name in (*TOLD, ACTUAL, CUTOFF) or QUANTILE.fullmatch(str(name)) is not None


def _moments(cutoffs: Any) -> list[pd.Timestamp]:
    told = [pd.Timestamp(cutoff) for cutoff in ([cutoffs] if isinstance(cutoffs, str | date | np.datetime64) else cutoffs)]
    if not told:
        raise ValueError("cutoffs is empty; expected at least one, such as rolling_cutoffs gives")
    for cutoff in told:
        if pd.isna(cutoff) or cutoff.tz is not None:
            raise ValueError(f"cutoffs has {cutoff}; expected dates without time zone; convert it with tz_localize(None)")
    return told


def _with_actuals(predicted: pd.DataFrame, future: pd.DataFrame, series: list[str], time: str, target: str) -> pd.DataFrame:
    """The predictions with what came true and what was planned."""
    key = [*series, time]
    require_columns(predicted, key, "the frame that predict returned")
    require_single_rows(predicted, series, time, "the frame that predict returned")
    own = {*predicted.columns, target}
    planned = [column for column in future.columns if column in key or not (column in own or _is_taken(column))]
    known = future[planned].assign(**{ACTUAL: future[target]})
    joined = predicted.merge(known, on=key, how="inner")
    if len(joined) < len(future):
        raise ValueError(f"predict returned {len(joined)} of the {len(future)} rows of the plan; expected a prediction for each")
    return joined
