"""Promotions as spans of days, and labels for them that do not overlap."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from sales_tech.plots.canvas import LINE, SMALL, write
from sales_tech.plots.frames import days, labels
from sales_tech.plots.palette import INK
from sales_tech.plots.timeline import place

LONGEST = 60  # days; what runs longer is part of the ordinary price
LANES = 2
_GAP = 6  # pixels between two labels
_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Days in a row on which promotions of one name ran."""

    name: str
    first: pd.Timestamp
    last: pd.Timestamp

    @property
    def days(self) -> int:
        """Count the days."""
        return (self.last - self.first).days + 1


def promotion_spans(promotions: pd.DataFrame, unnamed: str) -> list[Span]:
    """Sort the spans by their beginning, out of one row per promotion and SKU.

    Expects the columns name, starts_on and ends_on. Rows of one name become one span where their days meet or follow on.
    """
    rows = pd.DataFrame({"first": days(promotions["starts_on"]), "last": days(promotions["ends_on"])})
    rows.insert(0, "name", labels(promotions["name"], unnamed))
    rows = rows.dropna().drop_duplicates().sort_values(["name", "first", "last"])
    spans: list[Span] = []
    for name, first, last in rows.itertuples(index=False):
        if spans and spans[-1].name == name and first <= spans[-1].last + _DAY:
            spans[-1] = Span(name, spans[-1].first, max(last, spans[-1].last))
        else:
            spans.append(Span(name, first, last))
    return sorted(spans, key=lambda span: (span.first, span.last, span.name))


def label_spans(axes: Axes, spans: list[Span]) -> None:
    """Write the names above the axes, the longest spans first; a name that would cover another is left out.

    The layout of the figure has to be settled.
    """
    box = axes.get_window_extent()
    taken: list[list[tuple[float, float]]] = [[] for _ in range(LANES)]
    per_inch = axes.get_figure(root=True).dpi  # type: ignore[union-attr]
    for span in sorted(spans, key=lambda span: (-span.days, span.first)):
        middle = (place(span.first) + place(span.last)) / 2
        text = write(axes, middle, 1, span.name, INK, size=SMALL, ha="center", va="bottom", transform=axes.get_xaxis_transform())
        drawn = text.get_window_extent()
        shift = max(box.x0 - drawn.x0, 0) + min(box.x1 - drawn.x1, 0)
        left, right = drawn.x0 + shift - _GAP, drawn.x1 + shift + _GAP
        lane = next((lane for lane in range(LANES) if all(right <= a or left >= b for a, b in taken[lane])), None)
        if lane is None:
            text.remove()
            continue
        taken[lane].append((left + _GAP, right - _GAP))
        height = 1 + (lane * LINE + 0.04) * per_inch / box.height
        text.set_position((float(axes.transData.inverted().transform((drawn.x0 + drawn.width / 2 + shift, 0))[0]), height))
