"""The nightly job in its container: the folders of SageMaker Processing, and a message where it failed.

Source of the layout: Amazon SageMaker AI Developer Guide, "Build your own processing container".
"""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from sales_tech.errors import SalesTechError
from sales_tech.orchestration.dashboard import refresh
from sales_tech.orchestration.pipeline import FAILED, execute_run
from sales_tech.orchestration.progress import watcher
from sales_tech.orchestration.steps import STEPS
from sales_tech.orchestration.summary import show_outcome
from sales_tech.runs import Run
from sales_tech.settings import PREFIX, Settings, asset

_LONGEST_MESSAGE = 1024  # characters that DescribeProcessingJob shows as ExitMessage
TIME_ZONE = ZoneInfo("America/Sao_Paulo")


def run_night(console: Console) -> int:
    """Run every stale step; the exit code is 1 where a step failed, and 0 where single files were rejected.

    SAGEMAKER_BASE_DIR stands for /opt/ml. Scratch files and executed notebooks lie in processing/work
    below it, or in the machine's folder for temporary files where the image's user may not write there;
    what failed is written to output/message, which the job's description shows.
    """
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    work = _work_folder(console, base)
    # The kernels take these from the environment; a container's home may not be writable.
    os.environ[f"{PREFIX}WORK_FOLDER"] = str(work)
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        os.environ.setdefault(name, str(work / "jupyter"))
    try:
        run = Run.begin(Settings.load(), run_date=datetime.now(TIME_ZONE).date())
        with watcher(console) as watch:
            outcome = execute_run(run, STEPS, asset("notebooks"), watch)
    except SalesTechError as error:
        console.print(f"error {error}", highlight=False, markup=False, soft_wrap=True)
        _tell(console, base, str(error))
        return 1
    show_outcome(console, outcome, refresh(outcome))
    if outcome.outcome == FAILED:
        _tell(console, base, outcome.message or "a step failed")
        return 1
    return 0


def _work_folder(console: Console, base: Path) -> Path:
    work = base / "processing" / "work"
    try:
        work.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=work).close()  # there, but may it be written?
    except OSError as error:
        other = Path(tempfile.mkdtemp(prefix="sales-tech-"))
        console.print(f"{work} cannot be made ({error.strerror}); working in {other}", highlight=False, soft_wrap=True)
        return other
    return work


def _tell(console: Console, base: Path, message: str) -> None:
    path = base / "output" / "message"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(message[:_LONGEST_MESSAGE], encoding="utf-8")
    except OSError as error:
        # The exit code tells of the failure all the same, and the log has the message.
        console.print(f"{path} cannot be written ({error.strerror})", highlight=False, soft_wrap=True)
