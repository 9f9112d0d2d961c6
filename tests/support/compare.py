"""Tables held against what the oracle expects of them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.oracles import sales_oracle as oracle
from tests.support.nights import HASH_KEY, read

from sales_tech.settings import Settings

Row = dict[str, Any]


def comparable(rows: Iterable[Row]) -> list[tuple[tuple[str, Any], ...]]:
    """Rows in an order that does not depend on that of rows or columns, doubles to 12 digits."""
    return sorted((tuple(sorted((name, _plain(value)) for name, value in row.items())) for row in rows), key=str)


def _plain(value: Any) -> Any:
    # Python knows a decimal that is nought below zero, and would sort by its sign.
    if isinstance(value, Decimal) and not value:
        return abs(value)
    return f"{value:.12g}" if isinstance(value, float) else value


def assert_as_expected(settings: Settings, files: Iterable[Path]) -> oracle.Expected:
    """Fail unless silver and gold hold what the oracle works out from erp_br files in the order of their arrival."""
    expected = oracle.expect(files, HASH_KEY.encode())
    daily = oracle.daily_sales(expected.sales, expected.products)
    tables = {
        "silver.sales": expected.sales,
        "silver.products": expected.products,
        "silver.stores": expected.stores,
        "gold.daily_sales": daily,
        "gold.kpis_daily": oracle.kpis_daily(expected.sales, daily),
        "gold.orders_daily": oracle.orders_daily(expected.sales),
        "gold.stores": oracle.stores(daily, expected.stores),
        "gold.product_performance": oracle.product_performance(daily, expected.products),
        "gold.customer_value": oracle.customer_value(expected.sales),
    }
    fates = {(row["file_kind"], row["file_id"], row["fate"]): row["rows"] for row in read(settings, "silver.fates")}
    assert fates == dict(expected.fates)
    blamed = {(row["file_id"], row["line_number"]): (_blamed(row["reasons"]), row["waits"]) for row in read(settings, "silver.rejects")}
    assert blamed == expected.blamed
    for name, rows in tables.items():
        assert comparable(read(settings, name)) == comparable(rows), name
    return expected


def _blamed(reasons: str) -> frozenset[str]:
    # A line that cannot be split blames no column.
    return frozenset(part.partition(":")[0] for part in reasons.split("; ") if not part.startswith("expected "))
