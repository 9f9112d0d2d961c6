"""The synthetic retailer: all that is drawn once, before the first sale."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from sales_tech.twin.catalogue import Catalogue, make_catalogue
from sales_tech.twin.history import History, stream
from sales_tech.twin.market import Market, make_market
from sales_tech.twin.planning import make_promotions
from sales_tech.twin.scenario import Scenario, Size
from sales_tech.twin.shelf import make_stockouts
from sales_tech.twin.stores import make_stores

# Fixed, so that the bytes do not depend on today's date.
LAST_MONTH = date(2026, 6, 1)


@dataclass(frozen=True)
class Retailer:
    """Stores, assortment, market, promotion calendar and stock-outs of one seed.

    The frames are described by the functions that make them: `make_stores`, `make_promotions`, `make_stockouts`.
    """

    scenario: Scenario
    seed: int
    history: History
    catalogue: Catalogue
    stores: pd.DataFrame
    market: Market
    promotions: pd.DataFrame
    members: pd.DataFrame
    stockouts: pd.DataFrame


def make_retailer(scenario: Scenario, size: Size, seed: int, last_month: date = LAST_MONTH) -> Retailer:
    """Draw a retailer; the same arguments give the same one."""
    history = History.ending(last_month, size.months)
    catalogue = make_catalogue(history, size.skus, stream(seed, "catalogue"))
    stores = make_stores(history, size.stores, stream(seed, "stores"))
    market = make_market(history, catalogue, stores, scenario, seed)
    promotions, members = make_promotions(history, catalogue, market, scenario, size.promotions, stream(seed, "promotions"))
    dated = members.assign(**{name: promotions[name].to_numpy()[members["promotion"]] for name in ("start", "end")})
    stockouts = make_stockouts(size.skus, size.stores, len(history.days), dated, stream(seed, "stock-outs"))
    return Retailer(scenario, seed, history, catalogue, stores, market, promotions, members, stockouts)
