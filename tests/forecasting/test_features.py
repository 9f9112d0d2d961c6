"""Features against values by hand, against one another in training and predicting, and against the future."""

from __future__ import annotations

import math
import statistics
from calendar import monthrange
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import holidays
import numpy as np
import pandas as pd
import pytest
from tests.forecasting.retail import forecaster, shop, split

from sales_tech.forecasting import market, plan_features
from sales_tech.forecasting.calendar_features import calendar_of
from sales_tech.forecasting.features import Matrix
from sales_tech.forecasting.forecaster import PromotionForecaster
from sales_tech.forecasting.history_features import History
from sales_tech.forecasting.plan_features import Plan, plan_columns
from sales_tech.forecasting.poisson import PoissonRidge
from sales_tech.forecasting.roles import roles_of
from sales_tech.forecasting.rows import Rows, Smoothed, Sums

DAY = pd.Timedelta(days=1)


def rows_of(units: list[list[float]], plan: dict[str, list[float]] | None = None, length: pd.Timedelta = DAY) -> Rows:
    code = np.repeat(np.arange(len(units)), [len(one) for one in units])
    period = np.concatenate([np.arange(len(one)) for one in units])
    flat = np.concatenate([np.asarray(one, dtype=float) for one in units])
    columns = {name: np.asarray(values, dtype=float) for name, values in (plan or {}).items()}
    known = np.ones(len(flat), dtype=bool)
    return Rows(code, period, flat, known, ~known, columns, pd.Timestamp("2024-01-01"), length)


def matrix_of(model: PromotionForecaster, past_and_plan: pd.DataFrame, at_date: pd.Timestamp, step: int) -> Matrix:
    """Features of all series on a date, seen `step` days before, of a panel that goes on as told."""
    whole, _ = model.past_.with_plan(past_and_plan[past_and_plan["date"] > model.origin_].reset_index(drop=True))
    row = np.flatnonzero(whole.rows.dates == at_date)
    return model.ensemble_.matrix(whole, model._calendar(model.past_), row, np.full(len(row), step))


@pytest.fixture(scope="module")
def fitted() -> tuple[PromotionForecaster, pd.DataFrame]:
    panel = shop(skus=5, days=140)
    return forecaster(static=[], trees=5).fit(split(panel)[0]), panel


def test_training_and_predicting_make_the_same_features(fitted: tuple) -> None:
    model, panel = fitted
    # A model that has seen the fortnight trains on it; the first one, which had not, predicts it.
    later = forecaster(static=[], trees=5).fit(panel)
    later.ensemble_.factors_ = model.ensemble_.factors_
    later.ensemble_.statics_ = model.ensemble_.statics_
    later.ensemble_.least_ = model.ensemble_.least_
    plan = Plan.of(later.past_.rows, later.roles_, later.past_.neutral)
    later.ensemble_.factor_ = np.exp(model.ensemble_.factors_.logs(plan, later._calendar(later.past_))[0])
    date = model.origin_ + 9 * DAY
    predicted = matrix_of(model, panel, date, 9)
    row = np.flatnonzero(later.past_.rows.dates == date)
    trained = later.ensemble_.matrix(later.past_, later._calendar(later.past_), row, np.full(len(row), 9))
    assert predicted.names == trained.names
    np.testing.assert_array_equal(predicted.values, trained.values)
    np.testing.assert_array_equal(predicted.base, trained.base)


def test_no_feature_moves_with_the_sales_of_the_future(fitted: tuple) -> None:
    model, panel = fitted
    origin = model.origin_ - 20 * DAY
    before = matrix_of(model, panel, origin + 6 * DAY, 6)
    units, after = model.past_.rows.units, model.past_.rows.dates > origin
    kept = units[after].copy()
    try:
        units[after] = 1_000.0
        moved = matrix_of(model, panel, origin + 6 * DAY, 6)
    finally:
        units[after] = kept
    np.testing.assert_array_equal(before.values, moved.values)
    units_before = ~after
    kept = units[units_before].copy()
    try:
        units[units_before] += 3.0
        assert not np.array_equal(before.values, matrix_of(model, panel, origin + 6 * DAY, 6).values, equal_nan=True)
    finally:
        units[units_before] = kept


