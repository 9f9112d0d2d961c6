"""Forecasts of sales from past sales and the promotions that are planned, and what they are measured by."""
