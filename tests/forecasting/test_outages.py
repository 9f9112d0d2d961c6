"""Which periods without a sale are lost ones, against a look at each of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd
import pytest

from sales_tech.forecasting.outages import closings, outages
from sales_tech.forecasting.rows import Rows

DAY = pd.Timedelta(days=1)


def rows_of(units: list[list[float]], known: list[list[bool]] | None = None, begins: tuple[int, ...] = (), week: int = 7) -> Rows:
    """Series of periods that follow one another, each from its own first period on."""
    flat = np.concatenate([np.asarray(one, dtype=float) for one in units])
    seen = np.concatenate(known) if known else np.ones(len(flat), dtype=bool)
    first = begins or (0,) * len(units)
    code = np.repeat(np.arange(len(units)), [len(one) for one in units])
    period = np.concatenate([begin + np.arange(len(one)) for begin, one in zip(first, units, strict=True)])
    return Rows(code, period, np.where(seen, flat, 0.0), seen, ~seen, {}, pd.Timestamp("2024-01-01"), 7 // week * DAY)


def always_much(days: list[float]) -> bool:
    """Eight days of a weekday, of which nine in ten sold, 20 on average and never less than a tenth of the average."""
    sold = [one for one in days if one > 0]
    mean = sum(days) / max(len(days), 1)
    return len(days) >= 8 and len(sold) >= 0.9 * len(days) and mean >= 20 and min(sold) >= 0.1 * mean


def stretch(sold: list[float], at: int) -> tuple[int, int]:
    """The first and last day without a sale about one of them."""
    first = last = at
    while first > 0 and sold[first - 1] == 0:
        first -= 1
    while last + 1 < len(sold) and sold[last + 1] == 0:
        last += 1
    return first, last


def lost_days(rows: Rows, holiday: np.ndarray) -> Iterator[bool]:
    for begin, end in zip(rows.bounds[:-1], rows.bounds[1:], strict=True):
        sold, known, period = (of[begin:end].tolist() for of in (rows.units, rows.known, rows.period))
        counted = [seen and not holiday[when] for seen, when in zip(known, period, strict=True)]
        for at in range(len(sold)):
            days = [sold[one] for one in range(len(sold)) if counted[one] and (period[one] - period[at]) % 7 == 0]
            first, last = stretch(sold, at) if sold[at] == 0 else (0, 0)
            again = first > 0 and last + 1 < len(sold) and last - first < 7
            yield counted[at] and sold[at] == 0 and always_much(days) and again


def test_days_that_a_series_always_sells_much_on_are_lost_where_it_sells_nothing_and_does_again() -> None:
    rng = np.random.default_rng(1)
    units, known = [], []
    for mean, low, length in product((20.0, 23.0, 60.0), (2.0, 15.0), (1, 2, 7, 8)):
        days = int(rng.choice([56, 63, 77, 90]))
        sold = np.round(rng.normal(mean, 1.0, days), 1)
        sold[rng.integers(0, days, 2)] = low
        at = rng.integers(0, days - length)
        sold[at : at + length] = 0
        sold[rng.integers(0, 7) :: 7] *= rng.integers(0, 2)
        sold[days - rng.integers(0, 3) :] = 0
        units.append(sold.tolist())
        known.append(rng.random(days) < 0.97)
    # All of these weekdays sell 20 on average and in nine weeks of ten, or a little less.
    edge = [20.0] * 70
    edge[35] = edge[37] = 0.0
    edge[0], edge[2] = 40.0, 39.0
    units.append(edge)
    known.append(np.ones(70, dtype=bool))
    rows = rows_of(units, known, tuple(rng.integers(0, 5, len(units)).tolist()))
    holiday = rng.random(120) < 0.03
    told = outages(rows, holiday)
    assert told.tolist() == list(lost_days(rows, holiday))
    assert 20 < told.sum() < (rows.known & (rows.units == 0)).sum() - 20
    assert told[rows.code == len(units) - 1].sum() == 1


def shut_periods(rows: Rows, holiday: np.ndarray, group: np.ndarray) -> Iterator[tuple[int, int]]:
    """Group and period of each period of the stretches in which a group was shut."""
    week, span = rows.week, int(rows.period.max()) + 1
    year = 52 * week
    for number in sorted({*group.tolist()} - {-1}):
        members = group[rows.code] == number
        sold = [float(rows.units[members & (rows.period == at)].sum()) for at in range(span)]
        there = [bool((members & rows.known & (rows.period == at)).any()) for at in range(span)]
        long = set()
        for at in range(span):
            first, last = stretch(sold, at)
            if sold[at] == 0 and first > 0 and last + 1 < span and (7 if week == 7 else 1) < last - first + 1 <= 8 * week:
                long.add(at)
        usual = {
            day: [sold[at] for at in range(day, span, week) if there[at] and at not in long and not holiday[at]] for day in range(week)
        }

        def doubted(at: int) -> bool:
            season = at + year in long or at - year in long or span <= at + year < len(holiday) + 2 * week  # noqa: B023
            return season or not (always_much(usual[at % week]) or sum(usual[at % week]) == 0)  # noqa: B023

        for at in long:
            first, last = stretch(sold, at)
            if always_much(usual[at % week]) and not any(doubted(day) for day in range(first, last + 1)):
                yield number, at


@pytest.mark.parametrize(("week", "span", "ahead"), [(7, 130, 7), (7, 460, 20), (1, 130, 4)])
def test_a_group_was_shut_in_long_stretches_without_sales_that_are_no_season(week: int, span: int, ahead: int) -> None:
    rng = np.random.default_rng(week + span)
    found = 0
    for trial in range(24):
        units = [rng.integers(14, 18, span) * rng.choice([1.0, 0.6]) for _ in range(4)]
        group = np.array([0, 0, 1, -1]) if trial % 2 else np.zeros(4, dtype=np.int64)
        for _ in range(2):
            length = int(rng.choice([week if week == 7 else 1, 8 if week == 7 else 2, 3 * week, 8 * week, 8 * week + 1]))
            first = int(rng.integers(0, span - length))
            shut = rng.random(4) < 0.9 if trial % 3 else np.ones(4, dtype=bool)
            for year in (0, 52 * week) if trial % 4 == 3 else (0,):
                for one in np.flatnonzero(shut):
                    units[one][first + year : first + year + length] = 0
        if week > 1 and trial % 5 in (2, 3):
            for one in units:
                one[6::7] = 0 if trial % 5 == 2 else one[6::7] * 0.3
        known = [rng.random(span) < 0.98 for _ in units]
        rows, holiday = rows_of([one.tolist() for one in units], known, week=week), rng.random(span + ahead) < 0.02
        told, everyone = closings(rows, holiday, [group]), set(shut_periods(rows, holiday, group))
        expected = [
            bool(seen and sold == 0 and (group[code], at) in everyone)
            for seen, sold, code, at in zip(rows.known, rows.units, rows.code, rows.period, strict=True)
        ]
        assert told.tolist() == expected, trial
        found += bool(everyone)
    assert 5 <= found <= 20


def test_a_series_is_shut_with_any_of_its_groups() -> None:
    units = np.full((3, 120), 30.0)
    units[:2, 40:55] = 0
    rows, holiday = rows_of(units.tolist()), np.zeros(127, dtype=bool)
    apart, together = np.array([0, 0, -1]), np.zeros(3, dtype=np.int64)
    assert closings(rows, holiday, [apart]).sum() == closings(rows, holiday, [together, apart, apart]).sum() == 30
    assert not closings(rows, holiday, [together]).any()
    assert not closings(rows, holiday, [np.full(3, -1)]).any()


def test_days_at_the_edge_of_what_is_lost() -> None:
    def lost(units: list[float], week: int = 7) -> list[int]:
        # After another series that sells on its last day, or alone.
        alone = outages(rows_of([units], week=week), np.zeros(200, dtype=bool))
        behind = outages(rows_of([[30.0] * 70, units], week=week), np.zeros(200, dtype=bool))
        assert behind.tolist() == [False] * 70 + alone.tolist()
        return np.flatnonzero(alone).tolist()

    def days(**changed: float) -> list[float]:
        return [changed.get(f"d{at}", 30.0) for at in range(77)]

    assert lost(days(d0=0, d1=0)) == lost(days(d75=0, d76=0)) == []
    assert lost(days(d1=0, d75=0)) == [1, 75]
    # A week of nothing is lost, eight days are not; a single unit among them parts them, and one weekday lacks two of eleven sales.
    assert lost(days(**{f"d{at}": 0 for at in range(30, 37)})) == [*range(30, 37)]
    assert lost(days(**{f"d{at}": 0 for at in range(30, 38)})) == []
    assert lost(days(**{f"d{at}": int(at == 34) for at in range(30, 38)})) == [31, 32, 33, 35, 36]
    # The least is a tenth of the mean, of eleven days without one: 3 of 30, and of a little more no longer; a single unit is less.
    rest = {f"d{at}": 0.0 if at == 35 else 3.0 if at == 42 else 36.3 for at in range(0, 77, 7)}
    assert lost(days(**rest | {"d0": 36.7})) == []
    assert lost(days(**rest)) == [35]
    assert lost(days(**rest | {"d42": 1.0})) == []
    assert lost([30.0] * 50 + [0.0] + [30.0] * 50, week=1) == []


def test_stretches_at_the_edge_of_what_is_a_closing() -> None:
    def lost(*stretches: tuple[int, int], span: int = 500, ahead: int = 20, groups: int = 1, unknown: tuple[int, ...] = ()) -> list[int]:
        # Places are counted on over the groups, which are of one series each.
        units, known = np.full(groups * span, 30.0), np.ones(groups * span, dtype=bool)
        for first, length in stretches:
            units[first : first + length] = 0
        known[[*unknown]] = False
        rows = rows_of(units.reshape(groups, span).tolist(), list(known.reshape(groups, span)))
        return np.flatnonzero(closings(rows, np.zeros(span + ahead, dtype=bool), [np.arange(groups)])).tolist()

    assert lost((70, 7)) == lost((70, 57)) == []
    assert lost((70, 8)) == [*range(70, 78)]
    assert len(lost((70, 56))) == 56
    # A season is where a day comes again 364 days later, though it is the last one of one stretch and the first of the other.
    assert lost((70, 12), (70 + 364 + 11, 12)) == lost((81, 12), (70 + 364, 12)) == []
    assert lost((70, 12), (70 + 364 + 12, 12)) == [*range(70, 82), *range(446, 458)]
    assert lost((82, 12), (70 + 364, 12)) == [*range(82, 94), *range(434, 446)]
    # A year later are the days that are predicted and two weeks more, from 500 to 533.
    assert lost((124, 12)) == [*range(124, 136)]
    assert lost((125, 12)) == lost((169, 12)) == []
    assert lost((170, 12)) == [*range(170, 182)]
    # What begins with the first day of a group or ends with its last one is none, whatever another group sold.
    assert lost((0, 12)) == lost((488, 12), groups=2) == lost((500, 12), groups=2) == lost((988, 12), groups=2) == []
    assert lost((501, 12), groups=2) == [*range(501, 513)]
    assert lost((487, 12), groups=2) == [*range(487, 499)]
    # What another group did a year later is no season.
    assert lost((450, 12), (450 + 364, 12), groups=2) == [*range(450, 462), *range(814, 826)]
    # Eight days of each weekday are enough, besides those of the stretch; days of which nothing is known are none without a sale.
    assert lost((30, 14), span=70) == [*range(30, 44)]
    assert lost((30, 14), span=69) == lost((30, 14), span=70, unknown=(3,)) == []
    assert lost((70, 14), span=200, unknown=(0, 7, 14, 21)) == [*range(70, 84)]
    assert lost((70, 14), span=200, unknown=(75,)) == [*range(70, 75), *range(76, 84)]
