"""What the past of a series tells as of an origin: its level, and everything else relative to it."""

from __future__ import annotations

import numpy as np

from sales_tech.forecasting.rows import Floats, Ints, Rows, Smoothed, Sums

WINDOW_WEEKS = (1, 2, 4, 8, 13, 26, 52)
LEVEL_WEEKS = 4.0
SEASON_WEEKS = 8.0
PRIOR_WEEKS = 0.5
DRAWN_WEEKS = 2.0
MEDIAN_WEEKS = 8
LEAST = 1e-3
WEEKDAY_VARIANCE = 0.04
WEEKDAY = "own weekday"
EXACTLY = "year ago exactly"


class History:
    """The past of all series, freed of the common factors; each answer uses rows up to its origin only.

    `factor` is by what each row is divided, `prior` the level by attributes of each row's series.
    """

    def __init__(self, rows: Rows, factor: Floats, promoted: Floats, prior: Floats, least: float) -> None:
        self.rows, self.prior, self.least = rows, prior, least
        known = rows.known.astype(np.float64)
        freed = np.where(rows.known, rows.units / factor, 0.0)
        self._units, self._known = Sums(rows, freed), Sums(rows, known)
        self._squares = Sums(rows, freed**2)
        self._zeros = Sums(rows, known * (rows.units == 0))
        week = rows.week
        self._smooth, self._weight = (Smoothed(rows, values, LEVEL_WEEKS * week) for values in (freed, known))
        self._slow, self._slow_weight = (Smoothed(rows, values, 13.0 * week) for values in (freed, known))
        if week > 1:
            self._season, self._season_weight = (Smoothed(rows, values, SEASON_WEEKS * week, week) for values in (freed, known))
            at = np.arange(len(freed))
            usual = known * np.maximum(self._smooth.at(at, at), 0) / np.maximum(self._weight.at(at, at), 1e-9)
            self._usual = Smoothed(rows, usual, SEASON_WEEKS * week, week)
        at = np.arange(len(freed))
        before = self.level(at, at - 1)
        self._lifted = Sums(rows, freed * promoted * known)
        self._expected = Sums(rows, before * promoted * known)
        self._promoted = Sums(rows, promoted * known)
        self.before, self.freed = before, freed
        places = np.arange(len(freed))
        sold = np.where(rows.known & (rows.units > 0), places, -1)
        self._last_sold = np.maximum.accumulate(sold)

    def level(self, row: Ints, origin: Ints) -> Floats:
        """The level as of the origin: the smoothed units, drawn to the mean of the year and, of the young, to their attributes."""
        week = self.rows.week
        much = self._known.between(row, origin - 52 * week, origin)
        # A series that has been seen for some weeks owes nothing to its attributes, least of all one of another size.
        owed = PRIOR_WEEKS * week * np.exp(-much / week)
        year = (self._units.between(row, origin - 52 * week, origin) + owed * self.prior[row]) / np.maximum(much + owed, 1e-9)
        shrink = DRAWN_WEEKS * week
        told: Floats = (self._smooth.at(row, origin) + shrink * year) / (self._weight.at(row, origin) + shrink)
        return np.maximum(told, self.least)

    def columns(self, row: Ints, origin: Ints, ago: Ints) -> dict[str, Floats]:
        """Features by name; logs of ratios to the level, drawn to 0 where little is known. `ago` says where the year before is."""
        rows, week = self.rows, self.rows.week
        level = self.level(row, origin)
        told: dict[str, Floats] = {"level": np.log(level)}

        def relative(units: Floats, much: Floats, drawn: float) -> Floats:
            return np.log((np.maximum(units, 0) + drawn * level) / ((much + drawn) * level) + LEAST)

        for weeks in WINDOW_WEEKS:
            span = origin - weeks * week
            told[f"mean {weeks}"] = relative(self._units.between(row, span, origin), self._known.between(row, span, origin), 0.25 * week)
        # By day the last day and the last three; by week the last is among the means, so that the two before it are told.
        for name, ahead, periods in (("last", 0, 1), ("last 3", 0, 3)) if week > 1 else (("before last", 1, 2),):
            span, until = origin - ahead - periods, origin - ahead
            told[name] = relative(self._units.between(row, span, until), self._known.between(row, span, until), 0.25 * periods)
        told["smoothed 13"] = relative(self._slow.at(row, origin), self._slow_weight.at(row, origin), 0.25 * week)
        middle = self._median(row, origin, level)
        told[f"median {MEDIAN_WEEKS}"] = np.log(middle / level + 0.02)
        year_span = origin - 26 * week
        much = self._known.between(row, year_span, origin)
        zeros = self._zeros.between(row, year_span, origin)
        told["zeros 26"] = zeros / np.maximum(much, 1)
        told["zeros 8"] = _share(self._zeros, self._known, row, origin - 8 * week, origin)
        told["gap"] = np.log(np.maximum(much, 1) / np.maximum(much - zeros, 0.5))
        start = rows.start[row]
        before = np.where(origin >= start, self._last_sold[np.maximum(origin, start)], -1)
        told["since sale"] = np.log1p(np.where(before >= start, origin - before, 26 * week))
        mean = self._units.between(row, year_span, origin) / np.maximum(much, 1)
        spread = np.sqrt(np.maximum(self._squares.between(row, year_span, origin) / np.maximum(much, 1) - mean**2, 0))
        told["dispersion"] = np.log((spread + 0.1 * level) / (mean + 0.1 * level) + 0.01)
        if week > 1:
            back = row - week * (-(-(row - origin) // week))
            season, usual, much = (one.at(row, back) for one in (self._season, self._usual, self._season_weight))
            # Of a series that scatters, a few weeks tell little of its weekdays.
            drawn = level * np.clip((spread / np.maximum(mean, self.least)) ** 2 / WEEKDAY_VARIANCE, 1.0, 50.0)
            told[WEEKDAY] = np.log((np.maximum(season, 0) + drawn) / (np.maximum(usual, 0) + drawn) + LEAST)
            told["same weekday"] = np.log((np.maximum(season, 0) + level) / (np.maximum(usual, 0) + level) + LEAST)
            told["weekdays known"] = much
        told["age"] = np.log1p(np.maximum(origin - start + 1, 0) / week)
        told["promoted 4"] = _share(self._promoted, self._known, row, origin - 4 * week, origin)
        told["own lift"] = self._own_lift(row, origin, 2 * week)
        told |= self._year_ago(row, origin, ago)
        nothing = self._known.between(row, start - 1, origin) == 0
        for name in told:
            if name not in ("level", "age"):
                told[name] = np.where(nothing, np.nan, told[name])
        return told

    def _own_lift(self, row: Ints, origin: Ints, drawn: int) -> Floats:
        # How much more than others a series sold in its promotions.
        first = self.rows.start[row] - 1
        sold, usual = self._lifted.between(row, first, origin), self._expected.between(row, first, origin)
        level = drawn * self.level(row, origin)
        told: Floats = np.log((np.maximum(sold, 0) + level) / (np.maximum(usual, 0) + level))
        return told

    def _year_ago(self, row: Ints, origin: Ints, ago: Ints) -> dict[str, Floats]:
        week, start = self.rows.week, self.rows.start[row]
        same, then = row - ago, origin - ago
        near = week // 2 if week > 1 else 1
        base_known = self._known.between(row, then - 8 * week, then)
        base = self._units.between(row, then - 8 * week, then) / np.maximum(base_known, 1)
        inside = (same - near >= start) & (base_known >= 2 * week) & (same + near <= origin)
        told = {}
        for name, reach in (("year ago", near), (EXACTLY, 0)):
            units, much = self._units.between(row, same - reach - 1, same + reach), self._known.between(row, same - reach - 1, same + reach)
            ratio = np.log((np.maximum(units, 0) + base + self.least) / ((much + 1) * (base + self.least)))
            told[name] = np.where(inside, ratio, np.nan)
        return told

    def _median(self, row: Ints, origin: Ints, level: Floats) -> Floats:
        week = self.rows.week
        parts = []
        for back in range(MEDIAN_WEEKS):
            last = origin - back * week
            much = self._known.between(row, last - week, last)
            parts.append(np.where(much > 0, self._units.between(row, last - week, last) / np.maximum(much, 1), level))
        told: Floats = np.median(np.stack(parts, axis=1), axis=1)
        return np.maximum(told, 0)


def _share(some: Sums, among: Sums, row: Ints, after: Ints, last: Ints) -> Floats:
    told: Floats = some.between(row, after, last) / np.maximum(among.between(row, after, last), 1)
    return told
