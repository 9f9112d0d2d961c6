"""Athena's SQL over silver and gold, read only, also as of an earlier snapshot or time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa
from pyiceberg.table import Table
from sqlglot import exp

from sales_tech.contracts.table import table_names
from sales_tech.engines.calls import check_calls
from sales_tech.engines.dialect import parse_query, tables_in, to_duckdb
from sales_tech.engines.duck import DuckEngine, open_engine
from sales_tech.errors import QueryError
from sales_tech.lake.history import complete_since, holder
from sales_tech.lake.intervals import with_texts
from sales_tech.lake.schema import sql_type
from sales_tech.lake.splicing import may_be_large, spliced
from sales_tech.lake.store import Lake, existing
from sales_tech.settings import PREFIX, Settings

_READABLE = ("silver", "gold")
_CATALOG = "awsdatacatalog"
_VIEWS = "at_snapshots"
_NAME = re.compile(rf"({'|'.join(_READABLE)})\.[a-z0-9_]+")


class Reader:
    """Answers queries on one lake; each query sees the newest snapshots."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def tables(self) -> list[str]:
        """The names of the tables that a query may read; LakeError where there is no lake yet."""
        lake = Lake(self._settings)
        existing(self._settings)
        return lake.tables(_READABLE)

    def sql(self, text: str) -> pd.DataFrame:
        """The result of one select as a data frame.

        Raises QueryError where it cannot be read or asks for more than reading silver and gold,
        LakeError where there is no lake yet.
        """
        frame: pd.DataFrame = self.arrow(text).to_pandas()
        return frame

    def arrow(self, text: str) -> pa.Table:
        """The result of one select as an Arrow table; raises as `sql` does."""
        lake = Lake(self._settings)
        tree = parse_query(text)
        existing(self._settings)
        found = list(_read_by(lake, tree))
        warehouse = lake.platform.warehouse
        if warehouse is None:
            return self._embedded(lake, tree, found)
        return warehouse.answer(spliced(text, tree, _pinned(lake, found)), large=may_be_large(tree))

    def _embedded(self, lake: Lake, tree: exp.Query, found: list[_Read]) -> pa.Table:
        try:
            with open_engine(self._settings) as engine:
                allowed: list[str] = []
                for number, read in enumerate(found):
                    allowed += _show(lake, engine, read, f"snapshot_{number}")
                tables = {read.name for read in found}
                for column in tree.find_all(exp.Column):
                    # silver.sales.sku: the table goes by its bare name now
                    if f"{column.db}.{column.table}".lower() in tables:
                        for key in ("db", "catalog"):
                            column.set(key, None)
                sql = to_duckdb(tree)
                check_calls(engine, sql)
                engine.confine(allowed)
                return _as_athena(engine, sql)
        except DuckEngine.Error as error:
            raise QueryError(f"the query failed: {self._said(error)}") from error

    def _said(self, error: Exception) -> str:
        # DuckDB's own advice is of settings that a query cannot change.
        if isinstance(error, DuckEngine.OutOfMemory):
            return f"it needs more memory than {self._settings.memory_limit}; ask for less at once, or set {PREFIX}MEMORY_LIMIT to more"
        return str(error).strip()


@dataclass(frozen=True)
class _Read:
    """A place in a query that reads a table at a snapshot; None for a table without any."""

    name: str
    table: Table
    place: exp.Table
    snapshot: int | None


def _read_by(lake: Lake, tree: exp.Query) -> Iterator[_Read]:
    for name, places in tables_in(tree).items():
        if name.partition(".")[0] == "bronze":
            raise QueryError(f"{name} may hold personal data; queries read silver and gold: {', '.join(lake.tables(_READABLE))}")
        table = lake.table(name) if _NAME.fullmatch(name) else None
        if table is None:
            known = ", ".join(lake.tables(_READABLE))
            expected = f"one of {known}" if known else "one that `python pipeline.py run` has made; there is none yet"
            if known and name in table_names():
                waits = "a run makes it once there is anything to put into it, and `python pipeline.py plan` tells what stands in the way"
                raise QueryError(f"this lake has no {name} yet: {waits}; expected {expected}")
            raise QueryError(f"no table {name!r}; expected {expected}")
        for place in places:
            if place.catalog.lower() not in ("", _CATALOG):
                raise QueryError(f"no catalog {place.catalog!r}; expected {_CATALOG} before {name}, or nothing")
            yield _Read(name, table, place, _snapshot(table, name, place) or lake.snapshot_id(name))


