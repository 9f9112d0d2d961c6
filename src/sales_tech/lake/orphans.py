"""Files in a table's location that none of its snapshots names: left by killed nights, failed audits and expired snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from pyiceberg.manifest import ManifestFile
from pyiceberg.table import Table

from sales_tech import disk
from sales_tech.errors import LakeError
from sales_tech.lake.store import Lake, check_listed, whole
from sales_tech.ports import Entry

_AT_ONCE = 16  # on S3 nearly all of the time is waiting


def orphans_and_missing(lake: Lake, name: str) -> tuple[list[Entry], list[str]]:
    """The files below a table's location that it does not name, and those that it names and that are not there.

    They are named as they lie in the lake. Only for the lake's one writer: what another one is about to commit would
    look like the first. Nothing is found where the table lies outside of the lake.
    """
    table, root = lake.table(name), f"{lake.settings.lake}/"
    if table is None or not (location := _plain(table.location())).startswith(root):
        return [], []
    # What lies there is looked at first: a file may come to be named meanwhile, but not to be forgotten.
    lying = {f"{root}{entry.name}": entry for entry in lake.platform.lake.entries(location.removeprefix(root)) if not entry.problem}
    with lake.platform.in_words(f"reading which files {name} names"), whole(name):
        named = {_plain(path) for path in _named(table)}
    return [entry for path, entry in lying.items() if path not in named], sorted(named - lying.keys())


def orphans(lake: Lake, name: str) -> list[Entry]:
    """The files below a table's location that it does not name."""
    return orphans_and_missing(lake, name)[0]


def missing(lake: Lake, name: str) -> list[str]:
    """The files that a table names and that are not there."""
    return orphans_and_missing(lake, name)[1]


def remove(lake: Lake, entries: Iterable[Entry]) -> None:
    """Delete files; LakeError where another writer took over the lake's lock since."""
    names = [entry.name for entry in entries]
    lake.platform.check_lock()
    with lake.platform.in_words("deleting files that no table names"):
        lake.platform.lake.remove(names)


def _named(table: Table) -> Iterator[str]:
    metadata, io = table.metadata, table.io
    yield table.metadata_location
    yield from (entry.metadata_file for entry in metadata.metadata_log)
    yield from (file.statistics_path for file in (*metadata.statistics, *metadata.partition_statistics))
    yield from (snapshot.manifest_list for snapshot in metadata.snapshots)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        manifests: dict[str, ManifestFile] = {}
        for snapshot, some in zip(metadata.snapshots, pool.map(lambda snapshot: snapshot.manifests(io), metadata.snapshots), strict=True):
            # What a damaged list leaves out would be taken for left over, and deleted.
            check_listed(f"snapshot {snapshot.snapshot_id} of {'.'.join(table.name()[-2:])}", snapshot, sum(map(_told, some)))
            manifests |= {manifest.manifest_path: manifest for manifest in some}
        yield from manifests
        for paths in pool.map(lambda manifest: _live(manifest, table), manifests.values()):
            yield from paths


def _live(manifest: ManifestFile, table: Table) -> list[str]:
    live = [entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)]
    if len(live) < _told(manifest):
        raise LakeError(f"{_plain(manifest.manifest_path)} names {len(live)} of its {_told(manifest)} files; {disk.RESTORE}")
    return live


def _told(manifest: ManifestFile) -> int:
    return (manifest.added_files_count or 0) + (manifest.existing_files_count or 0)


def _plain(path: str) -> str:
    return path.removeprefix("file://")
