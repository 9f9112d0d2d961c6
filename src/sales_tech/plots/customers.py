"""The segments of the customers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sales_tech.plots.canvas import NORMAL, note_sheet, open_sheet, quiet, write
from sales_tech.plots.frames import numbers, require
from sales_tech.plots.numbers import count, money, share
from sales_tech.plots.palette import BLUE, INK, LIGHT_BLUE
from sales_tech.plots.words import words

SEGMENTS = ("champion", "loyal", "promising", "at_risk", "dormant")


def customer_segments(segments: pd.DataFrame, *, title: str | None = None, language: str = "en", currency: str = "BRL") -> Figure:
    """Draw how many customers each segment has and what share of the net sales they make, side by side.

    `segments`: segment, customers (number), monetary (currency), one row per segment, counted and summed from
    gold.customer_value. Raises ValueError for a missing column, an unknown language, or amounts in another currency.
    """
    say = words(language)
    title = say["customer_segments"] if title is None else title
    require("customer_segments", segments, ("segment", "customers", "monetary"), currency)
    if segments.empty:
        return note_sheet(title, say["no_customers"])
    rows = pd.DataFrame({column: numbers(segments[column]) for column in ("customers", "monetary")})
    rows = rows.groupby(segments["segment"].astype(str)).sum()
    order = [segment for segment in SEGMENTS if segment in rows.index] + [name for name in rows.index if name not in SEGMENTS]
    rows = rows.loc[order]

    figure = open_sheet(title, height=1.1 + 0.42 * len(rows))
    left, right = figure.subplots(1, 2, sharey=True)
    people, amounts = rows["customers"].to_numpy(), rows["monetary"].to_numpy()
    _bars(left, people, say["customers"], LIGHT_BLUE, [count(number, language) for number in people], language)
    _bars(right, amounts, say["spent"], BLUE, [money(amount, currency) for amount in amounts], language)
    left.set_yticks(np.arange(len(rows)), [say.get(name, name) if name in SEGMENTS else name for name in order])
    left.tick_params(axis="y", labelsize=NORMAL, labelcolor=INK)
    left.set_ylim(len(rows) - 0.5, -0.5)
    return figure


def _bars(axes: Axes, values: np.ndarray, heading: str, colour: str, texts: list[str], language: str) -> None:
    quiet(axes, grid="")
    total = float(values.sum())
    axes.barh(np.arange(len(values)), values, height=0.62, color=colour)
    for position, (value, text) in enumerate(zip(values, texts, strict=True)):
        of_all = f"  ({share(value / total, language)})" if total > 0 else ""
        write(axes, max(value, 0), position, f"  {text}{of_all}")
    axes.set_title(heading, loc="left", fontsize=NORMAL, color=INK, fontweight="bold")
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    # The texts stand right of zero and of the bars, whichever way these lead.
    axes.set(xlim=(low, high + 0.6 * max(high - low, 1.0)), xticks=[])
