"""Gold tables that are estimated, not selected: which sources are due, and how frames become audited rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
import pyarrow as pa

from sales_tech.contracts.table import Column, TableContract, table_contract
from sales_tech.engines.dialect import duckdb_type, literal, quote
from sales_tech.engines.duck import DuckEngine
from sales_tech.errors import AuditError
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake, LakeFile
from sales_tech.lake.write import Staged, stage
from sales_tech.runs import Commit, Run
from sales_tech.transform.promotion_frames import DAILY, sources_of
from sales_tech.transform.staleness import Change, change_since

_ROUNDING = 5  # last digits by which a figure may differ from its parts, each of which was rounded


def changes_of(lake: Lake, tables: Iterable[str], inputs: Sequence[str], code: str, *, force: bool = False) -> dict[str, Change]:
    """For each of the tables that must be worked on: what moved since its last commit. Nothing before there are sales."""
    if lake.snapshot_id(DAILY) is None:
        return {}
    changes = {}
    for name in tables:
        last, contract = lake.provenance(name), table_contract(name)
        differences = []
        if last is not None:
            differences += ["changed code"] if last.code != code else []
            differences += ["changed contract"] if last.contract != contract.fingerprint else []
        changes[name] = change_since(lake, last, inputs, differences, force=force)
    return {name: change for name, change in changes.items() if change}


def stale_sources(lake: Lake, tables: Iterable[str], changes: Mapping[str, Change]) -> list[str]:
    """The sources whose rows are due; the tables of a source are written together, so one that is stale makes the others stale."""
    known = sources_of(lake, DAILY).union(*(sources_of(lake, name) for name in tables))
    stale: set[str] = set()
    for name, change in changes.items():
        last = lake.provenance(name)
        if change.full or last is None:
            return sorted(known)
        for moved in change.inputs:
            stale |= {str(partition[0]) for partition in lake.changed_partitions(moved, last.inputs.get(moved))}
    return sorted(stale & known)


def stage_frame(lake: Lake, engine: DuckEngine, run: Run, name: str, frame: pd.DataFrame, given: Mapping[str, str]) -> Staged:
    """Write a frame's rows, rounded as the table's contract says, as files that are not committed yet.

    `given` are columns that are the same in every row. Raises AuditError for a column that is missing,
    a derived figure that is not what it derives from, or a broken promise.
    """
    contract = table_contract(name)
    missing = [column for column in contract.columns if column not in given and column not in frame.columns]
    if missing:
        raise AuditError(f"{name}: the estimates lack {', '.join(missing)}; expected {', '.join(contract.columns)}. Nothing was committed")
    estimated = [column for column in contract.columns if column not in given]
    table = pa.Table.from_pandas(frame[estimated], preserve_index=False)
    with engine.arrow_view("estimated", table):
        _prove(engine, contract)
        return stage(lake, engine, contract, _rounded(contract, given), run.run_id)


def commit_frames(
    lake: Lake,
    run: Run,
    step: str,
    code: str,
    inputs: Iterable[str],
    staged: Mapping[str, list[Staged]],
    removed: Mapping[str, list[LakeFile]],
    sources: Sequence[str],
    packs: Mapping[str, str] | None = None,
    models: Mapping[str, str] | None = None,
) -> list[Commit]:
    """Commit staged files of some sources in place of removed ones, table by table.

    The commits name the snapshots of the `inputs`, what of `packs` was applied, and the `models` that were gone on with.
    """
    read = {name: snapshot for name in inputs if (snapshot := lake.snapshot_id(name)) is not None}
    commits = []
    for name, parts in staged.items():
        contract = table_contract(name)
        lake.ensure(contract)
        provenance = Provenance(run.run_id, step, code, contract.fingerprint, read, packs=dict(packs or {}), models=dict(models or {}))
        snapshot = lake.commit(name, [path for part in parts for path in part.paths], removed[name], provenance)
        commits.append(Commit(name, snapshot, sum(part.rows for part in parts), len(sources)))
    return commits


def _rounded(contract: TableContract, given: Mapping[str, str]) -> str:
    # What derives from other columns is worked out of the rounded ones, so that a table adds up to its last digit.
    plain: list[str] = []
    derived: list[str] = []
    for name, column in contract.columns.items():
        value = literal(given[name]) if name in given else quote(name)
        (derived if column.derived else plain).append(f"{_cast(column.derived or value, column)} as {quote(name)}")
    inner = f"select {', '.join(plain)} from estimated"
    return f"select *{''.join(f', {expression}' for expression in derived)} from ({inner})"


def _prove(engine: DuckEngine, contract: TableContract) -> None:
    # The estimation says the derived figures too; were it to mean another thing by one, the tables would mislead.
    for name, column in contract.columns.items():
        if column.derived is None or column.type.name != "decimal":
            continue
        most = _ROUNDING / 10 ** (column.type.scale or 0)
        apart = f"abs({quote(name)} - ({column.derived})) > {most} or ({quote(name)} is null) <> (({column.derived}) is null)"
        (rows,) = engine.row(f"select count(*) from estimated where {apart}")
        if rows:
            raise AuditError(
                f"{contract.name}: {name} of the estimates is not {column.derived} ({rows} rows); expected it within {most}. "
                "Nothing was committed"
            )


def _cast(value: str, column: Column) -> str:
    return f"cast({value} as {duckdb_type(column.type.sql)})"
