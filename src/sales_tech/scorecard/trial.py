"""One retailer of one seed: what the estimation, the naive comparison and an oracle say of its promotions, beside the truth."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sales_tech.promotions.assembly import build_panel
from sales_tech.promotions.effects import PromotionEffects
from sales_tech.promotions.frames import SourceFrames
from sales_tech.promotions.naive import before_after
from sales_tech.scorecard.what_ifs import judge_other_depths
from sales_tech.twin.demand import Demand
from sales_tech.twin.observed import observed_daily, observed_products, observed_promotions, observed_stockouts
from sales_tech.twin.retailer import make_retailer
from sales_tech.twin.scenario import Size, scenario_named
from sales_tech.twin.truth import elasticity_truth, promotion_truth

STANDARD = Size(stores=50, skus=300, months=18, promotions=240)


@dataclass(frozen=True)
class Trial:
    """What one seed showed.

    `promotions` has a row per complete promotion: the columns of `promotion_truth`, and estimate, low, high, net_estimate,
    margin_estimate, successful, naive, naive_successful, oracle. `elasticities` has category, elasticity, estimate;
    `what_ifs` the columns of `judge_other_depths`. `seconds` is the estimation alone.
    """

    difficulty: str
    seed: int
    seconds: float
    promotions: pd.DataFrame
    elasticities: pd.DataFrame
    what_ifs: pd.DataFrame


def run_trial(difficulty: str, seed: int, size: Size = STANDARD) -> Trial:
    """Draw a retailer, estimate its promotions from what it would show, and put the truth beside them."""
    retailer = make_retailer(scenario_named(difficulty), size, seed)
    demand = Demand(retailer)
    frames = SourceFrames(
        observed_daily(demand), observed_products(retailer), retailer.stores, observed_promotions(retailer), observed_stockouts(retailer)
    )
    truth = promotion_truth(demand)
    begun = time.perf_counter()
    panel = build_panel(frames)
    effects = PromotionEffects().fit(panel)
    seconds = time.perf_counter() - begun
    found = effects.results_.set_index("promotion_id")
    table = truth[truth["complete"]].set_index("promotion_id")
    table["estimate"] = found["incremental_units"]
    table["low"], table["high"] = found["incremental_units_low"], found["incremental_units_high"]
    table["net_estimate"], table["margin_estimate"], table["successful"] = found["net_units"], found["net_margin"], found["successful"]
    naive = before_after(panel).set_index("promotion_id")
    table["naive"], table["naive_successful"] = naive["incremental_units"], naive["successful"]
    sold = _sold(demand, table.index)
    # Whoever knows the true baseline is still fooled by chance: sold units less it are the noise floor.
    table["oracle"] = sold - table["baseline"]
    slopes = effects.elasticity_[(effects.elasticity_["brand"] == "all") & (effects.elasticity_["discount_share"] == 0)]
    elasticities = elasticity_truth(demand).set_index("category")
    elasticities["estimate"] = slopes.set_index("category")["elasticity"]
    assert effects.posterior_ is not None
    what_ifs = judge_other_depths(demand, effects.posterior_, sold)
    return Trial(difficulty, seed, seconds, table.reset_index(), elasticities.reset_index(), what_ifs)


def _sold(demand: Demand, wanted: pd.Index) -> pd.Series:
    """Units sold of the wanted promotions' SKUs in their stores and days."""
    retailer = demand.retailer
    size = len(retailer.catalogue.products), len(retailer.stores), len(retailer.history.days)
    units = np.zeros(size, dtype=np.int32)
    for first, stop in demand.windows():
        units[:, :, first:stop] = demand.sales(first, stop)[1]
    rows = dict.fromkeys(wanted, 0.0)
    codes = retailer.promotions["code"].tolist()
    for member in demand.response.members:
        if codes[member.promotion] in rows:
            rows[codes[member.promotion]] += float(units[member.product, member.stores, member.start : member.end + 1].sum())
    return pd.Series(rows)
