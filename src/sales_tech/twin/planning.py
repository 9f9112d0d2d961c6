"""The promotion calendar, planned as people plan: in high season, and for what sells slowly."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sales_tech.twin.assortment import CATEGORIES
from sales_tech.twin.catalogue import Catalogue
from sales_tech.twin.dates import day_factors, seasons_of
from sales_tech.twin.history import Floats, History, Ints
from sales_tech.twin.market import Market
from sales_tech.twin.scenario import Scenario
from sales_tech.twin.stores import CHANNELS, REGIONS

# Promotions are entered a quarter ahead, so the calendar also holds some without sales yet.
PLANNED_AHEAD = 75
PLANNED_PER_PROMOTION = 0.08
EFFECTLESS_SHARE = 0.22
MECHANICS = ("percentual", "cupom", "combo", "relampago")
MECHANIC_SHARES = (0.5, 0.2, 0.15, 0.15)
DEPTHS = {"percentual": (5, 10, 15, 20, 25, 30, 40), "cupom": (5, 10, 15, 20), "combo": (10, 15, 20, 25), "relampago": (15, 20, 25, 30, 40)}
DAYS = {"percentual": (7, 22), "cupom": (10, 25), "combo": (10, 25), "relampago": (2, 6)}
SKUS = (3, 11)
FIRST_START = 28
# How much less likely a SKU is taken that already has another promotion about that time.
TAKEN = 0.05


def make_promotions(
    history: History, catalogue: Catalogue, market: Market, scenario: Scenario, size: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The promotions by start, and their members.

    The first frame has a row per promotion: code, name, mechanic, start, end (positions, both inclusive, after
    the history for those only planned), channel and region (blank: all), display, effectless, shock. The second
    has a row per promotion and SKU: promotion, product (rows), percent, investment (centavos).
    """
    days = len(history.days)
    products = {name: catalogue.products[name].to_numpy() for name in ("launch", "withdrawn", "category_row")}
    first_price = catalogue.revisions["price"].to_numpy()
    appeal = _season_appeal(history)
    starts = np.arange(min(FIRST_START, days // 2), days - 8)
    weights = np.exp(scenario.selection * appeal[starts])
    drawn = np.sort(rng.choice(starts, size=size, p=weights / weights.sum()))
    planned = days + rng.integers(2, PLANNED_AHEAD, max(2, round(PLANNED_PER_PROMOTION * size)))
    rows: list[tuple[object, ...]] = []
    members: list[tuple[int, int, int, int]] = []
    busy_until = np.full(len(catalogue.products), -1)
    for number, start in enumerate([*drawn.tolist(), *sorted(planned.tolist())]):
        mechanic = MECHANICS[rng.choice(len(MECHANICS), p=MECHANIC_SHARES)]
        end = start + int(rng.integers(*DAYS[mechanic])) - 1
        busy = busy_until >= start
        free = np.where(busy, TAKEN, 1.0)
        category = int(rng.choice(products["category_row"], p=free / free.sum()))
        chosen = _choose(products, market, category, min(start, days - 1), busy, scenario.selection, rng)
        busy_until[chosen] = np.maximum(busy_until[chosen], end + 14)
        depth = _depth(mechanic, rng)
        scope = rng.random()
        region = REGIONS[rng.choice(len(REGIONS), p=(0.4, 0.2, 0.2, 0.1, 0.1))] if scope >= scenario.national_share else ""
        channel = ""
        if region and rng.random() < 0.3:
            region, channel = "", CHANNELS[int(rng.integers(0, 2))]
        name = _name(history, start, mechanic, CATEGORIES[category].name)
        flags = (rng.random() < 0.4, rng.random() < EFFECTLESS_SHARE, scenario.hidden_shock > 0 and rng.random() < 1 / 3)
        rows.append((f"P{number + 1:04d}", name, mechanic, start, end, channel, region, *flags))
        for row in chosen.tolist():
            percent = depth if rng.random() < 0.7 else _depth(mechanic, rng)
            members.append((number, row, percent, _investment(market, row, int(first_price[row]), start, end, rng)))
    columns = ["code", "name", "mechanic", "start", "end", "channel", "region", "display", "effectless", "shock"]
    return pd.DataFrame(rows, columns=columns), pd.DataFrame(members, columns=["promotion", "product", "percent", "investment"])


def _season_appeal(history: History) -> Floats:
    # The level of the ten days from a day on, and how far it stands above the four weeks before: campaigns open with the season.
    factors = day_factors(history)[:, 1].mean(axis=0)
    level = np.log(factors / factors.mean())
    total = np.concatenate([[0.0], np.cumsum(level)])
    at = np.arange(len(level))
    ahead, behind = np.minimum(at + 10, len(level)), np.maximum(at - 28, 0)
    coming = (total[ahead] - total[at]) / (ahead - at)
    past = (total[at] - total[behind]) / np.maximum(at - behind, 1)
    appeal: Floats = 0.6 * coming + 1.2 * (coming - past)
    return appeal


def _choose(
    products: dict[str, Ints], market: Market, category: int, day: int, busy: NDArray[np.bool_], selection: float, rng: np.random.Generator
) -> Ints:
    of_category = products["category_row"] == category
    eligible = np.flatnonzero((products["launch"] <= day - 14) & (products["withdrawn"] > day + 7) & of_category)
    if not len(eligible):
        eligible = np.flatnonzero(of_category)
    slow = -market.state[eligible, max(day - 7, 0)]
    weights = np.exp(4.0 * selection * slow) * np.where(busy[eligible], TAKEN, 1.0)
    size = min(len(eligible), max(1, len(eligible) // 2), int(rng.integers(*SKUS)))
    return np.sort(rng.choice(eligible, size=size, replace=False, p=weights / weights.sum()))


def _depth(mechanic: str, rng: np.random.Generator) -> int:
    # Shallow cuts are planned more often than deep ones.
    depths = np.array(DEPTHS[mechanic])
    return int(rng.choice(depths, p=depths**-0.5 / (depths**-0.5).sum()))


def _investment(market: Market, row: int, price: int, start: int, end: int, rng: np.random.Generator) -> int:
    # About what a shop spends on shelf and advertising for the sales that it is used to.
    day = min(start, market.sku_day.shape[2] - 1)
    usual = float(market.sku_day[row, :, max(day - 28, 0) : day + 1].mean() * market.affinity[row].sum())
    return round(usual * (end - start + 1) * price * rng.uniform(0.005, 0.04))


def _name(history: History, start: int, mechanic: str, category: str) -> str:
    day = history.first + timedelta(days=start)
    if mechanic == "relampago":
        return f"Relâmpago {category}"
    for name, first, last, _, _ in seasons_of(day.year):
        if first - timedelta(days=5) <= day <= last:
            return f"{name} {category}"
    return {"percentual": f"Ofertas {category}", "cupom": f"Cupom {category}", "combo": f"Combo {category}"}[mechanic]
