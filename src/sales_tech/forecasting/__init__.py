"""Forecasts of sales from past sales and the promotions that are planned, and what they are measured by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sales_tech.lazy import lazily

if TYPE_CHECKING:
    from sales_tech.forecasting.forecaster import PromotionForecaster

__all__ = ["PromotionForecaster"]

__getattr__ = lazily(__name__, {"PromotionForecaster": "sales_tech.forecasting.forecaster"})
