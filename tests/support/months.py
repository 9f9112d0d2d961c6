"""The published exports of Olist, a folder for each month, and the tables that they feed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.support.nights import read_arrow

from sales_tech.settings import Settings

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


def assert_same_rows(table: str, found: Settings, expected: Settings, *, source: str | None = None) -> None:
    """Fail unless a table of Olist has rows, and the same in one lake as in another, or as there of a source."""
    there, here = read_arrow(expected, table, without=OF_THE_LOAD, source=source), read_arrow(found, table, without=OF_THE_LOAD)
    assert len(there) or table == "silver.rejects"
    # Of Python's values a difference is told more clearly.
    assert here.equals(there) or here.to_pylist() == there.to_pylist(), table
