"""One execution of the pipeline, as each of its steps sees it."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sales_tech.errors import SettingsError
from sales_tech.platform import platform_of
from sales_tech.settings import Settings

_HELD = "SALES_TECH_LOCKED_LAKE"  # tells a kernel that its pipeline holds the lock
_MOMENT = "%Y%m%dT%H%M%S"
_RUN_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}")


@dataclass(frozen=True)
class Run:
    """A run's settings, id, business day, and whether everything is to be rebuilt."""

    settings: Settings
    run_id: str
    run_date: date
    force: bool = False

    @classmethod
    def begin(cls, settings: Settings, *, run_id: str | None = None, run_date: date | str | None = None, force: bool = False) -> Run:
        """A run with a new id, unless one is given, on today's date, unless one is given.

        Raises SettingsError for an id or a date that cannot be one.
        """
        run_id = run_id or new_run_id()
        if not _RUN_ID.fullmatch(run_id):
            raise SettingsError(f"run id {run_id!r}; expected a form like 20260301T020000-1a2b3c")
        if isinstance(run_date, str):
            try:
                run_date = date.fromisoformat(run_date)
            except ValueError as error:
                raise SettingsError(f"run date {run_date!r}; expected a day like 2026-03-01") from error
        return cls(settings, run_id, run_date or datetime.now(UTC).date(), force)

    def after(self, last: str | None) -> Run:
        """The run, its id behind that of the last one also where the clock has gone back since, or within one second."""
        if last is None or self.run_id > last:
            return self
        return replace(self, run_id=f"{moment(last) + timedelta(seconds=1):{_MOMENT}}-{secrets.token_hex(3)}")

    @property
    def folder(self) -> Path:
        """Where the run keeps its executed notebooks and results."""
        return self.settings.work / "runs" / self.run_id

    def record(self, result: StepResult) -> StepResult:
        """Keep a step's result beside its notebook, for the ledger; hands the result back."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # Aside first: what a killed notebook left half written could not be read.
        part = self._result_path(result.step).with_suffix(".part")
        part.write_text(json.dumps(asdict(result), indent=2), encoding="utf-8")
        part.replace(self._result_path(result.step))
        return result

    def result(self, step: str) -> StepResult | None:
        """The recorded result of a step of this run, or None where it did not get that far."""
        path = self._result_path(step)
        if not path.exists():
            return None
        data = json.loads(path.read_text(encoding="utf-8"))
        return StepResult(**{**data, "commits": [Commit(**commit) for commit in data["commits"]]})

    def _result_path(self, step: str) -> Path:
        return self.folder / f"{step.replace('/', '-')}.json"


@contextmanager
def exclusive(settings: Settings) -> Iterator[None]:
    """Be the only writer of a lake; a pipeline's notebooks write under the lock of their pipeline.

    Raises LakeError where another process writes to the lake.
    """
    lake, platform = str(settings.lake), platform_of(settings)
    if os.environ.get(_HELD) == lake:
        with platform.step():
            yield
        return
    with platform.lock():
        os.environ[_HELD] = lake
        try:
            yield
        finally:
            del os.environ[_HELD]


@dataclass(frozen=True)
class Commit:
    """One snapshot that a step made: the table, the rows written and the partitions replaced."""

    table: str
    snapshot_id: int
    rows: int
    partitions: int


@dataclass(frozen=True)
class StepResult:
    """What a step did: rows it read as new, the snapshots it made, files loaded and rejected.

    `rejected` maps the path of a rejected file to the reason; `remarks` are of files that were loaded and should be looked at.
    """

    step: str
    rows_in: int = 0
    commits: list[Commit] = field(default_factory=list)
    files_loaded: int = 0
    rejected: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def rows_out(self) -> int:
        """Rows in all files that the step committed."""
        return sum(commit.rows for commit in self.commits)


def moment(run_id: str) -> datetime:
    """When a run began, read from its id."""
    return datetime.strptime(run_id[:15], _MOMENT).replace(tzinfo=UTC)


def new_run_id() -> str:
    """An id that sorts by time and does not collide within a second."""
    return f"{datetime.now(UTC):{_MOMENT}}-{secrets.token_hex(3)}"
