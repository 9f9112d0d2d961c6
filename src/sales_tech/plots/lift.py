"""What was sold in and around one promotion, beside what would have been sold without it."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sales_tech.plots.canvas import note_sheet, open_sheet, quiet
from sales_tech.plots.evidence import HATCH, THIN
from sales_tech.plots.frames import days, numbers, require
from sales_tech.plots.numbers import count
from sales_tech.plots.palette import BLUE, LIGHT_BLUE, PALE, QUIET, YELLOW
from sales_tech.plots.timeline import label_days, place
from sales_tech.plots.words import words

_UNITS = ("actual_units", "baseline_units", "baseline_low", "baseline_high")


def baseline_and_actual(daily: pd.DataFrame, *, evidence: str = "fair", title: str | None = None, language: str = "en") -> Figure:
    """Draw the units of one promotion day by day, the baseline with its band, and between the two what was added.

    `daily`: sku, sold_on, phase, actual_units, baseline_units, baseline_low, baseline_high, the rows of one promotion in
    gold.promotion_daily; those of several SKUs are added. `evidence` as in gold.promotion_results: thin evidence is
    hatched and said at the foot. Raises ValueError for a missing column or an unknown language.
    """
    say = words(language)
    title = say["baseline_and_actual"] if title is None else title
    require("baseline_and_actual", daily, ("sku", "sold_on", "phase", *_UNITS))
    if daily.empty:
        return note_sheet(title, say["no_promotions"])
    rows = units_by_day(daily)
    promoted = days(daily.loc[daily["phase"] == "during", "sold_on"])
    hatched = evidence in THIN

    key = [(say["sold"], BLUE), (say["baseline_band"], QUIET), (say["units_added"], LIGHT_BLUE), (say["promotion"], YELLOW)]
    notes = [say["is_thin"].capitalize()] if hatched else []
    notes.append(say["band_of_expected_units"])
    figure = open_sheet(title, height=4.2, key=key, note="  ·  ".join(notes))
    axes = figure.subplots()
    quiet(axes)
    places = [place(day) for day in rows.index]
    if len(promoted):
        axes.axvspan(place(promoted.min()) - 0.5, place(promoted.max()) + 0.5, color=YELLOW, alpha=0.2, linewidth=0, zorder=0.3)
        _added(axes, rows.loc[promoted.min() : promoted.max()])
    band: dict[str, Any] = {"facecolor": "none", "edgecolor": PALE, "hatch": HATCH} if hatched else {"color": PALE, "alpha": 0.7}
    axes.fill_between(places, rows["baseline_low"], rows["baseline_high"], linewidth=0, zorder=0.6, label="band", **band)
    axes.plot(places, rows["baseline_units"], color=QUIET, linewidth=1.6, linestyle=(0, (4, 2)), label="baseline_units")
    axes.plot(places, rows["actual_units"], color=BLUE, linewidth=1.8, marker="o", markersize=2.5, label="actual_units")
    axes.set_xlim(places[0] - 0.8, places[-1] + 0.8)
    axes.set_ylim(bottom=min(0.0, float(rows.min().min())), top=max(1.0, float(rows.max().max()) * 1.08))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: count(number, language)))
    label_days(axes, rows.index[0], rows.index[-1], say["months"].split())
    return figure


def units_by_day(daily: pd.DataFrame) -> pd.DataFrame:
    """Add the units of all SKUs of a promotion, one row per day; a day without rows is left out of the lines."""
    rows = pd.DataFrame({name: numbers(daily[name]) for name in _UNITS}).set_axis(pd.DatetimeIndex(days(daily["sold_on"])))
    return rows.groupby(level=0).sum(min_count=1).asfreq("D")


def _added(axes: Axes, rows: pd.DataFrame) -> None:
    places = [place(day) for day in rows.index]
    axes.fill_between(
        places, rows["baseline_units"], rows["actual_units"], color=LIGHT_BLUE, alpha=0.55, linewidth=0, zorder=0.8, label="added"
    )
