"""What lies in the landing folder, compared with every file that ever arrived."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from unicodedata import normalize

from fsspec.utils import glob_translate

from sales_tech import disk
from sales_tech.contracts.pack import Pack
from sales_tech.engines.duck import DuckEngine
from sales_tech.errors import LakeError, SettingsError, UnreadableFile
from sales_tech.ingest.archive import checksum
from sales_tech.lake.store import Lake
from sales_tech.platform import Entry, Place
from sales_tech.runs import moment
from sales_tech.settings import Settings

FILES = "bronze.files"
EVENTS = "order_events"
"""The folder of the landing area that order events land in, and the kind under which their files are entered."""

_PARTIAL = (".part", ".tmp", ".crdownload", ".filepart")


@dataclass(frozen=True)
class Landed:
    """One file in the landing area; `claims` are the packs and kinds whose glob it matches, `problem` is why it cannot be read."""

    name: str
    size: int
    modified_ns: int
    claims: tuple[tuple[str, str], ...]
    problem: str | None = None


@dataclass(frozen=True)
class Known:
    """The last arrival under one path; `since` is when its content first had this status there."""

    file_id: str
    size: int
    modified_ns: int
    version: int
    status: str
    contract: str | None
    reason: str | None
    since: datetime


@dataclass(frozen=True)
class Unread:
    """A file that was rejected and stands in the landing area as it was; `since` is when it was first rejected."""

    name: str
    since: datetime
    reason: str


@dataclass(frozen=True)
class History:
    """All arrivals so far: the last one of each path, and the path that each loaded content came by."""

    by_path: dict[str, Known]
    loaded: dict[str, str]
    arrivals: int

    @property
    def has_rejected(self) -> bool:
        """Whether the last arrival under any path was rejected."""
        return any(known.status == "rejected" for known in self.by_path.values())


def landed_files(settings: Settings, landing: Place, packs: Iterable[Pack]) -> list[Landed]:
    """All files that suppliers put into the landing area, in the order of their names; events are not among them.

    Raises LakeError where the landing area is not there.
    """
    claims_of, found = claiming(packs), []
    for entry in _entries(settings, landing):
        text = _is_text(entry.name)
        if text and entry.name.startswith(f"{EVENTS}/"):
            continue
        name = entry.name if text else entry.name.encode(errors="backslashreplace").decode()
        claims = claims_of(name)
        # Of what no pack claims that alone is told.
        problem = entry.problem if text or not claims else "a name that is no UTF-8; expected one that is: rename the file"
        found.append(Landed(name, entry.size, entry.modified_ns, claims, problem))
    return found


def claiming(packs: Iterable[Pack]) -> Callable[[str], tuple[tuple[str, str], ...]]:
    """What tells the packs and kinds whose glob a file's name matches."""
    # A Mac writes ç as c and a cedilla, which look the same.
    patterns = [
        (re.compile(glob_translate(normalize("NFC", contract.glob))), (pack.name, kind))
        for pack in packs
        for kind, contract in pack.files.items()
    ]
    return lambda name: tuple(claim for pattern, claim in patterns if pattern.match(normalize("NFC", name)))


def landed_events(settings: Settings, landing: Place) -> list[Landed]:
    """All objects of order events in the landing area, in the order of their names; LakeError as for `landed_files`."""
    entries = (entry for entry in _entries(settings, landing, below=EVENTS) if _is_text(entry.name))
    return [Landed(entry.name, entry.size, entry.modified_ns, ((EVENTS, EVENTS),), entry.problem) for entry in entries]


def _is_text(name: str) -> bool:
    # A name on a disk may be any bytes, as one with accents of a Windows program may be; one that is no UTF-8 can stand in no table.
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def require_landing(settings: Settings, landing: Place) -> None:
    """LakeError where the landing area is not there, SettingsError where it is the lake."""
    if str(settings.lake) == str(settings.landing):
        found = f"the lake and the landing folder are both {settings.landing}"
        raise SettingsError(f"{found}; expected two folders: put the suppliers' into another one, and name it with --landing")
    if not landing.exists():
        found = f"no landing folder {settings.landing}"
        raise LakeError(f"{found}; expected one with the files to load (--landing), or `make twin` for an example")


def _entries(settings: Settings, landing: Place, below: str = "") -> list[Entry]:
    # Hidden and partial files are left alone, and a lake within: each night would find what the one before has written.
    require_landing(settings, landing)
    lake = f"{settings.lake}/".removeprefix(f"{settings.landing}/")
    entries = (
        entry
        for entry in landing.entries(below)
        if not entry.name.endswith(_PARTIAL)
        and not any(part.startswith(".") for part in entry.name.split("/"))
        and not entry.name.startswith(lake)
    )
    return sorted(entries, key=lambda entry: entry.name.split("/"))


