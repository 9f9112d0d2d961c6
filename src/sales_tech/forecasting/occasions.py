"""The days in which people buy for a date, gifts and sales and the start of school, and who sells more then than others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from sales_tech.forecasting.rows import Bools, Floats, Ints, Rows
from sales_tech.retail_dates import retail_dates

IN = "in "
GIFTS, SALES, SCHOOL = "gifts", "sales", "school"
# What is bought for, and the days before the date and after it in which that is done.
WINDOWS = {
    "Volta às Aulas": (SCHOOL, 5, 24),
    "Dia do Consumidor": (SALES, 3, 3),
    "Dia das Mães": (GIFTS, 9, 0),
    "Dia dos Namorados": (GIFTS, 9, 0),
    "Dia dos Pais": (GIFTS, 9, 0),
    "Dia das Crianças": (GIFTS, 9, 0),
    "Black Friday": (SALES, 4, 3),
    "Natal": (GIFTS, 17, -1),
}
EVERYWHERE = ("Black Friday", "Natal")
BRAZIL = "BR"
# How unlike others a group may be in all occasions of a kind, and in one of them beyond that, as standard deviations of logs.
KIND_SD, OWN_SD = 0.15, 0.1
# The days of an occasion share the luck of their series.
SHARED_LUCK = 2.0
# A group whose shelves were empty in an occasion does not tell that it never sells in it.
LARGEST = 1.0
LEAST = 1e-9


@dataclass(frozen=True)
class Occasion:
    """One time of an occasion, from its first to its last day; those of a `kind` are answered alike."""

    name: str
    kind: str
    first: date
    last: date


def occasions_of(country: str | None, years: range) -> list[Occasion]:
    """The occasions of a country in some years: those of Brazil, elsewhere Black Friday and Christmas; none without a country."""
    found = []
    for year in years if country is not None else ():
        for day, name in retail_dates(year).items():
            if name in (WINDOWS if country == BRAZIL else EVERYWHERE):
                kind, before, after = WINDOWS[name]
                found.append(Occasion(name, kind, day - timedelta(days=before), day + timedelta(days=after)))
    return found


def own_occasions(given: Mapping[str, Sequence[tuple[str, str]]]) -> list[Occasion]:
    """Occasions told as first and last days by name; ValueError says which is none."""
    found = []
    for name, times in given.items():
        for time in times:
            try:
                first, last = (date.fromisoformat(str(day)) for day in time)
            except ValueError as error:
                raise ValueError(f"occasion {name!r} has the days {time!r}; expected its first and its last one, as YYYY-MM-DD") from error
            if last < first:
                raise ValueError(f"occasion {name!r} ends on {last}, before it begins on {first}; expected the first day before the last")
            found.append(Occasion(name, f"own {name}", first, last))
    return found


def occasion_columns(occasions: Sequence[Occasion], dates: pd.DatetimeIndex, days: int) -> dict[str, Floats]:
    """Of each occasion, the share of the `days` of each period that lie in it; names begin with IN and tell kind and name."""
    at = np.array([one.toordinal() for one in dates.date])
    told: dict[str, Floats] = {}
    for one in occasions:
        inside = np.minimum(at + days - 1, one.last.toordinal()) - np.maximum(at, one.first.toordinal()) + 1
        share = np.clip(inside, 0, days) / days
        if share.any():
            name = f"{IN}{one.kind}: {one.name}"
            told[name] = np.minimum(told.get(name, 0.0) + share, 1.0)
    return told


def occasions_in(calendar: pd.DataFrame, periods: Ints) -> list[str]:
    """The columns of the occasions that were there from beginning to end at least once within the range of the periods.

    Of one that has just begun, nobody can tell it from a rise of all sales.
    """
    found: list[str] = []
    for name in map(str, calendar.columns if len(periods) else []):
        if name.startswith(IN) and _whole_times(calendar[name].to_numpy(), periods[0], periods[-1]):
            found.append(name)
    return found


def _whole_times(shares: Floats, first: int, last: int) -> list[int]:
    # How long each time of an occasion is that begins after the first period and ends before the last.
    inside = np.r_[False, shares > 0, False]
    turns = np.flatnonzero(inside[1:] != inside[:-1])
    return [int(stop - begin) for begin, stop in zip(turns[::2], turns[1::2], strict=True) if begin > first and stop <= last]


def occasion_shares(calendar: pd.DataFrame, names: Sequence[str]) -> Floats:
    """The columns of occasions, (periods, names); another past may lie in none of those that were learnt from."""
    told: Floats = calendar.reindex(columns=list(names), fill_value=0.0).to_numpy(dtype=np.float64)
    return told


def doubts_of(shares: Floats, period: Ints, sold: Floats, usual: Floats, unknown: float) -> Floats:
    """By occasion, the variance of the log of what it seems to do, since all series rise and fall together by other causes, too.

    It is that of days of the same number without any occasion, over its times. `shares` are (periods, occasions), `sold` and `usual`
    what was sold in rows and what else is known of them; where there are too few such days the variance of one time is `unknown`.
    """
    first, size = int(period.min()), int(period.max()) + 1
    shares = shares[:size]
    came, expected = (np.bincount(period, values, size) for values in (sold, usual))
    # Days on which nothing can be sold tell nothing, and do not part the days about them.
    telling = (came > 0) & (expected > 0)
    logs = np.log(np.where(telling, came, 1.0) / np.where(telling, expected, 1.0))
    busy = shares.any(axis=1)
    variances = []
    for share in shares.T:
        times = _whole_times(share, first, size - 1)
        length = round(float(np.mean(times))) if times else 1
        days, taken, sums = (np.convolve(values, np.ones(length), "valid") for values in (telling, busy, logs))
        quiet = (taken == 0) & (days >= max(length / 2, 1))
        variance = float(np.var(sums[quiet] / days[quiet])) if quiet.sum() > length else unknown
        variances.append(variance / max(len(times), 1))
    return np.array(variances)


class Answers:
    """What each group of series sells more or less in an occasion than all series do, first in any of its kind, then in it.

    Logs of ratios, drawn to 0 by what they are in doubt (empirical Bayes with a normal prior).
    """

    def __init__(self, occasions: Sequence[str]) -> None:
        self.occasions_ = list(occasions)

    def fit(self, rows: Rows, groups: Mapping[str, Ints], calendar: pd.DataFrame, level: Floats, freed: Floats, used: Bools) -> Answers:
        """Learn from the rows `used`, of which `level` is what is usual and `freed` what was sold, free of the common factors.

        `groups` has the group of each series, by what they are grouped by.
        """
        self.logs_: dict[str, Floats] = {}
        at = np.flatnonzero(used & (level > 0))
        if not self.occasions_ or not len(at):
            return self
        shares = occasion_shares(calendar, self.occasions_)[rows.period[at]]
        usual, sold = level[at], freed[at]
        # Between the share of units and that of series, as elsewhere.
        weight = 1 / np.sqrt(usual)
        luck = float(weight**2 @ (sold - usual) ** 2 / (weight**2 @ usual))
        for inside in shares.T:
            # What all of them do is not theirs, whatever the common factors made of it.
            both = float(weight * sold @ inside), float(weight * usual @ inside)
            if min(both) > 0:
                usual = usual * (both[0] / both[1]) ** inside
        steps = self._steps()
        for name, of in groups.items():
            group, size = of[rows.code[at]], int(of.max()) + 1
            logs = np.zeros((size, len(self.occasions_)))
            for members, spread in steps:
                inside = shares[:, members].sum(axis=1)
                parts = weight * sold * inside, weight * usual * inside, luck * weight**2 * usual * inside**2
                told, expected, doubt = (np.bincount(group, values, size) for values in parts)
                seen = expected > 0
                expected = np.where(seen, expected, 1.0)
                # Of a group that sold nothing, as if it had sold as much as luck is.
                alike = doubt / expected
                log = np.log((told + alike + LEAST) / (expected + alike + LEAST))
                drawn = np.where(seen, log * spread**2 / (spread**2 + SHARED_LUCK * doubt / expected**2), 0.0)
                drawn = np.clip(logs[:, members[0]] + drawn, -LARGEST, LARGEST) - logs[:, members[0]]
                logs[:, members] += drawn[:, None]
                usual = usual * np.exp(drawn[group] * inside)
            self.logs_[name] = logs
        return self

    def _steps(self) -> list[tuple[list[int], float]]:
        # All occasions of a kind, then each of those that are not alone in theirs; and how unlike others groups may be in them.
        kinds: dict[str, list[int]] = {}
        for place, name in enumerate(self.occasions_):
            kinds.setdefault(name.rsplit(": ", 1)[0], []).append(place)
        together = [(places, KIND_SD if len(places) > 1 else float(np.hypot(KIND_SD, OWN_SD))) for places in kinds.values()]
        return together + [([place], OWN_SD) for places in kinds.values() if len(places) > 1 for place in places]

    def of(self, rows: Rows, groups: Mapping[str, Ints], calendar: pd.DataFrame) -> Floats:
        """The log of what the group of each row sells more than all do, 0 outside of occasions."""
        told = np.zeros(len(rows.code))
        for name, logs in self.logs_.items():
            # A value that was not there yet answers as all do.
            known = np.vstack([logs, np.zeros(len(self.occasions_))])
            by_period = occasion_shares(calendar, self.occasions_) @ known.T
            told += by_period[rows.period, np.minimum(groups[name][rows.code], len(logs))]
        return np.clip(told, -LARGEST, LARGEST)
