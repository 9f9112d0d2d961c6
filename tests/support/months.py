"""The published exports of Olist, a folder for each month, and the tables that they feed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

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
MONTHS = 25

EACH_MONTH = pytest.param(1, marks=pytest.mark.long)
"""The long form of how many months come in one night: each in its own."""


def land(source: Path, target: Path) -> None:
    """Copy a folder's files into another one; a link out of the landing folder would be refused."""
    shutil.copytree(source, target)


def nights_of(months: list[Path], a_night: int) -> list[list[Path]]:
    """The folders of some months, so many for each night."""
    assert len(months) == MONTHS
    return [months[first : first + a_night] for first in range(0, MONTHS, a_night)]
