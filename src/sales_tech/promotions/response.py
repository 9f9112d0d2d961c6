"""How a promotion to come would move units, by category, brand, mechanic, display and depth, within what was ever tried."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sales_tech.promotions.elasticity import ALL_BRANDS, STEP
from sales_tech.promotions.intervals import credible_interval
from sales_tech.promotions.lifts import log_lift_at
from sales_tech.promotions.panel import Floats
from sales_tech.promotions.posterior import Posterior

# fmt: off
COLUMNS = (
    "category", "brand", "mechanic", "display", "discount_share", "uplift", "uplift_low", "uplift_high", "works_share", "depth_from",
    "depth_to", "promotions",
)
# fmt: on


def response_frame(posterior: Posterior, level: float, seed: int) -> pd.DataFrame:
    """One row per category, brand ('all' for the category), mechanic, display and depth; gold.promotion_response but for source.

    `uplift` is the mean over baseline units of a promotion that is still to come, some of which do nothing at all; its
    interval is that of one promotion, with what is its own. Mechanics are those that the category
    has seen, displays those that were tried at all.
    """
    panel, cells, lifts = posterior.panel, posterior.cells, posterior.lifts
    rng = np.random.default_rng((seed, 2))
    draws = len(lifts.shape)
    # What is a promotion's own, and whether it works, is drawn once: so a deeper cut never sells less for the luck of the draw.
    spread, null_share = (lifts.hyper[name].to_numpy() for name in ("promotion", "null_share"))
    own = rng.normal(size=draws) * spread
    works = rng.random(draws) >= null_share
    depths = np.where(np.isnan(cells.depths), 0.0, cells.depths)
    mechanic = posterior.mechanic
    displays = sorted(set(panel.promotions["display"].fillna(0).astype(bool).tolist()))
    rows: list[dict[str, object]] = []
    for category, name in enumerate(panel.categories):
        members = (panel.category[cells.skus] == category) & (depths > 0)
        if not members.any():
            continue
        first, last = float(depths[members].min()), float(depths[members].max())
        grid = grid_of(first, last)
        for kind in np.unique(mechanic[members]).tolist():
            promotions = len(np.unique(cells.promotions[members & (mechanic == kind)]))
            about = {"category": name, "mechanic": posterior.mechanics[kind], "works_share": float(1 - null_share.mean())}
            about |= {"depth_from": first, "depth_to": last, "promotions": promotions}
            for brand in [-1, *np.unique(panel.brand[panel.category == category]).tolist()]:
                slope = lifts.slope[:, category]
                if brand >= 0:
                    slope = slope + lifts.brand_slope[:, category * len(panel.brands) + brand]
                slope = slope * lifts.noticed[:, kind]
                for display in displays:
                    logs = log_lift_at(lifts, slope[:, None], [kind], display, grid)
                    low, high = credible_interval(np.where(works[:, None], np.expm1(logs + own[:, None]), 0.0), level)
                    # The mean over that luck is known given the rest (Rao and Blackwell); drawn, it would stray by some 4 %.
                    uplift = ((1 - null_share[:, None]) * np.expm1(logs + spread[:, None] ** 2 / 2)).mean(axis=0)
                    told = about | {"brand": ALL_BRANDS if brand < 0 else panel.brands[brand], "display": display}
                    for at, depth in enumerate(grid.tolist()):
                        ends = {"uplift_low": float(low[at]), "uplift_high": float(high[at])}
                        rows.append(told | {"discount_share": depth, "uplift": float(uplift[at])} | ends)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def grid_of(first: float, last: float) -> Floats:
    """Depths in steps of five points from the smallest to the greatest that was tried, these included, but for goods given away."""
    steps = np.arange(np.ceil(first / STEP - 1e-9), np.floor(last / STEP + 1e-9) + 1) * STEP
    grid: Floats = np.unique(np.concatenate([[first], steps[steps > 0], [last]]).round(4))
    return grid[grid < 1]
