"""Features in few steps, so that trees need not look for theirs: the same steps for all of them, found once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

STEPS = 64
SHARE_BY_ROWS = 40
MOST_LOOKED_AT = 50_000


def coarse(values: NDArray[np.float32], categorical: Sequence[bool], seed: int) -> NDArray[np.float32]:
    """Each feature at the nearest of at most `STEPS` of its values; categories and what is missing stay.

    Trees that split halfway between two steps split the values themselves alike, so that only training needs the steps.
    They are quantiles of the rows and, for what is rare but far out, of the distinct values.
    """
    look = np.arange(len(values))
    if len(values) > MOST_LOOKED_AT:
        look = np.random.default_rng((seed, 23)).choice(len(values), MOST_LOOKED_AT, replace=False)
    told = values.copy()
    for place, is_text in enumerate(categorical):
        column = values[:, place]
        seen = column[look]
        seen = np.sort(seen[~np.isnan(seen)])
        distinct = np.unique(seen)
        if is_text or len(distinct) == 0:
            continue
        if len(distinct) > STEPS:
            by_rows = seen[np.linspace(0, len(seen) - 1, SHARE_BY_ROWS).round().astype(np.int64)]
            by_values = distinct[np.linspace(0, len(distinct) - 1, STEPS - SHARE_BY_ROWS).round().astype(np.int64)]
            distinct = np.unique(np.concatenate([by_rows, by_values]))
        halfway = (distinct[1:].astype(np.float64) + distinct[:-1]) / 2
        rounded = distinct[np.searchsorted(halfway, column, side="left")]
        told[:, place] = np.where(np.isnan(column), column, rounded)
    return told
