"""The quality of what came in: reasons of rejects, and fates of rows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sales_tech.plots.canvas import NORMAL, SMALL, note_sheet, open_sheet, quiet, write
from sales_tech.plots.frames import numbers, require
from sales_tech.plots.numbers import count, share
from sales_tech.plots.palette import FATES, INK, PALE, QUIET, ROSE
from sales_tech.plots.words import words

_MOST = 12
_ROW = 0.46  # inches
_LONGEST = 110  # characters of a reason


def rejects_by_reason(rejects: pd.DataFrame, *, title: str | None = None, language: str = "en") -> Figure:
    """Draw how many rejected rows each reason concerns, the most frequent first.

    `rejects`: reasons (all of a row's joined by a semicolon), one row per rejected row as in silver.rejects.
    Raises ValueError for a missing column or an unknown language.
    """
    say = words(language)
    title = say["rejects_by_reason"] if title is None else title
    require("rejects_by_reason", rejects, ("reasons",))
    counts = reason_counts(rejects["reasons"])
    if not counts:
        return note_sheet(title, say["no_rejects"])
    common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    bars = [(reason, number, ROSE) for reason, number in common[:_MOST]]
    if rest := common[_MOST:]:
        bars.append((say["other_reasons"].format(count=len(rest)), sum(number for _, number in rest), PALE))

    key = [(say["rejected_rows"].format(rows=count(len(rejects), language)), QUIET)]
    figure = open_sheet(title, height=0.9 + _ROW * len(bars), key=key)
    axes = figure.subplots()
    quiet(axes, grid="")
    widths = [number for _, number, _ in bars]
    positions = np.arange(len(bars))
    axes.barh(positions, widths, height=0.36, color=[colour for *_, colour in bars])
    for position, (reason, number, _) in enumerate(bars):
        text = reason if len(reason) <= _LONGEST else reason[: _LONGEST - 1] + "…"
        write(axes, 0, position - 0.42, text, size=NORMAL)
        write(axes, number, position, f"  {count(number, language)}", weight="bold", in_layout=True)
    axes.set(xlim=(0, max(widths)), ylim=(len(bars) - 0.6, -0.75), xticks=[], yticks=[])
    return figure


def reason_counts(reasons: pd.Series) -> Counter[str]:
    """Count the rows for each reason; a row that names a reason twice counts once."""
    counted: Counter[str] = Counter()
    for text in reasons.dropna():
        counted.update({part.strip() for part in str(text).split(";")} - {""})
    return counted


def fates_by_kind(fates: pd.DataFrame, *, title: str | None = None, language: str = "en") -> Figure:
    """Draw what share of each kind of file was accepted, superseded, ignored and rejected, with the numbers of rows in a table.

    `fates`: file_kind, fate, rows (bronze rows), as in silver.fates; several rows of a kind and fate are added.
    Raises ValueError for a missing column, an unknown language or an unknown fate.
    """
    say = words(language)
    title = say["fates_by_kind"] if title is None else title
    require("fates_by_kind", fates, ("file_kind", "fate", "rows"))
    if unknown := sorted(set(fates["fate"]) - set(FATES)):
        raise ValueError(f"fates_by_kind: fate {', '.join(map(str, unknown))} is unknown; expected {', '.join(FATES)}")
    if fates.empty:
        return note_sheet(title, say["no_files"])
    rows = fates.assign(rows=numbers(fates["rows"])).pivot_table(index="file_kind", columns="fate", values="rows", aggfunc="sum")
    rows = rows.reindex(columns=list(FATES)).fillna(0.0)
    rows = rows.loc[rows.sum(axis=1).sort_values(ascending=False, kind="stable").index]

    figure = open_sheet(title, height=1.0 + 0.34 * len(rows))
    bars, table = figure.subplots(1, 2, sharey=True, width_ratios=[0.4, 0.6])
    for axes in (bars, table):
        quiet(axes, grid="")
        axes.set(xlim=(0, 1), xticks=[])
    positions = np.arange(len(rows))
    totals = rows.sum(axis=1)
    left = np.zeros(len(rows))
    for fate, colour in FATES.items():
        widths = (rows[fate] / totals).to_numpy()
        bars.barh(positions, widths, left=left, height=0.6, color=colour, label=fate)
        left = left + widths
    bars.set_yticks(positions, rows.index)
    bars.tick_params(axis="y", labelsize=NORMAL, labelcolor=INK)
    bars.set_ylim(len(rows) - 0.5, -1.1)
    for column, (fate, colour) in enumerate(FATES.items()):
        x = 0.25 * (column + 1)
        write(table, x, -0.75, say[fate], colour, ha="right", weight="bold")
        for position, kind in enumerate(rows.index):
            number, part = rows.loc[kind, fate], rows.loc[kind, fate] / totals[kind]
            write(table, x, position, share(part, language) if number else "–", QUIET, size=SMALL, ha="right")
            write(table, x - 0.105, position, count(number, language) if number else "", size=SMALL, ha="right")
    return figure
