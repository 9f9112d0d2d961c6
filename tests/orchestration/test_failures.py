"""Notebooks that fail, steps that wait for them, and what is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tests.support.nights import HASH_KEY, REPOSITORY, read, settings_in

from sales_tech.errors import LakeError, SettingsError
from sales_tech.ingest.arrivals import Unread
from sales_tech.orchestration.ledger import code_version
from sales_tech.orchestration.notebooks import execute, parameters_of
from sales_tech.orchestration.pipeline import EXIT_CODES, FAILED, SKIPPED, SUCCEEDED, Outcome, execute_run
from sales_tech.orchestration.plan import plan
from sales_tech.orchestration.steps import STEPS, Step, chosen
from sales_tech.runs import Commit, Run, StepResult
from sales_tech.settings import Settings
from sales_tech.twin import Size, write_twin


@contextmanager
def unwatched(_step: Step) -> Iterator[None]:
    yield


def small_in(settings: Settings) -> Settings:
    """The settings, with a small retailer's exports landed."""
    write_twin(settings.landing, size=Size(stores=2, skus=20, months=1, promotions=3))
    return settings


def copied(folder: Path) -> Path:
    """A copy of the notebooks, to be broken."""
    return Path(shutil.copytree(REPOSITORY / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints")))


@pytest.fixture
def small(make_settings: Callable[..., Settings]) -> Settings:
    return small_in(make_settings("erp_br"))


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    return copied(tmp_path)


def break_cell(notebook: Path, source: str) -> None:
    content = nbformat.read(notebook, as_version=4)
    content.cells.insert(len(content.cells) - 1, nbformat.v4.new_code_cell(source))
    nbformat.write(content, notebook)


def run_all(settings: Settings, notebooks: Path) -> Outcome:
    return execute_run(Run.begin(settings), STEPS, notebooks, unwatched)


def test_a_failing_notebook_stops_the_steps_behind_it_and_is_told_with_cell_and_cause(small: Settings, notebooks: Path) -> None:
    break_cell(notebooks / "02_silver" / "reference.ipynb", "shelf = {}\nshelf['mouse']")
    outcome = run_all(small, notebooks)
    assert outcome.outcome == FAILED
    assert [step.outcome for step in outcome.steps] == [SUCCEEDED, FAILED, *[SKIPPED] * 6]
    assert outcome.message is not None
    for part in ("reference.ipynb", "cell ", "shelf['mouse']", "KeyError"):
        assert part in outcome.message
    kept = outcome.run.folder / "02_silver" / "reference.ipynb"
    assert "KeyError" in kept.read_text(encoding="utf-8"), "the partial copy is kept"
    assert kept.with_suffix(".html").exists()
    ledger = {row["step"]: row for row in read(small, "gold.step_runs")}
    assert ledger["silver/reference"]["outcome"] == FAILED
    assert ledger["gold/sales"]["message"] == "silver/sales skipped"
    assert ledger["gold/promotions"]["message"] == "gold/sales skipped"


@pytest.fixture(scope="module")
def repaired(tmp_path_factory: pytest.TempPathFactory, hash_key: None) -> tuple[Settings, Outcome]:
    """A lake whose first run failed after a commit, and the run that went on from there."""
    settings = small_in(settings_in(tmp_path_factory.mktemp("repaired"), "erp_br"))
    broken = copied(tmp_path_factory.mktemp("broken"))
    break_cell(broken / "03_gold" / "sales.ipynb", "1 / 0")
    assert run_all(settings, broken).outcome == FAILED
    return settings, run_all(settings, REPOSITORY / "notebooks")


def test_a_step_that_failed_after_its_commit_runs_again(repaired: tuple[Settings, Outcome]) -> None:
    settings, again = repaired
    reasons = [(step.step, step.reason) for step in again.steps]
    assert reasons == [
        ("gold/sales", "not finished in its last run"),
        ("gold/promotions", "never built"),
        ("ml/train", "erp_br: no model yet"),
        ("ml/forecast", "never built"),
        ("maintenance/lake", "not finished in its last run"),
    ]
    assert again.outcome == SUCCEEDED
    assert run_all(settings, REPOSITORY / "notebooks").idle


def test_no_secret_enters_a_notebook_or_the_ledger(repaired: tuple[Settings, Outcome]) -> None:
    settings, again = repaired
    texts = [path.read_text(encoding="utf-8") for path in again.run.folder.parent.rglob("*") if path.is_file()]
    assert sum("<html" in text[:200] for text in texts) >= 9
    assert all(HASH_KEY not in text for text in texts)
    assert HASH_KEY not in str(read(settings, "gold.pipeline_runs"))


def test_a_kernel_that_dies_is_told_as_such(small: Settings, notebooks: Path) -> None:
    break_cell(notebooks / "01_ingest" / "batch_csv.ipynb", "import os\nos._exit(9)")
    outcome = execute_run(Run.begin(small), chosen(["ingest/batch_csv"]), notebooks, unwatched)
    assert outcome.outcome == FAILED
    assert "the kernel died" in str(outcome.message)


def test_a_parameter_that_the_notebook_does_not_declare_is_an_error(tmp_path: Path) -> None:
    notebook = REPOSITORY / "notebooks" / "01_ingest" / "batch_csv.ipynb"
    with pytest.raises(SettingsError, match="no parameter lakes; expected lake, landing"):
        execute(notebook, tmp_path / "kept.ipynb", {"lakes": "x"})
    assert not (tmp_path / "kept.ipynb").exists()


def test_parameters_without_types_are_an_error(tmp_path: Path) -> None:
    content = nbformat.v4.new_notebook()
    cell = nbformat.v4.new_code_cell("lake = 'x'")
    cell.metadata["tags"] = ["parameters"]
    content.cells = [cell]
    nbformat.write(content, tmp_path / "loose.ipynb")
    with pytest.raises(SettingsError, match="name: type = default"):
        parameters_of(tmp_path / "loose.ipynb")


def made_up(name: str, needs: tuple[str, ...], reasons: list[str], ending: str = "well", **more: Any) -> Step:
    """A step that loads as many rows and files as its name has a number, and then ends as told."""

    def work(run: Run) -> StepResult:
        if ending == "breaks":
            raise LakeError(f"{name} broke")
        number = int(name[1:])
        done = run.record(StepResult(name, number, [Commit("silver.a", 1, 2 * number, 1), Commit("silver.b", 1, number, 1)], number))
        if ending == "fails":
            raise LakeError(f"{name} failed")
        if ending == "interrupted":
            raise KeyboardInterrupt
        return done

    return Step(name, f"{name}.ipynb", needs, lambda _now: reasons, work, **more)


def ledger(settings: Settings, run_id: str) -> list[tuple[Any, ...]]:
    told = ("step", "reason", "outcome", "rows_in", "rows_out", "message")
    rows = [row for row in read(settings, "gold.step_runs") if row["run_id"] == run_id]
    return [tuple(row[name] for name in told) for row in sorted(rows, key=lambda row: row["step"])]


def test_a_step_runs_where_it_has_a_reason_and_all_it_needs_came_to_their_end_and_again_until_it_has(erp: Settings) -> None:
    steps = (
        made_up("s0", (), ["new rows"], "breaks"),
        made_up("s1", ("s0",), ["new rows"]),
        made_up("s2", ("s1",), []),
        made_up("s3", (), ["new rows", "new code"]),
        made_up("s4", ("s3",), []),
        made_up("s5", ("s3", "s4"), ["new rows"], "fails"),
        made_up("s6", ("s4",), ["new code"]),
        made_up("s7", ("s6",), ["new rows"], "interrupted"),
        made_up("s8", ("s5",), ["new rows"]),
        made_up("s9", (), []),
    )
    first = execute_run(Run.begin(erp), steps, None, unwatched)
    assert ledger(erp, first.run.run_id) == [
        ("s0", "new rows", FAILED, 0, 0, "s0 broke"),
        ("s1", "after s0", SKIPPED, 0, 0, "s0 failed"),
        ("s2", "after s1", SKIPPED, 0, 0, "s1 skipped"),
        ("s3", "new rows; new code", SUCCEEDED, 3, 9, None),
        ("s5", "new rows", FAILED, 5, 15, "s5 failed"),
        ("s6", "new code", SUCCEEDED, 6, 18, None),
        ("s7", "new rows", FAILED, 7, 21, "interrupted; run again to go on"),
        ("s8", "after s5", SKIPPED, 0, 0, "s5 failed"),
        ("s9", "after s7", SKIPPED, 0, 0, "s7 failed"),
    ]
    assert (first.outcome, EXIT_CODES[first.outcome], first.message, first.files_loaded) == (FAILED, 1, "s0 broke", 3 + 5 + 6 + 7)

    quiet = tuple(made_up(step.name, step.needs, []) for step in steps)
    again = "not finished in its last run"
    assert [(item.step.name, item.reasons, item.after, item.runs) for item in plan(Run.begin(erp), quiet)] == [
        ("s0", (again,), (), True),
        ("s1", (again,), ("s0",), True),
        ("s2", (again,), ("s1",), True),
        ("s3", (), (), False),
        ("s4", (), (), False),
        ("s5", (again,), (), True),
        ("s6", (), (), False),
        ("s7", (again,), (), True),
        ("s8", (again,), ("s5",), True),
        ("s9", (again,), (), True),
    ]
    only = made_up("s4", (), ["new rows"])
    assert [item.after for item in plan(Run.begin(erp), (only, quiet[6], quiet[7]))] == [(), ("s4",), ("s6",)]
    second = execute_run(Run.begin(erp), quiet, None, unwatched)
    assert {(step.reason, step.outcome) for step in second.steps} == {(again, SUCCEEDED)}
    assert [step.step for step in second.steps] == ["s0", "s1", "s2", "s5", "s7", "s8", "s9"]
    assert (second.outcome, EXIT_CODES[second.outcome], second.message) == (SUCCEEDED, 0, None)
    assert execute_run(Run.begin(erp), quiet, None, unwatched).idle
    runs = {row["run_id"]: row["steps"] for row in read(erp, "gold.pipeline_runs")}
    assert runs == {first.run.run_id: 5, second.run.run_id: 7}


def test_an_entry_of_the_ledger_names_a_hundred_files_of_each_kind_and_counts_the_others(erp: Settings) -> None:
    since = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
    for many in (100, 102):
        names = [f"f{number:03}.csv" for number in range(many)]
        unread = [Unread(name, since, "so") for name in names]

        def work(run: Run, names: list[str] = names) -> StepResult:
            return run.record(StepResult("s", files_loaded=3, rejected={name: f"no {name}" for name in reversed(names)}))

        step = Step("s", "s.ipynb", (), lambda _now: ["new files"], work, rejected=lambda _now, unread=unread: unread)
        outcome = execute_run(Run.begin(erp, run_date="2026-03-01", force=True), (step,), None, unwatched)
        assert (outcome.outcome, EXIT_CODES[outcome.outcome], outcome.unread) == ("rejected_files", 2, unread)
        (row,) = (row for row in read(erp, "gold.pipeline_runs") if row["run_id"] == outcome.run.run_id)
        said = [f"{name}: no {name}" for name in names[:100]]
        said += ["and 2 more rejected files: see bronze.files in the notebooks of 01_ingest"] if many > 100 else []
        said += [f"{name}: unread since it was rejected at 2026-02-03 04:05 UTC" for name in names[:100]]
        said += ["and 2 more that were rejected before"] if many > 100 else []
        assert row["message"] == "; ".join(said)
        assert (row["run_date"], row["outcome"], row["steps"]) == (date(2026, 3, 1), "rejected_files", 1)
        assert (row["files_loaded"], row["files_rejected"], row["code_version"]) == (3, many, code_version())
        assert json.loads(row["parameters"]) == {
            "lake": str(erp.lake),
            "landing": str(erp.landing),
            "sources": [str(place) for place in erp.sources],
            "force": True,
            "engine": "duckdb",
        }
        assert row["started_at"] <= row["finished_at"]
        assert row["seconds"] == outcome.seconds
