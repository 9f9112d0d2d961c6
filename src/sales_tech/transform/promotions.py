"""What each promotion earned: the estimates of every source whose sales, prices or promotions changed, as gold tables."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pyarrow as pa

from sales_tech.contracts.fingerprint import code_fingerprint
from sales_tech.contracts.table import Column, TableContract, table_contract
from sales_tech.engines.dialect import duckdb_type, literal, quote
from sales_tech.engines.duck import DuckEngine, open_engine
from sales_tech.errors import AuditError
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake
from sales_tech.lake.write import Staged, stage
from sales_tech.promotions.frames import Estimates, SourceFrames
from sales_tech.runs import Commit, Run, StepResult, exclusive
from sales_tech.transform.promotion_frames import DAILY, INPUTS, read_source, sources_of
from sales_tech.transform.staleness import Change, change_since

STEP = "gold/promotions"
TABLES = ("gold.promotion_daily", "gold.price_elasticity", "gold.promotion_response", "gold.promotion_overlap", "gold.promotion_results")
Estimate = Callable[[SourceFrames], Estimates]
_ROUNDING = 5  # last digits by which a figure may differ from its parts, each of which was rounded


def why(lake: Lake, *, force: bool = False) -> dict[str, Change]:
    """For each of TABLES that must be worked on: what moved since its last commit."""
    if lake.snapshot_id(DAILY) is None:
        return {}
    changes = {}
    for name in TABLES:
        last, contract = lake.provenance(name), table_contract(name)
        differences = []
        if last is not None:
            differences += ["changed code"] if last.code != _code() else []
            differences += ["changed contract"] if last.contract != contract.fingerprint else []
        changes[name] = change_since(lake, last, INPUTS, differences, force=force)
    return {name: change for name, change in changes.items() if change}


def run(run: Run, estimate: Estimate | None = None) -> StepResult:
    """Estimate anew the promotions of each source of which anything changed, and replace its rows.

    `estimate` takes the place of `sales_tech.promotions.estimate`. A source of which nothing can be told has no
    rows, and the result's notes say why. Raises AuditError, before any commit, where the estimates do not add up.
    """
    with exclusive(run.settings), open_engine(run.settings) as engine:
        lake = Lake(run.settings)
        changes = why(lake, force=run.force)
        if not changes:
            return run.record(StepResult(STEP, notes=["nothing to do"]))
        return run.record(_build(lake, engine, run, _sources(lake, changes), estimate or _estimator()))


def _estimator() -> Estimate:
    # The estimation is heavy to import, and a plan does without it.
    from sales_tech.promotions import estimate

    return estimate


def _sources(lake: Lake, changes: dict[str, Change]) -> list[str]:
    # The tables of a source are written together, so one that is stale makes the others stale as well.
    known = sources_of(lake, DAILY).union(*(sources_of(lake, name) for name in TABLES))
    stale: set[str] = set()
    for name, change in changes.items():
        last = lake.provenance(name)
        if change.full or last is None:
            return sorted(known)
        for moved in change.inputs:
            stale |= {str(partition[0]) for partition in lake.changed_partitions(moved, last.inputs.get(moved))}
    return sorted(stale & known)


def _build(lake: Lake, engine: DuckEngine, run: Run, sources: list[str], estimate: Estimate) -> StepResult:
    staged: dict[str, list[Staged]] = {name: [] for name in TABLES}
    rows_in, notes = 0, []
    for source in sources:
        found = read_source(lake, engine, source)
        if found is None:
            notes.append(f"{source}: no sales are left, so nothing is told of its promotions")
            continue
        rows_in += found.rows
        estimates = estimate(found.frames)
        inferred = found.frames.promotions is None
        currency = found.currency
        del found
        told = estimates.results.assign(inferred=inferred)
        frames = (estimates.daily, estimates.elasticity, estimates.response, estimates.overlap, told)
        for name, frame in zip(TABLES, frames, strict=True):
            staged[name].append(_stage(lake, engine, run, name, frame, {"source": source, "currency": currency}))
        notes += [f"{source}: {note}" for note in estimates.notes]
    inputs = {name: snapshot for name in INPUTS if (snapshot := lake.snapshot_id(name)) is not None}
    commits = []
    for name, parts in staged.items():
        contract = table_contract(name)
        lake.ensure(contract)
        removed = [file for file in lake.files(name) if file.partition[0] in sources]
        provenance = Provenance(run.run_id, STEP, _code(), contract.fingerprint, inputs)
        snapshot = lake.commit(name, [path for part in parts for path in part.paths], removed, provenance)
        commits.append(Commit(name, snapshot, sum(part.rows for part in parts), len(sources)))
    return StepResult(STEP, rows_in, commits, notes=notes)


def _stage(lake: Lake, engine: DuckEngine, run: Run, name: str, frame: pd.DataFrame, given: dict[str, str]) -> Staged:
    contract = table_contract(name)
    missing = [column for column in contract.columns if column not in given and column not in frame.columns]
    if missing:
        raise AuditError(f"{name}: the estimates lack {', '.join(missing)}; expected {', '.join(contract.columns)}. Nothing was committed")
    estimated = [column for column in contract.columns if column not in given]
    table = pa.Table.from_pandas(frame[estimated], preserve_index=False)
    with engine.arrow_view("estimated", table):
        _prove(engine, contract)
        return stage(lake, engine, contract, _rounded(contract, given), run.run_id)


def _rounded(contract: TableContract, given: dict[str, str]) -> str:
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


def _code() -> str:
    return code_fingerprint("engines", "promotions", "transform/promotion_frames.py", "transform/promotions.py")
