"""What will be sold: beside what was, and with what planned promotions add."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from sales_tech.plots.canvas import note_sheet, open_sheet, quiet
from sales_tech.plots.frames import days, numbers, require
from sales_tech.plots.palette import BLUE, INK, LIGHT_BLUE, PALE, YELLOW
from sales_tech.plots.timeline import label_days
from sales_tech.plots.words import words

_HEIGHT, _HEIGHT_OF_TWO = 3.6, 4.6


def demand_fan(sold: pd.DataFrame, forecast: pd.DataFrame, *, title: str | None = None, language: str = "en") -> Figure:
    """Draw units sold by day, and behind them the units to be expected with the 80 % interval of a day.

    `sold`: sold_on, units; `forecast`: sold_on, units, units_low, units_high, one row per day, as gold.demand_forecast has them of a
    series. Intervals of several series do not add up, so the forecast is that of one. Raises ValueError for a missing column or an
    unknown language.
    """
    say = words(language)
    title = say["demand_fan"] if title is None else title
    require("demand_fan", sold, ("sold_on", "units"))
    require("demand_fan", forecast, ("sold_on", "units", "units_low", "units_high"))
    if forecast.empty:
        return note_sheet(title, say["no_forecast"])
    key = [(say["sold"], INK), (say["expected"], BLUE)]
    figure = open_sheet(title, height=_HEIGHT, key=key, note=say["band_of_days"])
    axes = figure.subplots()
    quiet(axes)
    past = pd.Series(numbers(sold["units"]).to_numpy(), index=pd.DatetimeIndex(days(sold["sold_on"]))).sort_index()
    ahead = pd.DataFrame({name: numbers(forecast[name]).to_numpy() for name in ("units", "units_low", "units_high")})
    ahead.index = pd.DatetimeIndex(days(forecast["sold_on"]))
    ahead = ahead.sort_index()
    axes.fill_between(ahead.index, ahead["units_low"], ahead["units_high"], color=LIGHT_BLUE, alpha=0.35, linewidth=0, label="interval")
    axes.plot(past.index, past, color=INK, linewidth=1.2, label="sold")
    axes.plot(ahead.index, ahead["units"], color=BLUE, linewidth=2, label="expected")
    first = past.index[0] if len(past) else ahead.index[0]
    axes.set_ylim(bottom=0)
    label_days(axes, first, ahead.index[-1], say["months"].split())
    return figure


def expected_uplift(forecast: pd.DataFrame, *, title: str | None = None, language: str = "en") -> Figure:
    """Draw the units of all days to come, and below, on a scale of its own, what planned promotions add and take of them.

    `forecast`: sold_on, units, uplift_units, cannibalised_units, pulled_forward_units, any number of rows per day, as in
    gold.demand_forecast. Raises ValueError for a missing column or an unknown language.
    """
    say = words(language)
    title = say["expected_uplift"] if title is None else title
    columns = ("units", "uplift_units", "cannibalised_units", "pulled_forward_units")
    require("expected_uplift", forecast, ("sold_on", *columns))
    if forecast.empty:
        return note_sheet(title, say["no_forecast"])
    key = [(say["expected"], BLUE), (say["added_by_promotions"], YELLOW), (say["lost_to_promotions"], LIGHT_BLUE)]
    figure = open_sheet(title, height=_HEIGHT_OF_TWO, key=key)
    above, below = figure.subplots(2, sharex=True, height_ratios=(3, 2))
    parts = pd.DataFrame({name: numbers(forecast[name]).to_numpy() for name in columns})
    by_day = parts.groupby(pd.DatetimeIndex(days(forecast["sold_on"]))).sum()
    lost = by_day["cannibalised_units"] + by_day["pulled_forward_units"]
    layers = (
        (above, "expected", by_day["units"], BLUE),
        (below, "uplift", by_day["uplift_units"], YELLOW),
        (below, "lost", -lost, LIGHT_BLUE),
    )
    for axes, label, heights, colour in layers:
        axes.bar(by_day.index, heights, width=1.0, color=colour, linewidth=0, label=label)
    for axes in (above, below):
        quiet(axes)
        axes.axhline(0, color=PALE, linewidth=0.8)
    below.yaxis.set_major_formatter(lambda value, _: f"{value:+g}" if value else "0")
    label_days(below, by_day.index[0], by_day.index[-1], say["months"].split())
    return figure
