"""The promotions in the order of what they earned."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sales_tech.plots.canvas import NORMAL, SMALL, note_sheet, open_sheet, quiet, write
from sales_tech.plots.evidence import bar_style, thin
from sales_tech.plots.frames import days, labels, numbers, require
from sales_tech.plots.numbers import count, money, signed
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
    grey, one on thin evidence hatched. Raises ValueError for an unknown measure, a missing column, an unknown language,
    or amounts in another currency.
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
    note = say["thin_evidence"] if shown["thin"].any() else ""
    figure = open_sheet(title, height=1.1 + _ROW * (len(shown) + _GAP * cut), key=key, note=note)
    axes = figure.subplots()
    quiet(axes, grid="")
    _bars(axes, shown, places)
    values = shown[["value", "low", "high"]].to_numpy(dtype=float)
    told = [_told(value, low, high, by, language, currency) for value, low, high in values.tolist()]
    left, right = float(np.nanmin(values.clip(max=0))), float(np.nanmax(values.clip(min=0)))
    room = max(right - left, 1.0)
    for place, text in zip(places, told, strict=True):
        write(axes, right + 0.03 * room, place, text, size=SMALL)
    if cut:
        middle = (places[most - half - 1] + places[most - half]) / 2
        write(axes, left, middle, "⋮  " + say["left_out"].format(count=count(len(rows) - most, language)), QUIET, size=SMALL)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(places, [_short(name) for name in shown["name"]], parse_math=False)
    axes.tick_params(axis="y", labelsize=NORMAL, labelcolor=INK)
    axes.set(xlim=(left - 0.02 * room, right + 0.36 * room), ylim=(places[-1] + 0.6, -0.6), xticks=[])
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


def _told(value: float, low: float, high: float, by: str, language: str, currency: str) -> str:
    texts = [money(amount, currency) if by == "net_margin" else count(amount, language) for amount in (value, low, high)]
    text = signed(texts[0], value)
    return text if math.isnan(low) or math.isnan(high) else f"{text}   ({texts[1]} … {texts[2]})"


def _short(name: str) -> str:
    start, separator, month = name.rpartition(" · ")
    return f"{start if len(start) <= _LONGEST else start[: _LONGEST - 1] + '…'}{separator}{month}"
