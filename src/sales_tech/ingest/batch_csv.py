"""01_ingest: what landed becomes bronze rows, and every file gets an entry in bronze.files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from sales_tech.contracts.bronze import bronze_contract
from sales_tech.contracts.fingerprint import code_fingerprint
from sales_tech.contracts.pack import Pack, load_packs
from sales_tech.contracts.table import table_contract
from sales_tech.engines.dialect import quote
from sales_tech.engines.duck import DuckEngine, open_engine
from sales_tech.errors import UnreadableFile
from sales_tech.ingest.archive import archive
from sales_tech.ingest.arrivals import FILES, History, Landed, fingerprint, landed_files, loaded_files, news, read_history
from sales_tech.ingest.reader import FileRows, read_rows, schema
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake, LakeFile
from sales_tech.lake.write import Staged, stage
from sales_tech.runs import Commit, Run, StepResult, exclusive

STEP = "ingest/batch_csv"


@dataclass(frozen=True)
class Arrival:
    """One file's entry in bronze.files, and its rows where it is to be loaded."""

    file: Landed
    file_id: str
    archived_as: str | None
    version: int
    status: str
    reason: str | None
    rows: FileRows | None
    count: int
    load_id: str


def why(lake: Lake, engine: DuckEngine, packs: dict[str, Pack], run: Run) -> Counter[str]:
    """The reasons to look at files in the landing folder, each with the number of files."""
    history = read_history(lake, engine)
    reasons = Counter(reason for _, reason in news(landed_files(run.settings.landing, packs.values()), history, packs))
    unrecorded = len(_unrecorded(lake, engine, packs, history))
    again = sum(len(loaded_files(lake, engine, pack, kind)) for pack, kind in _read_otherwise(lake, packs))
    return reasons + Counter({"file whose load was cut short": unrecorded, "file to read again by its changed pack": again})


def run(run: Run) -> StepResult:
    """Load what is new in the landing folder: one commit for each bronze table, then one of bronze.files.

    A file that cannot be taken apart is archived, entered as rejected with its reason, and the others
    go on. Where a pack's delimiter, encoding or headers changed, all files of the kind are read again
    from the archive. Nothing is committed where nothing is new. Raises UnreadableFile where a changed
    pack cannot read what was loaded before; bronze is left as it was.
    """
    with exclusive(run.settings), open_engine(run.settings) as engine:
        lake, packs = Lake(run.settings), load_packs(run.settings.sources)
        history = read_history(lake, engine)
        new = news(landed_files(run.settings.landing, packs.values()), history, packs)
        arrivals = _examine([file for file, _ in new], packs, history, run, _unrecorded(lake, engine, packs, history))
        commits = [_read_again(lake, engine, pack, kind, run) for pack, kind in _read_otherwise(lake, packs)]
        if not arrivals and not commits:
            return run.record(StepResult(STEP, notes=["no new files"]))
        loads: dict[tuple[str, str], list[Arrival]] = defaultdict(list)
        for arrival in arrivals:
            if arrival.rows is not None:
                loads[arrival.file.claims[0]].append(arrival)
        for (source, kind), batch in sorted(loads.items()):
            commits.append(_load(lake, engine, packs[source], kind, batch, run, replaced=()))
        commits.append(_enter(lake, engine, arrivals, packs, history, run))
        rejected = {arrival.file.name: arrival.reason or "" for arrival in arrivals if arrival.status == "rejected"}
        notes = [f"{arrival.file.name}: {arrival.reason}" for arrival in arrivals if arrival.status in ("duplicate", "unclaimed")]
        loaded = sum(arrival.status == "loaded" for arrival in arrivals)
        return run.record(StepResult(STEP, sum(commit.rows for commit in commits[:-1]), commits, loaded, rejected, notes))


