"""From the margin that would have been made to the one that was, step by step."""

from __future__ import annotations

import math
from itertools import pairwise

import pandas as pd
from matplotlib.figure import Figure

from sales_tech.plots.canvas import SMALL, note_sheet, open_sheet, quiet, write
from sales_tech.plots.evidence import bar_style, thin
from sales_tech.plots.frames import numbers, require
from sales_tech.plots.numbers import money, signed
from sales_tech.plots.palette import BLUE, INK, LIGHT_BLUE, PALE, QUIET, ROSE
from sales_tech.plots.words import words

STEPS = {
    # column: word, sign
    "incremental_margin": ("own_margin", 1),
    "cannibalised_margin": ("cannibalised", -1),
    "halo_margin": ("halo", 1),
    "pulled_forward_margin": ("pulled_forward", -1),
    "investment": ("investment", -1),
}


def margin_waterfall(results: pd.DataFrame, *, title: str | None = None, language: str = "en", currency: str = "BRL") -> Figure:
    """Draw the steps from base margin to the margin after neighbours, the weeks after and investment.

    `results`: base_margin, incremental_margin, cannibalised_margin, halo_margin, pulled_forward_margin, investment,
    net_margin, net_margin_low, net_margin_high, evidence, rows of gold.promotion_results. Of one row the net margin is
    told with its interval, of several the sum of those whose costs are known. Hatched where one row rests on thin evidence,
    or most of several. Raises ValueError for a missing column, an unknown language, or amounts in another currency.
    """
    say = words(language)
    title = say["margin_waterfall"] if title is None else title
    columns = ("base_margin", *STEPS, "net_margin", "net_margin_low", "net_margin_high", "evidence")
    require("margin_waterfall", results, columns, currency)
    if results.empty:
        return note_sheet(title, say["no_promotions"])
    amounts = pd.DataFrame({name: numbers(results[name]) for name in columns[:-1]}).dropna(subset=["base_margin", "net_margin"])
    if amounts.empty:
        return note_sheet(title, say["no_costs"])
    hatched = float(thin(results["evidence"]).loc[amounts.index].mean()) > 0.5
    sums = amounts.sum()
    moves = {word: sign * float(sums[column]) for column, (word, sign) in STEPS.items()}
    base = float(sums["base_margin"])
    end = base + sum(moves.values())

    net = signed(money(float(sums["net_margin"]), currency), float(sums["net_margin"]))
    low, high = (float(amounts[f"net_margin_{side}"].iloc[0]) for side in ("low", "high"))
    if len(amounts) == 1 and not (math.isnan(low) or math.isnan(high)):
        net += f"   ({money(low, currency)} … {money(high, currency)}, {say['interval']})"
    note = say["thin_evidence"] if hatched else ""
    figure = open_sheet(title, height=4.2, key=[(say["net_of_all"].format(net=net), ROSE if sums["net_margin"] < 0 else BLUE)], note=note)
    axes = figure.subplots()
    quiet(axes, grid="")
    levels = [base]
    axes.bar([0], [base], width=0.62, label="base_margin", **bar_style(PALE, hatched=False))
    for position, (word, move) in enumerate(moves.items(), start=1):
        style = bar_style(BLUE if move >= 0 else ROSE, hatched=hatched)
        axes.bar([position], [move], bottom=[levels[-1]], width=0.62, label=word, **style)
        levels.append(levels[-1] + move)
    last = len(moves) + 1
    axes.bar([last], [end], width=0.62, label="margin_left", **bar_style(LIGHT_BLUE, hatched=hatched))
    for position, level in enumerate(levels):
        axes.plot([position + 0.31, position + 0.69], [level, level], color=QUIET, linewidth=0.8)
    low, high = min(0.0, *levels, end), max(0.0, *levels, end)
    room = max(high - low, 1.0)
    tops = [base, *(max(pair) for pair in pairwise(levels)), end]
    texts = [money(base, currency), *(signed(money(move, currency), move) for move in moves.values()), money(end, currency)]
    for position, (top, text) in enumerate(zip(tops, texts, strict=True)):
        write(axes, position, max(top, 0) + 0.015 * room, text, size=SMALL, ha="center", va="bottom")
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xticks(range(last + 1), [say["base_margin"], *(say[word] for word in moves), say["margin_left"]])
    axes.tick_params(axis="x", labelsize=SMALL, labelcolor=INK)
    axes.set(xlim=(-0.6, last + 0.6), ylim=(low - 0.02 * room, high + 0.09 * room), yticks=[])
    return figure
