"""What a run would do, and why."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sales_tech.contracts.pack import load_packs
from sales_tech.engines.duck import open_engine
from sales_tech.ingest.arrivals import Unread
from sales_tech.lake.kinds import check_kinds
from sales_tech.lake.store import Lake
from sales_tech.orchestration.ledger import unfinished
from sales_tech.orchestration.steps import Situation, Step
from sales_tech.runs import Run
from sales_tech.transform.mapping import checked_packs


@dataclass(frozen=True)
class Planned:
    """A step and its reasons to run; none means that it would do nothing.

    `after` names the steps that run before it and may give it more to do; `unread` are the files that it rejected in an
    earlier run and would not look at, `warnings` what to look at before it runs.
    """

    step: Step
    reasons: tuple[str, ...]
    after: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        """Whether the step would be started."""
        return bool(self.reasons or self.after)


@contextmanager
def situation(run: Run) -> Iterator[Situation]:
    """Look at the lake and the packs; ContractError for a mistake in a pack, before any data is read or written."""
    with open_engine(run.settings) as engine:
        packs = load_packs(run.settings.sources)
        mappings = checked_packs(packs, engine)
        lake = Lake(run.settings)
        check_kinds(lake, engine, packs)
        yield Situation(run, lake, engine, packs, mappings)


def reasons_to_run(now: Situation, step: Step) -> list[str]:
    """Why a step must run now: what moved, or that it did not come to its end the last time."""
    reasons = step.why(now)
    if not reasons and step.name in unfinished(now.lake, now.engine):
        return ["not finished in its last run"]
    return reasons


@contextmanager
def _without_trace(run: Run) -> Iterator[Run]:
    # Whoever looks at a lake that is yet to be made finds the same in an empty one, and leaves no folder under a name mistyped.
    if run.settings.env == "aws" or Lake(run.settings).exists:
        yield run
        return
    with tempfile.TemporaryDirectory(prefix="plan-", ignore_cleanup_errors=True) as aside:
        yield replace(run, settings=replace(run.settings, lake=Path(aside), work_folder=None))


def plan(run: Run, steps: tuple[Step, ...]) -> list[Planned]:
    """For each step in order: why it would run, or that it would not."""
    planned: list[Planned] = []
    with _without_trace(run) as looking, situation(looking) as now:
        for step in steps:
            running = tuple(before.step.name for before in planned if before.runs and before.step.name in step.needs)
            reasons = tuple(reasons_to_run(now, step))
            planned.append(Planned(step, reasons, running, tuple(step.unread(now)), tuple(step.warnings(now))))
    return planned
