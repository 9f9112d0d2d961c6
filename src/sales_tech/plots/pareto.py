"""The Pareto curve of sales over products."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from sales_tech.plots.canvas import NORMAL, SMALL, note_sheet, open_sheet, quiet, write
from sales_tech.plots.frames import numbers, require
from sales_tech.plots.numbers import count, share
from sales_tech.plots.palette import BLUE, CLASSES, INK, QUIET
from sales_tech.plots.words import words

_FEW = 60  # products that can be told apart as points


def abc_curve(products: pd.DataFrame, *, title: str | None = None, language: str = "en") -> Figure:
    """Draw the share of net sales that the best-selling products make, with the classes A, B and C as bands.

    `products`: sales_rank, cumulative_share (share of net sales), abc_class, one row per SKU as in gold.product_performance.
    Raises ValueError for a missing column or an unknown language.
    """
    say = words(language)
    title = say["abc_curve"] if title is None else title
    require("abc_curve", products, ("sales_rank", "cumulative_share", "abc_class"))
    if products.empty:
        return note_sheet(title, say["no_sales"])
    ranked = products.sort_values(["sales_rank", "cumulative_share"], kind="stable", ignore_index=True)
    cumulative = np.concatenate([[0.0], numbers(ranked["cumulative_share"]).to_numpy()])
    of_skus = np.arange(len(ranked) + 1) / len(ranked)

    figure = open_sheet(title, height=4.4)
    axes = figure.subplots()
    quiet(axes)
    start = 0
    for name, colour in CLASSES.items():
        size = int((ranked["abc_class"] == name).sum())
        if not size:
            continue
        end = start + size
        axes.axvspan(of_skus[start], of_skus[end], color=colour, alpha=0.22, linewidth=0, zorder=0.5, label=name)
        text = say["class"].format(
            skus=count(size, language),
            of_skus=share(size / len(ranked), language),
            of_sales=share(float(cumulative[end] - cumulative[start]), language),
        )
        height = {"A": 0.24, "B": 0.16, "C": 0.08}[name]
        axes.plot([of_skus[start], of_skus[start]], [0, height], color=QUIET, linewidth=0.8)
        write(axes, of_skus[start], height, f" {name}: ", INK, size=NORMAL, weight="bold")
        write(axes, of_skus[start] + 0.03, height, text, INK, size=NORMAL)
        start = end
    marker = "o" if len(ranked) <= _FEW else ""
    axes.plot(of_skus, cumulative, color=BLUE, linewidth=2.2, marker=marker, markersize=4, label="cumulative_share")
    axes.set(xlim=(0, 1), ylim=(0, max(1.02, float(np.nanmax(cumulative)) * 1.02)))
    for axis, text in ((axes.xaxis, say["share_of_skus"]), (axes.yaxis, say["share_of_sales"])):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
        axis.set_label_text(text, color=QUIET, fontsize=SMALL)
    return figure
