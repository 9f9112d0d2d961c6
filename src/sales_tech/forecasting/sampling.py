"""Which rows are learnt from, seen from which origins: all of a small panel several times, a sample of a large one."""

from __future__ import annotations

import numpy as np

from sales_tech.forecasting.rows import Bools, Ints, Rows

MOST_VIEWS = 6
NEARNESS = 2.0
BLIND = 0.04


def training_rows(rows: Rows, horizon: int, last: int, most: int, seed: int) -> tuple[Ints, Ints, Bools]:
    """Rows up to the period `last`, the steps from their origins, and which are to be seen as of new series.

    Rows within the horizon of a series' first have no past either, as those of new series.
    """
    rng = np.random.default_rng((seed, 5))
    usable = np.flatnonzero(rows.known & (rows.period <= last))
    # What stood on the first shelf of the panel was not new then.
    opened = int(rows.period.min())
    born = rows.period[rows.start[usable]] > opened
    usable = usable[born | (usable - rows.start[usable] >= min(rows.week, 2))]
    views = int(np.clip(most // max(len(usable), 1), 1, min(MOST_VIEWS, horizon)))
    if len(usable) > most:
        usable = np.sort(rng.choice(usable, most, replace=False))
    row = np.tile(usable, views)
    # The views of a row are spread over the horizon, near steps more often: in them the last periods tell most.
    offset = rng.random(len(usable))
    far = [((offset + view / views) % 1.0) ** NEARNESS for view in range(views)]
    step = (np.concatenate(far) * horizon).astype(np.int64) + 1
    # Where the past is shorter than the step, a shorter step is seen; only a series that came later may have none.
    reach = np.maximum(row - rows.start[row] - min(rows.week, 2) + 1, 1)
    step = np.where(rows.period[rows.start[row]] > opened, step, (step - 1) % reach + 1)
    return row, step, rng.random(len(row)) < BLIND


def held_out_rows(rows: Rows, horizon: int, first: int, last: int, most: int, seed: int) -> tuple[Ints, Ints, Bools]:
    """Rows whose origins are periods `first` to `last`, a week or less apart, with some seen as of new series besides."""
    rng = np.random.default_rng((seed, 7))
    apart = max(1, min(rows.week, horizon))
    none = np.zeros(0, dtype=np.int64)
    found_rows, found_steps = [none], [none]
    for origin in range(last, first - 1, -apart):
        target = np.flatnonzero(rows.known & (rows.period > origin) & (rows.period <= origin + horizon))
        step = rows.period[target] - origin
        past = target - step >= rows.start[target]
        found_rows.append(target[past])
        found_steps.append(step[past])
    row, step = np.concatenate(found_rows), np.concatenate(found_steps)
    if len(row) > most:
        chosen = np.sort(rng.choice(len(row), most, replace=False))
        row, step = row[chosen], step[chosen]
    again = np.flatnonzero(rng.random(len(row)) < 2 * BLIND)
    blind = np.r_[np.zeros(len(row), dtype=bool), np.ones(len(again), dtype=bool)]
    return np.r_[row, row[again]], np.r_[step, step[again]], blind
