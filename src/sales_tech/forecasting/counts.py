"""Depths that count, such as how many goods of a series are promoted: told beside what is usual in the series.

Ten of forty goods do what one of four does, so that the effect of a plain count would be another one in each series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sales_tech.forecasting.roles import DEPTH

FEWEST_SERIES, FEWEST_ROWS, UNLIKE = 4, 5, 4.0
"""So many series with so many promoted rows, and so far apart the usual counts of a large and a small one, tell that depths are counts."""


def usual_counts(panel: pd.DataFrame, roles: Mapping[str, str], series: Sequence[str]) -> dict[str, pd.Series]:
    """By column of depths that are counts, the mean of those above 0 by series.

    Counts are whole, go beyond 1, and are UNLIKE times as large in the tenth of series with the most as in that with the fewest.
    """
    told = {}
    for column in (column for column, role in roles.items() if role == DEPTH):
        values = panel[column].astype("float64")
        some = values > 0
        if values.max() <= 1 or (values[some] % 1 > 0).any():
            continue
        by_series = values[some].groupby([panel.loc[some, name].astype(object) for name in series], sort=True)
        usual = by_series.mean()[by_series.size() >= FEWEST_ROWS]
        if len(usual) >= FEWEST_SERIES and usual.quantile(0.9) >= UNLIKE * usual.quantile(0.1):
            told[column] = usual
    return told


def beside_usual(frame: pd.DataFrame, usual: Mapping[str, pd.Series], series: Sequence[str]) -> pd.DataFrame:
    """A frame whose counts are parts of the usual one of their series; of series that had too few, of the median series."""
    told: dict[str, np.ndarray] = {}
    for column, counts in usual.items():
        keys = pd.MultiIndex.from_frame(frame[list(series)].astype(object))
        known = counts.index if isinstance(counts.index, pd.MultiIndex) else pd.MultiIndex.from_arrays([counts.index])
        at = known.get_indexer(keys)
        told[column] = frame[column].astype("float64") / np.where(at >= 0, counts.to_numpy()[at], counts.median())
    return frame.assign(**told) if told else frame
