"""The promotions in the order of what they earned."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sales_tech.plots.canvas import NORMAL, SMALL, note_sheet, open_sheet, quiet, write
from sales_tech.plots.evidence import bar_style, thin
from sales_tech.plots.frames import days, labels, numbers, require
from sales_tech.plots.numbers import count, in_unit, signed, unit_name, unit_power
from sales_tech.plots.palette import BLUE, INK, PALE, QUIET, ROSE
from sales_tech.plots.words import words

MOST = 16
MEASURES = {"incremental_units": "promotion_league_units", "net_units": "promotion_league_net", "net_margin": "promotion_league_margin"}
_ROW = 0.34  # inches
_LONGEST = 40  # characters of a name
_GAP = 1.0  # rows left free where promotions are left out


def promotion_league(
    results: pd.DataFrame,
    *,
    by: str = "net_margin",
    most: int = MOST,
    title: str | None = None,
    language: str = "en",
    currency: str = "BRL",
) -> Figure:
    """Draw a measure of each promotion with its 80 % interval, the best first; of many only the best and the worst.

    `results`: promotion_id, name, starts_on, successful, evidence and the measure `by` with its `_low` and `_high`, as
    in gold.promotion_results; `by` is incremental_units, net_units or net_margin. A promotion without a proven effect is
    grey, one on thin evidence hatched; key and foot say so where there are any. Raises ValueError for an unknown measure,
    a missing column, an unknown language, or amounts in another currency.
    """
    say = words(language)
    if by not in MEASURES:
        raise ValueError(f"promotion_league: measure {by!r} is unknown; expected one of {', '.join(MEASURES)}")
    title = say[MEASURES[by]] if title is None else title
    columns = ("promotion_id", "name", "starts_on", "successful", "evidence", by, f"{by}_low", f"{by}_high")
    require("promotion_league", results, columns, currency if by == "net_margin" else None)
    if results.empty:
        return note_sheet(title, say["no_promotions"])
    rows = _rows(results, by)
    if rows.empty:
        return note_sheet(title, say["no_costs" if by == "net_margin" else "no_promotions"])
    half = most // 2
    cut = len(rows) > most
    shown = pd.concat([rows.iloc[: most - half], rows.iloc[len(rows) - half :]]) if cut else rows
    places = np.arange(len(shown)) + np.where(np.arange(len(shown)) >= most - half, _GAP, 0) * cut

    key = [(say[word], colour) for word, colour in (("gain", BLUE), ("loss", ROSE), ("no_effect", PALE)) if colour in set(shown["colour"])]
    key.append((f"├─┤ {say['interval']}", QUIET))
    # A grey bar may be long: what was given away and invested counts whether or not it moved any units.
    feet = {"grey_bars": (shown["colour"] == PALE).any(), "thin_evidence": shown["thin"].any()}
    note = " · ".join(say[word] for word, needed in feet.items() if needed)
    power = unit_power(float(shown["value"].abs().max())) if by == "net_margin" else None
    key += [(say["in_unit"].format(unit=unit_name(currency, power)), QUIET)] if power is not None else []
    figure = open_sheet(title, height=1.1 + _ROW * (len(shown) + _GAP * cut), key=key, note=note)
    axes, table = figure.subplots(1, 2, sharey=True, width_ratios=[0.66, 0.34])
    for panel in (axes, table):
        quiet(panel, grid="")
    _bars(axes, shown, places)
    values = shown[["value", "low", "high"]].to_numpy(dtype=float)
    left, right = float(np.nanmin(values.clip(max=0))), float(np.nanmax(values.clip(min=0)))
    room = max(right - left, 1.0)
    texts = [[count(of, language) if power is None else in_unit(of, currency, power) for of in row] for row in values.tolist()]
    _figures(table, places, values, texts)
    if cut:
        middle = (places[most - half - 1] + places[most - half]) / 2
        write(axes, left, middle, "⋮  " + say["left_out"].format(count=count(len(rows) - most, language)), QUIET, size=SMALL)
    ends = [0, most - half, len(places)] if cut else [0, len(places)]
    for start, end in pairwise(ends):
        axes.plot([0, 0], [places[start] - 0.5, places[end - 1] + 0.5], color=INK, linewidth=0.8, label="zero")
    axes.set_yticks(places, [_short(name) for name in shown["name"]], parse_math=False)
    axes.tick_params(axis="y", labelsize=NORMAL, labelcolor=INK)
    table.tick_params(axis="y", labelleft=False)
    axes.set(xlim=(left - 0.02 * room, right + 0.02 * room), ylim=(places[-1] + 0.6, -0.6), xticks=[])
    table.set(xlim=(0, 1), xticks=[])
    return figure


def _rows(results: pd.DataFrame, by: str) -> pd.DataFrame:
    successful = results["successful"].fillna(False).astype(bool)
    values = numbers(results[by])
    month = days(results["starts_on"]).dt.strftime("%m/%Y")
    rows = pd.DataFrame(
        {
            "name": [f"{name} · {when}" for name, when in zip(_names(results), month, strict=True)],
            "value": values,
            "low": numbers(results[f"{by}_low"]),
            "high": numbers(results[f"{by}_high"]),
            "thin": thin(results["evidence"]),
            "colour": [PALE if not proven else BLUE if value >= 0 else ROSE for proven, value in zip(successful, values, strict=True)],
        }
    )
    return rows.dropna(subset=["value"]).sort_values(["value", "name"], ascending=[False, True], kind="stable", ignore_index=True)


def _names(results: pd.DataFrame) -> list[str]:
    return [name or str(fallback) for name, fallback in zip(labels(results["name"], ""), results["promotion_id"], strict=True)]


def _bars(axes: Axes, shown: pd.DataFrame, places: np.ndarray) -> None:
    columns = (shown[name].tolist() for name in ("name", "value", "low", "high", "colour", "thin"))
    for place, (name, value, low, high, colour, hatched) in zip(places, zip(*columns, strict=True), strict=True):
        axes.barh([place], [value], height=0.62, label=name, **bar_style(colour, hatched=hatched))
        if not (math.isnan(low) or math.isnan(high)):
            axes.plot([low, high], [place, place], color=INK, linewidth=1.0, marker="|", markersize=6)


def _figures(table: Axes, places: np.ndarray, values: np.ndarray, texts: list[list[str]]) -> None:
    for place, row, of_row in zip(places, values, texts, strict=True):
        middle, low, high = (text.replace("-", "−") for text in of_row)
        write(table, 0.28, place, signed(middle, row[0]), size=SMALL, ha="right", weight="bold")
        write(table, 0.33, place, "" if np.isnan(row).any() else f"{low} … {high}", QUIET, size=SMALL)


def _short(name: str) -> str:
    start, separator, month = name.rpartition(" · ")
    return f"{start if len(start) <= _LONGEST else start[: _LONGEST - 1] + '…'}{separator}{month}"
