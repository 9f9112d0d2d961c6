"""What each promotion earned: the estimates of every source whose sales, prices or promotions changed, as gold tables."""

from __future__ import annotations

from collections.abc import Callable

from sales_tech.contracts.fingerprint import code_fingerprint
from sales_tech.engines.duck import DuckEngine, open_engine
from sales_tech.lake.store import Lake
from sales_tech.lake.write import Staged
from sales_tech.promotions.frames import Estimates, SourceFrames
from sales_tech.runs import Run, StepResult, exclusive
from sales_tech.transform.estimated import changes_of, commit_frames, stage_frame, stale_sources
from sales_tech.transform.promotion_frames import INPUTS, read_source
from sales_tech.transform.staleness import Change

STEP = "gold/promotions"
TABLES = ("gold.promotion_daily", "gold.price_elasticity", "gold.promotion_response", "gold.promotion_overlap", "gold.promotion_results")
Estimate = Callable[[SourceFrames], Estimates]


def why(lake: Lake, *, force: bool = False) -> dict[str, Change]:
    """For each of TABLES that must be worked on: what moved since its last commit."""
    return changes_of(lake, TABLES, INPUTS, _code(), force=force)


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
        return run.record(_build(lake, engine, run, stale_sources(lake, TABLES, changes), estimate or _estimator()))


def _estimator() -> Estimate:
    # The estimation is heavy to import, and a plan does without it.
    from sales_tech.promotions import estimate

    return estimate


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
        currency, left_out = found.currency, found.notes
        del found
        told = estimates.results.assign(inferred=inferred)
        frames = (estimates.daily, estimates.elasticity, estimates.response, estimates.overlap, told)
        for name, frame in zip(TABLES, frames, strict=True):
            staged[name].append(stage_frame(lake, engine, run, name, frame, {"source": source, "currency": currency}))
        notes += [f"{source}: {note}" for note in (*left_out, *estimates.notes)]
    removed = {name: [file for file in lake.files(name) if file.partition[0] in sources] for name in TABLES}
    commits = commit_frames(lake, run, STEP, _code(), INPUTS, staged, removed, sources)
    return StepResult(STEP, rows_in, commits, notes=notes)


def _code() -> str:
    return code_fingerprint("engines", "promotions", "transform/estimated.py", "transform/promotion_frames.py", "transform/promotions.py")
