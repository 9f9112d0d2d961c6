"""Many small files of a table written anew as few, without a change of any row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from pyiceberg.table import Table

from sales_tech.contracts.table import table_contract, table_names
from sales_tech.engines.dialect import quote
from sales_tech.engines.duck import DuckEngine
from sales_tech.errors import AuditError
from sales_tech.lake.bookmarks import Bookmark
from sales_tech.lake.schema import sql_type
from sales_tech.lake.store import Lake, LakeFile, Partition
from sales_tech.runs import Commit

SMALL, TARGET = 32 << 20, 128 << 20
"""Bytes: files below the first are compacted, into files of about the second."""

MANY, SOME = 32, 8
"""Small files in one partition: so many make a compaction due, so many are worth it where one is at work."""

_BY_ARRIVAL = ("_file_id", "_line_number")


def crowded(lake: Lake, name: str, least: int) -> dict[Partition, list[LakeFile]]:
    """The partitions of a table (one without values for a table without partitions) with at least so many small files."""
    snapshot = lake.snapshot(name)
    if snapshot is None or (snapshot.summary is not None and int(snapshot.summary.get("total-data-files", least)) < least):
        return {}
    small: dict[Partition, list[LakeFile]] = defaultdict(list)
    for file in lake.files(name):
        if file.bytes < SMALL:
            small[file.partition].append(file)
    return {partition: files for partition, files in small.items() if len(files) >= least}


def behind(lake: Lake, name: str, partition: Partition, marks: Iterable[Bookmark]) -> set[str]:
    """The tables whose writers have not yet read the newest rows of a partition; it must wait for them.

    A compaction moves on only those that stand at the snapshot it compacts; to others its files would be new rows.
    """
    return {mark.reader for mark in marks if mark.table == name and mark.is_of(partition) and lake.has_moved(name, mark.snapshot_id)}


def compact(lake: Lake, engine: DuckEngine, name: str, partitions: dict[Partition, list[LakeFile]], run_id: str) -> Commit:
    """Write the files of some partitions anew, prove that the rows are the same, and commit them in one snapshot.

    Raises AuditError, before the commit, where count or checksum of the rows differ.
    """
    table = lake.table(name)
    assert table is not None
    ids = {field.name: field.field_id for field in table.schema().fields}
    removed, added = list[LakeFile](), list[str]()
    for files in partitions.values():
        for batch in _batches(files):
            query = f"select {', '.join(map(quote, ids))} from {_view(engine, table, 'small_files', batch)}{_order(name, ids)}"
            written = engine.write(query, lake.staging(name, f"compacted-{run_id}"), ids)
            added += [file.path for file in written]
            removed += batch
    before = _checksum(engine, _view(engine, table, "files_before", removed), ids)
    after = _checksum(engine, _view(engine, table, "files_after", added), ids)
    if before != after:
        raise AuditError(
            f"{name}: {after[0]} rows with checksum {after[1]} after compaction, {before[0]} with {before[1]} before; "
            "expected the same. Nothing was committed"
        )
    return Commit(name, lake.compact(name, added, removed, run_id), before[0], len(partitions))


def _batches(files: Iterable[LakeFile]) -> Iterator[list[LakeFile]]:
    # In the order of their names, which is that of the nights that wrote them.
    batch, size = list[LakeFile](), 0
    for file in files:
        if size + file.bytes > TARGET and batch:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.bytes
    if len(batch) > 1:
        yield batch


def _view(engine: DuckEngine, table: Table, name: str, files: Iterable[LakeFile | str]) -> str:
    # By the table's own columns: a contract of today may know fewer of them.
    paths = [file if isinstance(file, str) else file.path for file in files]
    engine.view(name, paths, {field.name: sql_type(field.field_type) for field in table.schema().fields})
    return name


def _order(name: str, columns: Iterable[str]) -> str:
    known = table_contract(name) if name in table_names() else None
    keys = (known.sort or known.grain) if known else [column for column in _BY_ARRIVAL if column in columns]
    return f" order by {', '.join(map(quote, keys))}" if keys else ""


def _checksum(engine: DuckEngine, view: str, columns: Iterable[str]) -> tuple[int, int]:
    # A sum counts repeated rows as often as they are there, in whatever order.
    row = f"hash(row({', '.join(map(quote, columns))}))"
    rows, checksum = engine.row(f"select count(*), coalesce(sum(cast({row} as hugeint)), 0) from {view}")
    return int(rows), int(checksum)
