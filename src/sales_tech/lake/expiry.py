"""Snapshots that nobody needs any longer, given up so that a table's history stays short."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from pyiceberg.table.snapshots import Snapshot
from pyiceberg.table.update.snapshot import ExpireSnapshots

from sales_tech.lake.bookmarks import Bookmark, last_commits
from sales_tech.lake.commits import PROPERTIES, Changes
from sales_tech.lake.history import COMPLETE_SINCE, complete_since
from sales_tech.lake.store import Lake

FEWEST = 10
"""So many states of a table are kept whatever their age, should a clock once jump ahead."""


def expirable(lake: Lake, name: str, before: datetime, needed: Collection[int]) -> list[Snapshot]:
    """The snapshots of a table that were replaced before a moment, the oldest first.

    Kept all the same: the one that was current at that moment, the newest ones, the `needed` ones and the compactions of
    them, the last one of each step that writes the table, and those that a branch or a tag names.
    """
    table = lake.table(name)
    if table is None:
        return []
    moment = before.timestamp() * 1000
    ordered = sorted(table.metadata.snapshots, key=lambda one: one.sequence_number or 0)
    older = [one for one in ordered if one.timestamp_ms <= moment]
    kept = {one.snapshot_id for one in ordered[-FEWEST:]}
    kept |= {*needed, *(held for snapshot_id in needed if (held := lake.holder(name, snapshot_id)) is not None)}
    kept |= {snapshot_id for snapshot_id, _ in last_commits(lake, name).values()}
    kept |= {ref.snapshot_id for ref in table.metadata.refs.values()}
    return [one for one in older[:-1] if one.snapshot_id not in kept]


def needed_snapshots(name: str, marks: Collection[Bookmark], others: Collection[int] = ()) -> set[int]:
    """The snapshots of a table that bookmarks name, and others."""
    return {mark.snapshot_id for mark in marks if mark.table == name} | set(others)


def expire(lake: Lake, name: str, snapshots: Collection[Snapshot]) -> None:
    """Give up snapshots of a table, and note since when its history is complete; their files stay until orphans are removed."""
    table = lake.table(name)
    assert table is not None
    ids = {snapshot.snapshot_id for snapshot in snapshots}
    # An expired one is missed from its own time until the first of the later ones, which may be an earlier time where a clock was ahead.
    after, next_kept = 0, 0
    for one in sorted(table.metadata.snapshots, key=lambda one: one.sequence_number or 0, reverse=True):
        if one.snapshot_id in ids:
            after = max(after, next_kept)
        else:
            next_kept = min(next_kept or one.timestamp_ms, one.timestamp_ms)
    with lake.platform.in_words(f"giving up old snapshots of {name}"), Changes(table) as transaction:
        # It never moves back: what was needed for longer than the others may be the last to go.
        transaction.set_properties({COMPLETE_SINCE: str(max(after, complete_since(table.metadata)))})
        ExpireSnapshots(transaction).by_ids(sorted(ids)).commit()


def lacking_properties(lake: Lake, name: str) -> dict[str, str]:
    """The properties by which a table's history stays short, as far as an older version of this code made it without."""
    table = lake.table(name)
    assert table is not None
    wanted = {key: value for key, value in PROPERTIES.items() if key != "format-version"}
    return {key: value for key, value in wanted.items() if table.metadata.properties.get(key) != value}


def set_properties(lake: Lake, name: str, properties: dict[str, str]) -> None:
    """Set properties of a table."""
    table = lake.table(name)
    assert table is not None
    with lake.platform.in_words(f"setting properties of {name}"), Changes(table) as transaction:
        transaction.set_properties(properties)
