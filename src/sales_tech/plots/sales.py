"""Net sales over time."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sales_tech.plots.canvas import SMALL, note_sheet, open_sheet, quiet, return_lanes
from sales_tech.plots.frames import require, sales_by_day
from sales_tech.plots.numbers import money
from sales_tech.plots.palette import BLUE, INK, LIGHT_BLUE, YELLOW
from sales_tech.plots.spans import LANES, LONGEST, MANY, SHORT, label_spans, promotion_spans
from sales_tech.plots.timeline import day_text, label_days, place
from sales_tech.plots.words import words

_WEEK = 7


def sales_over_time(
    daily: pd.DataFrame,
    promotions: pd.DataFrame | None = None,
    *,
    title: str | None = None,
    language: str = "en",
    currency: str = "BRL",
) -> Figure:
    """Draw the net sales of each day, their mean over the last seven days, and the promotions behind them.

    `daily`: sold_on (day), net_sales (currency), as in gold.kpis_daily. `promotions`: name, starts_on, ends_on (days),
    as in silver.promotions. Days without a row count as 0, so the mean is over seven days of the calendar.
    Raises ValueError for a missing column, an unknown language, or amounts in another currency.
    """
    say = words(language)
    title = say["sales_over_time"] if title is None else title
    require("sales_over_time", daily, ("sold_on", "net_sales"), currency)
    if promotions is not None:
        require("sales_over_time", promotions, ("name", "starts_on", "ends_on"))
    sales = sales_by_day(daily)
    if sales.empty:
        return note_sheet(title, say["no_sales"])
    first, last = sales.index[0], sales.index[-1]
    every = [] if promotions is None else promotion_spans(promotions, say["promotion"])
    meeting = [span for span in every if span.first <= last and span.last >= first]
    unshaded = sorted({span.name for span in meeting if span.days > LONGEST})
    spans = [replace(span, first=max(span.first, first), last=min(span.last, last)) for span in meeting if span.days <= LONGEST]

    key = [(say["mean_of_7_days"], BLUE), (say["daily"], LIGHT_BLUE)] + ([(say["promotion"], YELLOW)] if spans else [])
    named = [span for span in spans if span.days > SHORT] if len(spans) > MANY else spans
    notes = [say["short"].format(days=SHORT)] if len(named) < len(spans) else []
    notes += [say["always_on"].format(days=LONGEST, names=", ".join(unshaded))] if unshaded else []
    figure = open_sheet(title, height=4.8 if named else 4.2, key=key, lanes=LANES if named else 0, note="  ·  ".join(notes))
    axes = figure.subplots()
    quiet(axes)
    for span in spans:
        axes.axvspan(place(span.first) - 0.5, place(span.last) + 0.5, color=YELLOW, alpha=0.25, linewidth=0, zorder=0.5)
    days = [place(day) for day in sales.index]
    single = len(sales) == 1
    axes.plot(days, sales.to_numpy(), color=LIGHT_BLUE, linewidth=0.8, marker="o" if single else "", label="daily")
    axes.plot(days, sales.rolling(_WEEK).mean().to_numpy(), color=BLUE, linewidth=2.2, label="mean_of_7_days")
    margin = max(1, len(sales) // 60)
    axes.set_xlim(place(first) - margin, place(last) + margin)
    axes.set_ylim(bottom=min(0.0, float(sales.min()) * 1.05), top=max(float(sales.max()) * 1.08, 1.0))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda amount, _: money(amount, currency)))
    months = say["months"].split()
    label_days(axes, first, last, months)
    _name_peak(axes, sales, months, currency)
    figure.draw_without_rendering()
    if named:
        return_lanes(figure, LANES - label_spans(axes, named))
    return figure


def _name_peak(axes: Axes, sales: pd.Series, months: list[str], currency: str) -> None:
    day = pd.Timestamp(str(sales.idxmax()))
    amount = float(sales.max())
    on_left = day < sales.index[len(sales) // 2]
    axes.plot([place(day)], [amount], marker="o", markersize=4, color=BLUE, label="peak")
    axes.annotate(
        f"{day_text(day, months)}: {money(amount, currency)}",
        (place(day), amount),
        xytext=(7 if on_left else -7, 0),
        textcoords="offset points",
        ha="left" if on_left else "right",
        va="center",
        fontsize=SMALL,
        color=INK,
        parse_math=False,
    )
