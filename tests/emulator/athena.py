"""Athena for moto, which runs no query: DuckDB over the Iceberg tables of the Glue catalog.

Understood are a select, with `FOR VERSION AS OF` and `FOR TIMESTAMP AS OF`, and UNLOAD to Parquet. As on AWS,
UNLOAD refuses a folder that is not empty and types its files cannot hold, a query over the workgroup's
scan cutoff is cancelled (files count whole here, not by column), and results lie as CSV in the workgroup's
place. A result is never given a second time. Types are DuckDB's, by Athena's names.
"""

from __future__ import annotations

import io
import json
import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import sqlglot
from moto.athena.models import AthenaBackend, Execution, QueryResults
from moto.athena.responses import AthenaResponse
from moto.glue.models import glue_backends
from moto.s3.models import s3_backends
from pyiceberg.table import StaticTable
from sqlglot import exp

_TYPES = {
    "FLOAT": "float",
    "BLOB": "varbinary",
    "HUGEINT": "bigint",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    '"NULL"': "unknown",
    "INTERVAL": "interval day to second",
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_UNLOAD = re.compile(r"\s*UNLOAD\s*\((.*)\)\s*TO\s*'([^']+)'\s*WITH\s*\(.*\)\s*", re.I | re.S)
_NOTHING_READ = re.compile(r"\bLIMIT\s+0\s*$", re.I)


class QueryRefused(Exception):
    """What Athena would give as the reason of a failed query."""


@dataclass
class _Query:
    """One query under way: its engine, and the bytes of the files it reads."""

    backend: AthenaBackend
    port: int
    engine: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)
    scanned: int = 0

    def result(self, sql: str) -> tuple[pa.Table, list[str]]:
        """The rows of a select and the engine's types."""
        tree = sqlglot.parse_one(sql, read="trino")
        own = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
        for number, place in enumerate(list(tree.find_all(exp.Table))):
            if isinstance(place.this, exp.Identifier) and (place.db or place.name.lower() not in own):
                name = f"table_{number}"
                self.engine.register(name, self._table(place))
                if not place.alias:
                    place.set("alias", exp.TableAlias(this=exp.to_identifier(place.name, quoted=True)))
                for key, value in {"this": exp.to_identifier(name), "db": None, "catalog": None, "version": None}.items():
                    place.set(key, value)
        if _NOTHING_READ.search(sql):
            self.scanned = 0
        self.engine.execute("set TimeZone = 'UTC'; set enable_external_access = false")
        relation = self.engine.sql(tree.sql(dialect="duckdb"))
        return relation.to_arrow_table(), [str(kind) for kind in relation.types]

    def _table(self, place: exp.Table) -> pa.Table:
        glue = glue_backends[self.backend.account_id][self.backend.region_name]
        known = glue.get_table(place.db.lower(), place.name.lower()).as_dict()
        properties = {
            "s3.endpoint": f"http://127.0.0.1:{self.port}",
            "s3.access-key-id": "testing",
            "s3.secret-access-key": "testing",
            "s3.region": self.backend.region_name,
        }
        table = StaticTable.from_metadata(known["Parameters"]["metadata_location"], properties)
        scan = table.scan(snapshot_id=_snapshot(table, place))
        self.scanned += sum(task.file.file_size_in_bytes for task in scan.plan_files())
        return scan.to_arrow()


def _snapshot(table: StaticTable, place: exp.Table) -> int | None:
    version = place.args.get("version")
    if version is None:
        return None
    if version.this.upper() == "VERSION":
        return int(version.expression.name)
    moment = datetime.fromisoformat(version.expression.this.name.replace(" UTC", "+00:00"))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    found = table.snapshot_as_of_timestamp(int(moment.timestamp() * 1000))
    if found is None:
        raise QueryRefused(f"ICEBERG_INVALID_METADATA: no version of {place.name} at or before {moment}")
    return found.snapshot_id


def _described(name: str, kind: str) -> dict[str, Any]:
    precision = scale = 0
    if found := _DECIMAL.fullmatch(kind):
        kind, precision, scale = "decimal", int(found[1]), int(found[2])
    elif kind.endswith("]"):
        kind = "array"
    known = _TYPES.get(kind, "timestamp" if kind.startswith("TIMESTAMP") and "ZONE" not in kind else kind.partition("(")[0].lower())
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": {"struct": "row"}.get(known, known),
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": known == "varchar",
    }


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S.%f}{' UTC' if value.tzinfo else ''}"
    return str(value)


