"""How the whole assortment, and each group of it, went on from an origin: the season that single series are too noisy to tell."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sales_tech.forecasting.history_features import History
from sales_tech.forecasting.rows import Bools, Floats, Ints

ALL = "all"
MOST_ROWS = 1_500_000
DRAWN_WEEKS = 4
LEAST = 1e-9


class Market:
    """Units over levels of an earlier origin, summed over series, by group, origin and step.

    The ratio of an origin and a step is known from the origin plus the step on, and asked for a year later.
    """

    def __init__(self, history: History, factor: Floats, groups: Mapping[str, Ints], horizon: int, promoted: Bools) -> None:
        rows, self.history = history.rows, history
        self.rows, self.groups, self.horizon = rows, groups, horizon
        self.periods = int(rows.period.max()) + 1
        stride = -(-len(rows.code) // MOST_ROWS)
        at = np.flatnonzero(rows.code % stride == 0)
        level = history.level(at, at)
        old = at - rows.start[at] >= 2 * rows.week
        at, level = at[old], level[old]
        # Between the share of units and that of series: large ones count more, but not alone.
        weight = 1 / np.sqrt(level)
        usual, freed = level * weight, rows.units / factor
        left = rows.stop[at] - at
        size = {name: int(of.max()) + 1 for name, of in groups.items()}
        places = {name: of[rows.code[at]] * self.periods + rows.period[at] for name, of in groups.items()}
        self.sold = {name: np.zeros((size[name], self.periods, horizon + 1)) for name in groups}
        self.usual = {name: np.zeros_like(table) for name, table in self.sold.items()}
        for step in range(1, horizon + 1):
            asked = np.flatnonzero(left > step)
            asked = asked[rows.known[at[asked] + step]]
            sold_then, usual_then = freed[at[asked] + step] * weight[asked], usual[asked]
            for name, place in places.items():
                for table, much in ((self.sold[name], sold_then), (self.usual[name], usual_then)):
                    table[:, :, step] = np.bincount(place[asked], much, size[name] * self.periods).reshape(-1, self.periods)
        self._count_promotions(promoted & rows.known)

    def lifts(self, row: Ints, origin: Ints) -> dict[str, Floats]:
        """How much more than others each group sold in its promotions up to the origin, as a log drawn to 0."""
        rows = self.rows
        period = rows.period[rows.start[row]] + (origin - rows.start[row])
        at = np.clip(period, -1, self.periods - 1) + 1
        told = {}
        for name, of in self.groups.items():
            sold, usual, much = (table[of[rows.code[row]], at] for table in self.promotions[name])
            drawn = DRAWN_WEEKS * rows.week * usual / np.maximum(much, 1)
            told[name] = np.log((sold + drawn + LEAST) / (usual + drawn + LEAST))
        return told

    def _count_promotions(self, counted: Bools) -> None:
        # Of each group, by period: units and usual units of promoted rows up to it, and how many there were.
        rows, history = self.rows, self.history
        at = np.flatnonzero(counted & (np.arange(len(counted)) - rows.start >= rows.week))
        usual = history.before[at]
        weight = 1 / np.sqrt(usual)
        self.promotions = {}
        for name, of in self.groups.items():
            size = int(of.max()) + 1
            place = of[rows.code[at]] * self.periods + rows.period[at]
            parts = []
            for values in (history.freed[at] * weight, usual * weight, np.ones(len(at))):
                table = np.zeros((size, self.periods + 1))
                table[:, 1:] = np.cumsum(np.bincount(place, values, size * self.periods).reshape(size, self.periods), axis=1)
                parts.append(table)
            self.promotions[name] = parts

    def columns(self, row: Ints, origin: Ints, ago: Ints) -> dict[str, Floats]:
        """The log ratio of a year ago by group, of the period itself and of the week about it; and that of the last week."""
        told = {}
        rows, week = self.rows, self.rows.week
        step = row - origin
        # Origins before a series' first row are counted on from its first period.
        period = rows.period[rows.start[row]] + (origin - rows.start[row])
        reach = week // 2 if week > 1 else 1
        for name, of in self.groups.items():
            group = of[rows.code[row]]
            told[f"market {name}"] = self._ratio(name, group, period - ago, step, 0, ago >= self.horizon)
            told[f"market about {name}"] = self._ratio(name, group, period - ago, step, reach, ago >= self.horizon)
            told[f"market lately {name}"] = self._lately(name, group, period, week)
        return told

    def _ratio(self, name: str, group: Ints, period: Ints, step: Ints, reach: int, known: Bools) -> Floats:
        sold, usual = np.zeros(len(period)), np.zeros(len(period))
        inside = (period >= 0) & (period < self.periods) & known
        at = np.where(inside, period, 0)
        for shift in range(-reach, reach + 1):
            aside = np.clip(step + shift, 1, self.horizon)
            sold += self.sold[name][group, at, aside]
            usual += self.usual[name][group, at, aside]
        return _log(sold, usual, inside)

    def _lately(self, name: str, group: Ints, period: Ints, week: int) -> Floats:
        sold, usual = np.zeros(len(period)), np.zeros(len(period))
        span = min(week, self.horizon)
        inside = (period - span >= 0) & (period < self.periods)
        at = np.where(inside, period - span, 0)
        for step in range(1, span + 1):
            sold += self.sold[name][group, at, step]
            usual += self.usual[name][group, at, step]
        return _log(sold, usual, inside)


def _log(sold: Floats, usual: Floats, inside: Bools) -> Floats:
    inside = inside & (usual > 0)
    told: Floats = np.where(inside, np.log(np.clip(sold / np.where(inside, usual, 1.0), 0.05, 20)), np.nan)
    return told
