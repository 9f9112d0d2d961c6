"""The peer from outside: LightGBM by mlforecast, recursive, with the same plan and static columns."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import lightgbm
import numpy as np
import pandas as pd
from mlforecast import MLForecast
from mlforecast.lag_transforms import ExpandingMean, RollingMean
from mlforecast.target_transforms import BaseTargetTransform, LocalStandardScaler

STEPS = {"D": pd.Timedelta(days=1), "W": pd.Timedelta(days=7)}
LAGS = {"D": [1, 7, 14, 28], "W": [1, 2, 4, 8, 52]}
WINDOWS = {"D": [7, 28, 56], "W": [4, 8, 13]}
CALENDAR = {"D": ["dayofweek", "day", "week", "month"], "W": ["week", "month"]}
KEY, TIME, TARGET = "unique_id", "ds", "y"


class ByMean(BaseTargetTransform):
    """Divides each series by the mean of its past, so that counts stay above 0 and series of all sizes look alike."""

    def fit_transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with its target divided."""
        self.means = frame.groupby(self.id_col)[self.target_col].mean().clip(lower=1e-6)
        return frame.assign(**{self.target_col: frame[self.target_col] / frame[self.id_col].map(self.means)})

    def inverse_transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The predictions multiplied."""
        told = frame.columns.difference([self.id_col, self.time_col])
        return frame.assign(**{name: frame[name] * frame[self.id_col].map(self.means) for name in told})


SCALES = {"none": None, "deviation": LocalStandardScaler, "mean": ByMean}


@dataclass
class Boosting:
    """LightGBM on lags, rolling means, calendar, plan and static columns, each step fed with the one before.

    `objective` is LightGBM's; `scale` what each series is made relative to first: nothing, its deviation, its mean.
    """

    series: Sequence[str]
    time: str
    target: str
    plan: Sequence[str]
    static: Sequence[str]
    freq: str
    horizon: int
    objective: str = "tweedie"
    scale: str = "none"
    trees: int = 400
    kinds: dict[str, pd.CategoricalDtype] = field(default_factory=dict, init=False)

    def fit(self, panel: pd.DataFrame) -> Boosting:
        """Fit one model of all series."""
        told = [*self.plan, *self.static]
        self.kinds = {
            name: pd.CategoricalDtype(sorted(panel[name].unique())) for name in told if not pd.api.types.is_numeric_dtype(panel[name])
        }
        frame = self._named(panel, told).assign(**{TARGET: panel[self.target].to_numpy(dtype=np.float64)})
        model = lightgbm.LGBMRegressor(
            objective=self.objective,
            n_estimators=self.trees,
            learning_rate=0.03,
            num_leaves=31,
            min_child_samples=40,
            subsample=0.8,
            subsample_freq=1,
            colsample_bytree=0.8,
            random_state=0,
            n_jobs=1,
            verbosity=-1,
        )
        windows = [RollingMean(length, min_samples=1) for length in WINDOWS[self.freq]]
        scale = SCALES[self.scale]
        season = LAGS[self.freq][1]
        self.model = MLForecast(
            models={"mean": model},
            freq="D" if self.freq == "D" else f"W-{panel[self.time].max():%a}".upper(),
            lags=LAGS[self.freq],
            lag_transforms={1: [*windows, ExpandingMean()], season: [RollingMean(LAGS[self.freq][2], min_samples=1)]},
            date_features=CALENDAR[self.freq],
            target_transforms=[scale()] if scale else None,
            num_threads=1,
        )
        # Young series lack the long lags: their rows are kept, since the trees can do without.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Found null values")
            self.model.fit(frame, static_features=list(self.static), dropna=False)
        self.origin = panel[self.time].max()
        last = frame.groupby(KEY)[TIME].max()
        self.alive = last.index[last == self.origin].tolist()
        return self

    def predict(self, plan_frame: pd.DataFrame) -> pd.DataFrame:
        """The means of the rows of the plan."""
        wanted = self._named(plan_frame, self.plan)
        steps = round((wanted[TIME].max() - self.origin) / STEPS[self.freq])
        ids = [name for name in self.alive if name in set(wanted[KEY])]
        # Whoever leaves the assortment within the horizon still needs a plan up to its end.
        dates = [self.origin + STEPS[self.freq] * step for step in range(1, steps + 1)]
        grid = pd.MultiIndex.from_product([ids, dates], names=[KEY, TIME]).to_frame(index=False)
        future = grid.merge(wanted.astype({TIME: grid[TIME].dtype}), on=[KEY, TIME], how="left")
        if self.plan:
            filled = future.groupby(KEY)[list(self.plan)].ffill()
            future = pd.concat([grid, filled], axis=1).astype({name: kind for name, kind in self.kinds.items() if name in self.plan})
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Found null values")
            told = self.model.predict(steps, X_df=future if self.plan else None, ids=ids)
        means = wanted[[KEY, TIME]].merge(told.astype({TIME: wanted[TIME].dtype}), on=[KEY, TIME], how="left")["mean"]
        return plan_frame[[*self.series, self.time]].assign(mean=means.clip(lower=0).to_numpy())

    def _named(self, frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
        key = frame[list(self.series)].astype(str).agg("|".join, axis=1)
        told = frame[list(columns)].astype({name: kind for name, kind in self.kinds.items() if name in columns})
        return told.assign(**{KEY: key.to_numpy(), TIME: frame[self.time].to_numpy()})
