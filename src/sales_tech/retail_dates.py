"""The dates that move Brazilian retail, by rules that hold in every year."""

from __future__ import annotations

from datetime import date, timedelta

_DAY = timedelta(days=1)


def retail_dates(year: int) -> dict[date, str]:
    """The retail dates of a year, by day."""
    friday = black_friday(year)
    return {
        date(year, 1, 15): "Volta às Aulas",
        date(year, 3, 15): "Dia do Consumidor",
        nth_weekday(year, 5, 7, 2): "Dia das Mães",
        date(year, 6, 12): "Dia dos Namorados",
        nth_weekday(year, 8, 7, 2): "Dia dos Pais",
        date(year, 10, 12): "Dia das Crianças",
        friday: "Black Friday",
        friday + 3 * _DAY: "Cyber Monday",
        date(year, 12, 25): "Natal",
    }


def black_friday(year: int) -> date:
    """The day after the fourth Thursday of November."""
    return nth_weekday(year, 11, 4, 4) + _DAY


def next_black_friday(day: date) -> date:
    """The first Black Friday that is not before a day."""
    friday = black_friday(day.year)
    return friday if friday >= day else black_friday(day.year + 1)


def nth_weekday(year: int, month: int, isoweekday: int, n: int) -> date:
    """The n-th such weekday (1 is Monday) of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(isoweekday - first.isoweekday()) % 7 + 7 * (n - 1))
