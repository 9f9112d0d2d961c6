"""Prices that are told only where something is promoted: elsewhere, what is missing is the usual price and not the last offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sales_tech.forecasting.roles import PRICE, called_promotion

FEW, MOST, SOLD = 0.05, 0.5, 0.1
"""Of the rows from the first offer of a series to its last, more than FEW have none where another column tells the usual price,
otherwise more than MOST; and these sell at least SOLD times as often as the others do, or the price is one of receipts."""
LEAST_CUT = 0.1
"""How far the highest offer of a series is taken to be below its usual price, where nothing tells that."""


@dataclass(frozen=True)
class Offer:
    """The column of the usual price, if there is one; otherwise the usual price by series, and of others the usual part of it."""

    regular: str | None
    usual: pd.Series
    part: float


def offers_of(panel: pd.DataFrame, roles: Mapping[str, str], target: str, series: Sequence[str], time: str) -> dict[str, Offer]:
    """By price column that is called a promotion and only told in some, what stands for it elsewhere."""
    prices = {column: _told(panel, column) for column, role in roles.items() if role == PRICE}
    told = {}
    for column in filter(called_promotion, prices):
        values = prices[column]
        missing, known = _between(panel, values, series, time), values.notna().to_numpy()
        share = missing.sum() / max(int((missing | known).sum()), 1)
        sold = panel[target].to_numpy(dtype=np.float64, na_value=np.nan) > 0
        if share <= FEW or sold[missing].mean() < SOLD * sold[known].mean():
            continue
        regular = _regular_of(values, {name: price for name, price in prices.items() if not called_promotion(name)}, missing)
        # A hole may be anything, and a price of 0 is none.
        if regular is None and share <= MOST and panel[column].isna().to_numpy()[missing].any():
            continue
        usual = values.groupby([panel[name].astype(object) for name in series], sort=True).max().dropna() / (1 - LEAST_CUT)
        told[column] = Offer(regular, usual, float(_parts(panel, column, usual, series).median()))
    return told


def with_usual_prices(frame: pd.DataFrame, offers: Mapping[str, Offer], series: Sequence[str]) -> pd.DataFrame:
    """A frame whose offers are the usual price where there is none; without a column of it, parts of what is usual."""
    told = {}
    for column, offer in offers.items():
        if {column, offer.regular or column, *series} <= {*frame.columns}:
            if offer.regular is not None:
                told[column] = _told(frame, column).fillna(_told(frame, offer.regular))
            else:
                parts = _parts(frame, column, offer.usual, series)
                told[column] = parts.where(parts.notna() | _told(frame, column).isna(), offer.part).fillna(1.0)
    return frame.assign(**told) if told else frame


def _told(frame: pd.DataFrame, column: str) -> pd.Series:
    values = pd.Series(frame[column].to_numpy(dtype=np.float64, na_value=np.nan), frame.index)
    return values.where(values > 0)


def _parts(frame: pd.DataFrame, column: str, usual: pd.Series, series: Sequence[str]) -> pd.Series:
    keys = pd.MultiIndex.from_frame(frame[list(series)].astype(object))
    known = usual.index if isinstance(usual.index, pd.MultiIndex) else pd.MultiIndex.from_arrays([usual.index])
    at = known.get_indexer(keys)
    return _told(frame, column) / np.where(at >= 0, np.r_[usual.to_numpy(), np.nan][at], np.nan)


def _between(panel: pd.DataFrame, values: pd.Series, series: Sequence[str], time: str) -> np.ndarray:
    # A price that begins late, or ends, is not missing for want of an offer.
    order = panel.sort_values(time, kind="stable").index
    keys = [panel.loc[order, name].astype(object) for name in series]
    begun = values[order].notna().groupby(keys, sort=False).cummax()
    ends = values[order[::-1]].notna().groupby([key[::-1] for key in keys], sort=False).cummax()
    return (values.isna() & begun.reindex(panel.index) & ends.reindex(panel.index)).to_numpy(dtype=bool)


def _regular_of(offer: pd.Series, prices: Mapping[str, pd.Series], missing: np.ndarray) -> str | None:
    # Of the prices that are told where the offer is not, and seldom below it, the one that it is nearest to.
    parts = {name: (offer / price).dropna() for name, price in prices.items() if price[missing].notna().mean() > 1 - FEW}
    dearer = {name: float(part.median()) for name, part in parts.items() if len(part) and (part <= 1).mean() > 1 - FEW}
    return max(dearer, key=lambda name: dearer[name]) if dearer else None
