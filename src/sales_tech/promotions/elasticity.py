"""How demand answers price and depth, by category and brand, within what was ever tried."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

from sales_tech.promotions.depth import attention, depth_response
from sales_tech.promotions.lifts import log_lift_at
from sales_tech.promotions.panel import Bools, Floats, Ints
from sales_tech.promotions.posterior import Posterior

STEP = 0.05
SMALLEST_CHANGE = 0.01
ALL_BRANDS = "all"
STRONG, FAIR = 0.3, 0.7
SMALLEST_LIFT, LARGEST_SCALE = 0.02, 6.0


def elasticity_frame(posterior: Posterior, level: float) -> pd.DataFrame:
    """One row per category, brand ('all' for the category) and depth; the columns of gold.price_elasticity but source.

    The row of depth 0 holds the elasticity: that of promotions and, of a category whose regular prices changed, that of
    these changes, each weighted by its precision. Depths outside those that were tried have no row.
    """
    panel, cells = posterior.panel, posterior.cells
    changed = np.abs(np.diff(np.log(panel.price), axis=1)) > SMALLEST_CHANGE
    changed &= np.arange(1, len(panel.days)) > panel.launched[:, None]
    rows: list[dict[str, object]] = []
    depths = np.where(np.isnan(cells.depths), 0.0, cells.depths)
    for category, name in enumerate(panel.categories):
        of_category = panel.category == category
        for brand, brand_name in [(-1, ALL_BRANDS), *enumerate(panel.brands)]:
            skus = of_category if brand < 0 else of_category & (panel.brand == brand)
            members = np.isin(cells.skus, np.flatnonzero(skus)) & (depths > 0)
            if not members.any() and (brand >= 0 or not changed[skus].any()):
                continue
            about = {"category": name, "brand": brand_name}
            rows += [about | row for row in _rows(posterior, category, brand, members, int(changed[skus].sum()), depths, level)]
    columns = [
        "category",
        "brand",
        "discount_share",
        "uplift",
        "uplift_low",
        "uplift_high",
        "elasticity",
        "elasticity_low",
        "elasticity_high",
    ]
    return pd.DataFrame(rows, columns=[*columns, "depth_from", "depth_to", "promotions", "price_changes", "evidence"])


def _rows(
    posterior: Posterior, category: int, brand: int, members: Bools, changes: int, depths: Floats, level: float
) -> list[dict[str, object]]:
    lifts, cells = posterior.lifts, posterior.cells
    slope = lifts.slope[:, category]
    if brand >= 0:
        slope = slope + lifts.brand_slope[:, category * len(posterior.panel.brands) + brand]
    promotions = len(np.unique(cells.promotions[members]))
    tried = depths[members]
    # By the usual mechanic, since only a slope and what is noticed of it together are seen.
    usual = np.bincount(posterior.mechanic[members]).argmax() if len(tried) else 0
    slope = slope * lifts.noticed[:, usual]
    found = {
        "depth_from": float(tried.min()) if len(tried) else np.nan,
        "depth_to": float(tried.max()) if len(tried) else np.nan,
        "promotions": promotions,
        "price_changes": changes,
    }
    mean, deviation = _combined(posterior, category, slope, tried, changed=changes > 0 and brand < 0)
    tail = (1 - level) / 2
    z = NormalDist().inv_cdf(1 - tail)
    ratio = 2 * z * deviation / max(abs(mean), 1e-9)
    evidence = "none" if promotions + changes == 0 else "strong" if ratio <= STRONG else "fair" if ratio <= FAIR else "thin"
    rows: list[dict[str, object]] = [
        {
            "discount_share": 0.0,
            "uplift": 0.0,
            "uplift_low": 0.0,
            "uplift_high": 0.0,
            "elasticity": mean,
            "elasticity_low": mean - z * deviation,
            "elasticity_high": mean + z * deviation,
            **found,
            "evidence": evidence,
        }
    ]
    if not len(tried):
        return rows
    grid = np.arange(np.ceil(tried.min() / STEP - 1e-9), np.floor(tried.max() / STEP + 1e-9) + 1) * STEP
    # What is given away has no price that demand could answer.
    for depth in grid[(grid > 0) & (grid < 1)].round(4).tolist():
        price = slope * depth_response(np.array(depth), lifts.shape)
        uplift = np.expm1(price + lifts.mechanic[:, usual] * float(attention(np.array(depth))))
        arc = price / float(depth_response(np.array(depth)))
        low, high = np.quantile(uplift, [tail, 1 - tail])
        arc_low, arc_high = np.quantile(arc, [tail, 1 - tail])
        rows.append(
            {
                "discount_share": depth,
                "uplift": float(uplift.mean()),
                "uplift_low": float(low),
                "uplift_high": float(high),
                "elasticity": float(arc.mean()),
                "elasticity_low": float(arc_low),
                "elasticity_high": float(arc_high),
                **found,
                "evidence": evidence,
            }
        )
    return rows


def _combined(posterior: Posterior, category: int, slope: Floats, tried: Floats, *, changed: bool) -> tuple[float, float]:
    # Cuts of promotions and changes of the regular price both tell how demand answers price. Of a price that never changed
    # the regular one is that of other categories, or of what rounding left of it.
    model = posterior.model.price_elasticity
    regular, regular_sd = float(model.mean[category]), max(float(model.deviation[category]), 0.05)
    if not len(tried):
        return regular, regular_sd
    depth = np.array(float(np.median(tried)))
    arc = slope * depth_response(depth, posterior.lifts.shape) / float(depth_response(depth))
    promoted, promoted_sd = float(arc.mean()), max(float(arc.std()), 0.05)
    if not changed or regular <= 0:
        return promoted, promoted_sd
    weight = regular_sd**-2 / (regular_sd**-2 + promoted_sd**-2)
    # What the two sources differ by is as uncertain as what each says by itself.
    mean = weight * regular + (1 - weight) * promoted
    return mean, float(np.sqrt(1 / (regular_sd**-2 + promoted_sd**-2) + weight * (1 - weight) * (regular - promoted) ** 2))


def units_at(posterior: Posterior, promotion: int, depth: float | None = None) -> tuple[Floats, Floats]:
    """Draws of a promotion's units, in all and above its baseline, had each of its SKUs been cut by `depth`; None: as planned.

    Raises ValueError outside the depths that its categories ever tried.
    """
    cells, lifts, panel = posterior.cells, posterior.lifts, posterior.panel
    rows = np.flatnonzero(cells.promotions == promotion)
    tried = cells.depths[np.isin(panel.category[cells.skus], panel.category[cells.skus[rows]])]
    if depth is not None and not np.nanmin(tried) <= depth <= np.nanmax(tried):
        raise ValueError(f"a cut of {depth:.0%} was never tried here; expected {np.nanmin(tried):.0%} to {np.nanmax(tried):.0%}")
    planned = np.nan_to_num(cells.depths[rows])
    asked = planned if depth is None else np.full(len(rows), depth)
    before, after = (predicted_lift(posterior, rows, depths) for depths in (planned, asked))
    # How strongly this promotion worked beside what was predicted of it stays, as a factor of its log lift.
    scale = np.clip(np.maximum(after, 0.0) / np.maximum(before, SMALLEST_LIFT), 0.0, LARGEST_SCALE)
    lift = lifts.log_lift[:, rows] * (scale if depth is not None else 1.0)
    baseline = posterior.baseline[:, rows]
    # What lifts multiply is demand that loses to no other promotion.
    units = (posterior.baseline + posterior.incremental)[:, rows] * np.exp(lift - lifts.log_lift[:, rows])
    return units.sum(axis=1), (units - baseline).sum(axis=1)


def predicted_lift(posterior: Posterior, rows: Ints, depths: Floats) -> Floats:
    """Draws of the log lift (draws, members) that the model predicts of members had they been cut by `depths`."""
    cells, lifts, panel = posterior.cells, posterior.lifts, posterior.panel
    category, brand = panel.category[cells.skus[rows]], panel.brand[cells.skus[rows]]
    mechanic = posterior.mechanic[rows]
    display = panel.promotions["display"].to_numpy(dtype=np.float64)[cells.promotions[rows]]
    slope = (lifts.slope[:, category] + lifts.brand_slope[:, category * len(panel.brands) + brand]) * lifts.noticed[:, mechanic]
    return log_lift_at(lifts, slope, mechanic, display, depths)
