"""A table's snapshots in their order, and which of them hold the same rows."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot

from sales_tech.lake.provenance import PREFIX

_SAME_ROWS, _COMPACTED_BY = f"{PREFIX}same-rows-as", f"{PREFIX}compacted-by"
COMPLETE_SINCE = f"{PREFIX}history-complete-since"
"""The table property that tells since when (milliseconds since 1970) no snapshot was expired."""


def lineage(metadata: TableMetadata) -> Iterator[Snapshot]:
    """The current snapshot and those it came from, the newest first; expired ones are passed over."""
    remaining = sorted(metadata.snapshots, key=lambda snapshot: snapshot.sequence_number or 0)
    snapshot = metadata.current_snapshot()
    while snapshot is not None:
        yield snapshot
        parent = metadata.snapshot_by_id(snapshot.parent_snapshot_id) if snapshot.parent_snapshot_id else None
        if parent is None:
            # The parent has expired, or there was none; what is left of the time before counts.
            while remaining and (remaining[-1].sequence_number or 0) >= (snapshot.sequence_number or 0):
                remaining.pop()
            parent = remaining[-1] if remaining else None
        snapshot = parent


def compaction_properties(compacted: Snapshot, run_id: str) -> dict[str, str]:
    """What the summary of a compaction says: all that the compacted snapshot said of itself, and that the rows are the same."""
    said = compacted.summary.additional_properties if compacted.summary else {}
    kept = {key: value for key, value in said.items() if key.startswith(PREFIX)}
    return kept | {_SAME_ROWS: json.dumps([*_same_rows(compacted), compacted.snapshot_id]), _COMPACTED_BY: run_id}


def holder(metadata: TableMetadata, snapshot_id: int) -> int | None:
    """The newest snapshot with the rows of a given one: itself, or its compaction; None where neither is there any more."""
    if snapshot_id == metadata.current_snapshot_id:
        return snapshot_id
    found = metadata.snapshot_by_id(snapshot_id)
    holding = [snapshot for snapshot in metadata.snapshots if snapshot_id in _same_rows(snapshot)] or ([found] if found else [])
    return max(holding, key=lambda snapshot: snapshot.sequence_number or 0).snapshot_id if holding else None


def complete_since(metadata: TableMetadata) -> int:
    """Since when (milliseconds since 1970) every snapshot is still there."""
    return int(metadata.properties.get(COMPLETE_SINCE, "0"))


def _same_rows(snapshot: Snapshot) -> list[int]:
    said = snapshot.summary.additional_properties.get(_SAME_ROWS) if snapshot.summary else None
    return list(json.loads(said)) if said else []
