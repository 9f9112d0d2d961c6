"""Forecasts of sales from past sales and the promotions that are planned, and what they are measured by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sales_tech.lazy import lazily

if TYPE_CHECKING:
    from sales_tech.forecasting.checks import NegativeSales, PlanBeyondHistory, ShortPast, UnknownSeries
    from sales_tech.forecasting.evaluation import evaluate
    from sales_tech.forecasting.forecaster import PromotionForecaster
    from sales_tech.forecasting.rolling import ColumnsLeftOut, backtest, rolling_cutoffs

__all__ = [
    "ColumnsLeftOut",
    "NegativeSales",
    "PlanBeyondHistory",
    "PromotionForecaster",
    "ShortPast",
    "UnknownSeries",
    "backtest",
    "evaluate",
    "rolling_cutoffs",
]

# No module may have one of these names: once imported, it would stand in the place of what is asked for.
__getattr__ = lazily(
    __name__,
    {
        "ColumnsLeftOut": "sales_tech.forecasting.rolling",
        "NegativeSales": "sales_tech.forecasting.checks",
        "PlanBeyondHistory": "sales_tech.forecasting.checks",
        "PromotionForecaster": "sales_tech.forecasting.forecaster",
        "ShortPast": "sales_tech.forecasting.checks",
        "UnknownSeries": "sales_tech.forecasting.checks",
        "backtest": "sales_tech.forecasting.rolling",
        "evaluate": "sales_tech.forecasting.evaluation",
        "rolling_cutoffs": "sales_tech.forecasting.rolling",
    },
)
