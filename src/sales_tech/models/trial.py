"""Forecasters asked about the same days of the past, of which none of them knew the sales."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sales_tech.forecasting.evaluation import CUTOFF, evaluate
from sales_tech.forecasting.peers import MovingAverage, SeasonalNaive
from sales_tech.models.card import AVERAGE, NAIVE, Bin, Figures
from sales_tech.planning import Outlook, PlanBeyondHistory, SourcePast
from sales_tech.planning.demand import Demand
from sales_tech.planning.expected import expected_demand
from sales_tech.planning.planned import planned_ahead

SERIES = ["sku", "channel"]
KEYS = [*SERIES, "date"]
TENTHS = 10
_FIGURES = ("wape", "bias", "rmsse", "pinball", "coverage", "nominal")
_NUMBERS = {"units": "mean", "units_low": "q10", "units_median": "q50", "units_high": "q90"}


@dataclass(frozen=True)
class Trial:
    """What forecasters told of the days after a cutoff, by name, and what came true.

    Each frame has sku, channel, date, cutoff, mean, q10, q50, q90 and actual, with the same rows for all.
    """

    cutoff: pd.Timestamp
    days: int
    told: Mapping[str, pd.DataFrame]
    insample: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """All that was told, with the forecaster's name in a column of its own."""
        return pd.concat([rows.assign(forecaster=name) for name, rows in self.told.items()], ignore_index=True)

    def figures(self) -> list[Figures]:
        """How good each of them was; nothing but the name of those that were asked about no row."""
        told = []
        for name, rows in self.told.items():
            if rows.empty:
                told.append(Figures(name=name, rows=0, **dict.fromkeys(_FIGURES)))
                continue
            row = evaluate(rows, insample=self.insample, series=SERIES).iloc[0]
            numbers = {key: _number(row[key]) for key in _FIGURES}
            told.append(Figures(name=name, rows=int(row["rows"]), **numbers))
        return told

    def calibration(self, name: str) -> list[Bin]:
        """What one of them told and what came true, by tenths of what it told."""
        rows = self.told[name]
        if rows.empty:
            return []
        tenth = pd.qcut(rows["mean"].rank(method="first"), min(TENTHS, len(rows)), labels=False)
        by_tenth = rows.groupby(tenth.to_numpy(), sort=True)
        means, sizes = by_tenth[["mean", "actual"]].mean(), by_tenth.size()
        return [
            Bin(forecast=told, actual=true, rows=size)
            for told, true, size in zip(means["mean"].tolist(), means["actual"].tolist(), sizes.tolist(), strict=True)
        ]


def past_until(past: SourcePast, cutoff: pd.Timestamp) -> SourcePast:
    """What was known of a source at the end of a day; the response to promotions stays the one that is known now.

    Promotions are known ahead, and prices of the days to come are in the catalogue.
    """
    frames = past.frames
    stockouts = frames.stockouts
    if stockouts is not None:
        begun = stockouts[stockouts["starts_on"] <= cutoff]
        stockouts = begun.assign(ends_on=begun["ends_on"].where(begun["ends_on"] <= cutoff, cutoff))
    known = replace(frames, daily=frames.daily[frames.daily["sold_on"] <= cutoff].reset_index(drop=True), stockouts=stockouts)
    daily = past.daily[past.daily["sold_on"] <= cutoff] if len(past.daily) else past.daily
    results = past.results
    if len(results):
        results = results[results["promotion_id"].astype(object).isin(set(daily["promotion_id"].astype(object)))]
    return replace(past, frames=known, daily=daily.reset_index(drop=True), results=results.reset_index(drop=True))


def try_forecasters(past: SourcePast, known: Demand, days: int, outlooks: Mapping[str, Outlook]) -> Trial:
    """Ask outlooks, and the simple peers, about the days after `known`, which is the demand up to the cutoff of all of them."""
    last = known.origin + pd.Timedelta(days=min(days, *(outlook.horizon for outlook in outlooks.values())))
    told = {name: _expected(outlook, past, last) for name, outlook in outlooks.items()}
    told |= _peers(known, next(iter(told.values())))
    actual = _actual(past, known, last)
    rows = {name: frame.merge(actual, on=KEYS).assign(**{CUTOFF: known.origin}) for name, frame in told.items()}
    sizes = {len(frame) for frame in rows.values()}
    if len(sizes) > 1:
        raise ValueError(f"the forecasters told {sorted(sizes)} rows of the same days; expected the same ones, or none can be compared")
    length = (last - known.origin).days
    return Trial(known.origin, length, rows, known.panel[[*KEYS, "units"]])


def _expected(outlook: Outlook, past: SourcePast, last: pd.Timestamp) -> pd.DataFrame:
    plans, _ = planned_ahead(outlook, past.frames.promotions, last)
    with warnings.catch_warnings():
        # That a depth is new is no fault of a forecaster, and all are told the same one.
        warnings.simplefilter("ignore", PlanBeyondHistory)
        told = expected_demand(outlook, plans)
    told = told[told["sold_on"] <= last].rename(columns={"sold_on": "date", **_NUMBERS})
    return told[[*KEYS, *_NUMBERS.values()]]


def _peers(known: Demand, asked: pd.DataFrame) -> dict[str, pd.DataFrame]:
    days = int((asked["date"].max() - known.origin).days)
    told = {}
    for name, peer in ((NAIVE, SeasonalNaive), (AVERAGE, MovingAverage)):
        fitted = peer(series=SERIES, horizon=days).fit(known.panel[[*KEYS, "units"]])
        told[name] = fitted.predict(asked[KEYS])[[*KEYS, "q10", "q50", "q90", "mean"]]
    return told


def _actual(past: SourcePast, known: Demand, last: pd.Timestamp) -> pd.DataFrame:
    """What was sold of each series on the days after; days on which most stores had none to sell are left out."""
    members = known.table.members.assign(series=known.table.series["name"].to_numpy()[known.table.members["series"].to_numpy()])
    daily = past.frames.daily
    sold = daily[(daily["sold_on"] > known.origin) & (daily["sold_on"] <= last)]
    sums = sold.groupby(["sku", "channel", "sold_on"], observed=True, sort=True)["units"].sum().reset_index()
    sums[SERIES] = sums[SERIES].astype(object)
    sums = sums.merge(members[[*SERIES, "series"]], on=SERIES)
    units = sums.groupby(["series", "channel", "sold_on"], sort=True)["units"].sum()
    days = pd.date_range(known.origin + pd.Timedelta(days=1), last, freq="D").as_unit("s")
    series = known.table.series[known.table.ahead]
    rows = pd.DataFrame({name: np.repeat(series[name].to_numpy(), len(days)) for name in ("name", "channel")})
    rows["date"] = np.tile(days.to_numpy(), len(series))
    found = units.reindex(pd.MultiIndex.from_frame(rows)).fillna(0.0).to_numpy(dtype=np.float64)
    rows = rows.rename(columns={"name": "sku"}).assign(actual=found)
    # Days after those that are asked about tell whether one of these was lost.
    out = known.none_to_sell(past, max(last, pd.Timestamp(daily["sold_on"].max())))
    begin = (known.origin - known.first).days + 1
    return rows[~out[known.table.ahead, begin : begin + len(days)].ravel()]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
