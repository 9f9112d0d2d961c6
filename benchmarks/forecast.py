"""How good forecasters are, side by side: rolling backtests over several panels.

    python benchmarks/forecast.py [--panel twin-default,olist] [--models ours,seasonal_naive,moving_average,mlforecast,oracle]
        [--seeds 11,12] [--cutoffs 3] [--data FOLDER] [--json]

Panels: twin-default and twin-hard (synthetic retailers of 60 SKUs with promotions, SKU by channel by day; of 400 SKUs with
`-large` behind), olist (a real marketplace, technology categories by week; `--data` holds its folder), intermittent and scales
(stress without promotions), stores, departments and items (whole stores by day with shut Sundays, weekly departments whose
trends turn, items that rarely sell at prices that change); where they are asked for, also rossmann, rossmann-plain,
rossmann-weeks, gifts and gifts-weeks (forecast_published.py tells where their data come from). Seeds are fresh unless given;
several are pooled. The models mlforecast, mlforecast_relative, mlforecast_scaled and mlforecast_squared (objective and scale
differ) need `pip install mlforecast lightgbm`. The oracle knows the mean of which a synthetic panel was drawn: its squared
error is that of chance (its WAPE not quite the least, which is the median's). Seconds are those of all fits and predictions
of a panel.
"""

from __future__ import annotations

import argparse
import importlib
import json
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from forecast_panels import EXPECTED, NAMES, REAL_DATA, NoData, Panel, make_panel
from forecast_published import PUBLISHED

from sales_tech.forecasting.evaluation import evaluate
from sales_tech.forecasting.rolling import backtest, rolling_cutoffs

SHOWN = ["rows", "wape", "bias", "rmsse", "rmspe", "mape", "pinball", "coverage"]
DEFAULT = "ours,seasonal_naive,moving_average,mlforecast,oracle"
# Module, class, and what it is told beside the columns of the panel.
MODELS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "ours": ("sales_tech.forecasting", "PromotionForecaster", {}),
    "seasonal_naive": ("sales_tech.forecasting.peers", "SeasonalNaive", {}),
    "moving_average": ("sales_tech.forecasting.peers", "MovingAverage", {}),
    "oracle": ("forecast_panels", "Oracle", {}),
    "mlforecast": ("forecast_boosting", "Boosting", {}),
    "mlforecast_relative": ("forecast_boosting", "Boosting", {"scale": "mean"}),
    "mlforecast_scaled": ("forecast_boosting", "Boosting", {"objective": "regression", "scale": "deviation"}),
    "mlforecast_squared": ("forecast_boosting", "Boosting", {"objective": "regression"}),
}


@dataclass(frozen=True)
class Compared:
    """One panel's predictions of all models, the past that scales their errors, and the seconds of each model."""

    name: str
    seeds: list[int]
    panel: Panel
    series: list[str]
    predictions: dict[str, pd.DataFrame]
    past: pd.DataFrame
    seconds: dict[str, float]

    def figures(self, by: list[str]) -> pd.DataFrame:
        """The evaluation of every model, by the columns named."""
        parts = []
        for model, told in self.predictions.items():
            given = told.drop(columns=[column for column in told.columns if told[column].isna().all()])
            parts.append(
                evaluate(given, by, self.past, series=self.series, time=self.panel.time, target=self.panel.target).assign(model=model)
            )
        return pd.concat(parts, ignore_index=True)


def models_at_hand(names: list[str]) -> dict[str, Callable[..., Any]]:
    """What can be imported of the models; says what cannot."""
    found = {}
    for name in names:
        module, kind, _ = MODELS[name]
        try:
            found[name] = getattr(importlib.import_module(module), kind)
        except (ImportError, AttributeError) as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    return found


