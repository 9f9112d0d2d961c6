"""One more member: trees that tell the next period only, and are fed their own answers to tell those after it.

What other members see of a far period is as old as its origin; a chain of next periods follows weekdays, trends and seasons
from one to the next, and so errs otherwise than they do (recursive strategy, Ben Taieb et al. 2012). It tells units as they are
from few plain columns, as common libraries do. It is fed what it tells of the plan without promotions, so that a discount
never moves another day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from sales_tech.forecasting.features import Matrix, Situation
from sales_tech.forecasting.members import LEARNING_RATE, MOST_CODES, telling
from sales_tech.forecasting.plan_features import feature_of
from sales_tech.forecasting.roles import DEPTH, FLAG, KIND, LABEL, PRICE, PROMOTIONAL
from sales_tech.forecasting.rows import Bools, Floats, Ints, Rows, Sums
from sales_tech.threads import threads_for

# Periods back, and means of so many periods; by the periods of a week, 7 or 1.
LAGS = {7: (1, 7, 14, 28), 1: (1, 2, 4, 8, 52)}
WINDOWS = {7: (7, 28, 56), 1: (4, 8, 13)}
SEASON = {7: (7, 14), 1: (2, 4)}
CALENDAR = {7: ("weekday", "day_of_month", "week_of_year", "holiday"), 1: ("week_of_year", "holiday")}
MOST_ROWS = 100_000
DAYS_OF_MONTH = 30.5


@dataclass
class _Chain:
    """Paths from some origins (rows): what was sold up to them and, as running sums by step, what has been told behind it."""

    situation: Situation
    units: Sums
    much: Sums
    origin: Ints
    told: Floats
    counted: Floats

    @classmethod
    def of(cls, situation: Situation, origin: Ints, furthest: int) -> _Chain:
        rows = situation.plan.rows
        known = rows.known.astype(np.float64)
        told, counted = np.zeros((2, len(origin), furthest + 1))
        return cls(situation, Sums(rows, rows.units * known), Sums(rows, known), origin, told, counted)

    def put(self, step: int, at: Ints, means: Floats, closed: Bools) -> None:
        """Say what is told of a step of some paths; a closed period is left out of all means."""
        self.told[at, step] = self.told[at, step - 1] + means * ~closed
        self.counted[at, step] = self.counted[at, step - 1] + ~closed

    def mean(self, at: Ints, after: Ints, last: Ints) -> Floats:
        """The mean over the rows after `after` up to and with `last`, NaN where nothing is known of them."""
        origin = self.origin[at]
        low, high = np.maximum(after - origin, 0), np.maximum(last - origin, 0)
        until = np.minimum(last, origin)
        units = self.units.between(origin, after, until) + self.told[at, high] - self.told[at, low]
        much = self.much.between(origin, after, until) + self.counted[at, high] - self.counted[at, low]
        told: Floats = np.divide(units, much, out=np.full(len(at), np.nan), where=much > 0)
        return told


class Chained:
    """Gradient boosted trees with Poisson deviance on the next period, told period by period."""

    def __init__(self, trees: int = 160) -> None:
        self.trees = trees

    def learn(self, situation: Situation, last: int, most_rows: int, seed: int) -> Chained:
        """Learn from the known rows up to the period `last` that have a past."""
        rows = situation.plan.rows
        row = np.flatnonzero(rows.known & (rows.period <= last))
        row = row[_has_past(rows, row - 1, row)]
        most = min(most_rows, MOST_ROWS)
        if len(row) > most:
            row = np.sort(np.random.default_rng((seed, 29)).choice(row, most, replace=False))
        units = rows.units[row]
        self.mean_ = float(units.mean()) if len(units) else 0.0
        # Without a model the mean of all is told: nothing was sold, or nothing tells rows apart.
        self.model_ = None
        if not units.any():
            return self
        columns = self._columns(_Chain.of(situation, row - 1, 0), np.arange(len(row)), row, quiet=False)
        values = _values(columns)
        self.told_ = telling(values)
        if not len(self.told_):
            return self
        names = [list(columns)[place] for place in self.told_]
        coded = map(feature_of, situation.plan.of_role(KIND, LABEL))
        texts = {name for name in coded if values[:, list(columns).index(name)].max() < MOST_CODES}
        self.model_ = HistGradientBoostingRegressor(
            loss="poisson",
            max_iter=self.trees,
            learning_rate=LEARNING_RATE,
            max_leaf_nodes=31,
            min_samples_leaf=20,
            max_features=0.8,
            categorical_features=[name in texts for name in names],
            monotonic_cst=[1 if name.startswith("+") else 0 for name in names],
            early_stopping=False,
            random_state=seed,
        )
        self.model_.fit(values[:, self.told_], units / self.mean_)
        return self

    def mean(self, matrix: Matrix) -> Floats:
        """What was told of the rows; NaN where there is no past to begin with."""
        assert matrix.chained is not None
        return matrix.chained

    def means(self, situation: Situation, row: Ints, step: Ints, blind: Bools | None = None) -> Floats:
        """The expected units of rows `step` periods after their origins; NaN for those whose series had no past."""
        rows, out = situation.plan.rows, np.full(len(row), np.nan)
        seen = _has_past(rows, row - step, row)
        asked = np.flatnonzero(seen if blind is None else seen & ~blind)
        if not len(asked):
            return out
        if self.model_ is None:
            out[asked] = self.mean_
            return out
        origin, path = np.unique((row - step)[asked], return_inverse=True)
        steps = step[asked]
        reach = np.zeros(len(origin), dtype=np.int64)
        np.maximum.at(reach, path, steps)
        chain = _Chain.of(situation, origin, int(reach.max()))
        planned = bool(situation.plan.of_role(*PROMOTIONAL))
        for number in range(1, int(reach.max()) + 1):
            at = np.flatnonzero(reach >= number)
            target = origin[at] + number
            means = self._predict(chain, at, target, quiet=True)
            now = np.flatnonzero(steps == number)
            if planned:
                out[asked[now]] = self._predict(chain, path[now], row[asked[now]], quiet=False)
            else:
                whole = np.zeros(len(origin))
                whole[at] = means
                out[asked[now]] = whole[path[now]]
            chain.put(number, at, means, rows.closed[target])
        return out

    def _predict(self, chain: _Chain, at: Ints, target: Ints, *, quiet: bool) -> Floats:
        if not len(at):
            return np.zeros(0)
        assert self.model_ is not None
        values = _values(self._columns(chain, at, target, quiet=quiet))[:, self.told_]
        with threads_for(len(values)):
            told: Floats = self.mean_ * self.model_.predict(values)
        return told

    def _columns(self, chain: _Chain, at: Ints, target: Ints, *, quiet: bool) -> dict[str, Floats]:
        situation, origin = chain.situation, chain.origin[at]
        plan, rows, week = situation.plan, situation.plan.rows, situation.plan.rows.week
        told = {f"lag {lag}": chain.mean(at, target - lag - 1, target - lag) for lag in LAGS[week]}
        told |= {f"mean {window}": chain.mean(at, target - window - 1, target - 1) for window in WINDOWS[week]}
        told["mean of all"] = chain.mean(at, rows.start[origin] - 1, target - 1)
        season, window = SEASON[week]
        told["mean of a season ago"] = chain.mean(at, target - season - window, target - season)
        calendar = situation.calendar.iloc[rows.period[target]]
        told |= {name: calendar[name].to_numpy() for name in CALENDAR[week]}
        told["month"] = np.floor((calendar["day_of_year"].to_numpy() - 1) / DAYS_OF_MONTH)
        for column, role in plan.roles.items():
            values = rows.plan[column][target]
            if role == PRICE:
                told[f"+cheap {column}"] = np.zeros(len(at)) if quiet else plan.cheapness(column, target, origin)
                # The usual price stands for the product; trees that saw the price itself would sell less of what is cheap.
                told[feature_of(column)] = plan.references[column][origin]
            elif role == DEPTH:
                told[f"+{feature_of(column)}"] = np.zeros(len(at)) if quiet else values
            elif role in (FLAG, KIND) and quiet:
                told[feature_of(column)] = np.full(len(at), plan.neutral[column])
            else:
                told[feature_of(column)] = values
        for place in range(situation.attributes.shape[1]):
            told[f"static {place}"] = situation.attributes[rows.code[target], place]
        return told


def _has_past(rows: Rows, origin: Ints, row: Ints) -> Bools:
    known = Sums(rows, rows.known.astype(np.float64)).between(row, rows.start[row] - 1, np.maximum(origin, rows.start[row] - 1))
    told: Bools = known > 0
    return told


def _values(columns: dict[str, Floats]) -> NDArray[np.float32]:
    return np.stack([column.astype(np.float32) for column in columns.values()], axis=1)
