"""What a day of the Brazilian calendar is worth to a technology shop, before all else."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import numpy as np

from sales_tech.twin.assortment import CATEGORIES
from sales_tech.twin.history import Floats, History, Ints

WEEKDAYS = {"loja": (0.85, 0.85, 0.92, 1.0, 1.2, 1.5, 0.62), "online": (1.12, 1.06, 1.02, 1.0, 0.95, 0.9, 0.95)}
MONTHS = (0.96, 0.9, 0.98, 0.95, 1.04, 0.99, 0.96, 1.0, 0.94, 1.0, 1.16, 1.24)
HOLIDAY = {"loja": 0.72, "online": 1.06}
SHOPS_CLOSED = ((1, 1), (12, 25))
GIFTS = frozenset({"Smartphones", "Tablets", "Wearables", "Áudio", "Cadeiras"})
SCHOOL = frozenset({"Notebooks", "Tablets", "Impressoras", "Mouses", "Teclados"})


def nth_weekday(year: int, month: int, weekday: int, n: int) -> date:
    """The n-th such weekday (0 is Monday) of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def black_friday(year: int) -> date:
    """The day after the fourth Thursday of November."""
    return nth_weekday(year, 11, 3, 4) + timedelta(days=1)


def seasons_of(year: int) -> list[tuple[str, date, date, float, frozenset[str]]]:
    """Name, first and last day, factor of demand at its end and categories (none: all) of the retail year's seasons."""
    mothers, fathers, friday = nth_weekday(year, 5, 6, 2), nth_weekday(year, 8, 6, 2), black_friday(year)
    consumer = date(year, 3, 15)
    return [
        ("Volta às Aulas", date(year, 1, 12), date(year, 2, 5), 1.35, SCHOOL),
        ("Semana do Consumidor", consumer - timedelta(days=3), consumer + timedelta(days=2), 1.25, frozenset()),
        ("Dia das Mães", mothers - timedelta(days=10), mothers, 1.5, GIFTS),
        ("Dia dos Namorados", date(year, 6, 4), date(year, 6, 12), 1.3, GIFTS),
        ("Dia dos Pais", fathers - timedelta(days=8), fathers, 1.3, frozenset()),
        ("Dia das Crianças", date(year, 10, 4), date(year, 10, 12), 1.25, GIFTS),
        ("Black Friday", friday - timedelta(days=4), friday + timedelta(days=3), 1.9, frozenset()),
        ("Natal", date(year, 12, 8), date(year, 12, 24), 1.55, frozenset()),
    ]


def day_factors(history: History) -> Floats:
    """Factor of demand by category, channel and day; zero where shops are closed."""
    days = history.days
    weekday = (days.astype(np.int64) + 3) % 7
    month = days.astype("datetime64[M]").astype(np.int64) % 12
    of_month = (days - days.astype("datetime64[M]")).astype(np.int64) + 1
    # Salaries are due by the fifth working day, with an advance around the 20th.
    payday = np.select([(of_month >= 5) & (of_month <= 9), of_month == 20, of_month >= 27], [1.15, 1.08, 0.92], 1.0)
    common = np.array(MONTHS)[month] * payday
    factors: Floats = np.ones((len(CATEGORIES), 2, len(days))) * common
    years = range(history.first.year, history.last.year + 2)
    national = holidays.country_holidays("BR", years=years)
    holiday = np.array([day in national for day in days.tolist()])
    closed = np.zeros(len(days), dtype=bool)
    for closed_month, closed_day in SHOPS_CLOSED:
        closed |= (month == closed_month - 1) & (of_month == closed_day)
    for row, channel in enumerate(("loja", "online")):
        factors[:, row] *= np.array(WEEKDAYS[channel])[weekday] * np.where(holiday, HOLIDAY[channel], 1.0)
    factors[:, 0] *= np.where(closed, 0.0, 1.0)
    for year in years:
        for _, first, last, peak, categories in seasons_of(year):
            ramp = _ramp(history, first, last, peak)
            rows = [row for row, category in enumerate(CATEGORIES) if not categories or category.name in categories]
            factors[rows] *= ramp
    return factors


def _ramp(history: History, first: date, last: date, peak: float) -> Floats:
    at: Ints = np.arange(len(history.days)) - history.position(first)
    length = (last - first).days + 1
    inside = (at >= 0) & (at < length)
    shape = np.sin(np.pi * np.clip((at + 1) / (length + 2), 0, 1)) ** 0.7
    ramp: Floats = np.where(inside, 1 + (peak - 1) * shape, 1.0)
    return ramp
