"""Nights in processes of their own, which may die: forked from one process that has imported everything already."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from tests.reliability.points import Killer, watch
from tests.support.nights import HASH_KEY, STEPS, night

from sales_tech.errors import LakeError, SalesTechError
from sales_tech.lake.query import Reader
from sales_tech.lake.store import Lake
from sales_tech.runs import Run, exclusive
from sales_tech.settings import Settings

_PATIENCE = 300.0  # seconds that one night may take
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.reliability.children"])


def start(work: Callable[..., None], *arguments: Any, environment: Mapping[str, str] | None = None) -> ForkServerProcess:
    """Begin some work in a process of its own, in which the hash key and some variables are set."""
    given = {"SALES_TECH_HASH_KEY": HASH_KEY, **(environment or {})}
    child = _CONTEXT.Process(target=_at_work, args=(given, work, arguments), daemon=True)
    child.start()
    return child


def ended(child: ForkServerProcess) -> int:
    """The exit code of a child: negative for the signal that killed it."""
    child.join(_PATIENCE)
    if child.exitcode is None:
        child.kill()
        child.join()
        raise TimeoutError(f"process {child.pid} did not end within {_PATIENCE:g} s")
    return child.exitcode


def killed_night(settings: Settings, fatal: int, log: Path | None = None) -> None:
    """A night that is killed at its n-th point, at none for 0; the points it passes are kept in a file."""
    watch(str(settings.lake), Killer(fatal, log))
    night(settings)


def night_after_a_dead_one(settings: Settings) -> None:
    """A night on AWS that need not wait until the lease of a dead one has run out."""
    from sales_tech.aws.lease import Lease

    assert Lease.__init__.__kwdefaults__ is not None
    Lease.__init__.__kwdefaults__["lasts"] = timedelta(0)
    night(settings)


def kill_after(child: ForkServerProcess, seconds: float) -> None:
    """End a child by SIGKILL after some time, unless it has ended by itself."""
    time.sleep(seconds)
    if child.exitcode is None and child.pid is not None:
        os.kill(child.pid, signal.SIGKILL)


def _at_work(environment: Mapping[str, str], work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    # The fork server's variables are those of the moment it was started.
    for name in [name for name in os.environ if name.startswith(("SALES_TECH_", "AWS_"))]:
        del os.environ[name]
    os.environ.update(environment)
    work(*arguments)


def whole_night(settings: Settings, refusals: Path, force: bool) -> None:
    """A night under one lock, as the command line runs it; where it is refused, what it was told is kept in a file."""
    try:
        with exclusive(settings):
            night(settings, force=force)
    except LakeError as error:
        _append(refusals, str(error))


def patient_night(settings: Settings, refusals: Path) -> None:
    """The steps of a night by hand, each tried again while another writer is at work."""
    run = Run.begin(settings)
    for step in STEPS:
        while True:
            try:
                step.run(run)
                break
            except LakeError as error:
                if "works on" not in str(error):
                    raise
                _append(refusals, str(error))
                time.sleep(0.02)


def reading(settings: Settings, queries: Mapping[str, str], answers: Path, stop: Path) -> None:
    """Ask the same questions over and over until a file appears; each answer, or what was refused, becomes a line."""
    while not stop.exists():
        for name, sql in queries.items():
            try:
                told: object = [{key: str(value) for key, value in row.items()} for row in Reader(settings).arrow(sql).to_pylist()]
            except SalesTechError as error:
                told = f"{type(error).__name__}: {error}"
            _append(answers, json.dumps([name, told]))


def opening(settings: Settings, start_at: float) -> None:
    """Open the catalog at a given moment, and list its tables."""
    time.sleep(max(start_at - time.time(), 0))
    assert Lake(settings).tables() == []


def working_as_a_kernel(settings: Settings, begun: Path, seconds: float) -> None:
    """Hold a step's lock as the kernel of a pipeline that was killed."""
    os.environ["SALES_TECH_LOCKED_LAKE"] = str(settings.lake)
    with exclusive(settings):
        begun.touch()
        time.sleep(seconds)


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def limited_night(settings: Settings, told: Path, most: int) -> None:
    """A night in which no file may grow beyond some bytes; and what it said."""
    told.touch()
    # Python has the system tell of it by an error and not by a signal.
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    refused_night(settings, told)


def night_of_another_user(settings: Settings, told: Path, user: int) -> None:
    """A night of a user that is not root, who may write anywhere."""
    told.touch()
    told.chmod(0o666)
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
    refused_night(settings, told)


def refused_night(settings: Settings, told: Path) -> None:
    """A night that ends this process with 0, or with 3 where it failed with words for the user, which are kept in a file."""
    try:
        night(settings)
    except SalesTechError as error:
        told.write_text(str(error), encoding="utf-8")
        sys.exit(3)


def skewed_night(settings: Settings, *seconds: float) -> None:
    """A night by a clock that is wrong by some seconds, by the next of several whenever it is looked at."""
    true, true_time, wrong = datetime, time.time, itertools.cycle(seconds)

    class Kind(type(datetime)):  # type: ignore[misc]
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, true)

    class Clock(datetime, metaclass=Kind):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return true.now(tz) + timedelta(seconds=next(wrong))

    for name, module in list(sys.modules.items()):
        if name.startswith(("sales_tech", "pyiceberg")):
            for given in [given for given, value in vars(module).items() if value is true]:
                setattr(module, given, Clock)
    time.time = lambda: true_time() + next(wrong)
    night(settings)
