"""What will be sold: beside what was, and with what planned promotions add."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from sales_tech.plots.canvas import note_sheet, open_sheet, quiet
from sales_tech.plots.frames import days, numbers, require
from sales_tech.plots.palette import BLUE, INK, LIGHT_BLUE, PALE, YELLOW
from sales_tech.plots.timeline import label_days
from sales_tech.plots.words import words

_HEIGHT = 3.6


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
    """Draw the baseline of all days to come, of it what planned promotions take, and on top of it what they add.

    `forecast`: sold_on, baseline_units, uplift_units, cannibalised_units, pulled_forward_units, any number of rows per day, as in
    gold.demand_forecast. Raises ValueError for a missing column or an unknown language.
    """
    say = words(language)
    title = say["expected_uplift"] if title is None else title
    columns = ("baseline_units", "uplift_units", "cannibalised_units", "pulled_forward_units")
    require("expected_uplift", forecast, ("sold_on", *columns))
    if forecast.empty:
        return note_sheet(title, say["no_forecast"])
    key = [(say["baseline"], BLUE), (say["units_lost"], LIGHT_BLUE), (say["units_added"], YELLOW)]
    figure = open_sheet(title, height=_HEIGHT, key=key)
    axes = figure.subplots()
    quiet(axes)
    parts = pd.DataFrame({name: numbers(forecast[name]).to_numpy() for name in columns})
    by_day = parts.groupby(pd.DatetimeIndex(days(forecast["sold_on"]))).sum()
    usual = by_day["baseline_units"]
    left = usual - by_day["cannibalised_units"] - by_day["pulled_forward_units"]
    layers = (("baseline", 0, left, BLUE), ("lost", left, usual, LIGHT_BLUE), ("uplift", usual, usual + by_day["uplift_units"], YELLOW))
    for label, low, high, colour in layers:
        axes.fill_between(by_day.index, low, high, step="mid", color=colour, linewidth=0, label=label)
    axes.axhline(0, color=PALE, linewidth=0.8)
    label_days(axes, by_day.index[0], by_day.index[-1], say["months"].split())
    return figure
