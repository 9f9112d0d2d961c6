"""Whether a model can be believed, and what it goes by."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from sales_tech.plots.canvas import SMALL, note_sheet, open_sheet, quiet, write
from sales_tech.plots.frames import numbers, require
from sales_tech.plots.palette import BLUE, LIGHT_BLUE, QUIET, ROSE
from sales_tech.plots.words import words


def calibration(bins: pd.DataFrame, *, title: str | None = None, language: str = "en") -> Figure:
    """Draw what came true over what was forecast, by tenths of the forecast; on the line both are the same.

    `bins`: forecast and actual, units per row, 0 or more. Raises ValueError for a missing column or an unknown language.
    """
    say = words(language)
    title = say["calibration"] if title is None else title
    require("calibration", bins, ("forecast", "actual"))
    rows = pd.DataFrame({name: numbers(bins[name]) for name in ("forecast", "actual")})
    if rows.empty:
        return note_sheet(title, say["no_trial"])
    figure = open_sheet(title, height=4.2, key=[(say["a_tenth"], BLUE), (say["as_forecast"], ROSE)])
    axes = figure.subplots()
    quiet(axes)
    # Tenths of the forecast lie close together at its lower end; the root keeps zero, which a logarithm has not.
    most = float(rows.max().max()) * 1.05 or 1.0
    for scale in (axes.set_xscale, axes.set_yscale):
        scale("function", functions=(lambda units: abs(units) ** 0.5, lambda root: root**2))
    axes.plot([0, most], [0, most], color=ROSE, linewidth=1, label="as forecast")
    axes.plot(rows["forecast"], rows["actual"], color=BLUE, marker="o", linestyle="none", label="tenths")
    axes.set_xlim(0, most)
    axes.set_ylim(0, most)
    axes.set_xlabel(say["units_forecast"], color=QUIET, fontsize=SMALL)
    axes.set_ylabel(say["units_sold"], color=QUIET, fontsize=SMALL)
    return figure


def feature_importance(importance: pd.DataFrame, *, title: str | None = None, language: str = "en", most: int = 12) -> Figure:
    """Draw by how many points of WAPE the error grows where a feature is shuffled, the one that matters most on top.

    `importance`: feature and wape_lost, a share. Raises ValueError for a missing column or an unknown language.
    """
    say = words(language)
    title = say["feature_importance"] if title is None else title
    require("feature_importance", importance, ("feature", "wape_lost"))
    rows = importance.assign(points=100 * numbers(importance["wape_lost"])).nlargest(most, "points")[::-1]
    if rows.empty:
        return note_sheet(title, say["no_trial"])
    figure = open_sheet(title, height=1.2 + 0.27 * len(rows), note=say["points_of_error"])
    axes = figure.subplots()
    quiet(axes, grid="x")
    axes.barh(rows["feature"].astype(str), rows["points"], color=LIGHT_BLUE, height=0.6)
    for place, points in enumerate(rows["points"]):
        write(axes, max(points, 0), place, f" {points:+.1f}".replace("-", "−"), size=SMALL)
    axes.margins(x=0.12)
    return figure
