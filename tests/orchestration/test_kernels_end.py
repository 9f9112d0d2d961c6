"""A kernel that is shut down after its last cell ends without a word on the console."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from sales_tech.orchestration.notebooks import execute

SLOW_TO_END = """
import time

kernel = get_ipython().kernel
answer = kernel.shell_handlers["kernel_info_request"]

async def slowly(*message):
    await answer(*message)
    time.sleep(1)

kernel.shell_handlers["kernel_info_request"] = slowly
"""


def test_the_interrupt_that_begins_a_kernel_s_shutdown_is_no_error_on_the_console(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # The last question after the cells is answered before its handler has ended, and then the interrupt comes.
    parameters = nbformat.v4.new_code_cell("x: int = 1", metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[parameters, nbformat.v4.new_code_cell(SLOW_TO_END)])
    nbformat.write(notebook, tmp_path / "a.ipynb")
    execute(tmp_path / "a.ipynb", tmp_path / "kept" / "a.ipynb", {})
    assert "KeyboardInterrupt" not in "".join(capfd.readouterr())
