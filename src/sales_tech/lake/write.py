"""Stage, audit, commit: the only way rows enter a table."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sales_tech.contracts.table import TableContract, contract_path
from sales_tech.engines.dialect import duckdb_type, literal, parse_model, quote, to_duckdb
from sales_tech.engines.engine import Engine, WrittenFile
from sales_tech.errors import AuditError
from sales_tech.lake.store import Lake, LakeFile

_SPLIT = "_split"


@dataclass(frozen=True)
class Staged:
    """Files written for a table but not committed, and how many rows they hold."""

    contract: TableContract
    paths: tuple[str, ...]
    rows: int


def stage(lake: Lake, engine: Engine, contract: TableContract, query: str, run_id: str, *, unique: bool = True) -> Staged:
    """Write a query's rows, cast to the contract's types, into the table's location, and audit them.

    `query` is the engine's SQL; columns of the contract that it lacks are an error of the caller.
    `unique` False skips the proof of the grain, for rows that are numbered as they are read. Raises
    AuditError, with the broken promise and how many rows break it.
    """
    ids, split = _field_ids(lake, contract), _split_expression(contract)
    helper = (f"{split} as {_SPLIT}",) if split else ()
    split_by = _SPLIT if split else None
    written = engine.write(_cast(contract, query, *helper), lake.staging(contract.name, run_id), ids, split_by=split_by, sort=contract.sort)
    return _audited(engine, contract, written, unique=unique)


def stage_each(lake: Lake, engine: Engine, contract: TableContract, queries: Iterable[str], run_id: str) -> Staged:
    """As `stage`, of several queries over views, each of which gives the rows of one partition and no others."""
    ids = _field_ids(lake, contract)
    parts = [_cast(contract, query) for query in queries]
    return _audited(engine, contract, engine.write_each(parts, lake.staging(contract.name, run_id), ids, sort=contract.sort))


def _field_ids(lake: Lake, contract: TableContract) -> dict[str, int]:
    table = lake.ensure(contract)
    return {field.name: field.field_id for field in table.schema().fields if field.name in contract.columns}


def _cast(contract: TableContract, query: str, *more: str) -> str:
    columns = [f"cast({quote(name)} as {duckdb_type(column.type.sql)}) as {quote(name)}" for name, column in contract.columns.items()]
    return f"select {', '.join([*columns, *more])} from ({query})"


def _audited(engine: Engine, contract: TableContract, written: Iterable[WrittenFile], *, unique: bool = True) -> Staged:
    paths = tuple(file.path for file in written)
    return Staged(contract, paths, audit(engine, contract, paths, unique=unique))


def audit(engine: Engine, contract: TableContract, paths: Iterable[str], *, unique: bool = True) -> int:
    """Hold staged files against their contract and return their rows.

    Raises AuditError for nulls in required columns, a grain that is not unique, or a broken check.
    """
    paths = list(paths)
    if not paths:
        return 0
    view = "staged"
    engine.view(view, paths, {name: column.type.sql for name, column in contract.columns.items()})
    promises = {
        f"{name} is null in a required column": f"{quote(name)} is null" for name, column in contract.columns.items() if column.required
    }
    for check in contract.checks:
        condition = to_duckdb(parse_model(f"select {check.sql}", contract_path(contract.name)).selects[0])
        promises[check.reason] = f"not ({condition})"
    counts = ", ".join(f"count(*) filter (where {broken})" for broken in promises.values())
    rows, *broken = engine.row(f"select count(*){', ' + counts if counts else ''} from {view}")
    grain = ", ".join(map(quote, contract.grain))
    (repeated,) = (0,) if not unique else engine.row(f"select count(*) from (select 1 from {view} group by {grain} having count(*) > 1)")
    faults = [f"{reason} ({count} rows)" for reason, count in zip(promises, broken, strict=True) if count]
    if repeated:
        example = engine.row(f"select {grain} from {view} group by {grain} having count(*) > 1 order by {grain} limit 1")
        faults.append(f"grain ({', '.join(contract.grain)}) is not unique ({repeated} keys, such as {example})")
    if faults:
        raise AuditError(f"{contract.name}: {'; '.join(faults)}; nothing was committed, the files stay in the table's location")
    return int(rows)


def in_partitions(files: Iterable[LakeFile], partitions: Collection[tuple[object, ...]]) -> list[LakeFile]:
    """The files that lie in any of the partitions."""
    return [file for file in files if file.partition in partitions]


def _split_expression(contract: TableContract) -> str | None:
    formats = {"month": "%Y-%m", "day": "%Y-%m-%d"}
    parts = [
        quote(field.column) if field.transform == "identity" else f"strftime({quote(field.column)}, {literal(formats[field.transform])})"
        for field in contract.partition_fields
    ]
    return f"concat_ws('~', {', '.join(parts)})" if parts else None
