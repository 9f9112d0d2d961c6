"""Forecasts of any panel of sales with the promotions that are planned: mean, quantiles, baseline and uplift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sales_tech.forecasting.beyond import seen_of, warn_beyond, warn_unknown
from sales_tech.forecasting.calendar_features import calendar_of
from sales_tech.forecasting.checks import (
    Gaps,
    check_panel,
    check_plan,
    check_plan_gaps,
    check_reach,
    like_the_panel,
    named,
    periods_of,
    warn_short,
)
from sales_tech.forecasting.correction import Correction
from sales_tech.forecasting.countries import AUTO, country_of
from sales_tech.forecasting.counts import beside_usual, usual_counts
from sales_tech.forecasting.depths import raised, tried_depths
from sales_tech.forecasting.ensemble import FEWEST_ROWS, Ensemble
from sales_tech.forecasting.features import Matrix, Situation
from sales_tech.forecasting.intervals import ConformalIntervals
from sales_tech.forecasting.occasions import own_occasions
from sales_tech.forecasting.offers import offers_of, with_usual_prices
from sales_tech.forecasting.parameters import check_parameters, seed_of
from sales_tech.forecasting.past import Names, Past, past_of, texts_of
from sales_tech.forecasting.plan_features import Plan
from sales_tech.forecasting.reading import like_numbers, tidied, with_numbers
from sales_tech.forecasting.roles import DEPTH, PROMOTIONAL, check_kinds, is_number, roles_of
from sales_tech.forecasting.rows import WEEKS_OF_YEAR, Bools, Floats, Ints
from sales_tech.forecasting.sampling import held_out_rows, training_rows
from sales_tech.forecasting.shapes import quantile_columns, require_columns
from sales_tech.threads import one_blas_thread

MOST_HELD_OUT = MOST_CALIBRATED = 150_000
HELD_OUT_HORIZONS = 3
HELD_OUT_SHARE = 0.35


class Effects(Protocol):
    """What a promotion analysis knows: by what the plan of each row multiplies sales, as a log."""

    def log_uplift(self, plan_frame: pd.DataFrame) -> Floats:
        """One number per row, 0 without promotion."""


class PromotionForecaster(BaseEstimator):
    """One global model of many series, told what is planned; `baseline` is its answer to the same plan without promotions.

    Parameters
    ----------
    series, time, target: the columns that tell series apart, the date of a period, what is sold in it (0 or more).
    plan: columns that are known ahead: price, discount, mechanic, display, open days, holidays.
    static: columns that never change within a series; new series are forecast from them.
    freq, horizon: "D" or "W", and how many periods ahead.
    quantiles: between 0 and 1, in any order; columns are named q10 and the like.
    country: ISO code for the `holidays` package; None for no holidays; "auto" for Brazil, or by day for the country whose holidays the
        panel shows, see `countries`; `country_` says which. By day the occasions of its retail are known, too: those of Brazil,
        elsewhere Black Friday and Christmas.
    occasions: further days in which more is sold each time, such as a shop's anniversary: first and last days (YYYY-MM-DD) by name.
    available: a column with 0 where the shelf was empty: sales of that row are not demand, and are not learnt from.
    fill_gaps: periods without a row, within a series or between its last row and the panel's last, are zero sales (0), or not
        known ("unknown"); None: one within a series is an error, also in a plan.
    weeks: whether the dates of weeks are those of their "first" or "last" day, so that each holiday lies in its own; None: of the
        first where that is a Monday, otherwise of the last, as of pandas' "W".
    roles: what plan columns are, where names and values do not tell (see `roles.roles_of`); `roles_` says what was found.
    effects: an object with `log_uplift(frame)`; then the past is divided by its exp before the baseline is learnt,
        promotional columns of the plan serve nothing else, and mean = baseline * exp(log_uplift).
    shorter_plans: whether a plan may end before the horizon, or leave out the first periods after the panel; where gaps are filled
        it may anyway.
    most_rows, trees: rows to learn from (a sample beyond), and trees of the boosted member.

    Intervals are calibrated on the last origins of the panel with a model that had not seen them; see `intervals`.
    A panel shorter than three horizons is calibrated on rows that were learnt from, and its intervals are too narrow.

    """

    def __init__(
        self,
        series: Sequence[str] = ("store", "sku"),
        time: str = "date",
        target: str = "units",
        plan: Sequence[str] = (),
        static: Sequence[str] = (),
        freq: str = "D",
        horizon: int = 28,
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
        country: str | None = AUTO,
        occasions: Mapping[str, Sequence[tuple[str, str]]] | None = None,
        available: str | None = None,
        fill_gaps: Gaps = None,
        weeks: str | None = None,
        roles: Mapping[str, str] | None = None,
        effects: Effects | None = None,
        shorter_plans: bool = False,
        random_state: int | np.random.RandomState | None = 0,
        most_rows: int = 200_000,
        trees: int = 160,
    ) -> None:
        self.series, self.time, self.target, self.plan, self.static = series, time, target, plan, static
        self.freq, self.horizon, self.quantiles, self.country, self.occasions = freq, horizon, quantiles, country, occasions
        self.available, self.fill_gaps, self.weeks, self.roles, self.effects = available, fill_gaps, weeks, roles, effects
        self.shorter_plans, self.random_state, self.most_rows, self.trees = shorter_plans, random_state, most_rows, trees

    def fit(self, panel: pd.DataFrame, y: object = None, *, origin: pd.Timestamp | None = None) -> Self:
        """Learn from rows of series, time, target, plan and static columns; ValueError says what is wrong with them.

        Where gaps are filled, `origin` may be a later period than the last with a row: it ends a gap of all series.
        """
        with one_blas_thread():
            check_parameters(self.get_params(deep=False))
            self.seed_ = seed_of(self.random_state)
            panel = self._checked(panel, None)
            self.roles_ = roles_of(panel, self.plan, self.target, self.roles, self.series, self.time)
            self.numbers_ = {column: is_number(panel[column]) for column in [*self.series, *self.plan, *self.static]}
            used = self._used()
            self.offers_ = offers_of(panel, used, self.target, self.series, self.time)
            panel = with_usual_prices(panel, self.offers_, self.series)
            self.counts_ = usual_counts(panel, used, self.series)
            panel = beside_usual(panel, self.counts_, self.series)
            self.texts_, self.neutral_ = texts_of(panel, used)
            past = self._past(panel, origin)
            self.country_ = country_of(past.rows, self.country)
            self.past_ = self._without_outages(past)
            self.origin_ = self.past_.origin
            known = Plan.of(self.past_.rows, used, self.neutral_)
            self.seen_, self.depths_ = seen_of(known), tried_depths(known)
            calendar = self._calendar(self.past_)
            last = self.past_.last
            held = self._held_out(last)
            # What has not been seen for a year before it is held against the rest has no season yet, only a trend that a line would turn.
            self.yearly_ = (last if held is None else held) >= WEEKS_OF_YEAR * self.past_.rows.week
            self._calibrate(calendar, held)
            self.ensemble_ = self._ensemble(self.most_rows).fit(self.past_, calendar, last)
            if held is None:
                warn_short(last + 1, self.horizon)
            return self

    def observe(self, panel: pd.DataFrame, *, origin: pd.Timestamp | None = None) -> Self:
        """Take a newer past, or another one, to predict from, without learning anew.

        `panel` has the columns of the one that was fitted; series, attributes and texts that it did not have are told
        as `predict` tells them. ValueError says what is wrong with the panel, and which column is no longer what it was.
        `origin` is that of `fit`. What the fit learnt stays: nothing but the past is replaced, and not even that where an error is raised.
        """
        check_is_fitted(self, "ensemble_")
        panel = with_usual_prices(self._checked(panel, self.roles_), self.offers_, self.series)
        given = self.roles or {}
        check_kinds(panel, self.numbers_, {column: role for column, role in self.roles_.items() if column not in given}, self.target)
        past = self._without_outages(self._past(beside_usual(panel, self.counts_, self.series), origin))
        self.ensemble_.observe(past, self._calendar(past))
        self.past_, self.origin_ = past, past.origin
        return self

    def predict(self, plan_frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of the plan with horizon, quantiles, mean, baseline and uplift, in the order of the plan.

        ValueError says what the plan lacks; PlanBeyondHistory is warned of where it goes beyond what was ever seen, UnknownSeries
        where it has several series and none was in the panel.
        """
        with one_blas_thread():
            asked = plan_frame.reset_index(drop=True)
            plan_frame, situation, at, steps = self._ahead(plan_frame)
            ensemble, plan, closed = self.ensemble_, situation.plan, situation.plan.rows.closed[at]
            warn_beyond(plan, at, plan_frame, self.seen_, self.texts_, [*self.series, self.time], self.counts_)
            warn_unknown(plan.rows.code[at], plan_frame, self.past_.table, self.series)
            matrix = ensemble.seen(situation, at, steps)
            mean = self._mean(ensemble, matrix)
            baseline = mean
            if plan.of_role(*PROMOTIONAL):
                quiet = situation.under(plan.without_promotions())
                matrix_without = ensemble.seen(quiet, at, steps)
                touched = matrix_without.differs(matrix)
                baseline = mean.copy()
                if touched.any():
                    baseline[touched] = self._mean(ensemble, matrix_without.where(touched))
                # A discount alone never lowers sales; the trees know that of each depth, not of being promoted at all.
                deep = np.any([plan.rows.plan[column][at] > 0 for column in plan.of_role(DEPTH)] or [np.zeros(len(at), dtype=bool)], axis=0)
                mean = np.where(deep, np.maximum(mean, baseline), mean)

                def of_rows(other: Plan, rows: Bools) -> Floats:
                    return self._mean(ensemble, ensemble.seen(situation.under(other), at[rows], steps[rows]))

                mean = raised(mean, baseline, plan, at, self.depths_, of_rows)
            levels = quantile_columns(self.quantiles)
            ordered = sorted(levels)
            spread = self.intervals_.quantiles(matrix, mean, ordered)
            if self.effects is not None:
                lift = np.exp(self._log_uplift(plan_frame))
                mean, spread = baseline * lift, spread * lift[:, None]
            mean, baseline = (np.where(closed, 0.0, one) for one in (mean, baseline))
            told = asked[[*self.series, self.time]].assign(horizon=steps)
            for level, name in levels.items():
                told[name] = np.where(closed, 0.0, spread[:, ordered.index(level)])
            uplift = mean - baseline
            return told.assign(mean=baseline + uplift, baseline=baseline, uplift=uplift)

    def features(self, plan_frame: pd.DataFrame) -> Matrix:
        """What `predict` sees of the rows of a plan, in their order; the same function makes what is learnt from."""
        _, situation, at, steps = self._ahead(plan_frame)
        return self.ensemble_.seen(situation, at, steps)

    def _ahead(self, plan_frame: pd.DataFrame) -> tuple[pd.DataFrame, Situation, Ints, Ints]:
        # The plan with rows numbered, the past with it behind, where its rows stand there and how many periods ahead.
        check_is_fitted(self, ["ensemble_", "past_"])
        plan_frame = tidied(plan_frame, [*self.series, self.time, *self.plan, *self.static], self.time, "the plan")
        plan_frame = self._with_attributes(like_the_panel(plan_frame, self.numbers_, self.past_.table, self.roles_))
        plan_frame = with_usual_prices(plan_frame, self.offers_, self.series)
        check_plan(plan_frame, list(self.series), self.time, [*self.plan, *self.static], self.roles_)
        plan_frame = beside_usual(plan_frame, self.counts_, self.series)
        period = periods_of(plan_frame, self.time, self.past_.rows.first, self.freq, "the plan")
        steps = period - self.past_.last
        # The last period may be one of those without a row, too.
        gaps = self.fill_gaps is not None
        check_reach(plan_frame, self.time, steps, self.horizon, self.origin_, self.shorter_plans or gaps)
        if not gaps:
            check_plan_gaps(plan_frame, steps, self.past_.going(), list(self.series), self.time, self.shorter_plans)
        whole, at = self.past_.with_plan(plan_frame)
        plan = Plan.of(whole.rows, whole.names.roles, whole.neutral)
        ensemble = self.ensemble_
        return plan_frame, ensemble.situation(whole, plan, ensemble.factors_behind(whole), self._calendar(self.past_)), at, steps

    def _ensemble(self, most_rows: int) -> Ensemble:
        return Ensemble(self.horizon, self.seed_, most_rows, self.trees, self.yearly_)

    def _mean(self, ensemble: Ensemble, matrix: Matrix) -> Floats:
        told: Floats = np.maximum(ensemble.mean(matrix) * self.correction_.of(matrix.promoted), 0.0)
        return told

    def _calibrate(self, calendar: pd.DataFrame, first: int | None) -> None:
        past, last = self.past_, self.past_.last
        begin, end = (0, last - 1) if first is None else (first, last - self.horizon)
        row, step, blind = held_out_rows(past.rows, self.horizon, begin, end, MOST_HELD_OUT, self.seed_)
        if first is not None:
            before, *_ = training_rows(past.rows, self.horizon, first, MOST_CALIBRATED, self.seed_)
            if not len(row) or len(before) < FEWEST_ROWS:
                # Nothing is known of what would be held out, or of what lies before it, as behind and before a long gap.
                self._calibrate(calendar, None)
                return
        until = last if first is None else first
        # The one that is thrown away again needs less.
        model = self._ensemble(min(self.most_rows // 2, MOST_CALIBRATED)).fit(past, calendar, until)
        matrix, units = model.matrix(past, calendar, row, step, blind), past.rows.units[row]
        mean = model.mean(matrix)
        self.correction_ = Correction()
        origin = past.rows.period[row] - step
        if first is not None:
            self.correction_ = Correction.of_errors(mean[~blind], units[~blind], origin[~blind], matrix.promoted[~blind])
        # The days of a promotion share its luck, though not those of one that goes on for ever.
        begins = Plan.of(past.rows, past.names.roles, past.neutral).runs[0][row]
        cluster = np.where(matrix.promoted, begins + (row - begins) // self.horizon * self.horizon, row)
        corrected = mean * self.correction_.of(matrix.promoted)
        self.intervals_ = ConformalIntervals().fit(matrix, corrected, units, cluster, origin, (last - until) / self.horizon)

    def _held_out(self, last: int) -> int | None:
        # The first origin that is held out; None where the panel is too short for one.
        span = last + 1
        length = min(HELD_OUT_HORIZONS * self.horizon, int(HELD_OUT_SHARE * span))
        if span < 3 * self.horizon or length < self.horizon:
            return None
        return last - length

    def _calendar(self, past: Past) -> pd.DataFrame:
        own = own_occasions(self.occasions or {})
        return calendar_of(past.rows.first, past.last + self.horizon + 1, past.rows.length, self.country_, own, weeks=self.weeks)

    def _used(self) -> dict[str, str]:
        return {column: role for column, role in self.roles_.items() if self.effects is None or role not in PROMOTIONAL}

    def _past(self, panel: pd.DataFrame, origin: pd.Timestamp | None = None) -> Past:
        origin = None if origin is None else pd.Timestamp(origin)
        if origin is not None and (self.fill_gaps is None or origin < panel[self.time].max()):
            raise ValueError(
                f"origin is {origin}, the panel goes to {panel[self.time].max()} and fill_gaps is {self.fill_gaps!r}; expected a later "
                "origin, and gaps that are filled"
            )
        # What tells series apart is an attribute of them anyway.
        static = tuple(column for column in self.static if column not in self.series)
        names = Names(tuple(self.series), self.time, self.target, static, self._used(), self.available, self.freq)
        factor = None if self.effects is None else np.exp(self._log_uplift(panel))
        past = past_of(panel, names, self.fill_gaps, factor, self.texts_, self.neutral_, origin)
        if not past.rows.known.any():
            raise ValueError("the panel has no row on which something could be sold; expected some that are open and available")
        return past

    def _without_outages(self, past: Past) -> Past:
        # Whoever tells what was on the shelf, or what gaps are, has said which days count.
        if self.available is not None or self.fill_gaps == 0:
            return past
        return past.without_outages(self._calendar(past)["name"].to_numpy(dtype=str) != "")

    def _log_uplift(self, frame: pd.DataFrame) -> Floats:
        assert self.effects is not None
        told = np.asarray(self.effects.log_uplift(frame), dtype=np.float64)
        if told.shape != (len(frame),) or not np.isfinite(told).all():
            raise ValueError(f"effects.log_uplift gave {told.shape} numbers, or some not finite; expected {len(frame)} finite ones")
        return told

    def _with_attributes(self, plan: pd.DataFrame) -> pd.DataFrame:
        # A plan need not say again what the panel said of its series.
        lacking = [column for column in self.past_.names.static if column not in plan.columns]
        series = list(self.series)
        if not lacking or not {*series} <= {*plan.columns}:
            return plan
        known = pd.MultiIndex.from_frame(self.past_.table[series].astype(object))
        at = known.get_indexer(pd.MultiIndex.from_frame(plan[series].astype(object)))
        if (at < 0).any():
            raise ValueError(
                f"the plan has no column {', '.join(lacking)}, and {named(plan[at < 0].iloc[0], series)} was not in the panel; "
                "expected the static columns of series that are new"
            )
        return plan.assign(**{column: self.past_.table[column].iloc[at].to_numpy() for column in lacking})

    def _checked(self, panel: pd.DataFrame, roles: Mapping[str, str] | None) -> pd.DataFrame:
        # A panel to be learnt from, or like the one that was, whose `roles` are known.
        require_columns(panel, self.plan, "the panel")
        panel = tidied(panel, [*self.series, self.time, self.target, *self.plan, *self.static], self.time, "the panel")
        panel = with_numbers(panel, self.plan, self.roles) if roles is None else like_numbers(panel, roles, "the panel")
        check_panel(panel, list(self.series), self.time, self.target, [*self.plan, *self.static], self.available)
        return panel
