"""`pipeline.py run` killed while a notebook works: with its kernels, as when a machine goes down, and alone, so that one outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.reliability.scenes import FEBRUARY, land_first
from tests.support.command_line import call
from tests.support.exports import land_erp, sale
from tests.support.nights import HASH_KEY, REPOSITORY, night, read_all, settings_in

from sales_tech.settings import Settings

pytestmark = pytest.mark.slow(90)
STEPS = ("ingest/batch_csv", "ingest/order_events", "silver/reference", "silver/sales", "gold/sales")
LEDGER = {"gold.pipeline_runs", "gold.step_runs"}
PATIENCE = 120.0  # seconds


@pytest.fixture(autouse=True)
def _hash_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALES_TECH_HASH_KEY", HASH_KEY)


def words(settings: Settings) -> list[str]:
    """The command that runs the five steps."""
    chosen = [word for step in STEPS for word in ("--step", step)]
    return ["run", "--lake", str(settings.lake), "--landing", str(settings.landing), "--sources", str(settings.sources[0]), *chosen]


def started(settings: Settings) -> subprocess.Popen[bytes]:
    """The command, in a group of processes of its own; what it prints is kept beside the lake."""
    command = [sys.executable, "-u", str(REPOSITORY / "pipeline.py"), *words(settings)]
    with printed(settings).open("wb") as output:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=REPOSITORY, start_new_session=True)


def printed(settings: Settings) -> Path:
    """The file of what the command prints."""
    return Path(settings.lake).with_name("printed.txt")


def kernels_when_in(running: subprocess.Popen[bytes], settings: Settings, table: str) -> list[psutil.Process]:
    """Wait until a table has a folder, which its step makes shortly before its first commit; the kernels that work then."""
    layer, name = table.split(".")
    folder, end = Path(settings.lake) / "tables" / layer / name, time.monotonic() + PATIENCE
    while not folder.exists():
        assert running.poll() is None, printed(settings).read_text(encoding="utf-8")
        assert time.monotonic() < end, f"{table} was not begun"
        time.sleep(0.002)
    return psutil.Process(running.pid).children(recursive=True)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Files of a first night, landed."""
    made = settings_in(tmp_path, "erp_br")
    land_first(made.landing)
    land_erp(made.landing, "vendas_2", sale("P5", data_venda=FEBRUARY))
    yield made


@pytest.mark.parametrize("group", [True, False], ids=["with its kernels", "alone"])
def test_a_run_killed_while_a_notebook_works_is_made_good_by_the_next(settings: Settings, tmp_path: Path, group: bool) -> None:
    running = started(settings)
    kernels = kernels_when_in(running, settings, "silver.sales")
    assert kernels
    (os.killpg if group else os.kill)(running.pid, signal.SIGKILL)
    running.wait(PATIENCE)
    if group:
        for kernel in kernels:  # Jupyter gives each a group of its own
            if kernel.is_running():
                kernel.kill()
    done = call(*words(settings))
    assert done.returncode == 0, done.stdout + done.stderr
    gone, alive = psutil.wait_procs(kernels, timeout=PATIENCE)
    assert not alive, "no kernel outlives its pipeline for long"
    found = {name: rows for name, rows in read_all(settings).items() if name not in LEDGER}
    again = Settings(tmp_path / "undisturbed", settings.landing, settings.sources, threads=1)
    night(again)
    assert found == read_all(again)
    assert gone
