"""01_ingest: order events that landed become rows of bronze.order_events, and every object an entry in bronze.files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from sales_tech.contracts.bronze import stream_table
from sales_tech.contracts.pack import load_packs
from sales_tech.contracts.stream import STREAM, STREAM_TABLE, stream_contract
from sales_tech.engines.duck import DuckEngine, open_engine
from sales_tech.errors import UnreadableFile
from sales_tech.ingest.archive import Archived
from sales_tech.ingest.arrivals import History, Landed, Unread, differs, landed_events, read_history
from sales_tech.ingest.arrivals import unread as still_unread
from sales_tech.ingest.entries import Arrival, copied, enter, ingest_code, load, unrecorded
from sales_tech.ingest.events import event_schema, read_events
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake
from sales_tech.runs import Run, StepResult, exclusive

STEP = "ingest/order_events"
_CLAIM = (STREAM, STREAM)
_AT_ONCE = 8


def why(lake: Lake, engine: DuckEngine, run: Run) -> Counter[str]:
    """The reasons to look at landed objects of events, each with the number of objects."""
    history = read_history(lake, engine)
    reasons = Counter(reason for _, reason in _news(lake, landed_events(run.settings, lake.platform.landing), history))
    cut_short = len(unrecorded(lake, engine, STEP, {STREAM_TABLE: _CLAIM}, history))
    return reasons + Counter({"file whose load was cut short": cut_short})


def unread(lake: Lake, engine: DuckEngine, run: Run) -> list[Unread]:
    """The objects of events in the landing folder that were rejected, and that no run looks at again until their contract changes."""
    history = read_history(lake, engine, rejected=True)
    if not history.has_rejected:
        return []
    landed = landed_events(run.settings, lake.platform.landing)
    return still_unread(landed, [file for file, _ in _news(lake, landed, history)], history)


def run(run: Run) -> StepResult:
    """Load the objects that are new, in one commit of bronze.order_events and one of bronze.files.

    An object that holds anything but events is archived and entered as rejected with its reason; the
    others go on. Nothing is committed where nothing is new.
    """
    with exclusive(run.settings), open_engine(run.settings) as engine:
        lake = Lake(run.settings)
        history = read_history(lake, engine)
        arrivals = unrecorded(lake, engine, STEP, {STREAM_TABLE: _CLAIM}, history)
        recovered = {arrival.file_id for arrival in arrivals}
        loaded = set(history.loaded) | recovered
        sources: set[str] = set()
        for file, kept in _archived(
            lake, [file for file, _ in _news(lake, landed_events(run.settings, lake.platform.landing), history)], run
        ):
            if isinstance(kept, UnreadableFile):
                arrivals.append(Arrival(file, "", None, 1, "rejected", str(kept), None, 0, run.run_id))
                continue
            arrival, named = _examine(lake, file, kept, loaded, history, run)
            sources |= named
            if arrival.file_id in recovered:
                # Its rows are in bronze already, from the run that was cut short; its time is known now.
                arrivals = [replace(entry, file=file) if entry.file_id == arrival.file_id else entry for entry in arrivals]
            else:
                arrivals.append(arrival)
            if arrival.status == "loaded":
                loaded.add(arrival.file_id)
        if not arrivals:
            return run.record(StepResult(STEP, notes=["no new events"]))
        contract = stream_table()
        commits = []
        batch = [arrival for arrival in arrivals if arrival.rows is not None]
        if batch:
            provenance = Provenance(run.run_id, STEP, ingest_code(), contract.fingerprint)
            commits.append(load(lake, engine, contract, event_schema(), batch, provenance))
        rows = sum(commit.rows for commit in commits)
        contracts: dict[str, str | None] = {arrival.file.name: stream_contract().fingerprint for arrival in arrivals}
        commits.append(enter(lake, engine, STEP, run, arrivals, [STREAM_TABLE], history, contracts))
        rejected = {arrival.file.name: arrival.reason or "" for arrival in arrivals if arrival.status == "rejected"}
        notes = [f"{arrival.file.name}: {arrival.reason}" for arrival in arrivals if arrival.status == "duplicate"]
        strangers = sorted(sources - load_packs(run.settings.sources).keys())
        notes += [f"order events of {source} wait in bronze until a run knows a pack of that name" for source in strangers]
        return run.record(StepResult(STEP, rows, commits, sum(arrival.status == "loaded" for arrival in arrivals), rejected, notes))


def _news(lake: Lake, landed: list[Landed], history: History) -> list[tuple[Landed, str]]:
    # A known object is not looked at again unless it was written again, as a rejected one is that somebody mended, or was
    # rejected by a contract that has changed.
    found = []
    for file in landed:
        known = history.by_path.get(file.name)
        if known is None:
            found.append((file, "new file of order events"))
        elif known.size != file.size or (
            known.modified_ns != file.modified_ns and (file.problem or differs(lake.platform.landing, file, known))
        ):
            found.append((file, "changed file of order events"))
        elif known.status == "rejected" and known.contract != stream_contract().fingerprint:
            found.append((file, "rejected file with a changed contract"))
    return found


def _archived(lake: Lake, files: list[Landed], run: Run) -> Iterator[tuple[Landed, Archived | UnreadableFile]]:
    # Objects are small and many; on S3 nearly all of the time is waiting.
    landing, target, scratch = lake.platform.landing, lake.platform.lake, run.settings.work / "scratch"

    def kept(file: Landed) -> tuple[Landed, Archived | UnreadableFile] | None:
        try:
            return copied(file, landing, target, scratch)
        except UnreadableFile as error:
            return file, error

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from filter(None, pool.map(kept, files))


def _examine(lake: Lake, file: Landed, kept: Archived, loaded: set[str], history: History, run: Run) -> tuple[Arrival, set[str]]:
    known = history.by_path.get(file.name)
    version = known.version + (known.file_id != kept.file_id) if known else 1
    arrival = Arrival(file, kept.file_id, kept.place, version, "loaded", None, None, 0, run.run_id)
    if kept.file_id in loaded:
        first = history.loaded.get(kept.file_id, "another new object")
        return replace(arrival, status="duplicate", reason=f"same content as {first}"), set()
    try:
        rows, sources = read_events(lake.platform.lake.fetch(kept.place))
    except UnreadableFile as error:
        return replace(arrival, status="rejected", reason=str(error)), set()
    return replace(arrival, rows=rows), sources
