"""The published exports, from files to gold, against totals counted apart from the project."""

from __future__ import annotations

import csv
import gzip
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.months import EACH_MONTH, OLIST_TABLES, assert_same_rows, land, nights_of
from tests.support.nights import HASH_KEY, night, read, settings_in, snapshots

from sales_tech.settings import Settings


@pytest.fixture(scope="module")
def whole(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A lake with all of the real data, loaded in one night."""
    settings = replace(settings_in(tmp_path_factory.mktemp("whole")), landing=real_data)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SALES_TECH_HASH_KEY", HASH_KEY)
        night(settings)
        yield settings


def rows_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def sales(whole: Settings) -> dict[str, list[dict[str, Any]]]:
    """All lines of silver.sales by source, read once: three hundred thousand."""
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in read(whole, "silver.sales"):
        lines[row["source"]].append(row)
    return lines


def total(lines: list[dict[str, Any]], what: str) -> Decimal:
    return sum((Decimal(row[what]) for row in lines), Decimal(0))


def test_olist_has_all_its_lines_and_money(sales: dict[str, list[dict[str, Any]]]) -> None:
    lines = sales["olist"]
    assert len(lines) == 112_650
    assert total(lines, "unit_price") == Decimal("13591643.70")
    assert total(lines, "freight") == Decimal("2251909.54")


def test_tech_sales_has_all_its_lines_units_and_money(sales: dict[str, list[dict[str, Any]]]) -> None:
    lines = sales["tech_sales_2019"]
    assert len(lines) == 185_686
    assert total(lines, "quantity") == 208_812
    assert total(lines, "net_sales") == Decimal("34465537.94")


def test_every_line_of_every_file_has_one_fate(whole: Settings, real_data: Path) -> None:
    fates: Counter[str] = Counter()
    for row in read(whole, "silver.fates"):
        fates[row["file_id"]] += row["rows"]
    arrived = {row["file_path"]: row["file_id"] for row in read(whole, "bronze.files") if row["status"] == "loaded"}
    assert len(arrived) == 114
    for name, file_id in arrived.items():
        with gzip.open(real_data / name, "rb") as file:
            lines = sum(1 for _ in file)
        assert fates[file_id] == lines - 1, name


def test_daily_sales_of_tech_sales_equal_a_count_by_hand(whole: Settings, real_data: Path) -> None:
    seen = set()
    units: Counter[tuple[str, str]] = Counter()
    money: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for path in sorted((real_data / "tech_sales_2019").glob("*.gz")):
        for row in rows_of(path):
            fields = tuple(row.values())
            if not row["Order ID"] or row["Order ID"] == "Order ID" or fields in seen:
                continue
            seen.add(fields)
            month, day, year = row["Order Date"].split()[0].split("/")
            key = (f"20{year}-{month}-{day}", row["Product"])
            units[key] += int(row["Quantity Ordered"])
            money[key] += int(row["Quantity Ordered"]) * Decimal(row["Price Each"])
    daily = [row for row in read(whole, "gold.daily_sales") if row["source"] == "tech_sales_2019"]
    assert {(str(row["sold_on"]), row["sku"]): (row["units"], row["net_sales"]) for row in daily} == {
        key: (units[key], money[key]) for key in units
    }


def test_kpis_of_olist_equal_a_count_by_hand(whole: Settings, real_data: Path) -> None:
    bought, persons = {}, {}
    for path in sorted((real_data / "olist" / "batches").glob("*/olist_orders*")):
        bought |= {row["order_id"]: row for row in rows_of(path)}
    for path in sorted((real_data / "olist" / "batches").glob("*/olist_customers*")):
        persons |= {row["customer_id"]: row["customer_unique_id"] for row in rows_of(path)}
    orders, customers, money = defaultdict(set), defaultdict(set), defaultdict(Decimal)
    for path in sorted((real_data / "olist" / "batches").glob("*/olist_order_items*")):
        for item in rows_of(path):
            order = bought[item["order_id"]]
            if order["order_status"] in ("canceled", "unavailable"):
                continue
            day = order["order_purchase_timestamp"][:10]
            orders[day].add(item["order_id"])
            customers[day].add(persons[order["customer_id"]])
            money[day] += Decimal(item["price"])
    daily = {str(row["sold_on"]): row for row in read(whole, "gold.kpis_daily") if row["source"] == "olist"}
    assert set(daily) == set(orders)
    for day, row in daily.items():
        assert (row["orders"], row["customers"], row["net_sales"]) == (len(orders[day]), len(customers[day]), money[day]), day


def test_orders_of_several_sellers_count_once(whole: Settings) -> None:
    expected = {(row["source"], row["sold_on"]): (row["orders"], row["net_sales"]) for row in read(whole, "gold.kpis_daily")}
    orders: Counter[tuple[str, Any]] = Counter()
    money: dict[tuple[str, Any], Decimal] = defaultdict(Decimal)
    for row in read(whole, "gold.orders_daily"):
        orders[row["source"], row["sold_on"]] += row["orders"]
        money[row["source"], row["sold_on"]] += row["net_sales"]
    assert {day: (orders[day], money[day]) for day in money} == expected


def test_black_friday_2017_is_the_best_day_of_olist(whole: Settings) -> None:
    daily = [row for row in read(whole, "gold.kpis_daily") if row["source"] == "olist"]
    assert str(max(daily, key=lambda row: row["net_sales"])["sold_on"]) == "2017-11-24"


def test_a_second_night_makes_no_snapshot(whole: Settings) -> None:
    before = snapshots(whole)
    results = night(whole)
    assert snapshots(whole) == before
    assert all(not result.commits for result in results.values())


@pytest.mark.slow(60)
@pytest.mark.parametrize("a_night", [5, EACH_MONTH], ids="{}_months_a_night".format)
@pytest.mark.parametrize("order", ["by month", "shuffled"])
def test_the_months_of_olist_in_several_nights_equal_all_at_once(
    whole: Settings, real_data: Path, make_settings: Callable[..., Settings], order: str, a_night: int
) -> None:
    settings = make_settings("olist")
    months = sorted((real_data / "olist" / "batches").iterdir())
    if order == "shuffled":
        random.Random(20171124).shuffle(months)
    land(real_data / "olist" / "reference", settings.landing / "olist" / "reference")
    for brought in nights_of(months, a_night):
        for month in brought:
            land(month, settings.landing / "olist" / "batches" / month.name)
        night(settings)
    for table in OLIST_TABLES:
        assert_same_rows(table, settings, whole, source="olist")
