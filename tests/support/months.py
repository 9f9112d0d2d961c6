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

MONTHS_A_NIGHT = pytest.mark.parametrize("a_night", [5, pytest.param(1, marks=pytest.mark.long)], ids="{}_months_a_night".format)
"""How many months come in one night: all of them in five nights, or in the long form each in its own."""


def land(source: Path, target: Path) -> None:
    """Copy a folder's files into another one; a link out of the landing folder would be refused."""
    shutil.copytree(source, target)


def nights_of(months: list[Path], a_night: int) -> list[list[Path]]:
    """The folders of some months, so many for each night."""
    assert len(months) == MONTHS
    return [months[first : first + a_night] for first in range(0, MONTHS, a_night)]
