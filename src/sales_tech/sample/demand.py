"""How many order lines there are of each product on each day and channel.

Expected lines are a product of factors: popularity, growth, weekday, month, payday, price, launch and
promotion. A promotion multiplies demand by `1 + LIFT[mechanic] * discount`, and the week after it sells
less, since some customers bought early.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sales_tech.sample.catalogue import Catalogue
from sales_tech.sample.history import Floats, History, Ints
from sales_tech.sample.places import CHANNELS
from sales_tech.sample.promotions import NO_PROMOTION

# Uplift for each full unit of discount share: 20 % off in a "percentual" campaign sells 1.8 times as much.
LIFT = {"percentual": 4.0, "cupom": 3.0, "combo": 2.5, "relampago": 7.0}
DIP_AFTER_PROMOTION = 0.88
DIP_DAYS = 7
PRICE_ELASTICITY = -1.3
LAUNCH_RAMP_DAYS = 35

ONLINE_SHARE = 0.4
YEARLY_GROWTH = {"loja": 0.05, "online": 0.24}
WEEKDAYS = {"loja": (0.85, 0.85, 0.92, 1.0, 1.2, 1.5, 0.62), "online": (1.12, 1.06, 1.02, 1.0, 0.95, 0.9, 0.95)}
MONTHS = (0.96, 0.9, 0.98, 0.95, 1.06, 0.99, 0.96, 1.0, 0.94, 1.0, 1.2, 1.32)
SHOPS_CLOSED = ((1, 1), (12, 25))


@dataclass(frozen=True)
class Demand:
    """One entry per order line: the row of its channel, the position of its day, the row of its product."""

    channel: Ints
    day: Ints
    product: Ints


def day_factors(history: History, channel: str) -> Floats:
    """What a day is worth in a channel, whatever the product."""
    days = history.days
    weekday = (days.astype(np.int64) + 3) % 7
    month = days.astype("datetime64[M]").astype(np.int64) % 12
    of_month = (days - days.astype("datetime64[M]")).astype(np.int64) + 1
    # Brazilian salaries are due by the fifth working day, with an advance around the 20th.
    payday = np.select([(of_month >= 5) & (of_month <= 9), of_month == 20, of_month >= 27], [1.15, 1.08, 0.92], 1.0)
    growth = (1 + YEARLY_GROWTH[channel]) ** (np.arange(len(days)) / 365.25)
    factors: Floats = np.array(WEEKDAYS[channel])[weekday] * np.array(MONTHS)[month] * payday * growth
    if channel == "loja":
        for closed_month, closed_day in SHOPS_CLOSED:
            factors = np.where((month == closed_month - 1) & (of_month == closed_day), 0.0, factors)
    return factors


def promotion_factors(active: Ints, promotions: pd.DataFrame) -> Floats:
    """What the promotions in force, and those just past, multiply demand by; shaped as `active`."""
    lift = 1 + promotions["mechanic"].map(LIFT).to_numpy(dtype=np.float64) * promotions["percent"].to_numpy() / 100
    on = active != NO_PROMOTION
    so_far = np.cumsum(on, axis=1, dtype=np.int64)
    before = np.zeros_like(so_far)
    before[:, DIP_DAYS + 1 :] = so_far[:, : -DIP_DAYS - 1]
    dip = np.where(so_far > before, DIP_AFTER_PROMOTION, 1.0)
    return np.where(on, np.append(lift, 1.0)[active], dip)


def expected_lines(history: History, catalogue: Catalogue, promotions: pd.DataFrame, active: Ints, lines_per_day: float) -> Floats:
    """Expected order lines by channel, day and product; their mean over the days is `lines_per_day`."""
    channels = np.array([1 - ONLINE_SHARE, ONLINE_SHARE])[:, None] * [day_factors(history, channel) for channel in CHANNELS]
    prices = catalogue.prices(len(history.days))
    age = np.arange(len(history.days))[:, None] - catalogue.products["launch"].to_numpy()
    on_sale_from_start = catalogue.products["launch"].to_numpy() == 0
    ramp = np.where(on_sale_from_start, 1.0, np.clip((age + 5) / LAUNCH_RAMP_DAYS, 0.1, 1.0) * (age >= 0))
    products = catalogue.products["popularity"].to_numpy() * ramp * (prices / prices[0]) ** PRICE_ELASTICITY
    relative = channels[:, :, None] * products[None] * promotion_factors(active, promotions)
    expected: Floats = relative * (lines_per_day * len(history.days) / relative.sum())
    return expected


def draw_lines(expected: Floats, rng: np.random.Generator) -> Demand:
    """Draw the lines; good and bad days beyond what the factors say are a few percent."""
    mood = rng.gamma(120, 1 / 120, size=expected.shape[:2])
    counts = rng.poisson(expected * mood[:, :, None])
    cells = np.nonzero(counts)
    channel, day, product = (np.repeat(axis, counts[cells]) for axis in cells)
    return Demand(channel, day, product)