def read_history(lake: Lake, engine: DuckEngine, *, rejected: bool = False) -> History:
    """Every file that ever arrived, from bronze.files; with `rejected`, only those of paths under which one was rejected."""
    columns = {"file_path": "varchar", "file_id": "varchar", "bytes": "bigint", "modified_ns": "bigint", "version": "integer"}
    columns |= {"status": "varchar", "contract": "varchar", "reason": "varchar", "load_id": "varchar", "arrival": "bigint"}
    engine.view("known_files", [file.path for file in lake.files(FILES)], columns)
    by_path: dict[str, Known] = {}
    loaded: dict[str, str] = {}
    arrivals = 0
    chosen = " where file_path in (select file_path from known_files where status = 'rejected')" if rejected else ""
    for path, file_id, size, modified_ns, version, status, contract, reason, load_id, arrival in engine.rows(
        f"select {', '.join(columns)} from known_files{chosen} order by arrival"
    ):
        last = by_path.get(path)
        since = last.since if last and (last.file_id, last.status) == (file_id, status) else moment(load_id)
        by_path[path] = Known(file_id, size, modified_ns, version, status, contract, reason, since)
        if status == "loaded":
            loaded.setdefault(file_id, path)
        arrivals = max(arrivals, arrival)
    return History(by_path, loaded, arrivals)


def loaded_files(lake: Lake, engine: DuckEngine, pack: Pack, kind: str) -> list[tuple[str, str, str, str]]:
    """Id, path, place in the archive and load of every loaded file of a kind, in the order of arrival."""
    columns = {"file_id": "varchar", "file_path": "varchar", "archived_as": "varchar", "load_id": "varchar"}
    columns |= {"source": "varchar", "file_kind": "varchar", "status": "varchar", "arrival": "bigint"}
    engine.view("kept_files", [file.path for file in lake.files(FILES)], columns)
    rows = engine.rows(
        "select file_id, file_path, archived_as, load_id from kept_files "
        "where status = 'loaded' and source = ? and file_kind = ? order by arrival",
        [pack.name, kind],
    )
    return [(file_id, path, place, load_id) for file_id, path, place, load_id in rows]


def news(landing: Place, landed: Iterable[Landed], history: History, packs: dict[str, Pack]) -> list[tuple[Landed, str]]:
    """The files that must be looked at, each with the reason.

    A file of known path, size and time is taken for the known one without reading it. A rejected one is looked at again
    when its contract changed, an unclaimed one when a pack claims it now.
    """
    found = []
    for file in landed:
        known = history.by_path.get(file.name)
        if known is None:
            claimed = "new file" if len(file.claims) == 1 else "file that several globs match"
            found.append((file, claimed if file.claims else "file that no pack claims"))
        # A file that was only touched has its bytes read again each time, but is no news.
        elif known.size != file.size or (
            known.modified_ns != file.modified_ns and (file.problem or (file.claims and differs(landing, file, known)))
        ):
            found.append((file, "changed file"))
        elif known.status == "unclaimed" and file.claims:
            found.append((file, "file claimed now"))
        elif known.status == "rejected" and known.contract != fingerprint(file, packs):
            found.append((file, "rejected file with a changed contract"))
    return found


def unread(landed: Iterable[Landed], fresh: Iterable[Landed], history: History) -> list[Unread]:
    """The landed files that were rejected and are not looked at again, since neither they nor their contract changed."""
    again = {file.name for file in fresh}
    return [
        Unread(file.name, known.since, known.reason or "no reason was kept")
        for file in landed
        if (known := history.by_path.get(file.name)) and known.status == "rejected" and file.name not in again
    ]


def fingerprint(file: Landed, packs: dict[str, Pack]) -> str | None:
    """The fingerprint of the one contract that claims a file, or None."""
    if len(file.claims) != 1:
        return None
    ((pack, kind),) = file.claims
    return packs[pack].files[kind].fingerprint


def differs(landing: Place, file: Landed, known: Known) -> bool:
    """Whether a file's bytes are others than those that last came by its path; they are read for it."""
    try:
        with disk.in_words(f"reading {file.name}"), landing.open(file.name) as opened:
            return checksum(opened) != known.file_id
    except UnreadableFile:
        return True
    except FileNotFoundError:  # taken away since the folder was listed
        return False
