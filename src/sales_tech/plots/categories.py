"""The mix of categories by month."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from sales_tech.plots.canvas import SMALL, note_sheet, open_sheet, quiet, write
from sales_tech.plots.frames import days, labels, numbers, require
from sales_tech.plots.numbers import share
from sales_tech.plots.palette import CATEGORIES, PALE, QUIET
from sales_tech.plots.timeline import label_months
from sales_tech.plots.words import words

_THIN = 0.01  # of the best month's sales; a mix of fewer tells nothing
_APART = 0.055  # share of the axes' height that a label takes


def category_mix(monthly: pd.DataFrame, *, title: str | None = None, language: str = "en", currency: str = "BRL") -> Figure:
    """Draw the share of each category in a month's net sales, the eight largest by name and the rest together.

    `monthly`: month (any day of it), category, net_sales (currency); several rows of a month and category are added.
    A category whose returns exceed its sales counts as zero in that month; a month with less than a hundredth of the
    best month's sales stays blank. Raises ValueError for a missing column, an unknown language, or amounts in another currency.
    """
    say = words(language)
    title = say["category_mix"] if title is None else title
    require("category_mix", monthly, ("month", "category", "net_sales"), currency)
    amounts = _by_month(monthly, say["no_category"])
    if amounts.empty:
        return note_sheet(title, say["no_sales"])
    if monthly["category"].isna().all():
        return note_sheet(title, say["no_categories"])
    thin = amounts.sum(axis=1) < _THIN * amounts.sum(axis=1).max()
    shares = _largest(amounts[~thin], say["others"])
    shares = shares.div(shares.sum(axis=1), axis=0).asfreq("MS", fill_value=0.0)

    figure = open_sheet(title, height=4.4, note=say["thin_months"] if thin.any() else "")
    axes = figure.subplots()
    quiet(axes)
    positions = np.arange(len(shares))
    bottom = np.zeros(len(shares))
    middles = []
    colours = [*CATEGORIES[: len(shares.columns)], PALE]
    for name, colour in zip(shares.columns, colours, strict=False):
        heights = shares[name].to_numpy()
        axes.bar(positions, heights, bottom=bottom, width=0.86, color=colour, edgecolor="white", linewidth=0.6, label=name)
        middles.append(float(bottom[-1] + heights[-1] / 2))
        bottom = bottom + heights
    end = positions[-1] + 0.43
    out = 0.03 * len(shares)
    for name, colour, middle, y in zip(shares.columns, colours, middles, spread(middles, _APART), strict=False):
        axes.plot([end, end + out, end + 2 * out], [middle, y, y], color=colour, linewidth=2.5, clip_on=False)
        write(
            axes,
            end + 2 * out,
            y,
            f"  {share(float(shares[name].iloc[-1]), language)}  {name.replace('_', ' ')}",
            size=SMALL,
            in_layout=True,
        )
    months = say["months"].split()
    write(axes, end + 2 * out, 1.02, f"  {months[shares.index[-1].month - 1]} {shares.index[-1].year}", QUIET, size=SMALL, in_layout=True)
    axes.set(xlim=(-0.6, end), ylim=(0, 1))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    label_months(axes, pd.DatetimeIndex(shares.index), months)
    return figure


def spread(heights: list[float], apart: float) -> list[float]:
    """Move the rising `heights` up or down so that they are `apart` and between 0 and 1."""
    moved: list[float] = []
    for height in heights:
        moved.append(max(height, moved[-1] + apart if moved else apart / 2))
    ceiling = 1 - apart / 2
    for index in range(len(moved) - 1, -1, -1):
        moved[index] = min(moved[index], ceiling)
        ceiling = moved[index] - apart
    return moved


def _by_month(monthly: pd.DataFrame, no_category: str) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "month": days(monthly["month"]).dt.to_period("M").dt.to_timestamp(),
            "category": labels(monthly["category"], no_category),
            "net_sales": numbers(monthly["net_sales"]),
        }
    )
    amounts = rows.pivot_table(index="month", columns="category", values="net_sales", aggfunc="sum", fill_value=0.0).clip(lower=0.0)
    return amounts.loc[amounts.sum(axis=1) > 0, amounts.sum() > 0]


def _largest(amounts: pd.DataFrame, others: str) -> pd.DataFrame:
    """Keep the columns of the largest categories by size, and add up the others where there are any."""
    order = amounts.sum().sort_values(ascending=False, kind="stable").index
    named, rest = order[: len(CATEGORIES)], order[len(CATEGORIES) :]
    largest = amounts[named]
    return largest if rest.empty else largest.assign(**{others.format(count=len(rest)): amounts[rest].sum(axis=1)})
