"""Rolling origins: what a forecaster is shown, and what comes back."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from tests.forecasting.panels import FIRST, panel_of

from sales_tech import forecasting
from sales_tech.forecasting.rolling import ColumnsLeftOut, backtest, rolling_cutoffs


class LastValue(BaseEstimator):
    """Repeats the last value of each series; notes what it was shown."""

    def __init__(
        self, freq: str = "D", plan: tuple[str, ...] = (), static: tuple[str, ...] = (), horizon: int = 28, target: str = "units"
    ) -> None:
        self.freq, self.plan, self.static, self.horizon, self.target = freq, plan, static, horizon, target
        self.series, self.time = ["sku"], "date"

    def fit(self, panel: pd.DataFrame) -> LastValue:
        self.fitted_ = panel
        return self

    def predict(self, plan_frame: pd.DataFrame) -> pd.DataFrame:
        SHOWN.append((self.fitted_, plan_frame))
        last = self.fitted_.groupby("sku")[self.target].last()
        return plan_frame[["sku", "date"]].assign(mean=plan_frame["sku"].map(last).fillna(0.0))


SHOWN: list[tuple[pd.DataFrame, pd.DataFrame]] = []


@pytest.fixture(autouse=True)
def nothing_shown() -> None:
    SHOWN.clear()


def day(number: int) -> pd.Timestamp:
    return FIRST + pd.Timedelta(days=number)


def test_each_cutoff_predicts_the_periods_after_it() -> None:
    told = backtest(LastValue(), panel_of(a=[1, 2, 3, 4, 5, 6]), [day(1), day(3)], horizon=2)
    assert told[["cutoff", "date", "mean", "actual"]].to_numpy().tolist() == [
        [day(1), day(2), 2, 3],
        [day(1), day(3), 2, 4],
        [day(3), day(4), 4, 5],
        [day(3), day(5), 4, 6],
    ]


def test_a_horizon_of_weeks_is_counted_in_weeks() -> None:
    told = backtest(LastValue(freq="W"), panel_of("W", a=[1, 2, 3, 4]), [day(7)], horizon=1)
    assert told[["date", "actual"]].to_numpy().tolist() == [[day(14), 3]]


def test_a_change_of_the_future_moves_no_prediction_and_no_row_that_is_shown() -> None:
    panel = panel_of(a=[1, 2, 3, 4], b=[4, 3, 2, 1])
    changed = panel.assign(units=panel["units"].where(panel["date"] <= day(1), 1000))
    assert backtest(LastValue(), panel, [day(1)], 2)["mean"].tolist() == backtest(LastValue(), changed, [day(1)], 2)["mean"].tolist()
    (past, plan), (past_of_changed, plan_of_changed) = SHOWN
    pd.testing.assert_frame_equal(past, past_of_changed)
    pd.testing.assert_frame_equal(plan, plan_of_changed)


def test_the_plan_is_shown_and_nothing_else_of_the_future() -> None:
    panel = panel_of(a=[1, 2, 3]).assign(price=[9, 8, 7], category="x", revenue=[9, 16, 21])
    told = backtest(LastValue(plan=("price",), static=("category",)), panel, [day(1)], 1)
    past, plan = SHOWN[0]
    assert list(past.columns) == ["sku", "date", "price", "category", "units"]
    assert list(plan.columns) == ["sku", "date", "price", "category"]
    assert told[["price", "category", "actual"]].to_numpy().tolist() == [[7, "x", 3]]


@pytest.mark.parametrize("target", ["actual", "mean", "horizon", "cutoff", "q50"])
def test_what_is_sold_may_be_called_as_a_part_of_the_predictions(target: str) -> None:
    panel = panel_of(a=[1, 2, 3]).rename(columns={"units": target})
    told = backtest(LastValue(target=target), panel, [day(1)], 1)
    assert told[["mean", "actual", "cutoff"]].to_numpy().tolist() == [[2, 3, day(1)]]


def test_plan_columns_that_could_pass_for_predictions_are_not_carried_and_that_is_told() -> None:
    names = ("q1", "q99.5", "mean", "actual", "cutoff", "quarter")
    panel = panel_of(a=[1, 2, 3, 4]).assign(**dict.fromkeys(names, 7))
    said = "without the columns q1, q99.5, mean, actual, cutoff of plan and static, .*; rename them to group by them"
    with pytest.warns(ColumnsLeftOut, match=said) as warned:
        told = backtest(LastValue(plan=names), panel, [day(0), day(1)], 1)
    assert len(warned) == 1
    assert told.iloc[-1].to_dict() == {"sku": "a", "date": day(2), "mean": 2, "quarter": 7, "actual": 3, "cutoff": day(1)}


def test_a_static_column_of_the_name_of_a_result_is_told_to_be_left_out() -> None:
    with pytest.warns(ColumnsLeftOut, match="without the columns baseline of plan and static"):
        told = backtest(LastValue(static=("baseline",)), panel_of(a=[1, 2, 3]).assign(baseline="x"), [day(1)], 1)
    assert "baseline" not in told.columns


@pytest.mark.parametrize("name", ["actual", "cutoff", "horizon", "mean", "baseline", "uplift", "q5"])
def test_series_that_are_called_as_a_part_of_the_predictions_are_refused(name: str) -> None:
    forecaster = LastValue()
    forecaster.series = [name]
    with pytest.raises(ValueError, match=f"series and time have {name}, as predictions call a column of theirs"):
        backtest(forecaster, panel_of(a=[1, 2]).rename(columns={"sku": name}), [day(0)], 1)


def test_the_forecaster_itself_is_left_unfitted() -> None:
    forecaster = LastValue()
    backtest(forecaster, panel_of(a=[1, 2]), [day(0)], 1)
    assert not hasattr(forecaster, "fitted_")


class Plain:
    """A forecaster that is no estimator of scikit-learn."""

    series, time, target, plan, static, freq = ("sku",), "date", "units", (), (), "D"

    def fit(self, panel: pd.DataFrame) -> None:
        self.mean = panel["units"].mean()

    def predict(self, plan_frame: pd.DataFrame) -> pd.DataFrame:
        return plan_frame[["sku", "date"]].assign(mean=self.mean)


def test_a_forecaster_of_ones_own_is_copied_for_each_cutoff() -> None:
    mine = Plain()
    assert backtest(mine, panel_of(a=[1, 2, 6]), [day(0), day(1)], 1)["mean"].tolist() == [1.0, 1.5]
    assert not hasattr(mine, "mean")


def test_a_series_that_has_no_past_is_left_out_unless_it_is_wanted() -> None:
    panel = pd.concat([panel_of(a=[1, 2, 3]), panel_of(first=day(2), new=[7])])
    assert backtest(LastValue(), panel, [day(1)], 1)["sku"].tolist() == ["a"]
    assert backtest(LastValue(), panel, [day(1)], 1, unseen=True)["sku"].tolist() == ["a", "new"]


def test_missing_columns_of_the_panel_are_named() -> None:
    with pytest.raises(ValueError, match="the panel has no column price, units; its columns are sku, date"):
        backtest(LastValue(plan=("price",)), panel_of(a=[1]).drop(columns="units"), [day(0)], 1)


def test_a_period_that_comes_twice_is_named() -> None:
    panel = pd.concat([panel_of(a=[1, 2]), panel_of(a=[1])])
    with pytest.raises(ValueError, match="the panel has more than one row for sku a, date 2026-01-05 00:00:00"):
        backtest(LastValue(), panel, [day(0)], 1)


@pytest.mark.parametrize(("cutoff", "side"), [(-1, "up to"), (1, "after")])
def test_a_cutoff_outside_the_panel_is_refused(cutoff: int, side: str) -> None:
    with pytest.raises(ValueError, match=f"the panel has no row {side} the cutoff {day(cutoff)}; it goes from {day(0)} to {day(1)}"):
        backtest(LastValue(), panel_of(a=[1, 2]), [day(cutoff)], 1)


@pytest.mark.parametrize("horizon", [0, 29])
def test_a_horizon_beyond_the_forecasters_is_refused(horizon: int) -> None:
    with pytest.raises(ValueError, match=f"horizon is {horizon}; expected 1 to 28"):
        backtest(LastValue(), panel_of(a=[1, 2]), [day(0)], horizon)


def test_a_cutoff_without_a_whole_horizon_after_it_is_too_late() -> None:
    with pytest.raises(ValueError, match=f"goes to {day(3)}, less than 2 periods after the cutoff {day(2)}; expected .* to {day(1)}"):
        backtest(LastValue(), panel_of(a=[1, 2, 3, 4]), [day(1), day(2)], 2)


def test_a_cutoff_may_lie_between_two_periods_and_be_of_any_kind() -> None:
    panel = panel_of("W", a=[1, 2, 3, 4])
    for cutoff in (day(9), day(9).date(), str(day(9)), day(9).to_datetime64(), [day(9)]):
        told = backtest(LastValue(freq="W"), panel, cutoff, 2)
        assert told["date"].tolist() == [day(14), day(21)]


@pytest.mark.parametrize("cutoff", [day(1).tz_localize("UTC"), pd.NaT])
def test_a_cutoff_that_is_no_moment_of_the_panel_is_refused(cutoff: pd.Timestamp) -> None:
    with pytest.raises(ValueError, match=r"cutoffs has .*; expected dates without time zone"):
        backtest(LastValue(), panel_of(a=[1, 2, 3]), [cutoff], 1)


@pytest.mark.parametrize("kind", ["str", "period[D]", "datetime64[ns, UTC]"])
def test_dates_that_the_forecaster_refuses_are_refused_in_its_words_by_cutoffs_and_backtests(kind: str) -> None:
    panel = panel_of(a=range(40))
    odd = panel.assign(date=pd.Series(pd.DatetimeIndex(panel["date"]).astype(str)).astype(kind))
    said = "the panel: column date is .*, expected dates without time zone; convert it with pandas.to_datetime"
    with pytest.raises(ValueError, match=said):
        rolling_cutoffs(odd, "date", "D", 7, 2)
    with pytest.raises(ValueError, match=said):
        backtest(LastValue(), odd, [day(30)], 7)


def test_no_cutoff_is_refused() -> None:
    with pytest.raises(ValueError, match="cutoffs is empty"):
        backtest(LastValue(), panel_of(a=[1, 2]), [], 1)


def test_predictions_that_lack_rows_are_refused() -> None:
    class Forgetful(LastValue):
        def predict(self, plan_frame: pd.DataFrame) -> pd.DataFrame:
            return super().predict(plan_frame).head(1)

    with pytest.raises(ValueError, match="predict returned 1 of the 2 rows of the plan"):
        backtest(Forgetful(), panel_of(a=[1, 2, 3]), [day(0)], 2)


def test_rolling_cutoffs_leave_a_horizon_after_the_last() -> None:
    panel = panel_of(a=range(10))
    assert rolling_cutoffs(panel, "date", "D", horizon=2, count=3) == [day(3), day(5), day(7)]
    assert rolling_cutoffs(panel, "date", "D", horizon=2, count=3, step=1) == [day(5), day(6), day(7)]
    assert rolling_cutoffs(panel_of("W", a=range(4)), "date", "W", horizon=1, count=2) == [day(7), day(14)]


def test_more_cutoffs_than_the_panel_has_room_for_are_refused() -> None:
    with pytest.raises(ValueError, match=r"3 cutoffs 2 periods apart, the last with 2 after it, begin on 2026-01-03 .* from 2026-01-05 "):
        rolling_cutoffs(panel_of(a=range(5)), "date", "D", horizon=2, count=3)


@pytest.mark.parametrize("numbers", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_numbers_of_cutoffs_below_one_are_refused(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="expected 1 or more of each"):
        rolling_cutoffs(panel_of(a=range(5)), "date", "D", *numbers)


def test_cutoffs_of_a_panel_without_their_column_of_time_are_refused() -> None:
    with pytest.raises(ValueError, match="the panel has no column sold_on; its columns are sku, date, units"):
        rolling_cutoffs(panel_of(a=[1, 2]), "sold_on", "D", 1, 1)


def test_a_frequency_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="freq is 'M'; expected 'D' or 'W'"):
        rolling_cutoffs(panel_of(a=range(5)), "date", "M", 1, 1)


def test_what_a_user_needs_is_imported_from_one_place() -> None:
    for name in forecasting.__all__:
        assert not isinstance(getattr(forecasting, name), ModuleType)
    assert forecasting.backtest is backtest


def test_the_package_alone_imports_nothing_that_is_heavy() -> None:
    said = "import sys, sales_tech.forecasting; print([name for name in ('numpy', 'pandas', 'sklearn', 'scipy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True).stdout == "[]\n"
