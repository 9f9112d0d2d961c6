"""The sheet all pictures are drawn on: title, coloured key, quiet axes, and the note where there is nothing to draw."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.text import Text

from sales_tech.plots.palette import GRID, INK, PALE, QUIET, READABLE

WIDTH = 9.0  # inches; 900 pixels at DPI
DPI = 100
SMALL, NORMAL, LARGE = 8.0, 9.0, 13.0  # points
LINE = 0.24  # inches taken by a line of key, labels or note
_TITLE = 0.42
_MARGIN = 0.12


def open_sheet(title: str, *, height: float, key: Sequence[tuple[str, str]] = (), lanes: int = 0, note: str = "") -> Figure:
    """Open a figure with its title, below it the key as (text, colour), and room for axes.

    `height` is in inches; `lanes` lines stay free between key and axes; `note` stands at the foot.
    """
    # A figure made by pyplot is shown by Jupyter as the value of a cell, which a bare Figure is not;
    # closed at once it is shown only there, and nothing of it stays in pyplot.
    figure = plt.figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
    plt.close(figure)
    foot = LINE if note else 0
    room = height - _TITLE - (LINE if key else 0) - lanes * LINE - foot
    figure.set_layout_engine("constrained", rect=(0.0, foot / height, 1.0, room / height), w_pad=_MARGIN, h_pad=_MARGIN / 2)
    left = _MARGIN / WIDTH
    write(figure, left, 1 - _MARGIN / height, title, size=LARGE, weight="bold", va="top")
    for text, colour in key:
        drawn = write(figure, left, 1 - _TITLE / height, text, colour, va="top", weight="bold")
        left += (drawn.get_window_extent().width / DPI + 0.2) / WIDTH
    if note:
        write(figure, _MARGIN / WIDTH, _MARGIN / 2 / height, note, QUIET, size=SMALL, va="bottom")
    return figure


def return_lanes(figure: Figure, lanes: int) -> None:
    """Give lines that were kept free back to the axes."""
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    left, bottom, width, height = engine.get()["rect"]
    engine.set(rect=(left, bottom, width, height + lanes * LINE / figure.get_figheight()))


def write(
    on: Figure | Axes,
    x: float,
    y: float,
    text: str,
    colour: str = INK,
    *,
    size: float = NORMAL,
    ha: str = "left",
    va: str = "center",
    weight: str = "normal",
    in_layout: bool = False,
    **more: object,
) -> Text:
    """Write at a place; a dollar sign is just a dollar sign, and the axes need not make room for it unless `in_layout`."""
    colour = READABLE.get(colour, colour)
    drawn = on.text(x, y, text, color=colour, fontsize=size, ha=ha, va=va, fontweight=weight, parse_math=False, **more)  # type: ignore[arg-type]
    drawn.set_in_layout(in_layout or isinstance(on, Figure))  # what is not in the layout, Jupyter may cut off at the edges
    return drawn


def quiet(axes: Axes, *, grid: str = "y") -> None:
    """Take frame and tick marks away and lay a light grid along one direction ("x", "y" or "" for none) below the data."""
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=SMALL, labelcolor=QUIET)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis="x" if grid == "x" else "y", color=GRID, linewidth=0.8)
    if grid == "y":
        axes.spines["bottom"].set(visible=True, color=PALE)


def note_sheet(title: str, text: str) -> Figure:
    """Open a low figure that says why there is nothing to see."""
    figure = open_sheet(title, height=1.6)
    write(figure, 0.5, 0.4, text, QUIET, size=LARGE - 1, ha="center")
    # Jupyter shows no figure that has neither axes nor lines.
    figure.lines.append(Line2D([], [], figure=figure))
    return figure
