"""The event stream day by day."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sales_tech.plots.canvas import note_sheet, open_sheet, quiet
from sales_tech.plots.frames import days, numbers, require
from sales_tech.plots.numbers import count
from sales_tech.plots.palette import BLUE, ROSE, YELLOW
from sales_tech.plots.timeline import label_days, place
from sales_tech.plots.words import words

_KINDS = {"order_placed": BLUE, "order_cancelled": ROSE, "item_returned": YELLOW}


def events_by_day(events: pd.DataFrame, *, title: str | None = None, language: str = "en") -> Figure:
    """Draw how many events of each kind occurred on each day, one upon the other.

    `events`: occurred_on (day), event_type, events (distinct ones); several rows of a day and kind are added, and
    kinds that the contract does not know are left out. Raises ValueError for a missing column or an unknown language.
    """
    say = words(language)
    title = say["events_by_day"] if title is None else title
    require("events_by_day", events, ("occurred_on", "event_type", "events"))
    known = events.assign(day=days(events["occurred_on"]), events=numbers(events["events"])).dropna(subset=["day"])
    known = known[known["event_type"].isin(list(_KINDS))]
    if known.empty:
        return note_sheet(title, say["no_events"])
    table = known.pivot_table(index="day", columns="event_type", values="events", aggfunc="sum").asfreq("D").fillna(0.0)
    present = [kind for kind in _KINDS if kind in table.columns]
    figure = open_sheet(title, height=3.6, key=[(say[kind], _KINDS[kind]) for kind in present])
    axes = figure.subplots()
    quiet(axes)
    places = [place(day) for day in table.index]
    bottom = pd.Series(0.0, index=table.index)
    for kind in present:
        axes.bar(places, table[kind].to_numpy(), bottom=bottom.to_numpy(), width=0.8, color=_KINDS[kind], label=kind)
        bottom = bottom + table[kind]
    axes.set_xlim(places[0] - 1, places[-1] + 1)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: count(number, language)))
    label_days(axes, table.index[0], table.index[-1], say["months"].split())
    return figure
