"""Up to which snapshot each table's writer has read its inputs, as the tables' own commits say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sales_tech.contracts.stream import STREAM_TABLE
from sales_tech.lake.history import lineage
from sales_tech.lake.provenance import PREFIX, Provenance
from sales_tech.lake.store import Lake, Partition


@dataclass(frozen=True)
class Bookmark:
    """A snapshot of a table that the writer of another one goes on from; of one source's partitions only, if it names one."""

    reader: str
    table: str
    snapshot_id: int
    source: str | None = None

    def is_of(self, partition: Partition) -> bool:
        """Whether it speaks of a partition."""
        return self.source is None or partition[0] == self.source


def last_commits(lake: Lake, name: str) -> dict[str, tuple[int, Provenance]]:
    """The snapshot and provenance of the last commit of a table by each step that writes it."""
    table, found = lake.table(name), dict[str, tuple[int, Provenance]]()
    for snapshot in lineage(table.metadata) if table is not None else ():
        said = snapshot.summary.additional_properties if snapshot.summary else {}
        step = said.get(f"{PREFIX}step")
        if step is not None and step not in found and (read := Provenance.read(said)) is not None:
            found[step] = (snapshot.snapshot_id, read)
    return found


def bookmarks(lake: Lake, tables: Iterable[str]) -> list[Bookmark]:
    """The bookmarks in the last commits of some tables."""
    return [mark for name in tables for _, said in last_commits(lake, name).values() for mark in _of(name, said)]


def _of(reader: str, said: Provenance) -> Iterator[Bookmark]:
    for name, snapshot_id in (*said.inputs.items(), *said.companions.items()):
        # Each source has a bookmark of its own in the stream, where there are any.
        if name != STREAM_TABLE or not said.streams:
            yield Bookmark(reader, name, snapshot_id)
    for source, snapshot_id in said.streams.items():
        yield Bookmark(reader, STREAM_TABLE, snapshot_id, source)
