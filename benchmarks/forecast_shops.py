"""Panels of shapes that the twin does not have: whole stores by day, departments by week, items that rarely sell by day."""

from __future__ import annotations

import numpy as np
import pandas as pd

Table = np.ndarray


def stores_frame(seed: int, stores: int = 80, days: int = 700) -> pd.DataFrame:
    """Sales of whole stores by day: most shut on Sundays, a promotion for all every other week, school holidays, roadworks."""
    rng = np.random.default_rng((seed, 3))
    dates = pd.date_range("2024-01-01", periods=days)
    at, weekday = np.arange(days), dates.day_of_week.to_numpy()
    kind, assortment = rng.choice(list("abcd"), stores, p=[0.5, 0.05, 0.2, 0.25]), rng.choice(list("ABC"), stores)
    level = rng.lognormal(8.5, 0.35, (stores, 1))
    week = np.exp(rng.normal([0.15, 0.0, -0.05, -0.02, 0.05, -0.15, -0.3], 0.08, (stores, 7)))[:, weekday]
    promo = ((weekday < 5) & ((at // 7 + rng.integers(0, 2)) % 2 == 0)).astype(float)
    lift = rng.normal(0.3, 0.1, (stores, 1)) + np.where(weekday == 0, 0.15, 0.0)
    month = 1 + 0.08 * (dates.day.to_numpy() <= 3) + 0.06 * (dates.day.to_numpy() >= 28)
    december = 1 + rng.gamma(4, 0.08, (stores, 1)) * np.exp(-0.5 * ((dates.day_of_year.to_numpy() - 352) / 8.0) ** 2)
    school = ((dates.month == 7) | ((dates.month == 1) & (dates.day < 25))).astype(float)
    shut_sundays = rng.random((stores, 1)) < 0.9
    closed = (shut_sundays & (weekday == 6)) | ((dates.month == 12) & (dates.day == 25)) | (rng.random((stores, days)) < 0.002)
    drift = _wander(rng, stores, days, 0.985, 0.012) + rng.normal(0, 0.08, (stores, 1)) * at / 365
    rival = np.where(at >= rng.integers(100, 4 * days, (stores, 1)), rng.normal(-0.15, 0.1, (stores, 1)), 0.0)
    mean = level * week * np.exp(lift * promo + drift + rival + 0.04 * school) * month * december * ~closed
    units = np.round(mean * np.exp(rng.normal(0, 0.1, mean.shape)))
    plan = {
        "promo": np.broadcast_to(promo, mean.shape),
        "open": 1.0 - closed,
        "school_holiday": np.broadcast_to(school, mean.shape),
    }
    return _frame(
        dates, units, mean, {name: table.astype(np.int64) for name, table in plan.items()}, {"type": kind, "assortment": assortment}
    )


def departments_frame(seed: int, stores: int = 10, departments: int = 14, weeks: int = 130) -> pd.DataFrame:
    """Sales of departments by week: seasons of their own, trends that turn, markdowns in some weeks and a flag of holidays."""
    rng = np.random.default_rng((seed, 4))
    series = stores * departments
    dates = pd.date_range("2023-01-02", periods=weeks, freq="7D")
    at = np.arange(weeks)
    of = np.tile(np.arange(departments), stores)
    angle = 2 * np.pi * at / 52.18
    season = (rng.normal(0, 0.2, (departments, 1)) * np.sin(angle) + rng.normal(0, 0.2, (departments, 1)) * np.cos(angle))[of]
    peak = (rng.gamma(1.0, 0.35, (departments, 1)) * np.exp(-0.5 * (((at - 50) % 52.18) / 1.2) ** 2))[of]
    slopes = np.repeat(rng.normal(0, 0.004, (series, -(-weeks // 26))) * (rng.random((series, -(-weeks // 26))) < 0.5), 26, axis=1)[
        :, :weeks
    ]
    drift = np.cumsum(slopes, axis=1) + _wander(rng, series, weeks, 0.95, 0.025)
    holiday = np.isin(dates.isocalendar().week.to_numpy(), (6, 36, 47, 52)).astype(float)
    fond = rng.normal(0.1, 0.1, (departments, 1))[of]
    markdown = np.where(rng.random((stores, weeks)) < 0.2, rng.gamma(2.0, 2_000.0, (stores, weeks)), 0.0).round(2)
    markdown = np.repeat(markdown, departments, axis=0)
    answer = rng.gamma(2.0, 0.02, (departments, 1))[of]
    mean = rng.lognormal(8.0, 1.2, (series, 1)) * np.exp(season + peak + drift + fond * holiday + answer * np.log1p(markdown / 1_000))
    units = np.round(mean * np.exp(rng.normal(0, 0.08 + 0.15 * rng.random((series, 1)), mean.shape)))
    plan = {"is_holiday": np.broadcast_to(holiday, mean.shape).astype(bool), "markdown": markdown}
    static = {
        "store": [f"s{store:02d}" for store in np.repeat(np.arange(stores), departments)],
        "department": [f"d{one:02d}" for one in of],
    }
    return _frame(dates, units, mean, plan, static)


def items_frame(seed: int, items: int = 60, stores: int = 2, days: int = 600) -> pd.DataFrame:
    """Items that sell one or none a day, by store: prices that change, benefit days of poor families, launches, empty shelves."""
    rng = np.random.default_rng((seed, 5))
    series = items * stores
    dates = pd.date_range("2024-01-01", periods=days)
    at, weekday, of = np.arange(days), dates.day_of_week.to_numpy(), np.repeat(np.arange(items), stores)
    category = rng.choice(["food", "home", "hobby"], items, p=[0.5, 0.3, 0.2])
    level = np.repeat(rng.lognormal(-0.3, 1.0, (items, 1)), stores, axis=0) * rng.lognormal(0, 0.3, (series, 1))
    price = np.repeat(rng.uniform(1, 20, (items, 1)).round(2), days, axis=1)
    for item in range(items):
        for day in np.flatnonzero(rng.random(days) < 0.004):
            price[item, day:] = (price[item, day:] * rng.uniform(0.92, 1.1)).round(2)
        for day in np.flatnonzero(rng.random(days) < 0.006):
            price[item, day : day + 14] = (price[item, day] * rng.choice([0.7, 0.8, 0.9])).round(2)
    usual = price[:, :1]
    elastic = rng.normal(1.6, 0.7, (items, 1)).clip(0, 3.5)
    benefit = (dates.day.to_numpy() <= 10).astype(float)
    week = np.exp(rng.normal([0, -0.1, -0.1, -0.05, 0.1, 0.25, 0.2], 0.05, (3, 7)))[
        [["food", "home", "hobby"].index(one) for one in category]
    ]
    own = week[:, weekday] * np.exp(-elastic * np.log(price / usual) + 0.15 * benefit * (category == "food")[:, None])
    launch = np.where(rng.random((items, 1)) < 0.2, rng.integers(60, days - 120, (items, 1)), 0)
    mean = level * own[of] * np.exp(_wander(rng, series, days, 0.99, 0.04) + rng.normal(0, 0.3, (series, 1)) * at / 365)
    out = np.zeros(mean.shape, dtype=bool)
    for one in range(series):
        for day in np.flatnonzero(rng.random(days) < 0.004):
            out[one, day : day + int(rng.integers(3, 20))] = True
    mean = np.where(out, 0.0, mean)
    units = rng.negative_binomial(1.5, 1.5 / (1.5 + mean)).astype(float)
    plan = {"sell_price": price[of], "snap": np.broadcast_to(benefit, mean.shape).astype(np.int64)}
    store = np.tile(np.arange(stores), items)
    static = {"item": [f"i{one:03d}" for one in of], "store": [f"s{one}" for one in store], "category": category[of]}
    frame = _frame(dates, units, mean, plan, static)
    return frame[np.tile(at, series) >= launch[of].repeat(days)].reset_index(drop=True)


def _wander(rng: np.random.Generator, series: int, periods: int, keep: float, size: float) -> Table:
    told = np.zeros((series, periods))
    for period in range(1, periods):
        told[:, period] = keep * told[:, period - 1] + rng.normal(0, size, series)
    return told


def _frame(dates: pd.DatetimeIndex, units: Table, expected: Table, plan: dict[str, Table], static: dict[str, object]) -> pd.DataFrame:
    series, periods = units.shape
    told = {"series": np.repeat([f"S{number:03d}" for number in range(1, series + 1)], periods), "date": np.tile(dates, series)}
    told |= {name: np.repeat(np.asarray(values, dtype=object), periods) for name, values in static.items()}
    told |= {name: np.asarray(table).reshape(-1) for name, table in plan.items()}
    return pd.DataFrame(told | {"units": units.reshape(-1), "expected": np.asarray(expected, dtype=np.float64).reshape(-1)})
