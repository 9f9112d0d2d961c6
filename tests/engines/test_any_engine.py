"""What holds for every engine: files as relations, files written for Iceberg, rows kept outside of memory."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sales_tech.engines.engine import Engine


def parquet(path: Path, table: dict[str, Any]) -> str:
    pq.write_table(pa.table(table), path)
    return str(path)


def field_ids(path: str) -> dict[str, int]:
    return {field.name: int(field.metadata[b"PARQUET:field_id"]) for field in pq.read_schema(path)}


def test_a_column_that_a_file_lacks_reads_as_null(any_engine: Engine, tmp_path: Path) -> None:
    old = parquet(tmp_path / "old.parquet", {"a": [1]})
    new = parquet(tmp_path / "new.parquet", {"b": ["x"], "a": [2]})
    any_engine.view("wide.rows", [old, "file://" + new], {"a": "bigint", "b": "varchar", "c": "decimal(18,2)"})
    assert any_engine.rows("select a, b, c from wide.rows order by a") == [(1, None, None), (2, "x", None)]


def test_files_from_before_a_column_was_widened_stay_readable(any_engine: Engine, tmp_path: Path) -> None:
    old = parquet(tmp_path / "o.parquet", {"n": pa.array([7], pa.int32()), "m": pa.array([Decimal("1.50")], pa.decimal128(9, 2))})
    new = parquet(tmp_path / "n.parquet", {"n": pa.array([2**40], pa.int64()), "m": pa.array([Decimal("2.50")], pa.decimal128(18, 2))})
    any_engine.view("widened", [old, new], {"n": "bigint", "m": "decimal(18,2)"})
    assert any_engine.rows("select n, m from widened order by n") == [(7, Decimal("1.50")), (2**40, Decimal("2.50"))]


def test_a_relation_of_no_files_is_empty_and_has_its_columns(any_engine: Engine) -> None:
    any_engine.view("empty_ones.none_yet", [], {"a": "timestamp(6) with time zone", "b": "decimal(18,2)"})
    assert any_engine.rows("select a, b from empty_ones.none_yet") == []


def test_an_arrow_table_has_a_name_for_a_while(any_engine: Engine) -> None:
    with any_engine.arrow_view("given", pa.table({"a": [1, 2]})):
        assert any_engine.row("select sum(a) from given") == (3,)
    with pytest.raises(Exception, match="given"):
        any_engine.rows("select * from given")


def test_rows_of_a_query_kept_once_do_not_follow_its_relation(any_engine: Engine, tmp_path: Path) -> None:
    any_engine.view("moving", [parquet(tmp_path / "1.parquet", {"a": [1]})], {"a": "bigint"})
    any_engine.materialize("kept.rows", "select a * 10 as a from moving")
    any_engine.view("moving", [parquet(tmp_path / "2.parquet", {"a": [2]})], {"a": "bigint"})
    any_engine.materialize("kept.more", "from kept.rows")
    assert any_engine.rows("select a from kept.rows union all select a from kept.more") == [(10,), (10,)]


def test_written_files_carry_field_ids_and_icebergs_types(any_engine: Engine, tmp_path: Path) -> None:
    query = """select 1 as n, 'x' as t, cast(1.5 as decimal(18,2)) as m, date '2026-02-03' as d,
        cast('2026-02-03 04:05:06.000007+00' as timestamptz) as at"""
    ids = {"n": 3, "t": 7, "m": 4, "d": 5, "at": 6}
    (file,) = any_engine.write(query, tmp_path / "new", ids)
    assert (field_ids(file.path), file.split) == (ids, None)
    schema = pq.read_schema(file.path)
    assert schema.field("m").type == pa.decimal128(18, 2)
    assert schema.field("at").type == pa.timestamp("us", tz="UTC")
    moment = datetime(2026, 2, 3, 4, 5, 6, 7, UTC)
    (row,) = pq.ParquetFile(file.path).read().to_pylist()
    assert row == {"n": 1, "t": "x", "m": Decimal("1.50"), "d": date(2026, 2, 3), "at": moment}


def test_each_value_of_the_split_gets_files_of_its_own_in_order_and_without_it(any_engine: Engine, tmp_path: Path) -> None:
    numbers = parquet(tmp_path / "numbers.parquet", {"a": list(range(29, -1, -1))})
    any_engine.view("numbers", [numbers], {"a": "bigint"})
    query = "select a, 'm' || cast(a % 3 as varchar) as s from numbers"
    written = any_engine.write(query, tmp_path / "new", {"a": 1}, split_by="s", sort=["a"])
    assert sorted(file.split or "" for file in written) == ["m0", "m1", "m2"]
    for file in written:
        assert field_ids(file.path) == {"a": 1}
        assert pq.ParquetFile(file.path).read().column("a").to_pylist() == list(range(int((file.split or "")[1:]), 30, 3))


def test_several_queries_are_written_side_by_side_each_into_files_of_its_own(any_engine: Engine, tmp_path: Path) -> None:
    numbers = parquet(tmp_path / "numbers.parquet", {"a": list(range(29, -1, -1))})
    any_engine.view("few.numbers", [numbers], {"a": "bigint"})
    queries = [f"select a, 'x' as s from few.numbers where a % 4 = {rest} and a < 4 * {rest}" for rest in range(4)]
    written = any_engine.write_each(queries, tmp_path / "new", {"a": 1, "s": 2}, sort=["a"])
    rows = {file.path: pq.ParquetFile(file.path).read().column("a").to_pylist() for file in written}
    assert sorted(rows.values()) == [[1], [2, 6], [3, 7, 11]], "that of the rest 0 has no rows and makes no file"
    assert all((field_ids(path), file.split) == ({"a": 1, "s": 2}, None) for path, file in zip(rows, written, strict=True))
    assert {str(path) for path in (tmp_path / "new").rglob("*.parquet")} == set(rows)


@pytest.mark.parametrize("split_by", [None, "s"])
def test_no_rows_make_no_file_of_any_kind(any_engine: Engine, tmp_path: Path, split_by: str | None) -> None:
    ids = {"a": 1} if split_by else {"a": 1, "s": 2}
    assert any_engine.write("select 1 as a, 'x' as s where false", tmp_path / "new", ids, split_by=split_by) == []
    assert not [path for path in (tmp_path / "new").rglob("*") if path.is_file()]


def test_nothing_but_the_files_that_are_told_is_left_in_their_folder(any_engine: Engine, tmp_path: Path) -> None:
    written = any_engine.write("select 1 as a, 'x' as s", tmp_path / "new", {"a": 1}, split_by="s")
    assert [str(path) for path in (tmp_path / "new").rglob("*") if path.is_file()] == [file.path for file in written]


def test_a_folder_is_written_once(any_engine: Engine, tmp_path: Path) -> None:
    any_engine.write("select 1 as a", tmp_path / "new", {"a": 1})
    with pytest.raises(FileExistsError):
        any_engine.write("select 1 as a", tmp_path / "new", {"a": 1})


def test_a_union_by_name_puts_columns_side_by_side_whatever_their_order(any_engine: Engine) -> None:
    first, second = "select 1 as a, 'x' as b", "select 'y' as b, true as c, 2 as a"
    rows = any_engine.rows(f"select a, b, c from ({first} union all by name {second}) order by a")
    assert rows == [(1, "x", None), (2, "y", True)]


def test_a_row_as_text_keeps_its_nulls_and_its_quotes(any_engine: Engine) -> None:
    (text,) = any_engine.row("""select cast(json_object('a', null, 'b', 'say "yes" \\ ção/' || chr(31)) as varchar)""")
    assert text == r'{"a":null,"b":"say \"yes\" \\ ção/\u001F"}'


def test_a_number_that_does_not_fit_is_an_error_and_no_null(any_engine: Engine) -> None:
    with pytest.raises(Exception, match=r"(?i)out of range|overflow|cast"):
        any_engine.rows("select cast(a as integer) from (select 3000000000 as a)")
