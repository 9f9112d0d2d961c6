"""Units of SKUs that wander about their level, drawn day by day as an Ornstein-Uhlenbeck process moves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sales_tech.forecasting.rows import Floats

ORIGIN = pd.Timestamp("2026-03-31").as_unit("s")


def wander(rng: np.random.Generator, skus: int, days: int, sd: float, half_life: float) -> Floats:
    """Log deviations, (SKU, day)."""
    keep = 0.5 ** (1 / half_life)
    state = rng.normal(0, sd, (skus, days))
    for day in range(1, days):
        state[:, day] = keep * state[:, day - 1] + (1 - keep**2) ** 0.5 * state[:, day]
    return state


def by_week(daily: Floats) -> Floats:
    """Sums of seven days each."""
    return daily.reshape(len(daily), -1, 7).sum(axis=2)


def panel_of(units: Floats, *, category: str = "Mice", first_sku: int = 0) -> pd.DataFrame:
    """A panel as in `demand.Demand` of one channel, SKUs named S000 and on, whose last day is ORIGIN."""
    skus, days = units.shape
    dates = pd.date_range(ORIGIN - pd.Timedelta(days=days - 1), periods=days).as_unit("s")
    names = np.repeat([f"S{number + first_sku:03d}" for number in range(skus)], days)
    frame = pd.DataFrame({"sku": pd.Series(names, dtype=object), "channel": "loja", "date": np.tile(dates.to_numpy(), skus)})
    return frame.assign(units=units.ravel().astype(float), available=1.0, category=category, brand="Acme", log_uplift=0.0)


def flat_forecast(levels: Floats, days: int = 28, *, category: str = "Mice") -> pd.DataFrame:
    """The same units on each of the days after ORIGIN."""
    dates = pd.date_range(ORIGIN + pd.Timedelta(days=1), periods=days).as_unit("s")
    names = np.repeat([f"S{number:03d}" for number in range(len(levels))], days)
    frame = pd.DataFrame({"sku": pd.Series(names, dtype=object), "channel": "loja", "date": np.tile(dates.to_numpy(), len(levels))})
    return frame.assign(baseline=np.repeat(np.asarray(levels, dtype=float), days), category=category)
