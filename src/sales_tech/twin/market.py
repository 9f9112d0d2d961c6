"""What the customers are like: the parts of demand that no promotion touches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sales_tech.twin.assortment import BRANDS, CATEGORIES
from sales_tech.twin.catalogue import Catalogue
from sales_tech.twin.dates import day_factors
from sales_tech.twin.history import Floats, History, stream
from sales_tech.twin.scenario import Scenario
from sales_tech.twin.stores import CHANNELS, REGIONS

LAUNCH_RAMP_DAYS = 35
WITHDRAWAL_DAYS = 30
REGION_HALF_LIFE = 20.0
STORE_DAY_SD = 0.08
STORE_WEEK_SD = 0.06
AFFINITY_SD = 0.35
YEARLY_GROWTH = {"loja": 0.04, "online": 0.2}


@dataclass(frozen=True)
class Market:
    """Demand without promotions, as factors that multiply.

    `sku_day` (SKU, channel, day) holds popularity, season, weekday, trend, regular price, launch and
    withdrawal and the SKU's own state; `region_day` (SKU, region, day) or None; `affinity` (SKU, store);
    `store_day` (store, day). `state` (SKU, day) is the log state alone, which planners react to, `drift` (SKU, day) what of it
    goes on in a straight line.
    `elasticity` by SKU is the semi-logarithmic response to price, `log demand = -elasticity * price / first price`.
    """

    sku_day: Floats
    region_day: Floats | None
    affinity: Floats
    store_day: Floats
    state: Floats
    drift: Floats
    elasticity: Floats
    relative_price: Floats


def make_market(history: History, catalogue: Catalogue, stores: pd.DataFrame, scenario: Scenario, seed: int) -> Market:
    """Draw a market; the mean of its demand over what is on sale is the scenario's units per cell."""
    products, days, skus = catalogue.products, len(history.days), len(catalogue.products)
    elasticity = _elasticities(products, scenario, stream(seed, "elasticities"))
    prices = catalogue.prices(days).T.astype(np.float64)
    relative_price = prices / prices[:, :1]

    rng = stream(seed, "states")
    state = _wander(rng, (skus, days), scenario.sku_state_sd, scenario.sku_state_half_life)
    drift = np.linspace(0, 1, days) * rng.normal(0, 0.15, skus)[:, None] * days / 550
    state += drift
    if scenario.sku_event_rate:
        state += _events(stream(seed, "events of SKUs"), (skus, days), scenario.sku_event_rate)

    log_demand = np.log(products["popularity"].to_numpy())[:, None] + state - elasticity[:, None] * (relative_price - 1)
    growth = np.log1p(np.array([YEARLY_GROWTH[channel] for channel in CHANNELS]))[:, None] * np.arange(days) / 365.25
    trend = stream(seed, "trends").normal(0, 0.08, len(CATEGORIES))[:, None] * np.arange(days) / 365.25
    rows = products["category_row"].to_numpy()
    factors = day_factors(history)[rows] * np.exp(growth)[None] * np.exp(trend)[rows][:, None, :]
    sku_day = np.exp(log_demand)[:, None, :] * factors * _life(products, days)[:, None, :]

    rng = stream(seed, "stores by day")
    store_day = (
        np.exp(rng.normal(0, STORE_DAY_SD, (len(stores), days)) + _wander(rng, (len(stores), days), STORE_WEEK_SD, 5.0))
        * stores["weight"].to_numpy()[:, None]
    )
    store_day = np.where(np.arange(days) >= stores["opened"].to_numpy()[:, None], store_day, 0.0)
    affinity = np.exp(stream(seed, "affinities").normal(0, AFFINITY_SD, (skus, len(stores))))
    region_day = None
    if scenario.region_state_sd:
        region_day = np.exp(_wander(stream(seed, "regions"), (skus * len(REGIONS), days), scenario.region_state_sd, REGION_HALF_LIFE))
        region_day = region_day.reshape(skus, len(REGIONS), days)

    channel = stores["channel_row"].to_numpy()
    total = sum(
        float((affinity[:, channel == row] @ store_day[channel == row]).ravel() @ sku_day[:, row].ravel()) for row in range(len(CHANNELS))
    )
    cells = float(((sku_day[:, 1] > 0).sum(axis=0) * (store_day > 0).sum(axis=0)).sum())
    return Market(
        sku_day * (scenario.units_per_cell * cells / total), region_day, affinity, store_day, state, drift, elasticity, relative_price
    )


def _elasticities(products: pd.DataFrame, scenario: Scenario, rng: np.random.Generator) -> Floats:
    of_category = rng.uniform(1.8, 3.6, len(CATEGORIES))
    of_brand = rng.normal(0, 0.25, (len(CATEGORIES), len(BRANDS)))
    rows, brands = products["category_row"].to_numpy(), products["brand_row"].to_numpy()
    drawn: Floats = np.clip(of_category[rows] + of_brand[rows, brands], 1.0, 4.5)
    return drawn * scenario.lift_scale


def _wander(rng: np.random.Generator, shape: tuple[int, int], sd: float, half_life: float) -> Floats:
    # A stationary autoregression of order one: it comes back to zero, so what sells slowly today recovers by itself.
    keep = 0.5 ** (1 / half_life)
    steps = rng.normal(0, sd * (1 - keep**2) ** 0.5, shape)
    steps[:, 0] = rng.normal(0, sd, shape[0])
    for day in range(1, shape[1]):
        steps[:, day] += keep * steps[:, day - 1]
    return steps


def _events(rng: np.random.Generator, shape: tuple[int, int], rate: float) -> Floats:
    # `rate` is the mean number of events of a SKU in 550 days: a review, a rival's price, an influencer.
    skus, days = shape
    effect: Floats = np.zeros(shape)
    for sku in np.repeat(np.arange(skus), rng.poisson(rate * days / 550, skus)).tolist():
        start, length = int(rng.integers(0, days)), int(rng.integers(7, 31))
        effect[sku, start : start + length] += rng.normal(0, 0.35)
    return effect


def _life(products: pd.DataFrame, days: int) -> Floats:
    launch, withdrawn = products["launch"].to_numpy()[:, None], products["withdrawn"].to_numpy()[:, None]
    at = np.arange(days)
    ramp = np.where(launch == 0, 1.0, np.clip((at - launch + 8) / LAUNCH_RAMP_DAYS, 0.0, 1.0))
    decline = np.where(withdrawn >= days, 1.0, np.clip((withdrawn - at + 10) / (WITHDRAWAL_DAYS + 10), 0.0, 1.0))
    life: Floats = ramp * decline * (at >= launch) * (at < withdrawn)
    return life
