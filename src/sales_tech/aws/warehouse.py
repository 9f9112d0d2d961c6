"""Athena as the one who answers queries."""

from __future__ import annotations

import uuid
from functools import cached_property
from typing import Any

import awswrangler as wr
import pyarrow as pa
import pyarrow.parquet as pq
from awswrangler.exceptions import QueryCancelled, QueryFailed
from botocore.exceptions import ClientError
from pyarrow.fs import FileSelector

from sales_tech.aws.connection import Connection, code_of, in_words
from sales_tech.aws.results import NESTED, ResultColumn, from_text, read_csv, schema
from sales_tech.errors import QueryError, SettingsError

_POLLED = 0.4  # seconds between two looks at a running query
_TEXT = "CAST({} AS VARCHAR)"
# Parquet of UNLOAD holds neither zones nor microseconds, so these travel as text, moments on the clock of UTC.
_AS_TEXT = {
    "timestamp with time zone": "CAST(CAST({} AT TIME ZONE 'UTC' AS TIMESTAMP(6)) AS VARCHAR)",
    "timestamp": _TEXT,
    "unknown": _TEXT,
}
_KINDS_OF_TEXT = ("varchar", "char", "string")


class Athena:
    """Queries through one workgroup, which says how much a query may read and where results lie.

    `reuse` is for how many minutes a result may be given again for the same text; 0 for never.
    """

    def __init__(self, connection: Connection, workgroup: str, *, reuse: int = 60) -> None:
        self._connection, self._name, self._reuse = connection, workgroup, reuse

    def answer(self, sql: str, *, large: bool) -> pa.Table:
        """The result of one select; a large one comes as Parquet files, written side by side and so in no order.

        Nested values are text in a result that is not large. Raises QueryError with Athena's own reason, or
        where the query would read more than the workgroup allows.
        """
        return self._unloaded(sql) if large else self._plain(sql)

    def _plain(self, sql: str) -> pa.Table:
        execution = self._run(sql)
        columns = self._columns(execution)
        location = execution["ResultConfiguration"]["OutputLocation"]
        with (
            in_words(f"reading the result {location}"),
            self._connection.arrow.open_input_stream(location.removeprefix("s3://")) as file,
        ):
            return read_csv(file, columns)

    def _unloaded(self, sql: str) -> pa.Table:
        # Asked for no rows, Athena reads none and tells the columns, which UNLOAD does not.
        columns = self._columns(self._run(f"SELECT * FROM ({sql}) LIMIT 0"))
        names = [f"c{number}" for number in range(len(columns))]
        shown = ", ".join(f"{_written(column).format(name)} AS {name}" for name, column in zip(names, columns, strict=True))
        folder = f"{self._results}/unload/{uuid.uuid4().hex}/"
        target = f"TO '{folder}' WITH (format = 'PARQUET', compression = 'SNAPPY')"
        self._run(f"UNLOAD (SELECT {shown} FROM ({sql}) AS answer ({', '.join(names)})) {target}", reusable=False)
        arrow = self._connection.arrow
        with in_words(f"reading the result {folder}"):
            files = arrow.get_file_info(FileSelector(folder.removeprefix("s3://"), recursive=True, allow_not_found=True))
            parts = [pq.read_table(file.path, filesystem=arrow) for file in files if file.is_file]
        if not parts:
            return schema(columns).empty_table()
        rows = pa.concat_tables(parts)
        values = [_typed(rows.column(name), column) for name, column in zip(names, columns, strict=True)]
        return pa.table(values, names=[column.name for column in columns])

    def _run(self, sql: str, *, reusable: bool = True) -> dict[str, Any]:
        session, _ = self._connection.session, self._results  # awswrangler would make a bucket where there is no place
        reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": self._reuse}} if reusable and self._reuse else None
        with in_words(f"asking Athena (workgroup {self._name})"):
            try:
                query = wr.athena.start_query_execution(sql, workgroup=self._name, result_reuse_configuration=reuse, boto3_session=session)
            except ClientError as error:
                if code_of(error) != "InvalidRequestException":
                    raise
                raise QueryError(f"the query failed: {error.response['Error']['Message']}") from error
            assert isinstance(query, str)
            try:
                return wr.athena.wait_query(query, boto3_session=session, athena_query_wait_polling_delay=_POLLED)
            except (QueryFailed, QueryCancelled) as error:
                raise QueryError(self._reason(str(error))) from error
            except KeyboardInterrupt:
                # What is no longer waited for would go on reading, and costing.
                wr.athena.stop_query_execution(query, boto3_session=session)
                raise

    def _columns(self, execution: dict[str, Any]) -> list[ResultColumn]:
        # Asked of boto3: awswrangler hands back a dictionary, in which two columns of one name are one.
        with in_words(f"asking Athena (workgroup {self._name})"):
            answer = self._connection.client("athena").get_query_results(QueryExecutionId=execution["QueryExecutionId"], MaxResults=1)
        return [ResultColumn.read(info) for info in answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]

    def _reason(self, told: str) -> str:
        if "bytes scanned limit" not in told.lower():
            return f"the query failed: {told}"
        allowed = self._workgroup.get("BytesScannedCutoffPerQuery", 0) / 10**6
        return (
            f"the query would read more than the {allowed:,.0f} MB that workgroup {self._name} allows; name the columns you need, "
            "narrow sold_on to fewer months, or have the workgroup's limit raised"
        )

    @property
    def _results(self) -> str:
        location = self._workgroup.get("ResultConfiguration", {}).get("OutputLocation")
        if not location:
            raise SettingsError(
                f"Athena's workgroup {self._name} has no place for results; expected one such as s3://<lake bucket>/athena/"
            )
        return str(location).rstrip("/")

    @cached_property
    def _workgroup(self) -> dict[str, Any]:
        with in_words(f"looking at Athena's workgroup {self._name}"):
            found = wr.athena.get_work_group(self._name, boto3_session=self._connection.session)
        return dict(found["WorkGroup"]["Configuration"])


def _written(column: ResultColumn) -> str:
    """How a column is told to the files of UNLOAD."""
    if column.kind == "json":
        return "JSON_FORMAT({})"
    # What Hive has no type for, such as an interval or a time of day, is text in other results too.
    is_foreign = pa.types.is_string(column.type) and column.kind not in (*_KINDS_OF_TEXT, *NESTED)
    return _AS_TEXT.get(column.kind, _TEXT if is_foreign else "{}")


def _typed(values: pa.ChunkedArray, column: ResultColumn) -> pa.ChunkedArray:
    if column.kind in _AS_TEXT:
        return from_text(values, column)
    return values if column.kind in NESTED else values.cast(column.type)
