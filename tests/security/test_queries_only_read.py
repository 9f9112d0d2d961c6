"""A query that a user typed reads silver and gold: no file, no setting, no secret, no network, and it changes nothing."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from sales_tech.engines.calls import allowed_functions
from sales_tech.errors import QueryError
from sales_tech.lake.query import Reader
from sales_tech.settings import Settings

CHANGES = [
    "insert into silver.sales select * from silver.sales",
    "delete from silver.sales",
    "drop table silver.sales",
    "create table x as select 1",
    "create secret s (type s3)",
    "copy (select 1) to '{file}'",
    "copy silver.sales to '{file}'",
    "export database '{file}'",
    "attach '{file}' as other",
    "detach memory",
    "use memory",
    "install httpfs",
    "load httpfs",
    "force install 'http://127.0.0.1:{port}/x.duckdb_extension'",
    "set enable_external_access = true",
    "set global lock_configuration = false",
    "reset all",
    "pragma database_list",
    "pragma enable_profiling",
    "call duckdb_settings()",
    "call pragma_version()",
    "begin transaction",
    "prepare p as select 1",
    "vacuum",
    "checkpoint",
    "select 1; copy (select 1) to '{file}'",
    "select 1 into outfile '{file}'",
    "explain analyze select 1",
]
TABLES = [
    "read_text('{file}')",
    "read_blob('{file}')",
    "read_csv('{file}')",
    "read_csv_auto('{file}')",
    "read_json('{file}')",
    "read_json_auto('{file}')",
    "read_ndjson('{file}')",
    "read_ndjson_objects('{file}')",
    "read_json_objects('{file}')",
    "read_parquet('{file}')",
    "parquet_scan('{file}')",
    "parquet_schema('{file}')",
    "parquet_metadata('{file}')",
    "parquet_file_metadata('{file}')",
    "parquet_kv_metadata('{file}')",
    "parquet_bloom_probe('{file}', 'a', 1)",
    "read_duckdb('{file}')",
    "sniff_csv('{file}')",
    "glob('{folder}/*')",
    "read_csv('http://127.0.0.1:{port}/x.csv')",
    "read_parquet('s3://bucket/x.parquet')",
    "iceberg_scan('{folder}')",
    "delta_scan('{folder}')",
    "sqlite_scan('{file}', 't')",
    "postgres_scan('host=127.0.0.1 port={port}', 'public', 't')",
    "duckdb_settings()",
    "duckdb_secrets()",
    "duckdb_variables()",
    "duckdb_functions()",
    "duckdb_views()",
    "duckdb_tables()",
    "duckdb_temporary_files()",
    "duckdb_extensions()",
    "duckdb_logs()",
    "duckdb_connections()",
    "which_secret('s3://bucket', 's3')",
    "pragma_database_list()",
    "pragma_table_info('at_snapshots.snapshot_0')",
    "pragma_user_agent()",
    "query('select 1')",
    "query_table('at_snapshots.snapshot_0')",
    "json_execute_serialized_sql(json_serialize_sql('select 1'))",
    "seq_scan('at_snapshots.snapshot_0')",
    "arrow_scan(1, 2, 3)",
    "pandas_scan(1)",
    "python_map_function(1)",
    "sql_auto_complete('sel')",
    "enable_logging()",
    "enable_profiling()",
    "set_log_level('x')",
    "force_checkpoint()",
    "test_all_types()",
]
NAMES = [
    "'{file}'",
    '"{file}"',
    "'http://127.0.0.1:{port}/x.csv'",
    '"http://127.0.0.1:{port}/x.parquet"',
    "duckdb_settings",
    "duckdb_views",
    "duckdb_logs",
    "pragma_database_list",
    "sqlite_master",
    "sqlite_schema",
    "information_schema.tables",
    "pg_catalog.pg_settings",
    "pg_settings",
    "at_snapshots.snapshot_0",
    "snapshot_0",
    "memory.at_snapshots.snapshot_0",
    "frame",
    "tables",
]
CALLS = [
    "getenv('{variable}')",
    "main.getenv('{variable}')",
    "\"getenv\"('{variable}')",
    "getvariable('hmac_inner')",
    "GetVariable('hmac_outer')",
    "system.main.getvariable('hmac_inner')",
    "current_setting('temp_directory')",
    "current_setting('secret_directory')",
    "current_setting('allowed_paths')",
    "system.main.current_setting('home_directory')",
    "current_query()",
    "current_database()",
    "current_schemas(true)",
    "current_connection_id()",
    "in_search_path('a', 'b')",
    "txid_current()",
    "version()",
    "user()",
    "keyed_hash('111.444.777-35')",
    "read_text('{file}')",
    "glob('{folder}/*')",
    "query('select 1')",
    "which_secret('s3://bucket', 's3')",
    "load_aws_credentials()",
    "http_get('http://127.0.0.1:{port}')",
    "json_execute_serialized_sql('x')",
    "json_serialize_sql('select 1')",
    "json_serialize_plan('select 1')",
    "json_deserialize_sql('x')",
    "pg_get_viewdef(1)",
    "nextval('s')",
    "setseed(0.5)",
    "sleep_ms(100000)",
    "pg_sleep(100)",
    "write_log('x')",
    "error('x')",
    "stats(order_id)",
    "vector_type(order_id)",
    "list_transform([1], x -> getvariable('hmac_inner'))",
    "max(getvariable('hmac_inner'))",
    "sum(1) filter (where getvariable('hmac_inner') is not null)",
    "sum(1) over (order by getvariable('hmac_inner'))",
    "case when true then getvariable('hmac_inner') end",
    "(select getvariable('hmac_inner'))",
    "array[getvariable('hmac_inner')]",
    "cast(getvariable('hmac_inner') as varchar)",
]
PLACES = {
    "table": "select * from {}",
    "joined": "select * from silver.sales cross join {}",
    "lateral": "select * from silver.sales as s left join lateral (select * from {}) as t on true",
    "filter": "select * from silver.sales where exists (select 1 from {})",
    "expression": "with x as (select * from {}) select count(*) from x",
    "union": "select 1 union all select 1 from {}",
}


class Outside:
    """A file with a secret, a variable of the environment with another, and a port that notes who knocks."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "secret.csv"
        self.file.write_text("a\ntop secret\n")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.02)
        self.words = {
            "{file}": str(self.file),
            "{folder}": str(folder),
            "{port}": str(self.listener.getsockname()[1]),
            "{variable}": "SALES_TECH_HASH_KEY",
        }

    def named(self, sql: str) -> str:
        for word, value in self.words.items():
            sql = sql.replace(word, value)
        return sql

    def untouched(self) -> bool:
        """Whether nobody knocked, and the folder holds the file as it was and nothing else."""
        try:
            self.listener.accept()
        except TimeoutError:
            return [*self.folder.iterdir()] == [self.file] and self.file.read_text() == "a\ntop secret\n"
        return False


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    found = Outside(tmp_path)
    yield found
    found.listener.close()


