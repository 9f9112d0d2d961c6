"""The simple forecasters against values picked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from tests.forecasting.panels import FIRST, future_of, panel_of

from sales_tech.forecasting.peers import MovingAverage, Peer, SeasonalNaive
from sales_tech.forecasting.rolling import backtest, rolling_cutoffs

BOTH = pytest.mark.parametrize("kind", [SeasonalNaive, MovingAverage])


def told_by(peer: Peer, panel: pd.DataFrame, periods: int) -> pd.DataFrame:
    return peer.fit(panel).predict(future_of(panel, periods, peer.freq))


def test_days_repeat_the_same_weekday_of_the_last_week() -> None:
    told = told_by(SeasonalNaive(["sku"]), panel_of(a=[90, 91, 1, 2, 3, 4, 5, 6, 7], b=[0] * 8 + [8]), 9)
    assert told.loc[told["sku"] == "a", "mean"].tolist() == [1, 2, 3, 4, 5, 6, 7, 1, 2]
    assert told.loc[told["sku"] == "b", "mean"].tolist() == [0, 0, 0, 0, 0, 0, 8, 0, 0]
    assert told["horizon"].tolist() == [*range(1, 10)] * 2


def test_weeks_repeat_the_year_before_where_there_was_one() -> None:
    old = [float(week) for week in range(60)]
    panel = pd.concat([panel_of("W", old=old), panel_of("W", first=FIRST + pd.Timedelta(weeks=58), young=[5, 9])])
    told = told_by(SeasonalNaive(["sku"], freq="W"), panel, 2)
    assert told["mean"].tolist() == [8, 9, 9, 9]


def test_a_series_that_ended_early_repeats_its_own_last_season() -> None:
    panel = panel_of(a=[1, 2, 3, 4], gone=[5, 6])
    told = told_by(SeasonalNaive(["sku"], season=2), panel, 2)
    assert told.loc[told["sku"] == "gone", "mean"].tolist() == [5, 6]


def test_the_season_is_as_long_as_told() -> None:
    assert told_by(SeasonalNaive(["sku"], season=3), panel_of(a=[1, 2, 3, 4, 5]), 4)["mean"].tolist() == [3, 4, 5, 3]


def test_the_average_is_of_the_last_window_or_of_what_there_is() -> None:
    panel = pd.concat([panel_of(a=[100, 1, 2, 6]), panel_of(first=FIRST + pd.Timedelta(days=2), b=[4, 6])])
    told = told_by(MovingAverage(["sku"], window=3), panel, 2)
    assert told["mean"].tolist() == [3, 3, 5, 5]


@pytest.mark.parametrize(("freq", "window"), [("D", 28), ("W", 8)])
def test_the_window_is_a_month_of_days_or_eight_weeks(freq: str, window: int) -> None:
    panel = panel_of(freq, a=[1000] * 3 + [2] * (window - 1) + [2 + window])
    assert told_by(MovingAverage(["sku"], freq=freq), panel, 1)["mean"].tolist() == [3]


def test_quantiles_are_those_of_the_errors_that_the_rule_made() -> None:
    panel = panel_of(a=[10, 12, 11, 15, 14])
    told = told_by(SeasonalNaive(["sku"], season=1, quantiles=(0.25, 0.5)), panel, 1)
    errors = [2, -1, 4, -1]
    assert told[["q25", "q50"]].to_numpy().tolist() == [[14 + np.quantile(errors, 0.25), 14 + np.median(errors)]]
    told = told_by(MovingAverage(["sku"], window=2, quantiles=(0.9,)), panel, 1)
    assert told["q90"].tolist() == pytest.approx([14.5 + np.quantile([2, 0, 3.5, 1], 0.9)])


def test_no_quantile_is_below_zero_and_one_period_has_no_spread() -> None:
    told = told_by(
        SeasonalNaive(["sku"], season=1), pd.concat([panel_of(a=[9, 0, 1]), panel_of(first=FIRST + pd.Timedelta(days=2), b=[4])]), 1
    )
    assert told["q10"].tolist() == [0, 4]
    assert told["q90"].tolist()[1] == 4


@BOTH
def test_baseline_and_uplift_add_up_and_rows_keep_their_order(kind: type[Peer]) -> None:
    panel = panel_of(a=range(30), b=range(5, 35))
    plan = future_of(panel, 3).iloc[[5, 0, 3]]
    told = kind(["sku"]).fit(panel).predict(plan)
    assert list(told.columns) == ["sku", "date", "horizon", "q10", "q50", "q90", "mean", "baseline", "uplift"]
    pd.testing.assert_frame_equal(told[["sku", "date"]], plan.reset_index(drop=True))
    assert (told["baseline"] + told["uplift"]).tolist() == told["mean"].tolist()


@BOTH
def test_rows_in_another_order_tell_the_same(kind: type[Peer]) -> None:
    panel = panel_of(a=[3, 1, 4, 1, 5, 9, 2, 6, 5], b=[2, 7, 1, 8, 2, 8, 1, 8, 2])
    shuffled = panel.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(told_by(kind(["sku"]), panel, 2), kind(["sku"]).fit(shuffled).predict(future_of(panel, 2)))


@BOTH
def test_several_series_columns_and_categoricals_are_told_apart(kind: type[Peer]) -> None:
    one = panel_of(a=[1] * 9).assign(store="x")
    panel = pd.concat([one, one.assign(store="y", units=5.0)]).astype({"sku": "category", "store": "category"})
    plan = panel.tail(1).assign(date=panel["date"].max() + pd.Timedelta(days=1))
    assert kind().fit(panel).predict(plan)["mean"].tolist() == [5]


@BOTH
def test_a_backtest_runs_over_it(kind: type[Peer]) -> None:
    panel = panel_of(a=[1, 2, 3, 4, 5, 6, 7] * 3)
    told = backtest(kind(["sku"]), panel, rolling_cutoffs(panel, "date", "D", 7, 2), 7)
    assert told["actual"].tolist() == [1, 2, 3, 4, 5, 6, 7] * 2
    assert told["mean"].tolist() == (told["actual"].tolist() if kind is SeasonalNaive else [4] * 14)


@BOTH
def test_it_follows_the_rules_of_scikit_learn(kind: type[Peer]) -> None:
    peer = kind(("sku",), freq="W", quantiles=(0.2,))
    assert clone(peer).get_params() == peer.get_params()


@BOTH
def test_a_period_that_is_skipped_is_named(kind: type[Peer]) -> None:
    with pytest.raises(ValueError, match="the panel skips from 2026-01-05 00:00:00 to 2026-01-07 00:00:00 for sku a"):
        kind(["sku"]).fit(panel_of(a=[1, 2, 3]).drop(1))


@BOTH
def test_what_a_panel_lacks_is_named(kind: type[Peer]) -> None:
    panel = panel_of(a=[1, 2])
    with pytest.raises(ValueError, match="the panel has no column store"):
        kind().fit(panel)
    with pytest.raises(ValueError, match="the panel has 1 of 2 rows without a number in units"):
        kind(["sku"]).fit(panel.assign(units=[1, None]))
    with pytest.raises(ValueError, match="the panel has no rows"):
        kind(["sku"]).fit(panel.head(0))


@BOTH
@pytest.mark.parametrize(("days", "horizon"), [(0, 28), (3, 2), (0.5, 28)])
def test_rows_outside_the_horizon_are_refused(kind: type[Peer], days: float, horizon: int) -> None:
    panel = panel_of(a=[1, 2])
    peer = kind(["sku"], horizon=horizon).fit(panel)
    with pytest.raises(ValueError, match=f"expected 1 to {horizon} whole periods"):
        peer.predict(panel.tail(1).assign(date=panel["date"].max() + pd.Timedelta(days=days)))


@BOTH
def test_a_series_without_a_past_is_named(kind: type[Peer]) -> None:
    panel = panel_of(a=[1, 2])
    with pytest.raises(ValueError, match="the plan has sku new, of which the panel had no row"):
        kind(["sku"]).fit(panel).predict(future_of(panel, 1).assign(sku="new"))


@pytest.mark.parametrize("peer", [SeasonalNaive(["sku"], season=0), MovingAverage(["sku"], window=0)])
def test_a_length_below_one_is_refused(peer: Peer) -> None:
    with pytest.raises(ValueError, match="is 0; expected 1 period or more"):
        peer.fit(panel_of(a=[1, 2]))


def test_quantiles_outside_zero_to_one_are_refused() -> None:
    with pytest.raises(ValueError, match="quantiles has 10; expected numbers between 0 and 1"):
        MovingAverage(["sku"], quantiles=(10,)).fit(panel_of(a=[1, 2]))
