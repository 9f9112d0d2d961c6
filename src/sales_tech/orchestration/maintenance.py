"""The step maintenance/lake: small files compacted, old snapshots expired, files that nobody names removed."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta

import pandas as pd

from sales_tech import disk
from sales_tech.engines.duck import DuckEngine, open_engine
from sales_tech.lake.bookmarks import Bookmark, bookmarks
from sales_tech.lake.compaction import MANY, SOME, behind, compact, crowded
from sales_tech.lake.expiry import expirable, expire, lacking_properties, needed_snapshots, set_properties
from sales_tech.lake.orphans import missing, orphans, orphans_and_missing, remove
from sales_tech.lake.scratch import clear, left_over
from sales_tech.lake.store import Lake, LakeFile, Partition
from sales_tech.models.registry import Registry
from sales_tech.orchestration.ledger import STEP_RUNS
from sales_tech.runs import Commit, Run, StepResult, exclusive

STEP = "maintenance/lake"
_REPORT = "maintenance.json"


@dataclass
class Upkeep:
    """What was done to one table: its data files and snapshots before and after, files that were removed or are lost, what must wait."""

    table: str
    files_before: int = 0
    files_after: int = 0
    snapshots_before: int = 0
    snapshots_after: int = 0
    removed: int = 0
    bytes_removed: int = 0
    missing: int = 0
    waits_for: list[str] = field(default_factory=list)


def why(lake: Lake, engine: DuckEngine, run: Run) -> list[str]:
    """The reasons to work on the lake now; none where little would be won."""
    names = lake.tables()
    if run.force and names:
        return ["forced"]
    marks: list[Bookmark] | None = None
    many_files, many_snapshots = list[str](), list[str]()
    for name in names:
        if partitions := crowded(lake, name, MANY):
            marks = marks if marks is not None else bookmarks(lake, names)
            many_files += [name] if any(not behind(lake, name, partition, marks) for partition in partitions) else []
        if len(expirable(lake, name, _limit(run), ())) >= MANY:
            marks = marks if marks is not None else bookmarks(lake, names)
            due = expirable(lake, name, _limit(run), needed_snapshots(name, marks))
            many_snapshots += [name] if len(due) >= MANY else []
    reasons = [f"many small files in {', '.join(many_files)}"] if many_files else []
    reasons += [f"many snapshots past their time of {', '.join(many_snapshots)}"] if many_snapshots else []
    return reasons + [
        f"run {run_id} has no entry in the ledger: it was cut short, or still works" for run_id in _cut_short(lake, engine, run)[:1]
    ]


def run(run: Run) -> StepResult:
    """Compact, expire and remove, as the lake's only writer, and keep the figures for `figures`.

    No row of any table changes, and nothing that was up to date is stale afterwards. Raises AuditError, before a commit,
    where a compaction would change the rows.
    """
    with exclusive(run.settings), open_engine(run.settings) as engine:
        lake = Lake(run.settings)
        names = lake.tables()
        marks, learnt = bookmarks(lake, names), _learnt_from(run)
        work = _Work(lake, engine, run, marks)
        told = [work.on(name, learnt.get(name, set())) for name in names]
        scratch = left_over(run.settings)
        clear(scratch)
        told.append(Upkeep("scratch files", removed=len(scratch), bytes_removed=sum(left.bytes for left in scratch)))
        notes = [f"{one.table} waits to be compacted, until {', '.join(one.waits_for)} is up to date" for one in told if one.waits_for]
        lost = [
            f"{one.table}: {one.missing} files that it names are gone, so none was removed; {disk.RESTORE}" for one in told if one.missing
        ]
        run.folder.mkdir(parents=True, exist_ok=True)
        (run.folder / _REPORT).write_text(json.dumps([asdict(one) for one in told], indent=1), encoding="utf-8")
        return run.record(
            StepResult(STEP, sum(commit.rows for commit in work.commits), work.commits, notes=[*notes, _in_short(told)], remarks=lost)
        )


def figures(run: Run) -> pd.DataFrame:
    """What a run did to each table on which it did anything: the columns are the fields of `Upkeep`."""
    told = pd.DataFrame(json.loads((run.folder / _REPORT).read_text(encoding="utf-8")), columns=[one.name for one in fields(Upkeep)])
    told["waits_for"] = told["waits_for"].str.join(", ")
    changed = (told["files_before"] != told["files_after"]) | (told["snapshots_before"] > told["snapshots_after"])
    return told[changed | (told["removed"] > 0) | (told["missing"] > 0) | (told["waits_for"] != "")].reset_index(drop=True)


def missing_and_unnamed(run: Run) -> dict[str, int]:
    """How many files the lake's tables name that are not there, and how many lie in their places that none names."""
    with exclusive(run.settings):
        lake = Lake(run.settings)
        names = lake.tables()
        return {"missing": sum(len(missing(lake, name)) for name in names), "unnamed": sum(len(orphans(lake, name)) for name in names)}


