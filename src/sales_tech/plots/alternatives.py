"""What planned promotions would leave at other depths of discount."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sales_tech.plots.canvas import NORMAL, SMALL, note_sheet, open_sheet, quiet
from sales_tech.plots.frames import labels, numbers, require
from sales_tech.plots.numbers import unit_name, unit_power
from sales_tech.plots.palette import BLUE, INK, LIGHT_BLUE, QUIET, ROSE, YELLOW
from sales_tech.plots.words import words

MOST = 9
_COLUMNS = 3
_MONEY = ("net_margin", "net_margin_low", "net_margin_high")


def margin_by_depth(
    alternatives: pd.DataFrame, *, title: str | None = None, language: str = "en", currency: str = "BRL", most: int = MOST
) -> Figure:
    """Draw the net margin of planned promotions by depth with its 80 % band, one panel each, those with most units first.

    `alternatives`: promotion_id, name, discount_share, planned, rank, units, net_margin, net_margin_low, net_margin_high, as
    `Outlook.alternatives` tells them. Raises ValueError for a missing column or an unknown language.
    """
    say = words(language)
    title = say["margin_by_depth"] if title is None else title
    require("margin_by_depth", alternatives, ("promotion_id", "name", "discount_share", "planned", "rank", "units", *_MONEY))
    rows = alternatives.assign(**{name: numbers(alternatives[name]) for name in _MONEY}).dropna(subset=["net_margin"])
    if rows.empty:
        return note_sheet(title, say["no_plans" if alternatives.empty else "no_costs"])
    order = rows.groupby("promotion_id")["units"].max().sort_values(ascending=False, kind="stable").index[:most]
    columns = min(_COLUMNS, len(order))
    lines = -(-len(order) // columns)
    power = unit_power(float(rows[list(_MONEY)].abs().to_numpy().max()))
    key = [(say["depth_is_planned"], YELLOW), (say["depth_earns_most"], ROSE)]
    key += [(say["in_unit"].format(unit=unit_name(currency, power)), QUIET)]
    figure = open_sheet(title, height=1.3 + 1.9 * lines, key=key, note=say["each_panel_a_promotion"])
    panels = list(figure.subplots(lines, columns, squeeze=False).flat)
    for axes, promotion in zip(panels, order, strict=False):
        _panel(axes, rows[rows["promotion_id"] == promotion].sort_values("discount_share"), 1000.0**power)
    for axes in panels[len(order) :]:
        axes.set_axis_off()
    return figure


def _panel(axes: Axes, own: pd.DataFrame, unit: float) -> None:
    quiet(axes)
    planned = own["planned"].astype(bool)
    # What is planned may have another depth for each SKU, so it lies beside the line of equal ones.
    even = own[~planned] if (~planned).sum() > 1 else own
    middle, low, high = (even[name] / unit for name in _MONEY)
    axes.fill_between(even["discount_share"].astype(float), low, high, color=LIGHT_BLUE, alpha=0.35, linewidth=0, label="interval")
    axes.plot(even["discount_share"].astype(float), middle, color=BLUE, linewidth=2, label="net margin")
    axes.axhline(0, color=INK, linewidth=0.8)
    for mark, colour, size in ((planned, YELLOW, 8), (own["rank"] == own["rank"].min(), ROSE, 5)):
        axes.plot(
            own.loc[mark, "discount_share"].astype(float),
            own.loc[mark, "net_margin"] / unit,
            color=colour,
            marker="o",
            markersize=size,
            linestyle="",
            label="mark",
        )
    name = str(labels(own["name"], "").iloc[0]) or str(own["promotion_id"].iloc[0])
    axes.set_title(name, loc="left", fontsize=NORMAL, color=INK, fontweight="bold", parse_math=False)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda part, _: f"{100 * part:.0f}%"))
    axes.tick_params(labelsize=SMALL)
