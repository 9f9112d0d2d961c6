"""gold.calendar: days with the national holidays of Brazil and the dates that move its retail."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import pyarrow as pa

from sales_tech.retail_dates import next_black_friday, retail_dates

FIRST, LAST = date(2015, 1, 1), date(2035, 12, 31)
_DAY = timedelta(days=1)
_SATURDAY = 6


def calendar() -> pa.Table:
    """One row per day from FIRST to LAST, with the columns of gold.calendar.

    Holidays are the public ones of the whole country, from the `holidays` package in Portuguese.
    """
    national = holidays.country_holidays("BR", years=range(FIRST.year, LAST.year + 1), language="pt_BR")
    retail = {day: name for year in range(FIRST.year, LAST.year + 1) for day, name in retail_dates(year).items()}
    rows = []
    for offset in range((LAST - FIRST).days + 1):
        day = FIRST + offset * _DAY
        holiday = national.get(day)
        weekend = day.isoweekday() >= _SATURDAY
        rows.append(
            {
                "day": day,
                "year": day.year,
                "month": day.month,
                "iso_week": day.isocalendar().week,
                "weekday": day.isoweekday(),
                "is_weekend": weekend,
                "holiday": holiday,
                "is_business_day": not weekend and holiday is None,
                "retail_date": retail.get(day),
                "days_to_black_friday": (next_black_friday(day) - day).days,
            }
        )
    types = [pa.date32(), *[pa.int32()] * 4, pa.bool_(), pa.string(), pa.bool_(), pa.string(), pa.int32()]
    return pa.Table.from_pylist(rows, schema=pa.schema(list(zip(rows[0], types, strict=True))))