def refused(reader: Reader, sql: str) -> str:
    with pytest.raises(QueryError) as caught:
        reader.arrow(sql)
    return str(caught.value)


@pytest.mark.filterwarnings("ignore:.*unsupported syntax.*")
@pytest.mark.parametrize("sql", CHANGES)
def test_a_statement_that_is_no_select_is_refused(reader: Reader, outside: Outside, sql: str) -> None:
    assert "expected" in refused(reader, outside.named(sql))
    assert outside.untouched()
    assert reader.arrow("select count(*) as lines from silver.sales").to_pylist() == [{"lines": 2}]


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_function_that_stands_for_a_table_is_refused_wherever_it_stands(reader: Reader, outside: Outside, place: str) -> None:
    for table in TABLES:
        said = refused(reader, outside.named(place.format(table)))
        assert said.startswith(("no table ", "the query cannot be read")), table
    assert outside.untouched()


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_name_that_is_no_table_of_the_lake_is_refused_wherever_it_stands(reader: Reader, outside: Outside, place: str) -> None:
    for name in NAMES:
        said = refused(reader, outside.named(place.format(name)))
        assert said.startswith(("no table ", "the query cannot be read")), name
    assert outside.untouched()


@pytest.mark.parametrize("name", [name for name in NAMES if "." not in name and not name.startswith("'")])
def test_a_name_of_an_expression_is_known_only_where_the_expression_is(reader: Reader, outside: Outside, name: str) -> None:
    # The engine would take the name outside for one of its own tables, a file or a variable of Python.
    for sql in (
        f"select * from (with {name} as (select 1 as n) select n from {name}) as x cross join {name} as y",
        f"with {name} as (select * from {name}) select * from {name}",
        f"with a as (select * from {name}), {name} as (select 1 as n) select * from a",
        f"select * from {name} as y where exists (with {name} as (select 1 as n) select n from {name})",
    ):
        assert refused(reader, outside.named(sql)).startswith("no table ")


