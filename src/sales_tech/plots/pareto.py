"""The Pareto curve of sales over products."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from sales_tech.plots.canvas import LARGE, SMALL, note_sheet, open_sheet, quiet, write
from sales_tech.plots.frames import numbers, require
from sales_tech.plots.numbers import count, share
from sales_tech.plots.palette import BLUE, CLASSES, QUIET
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

    sizes = {name: int((ranked["abc_class"] == name).sum()) for name in CLASSES}
    ends = np.cumsum([0, *sizes.values()])
    bands = [(name, start, end) for name, start, end in zip(CLASSES, ends[:-1], ends[1:], strict=True) if end > start]
    key = []
    for name, start, end in bands:
        skus, of_all = count(end - start, language), share((end - start) / len(ranked), language)
        of_sales = share(float(cumulative[end] - cumulative[start]), language)
        key.append((f"{name}: {say['class'].format(skus=skus, of_skus=of_all, of_sales=of_sales)}", CLASSES[name]))

    figure = open_sheet(title, height=4.6, key=key)
    axes = figure.subplots()
    quiet(axes)
    for name, start, end in bands:
        axes.axvspan(of_skus[start], of_skus[end], color=CLASSES[name], alpha=0.22, linewidth=0, zorder=0.5, label=name)
        write(axes, (of_skus[start] + of_skus[end]) / 2, 0.06, name, size=LARGE, ha="center", weight="bold")
    marker = "o" if len(ranked) <= _FEW else ""
    axes.plot(of_skus, cumulative, color=BLUE, linewidth=2.2, marker=marker, markersize=4, label="cumulative_share")
    axes.set(xlim=(0, 1), ylim=(0, max(1.02, float(np.nanmax(cumulative)) * 1.02)))
    for axis, text in ((axes.xaxis, say["share_of_skus"]), (axes.yaxis, say["share_of_sales"])):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
        axis.set_label_text(text, color=QUIET, fontsize=SMALL)
    return figure