def test_sums_stay_within_their_series() -> None:
    rows = rows_of([[1, 2, 3], [10, 20, 30, 40]])
    sums = Sums(rows, rows.units)
    assert sums.between(np.array([2, 5, 3]), np.array([-5, 3, 1]), np.array([2, 5, 2])).tolist() == [6, 50, 0]


def test_smoothing_halves_the_weight_at_every_half_life() -> None:
    rows = rows_of([[8, 0, 0], [4, 4, 1]])
    at = np.arange(6)
    assert Smoothed(rows, rows.units, 1.0).at(at, at).tolist() == [8, 4, 2, 4, 6, 4]
    assert Smoothed(rows, rows.units, 2.0, lag=2).at(at, at).tolist() == [8, 0, 4, 4, 4, 3]
    assert Smoothed(rows, rows.units, 1.0).at(np.array([3]), np.array([2])).tolist() == [0]


class Told:
    """The past of one series in plain lists, each feature one walk over its periods; `week` has so many periods."""

    def __init__(self, units: list[float], known: list[bool], factor: list[float], promoted: list[bool], week: int) -> None:
        self.week, self.size = week, len(units)
        self.known = [float(one) for one in known]
        self.freed = [sold / by if seen else 0.0 for sold, by, seen in zip(units, factor, known, strict=True)]
        self.squares = [sold**2 for sold in self.freed]
        self.zeros = [float(seen and sold == 0) for sold, seen in zip(units, known, strict=True)]
        self.promoted = [float(some and seen) for some, seen in zip(promoted, known, strict=True)]
        self.prior, self.least = 3.0, 0.01
        self.lifted = [by * sold for by, sold in zip(self.promoted, self.freed, strict=True)]
        self.usual = [by and by * self.level(day - 1) for day, by in enumerate(self.promoted)]
        fades = [[self.faded(values, 4 * week, day) for values in (self.freed, self.known)] for day in range(self.size)]
        self.means = [seen and sold / much for seen, (sold, much) in zip(self.known, fades, strict=True)]

    def over(self, values: list[float], after: int, last: int) -> float:
        return math.fsum(values[at] for at in range(max(after + 1, 0), min(last, self.size - 1) + 1))

    def faded(self, values: list[float], half_life: float, last: int, lag: int = 1) -> float:
        return math.fsum(values[at] * 0.5 ** ((last - at) / half_life) for at in range(last, -1, -lag))

    def level(self, origin: int) -> float:
        # Four weeks' half-life, drawn by two weeks to the mean of the year; that of a young series to its attributes.
        much = self.over(self.known, origin - 52 * self.week, origin)
        owed = 0.5 * self.week * math.exp(-much / self.week)
        year = (self.over(self.freed, origin - 52 * self.week, origin) + owed * self.prior) / (much + owed)
        sold, seen = (self.faded(values, 4 * self.week, origin) for values in (self.freed, self.known))
        return max((sold + 2 * self.week * year) / (seen + 2 * self.week), self.least)

    def columns(self, at: int, origin: int, ago: int) -> dict[str, float]:
        week, level = self.week, self.level(origin)
        told = {"level": math.log(level), "age": math.log(1 + (origin + 1) / week)}
        if not self.over(self.known, -1, origin):
            return told

        def relative(after: int, last: int, drawn: float = 0.25 * week) -> float:
            seen = self.over(self.known, after, last)
            return math.log((self.over(self.freed, after, last) + drawn * level) / ((seen + drawn) * level) + 1e-3)

        def share(values: list[float], weeks: int) -> float:
            span = origin - weeks * week, origin
            return self.over(values, *span) / max(self.over(self.known, *span), 1)

        told |= {f"mean {weeks}": relative(origin - weeks * week, origin) for weeks in (1, 2, 4, 8, 13, 26, 52)}
        if week > 1:
            told |= {"last": relative(origin - 1, origin, 0.25), "last 3": relative(origin - 3, origin, 0.75)}
        else:
            told["before last"] = relative(origin - 3, origin - 1, 0.5)
        slow, seen = (self.faded(values, 13 * week, origin) for values in (self.freed, self.known))
        told["smoothed 13"] = math.log((slow + 0.25 * week * level) / ((seen + 0.25 * week) * level) + 1e-3)
        means = []
        for last in (origin - back * week for back in range(8)):
            seen = self.over(self.known, last - week, last)
            means.append(self.over(self.freed, last - week, last) / seen if seen else level)
        told["median 8"] = math.log(statistics.median(means) / level + 0.02)
        told |= {"zeros 26": share(self.zeros, 26), "zeros 8": share(self.zeros, 8), "promoted 4": share(self.promoted, 4)}
        half = self.over(self.known, origin - 26 * week, origin)
        told["gap"] = math.log(max(half, 1) / max(half - self.over(self.zeros, origin - 26 * week, origin), 0.5))
        sales = [back for back in range(origin + 1) if self.known[origin - back] and not self.zeros[origin - back]]
        told["since sale"] = math.log(1 + (sales[0] if sales else 26 * week))
        mean = share(self.freed, 26)
        spread = math.sqrt(max(share(self.squares, 26) - mean**2, 0.0))
        told["dispersion"] = math.log((spread + 0.1 * level) / (mean + 0.1 * level) + 0.01)
        lift = [self.over(values, -1, origin) + 2 * week * level for values in (self.lifted, self.usual)]
        told["own lift"] = math.log(lift[0] / lift[1])
        if week > 1:
            same = max(day for day in range(origin - week, origin + 1) if (at - day) % week == 0)
            season, seen = (self.faded(values, 8 * week, same, week) for values in (self.freed, self.known))
            about = self.faded(self.means, 8 * week, same, week)
            drawn = level * min(max((spread / max(mean, self.least)) ** 2 / 0.04, 1.0), 50.0)
            told["own weekday"] = math.log((season + drawn) / (about + drawn) + 1e-3)
            told["same weekday"] = math.log((season + level) / (about + level) + 1e-3)
            told["weekdays known"] = seen
        near, then, day = week // 2 if week > 1 else 1, origin - ago, at - ago
        seen = self.over(self.known, then - 8 * week, then)
        if day - near >= 0 and seen >= 2 * week and day + near <= origin:
            base = self.over(self.freed, then - 8 * week, then) / seen
            for name, reach in (("year ago", near), ("year ago exactly", 0)):
                span = day - reach - 1, day + reach
                sold, days = self.over(self.freed, *span), self.over(self.known, *span)
                told[name] = math.log((sold + base + self.least) / ((days + 1) * (base + self.least)))
        return told


