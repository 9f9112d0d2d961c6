"""How earlier forecasts did, by their age."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sales_tech.plots.canvas import SMALL, note_sheet, open_sheet, quiet
from sales_tech.plots.frames import numbers, require
from sales_tech.plots.palette import BLUE, INK, QUIET, ROSE
from sales_tech.plots.words import words


def accuracy_by_age(accuracy: pd.DataFrame, *, title: str | None = None, language: str = "en") -> Figure:
    """Draw WAPE and bias of earlier forecasts over all categories, by their age in weeks.

    `accuracy`: age_weeks, units, forecast_units, wape, as in gold.forecast_accuracy. Raises ValueError for a missing column or an
    unknown language.
    """
    say = words(language)
    title = say["accuracy_by_age"] if title is None else title
    require("accuracy_by_age", accuracy, ("age_weeks", "units", "forecast_units", "wape"))
    rows = pd.DataFrame({name: numbers(accuracy[name]) for name in ("age_weeks", "units", "forecast_units", "wape")})
    rows["error"] = rows["wape"] * rows["units"]
    by_age = rows.groupby("age_weeks")[["units", "forecast_units", "error"]].sum()
    by_age = by_age[by_age["units"] > 0]
    if by_age.empty:
        return note_sheet(title, say["no_accuracy"])
    figure = open_sheet(title, height=3.2, key=[(say["wape"], BLUE), (say["bias"], ROSE)])
    axes = figure.subplots()
    quiet(axes)
    axes.plot(by_age.index, by_age["error"] / by_age["units"], color=BLUE, linewidth=2, marker="o", label="wape")
    axes.plot(by_age.index, by_age["forecast_units"] / by_age["units"] - 1, color=ROSE, linewidth=2, marker="o", label="bias")
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda part, _: f"{100 * part:.0f}%".replace("-", "−")))
    axes.set_xlabel(say["week"], color=QUIET, fontsize=SMALL)
    return figure
