"""What promotions would have sold at other depths: told beside true, and beside what luck alone leaves to know."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from sales_tech.promotions.elasticity import units_at
from sales_tech.promotions.posterior import Posterior
from sales_tech.twin.demand import Demand
from sales_tech.twin.truth import units_by_depth

# Percentage points beside the depth that was planned, and how many promotions are asked.
CHANGES = (-10, -5, 5, 10)
ASKED = 60
STRONGEST = 8.0


def judge_other_depths(demand: Demand, posterior: Posterior, sold: pd.Series) -> pd.DataFrame:
    """One row per promotion and other depth: promotion_id, depth, and units thrice, true, estimated and by an oracle.

    `units` at that depth, `planned` at the depth that was planned, `baseline` without the promotion; `_estimate` and `_oracle`
    beside each. `sold` has units sold by promotion. The oracle knows baseline and response to depth and is fooled by luck
    alone: it finds how strongly the promotion worked from what was sold.
    """
    names = posterior.panel.promotions["promotion_id"].tolist()
    codes = demand.retailer.promotions["code"].tolist()
    rows = []
    for promotion in sold.index[: ASKED * 2 : 2]:
        at = names.index(promotion)
        true = units_by_depth(demand, codes.index(promotion))
        strength = _strength(true, float(sold[promotion]))
        planned_estimate, extra = units_at(posterior, at)
        about = {
            "promotion_id": promotion,
            "planned": true(None, 1.0),
            "baseline": true(None, 0.0),
            "planned_estimate": float(planned_estimate.mean()),
            "baseline_estimate": float((planned_estimate - extra).mean()),
            "planned_oracle": true(None, strength),
            "baseline_oracle": true(None, 0.0),
        }
        planned = float(np.median(posterior.cells.depths[posterior.cells.promotions == at]))
        for change in CHANGES:
            percent = round(planned * 100) + change
            if percent <= 0:
                continue
            try:
                estimate, _ = units_at(posterior, at, percent / 100)
            except ValueError:
                continue  # a depth that its categories never tried: nothing is said, so nothing is judged
            units = {"units": true(percent, 1.0), "units_estimate": float(estimate.mean()), "units_oracle": true(percent, strength)}
            rows.append(about | {"depth": percent / 100} | units)
    return pd.DataFrame(rows)


def _strength(units: Callable[[int | None, float], float], sold: float) -> float:
    """How strongly a promotion would have worked, had what was sold been no luck; none where less was sold than without it."""

    def beyond(strength: float) -> float:
        return units(None, strength) - sold

    if beyond(0.0) >= 0 or beyond(STRONGEST) <= 0:
        return 0.0 if beyond(0.0) >= 0 else STRONGEST
    return float(brentq(beyond, 0.0, STRONGEST))