@pytest.mark.parametrize(("length", "week"), [(DAY, 7), (7 * DAY, 1)])
def test_what_the_past_tells_is_what_a_walk_over_it_tells(length: pd.Timedelta, week: int) -> None:
    rng = np.random.default_rng(5)
    sizes = [58 * week, 9 * week, 75 * week, 40 * week]
    units = [rng.poisson(mean, size) * rng.integers(0, 2, size) for mean, size in zip((6.0, 40.0, 2.0, 5.0), sizes, strict=True)]
    units[2][3 * week :] = 0
    rows = rows_of([one.tolist() for one in units], length=length)
    known = rng.random(sum(sizes)) < 0.9
    last_begins = sum(sizes[:3])
    # Of the last series nothing is known for long, at its beginning and once more; another one stopped selling.
    known[last_begins : last_begins + 3 * week] = known[last_begins + 15 * week : last_begins + 26 * week] = False
    rows = replace(rows, known=known, units=np.where(known, rows.units, 0.0))
    factor, promoted = rng.uniform(0.5, 2.0, len(known)), rng.random(len(known)) < 0.2
    history = History(rows, factor, promoted.astype(float), np.full(len(known), 3.0), 0.01)
    parts = [slice(begin, end) for begin, end in pairwise(rows.bounds.tolist())]
    by_hand = [Told(rows.units[one].tolist(), known[one].tolist(), factor[one].tolist(), promoted[one].tolist(), week) for one in parts]
    # Some stand where the year before has just begun, or would go on into what is predicted.
    just = np.linspace(52 * week, 58 * week - 1, 30).astype(int)
    row = np.concatenate(
        [*(rng.integers(one.start, one.stop, 20) for one in parts), just, rows.bounds[2] + just, parts[0].start + 2 + just % 9]
    )
    local = row - rows.start[row]
    step = np.minimum(rng.integers(1, 3 * week + 2, len(row)), local + 1)
    # Others know nothing yet, or a single period.
    step[:80:20], step[1:80:20] = local[:80:20] + 1, np.maximum(local[1:80:20], 1)
    ago = np.where(np.arange(len(row)) % 3, 52 * week, 52 * week - rng.integers(1, 4, len(row)))
    ago[::7] = step[::7] + rng.integers(0, 4, len(ago[::7])) + week // 2 - 1
    told = history.columns(row, row - step, ago)
    for place, number in enumerate(rows.code[row]):
        expected = by_hand[number].columns(int(local[place]), int(local[place] - step[place]), int(ago[place]))
        found = {name: values[place] for name, values in told.items() if not np.isnan(values[place])}
        assert found == pytest.approx(expected, abs=1e-9), (number, local[place], step[place])


