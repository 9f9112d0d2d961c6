"""Which features matter: by how much errors grow where one of them is shuffled among rows that were not learnt from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from sales_tech.forecasting import PromotionForecaster
from sales_tech.forecasting.features import Matrix
from sales_tech.forecasting.history_features import WEEKDAY
from sales_tech.forecasting.plan_features import feature_of
from sales_tech.forecasting.rows import Floats, Ints
from sales_tech.models.card import Importance

MOST_ROWS, REPEATS, SHOWN = 3_000, 2, 12
LEVEL, FACTOR = "level", "+factor"


def permutation_importance(forecaster: PromotionForecaster, rows: pd.DataFrame, seed: int = 0) -> list[Importance]:
    """The features that matter most, as WAPE lost (Breiman 2001), from a plan with what came true in `actual`.

    Rows whose `actual` is NaN only make the plan reach the horizon; where nothing was sold, nothing is told. What forecasts are
    relative to (level, common factors, own weekday) is shuffled there too. Features that tell much the same share what they
    matter, so that each looks smaller than it is; what the chain of next periods tells stays as it was.
    """
    rng = np.random.default_rng(seed)
    matrix, actual = forecaster.features(rows.drop(columns="actual")), rows["actual"].to_numpy(dtype=np.float64)
    known = np.isfinite(actual)
    matrix, actual = matrix.where(known), actual[known]
    if len(actual) > MOST_ROWS:
        chosen = np.sort(rng.choice(len(actual), MOST_ROWS, replace=False))
        matrix, actual = matrix.where(chosen), actual[chosen]
    total = float(actual.sum())
    if total <= 0:
        return []

    def wape(told: Matrix) -> float:
        return float(np.abs(forecaster.ensemble_.mean(told) - actual).sum()) / total

    usual = wape(matrix)
    orders = [rng.permutation(len(actual)) for _ in range(REPEATS)]
    told = []
    for place, name in enumerate(matrix.names):
        if len(np.unique(matrix.values[:, place])) < 2:
            continue
        lost = [wape(_shuffled(matrix, place, order)) - usual for order in orders]
        told.append(Importance(feature=_readable(name, forecaster), wape_lost=float(np.mean(lost))))
    return sorted(told, key=lambda one: -one.wape_lost)[:SHOWN]


def _shuffled(matrix: Matrix, place: int, order: Ints) -> Matrix:
    name, values = matrix.names[place], matrix.values.copy()
    values[:, place] = values[order, place]
    level: Floats = matrix.level[order] if name == LEVEL else matrix.level
    factor: Floats = matrix.factor
    if name in (FACTOR, WEEKDAY):
        # Either is a part of the log of the factor, and the other one stays.
        before, after = (np.nan_to_num(one[:, place].astype(np.float64)) for one in (matrix.values, values))
        factor = factor * np.exp(after - before)
    return replace(matrix, values=values, level=level, factor=factor)


def _readable(name: str, forecaster: PromotionForecaster) -> str:
    if name.startswith("static "):
        statics = forecaster.ensemble_.statics_
        return [*statics.texts_, *statics.numbers_][int(name.removeprefix("static "))]
    return "common factors" if name == FACTOR else name.removeprefix("+").removeprefix(feature_of(""))
