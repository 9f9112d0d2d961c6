"""A run: the stale steps in order, each in its notebook, with a ledger entry at the end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from sales_tech.errors import LakeError, SalesTechError
from sales_tech.ingest.arrivals import Unread, require_landing
from sales_tech.models.training import STEP as TRAINING
from sales_tech.orchestration import maintenance
from sales_tech.orchestration.ledger import PipelineRun, StepRun, enter, last_run_id
from sales_tech.orchestration.notebooks import execute, parameters_of
from sales_tech.orchestration.plan import reasons_to_run, situation
from sales_tech.orchestration.progress import Watch
from sales_tech.orchestration.steps import Step
from sales_tech.platform import platform_of
from sales_tech.runs import Run, exclusive
from sales_tech.transform.forecasts import STEP as FORECASTS
from sales_tech.transform.promotions import STEP as PROMOTIONS

SUCCEEDED, REJECTED_FILES, FAILED, SKIPPED = "succeeded", "rejected_files", "failed", "skipped"
EXIT_CODES = {SUCCEEDED: 0, FAILED: 1, REJECTED_FILES: 2}
MOMENT = "%Y-%m-%d %H:%M UTC"
_INTERRUPTED = "interrupted; run again to go on"
_TOLD = 100  # files whose reasons one row of the ledger holds
# Their notes are of what the data do not tell, not of files.
_TELLING = (PROMOTIONS, TRAINING, FORECASTS)
_SILENT = (*_TELLING, maintenance.STEP)


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its steps, the files it rejected with their reasons, and its message if it failed.

    `unread` are the files that an earlier run rejected and that still stand in the landing folder. `remarks` are of files that were
    loaded, and of packs that are gone, and should be looked at, `notes` of what was not loaded, `untold` of what the data does not tell.
    """

    run: Run
    outcome: str
    steps: list[StepRun]
    seconds: float
    files_loaded: int = 0
    rejected: dict[str, str] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    message: str | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing was stale, so that nothing was written."""
        return not self.steps


def execute_run(run: Run, steps: tuple[Step, ...], notebooks: Path | None, watch: Watch) -> Outcome:
    """Run what is stale of the given steps, in order.

    Without `notebooks` the steps work in this process, where the session of a cluster is. `watch` is
    entered around each step, for the display of progress. A step that fails stops the steps that depend
    on it, an interrupt all that come after it. Raises LakeError where another run works on the same lake, or the landing folder is missing.
    """
    started, clock = datetime.now(UTC), monotonic()
    step_runs: list[StepRun] = []
    unread: list[Unread] = []
    warnings: list[str] = []
    if any(step.reads_files for step in steps):
        # Before the lock, which would make a folder for the lake.
        require_landing(run.settings, platform_of(run.settings).landing)
    with exclusive(run.settings), situation(run) as now:
        # What came last is told by the ids: they must go on where the clock does not.
        run = run.after(last_run_id(now.lake, now.engine))
        for step in steps:
            blocked = next((done for done in step_runs if done.message == _INTERRUPTED or _keeps_waiting(done, step)), None)
            if blocked is not None:
                step_runs.append(_entry(run, step, f"after {blocked.step}", SKIPPED, message=f"{blocked.step} {blocked.outcome}"))
                continue
            now.lake.refresh()
            reasons = reasons_to_run(now, step)
            unread += step.unread(now)  # before it runs: what it rejects now is told by its result
            warnings += step.warnings(now)
            if reasons:
                with watch(step):
                    step_runs.append(_execute(run, step, reasons, notebooks))
                now.lake.platform.publish(run.folder)
        outcome = outcome_of(run, step_runs, monotonic() - clock, unread, warnings)
        if not outcome.idle:
            try:
                enter(run, _run_entry(outcome, started), step_runs)
            except LakeError as error:
                # What the steps said must not be lost for it; the next run looks at the tables themselves.
                unentered = f"the run is not in the ledger: {error}"
                outcome = replace(outcome, outcome=FAILED, message="; ".join(filter(None, (outcome.message, unentered))))
    return outcome


def _keeps_waiting(done: StepRun, step: Step) -> bool:
    return done.step in step.needs and done.outcome != SUCCEEDED


def _execute(run: Run, step: Step, reasons: list[str], notebooks: Path | None) -> StepRun:
    started, clock = datetime.now(UTC), monotonic()
    message, outcome = None, SUCCEEDED
    try:
        if notebooks is None:
            step.work(run)
        else:
            _execute_notebook(run, step, notebooks / step.notebook)
    except SalesTechError as error:
        message, outcome = str(error), FAILED
    except KeyboardInterrupt:
        message, outcome = _INTERRUPTED, FAILED
    result = run.result(step.name)
    entry = _entry(run, step, "; ".join(reasons), outcome, started=started, seconds=monotonic() - clock, message=message)
    return entry if result is None else StepRun(**{**entry.__dict__, "rows_in": result.rows_in, "rows_out": result.rows_out})


def _execute_notebook(run: Run, step: Step, source: Path) -> None:
    values = {
        "lake": str(run.settings.lake),
        "landing": str(run.settings.landing),
        "sources": [str(place) for place in run.settings.sources],
        "run_id": run.run_id,
        "run_date": run.run_date.isoformat(),
        "force": run.force,
        "engine": run.settings.engine,
    }
    declared = parameters_of(source)
    execute(source, run.folder / step.notebook, {key: value for key, value in values.items() if key in declared})


def _entry(
    run: Run, step: Step, reason: str, outcome: str, *, started: datetime | None = None, seconds: float = 0.0, message: str | None = None
) -> StepRun:
    return StepRun(run.run_id, step.name, step.notebook, reason, started or datetime.now(UTC), round(seconds, 3), outcome, message=message)


def outcome_of(run: Run, step_runs: list[StepRun], seconds: float, unread: Sequence[Unread] = (), warnings: Sequence[str] = ()) -> Outcome:
    """How a run ended, by its steps and what they recorded."""
    results = [result for step in step_runs if (result := run.result(step.step)) is not None]
    rejected = {name: reason for result in results for name, reason in result.rejected.items()}
    remarks = [*warnings, *(remark for result in results for remark in result.remarks)]
    notes = [note for result in results if result.step not in _SILENT for note in result.notes]
    untold = [
        note for result in results if result.step in _TELLING and (result.commits or result.step == TRAINING) for note in result.notes
    ]
    failed = next((step for step in step_runs if step.outcome == FAILED), None)
    outcome = FAILED if failed else REJECTED_FILES if rejected or unread else SUCCEEDED
    message = failed.message if failed else None
    loaded = sum(result.files_loaded for result in results)
    return Outcome(run, outcome, step_runs, round(seconds, 3), loaded, rejected, list(unread), remarks, notes, untold, message)


def _run_entry(outcome: Outcome, started: datetime) -> PipelineRun:
    run = outcome.run
    parameters = {
        "lake": str(run.settings.lake),
        "landing": str(run.settings.landing),
        "sources": [str(place) for place in run.settings.sources],
        "force": run.force,
        "engine": run.settings.engine,
    }
    return PipelineRun(
        run.run_id,
        run.run_date,
        started,
        datetime.now(UTC),
        outcome.seconds,
        outcome.outcome,
        json.dumps(parameters),
        sum(step.outcome != SKIPPED for step in outcome.steps),
        outcome.files_loaded,
        len(outcome.rejected),
        _message(outcome),
    )


def _message(outcome: Outcome) -> str | None:
    said = [outcome.message] if outcome.message else []
    said += [f"{name}: {reason}" for name, reason in sorted(outcome.rejected.items())[:_TOLD]]
    if len(outcome.rejected) > _TOLD:
        said.append(f"and {len(outcome.rejected) - _TOLD} more rejected files: see bronze.files in the notebooks of 01_ingest")
    said += [f"{file.name}: unread since it was rejected at {file.since:{MOMENT}}" for file in outcome.unread[:_TOLD]]
    if len(outcome.unread) > _TOLD:
        said.append(f"and {len(outcome.unread) - _TOLD} more that were rejected before")
    return "; ".join(said) or None
