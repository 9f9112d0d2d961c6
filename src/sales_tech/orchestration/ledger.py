"""The run ledger: gold.pipeline_runs and gold.step_runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import pyarrow as pa

from sales_tech import __version__
from sales_tech.contracts.fingerprint import source_fingerprint
from sales_tech.contracts.table import TableContract, table_contract
from sales_tech.engines.duck import DuckEngine, open_engine
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake
from sales_tech.lake.write import stage
from sales_tech.runs import Run

RUNS, STEP_RUNS = "gold.pipeline_runs", "gold.step_runs"


@dataclass(frozen=True)
class StepRun:
    """What happened to one step; the fields are the columns of gold.step_runs."""

    run_id: str
    step: str
    notebook: str
    reason: str
    started_at: datetime
    seconds: float
    outcome: str
    rows_in: int = 0
    rows_out: int = 0
    message: str | None = None


@dataclass(frozen=True)
class PipelineRun:
    """What happened to one run; most fields are the columns of gold.pipeline_runs."""

    run_id: str
    run_date: object
    started_at: datetime
    finished_at: datetime
    seconds: float
    outcome: str
    parameters: str
    steps: int
    files_loaded: int
    files_rejected: int
    message: str | None = None


def code_version() -> str:
    """The package's version and the fingerprint of its sources, to the letter."""
    return f"{__version__}+{source_fingerprint()}"


def enter(run: Run, pipeline_run: PipelineRun, step_runs: list[StepRun]) -> None:
    """Add a run and its steps to the ledger, the steps first, so that a run listed is complete."""
    lake = Lake(run.settings)
    with open_engine(run.settings) as engine:
        _append(lake, engine, run, table_contract(STEP_RUNS), [asdict(step) for step in step_runs])
        _append(lake, engine, run, table_contract(RUNS), [asdict(pipeline_run) | {"code_version": code_version()}])


def unfinished(lake: Lake, engine: DuckEngine) -> set[str]:
    """The steps that failed, or were skipped, when they last had something to do."""
    columns = {"run_id": "varchar", "step": "varchar", "outcome": "varchar"}
    engine.view("ledger", [file.path for file in lake.files(STEP_RUNS)], columns)
    return {step for (step,) in engine.rows("select step from ledger group by step having arg_max(outcome, run_id) <> 'succeeded'")}


def last_run_id(lake: Lake, engine: DuckEngine) -> str | None:
    """The greatest id of a run in the ledger, or None."""
    engine.view("ledger", [file.path for file in lake.files(STEP_RUNS)], {"run_id": "varchar"})
    (last,) = engine.row("select max(run_id) from ledger")
    return None if last is None else str(last)


def _append(lake: Lake, engine: DuckEngine, run: Run, contract: TableContract, rows: list[dict[str, object]]) -> None:
    with engine.arrow_view("entries", pa.Table.from_pylist(rows)):
        staged = stage(lake, engine, contract, "select * from entries", run.run_id)
    provenance = Provenance(run.run_id, "ledger", code_version(), contract.fingerprint)
    lake.commit(contract.name, staged.paths, [], provenance)
