"""Ctrl-C ends what was asked for: a query, however large its parts are, and a run with all its steps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.orchestration.test_failures import unwatched
from tests.support.exports import land_erp, land_reference, sale
from tests.support.nights import REPOSITORY, night

from sales_tech.orchestration.pipeline import FAILED, SKIPPED, execute_run
from sales_tech.orchestration.steps import chosen
from sales_tech.runs import Run, StepResult
from sales_tech.settings import Settings

DAYS_OF_DAYS = "select count(*) from {} where a.iso_week < b.iso_week + c.iso_week".format(
    ", ".join(f"gold.calendar {name}" for name in "abcd")
)


@pytest.fixture
def heard() -> Iterator[None]:
    """Ctrl-C is heard by what is begun here, also where these tests run behind a shell's `&` or nohup and would hand its deafness on."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name != "posix", reason="signals are sent")
@pytest.mark.usefixtures("heard")
def test_a_query_that_would_take_hours_ends_when_it_is_interrupted(erp: Settings) -> None:
    land_reference(erp.landing)
    land_erp(erp.landing, "vendas_1", sale("1"))
    night(erp)
    words = [sys.executable, str(REPOSITORY / "pipeline.py"), "query", DAYS_OF_DAYS, "--lake", str(erp.lake)]
    scratch, end = Path(erp.lake) / "scratch", time.monotonic() + 60
    with subprocess.Popen(words, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        while not (scratch.exists() and any(scratch.iterdir())):
            assert running.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        time.sleep(3)  # by then it is at work
        assert running.poll() is None, running.communicate()[0]
        running.send_signal(signal.SIGINT)
        try:
            said, _ = running.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            running.kill()
            raise
    assert (running.returncode, said.strip()) == (1, "Aborted!")
    assert list(scratch.iterdir()) == []


def test_after_an_interrupt_no_other_step_begins(make_settings: Callable[..., Settings]) -> None:
    def interrupted(_run: Run) -> StepResult:
        raise KeyboardInterrupt

    settings = make_settings("erp_br")
    land_reference(settings.landing)
    first, *others = chosen(["ingest/batch_csv", "ingest/order_events", "silver/reference"])
    outcome = execute_run(Run.begin(settings), (replace(first, work=interrupted), *others), None, unwatched)
    assert [step.outcome for step in outcome.steps] == [FAILED, SKIPPED, SKIPPED]
    assert outcome.message == "interrupted; run again to go on"