def _pinned(lake: Lake, found: Iterable[_Read]) -> Iterator[tuple[exp.Table, str]]:
    # Each table is pinned to the snapshot it has now: Athena may then give again the result of an equal text
    # and still never show an older state of the lake, and all tables of a query are of one moment.
    for read in found:
        version = f" FOR VERSION AS OF {read.snapshot}" if read.snapshot else ""
        yield read.place, lake.platform.identifier(read.name) + version


def _as_athena(engine: DuckEngine, sql: str) -> pa.Table:
    # DuckDB sums whole numbers into 128 bits, Athena into bigint.
    types, result = engine.typed(sql)
    wide = [number for number, kind in enumerate(types) if kind == "HUGEINT"]
    try:
        for number in wide:
            result = result.set_column(number, result.field(number).name, result.column(number).cast(pa.int64()))
    except pa.ArrowInvalid as error:
        raise QueryError(f"the query failed: a sum is beyond bigint ({error})") from error
    return with_texts(result)


def _point_at(place: exp.Table, view: str) -> None:
    # Changed in place, since joins and samples hang on the node.
    if not place.alias:
        place.set("alias", exp.TableAlias(this=exp.to_identifier(place.name, quoted=True)))
    # With its schema, since a table expression of the query may have any plain name.
    place.set("this", exp.to_identifier(view))
    place.set("db", exp.to_identifier(_VIEWS))
    for key in ("catalog", "version"):
        place.set(key, None)


def _show(lake: Lake, engine: DuckEngine, read: _Read, view: str) -> list[str]:
    files = [file.path for file in lake.files(read.name, read.snapshot)]
    columns = {field.name: sql_type(field.field_type) for field in read.table.schema().fields}
    engine.view(f"{_VIEWS}.{view}", files, columns, whole=lake.never_widened(read.name, columns))
    _point_at(read.place, view)
    return files


def _snapshot(table: Table, name: str, place: exp.Table) -> int | None:
    version = place.args.get("version")
    if version is None:
        return None
    history = table.history()
    if version.this.upper() == "VERSION":
        text = _literal(version)
        held = holder(table.metadata, int(text)) if text.isdecimal() else None
        if held is None:
            known = ", ".join(str(entry.snapshot_id) for entry in history[-3:])
            raise QueryError(f"{name} has no version {_shown(version)}; the latest are {known}, and older ones may have expired")
        return held
    moment = _moment(version)
    if moment.timestamp() * 1000 < (since := complete_since(table.metadata)) and since:
        kept = f"versions are kept for {PREFIX}KEEP_DAYS days, here since {datetime.fromtimestamp(since / 1000, UTC).isoformat()}"
        raise QueryError(f"{name} as of {moment.isoformat()} has expired; {kept}")
    earlier = [entry for entry in history if entry.timestamp_ms <= moment.timestamp() * 1000]
    if not earlier:
        first = datetime.fromtimestamp(history[0].timestamp_ms / 1000, UTC) if history else None
        raise QueryError(f"{name} has no version as old as {moment.isoformat()}; its first is of {first.isoformat() if first else 'never'}")
    return earlier[-1].snapshot_id


def _moment(version: exp.Version) -> datetime:
    try:
        moment = datetime.fromisoformat(_literal(version).replace(" UTC", "+00:00"))
    except ValueError as error:
        raise QueryError(f"time {_shown(version)!r} cannot be read; expected timestamp '2026-03-01 02:00:00 UTC'") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _literal(version: exp.Version) -> str:
    # One literal only, or nothing: what is added to it, as an interval, must not be passed over in silence.
    given = version.args.get("expression")
    value = given.this if isinstance(given, exp.Cast | exp.Paren) else given
    return value.name if isinstance(value, exp.Literal) else ""


def _shown(version: exp.Version) -> str:
    given = version.args.get("expression")
    return given.sql() if given is not None else str(version.args["kind"])
