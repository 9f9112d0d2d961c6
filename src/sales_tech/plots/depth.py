"""How units follow the depth of a discount, by category, within the depths that were ever tried."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sales_tech.plots.canvas import NORMAL, SMALL, note_sheet, open_sheet, quiet, write
from sales_tech.plots.evidence import HATCH, thin
from sales_tech.plots.frames import numbers, require
from sales_tech.plots.numbers import ratio
from sales_tech.plots.palette import BLUE, INK, LIGHT_BLUE, PALE, QUIET, ROSE
from sales_tech.plots.words import words

MOST = 9
_COLUMNS = 3
_NUMBERS = ("discount_share", "uplift", "uplift_low", "uplift_high", "elasticity", "elasticity_low", "elasticity_high", "promotions")
_LETTERS = 84  # of a title across the sheet
WHOLE = "all"  # what stands for the brand in the rows of a whole category


def uplift_by_depth(elasticity: pd.DataFrame, *, title: str | None = None, language: str = "en") -> Figure:
    """Draw the change of units by depth of discount with its 80 % band, one panel for each category, most promoted first.

    `elasticity`: category, brand, discount_share, uplift, uplift_low, uplift_high, elasticity, elasticity_low,
    elasticity_high, promotions, evidence, as in gold.price_elasticity; rows of single brands are left out. Thin evidence
    is pale and hatched. Raises ValueError for a missing column or an unknown language.
    """
    say = words(language)
    title = say["uplift_by_depth"] if title is None else title
    require("uplift_by_depth", elasticity, ("category", "brand", "evidence", *_NUMBERS))
    rows = _rows(elasticity)
    depths = rows[rows["discount_share"] > 0].dropna(subset=["uplift"])
    if depths.empty:
        return note_sheet(title, say["no_elasticity"])
    order = depths.groupby("category")["promotions"].max().sort_values(ascending=False, kind="stable").index[:MOST]
    columns = min(_COLUMNS, len(order))
    lines = -(-len(order) // columns)
    figure = open_sheet(title, height=1.2 + 1.95 * lines, note=say["only_tried"])
    panels = list(figure.subplots(lines, columns, squeeze=False, sharex=True).flat)
    for axes, category in zip(panels, order, strict=False):
        own = rows[rows["category"] == category]
        _panel(axes, _short(str(category).replace("_", " "), _LETTERS // columns - 2), own, say, language)
    panels[0].set_xlim(0, float(depths.loc[depths["category"].isin(order), "discount_share"].max()) * 1.05)
    for axes in panels[len(order) :]:
        axes.set_axis_off()
    for axes in panels[max(0, len(order) - columns) : len(order)]:
        axes.tick_params(axis="x", labelbottom=True)
        axes.set_xlabel(say["depth"], color=QUIET, fontsize=SMALL)
    return figure


def _rows(elasticity: pd.DataFrame) -> pd.DataFrame:
    rows = pd.DataFrame({name: numbers(elasticity[name]) for name in _NUMBERS})
    rows.insert(0, "category", elasticity["category"].astype(str))
    rows["thin"] = thin(elasticity["evidence"])
    return rows[elasticity["brand"].astype(str) == WHOLE].sort_values(["category", "discount_share"], ignore_index=True)


def _short(name: str, longest: int) -> str:
    return name if len(name) <= longest else name[: longest - 1].rstrip() + "…"


def _panel(axes: Axes, category: str, own: pd.DataFrame, say: dict[str, str], language: str) -> None:
    quiet(axes)
    depths = own[(own["discount_share"] > 0) & own["uplift"].notna()]
    weak = bool(depths["thin"].any())
    x = depths["discount_share"].to_numpy()
    band: dict[str, Any] = {"facecolor": "none", "edgecolor": PALE, "hatch": HATCH} if weak else {"color": LIGHT_BLUE, "alpha": 0.35}
    axes.fill_between(x, depths["uplift_low"], depths["uplift_high"], linewidth=0, label="band", **band)
    colour = LIGHT_BLUE if weak else BLUE
    axes.plot(x, depths["uplift"], color=colour, linewidth=2, linestyle="--" if weak else "-", marker="o", markersize=3, label="uplift")
    ends = depths[["uplift", "uplift_low", "uplift_high"]]
    bottom, top = min(0.0, float(ends.min().min())), max(0.05, float(ends.max().max()))
    axes.set_ylim(bottom - 0.03 * (top - bottom), top + 0.08 * (top - bottom))
    axes.axhline(0, color=PALE, linewidth=0.8)
    axes.set_title(category, loc="left", fontsize=NORMAL, color=INK, fontweight="bold", parse_math=False, pad=17)
    point = own[(own["discount_share"] == 0) & own["elasticity"].notna()]
    told = []
    if len(point):
        middle, low, high = (ratio(float(point[f"elasticity{side}"].iloc[0]), language) for side in ("", "_low", "_high"))
        told.append(say["elasticity"].format(middle=middle, low=low, high=high))
    told += [say["is_thin"]] if weak else []
    write(axes, 0, 1.03, "  ·  ".join(told), ROSE if weak else QUIET, size=SMALL, va="bottom", transform=axes.transAxes)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda part, _: f"{100 * part:.0f}%".replace("-", "−")))