def _examine(new: list[Landed], packs: dict[str, Pack], history: History, run: Run, unrecorded: list[Arrival]) -> list[Arrival]:
    loaded = history.loaded | {arrival.file_id: arrival.file.name for arrival in unrecorded}
    versions = {arrival.file.name: (arrival.file_id, arrival.version) for arrival in unrecorded}
    arrivals = list(unrecorded)
    for file in new:
        plain = Arrival(file, "", None, 1, "", None, None, 0, run.run_id)
        if not file.claims:
            arrivals.append(replace(plain, status="unclaimed", reason="no pack's glob matches this path"))
            continue
        kept = archive(file.path, run.settings.lake)
        known = history.by_path.get(file.name)
        last_id, last = versions.get(file.name) or ((known.file_id, known.version) if known else (kept.file_id, 1))
        arrival = replace(plain, file_id=kept.file_id, archived_as=kept.place, version=last + (last_id != kept.file_id))
        first = loaded.get(kept.file_id)
        if first == file.name and last_id == kept.file_id:
            # Its rows are in bronze already, from the run that was cut short; its size and time are known now.
            arrivals = [replace(entry, file=file) if entry.file_id == kept.file_id else entry for entry in arrivals]
            continue
        if first is not None:
            again = (
                "this content was loaded from here before, and its rows keep their place"
                if first == file.name
                else f"same content as {first}"
            )
            arrivals.append(replace(arrival, status="duplicate", reason=again))
            continue
        arrivals.append(_open(arrival, packs, run.settings.lake))
        if arrivals[-1].status == "loaded":
            loaded[kept.file_id] = file.name
    return arrivals


def _open(arrival: Arrival, packs: dict[str, Pack], lake: Path) -> Arrival:
    if len(arrival.file.claims) > 1:
        claims = ", ".join(f"{pack}/{kind}.yaml" for pack, kind in arrival.file.claims)
        return replace(arrival, status="rejected", reason=f"claimed by {claims}; expected one glob to match")
    ((source, kind),) = arrival.file.claims
    try:
        return replace(arrival, status="loaded", rows=read_rows(lake / (arrival.archived_as or ""), packs[source].files[kind]))
    except UnreadableFile as error:
        return replace(arrival, status="rejected", reason=str(error))


def _read_otherwise(lake: Lake, packs: dict[str, Pack]) -> list[tuple[Pack, str]]:
    # The kinds whose bronze rows were taken apart in another way than their contract now says.
    found = []
    for pack in packs.values():
        for kind, contract in pack.files.items():
            last = lake.provenance(pack.bronze(kind))
            if last is not None and last.packs.get(kind, contract.reading) != contract.reading:
                found.append((pack, kind))
    return found


def _read_again(lake: Lake, engine: DuckEngine, pack: Pack, kind: str, run: Run) -> Commit:
    batch = []
    for file_id, path, archived_as, load_id in loaded_files(lake, engine, pack, kind):
        copy = lake.folder / archived_as
        try:
            rows = read_rows(copy, pack.files[kind])
        except UnreadableFile as error:
            where = f"{pack.folder / kind}.yaml changed, and {path}, which was loaded before, cannot be read by it"
            raise UnreadableFile(f"{where}: {error}. Nothing was changed; mend the pack") from error
        landed = Landed(copy, path, copy.stat().st_size, 0, ((pack.name, kind),))
        batch.append(Arrival(landed, file_id, archived_as, 1, "loaded", None, rows, 0, load_id))
    return _load(lake, engine, pack, kind, batch, run, replaced=lake.files(pack.bronze(kind)))


def _load(lake: Lake, engine: DuckEngine, pack: Pack, kind: str, batch: list[Arrival], run: Run, replaced: Iterable[LakeFile]) -> Commit:
    contract = bronze_contract(pack, kind)
    numbered = pa.schema([*schema(pack.files[kind]), pa.field("_file", pa.int32())])
    files = "_file integer, _file_id varchar, _file_path varchar, _load_id varchar, _loaded_at timestamptz"
    engine.execute(f"create or replace table batch_files ({files})")
    for number, arrival in enumerate(batch):
        entry = [number, arrival.file_id, arrival.file.name, arrival.load_id, _moment(arrival.load_id).isoformat()]
        engine.execute("insert into batch_files values (?, ?, ?, ?, ?)", entry)
    columns = ", ".join(f"b.{quote(name)}" for name in (*pack.files[kind].columns, "_extra", "_raw", "_problem", "_line_number"))
    with engine.batches("incoming", numbered, _numbered(batch, numbered)):
        query = f"select {columns}, f.* exclude (_file) from incoming as b join batch_files as f using (_file)"
        staged = stage(lake, engine, contract, query, run.run_id, unique=False)
    provenance = Provenance(run.run_id, STEP, _code(), contract.fingerprint, packs={kind: pack.files[kind].reading})
    return Commit(contract.name, lake.commit(contract.name, staged.paths, replaced, provenance), staged.rows, 0)


