"""A run that changed something makes the page of dashboards anew, and says so where it cannot."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console
from tests.support.command_line import call
from tests.support.nights import settings_in

from sales_tech.errors import QueryError, SalesTechError
from sales_tech.orchestration import dashboard
from sales_tech.orchestration.dashboard import Refreshed, refresh
from sales_tech.orchestration.ledger import StepRun
from sales_tech.orchestration.pipeline import FAILED, SUCCEEDED, outcome_of
from sales_tech.orchestration.summary import show_outcome
from sales_tech.runs import Run
from sales_tech.settings import Settings


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.begin(settings_in(tmp_path, "erp_br"))


def step(run: Run, outcome: str) -> StepRun:
    return StepRun(run.run_id, "gold/sales", "03_gold/sales.ipynb", "new", datetime.now(UTC), 1.0, outcome)


def shown(run: Run, outcome: str, page: Refreshed | None) -> str:
    console = Console(file=io.StringIO(), width=200)
    show_outcome(console, outcome_of(run, [step(run, outcome)], 1.0), page)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def written(settings: Settings, output: Path | None = None) -> Path:
    path = output or settings.work / "dashboard.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("<html>", encoding="utf-8")
    return path


def test_the_page_lies_beside_the_lake_s_tables_and_is_the_last_thing_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "make_page", written)
    page = refresh(outcome_of(run, [step(run, SUCCEEDED)], 1.0))
    assert page == Refreshed(place=str(run.settings.work / "dashboard.html"))
    assert shown(run, SUCCEEDED, page).rstrip().endswith(str(run.settings.work / "dashboard.html"))


@pytest.mark.parametrize("error", [QueryError("data set days has 60,000 rows"), OSError("no space left"), ImportError("no vl_convert")])
def test_a_page_that_cannot_be_made_is_told_and_the_run_is_still_a_success(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: SalesTechError | OSError | ImportError
) -> None:
    def failing(settings: Settings, output: Path | None = None) -> Path:
        raise error

    monkeypatch.setattr(dashboard, "make_page", failing)
    outcome = outcome_of(run, [step(run, SUCCEEDED)], 1.0)
    told = shown(run, SUCCEEDED, refresh(outcome))
    assert f"no page of dashboards: {error}" in told
    assert outcome.outcome == SUCCEEDED
    assert "succeeded" in told


def test_a_run_of_which_no_step_succeeded_leaves_the_page_as_it_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "make_page", written)
    assert refresh(outcome_of(run, [step(run, FAILED)], 1.0)) is None
    assert refresh(outcome_of(run, [], 1.0)) is None
    assert not (run.settings.work / "dashboard.html").exists()


def test_without_a_lake_the_command_says_what_makes_one(tmp_path: Path) -> None:
    done = call("dashboard", "--lake", tmp_path / "none")
    assert done.returncode == 1
    assert "no lake at" in done.stderr
    assert list(tmp_path.iterdir()) == []
