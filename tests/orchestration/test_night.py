"""The nightly job in this process, of a run that is made up: its exit code, its message, its folders."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sales_tech.errors import LakeError
from sales_tech.orchestration import night
from sales_tech.orchestration.ledger import StepRun
from sales_tech.orchestration.pipeline import FAILED, REJECTED_FILES, SUCCEEDED, Outcome
from sales_tech.orchestration.steps import STEPS
from sales_tech.runs import Run

Ending = Callable[[Run], Outcome]
JUPYTER = ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR", "MPLCONFIGDIR")


class Job:
    """The job below a base folder; what it set in the environment goes with the test."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.base, self._patch, self.runs = folder / "ml", patch, list[Run]()
        for name in (*JUPYTER, "SALES_TECH_WORK_FOLDER"):
            patch.setenv(name, "")
            patch.delenv(name)
        patch.setenv("IPYTHONDIR", "mine")
        patch.setenv("SAGEMAKER_BASE_DIR", str(self.base))
        patch.setenv("SALES_TECH_LAKE", str(folder / "lake"))
        patch.setenv("SALES_TECH_LANDING", str(folder))
        patch.setattr("tempfile.tempdir", str(folder))
        patch.setattr(night, "refresh", lambda outcome: None)

    def __call__(self, ending: Ending) -> tuple[int, str]:
        def run(run: Run, steps: Any, notebooks: Path, watch: Any) -> Outcome:
            assert (steps, notebooks.name) == (STEPS, "notebooks")
            self.runs.append(run)
            return ending(run)

        self._patch.setattr(night, "execute_run", run)
        text = io.StringIO()
        code = night.run_night(Console(file=text, width=200))
        return code, text.getvalue()

    @property
    def message(self) -> str | None:
        path = self.base / "output" / "message"
        return path.read_text(encoding="utf-8") if path.exists() else None


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    return Job(tmp_path, monkeypatch)


def ended(outcome: str, message: str | None = None) -> Ending:
    step = ("silver/sales", "02_silver/sales.ipynb", "new", datetime.now(UTC), 1.0, SUCCEEDED)
    return lambda run: Outcome(run, outcome, [StepRun(run.run_id, *step)], 1.0, message=message)


def refused(_run: Run) -> Outcome:
    raise LakeError("the lake is [busy]")


@pytest.mark.parametrize(
    ("ending", "code", "message"),
    [
        (ended(SUCCEEDED), 0, None),
        (ended(REJECTED_FILES), 0, None),
        (ended(FAILED, "silver/sales broke: ção"), 1, "silver/sales broke: ção"),
        (ended(FAILED, "x" * 2000), 1, "x" * 1024),
        (ended(FAILED), 1, "a step failed"),
        (refused, 1, "the lake is [busy]"),
    ],
    ids=["succeeded", "files rejected", "step failed", "long message", "no message", "refused"],
)
def test_a_night_fails_where_a_step_did_and_says_so_in_its_message(job: Job, ending: Ending, code: int, message: str | None) -> None:
    done, told = job(ending)
    assert (done, job.message) == (code, message)
    assert ("error the lake is [busy]" in told) == (ending is refused)


def test_a_night_works_below_the_base_on_the_retailers_day(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime(2026, 3, 2, 2, 30, tzinfo=UTC).astimezone(tz)

    monkeypatch.setattr(night, "datetime", Clock)
    job(ended(SUCCEEDED))
    work = job.base / "processing" / "work"
    (run,) = job.runs
    assert (run.settings.work, os.environ["SALES_TECH_WORK_FOLDER"]) == (work, str(work))
    assert run.run_date.isoformat() == "2026-03-01", "at half past two in London it is half past eleven in São Paulo"
    assert [os.environ[name] for name in JUPYTER] == [str(work / "jupyter"), str(work / "jupyter"), "mine", str(work / "jupyter")]


def test_a_night_that_may_not_write_below_the_base_works_elsewhere_and_fails_by_its_exit_code_alone(job: Job) -> None:
    job.base.write_text("a file in the folder's place")
    done, told = job(ended(FAILED, "so"))
    (run,) = job.runs
    assert f"{job.base / 'processing' / 'work'} cannot be made (" in told
    assert f"working in {run.settings.work}\n" in told
    assert run.settings.work.is_dir()
    assert f"{job.base / 'output' / 'message'} cannot be written (" in told
    assert done == 1
