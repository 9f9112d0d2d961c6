"""How good a forecast of a synthetic retailer can be at all: that of an insider, who knows everything but the days to come.

    python benchmarks/forecast_bound.py [--difficulty hard] [--seeds 1,2] [--cutoffs 2] [--large] [--json]

The insider knows the retailer's laws with all their numbers, how each promotion will be answered, which shelves will be empty,
and at each origin the states of SKUs and regions as they are, which a forecaster has to tell from sales. What happens to them
later is drawn anew, and nobody knows it: the insider expects them to return as fast as their law says (and events of single SKUs
to end so, too). The oracle knows even that; what it errs is the chance of each sale. Both tell means, as forecasters do, though the least
WAPE is that of medians. WAPE of both beside that of the season before, on the panels of `forecast.py`; `reduction` is by how much
less the insider errs than the season before.
"""

from __future__ import annotations

import argparse
import json
import secrets
from typing import Any

import numpy as np
import pandas as pd
from forecast_panels import EXPECTED, LARGE, SIZE, twin_panel

from sales_tech.forecasting.peers import SeasonalNaive
from sales_tech.forecasting.rolling import backtest, rolling_cutoffs
from sales_tech.twin.market import REGION_HALF_LIFE
from sales_tech.twin.retailer import Retailer, make_retailer
from sales_tech.twin.scenario import SCENARIOS, Scenario, Size, scenario_named
from sales_tech.twin.stores import CHANNELS, REGIONS


def bounds(difficulty: str, size: Size, seed: int, count: int) -> dict[str, Any]:
    """WAPE of the season before, of the insider and of the oracle, over some rolling origins."""
    scenario, panel = scenario_named(difficulty), twin_panel(difficulty, seed, size)
    retailer = make_retailer(scenario, size, seed)
    cutoffs = rolling_cutoffs(panel.frame, panel.time, panel.freq, panel.horizon, count)
    naive = SeasonalNaive(panel.series, panel.time, panel.target, panel.plan, panel.static, panel.freq, panel.horizon)
    told = backtest(naive, panel.frame, cutoffs, panel.horizon)
    keys = [*panel.series, panel.time]
    told = told.drop(columns=[EXPECTED], errors="ignore").merge(panel.frame[[*keys, EXPECTED]], on=keys, validate="many_to_one")
    errors = {
        "seasonal_naive": _wape(told["actual"], told["mean"]),
        "insider": _wape(told["actual"], told[EXPECTED] * _share_known(retailer, scenario, told)),
        "oracle": _wape(told["actual"], told[EXPECTED]),
    }
    return {
        "difficulty": difficulty,
        "seed": seed,
        "rows": len(told),
        **errors,
        "reduction": 1 - errors["insider"] / errors["seasonal_naive"],
    }


def _wape(actual: pd.Series, told: pd.Series) -> float:
    return float((actual - told).abs().sum() / actual.sum())


def _share_known(retailer: Retailer, scenario: Scenario, told: pd.DataFrame) -> np.ndarray:
    """What is expected at the origin of each row over what came to be expected of its day, before any promotion."""
    market, stores = retailer.market, retailer.stores
    days = pd.DatetimeIndex(retailer.history.days.astype("datetime64[s]"))
    sku = pd.Index(retailer.catalogue.products["sku"]).get_indexer(pd.Index(told["sku"]))
    day, origin = days.get_indexer(pd.Index(told["date"])), days.get_indexer(pd.Index(told["cutoff"]))
    ahead = day - origin
    # The drift of a SKU goes on; what else its state is returns to the usual.
    wandering = market.state - market.drift
    own = _expected_state(wandering[sku, origin], scenario.sku_state_sd, scenario.sku_state_half_life, ahead)
    share = own / np.exp(wandering[sku, day])
    if market.region_day is None:
        return share
    channels = told["channel"].map({name: row for row, name in enumerate(CHANNELS)}).to_numpy()
    expected, came = np.zeros(len(told)), np.zeros(len(told))
    for channel in range(len(CHANNELS)):
        for region in range(len(REGIONS)):
            inside = ((stores["channel_row"] == channel) & (stores["region_row"] == region)).to_numpy()
            size = (market.affinity[:, inside] @ market.store_day[inside])[sku, day]
            states = np.log(market.region_day[sku, region])
            at = np.arange(len(told))
            here = channels == channel
            expected += here * size * _expected_state(states[at, origin], scenario.region_state_sd, REGION_HALF_LIFE, ahead)
            came += here * size * np.exp(states[at, day])
    return share * np.divide(expected, came, out=np.ones(len(told)), where=came > 0)


def _expected_state(now: np.ndarray, sd: float, half_life: float, ahead: np.ndarray) -> np.ndarray:
    """The mean of exp of an autoregression of order one, some days after it was `now`."""
    keep = 0.5 ** (ahead / half_life)
    told: np.ndarray = np.exp(now * keep + sd**2 * (1 - keep**2) / 2)
    return told


def main() -> None:
    """Print a line per seed, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--difficulty", default="hard", choices=sorted(SCENARIOS))
    parser.add_argument("--seeds", default="", help="fresh ones unless given")
    parser.add_argument("--cutoffs", type=int, default=2)
    parser.add_argument("--large", action="store_true", help="400 SKUs, not 60")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    seeds = [int(seed) for seed in given.seeds.split(",") if seed] or [secrets.randbelow(2**31)]
    found = [bounds(given.difficulty, LARGE if given.large else SIZE, seed, given.cutoffs) for seed in seeds]
    print(json.dumps(found) if given.json else pd.DataFrame(found).round(4).to_string(index=False))


if __name__ == "__main__":
    main()
