"""Why the days before are no measure of a promotion: before, during and after, each beside its baseline."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sales_tech.plots.canvas import NORMAL, SMALL, note_sheet, open_sheet, quiet, write
from sales_tech.plots.evidence import THIN, bar_style
from sales_tech.plots.frames import numbers, require
from sales_tech.plots.numbers import share, signed, units
from sales_tech.plots.palette import BLUE, INK, PALE
from sales_tech.plots.words import words

PHASES = ("before", "during", "after")


def before_during_after(daily: pd.DataFrame, *, evidence: str = "fair", title: str | None = None, language: str = "en") -> Figure:
    """Draw the mean units per day of one promotion's SKUs in each phase, sold and without promotion.

    `daily`: sold_on, phase, actual_units, baseline_units, the rows of one promotion in gold.promotion_daily; those of
    several SKUs are added. The key tells the naive lift beside the estimated one. `evidence` as in
    gold.promotion_results. Raises ValueError for a missing column or an unknown language.
    """
    say = words(language)
    title = say["before_during_after"] if title is None else title
    require("before_during_after", daily, ("sold_on", "phase", "actual_units", "baseline_units"))
    means = units_by_phase(daily)
    if means.empty:
        return note_sheet(title, say["no_promotions"])
    hatched = evidence in THIN
    key = [(say["sold"], BLUE), (say["baseline"], PALE), *((text, INK) for text in _lifts(means, say["against_before"], language))]
    figure = open_sheet(title, height=3.4, key=key, note=say["is_thin"].capitalize() if hatched else "")
    axes = figure.subplots()
    quiet(axes, grid="")
    positions = np.arange(len(means))
    for offset, column, colour in ((-0.2, "actual_units", BLUE), (0.2, "baseline_units", PALE)):
        heights = means[column].to_numpy()
        style = bar_style(colour, hatched=hatched and column == "baseline_units")
        axes.bar(positions + offset, heights, width=0.38, label=column, **style)
        for position, height in zip(positions, heights, strict=True):
            write(axes, position + offset, max(height, 0), units(float(height), language), size=SMALL, ha="center", va="bottom")
    axes.set_xticks(positions, [say[phase] for phase in means.index])
    axes.tick_params(axis="x", labelsize=NORMAL, labelcolor=INK)
    tallest, lowest = float(means.max().max()), float(means.min().min())
    axes.set(xlim=(-0.6, max(len(means), 3) - 0.4), ylim=(min(0.0, lowest * 1.1), max(tallest, 0.1) * 1.15), yticks=[])
    return figure


def units_by_phase(daily: pd.DataFrame) -> pd.DataFrame:
    """Average actual_units and baseline_units per day of each phase, in the order of PHASES."""
    rows = pd.DataFrame({name: numbers(daily[name]) for name in ("actual_units", "baseline_units")})
    sums = rows.groupby(daily["phase"].astype(str)).sum()
    lengths = daily.groupby(daily["phase"].astype(str))["sold_on"].nunique()
    return sums.div(lengths, axis=0).reindex([phase for phase in PHASES if phase in sums.index])


def _lifts(means: pd.DataFrame, sentence: str, language: str) -> list[str]:
    if not {"before", "during"} <= set(means.index):
        return []
    actual, baseline = means["actual_units"].to_dict(), means["baseline_units"].to_dict()
    if actual["before"] <= 0 or baseline["during"] <= 0:
        return []
    changes = [actual["during"] / of - 1 for of in (actual["before"], baseline["during"])]
    lift, uplift = (signed(share(change, language).replace("-", "−"), change) for change in changes)
    return [sentence.format(lift=lift, uplift=uplift)]
