"""Seconds and memory of the forecaster on a million rows: fitting them, and telling 28 days of ten thousand series.

    python benchmarks/forecast_speed.py [--series 10000] [--days 100] [--learn-from 1000000] [--json FILE]

`--learn-from` bounds the rows that are learnt from; by default all of the panel, and not the sample that is usual. The peak is
the process's high-water mark of resident memory. Seconds are of the wall clock, which other work on the machine lengthens, and
beside them of the processor, added up over its cores.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd

from sales_tech.forecasting import PromotionForecaster

HORIZON = 28
FIT_SECONDS, PREDICT_SECONDS, GIGABYTES = 90, 20, 4


def panel(series: int, days: int, seed: int) -> pd.DataFrame:
    """Daily units of many SKUs with weekdays, discounts and prices; `days` and the horizon after them."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range("2025-01-06", periods=days + HORIZON)
    level = rng.lognormal(1.0, 1.2, series)[:, None]
    depth = np.where(rng.random((series, len(dates) // 7 + 1)) < 0.08, rng.choice([0.1, 0.2, 0.3], (series, len(dates) // 7 + 1)), 0.0)
    depth = np.repeat(depth, 7, axis=1)[:, : len(dates)]
    weekday = np.array([1.0, 0.9, 0.9, 1.0, 1.2, 1.5, 0.8])[dates.day_of_week]
    return pd.DataFrame(
        {
            "sku": np.repeat(np.arange(series), len(dates)),
            "date": np.tile(dates, series),
            "units": rng.poisson(level * weekday * np.exp(3 * depth)).ravel(),
            "discount_share": depth.ravel(),
            "price": np.repeat(rng.uniform(10, 500, series).round(2), len(dates)),
            "category": np.repeat(rng.integers(0, 20, series).astype(str), len(dates)),
        }
    )


def main() -> int:
    """Measure, print, and tell by the exit code whether the goals hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--learn-from", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = panel(given.series, given.days, given.seed)
    past = rows["date"] < rows["date"].min() + pd.Timedelta(days=given.days)
    forecaster = PromotionForecaster(
        ["sku"], plan=["discount_share", "price"], static=["category"], horizon=HORIZON, most_rows=given.learn_from
    )
    begun, busy = time.perf_counter(), time.process_time()
    forecaster.fit(rows[past])
    fitted, busy_fitted = time.perf_counter(), time.process_time()
    told = forecaster.predict(rows[~past].drop(columns="units"))
    predicted, busy_predicted = time.perf_counter(), time.process_time()
    figures = {
        "panel rows": int(past.sum()),
        "fit seconds": round(fitted - begun, 1),
        "fit processor seconds": round(busy_fitted - busy, 1),
        "rows told": len(told),
        "predict seconds": round(predicted - fitted, 1),
        "predict processor seconds": round(busy_predicted - busy_fitted, 1),
        "peak gigabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, 2),
    }
    for name, value in figures.items():
        print(f"{name:>26} {value:>12,}")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    goals = {"fit seconds": FIT_SECONDS, "predict seconds": PREDICT_SECONDS, "peak gigabytes": GIGABYTES}
    missed = [name for name, most in goals.items() if figures[name] > most]
    print("all goals hold" if not missed else f"missed: {', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
