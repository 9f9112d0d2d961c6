"""01_ingest: what landed becomes bronze rows, and every file gets an entry in bronze.files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pyarrow as pa

from sales_tech import disk
from sales_tech.contracts.bronze import bronze_contract
from sales_tech.contracts.pack import Pack, load_packs
from sales_tech.contracts.table import TableContract
from sales_tech.engines.duck import DuckEngine, open_engine
from sales_tech.errors import LakeError, UnreadableFile
from sales_tech.ingest.archive import Archived
from sales_tech.ingest.arrivals import History, Landed, Unread, claiming, fingerprint, landed_files, loaded_files, news, read_history
from sales_tech.ingest.arrivals import unread as still_unread
from sales_tech.ingest.entries import Arrival, copied, enter, ingest_code, load, unrecorded
from sales_tech.ingest.reader import FileRows, read_rows, schema
from sales_tech.lake.kinds import check_kinds
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake
from sales_tech.runs import Commit, Run, StepResult, exclusive

STEP = "ingest/batch_csv"
_COPIES_AT_ONCE = 8
"""Copies into the archive wait for the disk, or the network, more than for a processor."""


def why(lake: Lake, engine: DuckEngine, packs: dict[str, Pack], run: Run) -> Counter[str]:
    """The reasons to look at files in the landing folder, each with the number of files."""
    history = read_history(lake, engine)
    landing = lake.platform.landing
    reasons = Counter(reason for _, reason in news(landing, landed_files(run.settings, landing, packs.values()), history, packs))
    cut_short = len(unrecorded(lake, engine, STEP, _tables(packs), history))
    again = sum(len(loaded_files(lake, engine, pack, kind)) for pack, kind in _read_otherwise(lake, packs))
    return reasons + Counter({"file whose load was cut short": cut_short, "file to read again by its changed pack": again})


def unread(lake: Lake, engine: DuckEngine, packs: dict[str, Pack], run: Run) -> list[Unread]:
    """The suppliers' files in the landing folder that were rejected, and that no run looks at again until they or their pack change."""
    history = read_history(lake, engine, rejected=True)
    if not history.has_rejected:
        return []  # without a list of the landing folder, which takes its time on S3
    landed = landed_files(run.settings, lake.platform.landing, packs.values())
    return still_unread(landed, [file for file, _ in news(lake.platform.landing, landed, history, packs)], history)


def run(run: Run) -> StepResult:
    """Load what is new in the landing folder: one commit for each bronze table, then one of bronze.files.

    A file that cannot be taken apart is archived, entered as rejected with its reason, and the others
    go on. Where a pack's delimiter, encoding or headers changed, all files of the kind are read again
    from the archive. Nothing is committed where nothing is new. Raises UnreadableFile where a changed
    pack cannot read what was loaded before; bronze is left as it was.
    """
    with exclusive(run.settings), open_engine(run.settings) as engine:
        lake, packs = Lake(run.settings), load_packs(run.settings.sources)
        check_kinds(lake, engine, packs)
        history = read_history(lake, engine)
        landing = lake.platform.landing
        new = news(landing, landed_files(run.settings, landing, packs.values()), history, packs)
        known = unrecorded(lake, engine, STEP, _tables(packs), history)
        arrivals = _examine(lake, [file for file, _ in new], packs, history, run, known)
        commits = [_read_again(lake, engine, pack, kind, run, known) for pack, kind in _read_otherwise(lake, packs)]
        if not arrivals and not commits:
            return run.record(StepResult(STEP, notes=["no new files"]))
        loads: dict[tuple[str, str], list[Arrival]] = defaultdict(list)
        for arrival in arrivals:
            if arrival.rows is not None:
                loads[arrival.file.claims[0]].append(arrival)
        for (source, kind), batch in sorted(loads.items()):
            contract, reads = _reading(packs[source], kind)
            commits.append(load(lake, engine, contract, reads, batch, _provenance(packs[source], kind, run)))
        contracts = {arrival.file.name: fingerprint(arrival.file, packs) for arrival in arrivals}
        commits.append(enter(lake, engine, STEP, run, arrivals, _tables(packs), history, contracts))
        rejected = {arrival.file.name: arrival.reason or "" for arrival in arrivals if arrival.status == "rejected"}
        notes = [f"{arrival.file.name}: {arrival.reason}" for arrival in arrivals if arrival.status in ("duplicate", "unclaimed")]
        loaded = sum(arrival.status == "loaded" for arrival in arrivals)
        remarks = [*_remarks(arrivals), *_of_others(lake, packs, arrivals, history)]
        return run.record(StepResult(STEP, sum(commit.rows for commit in commits[:-1]), commits, loaded, rejected, notes, remarks))


