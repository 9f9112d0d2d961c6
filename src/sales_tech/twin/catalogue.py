"""The products on sale, from when to when, and what each costs over time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd

from sales_tech.twin.assortment import BRANDS, CATEGORIES, Category
from sales_tech.twin.history import Floats, History, Ints

LAUNCHED_LATER = 0.12
WITHDRAWN = 0.06
SHORTEST_LIFE = 90
# Regular prices change about every five months, each SKU's on days of its own.
DAYS_BETWEEN_PRICES = 150
PRICE_STEP_SD = 0.11


@dataclass(frozen=True)
class Catalogue:
    """The assortment, sorted by category.

    `products` has one row per SKU: sku, name, category, category_row, brand, brand_row, launch (position of
    its first day; 0 for those on sale before the history), withdrawn (position of the first day when it is
    not sold any more; after the history for most), popularity (share of demand before all else).
    `revisions` has one row per SKU and day on which its price changed: product, since (position of the
    day), price, cost (both centavos).
    """

    products: pd.DataFrame
    revisions: pd.DataFrame

    def prices(self, days: int, column: str = "price") -> Ints:
        """List price (or cost) in centavos by day and product; before its launch a product has its first price."""
        table: Ints = np.zeros((days, len(self.products)), dtype=np.int64)
        order = self.revisions.sort_values("since", kind="stable")
        for row, since, price in zip(order["product"], order["since"], order[column], strict=True):
            table[0 if table[0, row] == 0 else since :, row] = price
        return table

    def renamed(self, names: dict[int, str]) -> Catalogue:
        """The same assortment with other names for some products."""
        return replace(self, products=self.products.assign(name=[names.get(row, name) for row, name in enumerate(self.products["name"])]))


def price_ending(centavos: Floats) -> Ints:
    """The nearest price a shop would print: 4,90 and 89,90 and 449,00 and 3.499,00."""
    reais = centavos / 100
    step = np.select([reais < 50, reais < 500, reais < 2000], [1.0, 10.0, 50.0], 100.0)
    below = np.where(reais < 200, 0.10, 1.0)
    printed: Floats = np.maximum(np.rint(reais / step), 1) * step - below
    return np.rint(printed * 100).astype(np.int64)


def make_catalogue(history: History, skus: int, rng: np.random.Generator) -> Catalogue:
    """Invent an assortment and its prices over the history."""
    weights = np.array([category.weight for category in CATEGORIES])
    sizes = np.maximum(np.bincount(rng.choice(len(CATEGORIES), size=skus, p=weights / weights.sum()), minlength=len(CATEGORIES)), 1)
    while sizes.sum() > skus:
        sizes[sizes.argmax()] -= 1
    parts = [_category_products(row, size, rng) for row, size in enumerate(sizes.tolist())]
    products = pd.concat(parts, ignore_index=True)
    products["sku"] = [f"SKU-{10001 + row}" for row in range(skus)]
    price = price_ending(products.pop("about").to_numpy(dtype=np.float64))
    cost = np.rint(price * rng.uniform(0.30, 0.55, skus)).astype(np.int64)

    days = len(history.days)
    products["launch"], products["withdrawn"] = 0, days
    if days > 2 * SHORTEST_LIFE:
        later = rng.random(skus) < LAUNCHED_LATER
        products.loc[later, "launch"] = rng.integers(30, days - SHORTEST_LIFE, int(later.sum()))
        gone = ~later & (rng.random(skus) < WITHDRAWN)
        products.loc[gone, "withdrawn"] = rng.integers(SHORTEST_LIFE, days - 14, int(gone.sum()))
    appeal = rng.permutation(1 / (np.arange(skus) / skus * 300 + 8) ** 0.8) * (price / 10_000.0) ** -0.2
    products["popularity"] = appeal / appeal.sum()
    return Catalogue(products, _revisions(days, products, price, cost, rng))


def _category_products(row: int, size: int, rng: np.random.Generator) -> pd.DataFrame:
    category: Category = CATEGORIES[row]
    choices = list(product(range(len(BRANDS)), category.models, range(len(category.specs))))
    editions = -(-size // len(choices))
    drawn = [(edition, *choices[index]) for edition in range(editions) for index in rng.permutation(len(choices))][:size]
    grade = np.array([spec for _, _, _, spec in drawn]) + rng.uniform(0, 1, size)
    names = [
        f"{category.noun} {BRANDS[brand]} {model} {category.specs[spec]}" + (f" Série {edition + 1}" if edition else "")
        for edition, brand, model, spec in drawn
    ]
    return pd.DataFrame(
        {
            "name": names,
            "category": category.name,
            "category_row": row,
            "brand": [BRANDS[brand] for _, brand, _, _ in drawn],
            "brand_row": [brand for _, brand, _, _ in drawn],
            "about": 100 * category.lowest * (category.highest / category.lowest) ** (grade / len(category.specs)),
        }
    )


def _revisions(days: int, products: pd.DataFrame, price: Ints, cost: Ints, rng: np.random.Generator) -> pd.DataFrame:
    launch = products["launch"].to_numpy()
    changes = [
        (since, row)
        for row, first in enumerate(launch.tolist())
        for since in np.cumsum(rng.gamma(4, DAYS_BETWEEN_PRICES / 4, 2 + days // 60)).astype(np.int64) + first
        if since < days
    ]
    first_price = price.copy()
    rows = list(zip(range(len(launch)), launch.tolist(), price.tolist(), cost.tolist(), strict=True))
    for since, row in sorted(changes):
        # Prices wander about the first one: a walk would leave the range in which anybody buys.
        anchor = 0.5 * (price[row] + first_price[row]) * 1.02
        raised = price_ending(np.array([anchor * float(np.clip(rng.normal(1, PRICE_STEP_SD), 0.78, 1.25))]))[0]
        if raised == price[row]:
            continue
        price[row], cost[row] = raised, min(round(cost[row] * rng.uniform(0.99, 1.04)), raised * 62 // 100)
        rows.append((row, since, price[row], cost[row]))
    return pd.DataFrame(rows, columns=["product", "since", "price", "cost"]).astype(np.int64)