def compare(name: str, seeds: list[int], models: dict[str, Callable[..., Any]], count: int, data: Path) -> Compared:
    """Backtest the models on a panel of each seed, all on the same cutoffs."""
    predictions: dict[str, list[pd.DataFrame]] = {model: [] for model in models}
    seconds = dict.fromkeys(models, 0.0)
    pasts = []
    for seed in seeds:
        panel = PUBLISHED[name](data) if name in PUBLISHED else make_panel(name, seed, data)
        cutoffs = rolling_cutoffs(panel.frame, panel.time, panel.freq, panel.horizon, count)
        about = {key: getattr(panel, key) for key in ("series", "time", "target", "plan", "static", "freq", "horizon")}
        for model, kind in models.items():
            if model == "oracle" and EXPECTED not in panel.frame.columns:
                continue
            begun = time.perf_counter()
            told = backtest(kind(**about, **MODELS[model][2]), panel.frame, cutoffs, panel.horizon)
            seconds[model] += time.perf_counter() - begun
            predictions[model].append(told.assign(seed=seed))
        pasts.append(panel.frame.assign(seed=seed))
    joined = {model: pd.concat(parts, ignore_index=True) for model, parts in predictions.items() if parts}
    return Compared(name, seeds, panel, [*panel.series, "seed"], joined, pd.concat(pasts, ignore_index=True), seconds)


def tables_of(compared: Compared) -> dict[str, pd.DataFrame]:
    """The figures overall, by promoted or not, and by category."""
    tables = {"overall": compared.figures([]).assign(seconds=lambda frame: frame["model"].map(compared.seconds))}
    if compared.panel.promoted:
        for told in compared.predictions.values():
            told["promoted"] = told[compared.panel.promoted] > 0
        tables["promoted"] = compared.figures(["promoted"])
    if compared.panel.group:
        tables[compared.panel.group] = compared.figures([compared.panel.group])
    return tables


def show(compared: Compared, tables: dict[str, pd.DataFrame]) -> None:
    """Print the tables, the one by category as WAPE, bias and coverage of each model."""
    frame = compared.panel.frame
    size = f"{frame[compared.panel.series].drop_duplicates().shape[0]} series, {len(frame):,} rows"
    print(f"\n{compared.name}, seeds {', '.join(map(str, compared.seeds))}: {size}, horizon {compared.panel.horizon}{compared.panel.freq}")
    with pd.option_context("display.width", 200, "display.max_columns", 30, "display.float_format", "{:.3f}".format):
        print(tables["overall"].set_index("model")[[*SHOWN, "seconds"]].to_string())
        if "promoted" in tables:
            print(tables["promoted"].set_index(["promoted", "model"]).sort_index()[SHOWN].to_string())
        if compared.panel.group:
            by_group = tables[compared.panel.group].pivot(index=compared.panel.group, columns="model", values=["wape", "bias", "coverage"])
            print(by_group.astype(float).dropna(axis=1, how="all").to_string())


def main() -> None:
    """Compare the models on each panel and print the tables, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--panel", default=",".join(NAMES))
    parser.add_argument("--models", default=DEFAULT)
    parser.add_argument("--seeds", default=str(secrets.randbelow(2**31)))
    parser.add_argument("--cutoffs", type=int, default=3)
    parser.add_argument("--data", type=Path, default=REAL_DATA)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    panels, names = given.panel.split(","), given.models.split(",")
    for kind, asked, known in (("panel", panels, (*NAMES, *PUBLISHED)), ("model", names, MODELS)):
        if unknown := [name for name in asked if name not in known]:
            parser.error(f"no {kind} {', '.join(unknown)}; expected {', '.join(known)}")
    models = models_at_hand(names)
    if not models:
        sys.exit("none of the models can be imported")
    seeds = [int(seed) for seed in given.seeds.split(",")]
    said = {}
    for panel in panels:
        try:
            compared = compare(panel, seeds[:1] if panel == "olist" or panel in PUBLISHED else seeds, models, given.cutoffs, given.data)
        except NoData as error:
            print(f"{panel} is left out: {error}", file=sys.stderr)
            continue
        tables = tables_of(compared)
        said[panel] = {"seeds": compared.seeds} | {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
        if not given.json:
            show(compared, tables)
    if given.json:
        print(json.dumps(said))


if __name__ == "__main__":
    main()