@pytest.mark.parametrize(("most", "week"), [(1_500_000, 1), (200, 1), (1_500_000, 7)])
def test_a_market_is_the_sum_of_its_series_seen_from_a_year_before(most: int, week: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market, "MOST_ROWS", most)
    rng, horizon, asks = np.random.default_rng(3), 4 if week == 1 else 9, 40
    sizes, begins = ((100, 100, 90, 60), (0, 0, 10, 40)) if week == 1 else ((440, 430, 400, 60), (0, 0, 20, 300))
    size = sum(sizes)
    rows = rows_of([rng.poisson(5.0, one).tolist() for one in sizes], length=7 // week * DAY)
    known, promoted = rng.random(size) < 0.9, rng.random(size) < 0.2
    period = rows.period + np.repeat(begins, sizes)
    rows = replace(rows, period=period, known=known, units=np.where(known, rows.units, 0.0))
    factor = rng.uniform(0.5, 2.0, size)
    history = History(rows, factor, promoted.astype(float), np.full(size, 3.0), 0.01)
    groups = {"all": np.zeros(4, dtype=np.int64), "pair": np.array([0, 1, 0, 1])}
    found = market.Market(history, factor, groups, horizon, promoted)
    places = {(code, when): place for place, (code, when) in enumerate(zip(rows.code.tolist(), period.tolist(), strict=True))}
    # Of a large panel every second series tells of all.
    asked = [0, 1, 2, 3] if most > size else [0, 2]
    row, step = rng.integers(0, size, asks), rng.integers(1, horizon + 1, asks)
    ago = np.where(np.arange(asks) % 5 == 4, horizon - np.arange(asks) % 2, 52 * week - rng.integers(-1, 2, asks))
    row[:4], step[:4] = rows.bounds[:-1], (1, 2, 3, 4)

    def over(group: np.ndarray, number: int, origin: int, steps: list[int]) -> float:
        sold = usual = 0.0
        for code in (code for code in asked if group[code] == number and (code, origin) in places):
            at = places[code, origin]
            for later in (places.get((code, origin + ahead)) for ahead in steps):
                if later is not None and known[later] and at - rows.start[at] >= 2 * week:
                    level = history.level(np.array([at]), np.array([at]))[0]
                    sold, usual = sold + rows.units[later] / factor[later] / level**0.5, usual + level**0.5
        return math.log(min(max(sold / usual, 0.05), 20)) if usual else math.nan

    told, lifts = found.columns(row, row - step, ago), found.lifts(row, row - step)
    for place, (code, when) in enumerate(zip(rows.code[row].tolist(), (period[row] - step).tolist(), strict=True)):
        year, far = when - ago[place], int(step[place])
        for name, group in groups.items():
            number = group[code]
            near = [min(max(far + aside, 1), horizon) for aside in (range(-3, 4) if week > 1 else range(-1, 2))]
            expected = [over(group, number, year, steps) if ago[place] >= horizon else math.nan for steps in ([far], near)]
            values = [told[f"market {name}"][place], told[f"market about {name}"][place], told[f"market lately {name}"][place]]
            assert values == pytest.approx([*expected, over(group, number, when - week, [*range(1, week + 1)])], nan_ok=True), (place, name)
            lifted = [
                at
                for at in range(size)
                if promoted[at] and known[at] and group[rows.code[at]] == number and period[at] <= when and at - rows.start[at] >= week
            ]
            sold, usual = (sum(of[at] / history.before[at] ** 0.5 for at in lifted) for of in (history.freed, history.before))
            drawn = 4 * week * usual / max(len(lifted), 1)
            assert lifts[name][place] == pytest.approx(math.log((sold + drawn + 1e-9) / (usual + drawn + 1e-9)))


def named_by_hand(country: str) -> dict[date, str]:
    """The holidays of some years, to which every shop adds two."""
    named = dict(holidays.country_holidays(country, years=range(2021, 2029), language="en_US"))
    for year, friday in zip(range(2021, 2029), (26, 25, 24, 29, 28, 27, 26, 24), strict=True):
        named.setdefault(date(year, 11, friday), "Black Friday")
        named.setdefault(date(year, 12, 25), "Christmas")
    return named


@pytest.mark.parametrize(
    ("country", "first", "days"), [("BR", "2026-06-01", 1), ("TR", "2023-12-22", 1), ("BR", "2024-01-01", 7), ("BR", "2024-01-07", 7)]
)
def test_a_calendar_is_what_a_look_at_each_day_tells(country: str, first: str, days: int) -> None:
    named, table = named_by_hand(country), calendar_of(pd.Timestamp(first), 400 // days, days * DAY, country)
    # A week is called by its Monday, or by the Sunday that ends it.
    day = date.fromisoformat(first) - timedelta(days=6 if first == "2024-01-07" else 0)
    for told in table.to_dict("records"):
        inside = [named[day + timedelta(days=ahead)] for ahead in range(days) if day + timedelta(days=ahead) in named]
        to_next = next(ahead for ahead in range(400) if day + timedelta(days=ahead) in named)
        since_last = next(ago for ago in range(400) if day + timedelta(days=days - 1 - ago) in named) - (days - 1)
        # The holiday of the day, the day before or the next one, in its place among the days of that name in its year and the year before.
        near = next((day + timedelta(days=aside) for aside in (0, -1, 1) if day + timedelta(days=aside) in named), None)
        alike = {year: sorted(one for one in named if one.year == year and named[one] == named.get(near)) for year in range(2021, 2029)}
        ago = 364 // days
        if days == 1 and near and alike[near.year - 1]:
            place = alike[near.year].index(near)
            ago = (near - alike[near.year - 1][: place + 1][-1]).days
        assert {name: told[name] for name in table.columns if not name.startswith("in ")} == {
            "weekday": day.weekday(),
            "day_of_month": day.day,
            "week_of_year": min(day.isocalendar().week, 52),
            "day_of_year": day.timetuple().tm_yday,
            "to_month_end": monthrange(day.year, day.month)[1] - day.day,
            # Wages come on the 5th and the 20th of months that are told as of 30 days.
            "since_payday": day.day + 10 if day.day < 5 else day.day - (20 if day.day >= 20 else 5),
            "holiday": bool(inside),
            "name": inside[0] if inside else "",
            "to_holiday": min(to_next, 10 * days),
            "since_holiday": min(max(since_last, 0), 10 * days),
            "ago": ago,
        }, day
        day += timedelta(days=days)


def test_without_a_country_no_holiday_is_near_and_an_unknown_one_is_refused() -> None:
    table = calendar_of(pd.Timestamp("2024-12-20"), 14, DAY, None)
    assert table[["holiday", "to_holiday", "since_holiday", "ago"]].drop_duplicates().to_numpy().tolist() == [[0, 10, 10, 364]]
    with pytest.raises(ValueError, match="country is 'XX', of which no holidays are known; expected an ISO code such as BR"):
        calendar_of(pd.Timestamp("2024-12-20"), 14, DAY, "XX")


def test_a_plan_tells_what_a_walk_over_its_series_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_features, "BLOCK", 50)
    rng = np.random.default_rng(8)
    sizes, history, horizon = (460, 30, 70, 90), (440, 0, 70, 75), 12
    size = sum(sizes)
    steady = np.concatenate([np.repeat(rng.choice([8.0, 9.0, 10.0, 12.0], -(-one // 23)), 23)[:one] for one in sizes])
    # Prices of the last series are others each day.
    steady[-90:] = rng.uniform(9.5, 10.5, 90)
    calm = np.repeat(rng.random(-(-size // 6)) < 0.7, 6)[:size]
    calm[:7], calm[-7:] = [False, *[True] * 6], [*[True] * 6, False]
    plan = {
        "price": np.where(rng.random(size) < 0.06, rng.choice([0.0, 0.5, 200.0], size), steady * np.where(calm, 1.0, 0.9)),
        "cut": np.where(calm, 0.0, 0.2) * (rng.random(size) < 0.9),
        "leaflet": (rng.random(size) < 0.04).astype(float),
        "mechanic": np.where(rng.random(size) < 0.04, 2.0, 1.0),
        "weather": rng.random(size),
        "\0ahead": np.concatenate([np.arange(one) >= known for one, known in zip(sizes, history, strict=True)]).astype(float),
    }
    roles = {"price": "price", "cut": "depth", "leaflet": "flag", "mechanic": "kind", "weather": "context"}
    rows = rows_of([[1.0] * one for one in sizes], {name: values.tolist() for name, values in plan.items()})
    told = Plan.of(rows, roles, {"mechanic": 1.0})
    plain = told.without_promotions()
    edges = np.add.outer(rows.bounds, np.arange(-10, 12)).ravel()
    row = np.unique(np.r_[edges[(edges >= 0) & (edges < size)], rng.choice(size, 120)])
    origin = row - rng.integers(1, horizon + 1, len(row))
    columns = plan_columns(told, row, origin, horizon)
    begin = 0
    for one, known in zip(sizes, history, strict=True):
        own = {name: values[begin : begin + one].tolist() for name, values in plan.items()}
        price = own["price"]
        usual = [sorted(price[max(min(at, max(known - 1, 0)) - 7 * week, 0)] for week in range(9))[5] for at in range(one)]
        logs = [math.log(paid or listed or 1e-9) for paid, listed in zip(price, usual, strict=True)]
        cheap = lambda at, day: max(min(math.log((usual[max(day, 0)] or 1e-9) / (price[at] or 1e-9)), 2), -2)  # noqa: B023, E731
        some = [cheap(at, at) > 0.03 or own["cut"][at] > 0 or own["leaflet"][at] > 0 or own["mechanic"][at] != 1 for at in range(one)]
        assert told.promoted[begin : begin + one].tolist() == some
        for name, values in own.items():
            none = {"price": usual, "cut": [0.0] * one, "leaflet": [0.0] * one, "mechanic": [1.0] * one}.get(name, values)
            assert plain.rows.plan[name][begin : begin + one].tolist() == values[:known] + none[known:]
        for place in np.flatnonzero((row >= begin) & (row < begin + one)):
            at, day = row[place] - begin, origin[place] - begin
            year = logs[max(max(day, 0) - 363, 0) : max(day, 0) + 1]
            below = [min(max(round(math.fsum(year) / len(year) - logs[one_day], 6), -2), 2) for one_day in (at, max(day, 0))]
            first = max((back + 1 for back in range(at) if some[back] != some[at]), default=0)
            ends = min((next_one - 1 for next_one in range(at, one) if some[next_one] != some[at]), default=one - 1)
            expected = {
                "+cheap price": cheap(at, day),
                "+below year price": below[0],
                "last below year price": below[1],
                "+plan cut": own["cut"][at],
                "plan leaflet": own["leaflet"][at],
                "plan mechanic": own["mechanic"][at],
                "plan weather": own["weather"][at],
                "promoted": float(some[at]),
                "into promotion": min(at - first + 1, 35) if some[at] else 0,
                "left of promotion": min(ends - at, day + horizon - at, 35) if some[at] else 35,
                "since promotion": 0 if some[at] else min(at - first + 1, 35) if first else 35,
                "to promotion": 0 if some[at] else min(ends + 1 - at, 35) if ends + 1 < min(one, day + horizon + 1) else 35,
            }
            assert {name: values[place] for name, values in columns.items()} == pytest.approx(expected, abs=1e-6), (begin, at, day)
        begin += one
    weather = Plan.of(rows, {"weather": "context"}, {})
    assert [*plan_columns(weather, row, origin, horizon)] == ["plan weather"]


def test_the_plan_tells_where_in_a_promotion_a_day_lies() -> None:
    depth = [0, 0, 0.2, 0.2, 0.2, 0, 0, 0, 0.1, 0]
    rows = rows_of([[1.0] * 10], {"depth": depth, "\0ahead": [0.0] * 10})
    plan = Plan.of(rows, {"depth": "depth"}, {})
    told = plan_columns(plan, np.array([1, 2, 4, 6]), np.array([0, 0, 0, 0]), horizon=20)
    assert told["into promotion"].tolist() == [0, 1, 3, 0]
    assert told["to promotion"].tolist() == [1, 0, 0, 2]
    assert told["since promotion"].tolist() == [35, 0, 0, 2]
    assert told["left of promotion"].tolist() == [35, 2, 0, 35]


def test_a_promotion_beyond_the_plan_is_not_known() -> None:
    rows = rows_of([[1.0] * 10], {"depth": [0.0] * 8 + [0.1, 0.1], "\0ahead": [0.0] * 10})
    plan = Plan.of(rows, {"depth": "depth"}, {})
    row, origin = np.array([5, 5]), np.array([4, 4])
    assert plan_columns(plan, row, origin, horizon=4)["to promotion"].tolist() == [3, 3]
    assert plan_columns(plan, row, origin, horizon=3)["to promotion"].tolist() == [35, 35]


def test_a_price_is_low_against_the_usual_one_of_its_series() -> None:
    price = [10.0] * 70 + [8.0] * 3 + [100.0] * 73
    rows = rows_of([[1.0] * 73, [1.0] * 73], {"price": price, "\0ahead": [0.0] * 146})
    plan = Plan.of(rows, {"price": "price"}, {})
    at = np.array([72, 145])
    assert np.allclose(plan.cheapness("price", at, at), [np.log(10 / 8), 0])
    assert plan.promoted[[69, 72, 145]].tolist() == [False, True, False]


def test_a_price_that_stays_low_is_its_own_reference_but_not_that_of_the_year() -> None:
    price = [10.0] * 300 + [8.0] * 100 + [50.0] * 5
    rows = rows_of([[1.0] * 400, [1.0] * 5], {"price": price, "\0ahead": [0.0] * 405})
    plan = Plan.of(rows, {"price": "price"}, {})
    at, origin = np.array([399, 399, 404]), np.array([389, 299, 399])
    assert np.allclose(plan.cheapness("price", at, origin), [0, np.log(10 / 8), 0])
    # 90 of the 364 days up to day 389 had the low price already; a series without a past is where its first price is.
    assert np.allclose(plan.below_year("price", at, origin), [274 / 364 * np.log(10 / 8), np.log(10 / 8), 0], atol=1e-6)


def test_a_price_that_never_changes_tells_nothing() -> None:
    rows = rows_of([[1.0] * 400, [1.0] * 400], {"price": [19.9] * 400 + [0.07] * 400, "\0ahead": [0.0] * 800})
    at = np.arange(800)
    assert not Plan.of(rows, {"price": "price"}, {}).below_year("price", at, at - 5).any()


def test_a_missing_price_is_the_usual_one() -> None:
    rows = rows_of([[1.0] * 400], {"price": [10.0] * 200 + [0.0] * 30 + [10.0] * 169 + [8.0], "\0ahead": [0.0] * 400})
    plan = Plan.of(rows, {"price": "price"}, {})
    assert plan.below_year("price", np.array([210, 399]), np.array([199, 398])) == pytest.approx([0, np.log(10 / 8)], abs=1e-6)


def test_roles_are_told_by_names_and_values() -> None:
    panel = pd.DataFrame({"units": [0.0, 3.0, 2.0, 5.0] * 10})
    columns = {
        "sell_price": [2.5, 2.5, 2.0, 2.5],
        "Open": [0, 1, 1, 1],
        "Promo": [0, 0, 1, 1],
        "StateHoliday": ["0", "0", "a", "0"],
        "IsHoliday": [False, False, True, False],
        "MarkDown1": [0.0, 0.0, 1200.0, 5.0],
        "onpromotion": [0, 0, 12, 3],
        "desconto": [0.0, 0.0, 0.1, 0.0],
        "mechanic": ["none", "none", "leaflet", "none"],
        "temperature": [20.0, 21.0, 22.0, 10.0],
    }
    for name, values in columns.items():
        panel[name] = values * 10
    assert roles_of(panel, list(columns), "units", {"temperature": "label"}) == {
        "sell_price": "price",
        "Open": "open",
        "Promo": "flag",
        "StateHoliday": "label",
        "IsHoliday": "context",
        "MarkDown1": "depth",
        "onpromotion": "depth",
        "desconto": "depth",
        "mechanic": "kind",
        "temperature": "label",
    }


@pytest.mark.parametrize("language", ["", "pt_BR", "en_US"])
def test_holidays_have_the_same_names_whatever_language_the_machine_speaks(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(name, language)
    assert calendar_of(pd.Timestamp("2024-03-25"), 10, DAY, "BR")["name"].tolist()[4] == "Good Friday"


def test_days_about_a_holiday_compare_with_those_about_it_a_year_before() -> None:
    table = calendar_of(pd.Timestamp("2024-03-25"), 10, DAY, "BR")
    assert table["name"].tolist()[4] == "Good Friday"
    assert table["ago"].tolist()[3:6] == [357.0] * 3
    assert table["ago"].tolist()[8] == 364
    assert table["to_holiday"].tolist()[:5] == [4, 3, 2, 1, 0]
    assert calendar_of(pd.Timestamp("2024-03-25"), 10, DAY, None)["holiday"].sum() == 0


def test_poisson_regression_finds_its_law_and_keeps_the_signs_it_is_told() -> None:
    rng = np.random.default_rng(2)
    columns = rng.normal(size=(4_000, 2))
    ratio = rng.poisson(np.exp(0.3 + 0.5 * columns[:, 0] - 0.4 * columns[:, 1])).astype(float)
    free = PoissonRidge(ridge=0.0).fit(columns, ratio, np.ones(4_000), np.array([True, False]))
    assert np.allclose(free.log_mean(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])), [0.3, 0.8, -0.1], atol=0.06)
    held = PoissonRidge(ridge=0.0).fit(columns, ratio, np.ones(4_000), np.array([False, True]))
    assert np.isclose(*held.log_mean(np.array([[0.0, 0.0], [0.0, 1.0]])))


def test_poisson_regression_is_where_its_loss_is_least_and_holds_columns_within_what_was_seen() -> None:
    rng = np.random.default_rng(4)
    columns = np.column_stack([rng.normal(3, 2, 600), rng.uniform(0, 0.4, 600), np.full(600, 7.0), rng.normal(size=600)])
    weight, ridge = rng.uniform(0.2, 2.0, 600), np.array([0.01, 0.2, 0.01, 0.05])
    ratio = rng.poisson(np.exp(-0.5 + 0.2 * columns[:, 0] + columns[:, 1] - 0.3 * columns[:, 3])).astype(float)
    model = PoissonRidge(ridge).fit(columns, ratio, weight, np.array([False, True, False, True]))
    center = np.average(columns, axis=0, weights=weight)
    spread = np.sqrt(np.average((columns - center) ** 2, axis=0, weights=weight))
    spread[2] = np.inf
    standard = (columns - center) / spread

    def loss(coefficients: np.ndarray) -> float:
        eta = coefficients[0] + standard @ coefficients[1:]
        return float(np.average(np.exp(eta) - ratio * eta, weights=weight) + np.sum(ridge * coefficients[1:] ** 2) / 2)

    found, step = model.coefficients_, 1e-4
    rises = [(loss(found + step * one) - loss(found - step * one)) / (2 * step) for one in np.eye(5)]
    assert rises[:3] == pytest.approx([0.0] * 3, abs=2e-4)
    # What may only raise and would lower is left out; of a column that never changes nothing is told.
    assert found[4] == 0.0 < rises[4]
    assert found[3] == pytest.approx(0.0, abs=1e-6)
    assert model.log_mean(columns) == pytest.approx(found[0] + standard @ found[1:], abs=1e-6)
    beyond = np.vstack([columns.max(axis=0) + 5, columns.min(axis=0) - 5])
    assert model.log_mean(beyond) == pytest.approx(model.log_mean(np.vstack([columns.max(axis=0), columns.min(axis=0)])))
    some = np.array([True, True, False, False])
    added = model.share_of(beyond, some)
    assert added == pytest.approx([(found[1:3] / spread[:2]) @ edge[:2] for edge in (columns.max(axis=0), columns.min(axis=0))])
    for part, most in ((1e9, 12.0), (1e-9, -12.0)):
        assert PoissonRidge().fit(columns, ratio * part, weight, some).log_mean(columns[:3]) == pytest.approx([most] * 3)
