"""Athena's SQL over silver and gold: what it reads, what it refuses, and what it says then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sales_tech import lake as sales_lake
from sales_tech.errors import LakeError, QueryError
from sales_tech.lake.query import Reader
from sales_tech.settings import Settings

UNITS = "select order_id, quantity from silver.sales {} order by order_id"
BEFORE, AFTER = [("P1", 1), ("P2", 2)], [("P1", 5), ("P2", 2), ("P3", 1)]


def rows(lake: Any, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in lake.reader.arrow(sql).to_pylist()]


def refusal(lake: Any, sql: str) -> str:
    with pytest.raises(QueryError) as caught:
        lake.reader.sql(sql)
    return str(caught.value)


def test_a_query_sees_the_newest_rows(lake: Any) -> None:
    assert rows(lake, UNITS.format("")) == AFTER


def test_an_analyst_gets_a_data_frame(lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in lake.environment.items():
        monkeypatch.setenv(variable, value)
    frame = sales_lake.sql("select sum(net_sales) as net_sales, count(*) as lines from silver.sales", lake=lake.settings.lake)
    assert (frame.columns.tolist(), float(frame["net_sales"][0]), int(frame["lines"][0])) == (["net_sales", "lines"], 80.0, 3)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("for version as of {lake.first}", BEFORE),
        ("for version as of {lake.second}", AFTER),
        ("FOR VERSION AS OF {lake.first} AS s", BEFORE),
        ("for version as of ({lake.first})", BEFORE),
        ("for version as of cast('{lake.first}' as bigint) as s", BEFORE),
        ("for timestamp as of timestamp '{lake.between:%Y-%m-%d %H:%M:%S.%f} UTC'", BEFORE),
        ("for timestamp as of timestamp '{lake.between:%Y-%m-%d %H:%M:%S.%f}'", BEFORE),
        ("for system_time as of timestamp '{lake.between:%Y-%m-%d %H:%M:%S.%f+00:00}' as s", BEFORE),
        ("for timestamp as of timestamp '2099-01-01 00:00:00 UTC'", AFTER),
        ("for timestamp as of date '2099-01-01'", AFTER),
    ],
)
def test_an_earlier_version_gives_the_earlier_rows(lake: Any, when: str, expected: list[tuple[Any, ...]]) -> None:
    assert rows(lake, UNITS.format(when.format(lake=lake))) == expected


def test_two_versions_in_one_query(lake: Any) -> None:
    sql = f"""select b.order_id, b.quantity, a.quantity
        from silver.sales for version as of {lake.first} as a
        join silver.sales as b on a.order_id = b.order_id where a.quantity <> b.quantity"""
    assert [tuple(row) for row in lake.reader.sql(sql).itertuples(index=False)] == [("P1", 5, 1)]


def test_a_version_or_time_that_is_not_there(lake: Any) -> None:
    assert refusal(lake, UNITS.format("for version as of 42")).startswith("silver.sales has no version 42; the latest are ")
    assert str(lake.first) in refusal(lake, UNITS.format("for version as of 'main'"))
    for day in ("1999-12-31", "1969-12-31"):
        assert f"has no version as old as {day}" in refusal(lake, UNITS.format(f"for timestamp as of timestamp '{day} 00:00:00 UTC'"))


@pytest.mark.parametrize("version", ["as of -{lake.first}", "as of {lake.first} + 1", "as of abs({lake.first})", "all"])
def test_what_is_done_to_a_version_is_not_passed_over(lake: Any, version: str) -> None:
    assert "silver.sales has no version" in refusal(lake, UNITS.format(f"for version {version.format(lake=lake)}"))


@pytest.mark.parametrize(
    "moment", ["timestamp 'yesterday'", "current_timestamp - interval '1' day", "timestamp '2026-01-01' + interval '9' day", "1"]
)
def test_a_time_is_given_in_full(lake: Any, moment: str) -> None:
    said = refusal(lake, UNITS.format(f"for timestamp as of {moment}"))
    assert "cannot be read; expected timestamp '2026-03-01 02:00:00 UTC'" in said


def test_all_times_at_once_are_refused(lake: Any) -> None:
    assert refusal(lake, UNITS.format("for timestamp all")).startswith("time 'ALL' cannot be read; expected timestamp ")


READABLE = {
    "alias": "select s.sku from silver.sales as s where s.order_id = 'P2'",
    "bare table name": "select sales.sku from silver.sales where sales.order_id = 'P2'",
    "full name": "select silver.sales.sku from silver.sales where silver.sales.order_id = 'P2'",
    "capitals": "SELECT SKU FROM Silver.SALES WHERE Sales.Order_Id = 'P2'",
    "catalog": "select sku from awsdatacatalog.silver.sales where order_id = 'P2'",
    "name with catalog": "select awsdatacatalog.silver.sales.sku from awsdatacatalog.silver.sales where silver.sales.order_id = 'P2'",
    "quoted": 'select "sku" from "silver"."sales" where order_id = \'P2\'',
    "join": "select p.sku from silver.sales as s join silver.products as p on s.sku = p.sku where s.order_id = 'P2'",
    "join without aliases": "select products.sku from silver.sales join silver.products on sales.sku = products.sku where order_id = 'P2'",
    "using": "select sku from silver.sales join silver.products using (source, sku) where order_id = 'P2'",
    "self join": "select b.sku from silver.sales as a join silver.sales as b on a.order_id = b.order_id where a.order_id = 'P2'",
    "comma": "select p.sku from silver.sales as s, silver.products as p where s.sku = p.sku and s.order_id = 'P2'",
    "joined in parentheses": "select sku from (silver.sales as s join silver.stores as t using (store_id)) where s.order_id = 'P2'",
    "subquery": "select sku from (select * from silver.sales) as s where order_id = 'P2'",
    "scalar subquery": "select (select sku from silver.sales where order_id = 'P2') as sku",
    "in": "select sku from silver.products where sku in (select sku from silver.sales where order_id = 'P2')",
    "exists": "select sku from silver.products as p where exists (select 1 from silver.sales as s where s.sku = p.sku and order_id = 'P2')",
    "union": "select sku from silver.sales where order_id = 'P2' union select sku from silver.products where sku = 'B'",
    "except": "select sku from silver.products except select sku from silver.sales where order_id <> 'P2'",
    "table expression": "with s as (select * from silver.sales) select sku from s where order_id = 'P2'",
    "table expression named like its table": "with sales as (select * from silver.sales where order_id = 'P2') select sku from sales",
    "table expression named like another": "with products as (select sku from silver.sales where order_id = 'P2') select sku from products",
    "table expression named like an engine's view": "with snapshot_0 as (select 'no' as sku, 'P2' as order_id) "
    "select s.sku from silver.sales as s where order_id = 'P2'",
    "table": "with s as (table silver.sales) select sku from s where order_id = 'P2'",
    "two levels": "with a as (select * from silver.sales), b as (select a.* from a) select b.sku from b where b.order_id = 'P2'",
    "column aliases": "select k from silver.stores as t (s, i) cross join (select sku as k from silver.sales where order_id = 'P2') as x",
    "gold": "select sku from gold.daily_sales where units = 2",
    "unnest": "select sku from silver.sales cross join unnest(array[1]) as t (n) where order_id = 'P2'",
    "date functions": "select max(sku) from silver.sales where date_trunc('month', sold_on) = date '2026-01-01' and order_id = 'P2'",
    "in parentheses": "(select sku from silver.sales where order_id = 'P2')",
    "comment": "select sku from silver.sales -- where\nwhere order_id = 'P2' -- the end",
    "semicolon and comment": "/* one */ select sku from silver.sales where order_id = 'P2'; -- the end",
    "semicolon": "select sku from silver.sales where order_id = 'P2';",
    "no table": "select 'B' as sku",
}


@pytest.mark.parametrize("sql", READABLE.values(), ids=READABLE)
def test_selects_of_all_kinds(lake: Any, sql: str) -> None:
    assert rows(lake, sql) == [("B",)]


VALUES = """select * from (values
    (1, bigint '5000000000', 1.5e0, true, cast(12.30 as decimal(18, 2)), date '2026-01-05', 'a "b"
c', timestamp '2026-01-05 10:00:00.123456 UTC', timestamp '2026-01-05 10:00:00.123456'),
    (2, null, null, null, null, null, null, null, null),
    (3, 0, -1e-7, false, cast(-0.01 as decimal(18, 2)), date '1969-12-31', '', timestamp '1969-12-31 23:59:59.5 UTC', null)
    ) as t (number, big, ratio, yes, money, day, words, moment, clock)"""
MOMENT = datetime(2026, 1, 5, 10, 0, 0, 123456, UTC)


SPANS = {
    "timestamp '2026-02-09 10:00:00' - timestamp '2026-01-01 10:00:00'": "39 00:00:00.000",
    "timestamp '2026-01-01 10:00:00' - timestamp '2026-01-01 10:00:00'": "0 00:00:00.000",
    "timestamp '2026-01-01 10:00:00' - timestamp '2026-01-02 12:03:04.567'": "-1 02:03:04.567",
    "interval '18' month": "1-6",
    "interval '-2' month": "-0-2",
    "case when false then interval '1' day end": None,
}


def test_a_span_of_time_is_the_text_that_athena_writes(lake: Any) -> None:
    if lake.settings.env == "aws":
        pytest.skip("Athena writes it itself")
    assert {span: rows(lake, f"select {span} as span") for span in SPANS} == {span: [(text,)] for span, text in SPANS.items()}


@pytest.mark.parametrize("order", ["", " order by number"], ids=["in any order", "in order"])
def test_values_keep_their_types_to_the_last_digit(lake: Any, order: str) -> None:
    result = lake.reader.arrow(VALUES + order).sort_by("number")
    assert {field.name: str(field.type) for field in result.schema} == {
        "number": "int32",
        "big": "int64",
        "ratio": "double",
        "yes": "bool",
        "money": "decimal128(18, 2)",
        "day": "date32[day]",
        "words": "string",
        "moment": "timestamp[us, tz=UTC]",
        "clock": "timestamp[us]",
    }
    first, second, third = (tuple(row.values()) for row in result.to_pylist())
    assert first == (
        1,
        5_000_000_000,
        1.5,
        True,
        Decimal("12.30"),
        date(2026, 1, 5),
        'a "b"\nc',
        MOMENT,
        MOMENT.replace(tzinfo=None),
    )
    assert second == (2, *[None] * 8)
    last = datetime(1969, 12, 31, 23, 59, 59, 500000, UTC)
    assert third == (3, 0, -1e-7, False, Decimal("-0.01"), date(1969, 12, 31), "", last, None)


@pytest.mark.parametrize("order", ["", " order by 1"], ids=["in any order", "in order"])
def test_a_null_is_a_row_also_where_it_is_all_that_was_asked_for(lake: Any, order: str) -> None:
    found = rows(lake, f"select x from (values ('a'), (null), (''), (null)) as t(x){order}")
    assert sorted(found, key=str) == [("",), ("a",), (None,), (None,)]
    assert rows(lake, f"select max(sku) from silver.sales where false{order}") == [(None,)]


@pytest.mark.parametrize("order", ["", " order by 1"], ids=["in any order", "in order"])
def test_no_rows_have_types_too(lake: Any, order: str) -> None:
    result = lake.reader.arrow(f"select order_id, net_sales, sold_at from silver.sales where false{order}")
    assert [str(field.type) for field in result.schema] == ["string", "decimal128(18, 2)", "timestamp[us, tz=UTC]"]
    assert len(result) == 0


def test_whole_numbers_sum_to_whole_numbers(lake: Any) -> None:
    result = lake.reader.arrow("select sum(quantity) as units, count(*) as lines, sum(net_sales) as money from silver.sales")
    assert [str(field.type) for field in result.schema] == ["int64", "int64", "decimal128(38, 2)"]


def test_columns_may_share_a_name_or_have_none(lake: Any) -> None:
    sql = "select a.order_id, b.order_id, upper(a.sku) from silver.sales as a join silver.sales as b on a.order_id < b.order_id"
    assert sorted(tuple(column.to_pylist()[number] for column in lake.reader.arrow(sql).columns) for number in range(3)) == [
        ("P1", "P2", "A"),
        ("P1", "P3", "A"),
        ("P2", "P3", "B"),
    ]


def test_a_sample_is_a_sample(lake: Any) -> None:
    assert rows(lake, "select count(*) from silver.sales tablesample bernoulli (0)") == [(0,)]


def test_a_table_expression_hides_the_table_of_its_name(lake: Any) -> None:
    assert rows(lake, "with sales as (select 1 as n) select * from sales") == [(1,)]
    both = "with sales as (select 1 as n) select s.n, count(*) from sales as s cross join silver.sales as t group by s.n"
    assert rows(lake, both) == [(1, 3)]


@pytest.mark.parametrize("name", ["bronze.files", "bronze.erp_br_vendas", "BRONZE.files", "bronze.nothing", "awsdatacatalog.bronze.files"])
def test_bronze_is_refused(lake: Any, name: str) -> None:
    for sql in (f"select * from {name}", f"with x as (select * from {name}) select 1", f"select 1 where exists (select 1 from {name})"):
        assert "may hold personal data; queries read silver and gold: silver.fates, " in refusal(lake, sql)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("insert into silver.sales select * from silver.sales", "insert"),
        ("update silver.sales set sku = 'x'", "update"),
        ("delete from silver.sales", "delete"),
        ("merge into silver.sales using silver.sales on true when matched then delete", "merge"),
        ("create table x as select 1", "create"),
        ("create view x as select 1", "create"),
        ("drop table silver.sales", "drop"),
        ("alter table silver.sales add column x int", "alter"),
        ("copy (select 1) to '/tmp/x'", ""),
        ("attach '/tmp/x'", ""),
        ("pragma database_list", ""),
        ("set memory_limit = '64GB'", ""),
        ("show tables", ""),
        ("call duckdb_settings()", ""),
        ("explain select 1", ""),
        ("select 1; select 2", "select, select"),
        ("select 1; drop table silver.sales", "select, drop"),
        ("", "nothing"),
        ("-- nothing", "nothing"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*unsupported syntax.*")
def test_queries_only_read(lake: Any, sql: str, kind: str) -> None:
    said = refusal(lake, sql)
    assert kind in said
    assert "expected exactly one select" in said or "expected one select in Athena's SQL" in said
    assert rows(lake, UNITS.format("")) == AFTER


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from read_parquet('{bronze}')",
        "select * from parquet_scan('{bronze}')",
        "select * from parquet_metadata('{bronze}')",
        "select * from '{bronze}'",
        'select * from "{bronze}"',
        'select * from "/etc/passwd"',
        "select * from glob('/etc/*')",
        "select * from query('select * from read_text(''/etc/passwd'')')",
        "select * from table(read_text('/etc/passwd'))",
        "select (select content from read_text('/etc/passwd')) as x",
        "select * from silver.sales cross join read_parquet('{bronze}')",
        "select * from silver.sales as s left join lateral (select * from read_text('/etc/passwd')) as t on true",
        'select * from (with "{bronze}" as (select 1 as n) select n from "{bronze}") as x cross join "{bronze}" as y where _file_id > ',
        "select * from duckdb_settings()",
        "select * from information_schema.tables",
        "select getenv('HOME')",
        "select nothing(sku) from silver.sales",
    ],
)
def test_nothing_but_the_lakes_own_tables_is_read(lake: Any, bronze_file: str, sql: str) -> None:
    assert refusal(lake, sql.replace("{bronze}", bronze_file))


@pytest.mark.parametrize("name", ["silver.nothing", "nothing", "gold.sales", "platinum.sales", "sales"])
def test_an_unknown_table_is_answered_with_the_tables(lake: Any, name: str) -> None:
    said = refusal(lake, f"select * from {name}")
    assert said.startswith(f"no table '{name}'; expected one of ")
    assert "silver.sales" in said
    assert "gold.kpis_daily" in said
    assert "bronze" not in said


def test_a_table_that_no_run_has_made_yet_is_told_as_such_and_not_as_a_wrong_name(lake: Any) -> None:
    said = refusal(lake, "select * from gold.demand_forecast")
    assert said.startswith("this lake has no gold.demand_forecast yet: a run makes it once there is anything to put into it")
    assert "expected one of silver." in said


def test_a_table_of_another_catalog_is_not_taken_for_the_lakes_own(lake: Any) -> None:
    said = refusal(lake, "select sku from Other.silver.sales")
    assert said == "no catalog 'Other'; expected awsdatacatalog before silver.sales, or nothing"


@pytest.mark.parametrize(
    ("sql", "where"),
    [
        ("select sku\nfrom silver.sales\nwhere order by", "line 3"),
        ("selct 1", "line 1"),
        ("select 1 +", "line 1"),
        ("select (1", "line 1"),
        ("select 'abc", "1:7"),
    ],
)
def test_a_query_that_cannot_be_read_is_told_where(lake: Any, sql: str, where: str) -> None:
    said = refusal(lake, sql)
    assert where in said
    assert "expected one select in Athena's SQL" in said or "expected exactly one select" in said


def test_an_unknown_column_is_named(lake: Any) -> None:
    said = refusal(lake, "select price from silver.sales")
    assert said.startswith("the query failed: ")
    assert '"price"' in said


def test_too_little_memory_is_told_with_the_setting(lake: Any) -> None:
    if lake.settings.env == "aws":
        pytest.skip("the memory is Athena's")
    with pytest.raises(QueryError, match=r"it needs more memory than 1KB; ask for less at once, or set SALES_TECH_MEMORY_LIMIT to more$"):
        Reader(replace(lake.settings, memory_limit="1KB")).sql(UNITS.format(""))


def test_no_lake(tmp_path: Path) -> None:
    settings = Settings(lake=tmp_path / "lake", landing=tmp_path, sources=())
    with pytest.raises(LakeError, match=r"no lake at .*pipeline\.py run"):
        Reader(settings).sql("select 1")
    assert not settings.lake.exists()


def test_a_query_leaves_no_scratch_files(lake: Any) -> None:
    rows(lake, "select count(*) from silver.sales")
    refusal(lake, "select nothing from silver.sales")
    assert list((lake.settings.work / "scratch").iterdir()) == []


def test_a_moment_before_the_first_night_is_told_the_first(lake: Any) -> None:
    early = lake.between - timedelta(days=400)
    assert "its first is of 2" in refusal(lake, UNITS.format(f"for timestamp as of timestamp '{early:%Y-%m-%d %H:%M:%S} UTC'"))
