"""How good forecasts are: errors, bias and the honesty of the quantiles, by any grouping."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sales_tech.forecasting.reading import tidied
from sales_tech.forecasting.shapes import QUANTILE, quantile_columns, require_columns, require_numbers

CUTOFF = "cutoff"
FIGURES = ("rows", "actual", "forecast", "wape", "bias", "rmsse", "rmspe", "mape", "pinball", "coverage", "nominal")


def evaluate(
    predictions: pd.DataFrame,
    by: Sequence[str] | None = (),
    insample: pd.DataFrame | None = None,
    *,
    series: Sequence[str] = (),
    time: str = "date",
    target: str = "units",
    actual: str = "actual",
    forecast: str = "mean",
    quantiles: Sequence[float] | None = None,
) -> pd.DataFrame:
    """One row of figures per group of predictions, a single one where `by` names no column.

    `predictions` has the columns `actual`, `forecast` and those of the quantiles (q10, q50, q90), if any: those of `quantiles`,
    or by default all of such a name that `by` does not have. Of a frame with others of such a name, such as quarters called q1
    to q4, say which are meant: `quantiles=(0.1, 0.5, 0.9)`. After the columns of `by` come, NaN where not defined:

    - `rows`, and `actual` and `forecast`, the sums;
    - `wape`, the sum of absolute errors over the sum of actuals, and `bias`, the sum of forecasts over it less 1;
    - `rmsse`, the mean over series (and cutoffs) of the root of the squared error scaled by that of the one-step
      naive forecast in sample, from the first sale on (Makridakis et al. 2022, International Journal of Forecasting
      38, M5). It needs `insample`, complete periods with the columns `series`, `time` and `target`, of which only
      those up to each cutoff count; series whose past never changes have no scale and are left out;
    - `rmspe` and `mape`, relative errors of the rows with actuals above 0;
    - `pinball`, the mean loss over rows and quantiles (Koenker and Bassett 1978), and `coverage`, the share of rows
      within the outermost two quantiles, beside `nominal`, what it should be.

    ValueError for columns and numbers that are missing, for columns of `by` that are called as figures are, and for insample
    rows that are not of the past.
    """
    what = "the frame of predictions"
    by = [by] if isinstance(by, str) else () if by is None else by
    levels = (
        _levels_of(predictions, by) if quantiles is None else {name: level for level, name in quantile_columns(sorted(quantiles)).items()}
    )
    require_columns(predictions, [*by, actual, forecast, *levels], what)
    taken = [name for name in by if name in FIGURES]
    if taken:
        raise ValueError(f"by has {', '.join(taken)}, which figures are called, too; expected other names; rename the columns")
    for name in levels:
        if not pd.api.types.is_numeric_dtype(predictions[name]):
            raise ValueError(
                f"{what}: column {name} is {predictions[name].dtype}, expected the numbers of a quantile; if it is none, "
                "tell those that are, such as quantiles=(0.1, 0.5, 0.9)"
            )
    require_numbers(predictions, [actual, forecast, *levels], what)
    if predictions.empty:
        raise ValueError("the frame of predictions has no rows; expected at least one")
    predictions = predictions.reset_index(drop=True)
    rows = _row_errors(predictions, actual, forecast, levels)
    keys = _keys(predictions, by)
    grouped = rows.groupby(keys, observed=True, dropna=False)
    sums, means = grouped.sum(), grouped.mean()
    total = sums["actual"].where(sums["actual"] > 0)
    figures = pd.DataFrame(
        {
            "rows": grouped.size(),
            "actual": sums["actual"],
            "forecast": sums["forecast"],
            "wape": sums["absolute"] / total,
            "bias": sums["forecast"] / total - 1,
            "rmsse": np.nan,
            "rmspe": np.sqrt(means["relative_squared"]),
            "mape": means["relative"],
            "pinball": means["pinball"],
            "coverage": means["covered"],
            "nominal": max(levels.values()) - min(levels.values()) if len(levels) > 1 else np.nan,
        }
    )
    if insample is not None:
        scale = _scale_of_rows(predictions, insample, series, time, target)
        figures["rmsse"] = _rmsse(predictions, by, series, rows["squared"], scale)
    return figures[list(FIGURES)].reset_index(drop=not by)


def naive_scales(insample: pd.DataFrame, series: Sequence[str], time: str, target: str) -> pd.Series:
    """By series, the mean squared change from one period to the next since the first sale; NaN where there is none."""
    ordered = insample.sort_values([*series, time], kind="stable")
    names = list(series)
    begun = (ordered[target] > 0).groupby([ordered[name] for name in names], observed=True).cummax()
    since = ordered[begun]
    change = since.groupby(names, observed=True)[target].diff().astype(np.float64)
    scales = change.pow(2).groupby([since[name] for name in names], observed=True).mean()
    told: pd.Series = scales.where(scales > 0).rename("scale")
    return told


def _levels_of(predictions: pd.DataFrame, by: Sequence[str]) -> dict[str, float]:
    """The quantile columns of a frame with what they stand for, in order."""
    names = [column for column in map(str, predictions.columns) if column not in by]
    found = {column: float(match[1]) / 100 for column in names if (match := QUANTILE.fullmatch(column))}
    return {column: level for column, level in sorted(found.items(), key=lambda item: item[1]) if 0 < level < 1}


def _row_errors(predictions: pd.DataFrame, actual: str, forecast: str, quantiles: dict[str, float]) -> pd.DataFrame:
    truth, told = predictions[actual].astype(np.float64), predictions[forecast].astype(np.float64)
    relative = (told - truth).abs() / truth.where(truth > 0)
    losses = [
        (over := truth - predictions[column]).clip(lower=0) * level - over.clip(upper=0) * (1 - level)
        for column, level in quantiles.items()
    ]
    covered: pd.Series | float = np.nan
    if len(quantiles) > 1:
        lowest, *_, highest = quantiles
        covered = truth.between(predictions[lowest], predictions[highest]).astype(np.float64)
    return pd.DataFrame(
        {
            "actual": truth,
            "forecast": told,
            "absolute": (told - truth).abs(),
            "squared": (told - truth) ** 2,
            "relative": relative,
            "relative_squared": relative**2,
            "pinball": sum(losses) / len(losses) if losses else np.nan,
            "covered": covered,
        },
        index=predictions.index,
    )


def _keys(predictions: pd.DataFrame, by: Sequence[str]) -> list[pd.Series]:
    return [predictions[name] for name in by] or [pd.Series(0, index=predictions.index)]


def _scale_of_rows(predictions: pd.DataFrame, insample: pd.DataFrame, series: Sequence[str], time: str, target: str) -> pd.Series:
    """The scale of each prediction's series, from what was known at its cutoff."""
    if not series:
        raise ValueError("insample is given without series; expected the columns that tell one series from another")
    require_columns(predictions, [*series, time], "the frame of predictions")
    require_columns(insample, [*series, time, target], "the insample frame")
    predictions, insample = (
        tidied(predictions, [time], time, "the frame of predictions"),
        tidied(insample, [time], time, "the insample frame"),
    )
    if CUTOFF not in predictions.columns:
        if insample[time].max() >= predictions[time].min():
            raise ValueError(
                f"the insample frame goes on to {insample[time].max()}, predictions begin on {predictions[time].min()} and have no column "
                f"{CUTOFF}; give past rows only, or predictions with their cutoffs"
            )
        return _joined(predictions, naive_scales(insample, series, time, target), series)
    parts = []
    for cutoff, part in predictions.groupby(CUTOFF):
        parts.append(_joined(part, naive_scales(insample[insample[time] <= cutoff], series, time, target), series))
    told: pd.Series = pd.concat(parts).reindex(predictions.index)
    return told


def _joined(predictions: pd.DataFrame, scales: pd.Series, series: Sequence[str]) -> pd.Series:
    told = predictions[list(series)].merge(scales.reset_index(), on=list(series), how="left")["scale"]
    return pd.Series(told.to_numpy(), index=predictions.index)


def _rmsse(predictions: pd.DataFrame, by: Sequence[str], series: Sequence[str], squared: pd.Series, scale: pd.Series) -> pd.Series:
    cutoff = [CUTOFF] if CUTOFF in predictions.columns else []
    keys = _keys(predictions, by) + [predictions[name] for name in [*series, *cutoff] if name not in by]
    known = scale.notna()
    scaled = (squared / scale)[known].groupby([key[known] for key in keys], observed=True, dropna=False).mean()
    groups = list(range(max(len(by), 1)))
    told: pd.Series = scaled.pow(0.5).groupby(level=groups, observed=True, dropna=False).mean()
    return told