def _csv(header: list[str], rows: list[list[str | None]]) -> bytes:
    lines = [",".join("" if cell is None else '"' + cell.replace('"', '""') + '"' for cell in row) for row in [header, *rows]]
    return "".join(f"{line}\n" for line in lines).encode()


class _Bucket:
    """Writing and listing by address, inside moto."""

    def __init__(self, backend: AthenaBackend) -> None:
        self._s3 = s3_backends[backend.account_id][backend.partition]

    def put(self, url: str, data: bytes) -> None:
        bucket, _, key = url.removeprefix("s3://").partition("/")
        self._s3.put_object(bucket_name=bucket, key_name=key, value=data)

    def is_empty(self, url: str) -> bool:
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        return not self._s3.list_objects(self._s3.get_bucket(bucket), prefix, None, None, None)[0]


def _run(backend: AthenaBackend, execution: Execution, port: int) -> QueryResults:
    query, bucket = _Query(backend, port), _Bucket(backend)
    sql = execution.query.strip()
    unload = _UNLOAD.fullmatch(sql)
    rows, kinds = query.result(unload[1] if unload else sql)
    described = [_described(name, kind) for name, kind in zip(rows.column_names, kinds, strict=True)]
    execution.scanned = query.scanned
    allowed = execution.workgroup.configuration.get("BytesScannedCutoffPerQuery")
    if allowed and query.scanned > allowed:
        execution.status = "CANCELLED"
        raise QueryRefused("Bytes scanned limit was exceeded")
    if unload is None:
        cells = [[_cell(value) for value in row] for row in zip(*(column.to_pylist() for column in rows.columns), strict=True)]
        bucket.put(execution.config["OutputLocation"], _csv(rows.column_names, cells))
        listed = [[{} if cell is None else {"VarCharValue": cell} for cell in row] for row in [rows.column_names, *cells]]
        return QueryResults([{"Data": row} for row in listed], described)
    for column in described:
        if column["Type"].startswith(("time", "interval", "uuid", "json", "unknown")):
            raise QueryRefused(f"NOT_SUPPORTED: Unsupported Hive type: {column['Type']}; column name: {column['Name']}")
    if not bucket.is_empty(unload[2]):
        raise QueryRefused(f"HIVE_PATH_ALREADY_EXISTS: Target directory for table '{unload[2]}' already exists")
    if rows.num_rows:
        file = io.BytesIO()
        pq.write_table(rows, file)
        bucket.put(f"{unload[2].rstrip('/')}/{uuid.uuid4().hex}", file.getvalue())
    return QueryResults([], [])


def install(port: int) -> None:
    """Patch moto in this process."""

    def start(
        backend: AthenaBackend, query: str, context: Any, config: dict[str, Any] | None, workgroup: str, execution_parameters: Any
    ) -> str:
        group = backend.work_groups[workgroup or "primary"]
        place = group.configuration.get("ResultConfiguration", {}).get("OutputLocation") or (config or {})["OutputLocation"]
        execution = Execution(query, context, {"OutputLocation": place}, group, execution_parameters)
        backend.executions[execution.id] = execution
        execution.status = "SUCCEEDED"
        try:
            backend.query_results[execution.id] = _run(backend, execution, port)
        except (QueryRefused, duckdb.Error, ValueError) as error:
            execution.status = "CANCELLED" if execution.status == "CANCELLED" else "FAILED"
            execution.reason = str(error)
        return execution.id

    plain = AthenaResponse.get_query_execution

    def described(response: AthenaResponse) -> str:
        answer = json.loads(plain(response))
        told, execution = answer["QueryExecution"], response.athena_backend.executions[answer["QueryExecution"]["QueryExecutionId"]]
        told["Statistics"]["DataScannedInBytes"] = getattr(execution, "scanned", 0)
        if reason := getattr(execution, "reason", None):
            told["Status"] |= {"StateChangeReason": reason, "AthenaError": {"ErrorMessage": reason}}
        return json.dumps(answer)

    known_group = AthenaResponse.get_work_group

    def group(response: AthenaResponse) -> Any:
        # moto answers with no workgroup at all.
        if response._get_param("WorkGroup") not in response.athena_backend.work_groups:
            return response.error(f"WorkGroup {response._get_param('WorkGroup')} is not found.", 400)
        return known_group(response)

    AthenaResponse.get_work_group = group
    AthenaBackend.start_query_execution = start
    AthenaResponse.get_query_execution = described
    Execution.advance = lambda _execution: None
