"""Silver and gold are the same rows from both engines: the synthetic retailer over several nights, and the real data."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.support.events import cancelled, land_events, placed, returned
from tests.support.exports import land_erp, product, sale
from tests.support.months import land
from tests.support.nights import night, read_all, settings_in

from sales_tech.settings import Settings
from sales_tech.twin import Size, write_twin

pytestmark = [pytest.mark.usefixtures("hash_key"), pytest.mark.slow(120)]
Tables = dict[str, list[dict[str, Any]]]
SALES_TABLES = {"silver.sales", "silver.products", "silver.stores", "silver.fates", "gold.daily_sales", "gold.kpis_daily"}
SALES_TABLES |= {"gold.orders_daily", "gold.product_performance", "gold.stores", "gold.customer_value"}


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    landing = tmp_path_factory.mktemp("exports")
    write_twin(landing, size=Size(stores=3, skus=30, months=3, promotions=8))
    return landing


def assert_equal(found: Tables, expected: Tables, tables: set[str]) -> None:
    """Fail unless all tables are there, have rows, and have the same ones."""
    assert tables <= set(expected), "a table without rows proves nothing"
    assert {name: len(rows) for name, rows in found.items()} == {name: len(rows) for name, rows in expected.items()}
    for name, rows in expected.items():
        assert found[name] == rows, name


def land_all_but_the_last_month(exports: Path, landing: Path) -> None:
    last = max((exports / "erp_br").glob("vendas_*"))
    shutil.copytree(exports, landing, dirs_exist_ok=True, ignore=shutil.ignore_patterns(last.name))


def land_the_last_month(exports: Path, landing: Path) -> None:
    last = max((exports / "erp_br").glob("vendas_*"))
    shutil.copy(last, landing / "erp_br" / last.name)


def land_everything(exports: Path, landing: Path) -> None:
    shutil.copytree(exports, landing, dirs_exist_ok=True)


def land_corrections(exports: Path, landing: Path) -> None:
    day = "05/06/2026 10:00:00"
    late = (sale("P1", sku="NEW"), sale("P2", sku="SKU-10001", data_venda=day), sale("P3", quantidade="x"))
    mistyped = sale("P6", loja="SP01", sku="SKU-10001", data_venda="31/12/2099 10:00:00", atualizado_em=day)
    land_erp(landing, "vendas_late", *late, mistyped, "")
    land_events(landing, placed("P4"), cancelled("P2"), placed("P5"), returned("R5", "P5", "2026-01-12T10:00:00-03:00"), cancelled("P9"))


def land_what_was_waited_for(exports: Path, landing: Path) -> None:
    land_erp(landing, "produtos_late", product("NEW"), product("A", custo="7,00"))
    land_events(landing, placed("P9"))


NIGHTS = (land_everything, land_corrections, land_what_was_waited_for)
BY_MONTH = (land_all_but_the_last_month, land_the_last_month)


def after_nights(settings: Settings, exports: Path, nights: tuple[Callable[[Path, Path], None], ...]) -> tuple[list[Any], Tables]:
    """What each night committed, and the tables at the end."""
    commits = []
    for bring in nights:
        bring(exports, settings.landing)
        results = night(settings)
        commits.append([(commit.table, commit.rows, commit.partitions) for result in results.values() for commit in result.commits])
    return commits, read_all(settings, "silver", "gold")


def test_a_retailers_nights_make_the_same_commits_and_rows(exports: Path, tmp_path: Path) -> None:
    duck = settings_in(tmp_path / "duck", "erp_br")
    spark = replace(settings_in(tmp_path / "spark", "erp_br"), engine="spark", threads=2)
    duck_commits, expected = after_nights(duck, exports, NIGHTS)
    spark_commits, found = after_nights(spark, exports, NIGHTS)
    assert spark_commits == duck_commits
    assert_equal(found, expected, SALES_TABLES | {"silver.rejects", "silver.promotions", "silver.stockouts"})
    assert max(row["sold_on"] for row in expected["silver.sales"]) == date(2099, 12, 31)
    assert max(row["last_sold_on"] for row in expected["gold.product_performance"]) < date(2027, 1, 1), "a mistyped year ends no window"


def test_a_night_may_change_the_engine(exports: Path, tmp_path: Path) -> None:
    first = settings_in(tmp_path / "first", "erp_br")
    after_nights(first, exports, BY_MONTH[:1])
    changed = replace(first, engine="spark", threads=2)
    commits, found = after_nights(changed, exports, BY_MONTH[1:])
    assert commits[0], "there was something to do"
    (again, _) = after_nights(replace(changed, engine="duckdb"), exports, (lambda _, landing: None,))
    assert again == [[]], "the other engine finds nothing to do over"
    alone = settings_in(tmp_path / "alone", "erp_br")
    _, expected = after_nights(alone, exports, BY_MONTH)
    assert_equal(found, expected, SALES_TABLES)


def assert_equal_from_both(landing: Path, folder: Path) -> Tables:
    """Fail unless both engines make the same tables of a landing folder; the tables."""
    made = {}
    for engine in ("duckdb", "spark"):
        settings = replace(settings_in(folder / engine), landing=landing, engine=engine, threads=2)
        night(settings)
        made[engine] = read_all(settings, "silver", "gold")
    assert_equal(made["spark"], made["duckdb"], SALES_TABLES)
    return made["spark"]


def test_real_data_of_some_months_makes_the_same_rows(real_data: Path, tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    land(real_data / "olist" / "reference", landing / "olist" / "reference")
    for month in ("2016-12", "2017-01", "2018-08"):
        land(real_data / "olist" / "batches" / month, landing / "olist" / "batches" / month)
    made = assert_equal_from_both(landing, tmp_path)
    assert len(made["silver.sales"]) > 5_000


@pytest.mark.long
def test_all_real_data_makes_the_same_rows(real_data: Path, tmp_path: Path) -> None:
    made = assert_equal_from_both(real_data, tmp_path)
    assert len(made["silver.sales"]) > 200_000
