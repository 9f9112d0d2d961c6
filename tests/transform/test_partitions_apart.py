"""Large partitions are made one by one, small ones at once: the tables are the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from tests.support.events import cancelled, land_events, placed, returned
from tests.support.exports import land_erp, land_reference, sale
from tests.support.nights import night, read_all, settings_in

from sales_tech.engines.duck import DuckEngine
from sales_tech.transform import months
from sales_tech.twin import Size, write_twin

MONTHLY = {"silver.sales", "gold.daily_sales", "gold.kpis_daily", "gold.orders_daily"}
pytestmark = pytest.mark.usefixtures("hash_key")


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    landing = tmp_path_factory.mktemp("exports")
    write_twin(landing, size=Size(stores=3, skus=30, months=4, promotions=8))
    return landing


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables of which each partition was made alone."""
    found: list[str] = []
    written = DuckEngine.write_each

    def spied(engine: DuckEngine, queries: Iterable[str], folder: str | Path, *given: Any, **named: Any) -> Any:
        found.append(".".join(Path(str(folder)).parts[-4:-2]))
        return written(engine, queries, folder, *given, **named)

    monkeypatch.setattr(DuckEngine, "write_each", spied)
    return found


def after_two_nights(folder: Path, exports: Path) -> tuple[Any, Any]:
    """What both nights committed, and the tables at the end."""
    settings = settings_in(folder, "erp_br")
    shutil.copytree(exports, settings.landing, dirs_exist_ok=True)
    land_reference(settings.landing, "A")
    first = night(settings)
    days = ("10/03/2026 10:00:00", "10/04/2026 10:00:00")
    land_erp(
        settings.landing,
        "vendas_late",
        *(sale(f"P{number}", data_venda=day) for number, day in enumerate(days)),
        sale("P2", quantidade="x"),
    )
    land_events(settings.landing, placed("P4"), cancelled("P0"), placed("P5"), returned("R5", "P5", "2026-01-12T10:00:00-03:00"))
    second = night(settings)
    commits = [
        [(commit.table, commit.rows, commit.partitions) for result in results.values() for commit in result.commits]
        for results in (first, second)
    ]
    return commits, read_all(settings, "silver", "gold")


def test_partitions_made_one_by_one_have_the_rows_of_those_made_at_once(
    exports: Path, tmp_path: Path, apart: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    commits, expected = after_two_nights(tmp_path / "once", exports)
    assert apart == []
    assert all(expected[table] for table in MONTHLY)
    monkeypatch.setattr(DuckEngine, "rows_apart", 1)
    monkeypatch.setattr(months, "MONTHS_TOGETHER", 1000)  # rows with dates of other years lie among so few
    found_commits, found = after_two_nights(tmp_path / "apart", exports)
    assert set(apart) == MONTHLY
    assert apart.count("silver.sales") == 2
    assert found_commits == commits
    assert {table: rows for table, rows, _ in commits[1]}.keys() >= MONTHLY
    assert all(rows for table, rows, _ in commits[1] if table in MONTHLY)
    assert found == expected


def test_months_that_lie_pell_mell_are_written_at_once(
    exports: Path, tmp_path: Path, apart: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DuckEngine, "rows_apart", 1)
    monkeypatch.setattr(months, "MONTHS_TOGETHER", 2)
    after_two_nights(tmp_path / "lake", exports)
    assert "silver.sales" not in apart[:1]


def test_the_condition_of_a_month_holds_for_its_days_only() -> None:
    assert months.in_month(12 * 56 + 11) == "sold_on >= date '2026-12-01' and sold_on < date '2027-01-01'"
