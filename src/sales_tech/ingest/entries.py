"""The books of ingest: rows into a bronze table, and an entry in bronze.files for every file that arrived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from sales_tech.contracts.fingerprint import code_fingerprint
from sales_tech.contracts.table import TableContract, table_contract
from sales_tech.engines.dialect import quote
from sales_tech.engines.duck import DuckEngine
from sales_tech.errors import UnreadableFile
from sales_tech.ingest.archive import Archived, archive, archived
from sales_tech.ingest.arrivals import FILES, History, Landed
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake, LakeFile
from sales_tech.lake.write import Staged, stage
from sales_tech.platform import Place
from sales_tech.runs import Commit, Run, moment

_TEXT, _MOMENT = pa.dictionary(pa.int8(), pa.string()), pa.timestamp("us", "UTC")
_FILE_FIELDS = [*(pa.field(name, _TEXT) for name in ("_file_id", "_file_path", "_load_id")), pa.field("_loaded_at", _MOMENT)]


class Rows(Protocol):
    """A file that was taken apart; each call of `batches` gives its rows anew."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows in file order."""


@dataclass(frozen=True)
class Arrival:
    """One file's entry in bronze.files, and its rows where it is to be loaded."""

    file: Landed
    file_id: str
    archived_as: str | None
    version: int
    status: str
    reason: str | None
    rows: Rows | None
    count: int
    load_id: str

    @property
    def claim(self) -> tuple[str, str] | None:
        """The one pack and kind that claims the file."""
        return self.file.claims[0] if len(self.file.claims) == 1 else None


def copied(file: Landed, landing: Place, lake: Place, scratch: Path) -> tuple[Landed, Archived] | None:
    """Copy a landed file into the archive, and take its size from the copy, since a file may grow after it was listed.

    None where it was taken away meanwhile; UnreadableFile where it cannot be read.
    """
    if file.problem:
        raise UnreadableFile(file.problem)
    try:
        kept = archive(landing, file.name, lake, scratch)
    except FileNotFoundError:
        return None
    return replace(file, size=kept.size), kept


def load(
    lake: Lake,
    engine: DuckEngine,
    contract: TableContract,
    schema: pa.Schema,
    batch: list[Arrival],
    provenance: Provenance,
    *,
    replaced: Iterable[LakeFile] = (),
) -> Commit:
    """Commit the rows of some files, which have the given schema, to a bronze table in one snapshot."""
    named = pa.schema([*schema, *_FILE_FIELDS])
    with engine.batches("incoming", named, _named(batch, named)):
        query = f"select {', '.join(map(quote, named.names))} from incoming"
        staged = stage(lake, engine, contract, query, provenance.run_id, unique=False)
    return Commit(contract.name, lake.commit(contract.name, staged.paths, replaced, provenance), staged.rows, 0)


def enter(
    lake: Lake,
    engine: DuckEngine,
    step: str,
    run: Run,
    arrivals: list[Arrival],
    tables: Iterable[str],
    history: History,
    contracts: dict[str, str | None],
) -> Commit:
    """Add entries to bronze.files, and note which snapshots of the step's own bronze tables they go with.

    `contracts` gives, by file name, the fingerprint of the contract that a file was read by.
    """
    tables = list(tables)
    contract = table_contract(FILES)
    counts = _counts(lake, engine, tables, run)
    now = moment(run.run_id)
    entries = [
        {
            "file_id": arrival.file_id or f"{arrival.status}:{arrival.file.name}",
            "file_path": arrival.file.name,
            "version": arrival.version,
            "source": arrival.claim[0] if arrival.claim else None,
            "file_kind": arrival.claim[1] if arrival.claim else None,
            "status": arrival.status,
            "reason": arrival.reason,
            "bytes": arrival.file.size,
            "modified_ns": arrival.file.modified_ns,
            "rows": counts.get(arrival.file_id, arrival.count) if arrival.status == "loaded" else 0,
            "contract": contracts.get(arrival.file.name),
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
    inputs = {name: snapshot for name in tables if (snapshot := lake.snapshot_id(name)) is not None}
    provenance = Provenance(run.run_id, step, ingest_code(), contract.fingerprint, inputs)
    return Commit(FILES, lake.commit(FILES, staged.paths, [], provenance), staged.rows, 0)


def unrecorded(lake: Lake, engine: DuckEngine, step: str, tables: dict[str, tuple[str, str]], history: History) -> list[Arrival]:
    """Files whose rows a run committed that was stopped before it could enter them, wherever they lie now.

    `tables` gives pack and kind of each bronze table of the step, whose last commit of bronze.files
    names the snapshots that it knew of.
    """
    last = lake.last_provenance(FILES, step)
    recorded = last.inputs if last else {}
    counts = []
    for name, claim in tables.items():
        if lake.has_moved(name, recorded.get(name)):
            paths = [file.path for file in lake.added_files(name, recorded.get(name))]
            counts += [(load_id, path, file_id, claim, rows) for file_id, load_id, path, rows in _file_counts(engine, paths)]
    found, versions = [], dict[str, int]()
    # As the runs that were stopped would have entered them: which of two lines of the same version counts hangs on it.
    for load_id, path, file_id, claim, rows in sorted(counts, key=lambda one: (one[0], one[1].split("/"))):
        if file_id in history.loaded:
            continue
        place = archived(lake.platform.lake, file_id, path)
        known = history.by_path.get(path)
        landed = Landed(path, lake.platform.lake.fetch(place).stat().st_size, 0, (claim,))
        versions[path] = versions.get(path, known.version if known else 0) + 1
        found.append(Arrival(landed, file_id, place, versions[path], "loaded", None, None, rows, load_id))
    return found


def ingest_code() -> str:
    """The fingerprint of the code that makes bronze."""
    return code_fingerprint("ingest", "engines", "lake")


def _named(batch: list[Arrival], named: pa.Schema) -> Iterator[pa.RecordBatch]:
    # Each batch brings its file's names along. Joined to them by the engine, which cannot know how long the stream is,
    # all rows would wait in memory on the wrong side of the join, and one thread alone would write them.
    for arrival in batch:
        assert arrival.rows is not None
        texts = (arrival.file_id, arrival.file.name, arrival.load_id)
        for rows in arrival.rows.batches():
            first = pa.repeat(pa.scalar(0, pa.int8()), rows.num_rows)
            names = [pa.DictionaryArray.from_arrays(first, pa.array([text])) for text in texts]
            moments = pa.repeat(pa.scalar(moment(arrival.load_id), _MOMENT), rows.num_rows)
            yield pa.RecordBatch.from_arrays([*rows.columns, *names, moments], schema=named)


def _counts(lake: Lake, engine: DuckEngine, tables: Iterable[str], run: Run) -> dict[str, int]:
    paths = [file.path for name in tables for file in lake.files(name) if f"/{run.run_id}-" in file.path]
    return {file_id: rows for file_id, _, _, rows in _file_counts(engine, paths)}


def _file_counts(engine: DuckEngine, paths: list[str]) -> list[tuple[str, str, str, int]]:
    engine.view("counted", paths, {"_file_id": "varchar", "_load_id": "varchar", "_file_path": "varchar"})
    rows = engine.rows("select _file_id, _load_id, _file_path, count(*) from counted group by all order by all")
    return [(file_id, load_id, path, int(count)) for file_id, load_id, path, count in rows]
