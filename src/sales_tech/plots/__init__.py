"""The pictures of the notebooks: each takes a data frame of `lake.sql` for one source and returns a matplotlib Figure."""

from __future__ import annotations

from sales_tech.plots.accuracy import accuracy_by_age
from sales_tech.plots.alternatives import margin_by_depth
from sales_tech.plots.categories import category_mix
from sales_tech.plots.customers import customer_segments
from sales_tech.plots.depth import uplift_by_depth
from sales_tech.plots.events import events_by_day
from sales_tech.plots.forecast import demand_fan, expected_uplift
from sales_tech.plots.league import promotion_league
from sales_tech.plots.lift import baseline_and_actual
from sales_tech.plots.model import calibration, feature_importance
from sales_tech.plots.pareto import abc_curve
from sales_tech.plots.phases import before_during_after
from sales_tech.plots.prices import price_history
from sales_tech.plots.quality import fates_by_kind, rejects_by_reason
from sales_tech.plots.sales import sales_over_time
from sales_tech.plots.waterfall import margin_waterfall
from sales_tech.plots.weekdays import weekday_by_month

__all__ = [
    "abc_curve",
    "accuracy_by_age",
    "baseline_and_actual",
    "before_during_after",
    "calibration",
    "category_mix",
    "customer_segments",
    "demand_fan",
    "events_by_day",
    "expected_uplift",
    "fates_by_kind",
    "feature_importance",
    "margin_by_depth",
    "margin_waterfall",
    "price_history",
    "promotion_league",
    "rejects_by_reason",
    "sales_over_time",
    "uplift_by_depth",
    "weekday_by_month",
]
