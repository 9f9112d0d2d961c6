"""The embedded engine: DuckDB, bounded in memory, spilling into the lake's own scratch folder."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from filelock import FileLock
from fsspec import AbstractFileSystem

from sales_tech import disk
from sales_tech.engines.dialect import duckdb_type, literal, quote
from sales_tech.engines.engine import WrittenFile
from sales_tech.engines.keys import padded_keys
from sales_tech.errors import SettingsError
from sales_tech.platform import platform_of
from sales_tech.settings import Settings

_PRIMITIVES = Path(__file__).with_name("duck_primitives.sql")
_ROWS_HELD = 16_384
"""Rows that each thread holds for each partition of a table it writes: DuckDB's half a million fill the memory, and cost time."""
_ROWS_APART = 50_000
"""Writing many partitions at once takes twice as long as one after the other; a query takes some 10 ms however few its rows."""

_NO_KEY = "cast(error('this engine was opened without a hash key') as varchar)"


class DuckEngine:
    """One DuckDB connection with the primitives that models are written in.

    `hash_key` is the key of `keyed_hash`; an engine made without one refuses to hash. `filesystem` reads and
    writes the paths that are not of this machine.
    """

    def __init__(
        self, *, scratch: Path, memory_limit: str, threads: int, hash_key: bytes | None = None, filesystem: AbstractFileSystem | None = None
    ) -> None:
        self._connection = duckdb.connect()
        self._filesystem, self._threads, self._hash_key = filesystem, threads, hash_key
        if filesystem is not None:
            self._connection.register_filesystem(filesystem)
        try:
            self._connection.execute(f"set memory_limit = {literal(memory_limit)}")
        except duckdb.Error as error:
            self._connection.close()
            raise SettingsError(f"memory limit {memory_limit!r}; expected an amount such as 1GB (SALES_TECH_MEMORY_LIMIT)") from error
        with disk.in_words(f"making a folder for scratch files in {scratch} (SALES_TECH_WORK_FOLDER names another place)"):
            scratch.mkdir(parents=True, exist_ok=True)
            self._scratch = Path(tempfile.mkdtemp(dir=scratch))
            # Given back by the system when this process ends in whatever way, so that what it left can be told from what is in use.
            self._in_use = FileLock(self._scratch / disk.IN_USE)
            self._in_use.acquire()
        self._numbers, self._materialized = itertools.count(), dict[str, Path]()
        self._connection.execute(f"set temp_directory = {literal(str(self._scratch))}")
        self._connection.execute(f"set threads = {threads}")
        self._begin(self._connection)
        self._connection.execute(_PRIMITIVES.read_text(encoding="utf-8"))
        if hash_key is None:
            self._connection.execute(f"create or replace macro keyed_hash(x) as {_NO_KEY}")

    rows_apart: int | None = _ROWS_APART
    hashes_once = True
    Error = duckdb.Error
    OutOfMemory = duckdb.OutOfMemoryException
    Unfit = (duckdb.DataError, duckdb.InvalidInputException)
    """What it raises for values that an expression cannot be computed of."""

    def close(self) -> None:
        """Give back memory and scratch files."""
        self._connection.close()
        self._in_use.release()
        shutil.rmtree(self._scratch)

    def execute(self, sql: str, parameters: list[Any] | None = None) -> None:
        """Run a statement for its effect."""
        self._connection.execute(sql, parameters)

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query, as Python values."""
        table = self.arrow(sql, parameters)
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True)) if table.num_columns else []

    def row(self, sql: str, parameters: list[Any] | None = None) -> tuple[Any, ...]:
        """The one row of a query that has exactly one."""
        (row,) = self.rows(sql, parameters)
        return row

    def arrow(self, sql: str, parameters: list[Any] | None = None) -> pa.Table:
        """The result of a query as an Arrow table."""
        with disk.in_words(f"working in {self._scratch}", duckdb.Error):
            return self._connection.sql(sql, params=parameters).to_arrow_table()

    def typed(self, sql: str) -> tuple[list[str], pa.Table]:
        """The result of a query as an Arrow table, and DuckDB's type of each column; an interrupt ends it."""

        def answer() -> tuple[list[str], pa.Table]:
            told = self._connection.sql(sql)
            return [str(kind) for kind in told.types], told.to_arrow_table()

        # In a thread, since DuckDB looks for an interrupt between its tasks only, and a join that was typed by mistake is one for hours.
        with disk.in_words(f"working in {self._scratch}", duckdb.Error), ThreadPoolExecutor(1) as pool:
            try:
                return pool.submit(answer).result()
            except KeyboardInterrupt:
                self._connection.interrupt()
                raise

    def view(self, name: str, files: Iterable[str], columns: dict[str, str], *, whole: bool = False) -> None:
        """Name a list of Parquet files as a view; `columns` are the names and types (Athena's) it shows.

        Columns that a file lacks read as null, so that a table's older files stay readable; where the files are `whole`,
        none lacks any, and their footers are read only when they are asked for rows.
        """
        files = list(files)
        if files:
            listing = ", ".join(literal(path.removeprefix("file://")) for path in files)
            source = f"read_parquet([{listing}], union_by_name = {not whole}, hive_partitioning = false)"
            present = set(columns) if whole else {row[0] for row in self.rows(f"select distinct name from parquet_schema([{listing}])")}
        else:
            source, present = "(select 1) where false", set()
        shown = ", ".join(
            f"cast({quote(column) if column in present else 'null'} as {duckdb_type(kind)}) as {quote(column)}"
            for column, kind in columns.items()
        )
        with disk.in_words(f"reading the files of {name}", duckdb.Error):
            self.name_query(name, f"select {shown} from {source}")

    def name_query(self, name: str, query: str) -> str:
        """Name a query as a view, `name` or `schema.name`; the name is handed back."""
        schema, _, _ = name.rpartition(".")
        if schema:
            self.execute(f"create schema if not exists {quote(schema)}")
        self.execute(f"create or replace view {'.'.join(map(quote, name.split('.')))} as {query}")
        return name

    @contextmanager
    def batches(self, name: str, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[None]:
        """Name a stream of record batches for one query; it can be read once."""
        self._connection.register(name, pa.RecordBatchReader.from_batches(schema, batches))
        try:
            yield
        finally:
            self._connection.unregister(name)

    @contextmanager
    def arrow_view(self, name: str, table: pa.Table) -> Iterator[None]:
        """Name an Arrow table for some queries."""
        self._connection.register(name, table)
        try:
            yield
        finally:
            self._connection.unregister(name)

    def write(
        self, query: str, folder: str | Path, field_ids: dict[str, int], *, split_by: str | None = None, sort: Iterable[str] = ()
    ) -> list[WrittenFile]:
        """Write a query's rows as Parquet files with Iceberg field ids into a new folder; no rows make no file.

        `split_by` names a helper column: each of its values gets files of its own, and the column itself is
        not written. Rows of a file lie in the order of the `sort` columns.
        """
        if order := ", ".join(map(quote, sort)):
            query = f"select * from ({query}) order by {order}"
        folder = str(folder).removeprefix("file://")
        with disk.in_words(f"writing into {folder}", duckdb.Error):
            _make(folder)
            if split_by is None:
                return self._written(self._connection, query, f"{folder}/part.parquet", field_ids)
            return self._split(query, folder, field_ids, split_by)

    def write_each(
        self, queries: Iterable[str], folder: str | Path, field_ids: dict[str, int], *, sort: Iterable[str] = ()
    ) -> list[WrittenFile]:
        """Write the rows of several queries over named files, each into a file of its own, as `write` does.

        As many are worked on at once as the engine has threads. They see views, but no Arrow table that was given a name.
        """
        order = ", ".join(map(quote, sort))
        ordered = (f"select * from ({query}) order by {order}" if order else query for query in queries)
        folder = str(folder).removeprefix("file://")

        def written(numbered: tuple[int, str]) -> list[WrittenFile]:
            number, query = numbered
            with self._connection.cursor() as connection:
                self._begin(connection)
                return self._written(connection, query, f"{folder}/part-{number}.parquet", field_ids)

        with disk.in_words(f"writing into {folder}", duckdb.Error), ThreadPoolExecutor(self._threads) as pool:
            _make(folder)
            return [file for files in pool.map(written, enumerate(ordered)) for file in files]

    def _written(self, connection: duckdb.DuckDBPyConnection, query: str, target: str, field_ids: dict[str, int]) -> list[WrittenFile]:
        written, paths = connection.execute(f"copy ({query}) to {literal(target)} ({_format(field_ids)})").fetchall()[0]
        if not written:
            self._remove(target)
            return []
        return [WrittenFile(path, None) for path in paths]

    def _split(self, query: str, folder: str, field_ids: dict[str, int], split_by: str) -> list[WrittenFile]:
        options = f"{_format(field_ids)}, partition_by ({quote(split_by)}), filename_pattern 'part-{{uuid}}'"
        _, paths = self._connection.execute(f"copy ({query}) to {literal(folder)} ({options})").fetchall()[0]
        return [WrittenFile(path, Path(path).parent.name.partition("=")[2]) for path in paths]

    def materialize(self, name: str, query: str) -> None:
        """Run a query once, keep its rows in a scratch file, and name them as a view.

        The rows leave memory, so that a step over many lines stays within its limit.
        """
        path = self._scratch / f"{name.replace('.', '_')}-{next(self._numbers)}.parquet"
        with disk.in_words(f"writing into {path.parent}", duckdb.Error):
            self.execute(f"copy ({query}) to {literal(str(path))} (format parquet, compression lz4)")
        self._materialized[name] = path
        self.name_query(name, f"select * from read_parquet({literal(str(path))}, hive_partitioning = false)")

    def months_together(self, name: str, column: str, most: int) -> float | None:
        """Among how many months, on average, the dates of a column lie that are read together of a materialized relation."""
        (told,) = self.row(
            f"""select avg(least(datediff('month', cast(stats_min_value as date), cast(stats_max_value as date)) + 1, {most}))
            from parquet_metadata({literal(str(self._materialized[name]))}) where path_in_schema = {literal(column)}"""
        )
        return None if told is None else float(told)

    def confine(self, files: Iterable[str]) -> None:
        """From here on read no file but these and no variable of Python, fetch no extension, and change no setting.

        For queries that a user typed.
        """
        listing = ", ".join(literal(path.removeprefix("file://")) for path in files)
        for setting in ("python_enable_replacements", "autoinstall_known_extensions", "autoload_known_extensions"):
            self.execute(f"set {setting} = false")
        self.execute(f"set allowed_paths = [{listing}]")
        self.execute("set enable_external_access = false")
        self.execute("set lock_configuration = true")

    def describe(self, sql: str) -> dict[str, str]:
        """Column names and DuckDB types of a query, without running it."""
        return {row[0]: row[1] for row in self._connection.execute(f"describe {sql}").fetchall()}

    def _remove(self, path: str) -> None:
        if self._filesystem is None:
            Path(path).unlink()
        else:
            self._filesystem.rm_file(path)

    def _begin(self, connection: duckdb.DuckDBPyConnection) -> None:
        # What each connection to the engine's database has to be told anew.
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set preserve_insertion_order = false")
        connection.execute("set parquet_metadata_cache = true")
        connection.execute(f"set partitioned_write_flush_threshold = {_ROWS_HELD}")
        if self._hash_key is not None:
            inner, outer = padded_keys(self._hash_key)
            connection.execute("set variable hmac_inner = ?::blob", [inner])
            connection.execute("set variable hmac_outer = ?::blob", [outer])


def _make(folder: str) -> None:
    if "://" not in folder:
        Path(folder).mkdir(parents=True)


def _format(field_ids: dict[str, int]) -> str:
    ids = ", ".join(f"{quote(column)}: {number}" for column, number in field_ids.items())
    # Level 3, the usual one, takes a twelfth of the time more and makes files of the same size.
    return f"format parquet, compression zstd, compression_level 1, field_ids {{{ids}}}, return_files true"


@contextmanager
def open_engine(settings: Settings, *, hashing: bool = False) -> Iterator[DuckEngine]:
    """An engine within the settings' bounds; its scratch files go with it."""
    platform = platform_of(settings)
    engine = DuckEngine(
        scratch=settings.work / "scratch",
        memory_limit=settings.memory_limit,
        threads=settings.threads,
        hash_key=platform.hash_key() if hashing else None,
        filesystem=platform.filesystem,
    )
    with closing(engine):
        yield engine
