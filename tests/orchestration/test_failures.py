"""Notebooks that fail, steps that wait for them, and what is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from tests.support.nights import HASH_KEY, REPOSITORY, read, settings_in

from sales_tech.errors import SettingsError
from sales_tech.orchestration.notebooks import execute, parameters_of
from sales_tech.orchestration.pipeline import FAILED, SKIPPED, SUCCEEDED, Outcome, execute_run
from sales_tech.orchestration.steps import STEPS, Step, chosen
from sales_tech.runs import Run
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
