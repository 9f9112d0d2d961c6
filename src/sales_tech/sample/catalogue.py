"""The products on sale and what each costs from when on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd

from sales_tech.sample.assortment import BRANDS, CATEGORIES, Category
from sales_tech.sample.history import Floats, History, Ints

LAUNCHED_LATER = 0.12
REPRICED_EACH_HALF_YEAR = 0.6


@dataclass(frozen=True)
class Catalogue:
    """The assortment.

    `products` has one row per SKU: sku, name, category, brand, launch (position of its first day),
    popularity (share of order lines, before season and promotion).
    `revisions` has one row per SKU and day on which its price changed: product, since (position of the
    day), price, cost (both centavos).
    """

    products: pd.DataFrame
    revisions: pd.DataFrame

    def prices(self, days: int) -> Ints:
        """List price in centavos by day and product; before its launch a product has its first price."""
        table: Ints = np.zeros((days, len(self.products)), dtype=np.int64)
        order = self.revisions.sort_values("since", kind="stable")
        for row, since, price in zip(order["product"], order["since"], order["price"], strict=True):
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
    sizes = np.bincount(np.sort(rng.choice(len(CATEGORIES), size=skus, p=weights / weights.sum())), minlength=len(CATEGORIES))
    parts = [_category_products(category, size, rng) for category, size in zip(CATEGORIES, sizes.tolist(), strict=True)]
    products = pd.concat(parts, ignore_index=True)
    products["sku"] = [f"SKU-{10001 + row}" for row in range(skus)]
    price = price_ending(products.pop("about").to_numpy(dtype=np.float64))
    cost = np.rint(price * rng.uniform(0.60, 0.85, skus)).astype(np.int64)

    quarters = [history.position(month) for month in history.months[1:] if month.month % 3 == 1]
    products["launch"] = 0
    if quarters:
        later = rng.random(skus) < LAUNCHED_LATER
        products.loc[later, "launch"] = rng.choice(quarters, size=int(later.sum()))
    appeal = rng.permutation(1 / (np.arange(skus) + 4) ** 0.9) * (price / 10_000.0) ** -0.3
    products["popularity"] = appeal / appeal.sum()
    return Catalogue(products, _revisions(history, products["launch"].to_numpy(), price, cost, rng))


def _category_products(category: Category, size: int, rng: np.random.Generator) -> pd.DataFrame:
    choices = list(product(BRANDS, category.models, range(len(category.specs))))
    editions = -(-size // len(choices))
    drawn = [(edition, *choices[index]) for edition in range(editions) for index in rng.permutation(len(choices))][:size]
    grade = np.array([spec for _, _, _, spec in drawn]) + rng.uniform(0, 1, size)
    names = [
        f"{category.noun} {brand} {model} {category.specs[spec]}" + (f" Série {edition + 1}" if edition else "")
        for edition, brand, model, spec in drawn
    ]
    return pd.DataFrame(
        {
            "name": names,
            "category": category.name,
            "brand": [brand for _, brand, _, _ in drawn],
            "about": 100 * category.lowest * (category.highest / category.lowest) ** (grade / len(category.specs)),
        }
    )


def _revisions(history: History, launch: Ints, price: Ints, cost: Ints, rng: np.random.Generator) -> pd.DataFrame:
    parts = [pd.DataFrame({"product": np.arange(len(launch)), "since": launch, "price": price, "cost": cost})]
    for month in history.months[1:]:
        since = history.position(month)
        if month.month in (1, 7):
            raised = price_ending(price * rng.normal(1.03, 0.07, len(price)).clip(0.85, 1.2))
            dearer = np.rint(cost * rng.uniform(0.99, 1.05, len(cost))).astype(np.int64)
            chosen = (launch < since) & (rng.random(len(price)) < REPRICED_EACH_HALF_YEAR) & (raised != price)
            price, cost = np.where(chosen, raised, price), np.where(chosen, np.minimum(dearer, raised * 85 // 100), cost)
            rows = np.flatnonzero(chosen)
            parts.append(pd.DataFrame({"product": rows, "since": since, "price": price[rows], "cost": cost[rows]}))
    return pd.concat(parts, ignore_index=True)
