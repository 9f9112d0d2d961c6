"""The published exports of Olist, a folder for each month, and the tables that they feed."""

from __future__ import annotations

import shutil
from pathlib import Path

OLIST_TABLES = (
    "silver.sales",
    "silver.products",
    "silver.stores",
    "silver.rejects",
    "silver.fates",
    "gold.daily_sales",
    "gold.kpis_daily",
    "gold.orders_daily",
    "gold.product_performance",
    "gold.stores",
    "gold.customer_value",
)
OF_THE_LOAD = frozenset({"load_id"})


def land(source: Path, target: Path) -> None:
    """Copy a folder's files into another one; a link out of the landing folder would be refused."""
    shutil.copytree(source, target)
