"""Common factors, levels by attributes and unlike members, fitted up to a period; and the average of what they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from sales_tech.forecasting.chained import Chained
from sales_tech.forecasting.coarse import coarse
from sales_tech.forecasting.factors import Factors, local_levels
from sales_tech.forecasting.features import Matrix, Situation, categories
from sales_tech.forecasting.history_features import History
from sales_tech.forecasting.market import ALL, Market
from sales_tech.forecasting.members import BASE, LEVEL, MOST_CODES, Boosted, Learner, LogLinear, Member, SeasonalLevel
from sales_tech.forecasting.occasions import Answers, occasion_shares
from sales_tech.forecasting.past import Past
from sales_tech.forecasting.plan_features import Plan
from sales_tech.forecasting.roles import is_number, text_of
from sales_tech.forecasting.rows import WEEKS_OF_YEAR, Bools, Floats, Ints
from sales_tech.forecasting.sampling import training_rows
from sales_tech.forecasting.statics import StaticLevels
from sales_tech.threads import side_by_side

MOST_GROUPS = 60
# Errors of members differ by luck more than by merit: weights learnt from held-out ones were worse than these on most real panels.
SHARES = {BASE: 0.2, LEVEL: 0.2}
SHARE_OF_LINE, SHARE_OF_SEASONAL, SHARE_OF_CHAIN = 0.15, 0.12, 0.3
FEW_ROWS = 30_000
FEWEST_ROWS = 10
FEWEST_ALIKE = 4


class Ensemble:
    """The model of the mean; `fit` looks at nothing after the period `last`. Only a `yearly` one draws the season as a line."""

    def __init__(self, horizon: int, seed: int, most_rows: int, trees: int, yearly: bool = True) -> None:
        self.horizon, self.seed, self.most_rows, self.trees, self.yearly = horizon, seed, most_rows, trees, yearly

    def fit(self, past: Past, calendar: pd.DataFrame, last: int) -> Ensemble:
        """Learn factors, levels and members from the rows up to a period."""
        rows = past.rows
        seen = rows.known & (rows.period <= last)
        plan = Plan.of(rows, past.names.roles, past.neutral)
        counts = np.bincount(rows.code[seen], minlength=len(past.table))
        fitted = np.flatnonzero(counts > 0)
        known = past.table.iloc[fitted]
        self.series_ = {str(column): known[column].tolist() for column in known.columns}
        shared = _shared_keys(known, past.names.series)
        self.groups_ = {
            column: sorted(set(text_of(known[column])))
            for column in (*past.names.static, *shared)
            if (column in shared or not is_number(known[column])) and 2 <= known[column].nunique() <= MOST_GROUPS
        }
        groups = self._groups(past.table)
        self.factors_ = Factors().fit(plan, calendar, seen, self.seed)
        self.answers_ = self._answers(plan, calendar, seen, groups)
        factor = self._observe(plan, calendar, groups)
        sums = np.bincount(rows.code[seen], (rows.units / factor)[seen], minlength=len(past.table))
        self.statics_ = StaticLevels([*past.names.static, *shared], shared, self.seed).fit(known, sums[fitted] / counts[fitted])
        # Who has not sold in two years may sell the smallest amount there is in the next.
        sold = rows.units[seen & (rows.units > 0)]
        self.least_ = (float(sold.min()) if len(sold) else 1e-6) / (2 * WEEKS_OF_YEAR * rows.week)
        situation = self.situation(past, plan, factor, calendar)
        row, step, blind = training_rows(rows, self.horizon, last, self.most_rows, self.seed)
        if len(row) < FEWEST_ROWS:
            raise ValueError(
                f"the panel has {int(seen.sum())} rows of {len(fitted)} series up to {rows.first + last * rows.length}, of which "
                f"{len(np.unique(row))} can be learnt from, the first ones of a series not among them; expected more; give it a longer past"
            )
        matrix = situation.matrix(row, step, blind)
        texts = [
            bool(is_text and matrix.values[:, place].max() < MOST_CODES) for place, is_text in enumerate(categories(matrix.names, plan))
        ]
        texts_of_lines = categories(matrix.names, plan)
        lines = [LogLinear(texts_of_lines, yearly=False)]
        if self.yearly:
            lines.append(LogLinear(texts_of_lines))
        shares: dict[Learner, float] = {Boosted(texts, self.trees, against): share for against, share in SHARES.items()}
        shares |= {line: SHARE_OF_LINE for line in lines} | {SeasonalLevel(): SHARE_OF_SEASONAL}
        self.shares_ = np.array([*shares.values(), SHARE_OF_CHAIN]) / (sum(shares.values()) + SHARE_OF_CHAIN)
        # Of many rows each member sees a part of its own, which is quicker and makes them less alike.
        most = max(self.most_rows // 2, FEW_ROWS)
        stepped = replace(matrix, values=coarse(matrix.values, texts, self.seed))

        def learn(member: Learner, number: int) -> Member:
            part = np.random.default_rng((self.seed, 19, number)).permutation(len(row))[:most]
            part.sort()
            told = (stepped if isinstance(member, Boosted) else matrix).where(part)
            return member.fit(told, rows.units[row[part]], self.seed + number)

        # The chain takes longest, so it begins first.
        tasks: list[Callable[[], Member]] = [partial(Chained(self.trees).learn, situation, last, self.most_rows, self.seed)]
        tasks += [partial(learn, member, number) for number, member in enumerate(shares)]
        chain, *others = side_by_side(tasks)
        self.members_: list[Member] = [*others, chain]
        return self

    def observe(self, past: Past, calendar: pd.DataFrame) -> Ensemble:
        """Take another past, whose factors are those that were learnt; nothing is learnt from it."""
        self._observe(Plan.of(past.rows, past.names.roles, past.neutral), calendar, self._groups(past.table))
        return self

    def situation(self, past: Past, plan: Plan, factor: Floats, calendar: pd.DataFrame) -> Situation:
        """What features are made of, for these rows."""
        encoded, levels = self._attributes(past.table)
        history = History(past.rows, factor, plan.promoted.astype(np.float64), levels[past.rows.code], self.least_)
        groups = self._groups(past.table)
        market = Market(history, factor, {ALL: np.zeros(len(past.table), dtype=np.int64)} | groups, self.horizon, plan.promoted)
        answers = self.answers_.of(past.rows, groups, calendar)
        return Situation(plan, history, market, self.factors_, answers, calendar, encoded, self.horizon)

    def factors_behind(self, past: Past) -> Floats:
        """The factors of the known rows of a past that others were put behind; 1 elsewhere."""
        told = np.ones(len(past.rows.code))
        told[past.rows.known] = self.factor_[self.known_]
        return told

    def matrix(self, past: Past, calendar: pd.DataFrame, row: Ints, step: Ints, blind: Bools | None = None) -> Matrix:
        """Features of some rows."""
        plan = Plan.of(past.rows, past.names.roles, past.neutral)
        return self.seen(self.situation(past, plan, self.factors_behind(past), calendar), row, step, blind)

    def seen(self, situation: Situation, row: Ints, step: Ints, blind: Bools | None = None) -> Matrix:
        """All that the members go by of some rows: features, and what the chain of next periods comes to."""
        matrix = situation.matrix(row, step, blind)
        for member in self.members_:
            if isinstance(member, Chained):
                matrix = replace(matrix, chained=member.means(situation, row, step, blind))
        return matrix

    def members_means(self, matrix: Matrix) -> Floats:
        """The mean of each member, (members, rows)."""
        told: Floats = np.stack([member.mean(matrix) for member in self.members_])
        missing = np.isnan(told)
        if missing.any():
            # Of a series without a past the chain says nothing: the others count for it.
            shares = self.shares_[:, None] * ~missing
            told = np.where(missing, (np.nan_to_num(told) * shares).sum(axis=0) / shares.sum(axis=0), told)
        return told

    def mean(self, matrix: Matrix) -> Floats:
        """The average of the members, of which no one strays further than the second furthest."""
        means = self.members_means(matrix)
        # Each is held, not left out, so that the average still never falls where no member does.
        ordered = np.sort(means, axis=0)
        told: Floats = self.shares_ @ np.clip(means, ordered[1], ordered[-2])
        return told

    def _attributes(self, table: pd.DataFrame) -> tuple[Floats, Floats]:
        encoded, levels = self.statics_.encode(table), self.statics_.levels_of(table)
        # Series that were learnt from keep what the others told of them, as they were seen in training.
        fitted = pd.MultiIndex.from_frame(pd.DataFrame(self.series_, dtype=object))
        place = fitted.get_indexer(pd.MultiIndex.from_frame(table[list(self.series_)].astype(object)))
        met = place >= 0
        encoded[met], levels[met] = self.statics_.encoded_[place[met]], self.statics_.levels_[place[met]]
        return encoded, levels

    def _groups(self, table: pd.DataFrame) -> dict[str, Ints]:
        told = {}
        for column, values in self.groups_.items():
            # A value that was not there yet is a group without a past.
            at = pd.Index(values).get_indexer(pd.Index(text_of(table[column])))
            told[column] = np.where(at < 0, len(values), at).astype(np.int64)
        return told

    def _answers(self, plan: Plan, calendar: pd.DataFrame, seen: Bools, groups: Mapping[str, Ints]) -> Answers:
        rows = plan.rows
        freed = rows.units / np.exp(self.factors_.logs(plan, calendar)[0])
        at = np.arange(len(rows.code))
        occasions = self.factors_.occasions_
        quiet = occasion_shares(calendar, occasions).sum(axis=1) == 0
        usual = seen & ~plan.promoted
        level = local_levels(rows, freed, at, (usual, usual & quiet[rows.period]))
        return Answers(occasions).fit(rows, groups, calendar, level, freed, usual)

    def _observe(self, plan: Plan, calendar: pd.DataFrame, groups: Mapping[str, Ints]) -> Floats:
        self.known_ = plan.rows.known
        factor: Floats = np.exp(self.factors_.logs(plan, calendar)[0] + self.answers_.of(plan.rows, groups, calendar))
        self.factor_ = factor
        return factor


def _shared_keys(table: pd.DataFrame, series: Sequence[str]) -> list[str]:
    # What several columns tell apart, such as store and product, is like others of the same store and of the same product.
    if len(series) < 2:
        return []
    return [column for column in series if 2 <= table[column].nunique() <= len(table) / FEWEST_ALIKE]
