"""The pictures of the notebooks: each takes a data frame of `lake.sql` for one source and returns a matplotlib Figure."""

from __future__ import annotations

from sales_tech.plots.categories import category_mix
from sales_tech.plots.customers import customer_segments
from sales_tech.plots.events import events_by_day
from sales_tech.plots.pareto import abc_curve
from sales_tech.plots.prices import price_history
from sales_tech.plots.quality import fates_by_kind, rejects_by_reason
from sales_tech.plots.sales import sales_over_time
from sales_tech.plots.weekdays import weekday_by_month

__all__ = [
    "abc_curve",
    "category_mix",
    "customer_segments",
    "events_by_day",
    "fates_by_kind",
    "price_history",
    "rejects_by_reason",
    "sales_over_time",
    "weekday_by_month",
]
