"""Every notebook runs on a small lake, and is as thin as a notebook should be."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from tests.support.nights import HASH_KEY, REPOSITORY

from sales_tech.orchestration.notebooks import parameters_of
from sales_tech.orchestration.steps import STEPS
from sales_tech.twin import Size, write_twin

NOTEBOOKS = REPOSITORY / "notebooks"
ALL = sorted(NOTEBOOKS.glob("*/*.ipynb"))
BY_HAND = {NOTEBOOKS / "04_ml" / "deploy.ipynb"}  # started by a person, by no night


def code_cells(notebook: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]


def test_nbval_runs_every_notebook_in_order_on_a_small_lake(tmp_path: Path) -> None:
    write_twin(tmp_path / "landing", size=Size(stores=4, skus=24, months=3, promotions=10))
    environment = {
        **os.environ,
        "SALES_TECH_LAKE": str(tmp_path / "lake"),
        "SALES_TECH_LANDING": str(tmp_path / "landing"),
        "SALES_TECH_HASH_KEY": HASH_KEY,
    }
    steps = [str(NOTEBOOKS / step.notebook) for step in STEPS]
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-cell-timeout=120", "--nbval-kernel-name=python3"]
    # The kernels' own deprecation warnings are not ours to turn into errors.
    options = [
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "-p",
        "no:xdist",
        "-o",
        "filterwarnings=",
        "-o",
        "addopts=",
        "-rA",
        "--color=no",
    ]
    done = subprocess.run(
        [*command, *options, *steps], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    cells = sum(len(code_cells(NOTEBOOKS / step.notebook)) for step in STEPS)
    assert f"{cells} passed" in done.stdout


def test_every_step_has_its_notebook_and_every_notebook_its_step() -> None:
    assert {NOTEBOOKS / step.notebook for step in STEPS} == set(ALL) - BY_HAND


@pytest.mark.parametrize("notebook", ALL, ids=lambda path: path.stem)
def test_a_notebook_declares_typed_parameters(notebook: Path) -> None:
    of_a_step = {"run_id", "run_date", "force"} if notebook not in BY_HAND else set()
    assert parameters_of(notebook).keys() >= {"lake", "landing", "sources", *of_a_step}


@pytest.mark.parametrize("notebook", ALL, ids=lambda path: path.stem)
def test_a_notebook_defines_no_function_and_no_class(notebook: Path) -> None:
    for cell in code_cells(notebook):
        if not cell.source.startswith("%"):
            kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
            assert not [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, kinds)]


@pytest.mark.parametrize("notebook", ALL, ids=lambda path: path.stem)
def test_a_notebook_keeps_no_outputs_but_those_that_are_compared(notebook: Path) -> None:
    for cell in code_cells(notebook):
        assert bool(cell.outputs) == ("NBVAL_CHECK_OUTPUT" in cell.source)
        assert (cell.execution_count is not None) == bool(cell.outputs)


@pytest.mark.parametrize("notebook", ALL, ids=lambda path: path.stem)
def test_a_notebook_explains_itself_in_both_languages(notebook: Path) -> None:
    first = nbformat.read(notebook, as_version=4).cells[0]
    assert first.cell_type == "markdown"
    english, portuguese = first.source.split("\n\n")[1:]
    assert english
    assert portuguese.startswith("*")