def _examine(lake: Lake, new: list[Landed], packs: dict[str, Pack], history: History, run: Run, recovered: list[Arrival]) -> list[Arrival]:
    loaded = history.loaded | {arrival.file_id: arrival.file.name for arrival in recovered}
    versions = {arrival.file.name: (arrival.file_id, arrival.version) for arrival in recovered}
    arrivals = list(recovered)
    for file, kept in _archived(lake, new, run):
        plain = Arrival(file, "", None, 1, "", None, None, 0, run.run_id)
        if kept is None:
            arrivals.append(replace(plain, status="unclaimed", reason=file.problem or "no pack's glob matches this path"))
            continue
        if isinstance(kept, str):
            arrivals.append(replace(plain, status="rejected", reason=kept))
            continue
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
        arrivals.append(_open(arrival, packs, lake))
        if arrivals[-1].status == "loaded":
            loaded[kept.file_id] = file.name
    return arrivals


def _archived(lake: Lake, new: list[Landed], run: Run) -> Iterator[tuple[Landed, Archived | str | None]]:
    # With the reason where a file cannot be archived, None where nobody claims it. Copies of the next files are
    # written while one is looked at: checksums and disks need no interpreter.
    landing, target, scratch = lake.platform.landing, lake.platform.lake, run.settings.work / "scratch"

    def kept(file: Landed) -> tuple[Landed, Archived | str | None] | None:
        try:
            return copied(file, landing, target, scratch) if file.claims else (file, None)
        except UnreadableFile as error:
            return file, str(error)

    with ThreadPoolExecutor(_COPIES_AT_ONCE) as pool:
        yield from filter(None, pool.map(kept, new))


def _open(arrival: Arrival, packs: dict[str, Pack], lake: Lake) -> Arrival:
    if len(arrival.file.claims) > 1:
        claims = ", ".join(f"{pack}/{kind}.yaml" for pack, kind in arrival.file.claims)
        return replace(arrival, status="rejected", reason=f"claimed by {claims}; expected one glob to match")
    ((source, kind),) = arrival.file.claims
    try:
        copy = lake.platform.lake.fetch(arrival.archived_as or "")
        return replace(arrival, status="loaded", rows=read_rows(copy, packs[source].files[kind]))
    except UnreadableFile as error:
        return replace(arrival, status="rejected", reason=str(error))


def _remarks(arrivals: list[Arrival]) -> list[str]:
    loaded = [(arrival.file, arrival.rows) for arrival in arrivals if isinstance(arrival.rows, FileRows)]
    remarks = [
        f"{file.name} looks cut off: its last line, {rows.physical_lines}, has no end and is not whole; "
        "export it again, and the lines of the whole file take the place of these"
        for file, rows in loaded
        if rows.is_cut_off()
    ]
    unknown: dict[tuple[tuple[str, str], tuple[str, ...]], list[str]] = defaultdict(list)
    for file, rows in loaded:
        if rows.unknown:
            unknown[file.claims[0], rows.unknown].append(file.name)
    for ((source, kind), columns), names in unknown.items():
        files = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        what = f"column{'s' if len(columns) > 1 else ''} {', '.join(map(repr, columns))}"
        remarks.append(f"{files}: {source}/{kind}.yaml does not know the {what}; the values stay in bronze, and silver and gold lack them")
    return remarks


