"""Promotions as spans of days, and labels for them that do not overlap."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from sales_tech.plots.canvas import LINE, SMALL, write
from sales_tech.plots.frames import days, labels
from sales_tech.plots.palette import INK, PALE
from sales_tech.plots.timeline import place

LONGEST = 60  # days; what runs longer is part of the ordinary price
SHORT = 3  # days; where there are many spans, these bear no name
MANY = 12
LANES = 3
_GAP = 6.0  # pixels between two labels
_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Days in a row on which promotions of one name ran, in so many rows of SKUs."""

    name: str
    first: pd.Timestamp
    last: pd.Timestamp
    rows: int = 1

    @property
    def days(self) -> int:
        """Count the days."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class _Label:
    lane: int
    left: float  # pixels
    right: float
    foot: float  # where a line leads down to the span, through the lower lanes

    def clear_of(self, other: _Label) -> bool:
        if self.lane == other.lane:
            return self.right + _GAP <= other.left or other.right + _GAP <= self.left
        above, below = (self, other) if self.lane > other.lane else (other, self)
        return not below.left - _GAP / 2 < above.foot < below.right + _GAP / 2


def promotion_spans(promotions: pd.DataFrame, unnamed: str) -> list[Span]:
    """Sort the spans by their beginning, out of one row per promotion and SKU.

    Expects the columns name, starts_on and ends_on. Rows of one name become one span where their days meet or follow on.
    """
    rows = pd.DataFrame({"first": days(promotions["starts_on"]), "last": days(promotions["ends_on"])})
    rows.insert(0, "name", labels(promotions["name"], unnamed))
    spans: list[Span] = []
    counted = rows.dropna().groupby(["name", "first", "last"]).size().reset_index(name="rows")
    for name, first, last, count in counted.itertuples(index=False):
        before = spans[-1] if spans else None
        if before and before.name == name and first <= before.last + _DAY:
            spans[-1] = Span(name, before.first, max(last, before.last), before.rows + count)
        else:
            spans.append(Span(name, first, last, count))
    return sorted(spans, key=lambda span: (span.first, span.last, span.name))


def label_spans(axes: Axes, spans: list[Span]) -> int:
    """Write the names above the axes, the spans with most days and SKUs first, and return how many lanes they take.

    A name without room is left out. The layout of the figure has to be settled.
    """
    box = axes.get_window_extent()
    above = axes.get_xaxis_transform()
    taken: list[_Label] = []
    for span in sorted(spans, key=lambda span: (-span.days * span.rows, span.first)):
        text = write(axes, place(span.first), 1, span.name, INK, size=SMALL, va="bottom")
        middle = (place(span.first) + place(span.last)) / 2
        feet = axes.transData.transform([(day, 0) for day in (middle, place(span.first), place(span.last))])[:, 0]
        label = _free_label(feet.tolist(), text.get_window_extent().width, (box.x0, box.x1), taken)
        if label is None:
            text.remove()
            continue
        taken.append(label)
        left, foot = axes.transData.inverted().transform([(label.left, 0), (label.foot, 0)])[:, 0]
        height = 0.04 + label.lane * LINE
        text.set(x=left, transform=above + ScaledTranslation(0, height, axes.figure.dpi_scale_trans))
        leader = {"arrowstyle": "-", "color": PALE, "shrinkA": 0, "shrinkB": 0}
        line = axes.annotate("", (foot, 1), xycoords=above, xytext=(0, height * 72), textcoords="offset points", arrowprops=leader)
        line.set(annotation_clip=False, in_layout=False)
    return 1 + max((label.lane for label in taken), default=-1)


def _free_label(feet: list[float], width: float, limits: tuple[float, float], taken: list[_Label]) -> _Label | None:
    """Choose a place above the middle of the span, in the lowest lane with room, rather than one beside it."""
    for part_before in (0.5, 0.05, 0.95):
        for lane in range(LANES):
            for foot in feet:
                left = min(max(foot - part_before * width, limits[0]), limits[1] - width)
                label = _Label(lane, left, left + width, foot)
                if all(label.clear_of(other) for other in taken):
                    return label
    return None
