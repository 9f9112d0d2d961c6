"""Small synthetic retailers for the tests."""

from __future__ import annotations

from functools import lru_cache

from sales_tech.twin.demand import Demand
from sales_tech.twin.retailer import make_retailer
from sales_tech.twin.scenario import Size, scenario_named

SMALL = Size(stores=6, skus=36, months=6, promotions=20)


@lru_cache
def demand_of(difficulty: str = "default", size: Size = SMALL, seed: int = 7) -> Demand:
    return Demand(make_retailer(scenario_named(difficulty), size, seed))
