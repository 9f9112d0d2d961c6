"""Dashboards from one specification: as a page that needs no server, and as QuickSight's definition."""
