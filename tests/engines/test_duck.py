"""The engine: files as views, files written for Iceberg, confinement, and its scratch folder."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sales_tech.engines.duck import DuckEngine, open_engine
from sales_tech.errors import SettingsError
from sales_tech.settings import Settings


def parquet(path: Path, **columns: list[object]) -> str:
    pq.write_table(pa.table(columns), path)
    return str(path)


def test_a_view_of_no_files_is_empty_and_typed(engine: DuckEngine) -> None:
    engine.view("empty_ones.none_yet", [], {"a": "timestamp(6) with time zone", "b": "decimal(18,2)"})
    assert engine.rows("select * from empty_ones.none_yet") == []
    assert engine.describe("select * from empty_ones.none_yet") == {"a": "TIMESTAMP WITH TIME ZONE", "b": "DECIMAL(18,2)"}


@pytest.mark.parametrize("name", ["plain", "with space", "d'or", "[1]*?", "São Paulo"])
def test_folders_of_any_name(engine: DuckEngine, tmp_path: Path, name: str) -> None:
    written = engine.write("select 1 as a, 'x/y=z' as s", tmp_path / name / "new", {"a": 1}, split_by="s")
    engine.view("odd_place", [file.path for file in written], {"a": "bigint"})
    assert engine.rows("select a from odd_place") == [(1,)]


FORBIDDEN = [
    "select * from read_csv('{other}')",
    "select * from read_text('{other}')",
    "select * from read_blob('{other}')",
    "select * from read_parquet('{other}')",
    "select * from parquet_metadata('{other}')",
    "select * from sniff_csv('{other}')",
    "select * from '{other}'",
    "select * from glob('{folder}/*')",
    "select * from query('select * from read_text(''{other}'')')",
    "attach '{other}.db' as other",
    "copy (select 1) to '{other}.csv'",
    "copy (select 1) to '{given}'",
    "export database '{folder}/out'",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "set allowed_paths = ['{other}']",
    "set temp_directory = '{folder}'",
    "set memory_limit = '64GB'",
    "reset lock_configuration",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_a_confined_engine_reads_its_files_and_nothing_else(tmp_path: Path, statement: str) -> None:
    given, other = parquet(tmp_path / "given.parquet", a=[1]), parquet(tmp_path / "other.parquet", a=[2])
    duck = DuckEngine(scratch=tmp_path / "scratch", memory_limit="200MB", threads=1)
    duck.view("given", [given], {"a": "bigint"})
    duck.confine(["file://" + given])
    with pytest.raises(duck.Error):
        duck.execute(statement.format(given=given, other=other, folder=tmp_path))
    assert duck.rows("select a from given") == [(1,)]
    assert pq.read_table(given).to_pylist() == [{"a": 1}]
    duck.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["given.parquet", "other.parquet", "scratch"]


def test_a_confined_engine_does_not_see_pythons_variables(tmp_path: Path) -> None:
    secret = pa.table({"a": [1]})
    duck = DuckEngine(scratch=tmp_path, memory_limit="200MB", threads=1)
    duck.confine([])
    with pytest.raises(duck.Error, match="does not exist"):
        duck.rows("select * from secret")
    duck.close()
    assert secret.num_rows == 1


def test_queries_side_by_side_hash_and_tell_time_as_the_engine_does(engine: DuckEngine, tmp_path: Path) -> None:
    query = "select keyed_hash('x') as h, cast(timestamptz '2026-01-01 23:30:00-03' as varchar) as t"
    (file,) = engine.write_each([query], tmp_path / "new", {"h": 1, "t": 2})
    (row,) = pq.ParquetFile(file.path).read().to_pylist()
    assert (row["h"], row["t"]) == engine.row(query)
    assert row["t"].startswith("2026-01-02 02:30:00")


def test_a_query_that_fails_beside_others_is_an_error(engine: DuckEngine, tmp_path: Path) -> None:
    with pytest.raises(DuckEngine.Error, match="on purpose"):
        engine.write_each(["select 1 as a", "select error('on purpose') as a"], tmp_path / "new", {"a": 1})


@pytest.mark.parametrize(
    ("days", "months"),
    [
        ("'2026-01-31', '2026-01-01'", 1),
        ("'2026-01-31', '2026-02-01'", 2),
        ("'2025-12-01', null, '2026-02-28'", 3),
        ("'2026-01-31', '0202-02-01'", 12),
    ],
)
def test_it_is_known_among_how_many_months_dates_lie_that_are_read_together(engine: DuckEngine, days: str, months: int) -> None:
    engine.materialize("some.days", f"select unnest([{days}])::date as sold_on, 1 as n")
    assert engine.months_together("some.days", "sold_on", 12) == months


def test_no_months_lie_together_where_there_are_no_rows(engine: DuckEngine) -> None:
    engine.materialize("no.days", "select date '2026-01-01' as sold_on where false")
    assert engine.months_together("no.days", "sold_on", 12) is None


def test_the_scratch_folder_goes_with_the_engine(tmp_path: Path) -> None:
    settings = Settings(lake=tmp_path / "lake", landing=tmp_path, sources=())
    with pytest.raises(RuntimeError, match="on purpose"), open_engine(settings) as duck:
        duck.materialize("kept.rows", "select range as a from range(10)")
        assert duck.row("select count(*) from kept.rows") == (10,)
        assert len(list((tmp_path / "lake" / "scratch").rglob("*.parquet"))) == 1
        raise RuntimeError("on purpose")
    assert list((tmp_path / "lake" / "scratch").iterdir()) == []


def test_an_engine_that_cannot_start_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="memory limit 'plenty'; expected an amount such as 1GB"):
        DuckEngine(scratch=tmp_path / "scratch", memory_limit="plenty", threads=1)
    assert not list(tmp_path.iterdir())


def test_more_rows_than_memory_go_to_the_scratch_folder(tmp_path: Path) -> None:
    duck = DuckEngine(scratch=tmp_path, memory_limit="80MB", threads=1)
    duck.materialize("sorted_rows", "select hash(range) as h, repeat('x', 100) || range as t from range(1500000) order by h")
    assert duck.row("select count(*) from sorted_rows") == (1_500_000,)
    duck.close()
    assert list(tmp_path.iterdir()) == []