class _Work:
    """The work on one table after another, and the commits that it made."""

    def __init__(self, lake: Lake, engine: DuckEngine, run: Run, marks: list[Bookmark]) -> None:
        self._lake, self._engine, self._run, self._marks = lake, engine, run, marks
        self.commits: list[Commit] = []

    def on(self, name: str, learnt_from: Collection[int]) -> Upkeep:
        lake, upkeep = self._lake, Upkeep(name, files_before=len(self._lake.files(name)), snapshots_before=self._snapshots(name))
        if lacking := lacking_properties(lake, name):
            set_properties(lake, name, lacking)
        self._compact(name, upkeep)
        if expired := expirable(lake, name, _limit(self._run), needed_snapshots(name, self._marks, learnt_from)):
            expire(lake, name, expired)
        unnamed, lost = orphans_and_missing(lake, name)
        upkeep.missing = len(lost)
        if lost:
            # Where a table's own files are not found, it is not known either which of those that lie there are nobody's.
            unnamed = []
        if unnamed:
            remove(lake, unnamed)
        upkeep.files_after, upkeep.snapshots_after = len(lake.files(name)), self._snapshots(name)
        upkeep.removed, upkeep.bytes_removed = len(unnamed), sum(entry.size for entry in unnamed)
        return upkeep

    def _compact(self, name: str, upkeep: Upkeep) -> None:
        ready: dict[Partition, list[LakeFile]] = {}
        for partition, files in crowded(self._lake, name, SOME).items():
            if waits_for := behind(self._lake, name, partition, self._marks):
                upkeep.waits_for = sorted({*upkeep.waits_for, *waits_for})
            else:
                ready[partition] = files
        if ready:
            self.commits.append(compact(self._lake, self._engine, name, ready, self._run.run_id))

    def _snapshots(self, name: str) -> int:
        table = self._lake.table(name)
        return len(table.metadata.snapshots) if table is not None else 0


def _limit(run: Run) -> datetime:
    return datetime.now(UTC) - timedelta(days=run.settings.keep_days)


def _learnt_from(run: Run) -> dict[str, set[int]]:
    # The models in use must be able to be fitted again.
    registry, found = Registry(run.settings), dict[str, set[int]]()
    for source in registry.sources():
        for name, snapshot_id in registry.card(source).snapshots.items():
            found.setdefault(name, set()).add(snapshot_id)
    return found


def _cut_short(lake: Lake, engine: DuckEngine, run: Run) -> list[str]:
    # Runs since the last maintenance that began a notebook here, but were never entered in the ledger.
    folders = {path.parent.parent.name for path in (run.settings.work / "runs").glob("*-*/*/*.ipynb")} - {run.run_id}
    engine.view("ledger", [file.path for file in lake.files(STEP_RUNS)], {"run_id": "varchar", "step": "varchar", "outcome": "varchar"})
    entered = {run_id for (run_id,) in engine.rows("select distinct run_id from ledger")}
    (last,) = engine.row("select max(run_id) from ledger where step = ? and outcome = 'succeeded'", [STEP])
    return sorted((name for name in folders - entered if name > (last or "")), reverse=True)


def _in_short(told: list[Upkeep]) -> str:
    compacted = [one for one in told if one.files_before != one.files_after]
    files = f"{sum(one.files_before for one in compacted)} files became {sum(one.files_after for one in compacted)}"
    expired = sum(max(one.snapshots_before - one.snapshots_after, 0) for one in told)
    return (
        f"{files}, {expired} snapshots expired, {sum(one.removed for one in told)} files removed, "
        f"which gave back {sum(one.bytes_removed for one in told) / 1e6:.1f} MB"
    )