def _numbered(batch: list[Arrival], numbered: pa.Schema) -> Iterator[pa.RecordBatch]:
    for number, arrival in enumerate(batch):
        assert arrival.rows is not None
        for rows in arrival.rows.batches():
            position = pa.array([number], pa.int32()).take(pa.nulls(rows.num_rows, pa.int32()).fill_null(0))
            yield pa.RecordBatch.from_arrays([*rows.columns, position], schema=numbered)


def _enter(lake: Lake, engine: DuckEngine, arrivals: list[Arrival], packs: dict[str, Pack], history: History, run: Run) -> Commit:
    contract = table_contract(FILES)
    counts = _counts(lake, engine, packs, {arrival.file.claims[0] for arrival in arrivals if arrival.rows is not None}, run)
    now = _moment(run.run_id)
    entries = [
        {
            "file_id": arrival.file_id or f"unclaimed:{arrival.file.name}",
            "file_path": arrival.file.name,
            "version": arrival.version,
            "source": arrival.file.claims[0][0] if len(arrival.file.claims) == 1 else None,
            "file_kind": arrival.file.claims[0][1] if len(arrival.file.claims) == 1 else None,
            "status": arrival.status,
            "reason": arrival.reason,
            "bytes": arrival.file.size,
            "modified_ns": arrival.file.modified_ns,
            "rows": counts.get(arrival.file_id, arrival.count) if arrival.status == "loaded" else 0,
            "contract": fingerprint(arrival.file, packs),
            "archived_as": arrival.archived_as,
            "load_id": arrival.load_id,
            "arrival": history.arrivals + number,
            "loaded_at": now,
        }
        for number, arrival in enumerate(arrivals, start=1)
    ]
    staged = Staged(contract, (), 0)  # no entry, but a note of the snapshots, where files were only read again
    if entries:
        with engine.arrow_view("entries", pa.Table.from_pylist(entries)):
            staged = stage(lake, engine, contract, "select * from entries", run.run_id)
    inputs = {
        name: snapshot for name in lake.tables() if name.startswith("bronze.") and name != FILES and (snapshot := lake.snapshot_id(name))
    }
    provenance = Provenance(run.run_id, STEP, _code(), contract.fingerprint, inputs)
    return Commit(FILES, lake.commit(FILES, staged.paths, [], provenance), staged.rows, 0)


def _unrecorded(lake: Lake, engine: DuckEngine, packs: dict[str, Pack], history: History) -> list[Arrival]:
    # Files whose rows were committed by a run that was stopped before it could enter them, whether they
    # still lie in the landing folder or not. bronze.files names the snapshots that it knew of.
    last = lake.provenance(FILES)
    recorded = last.inputs if last else {}
    found = []
    for pack in packs.values():
        for kind in pack.files:
            name = pack.bronze(kind)
            if lake.snapshot_id(name) == recorded.get(name):
                continue
            files = lake.added_files(name, recorded.get(name))
            for file_id, load_id, path, rows in _file_counts(engine, [file.path for file in files]):
                if file_id in history.loaded:
                    continue
                copy = min((lake.folder / "archive" / file_id[:2]).glob(f"{file_id}*"))
                known = history.by_path.get(path)
                landed = Landed(copy, path, copy.stat().st_size, 0, ((pack.name, kind),))
                version = known.version + 1 if known else 1
                found.append(
                    Arrival(landed, file_id, copy.relative_to(lake.folder).as_posix(), version, "loaded", None, None, rows, load_id)
                )
    return found


def _counts(lake: Lake, engine: DuckEngine, packs: dict[str, Pack], kinds: set[tuple[str, str]], run: Run) -> dict[str, int]:
    paths = [file.path for source, kind in kinds for file in lake.files(packs[source].bronze(kind)) if f"/{run.run_id}-" in file.path]
    return {file_id: rows for file_id, _, _, rows in _file_counts(engine, paths)}


def _file_counts(engine: DuckEngine, paths: list[str]) -> list[tuple[str, str, str, int]]:
    engine.view("counted", paths, {"_file_id": "varchar", "_load_id": "varchar", "_file_path": "varchar"})
    rows = engine.rows("select _file_id, _load_id, _file_path, count(*) from counted group by all order by all")
    return [(file_id, load_id, path, int(count)) for file_id, load_id, path, count in rows]


def _moment(run_id: str) -> datetime:
    return datetime.strptime(run_id[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def _code() -> str:
    return code_fingerprint("ingest", "engines", "lake")
