"""Which rows are learnt from and held out, and from which origins they are seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sales_tech.forecasting.rows import Rows
from sales_tech.forecasting.sampling import held_out_rows, training_rows

DAY = pd.Timedelta(days=1)


def rows_of(sizes: list[int], begins: list[int], week: int = 7) -> Rows:
    """Series of so many periods from their first one on, of which a tenth is not known."""
    code = np.repeat(np.arange(len(sizes)), sizes)
    period = np.concatenate([begin + np.arange(size) for size, begin in zip(sizes, begins, strict=True)])
    known = np.random.default_rng(1).random(len(code)) < 0.9
    return Rows(code, period, known.astype(float), known, ~known, {}, pd.Timestamp("2024-01-01"), 7 // week * DAY)


@pytest.mark.parametrize(("week", "horizon"), [(7, 10), (1, 4)])
def test_all_of_a_small_panel_is_learnt_from_with_the_past_that_each_row_has(week: int, horizon: int) -> None:
    rows = rows_of([60, 60, 40, 12], [3, 3, 23, 51], week)
    row, step, blind = training_rows(rows, horizon, 55, 10_000, 0)
    # Of series of the first day only rows behind two days, or one week, since nobody knows their beginning; others were born later.
    two, local = min(week, 2), np.arange(len(rows.code)) - rows.start
    born = rows.period[rows.start] > 3
    usable = np.flatnonzero(rows.known & (rows.period <= 55) & (born | (local >= two)))
    views = min(6, horizon)
    assert row.tolist() == np.tile(usable, views).tolist()
    assert len(step) == len(blind) == len(row)
    assert 1 <= step.min() <= step.max() == horizon
    old = ~born[row]
    assert (local[row] - step >= two - 1)[old].all()
    assert (step[~old] > local[row[~old]]).any()
    # Where the past is shorter than the horizon, steps go back as far as it does.
    many = rows_of([30] * 60, [0] * 60, week)
    row, step, _ = training_rows(many, horizon, 29, 20_000, 0)
    local = row - many.start[row]
    assert [step[local == two + back].max() for back in range(4)] == [1, 2, 3, 4]
    assert training_rows(replace(rows, known=rows.period < 0), horizon, 55, 10_000, 0)[0].tolist() == []


def test_steps_are_spread_over_the_horizon_with_more_near_ones_and_few_rows_are_seen_as_new() -> None:
    rows = rows_of([4_000, 4_000], [0, 0])
    row, step, blind = training_rows(rows, 25, 3_999, 20_000, 0)
    views = 20_000 // int((rows.known & (np.arange(8_000) % 4_000 >= 2)).sum())
    assert len(row) == views * len(np.unique(row)) <= 20_000
    # The views of a row lie apart.
    assert views == 2
    assert (step[: len(step) // 2] != step[len(step) // 2 :]).mean() > 0.95
    for far in (1, 4, 9, 16):
        # The square of an even share of the horizon.
        assert (step <= far).mean() == pytest.approx((far / 25) ** 0.5, abs=0.02)
    assert blind.mean() == pytest.approx(0.04, abs=0.006)
    few = training_rows(rows, 25, 3_999, 500, 0)[0]
    assert len(few) == len(np.unique(few)) == 500
    assert few[0] < 200 and few[-1] > 7_800
    again, other = (training_rows(rows, 25, 3_999, 500, seed)[0].tolist() for seed in (0, 1))
    assert again == few.tolist() != other


@pytest.mark.parametrize(("week", "horizon", "apart"), [(7, 10, 7), (7, 3, 3), (1, 4, 1)])
def test_rows_are_held_out_from_origins_a_week_apart_or_less_that_their_series_has(week: int, horizon: int, apart: int) -> None:
    rows = rows_of([60, 60, 40, 12], [3, 3, 23, 45], week)
    row, step, blind = held_out_rows(rows, horizon, 35, 51, 10_000, 0)
    expected = [
        (at, int(rows.period[at]) - origin)
        for origin in (51 - back for back in range(0, 17, apart))
        for at in range(len(rows.code))
        if rows.known[at] and 0 < rows.period[at] - origin <= horizon and origin >= rows.period[rows.start[at]]
    ]
    seen = list(zip(row.tolist(), step.tolist(), strict=True))
    assert seen[: len(expected)] == expected
    # Some are told once more, as if their series was new.
    assert {*seen[len(expected) :]} <= {*expected}
    assert blind.tolist() == [False] * len(expected) + [True] * (len(seen) - len(expected))


def test_of_many_held_out_rows_a_sample_is_taken_and_a_twelfth_of_it_once_more() -> None:
    rows = rows_of([400] * 10, [0] * 10)
    row, step, blind = held_out_rows(rows, 14, 200, 390, 2_000, 3)
    assert (~blind).sum() == len({*zip(row[~blind].tolist(), step[~blind].tolist(), strict=True)}) == 2_000
    assert blind.sum() / 2_000 == pytest.approx(0.08, abs=0.02)
    assert (
        held_out_rows(rows, 14, 200, 390, 2_000, 3)[0].tolist() == row.tolist() != held_out_rows(rows, 14, 200, 390, 2_000, 4)[0].tolist()
    )
