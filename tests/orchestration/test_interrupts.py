"""Ctrl-C ends what was asked for: a query, however large its parts are, and a run with all its steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.orchestration.test_failures import unwatched
from tests.support.exports import land_reference

from sales_tech.orchestration.pipeline import FAILED, SKIPPED, execute_run
from sales_tech.orchestration.steps import chosen
from sales_tech.runs import Run, StepResult
from sales_tech.settings import Settings


def test_after_an_interrupt_no_other_step_begins(make_settings: Callable[..., Settings]) -> None:
    def interrupted(_run: Run) -> StepResult:
        raise KeyboardInterrupt

    settings = make_settings("erp_br")
    land_reference(settings.landing)
    first, *others = chosen(["ingest/batch_csv", "ingest/order_events", "silver/reference"])
    outcome = execute_run(Run.begin(settings), (replace(first, work=interrupted), *others), None, unwatched)
    assert [step.outcome for step in outcome.steps] == [FAILED, SKIPPED, SKIPPED]
    assert outcome.message == "interrupted; run again to go on"
