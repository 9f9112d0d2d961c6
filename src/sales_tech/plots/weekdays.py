"""Sales by weekday and month."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from sales_tech.plots.canvas import NORMAL, SMALL, WIDTH, note_sheet, open_sheet, quiet, write
from sales_tech.plots.frames import require, sales_by_day
from sales_tech.plots.numbers import in_unit, unit_name, unit_power
from sales_tech.plots.palette import BLUE, INK, QUIET
from sales_tech.plots.timeline import label_months
from sales_tech.plots.words import words

_PER_DIGIT = 0.62 * SMALL / 72  # inches a figure takes, about
_FEWEST = 6  # columns there is room for, so that a single month is no wide bar
_BLUES = LinearSegmentedColormap.from_list("blues", ["#eef3f8", "#9db7d3", BLUE])


def weekday_by_month(daily: pd.DataFrame, *, title: str | None = None, language: str = "en", currency: str = "BRL") -> Figure:
    """Draw the mean net sales of the Mondays to Sundays of each month; a day without a row counts as 0.

    `daily`: sold_on (day), net_sales (currency), as in gold.kpis_daily. Cells without a day stay empty; their figures
    are left out where they would not fit. Raises ValueError for a missing column, an unknown language, or amounts in
    another currency.
    """
    say = words(language)
    title = say["weekday_by_month"] if title is None else title
    require("weekday_by_month", daily, ("sold_on", "net_sales"), currency)
    sales = sales_by_day(daily)
    if sales.empty:
        return note_sheet(title, say["no_sales"])
    means = weekday_means(sales)
    power = unit_power(float(np.nanmedian(means.to_numpy())))

    figure = open_sheet(title, height=3.2, key=[(say["in_unit"].format(unit=unit_name(currency, power)), QUIET)])
    axes = figure.subplots()
    quiet(axes, grid="")
    axes.pcolormesh(np.arange(-0.5, means.shape[1]), np.arange(8), means.to_numpy(), cmap=_BLUES, edgecolors="white", linewidth=1.5)
    axes.set(xlim=(-0.5, max(means.shape[1], _FEWEST) - 0.5), ylim=(7, 0))
    axes.set_yticks(np.arange(7) + 0.5, say["weekdays"].split())
    axes.tick_params(axis="y", labelsize=NORMAL)
    label_months(axes, pd.DatetimeIndex(means.columns), say["months"].split())
    _write_figures(axes, means, currency, power)
    return figure


def _write_figures(axes: Axes, means: pd.DataFrame, currency: str, power: int) -> None:
    values = means.to_numpy()
    texts = {(row, column): in_unit(values[row, column], currency, power) for row, column in np.argwhere(~np.isnan(values))}
    cell = (WIDTH - 0.8) / max(means.shape[1], _FEWEST)
    if max(map(len, texts.values())) * _PER_DIGIT > cell:
        return
    dark = np.nanmin(values) + 0.68 * np.ptp(values[~np.isnan(values)])
    for (row, column), text in texts.items():
        write(axes, column, row + 0.5, text, "white" if values[row, column] > dark else INK, size=SMALL, ha="center")


def weekday_means(sales: pd.Series) -> pd.DataFrame:
    """Average by weekday (0 is Monday) and first day of the month, of a series of all days."""
    days = pd.DatetimeIndex(sales.index)
    cells = sales.groupby([days.day_of_week, days.to_period("M").to_timestamp()]).mean()
    return cells.unstack().reindex(range(7))