@pytest.mark.parametrize("call", CALLS)
def test_a_function_that_tells_more_than_its_arguments_is_refused(
    reader: Reader, outside: Outside, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALES_TECH_HASH_KEY", "the key that nobody may read")
    for sql in (f"select {call} from silver.sales", f"select order_id from silver.sales where {call} is not null", f"select {call}"):
        said = refused(reader, outside.named(sql))
        assert said.startswith(("function ", "the query cannot be read")), said
        assert "nobody may read" not in said
    assert outside.untouched()


def test_the_refusal_names_the_function_and_what_may_be_asked(reader: Reader) -> None:
    said = refused(reader, "select GetEnv('HOME'), upper(sku) from silver.sales")
    assert said == (
        "function getenv may not be called; expected one of Athena's functions of values, dates and times, "
        "since queries read the tables of the lake and nothing else"
    )


def test_what_the_list_allows_gives_what_follows_from_arguments_the_clock_or_chance() -> None:
    chance_and_clock = {"random", "uuid", "gen_random_uuid", "now", "today", "current_date", "transaction_timestamp"}
    chance_and_clock |= {"get_current_time", "get_current_timestamp"}
    by_the_parser = {"unnest", "clean"}
    with duckdb.connect() as connection:
        known = connection.execute(
            "select lower(function_name), bool_and(coalesce(stability, 'CONSISTENT') = 'CONSISTENT') from duckdb_functions() "
            "where function_type in ('scalar', 'aggregate', 'window', 'macro') group by all"
        ).fetchall()
    assert allowed_functions() - {name for name, _ in known} - by_the_parser == set()
    assert {name for name, constant in known if not constant} & allowed_functions() == chance_and_clock
    told_of = re.compile(r"^(pg_|current_(?!date|localtime)|read_|duckdb_|pragma_|has_|inet_|.*(secret|setting|variable)|getenv|keyed)")
    assert [name for name in allowed_functions() if told_of.match(name)] == []


def test_bronze_and_the_key_of_the_hash_stay_out_of_reach_of_an_open_engine(reader: Reader, small: Settings) -> None:
    # Even where a refusal were passed by, the engine of a query holds neither the key nor a way to other files.
    from sales_tech.engines.duck import open_engine

    with open_engine(small) as engine:
        engine.confine([])
        assert engine.row("select getvariable('hmac_inner'), getvariable('hmac_outer')") == (None, None)
        for sql in ("select * from read_text('/etc/hostname')", "select * from glob('/*')", "install httpfs", "attach '/tmp/x.db'"):
            with pytest.raises(engine.Error, match=r"(?i)disabled|denied|permission|not allowed"):
                engine.execute(sql)
        for sql in ("set enable_external_access = true", "set lock_configuration = false", "set allowed_paths = ['/etc/hostname']"):
            with pytest.raises(engine.Error):
                engine.execute(sql)
        frame = {"a": [1]}  # a variable that the engine would otherwise find by its name
        with pytest.raises(engine.Error, match="frame"):
            engine.rows("select * from frame")
        assert frame
