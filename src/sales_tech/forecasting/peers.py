"""Forecasts that need no model: what any other has to beat."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from sales_tech.forecasting.shapes import period_of, quantile_columns, require_columns, require_numbers, require_single_rows

SEASONS = {"D": 7, "W": 52}
WINDOWS = {"D": 28, "W": 8}
LAST = "last"


class Peer(BaseEstimator):
    """What the simple forecasters share: levels from complete periods, and quantiles from the errors of the past.

    The quantiles are the forecast and the quantiles of the errors that the same rule made one period ahead in the
    series' own past, not below 0. The plan has no effect: `baseline` is the mean, `uplift` 0. Every series needs all
    its periods from its first to its last, with zeros where nothing was sold.
    """

    series: Sequence[str]
    time: str
    target: str
    freq: str
    horizon: int
    quantiles: Sequence[float]

    def fit(self, panel: pd.DataFrame, y: object = None) -> Self:
        """Keep the past of each series; ValueError for columns, numbers or periods that are missing or there twice."""
        series, time, target = list(self.series), self.time, self.target
        require_columns(panel, [*series, time, target], "the panel")
        require_numbers(panel, [target], "the panel")
        require_single_rows(panel, series, time, "the panel")
        if panel.empty:
            raise ValueError("the panel has no rows; expected at least one per series")
        quantile_columns(self.quantiles)
        past = panel[[*series, time, target]].sort_values([*series, time], kind="stable", ignore_index=True)
        codes = past.groupby(series, observed=True, sort=True).ngroup()
        self._require_complete(past, codes)
        self.origin_ = past[time].max()
        self.past_ = past.assign(code=codes)
        units = past[target].astype(np.float64)
        errors = (units - self._one_ahead(units, codes)).groupby(codes)
        spread = pd.DataFrame({name: errors.quantile(level) for level, name in quantile_columns(self.quantiles).items()})
        by_series = past[series].assign(code=codes).drop_duplicates("code").set_index("code")
        last = past.groupby(codes)[[time, target]].last().set_axis(["ended", LAST], axis=1)
        # A series of a single period has made no error yet.
        self.levels_ = by_series.join([last, spread.fillna(0.0)]).reset_index()
        return self

    def predict(self, plan_frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of the plan with horizon, quantiles, mean, baseline and uplift.

        ValueError for columns that are missing, series that were not there, and rows that are not within the horizon.
        """
        series, time = list(self.series), self.time
        require_columns(plan_frame, [*series, time], "the plan")
        ahead = (plan_frame[time] - self.origin_) / period_of(self.freq)
        outside = plan_frame[(ahead < 1) | (ahead > self.horizon) | (ahead % 1 != 0)]
        if len(outside):
            raise ValueError(
                f"the plan has a row on {outside[time].iloc[0]}; "
                f"expected 1 to {self.horizon} whole periods ({self.freq}) after {self.origin_}"
            )
        rows = plan_frame[[*series, time]].merge(self.levels_, on=series, how="left")
        unknown = plan_frame[rows["code"].isna().to_numpy()]
        if len(unknown):
            first = ", ".join(f"{name} {value}" for name, value in unknown.iloc[0][series].items())
            raise ValueError(f"the plan has {first}, of which the panel had no row; leave it out or give it a past")
        mean = self._expected(rows).to_numpy(dtype=np.float64)
        told = plan_frame[[*series, time]].reset_index(drop=True).assign(horizon=ahead.to_numpy().astype(np.int64))
        for name in quantile_columns(self.quantiles).values():
            told[name] = np.maximum(mean + rows[name].to_numpy(), 0.0)
        return told.assign(mean=mean, baseline=mean, uplift=0.0)

    def _require_complete(self, past: pd.DataFrame, codes: pd.Series) -> None:
        step = past.groupby(codes)[self.time].diff().dropna()
        gaps = step[step != period_of(self.freq)]
        if len(gaps):
            row = past.loc[gaps.index[0]]
            first = ", ".join(f"{name} {row[name]}" for name in self.series)
            raise ValueError(
                f"the panel skips from {row[self.time] - gaps.iloc[0]} to {row[self.time]} for {first}; "
                f"expected every period ({self.freq}), with 0 where nothing was sold"
            )

    @abstractmethod
    def _one_ahead(self, units: pd.Series, codes: pd.Series) -> pd.Series:
        """What the rule would have said of each row of the past from the rows before it; NaN for the first."""

    @abstractmethod
    def _expected(self, rows: pd.DataFrame) -> pd.Series:
        """What the rule says of future rows, which have the columns of the levels."""


class SeasonalNaive(Peer):
    """Repeats the last season: the same weekday of the last week, the same week of the last year.

    `season` is in periods, by default 7 of days and 52 of weeks. A series that was not there a season ago repeats its
    last value (Hyndman and Athanasopoulos 2021, Forecasting: Principles and Practice, 5.2).
    """

    def __init__(
        self,
        series: Sequence[str] = ("store", "sku"),
        time: str = "date",
        target: str = "units",
        plan: Sequence[str] = (),
        static: Sequence[str] = (),
        freq: str = "D",
        horizon: int = 28,
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
        season: int | None = None,
    ) -> None:
        self.series, self.time, self.target, self.plan, self.static = series, time, target, plan, static
        self.freq, self.horizon, self.quantiles, self.season = freq, horizon, quantiles, season

    def _length(self) -> int:
        length = SEASONS[self.freq] if self.season is None else self.season
        if length < 1:
            raise ValueError(f"season is {length}; expected 1 period or more")
        return length

    def _one_ahead(self, units: pd.Series, codes: pd.Series) -> pd.Series:
        by_series = units.groupby(codes)
        return by_series.shift(self._length()).fillna(by_series.shift(1))

    def _expected(self, rows: pd.DataFrame) -> pd.Series:
        season = period_of(self.freq) * self._length()
        # As many whole seasons back as it takes to reach a period that the series has seen.
        seasons = np.ceil((rows[self.time] - rows["ended"]).dt.total_seconds() / season.total_seconds())
        ago = rows[["code"]].assign(**{self.time: rows[self.time] - seasons * season})
        seen = ago.merge(self.past_[["code", self.time, self.target]], on=["code", self.time], how="left")[self.target]
        return seen.fillna(rows[LAST])


class MovingAverage(Peer):
    """The mean of the last periods of each series: by default 28 days, or 8 weeks; fewer where a series has fewer."""

    def __init__(
        self,
        series: Sequence[str] = ("store", "sku"),
        time: str = "date",
        target: str = "units",
        plan: Sequence[str] = (),
        static: Sequence[str] = (),
        freq: str = "D",
        horizon: int = 28,
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
        window: int | None = None,
    ) -> None:
        self.series, self.time, self.target, self.plan, self.static = series, time, target, plan, static
        self.freq, self.horizon, self.quantiles, self.window = freq, horizon, quantiles, window

    def _length(self) -> int:
        length = WINDOWS[self.freq] if self.window is None else self.window
        if length < 1:
            raise ValueError(f"window is {length}; expected 1 period or more")
        return length

    def _one_ahead(self, units: pd.Series, codes: pd.Series) -> pd.Series:
        means = units.groupby(codes).rolling(self._length(), min_periods=1).mean().droplevel(0)
        return means.groupby(codes).shift(1)

    def _expected(self, rows: pd.DataFrame) -> pd.Series:
        means = self.past_.groupby("code").tail(self._length()).groupby("code")[self.target].mean()
        return rows["code"].map(means)
