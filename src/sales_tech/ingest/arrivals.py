"""What lies in the landing folder, compared with every file that ever arrived."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sales_tech.contracts.pack import Pack
from sales_tech.engines.duck import DuckEngine
from sales_tech.errors import LakeError
from sales_tech.ingest.archive import checksum
from sales_tech.lake.store import Lake

FILES = "bronze.files"
_PARTIAL = (".part", ".tmp", ".crdownload", ".filepart")


@dataclass(frozen=True)
class Landed:
    """One file in the landing folder; `claims` are the packs and kinds whose glob it matches."""

    path: Path
    name: str
    size: int
    modified_ns: int
    claims: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Known:
    """The last arrival under one path."""

    file_id: str
    size: int
    modified_ns: int
    version: int
    status: str
    contract: str | None


@dataclass(frozen=True)
class History:
    """All arrivals so far: the last one of each path, and the path that each loaded content came by."""

    by_path: dict[str, Known]
    loaded: dict[str, str]
    arrivals: int


def landed_files(landing: Path, packs: Iterable[Pack]) -> list[Landed]:
    """All files in the landing folder in the order of their paths; hidden and partial ones are left alone.

    Raises LakeError where the folder is not there.
    """
    if not landing.is_dir():
        raise LakeError(f"no landing folder {landing}; expected one with the files to load (--landing), or `make sample` for an example")
    claims: dict[Path, list[tuple[str, str]]] = {}
    for pack in packs:
        for kind, contract in pack.files.items():
            for path in landing.glob(contract.glob):
                claims.setdefault(path, []).append((pack.name, kind))
    found = []
    for path in sorted(landing.rglob("*")):
        relative = path.relative_to(landing)
        if path.name.endswith(_PARTIAL) or any(part.startswith(".") for part in relative.parts) or not path.is_file():
            continue
        status = path.stat()
        found.append(Landed(path, relative.as_posix(), status.st_size, status.st_mtime_ns, tuple(claims.get(path, ()))))
    return found


def read_history(lake: Lake, engine: DuckEngine) -> History:
    """Every file that ever arrived, from bronze.files."""
    columns = {"file_path": "varchar", "file_id": "varchar", "bytes": "bigint", "modified_ns": "bigint", "version": "integer"}
    columns |= {"status": "varchar", "contract": "varchar", "arrival": "bigint"}
    engine.view("known_files", [file.path for file in lake.files(FILES)], columns)
    by_path: dict[str, Known] = {}
    loaded: dict[str, str] = {}
    arrivals = 0
    for path, file_id, size, modified_ns, version, status, contract, arrival in engine.rows(
        f"select {', '.join(columns)} from known_files order by arrival"
    ):
        by_path[path] = Known(file_id, size, modified_ns, version, status, contract)
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


def news(landed: Iterable[Landed], history: History, packs: dict[str, Pack]) -> list[tuple[Landed, str]]:
    """The files that must be looked at, each with the reason.

    A file of known path, size and time is taken for the known one without reading it. A rejected one is looked at again
    when its contract changed, an unclaimed one when a pack claims it now.
    """
    found = []
    for file in landed:
        known = history.by_path.get(file.name)
        if known is None:
            found.append((file, "new file" if file.claims else "file that no pack claims"))
        elif (known.size, known.modified_ns) != (file.size, file.modified_ns):
            # A file that was only touched has its bytes read again each time, but is no news.
            if file.size != known.size or (file.claims and checksum(file.path) != known.file_id):
                found.append((file, "changed file"))
        elif known.status == "unclaimed" and file.claims:
            found.append((file, "file claimed now"))
        elif known.status == "rejected" and known.contract != fingerprint(file, packs):
            found.append((file, "rejected file with a changed contract"))
    return found


def fingerprint(file: Landed, packs: dict[str, Pack]) -> str | None:
    """The fingerprint of the one contract that claims a file, or None."""
    if len(file.claims) != 1:
        return None
    ((pack, kind),) = file.claims
    return packs[pack].files[kind].fingerprint
