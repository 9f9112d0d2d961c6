"""What a run says at its end, of steps that are made up."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from rich.console import Console

from sales_tech.orchestration.ledger import StepRun
from sales_tech.orchestration.pipeline import SUCCEEDED, Outcome, outcome_of
from sales_tech.orchestration.summary import show_outcome
from sales_tech.runs import Run, StepResult
from sales_tech.settings import Settings


def ended(settings: Settings, *results: StepResult) -> Outcome:
    """A run whose steps ended well with these results."""
    run = Run.begin(settings)
    steps = []
    for result in results:
        run.record(result)
        steps.append(StepRun(run.run_id, result.step, "a.ipynb", "news", datetime.now(UTC), 1.0, SUCCEEDED))
    return outcome_of(run, steps, 1.0)


def shown(outcome: Outcome) -> str:
    """What it prints at its end, a command to a line."""
    text = io.StringIO()
    show_outcome(Console(file=text, width=200), outcome)
    return text.getvalue()
