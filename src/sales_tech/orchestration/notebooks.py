"""One notebook, executed by papermill with checked parameters and kept with its HTML."""

from __future__ import annotations

import ast
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from traitlets.config import Config

from sales_tech import disk
from sales_tech.errors import SettingsError, StepFailed

_KERNEL = "python3"
# Jupyter begins each shutdown with an interrupt. It may reach a kernel that is just ending its last answer, after all cells,
# and would be logged as an error in the midst of a run that succeeded; what fails in a cell comes by another way.
_QUIET = ["--log-level=CRITICAL"]


def parameters_of(notebook: Path) -> dict[str, str]:
    """The parameters that a notebook declares in its cell tagged `parameters`, with their annotations.

    Raises SettingsError where it has no such cell, or one that is not a typed signature.
    """
    with _without_addresses():
        import nbformat

    cells = [cell for cell in nbformat.read(notebook, as_version=4).cells if "parameters" in cell.metadata.get("tags", [])]
    if len(cells) != 1:
        raise SettingsError(f"{notebook}: {len(cells)} cells tagged parameters; expected one")
    found = {}
    for statement in ast.parse(cells[0].source).body:
        if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
            raise SettingsError(f"{notebook}: {ast.unparse(statement)!r} among the parameters; expected name: type = default")
        found[statement.target.id] = ast.unparse(statement.annotation)
    return found


def execute(notebook: Path, kept: Path, parameters: dict[str, Any]) -> None:
    """Run a notebook into `kept`, beside which its HTML is written, whether it succeeds or not.

    Raises SettingsError for a parameter that the notebook does not declare, StepFailed naming
    notebook, cell and cause where a cell fails, the kernel dies, or the disk refuses the copy.
    """
    declared = parameters_of(notebook)
    if unknown := sorted(set(parameters) - set(declared)):
        raise SettingsError(f"{notebook.name} has no parameter {', '.join(unknown)}; expected {', '.join(declared)}")
    # Imported here: it loads several cloud SDKs, which a run with nothing to do need not wait for.
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    logging.getLogger("papermill").setLevel(logging.ERROR)
    kept.parent.mkdir(parents=True, exist_ok=True)
    failed: tuple[str, Exception] | None = None
    try:
        with tempfile.TemporaryDirectory(prefix="kernel-") as sockets:
            papermill.execute_notebook(
                str(notebook),
                str(kept),
                parameters,
                kernel_name=_KERNEL,
                cwd=str(notebook.parent),
                progress_bar=False,
                config=_kernel_config(sockets),
                extra_arguments=_QUIET,
            )
    except KeyboardInterrupt:
        # The client leaves its own tasks where they were, and each would be told with a traceback as it is cleared away.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        raise
    except PapermillExecutionError as error:
        failed = f", cell {error.cell_index} ({_last_line(error.source)}): {error.ename}: {error.evalue}", error
    except DeadKernelError as error:
        failed = f": the kernel died, most often for want of memory; the partial copy is {kept}", error
    except OSError as error:
        failed = f": {kept} cannot be kept: {disk.refusal(error) or error}", error
    try:
        if kept.exists():
            write_html(kept)
    except (OSError, ValueError) as error:  # ValueError: a copy that was cut short is no JSON
        failed = failed or (f": {kept} cannot be rendered: {disk.refusal(error) or error}", error)
    if failed:
        raise StepFailed(f"{notebook.name}{failed[0]}") from failed[1]


def write_html(notebook: Path) -> Path:
    """Render an executed notebook as one HTML file that asks nothing of the network."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(template_name="lab", embed_images=True, mathjax_url="", require_js_url="", exclude_input_prompt=True)
    html, _ = exporter.from_filename(str(notebook))
    target = notebook.with_suffix(".html")
    target.write_text(html, encoding="utf-8")
    return target


@contextmanager
def _without_addresses() -> Iterator[None]:
    # jsonschema, which checks notebooks, compiles a grammar of web addresses for over a second as it is first imported; no
    # notebook's schema asks for one.
    grammar = "rfc3987_syntax"
    if grammar in sys.modules:
        yield
        return
    sys.modules[grammar] = None  # type: ignore[assignment]  # the documented way to say that a module is not there
    try:
        yield
    finally:
        sys.modules.pop(grammar, None)


def _last_line(source: str) -> str:
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    return lines[-1] if lines else "an empty cell"


def _kernel_config(sockets: str) -> Config:
    # Sockets in a folder of our own, where a system has them, keep the kernel's messages from other users of the machine.
    return Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/socket"}} if os.name == "posix" else {})
