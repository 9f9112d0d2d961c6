"""Estimates made up from the frames of a source, so that a test knows what must become of them."""

from __future__ import annotations

import pandas as pd

from sales_tech.promotions.frames import Estimates, SourceFrames

BANDS = ("baseline_units", "incremental_units", "cannibalised_units", "halo_units", "pulled_forward_units", "net_units", "net_margin")
NOWHERE = ("name", "mechanic", "channel", "region")


def result(promotion_id: str = "PR1", **columns: object) -> dict[str, object]:
    """A row of results: 30 units sold where 20 were expected, and each figure of its own."""
    row: dict[str, object] = {
        "promotion_id": promotion_id,
        "name": "Promoção",
        "mechanic": "percentual",
        "starts_on": pd.Timestamp("2026-01-10"),
        "ends_on": pd.Timestamp("2026-01-19"),
        "channel": None,
        "region": None,
        "display": None,
        "skus": 1,
        "stores": 1,
        "days": 10,
        "discount_share": 0.2,
        "actual_units": 30.0,
        "baseline_units": 20.0,
        "incremental_units": 10.0,
        "cannibalised_units": 3.0,
        "halo_units": 1.0,
        "pulled_forward_units": 2.0,
        "net_units": 6.0,
        "actual_revenue": 240.0,
        "baseline_revenue": 200.0,
        "incremental_revenue": 40.0,
        "net_revenue": 10.0,
        "discount_given": 60.0,
        "investment": 5.0,
        "base_margin": 80.0,
        "incremental_margin": 20.0,
        "cannibalised_margin": 12.0,
        "halo_margin": 4.0,
        "pulled_forward_margin": 8.0,
        "net_margin": -1.0,
        "return_on_investment": -0.2,
        "success_probability": 0.95,
        "confidence": 0.95,
        "successful": True,
        "evidence": "fair",
        "evidence_notes": None,
    } | columns
    for name in BANDS:
        middle = row[name]
        assert isinstance(middle, int | float)
        row.setdefault(f"{name}_low", middle - 1)
        row.setdefault(f"{name}_high", middle + 1)
    return row


def day(sold_on: str, promotion_id: str = "PR1", sku: str = "A", **columns: object) -> dict[str, object]:
    """A row of daily: 3 units sold where 2 were expected."""
    return {
        "promotion_id": promotion_id,
        "sku": sku,
        "sold_on": pd.Timestamp(sold_on),
        "phase": "during",
        "actual_units": 3.0,
        "baseline_units": 2.0,
        "uplift_units": 0.75,
        "unexplained_units": 0.25,
        "baseline_low": 1.5,
        "baseline_high": 2.5,
        "share": 1.0,
        "net_sales": 24.0,
        "list_price": 10.0,
    } | columns


def elasticity(**columns: object) -> dict[str, object]:
    """A row of elasticity."""
    return {
        "category": "Notebooks",
        "brand": "all",
        "discount_share": 0.0,
        "uplift": 0.0,
        "uplift_low": 0.0,
        "uplift_high": 0.0,
        "elasticity": -2.0,
        "elasticity_low": -2.5,
        "elasticity_high": -1.5,
        "depth_from": 0.1,
        "depth_to": 0.3,
        "promotions": 1,
        "price_changes": 0,
        "evidence": "thin",
    } | columns


def response(**columns: object) -> dict[str, object]:
    """A row of response."""
    return {
        "category": "Notebooks",
        "brand": "all",
        "mechanic": "percentual",
        "display": False,
        "discount_share": 0.2,
        "uplift": 0.4,
        "uplift_low": 0.0,
        "uplift_high": 0.7,
        "works_share": 0.8,
        "depth_from": 0.1,
        "depth_to": 0.3,
        "promotions": 1,
    } | columns


def overlap(promotion_id: str = "PR1", other: str = "PR2", **columns: object) -> dict[str, object]:
    """A row of overlap."""
    return {
        "promotion_id": promotion_id,
        "other_promotion_id": other,
        "relation": "same_sku",
        "shared_skus": 1,
        "shared_days": 5,
        "shared_units_share": 0.5,
    } | columns


def nothing(*notes: str) -> Estimates:
    """Estimates of a source of which nothing can be told."""
    frames = [pd.DataFrame([row]).iloc[:0] for row in (result(), day("2026-01-10"), elasticity(), response(), overlap())]
    return Estimates(*frames, notes=notes)


def something(*notes: str, results: list[dict[str, object]] | None = None, daily: list[dict[str, object]] | None = None) -> Estimates:
    """One row in each frame, unless other rows are given."""
    rows = (results or [result()], daily or [day("2026-01-10")], [elasticity()], [response()], [overlap()])
    return Estimates(*map(pd.DataFrame, rows), notes=notes)


class Estimator:
    """Gives what it was made with, and keeps the frames that it was given."""

    def __init__(self, estimates: Estimates | None = None) -> None:
        self.estimates = something() if estimates is None else estimates
        self.seen: list[SourceFrames] = []

    def __call__(self, frames: SourceFrames) -> Estimates:
        self.seen.append(frames)
        return self.estimates