def _of_others(lake: Lake, packs: dict[str, Pack], arrivals: list[Arrival], history: History) -> list[str]:
    # The same bytes are loaded once, so two shops with one catalogue need to be told of; two headers without a row need not.
    loaded = history.loaded | {arrival.file_id: arrival.file.name for arrival in arrivals if arrival.status == "loaded"}
    claims_of, remarks = claiming(packs.values()), list[str]()
    for arrival in arrivals:
        first = loaded.get(arrival.file_id, "")
        if arrival.status != "duplicate" or arrival.claim is None or not (others := claims_of(first)) or arrival.claim in others:
            continue
        source, kind = arrival.claim
        try:
            read_rows(lake.platform.lake.fetch(arrival.archived_as or ""), packs[source].files[kind])
        except UnreadableFile:
            continue
        remarks.append(
            f"{arrival.file.name} has the same bytes as {first}, by which they were loaded for {others[0][0]}/{others[0][1]}.yaml: "
            f"{source} has none of its rows. Export it with any difference, such as an empty line at its end, and it is loaded too"
        )
    return remarks


def _read_otherwise(lake: Lake, packs: dict[str, Pack]) -> list[tuple[Pack, str]]:
    # The kinds whose bronze rows were taken apart in another way than their contract now says.
    found = []
    for pack in packs.values():
        for kind, contract in pack.files.items():
            last = lake.provenance(pack.bronze(kind))
            if last is not None and last.packs.get(kind, contract.reading) != contract.reading:
                found.append((pack, kind))
    return found


def _read_again(lake: Lake, engine: DuckEngine, pack: Pack, kind: str, run: Run, recovered: list[Arrival]) -> Commit:
    # Files of a run that was cut short have rows in the table, which is replaced, and no entries yet.
    loads = [(one.file_id, one.file.name, one.archived_as or "", one.load_id) for one in recovered if one.claim == (pack.name, kind)]
    batch = []
    for file_id, path, archived_as, load_id in (*loaded_files(lake, engine, pack, kind), *loads):
        try:
            copy = lake.platform.lake.fetch(archived_as)
            rows = read_rows(copy, pack.files[kind])
        except FileNotFoundError as error:
            raise LakeError(f"the copy of {path}, {archived_as}, is gone; {disk.RESTORE}") from error
        except UnreadableFile as error:
            where = f"{pack.folder / kind}.yaml changed, and {path}, which was loaded before, cannot be read by it"
            todo = "mend the pack, which reads all files of a kind in one way (docs/packs.md, where a supplier writes otherwise)"
            raise UnreadableFile(f"{where}: {error}. Nothing was changed; {todo}") from error
        landed = Landed(path, copy.stat().st_size, 0, ((pack.name, kind),))
        batch.append(Arrival(landed, file_id, archived_as, 1, "loaded", None, rows, 0, load_id))
    contract, reads = _reading(pack, kind)
    return load(lake, engine, contract, reads, batch, _provenance(pack, kind, run), replaced=lake.files(contract.name))


def _tables(packs: dict[str, Pack]) -> dict[str, tuple[str, str]]:
    return {pack.bronze(kind): (pack.name, kind) for pack in packs.values() for kind in pack.files}


def _reading(pack: Pack, kind: str) -> tuple[TableContract, pa.Schema]:
    return bronze_contract(pack, kind), schema(pack.files[kind])


def _provenance(pack: Pack, kind: str, run: Run) -> Provenance:
    return Provenance(run.run_id, STEP, ingest_code(), bronze_contract(pack, kind).fingerprint, packs={kind: pack.files[kind].reading})
