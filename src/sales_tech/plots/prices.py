"""The history of list prices."""

from __future__ import annotations

from datetime import date

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sales_tech.plots.canvas import NORMAL, SMALL, note_sheet, open_sheet, quiet, write
from sales_tech.plots.frames import days, labels, numbers, require
from sales_tech.plots.numbers import price
from sales_tech.plots.palette import BLUE, INK, QUIET
from sales_tech.plots.timeline import label_days, place
from sales_tech.plots.words import words

_MOST = 6
_COLUMNS = 3
_ALL_NAMED = 4  # prices in a panel; of more only the first and the last are named
_LONGEST = 40  # characters of a name
_SINCE_EVER = pd.Timestamp(1900, 1, 1)  # what valid_from is where the source gives no date


def price_history(
    products: pd.DataFrame,
    *,
    until: date | None = None,
    title: str | None = None,
    language: str = "en",
    currency: str = "BRL",
) -> Figure:
    """Draw the list prices of the six SKUs whose price changed most often, and among equals most, as steps up to `until`.

    `products`: sku, name, valid_from, valid_to (days; null where the period lasts), price (currency), one row per SKU and
    period as in silver.products. Without `until` the steps end a little after the last change.
    Raises ValueError for a missing column, an unknown language, or amounts in another currency.
    """
    say = words(language)
    title = say["price_history"] if title is None else title
    require("price_history", products, ("sku", "name", "valid_from", "valid_to", "price"), currency)
    steps = price_steps(products)
    if steps.empty:
        return note_sheet(title, say["no_prices"])
    by_sku = steps.groupby("sku")["price"].agg(["size", "min", "max"])
    by_sku["swing"] = by_sku["max"] - by_sku["min"]
    chosen = by_sku[by_sku["size"] > 1].sort_values(["size", "swing"], ascending=False, kind="stable").index[:_MOST]
    if chosen.empty:
        return note_sheet(title, say["no_price_changes"])
    steps = steps[steps["sku"].isin(chosen)]
    dated = steps.loc[steps["valid_from"] > _SINCE_EVER, "valid_from"]
    room = max((dated.max() - dated.min()) / 8, pd.Timedelta(days=7))
    first = dated.min() - room if (steps["valid_from"] <= _SINCE_EVER).any() else dated.min()
    last = dated.max() + room if until is None else max(pd.Timestamp(until), dated.max())

    lines = -(-len(chosen) // _COLUMNS)
    figure = open_sheet(title, height=0.9 + 1.95 * lines, key=[(say["own_scale"], QUIET)])
    panels = list(figure.subplots(lines, _COLUMNS, squeeze=False).flat)
    for axes, sku in zip(panels, chosen, strict=False):
        _steps(axes, steps[steps["sku"] == sku], first, last, currency)
        label_days(axes, first, last, say["months"].split(), most=5)
    for axes in panels[len(chosen) :]:
        axes.set_axis_off()
    return figure


def price_steps(products: pd.DataFrame) -> pd.DataFrame:
    """Reduce periods to one row per SKU and price it changed to.

    Columns: sku, valid_from, price, and of the SKU's last period name and ends_on (null where it lasts).
    """
    periods = pd.DataFrame(
        {
            "sku": products["sku"].astype(str),
            "name": labels(products["name"], ""),
            "valid_from": days(products["valid_from"]),
            "ends_on": days(products["valid_to"]),
            "price": numbers(products["price"]),
        }
    )
    periods = periods.dropna(subset=["price"]).sort_values(["sku", "valid_from"], kind="stable", ignore_index=True)
    latest = periods.drop_duplicates("sku", keep="last")[["sku", "name", "ends_on"]]
    changed = periods[periods["price"] != periods.groupby("sku")["price"].shift()]
    return changed[["sku", "valid_from", "price"]].merge(latest, on="sku")


def _steps(axes: Axes, steps: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp, currency: str) -> None:
    quiet(axes)
    ends_on = steps["ends_on"].iloc[-1]
    end = last if pd.isna(ends_on) else min(ends_on, last)
    starts = [max(start, first) for start in steps["valid_from"]]
    prices = steps["price"].tolist()
    axes.step([place(day) for day in (*starts, end)], [*prices, prices[-1]], where="post", color=BLUE, linewidth=2, label="price")
    room = max(prices) - min(prices)
    indent = (last - first) / 50
    for number, (start, amount) in enumerate(zip(starts, prices, strict=True)):
        ends = number in (0, len(prices) - 1)
        if not ends and len(prices) > _ALL_NAMED:
            continue
        # On the side that the next step turns away from, so that no line runs through the figure.
        above = amount > prices[number - 1] if number == len(prices) - 1 else amount > prices[number + 1]
        late = start > first + 0.72 * (last - first)
        at = place(end if late else start + indent)
        y = amount + (0.07 if above else -0.07) * room
        write(axes, at, y, price(amount, currency), size=SMALL, ha="right" if late else "left", va="bottom" if above else "top")
    name, sku = steps["name"].iloc[0], steps["sku"].iloc[0]
    title = name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
    axes.set_title(title or sku, loc="left", fontsize=NORMAL, color=INK, parse_math=False, pad=17 if title else 4)
    if title:
        write(axes, 0, 1.02, sku, QUIET, size=SMALL, va="bottom", transform=axes.transAxes)
    axes.set(xlim=(place(first), place(last)), ylim=(min(prices) - 0.4 * room, max(prices) + 0.4 * room), yticks=[])
