"""What a further night may touch, and what counts as news."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from tests.support.cloud_settings import CloudSettings
from tests.support.exports import erp_text, land_erp, land_reference, product, sale
from tests.support.nights import BOTH_PLACES, file_paths, night, read, read_all, snapshots

from sales_tech.lake.store import Lake
from sales_tech.settings import Settings
from sales_tech.transform import gold

pytestmark = BOTH_PLACES
MONTHLY = ("silver.sales", "gold.daily_sales", "gold.kpis_daily", "gold.orders_daily")


@pytest.fixture
def lake(erp: Settings) -> Settings:
    """A lake with sales in January, February and March 2026."""
    land_reference(erp.landing, "A", "B")
    for month in ("01", "02", "03"):
        land_erp(erp.landing, f"vendas_2026_{month}", sale(f"P{month}", data_venda=f"10/{month}/2026 10:00:00"), "")
    night(erp)
    return erp


def month(number: int) -> tuple[Any, ...]:
    """The partition of a month of 2026."""
    return ("erp_br", 56 * 12 + number - 1)


def test_loading_one_more_month_rewrites_only_the_partitions_that_month_touches(lake: Settings) -> None:
    before = {table: file_paths(lake, table) for table in MONTHLY}
    # April, and a line of February that is corrected only now.
    late = sale("P02", data_venda="10/02/2026 10:00:00", quantidade="2", atualizado_em="02/04/2026 08:00:00")
    land_erp(lake.landing, "vendas_2026_04", sale("P04", data_venda="10/04/2026 10:00:00"), late)
    results = night(lake)
    for table in MONTHLY:
        after = file_paths(lake, table)
        assert set(before[table]) == {month(1), month(2), month(3)}
        assert set(after) == {month(1), month(2), month(3), month(4)}
        assert {partition for partition, paths in after.items() if paths == before[table].get(partition)} == {month(1), month(3)}
    written = {commit.table: commit.partitions for result in results.values() for commit in result.commits}
    assert {written[table] for table in MONTHLY} == {2}
    assert results["silver/sales"].rows_in == 2


def test_a_cost_that_changes_rewrites_only_the_months_in_which_its_product_was_sold(lake: Settings) -> None:
    land_erp(lake.landing, "vendas_2026_04", sale("P04", sku="B", data_venda="10/04/2026 10:00:00"))
    night(lake)
    before = {table: file_paths(lake, table) for table in MONTHLY}
    land_erp(lake.landing, "produtos_2026", product("B", custo="7,00", vigente_desde="01/01/2026"))
    night(lake)
    assert file_paths(lake, "silver.sales") == before["silver.sales"]
    for table in ("gold.daily_sales", "gold.kpis_daily"):
        after = file_paths(lake, table)
        assert {partition for partition, paths in after.items() if paths != before[table][partition]} == {month(4)}


def test_a_second_run_makes_no_snapshot(lake: Settings) -> None:
    before = snapshots(lake)
    results = night(lake)
    assert snapshots(lake) == before
    assert all(not result.commits for result in results.values())


def test_a_touched_file_with_the_same_content_is_no_news(lake: Settings, place: str) -> None:
    if place == "aws":
        pytest.skip("an object of S3 cannot be touched; one that is written again has a new time, as below")
    before = snapshots(lake)
    os.utime(lake.landing / "erp_br" / "vendas_2026_01.csv", (1, 1))
    night(lake)
    assert snapshots(lake) == before


def test_a_file_that_arrives_again_with_the_same_content_is_no_news(lake: Settings) -> None:
    before = snapshots(lake)
    path = lake.landing / "erp_br" / "vendas_2026_01.csv"
    content = path.read_bytes()
    if isinstance(lake, CloudSettings):
        time.sleep(1.1)  # S3 tells times by the second
        lake.cloud.client("s3").put_object(Bucket=lake.bucket, Key="erp_br/vendas_2026_01.csv", Body=content)
    else:
        path.unlink()
        path.write_bytes(content)
    night(lake)
    assert snapshots(lake) == before


def test_the_same_file_under_another_name_is_not_loaded_twice(lake: Settings) -> None:
    before = read_all(lake, "silver", "gold")
    content = (lake.landing / "erp_br" / "vendas_2026_01.csv").read_bytes()
    (lake.landing / "erp_br" / "vendas_2026_01_copy.csv").write_bytes(content)
    results = night(lake)
    assert results["ingest/batch_csv"].files_loaded == 0
    assert read_all(lake, "silver", "gold") == before
    entry = next(row for row in read(lake, "bronze.files") if row["file_path"].endswith("_copy.csv"))
    assert (entry["status"], entry["rows"]) == ("duplicate", 0)
    assert "vendas_2026_01.csv" in entry["reason"]


def test_a_changed_file_under_the_same_name_is_a_new_version(lake: Settings) -> None:
    path = lake.landing / "erp_br" / "vendas_2026_01.csv"
    corrected = sale("P01", quantidade="4", atualizado_em="01/04/2026 08:00:00")
    path.write_bytes(erp_text("vendas", [corrected, sale("P99")]).encode("latin-1"))
    night(lake)
    entries = [row for row in read(lake, "bronze.files") if row["file_path"] == "erp_br/vendas_2026_01.csv"]
    assert [(row["version"], row["status"]) for row in sorted(entries, key=lambda row: row["version"])] == [(1, "loaded"), (2, "loaded")]
    assert {row["order_id"]: row["quantity"] for row in read(lake, "silver.sales") if row["sold_on"].month == 1} == {"P01": 4, "P99": 1}
    # Bronze keeps the rows of both versions: two of each month, and two more.
    assert sum(file.rows for file in Lake(lake).files("bronze.erp_br_vendas")) == 8


def test_a_file_without_any_sound_line_changes_only_the_accounts(lake: Settings) -> None:
    before = {table: file_paths(lake, table) for table in MONTHLY}
    land_erp(lake.landing, "vendas_2026_04", sale(quantidade="0"), "P1;cut")
    night(lake)
    assert {table: file_paths(lake, table) for table in MONTHLY} == before
    assert len(read(lake, "silver.rejects")) == 2


def test_each_commit_names_the_snapshots_it_was_made_from(lake: Settings) -> None:
    made = Lake(lake)
    for table in ("silver.sales", *gold.MODELS):
        last = made.provenance(table)
        assert last is not None
        for name, snapshot in (last.inputs | last.companions).items():
            assert made.snapshot_id(name) == snapshot
