"""Forecasts of sales from past sales and the promotions that are planned, and what they are measured by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sales_tech.forecasting.forecaster import PromotionForecaster

__all__ = ["PromotionForecaster"]


def __getattr__(name: str) -> Any:
    # scikit-learn and pandas take a second to import, which whoever only reads a table should not pay.
    if name == "PromotionForecaster":
        from sales_tech.forecasting.forecaster import PromotionForecaster

        return PromotionForecaster
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
