"""How pyiceberg commits to a table, made to cost the same however long its history is."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from pyiceberg.manifest import ManifestFile
from pyiceberg.table import TableProperties, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _ManifestMergeManager, _OverwriteFiles

MOST_MANIFESTS = 16
PROPERTIES = {
    "write.parquet.compression-codec": "zstd",
    "format-version": "2",
    TableProperties.COMMIT_NUM_RETRIES: "0",
    # Without these a table that is appended to each night has a manifest, and a file of metadata as long as its
    # history, for each night that ever was.
    TableProperties.MANIFEST_MERGE_ENABLED: "true",
    TableProperties.MANIFEST_MIN_MERGE_COUNT: str(MOST_MANIFESTS),
    TableProperties.METADATA_DELETE_AFTER_COMMIT_ENABLED: "true",
    TableProperties.METADATA_PREVIOUS_VERSIONS_MAX: "20",
}


class Changes(Transaction):
    """A transaction that works out its table's metadata once after each change.

    pyiceberg would do so whenever it looks at a part of them, fifteen times in a commit, and each time with a
    copy of the table's whole history.
    """

    _worked_out: tuple[tuple[Any, Any], TableMetadata] | None = None

    @property
    def table_metadata(self) -> TableMetadata:
        """The metadata as the changes so far would make it."""
        of = (self._table.metadata, self._updates)
        if self._worked_out is None or any(then is not now for then, now in zip(self._worked_out[0], of, strict=True)):
            self._worked_out = (of, super().table_metadata)
        return self._worked_out[1]


class Replacement(_OverwriteFiles):
    """A snapshot that removes files, and perhaps adds some, over few manifests.

    pyiceberg keeps a manifest of each removal for ever, and merges manifests of appends only; whoever plans a
    query then opens two files for each night that ever was.
    """

    def __init__(self, transaction: Transaction, properties: dict[str, str]) -> None:
        super().__init__(Operation.OVERWRITE, transaction, transaction._table.io, uuid4(), properties)

    def _process_manifests(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
        live = [one for one in manifests if one.added_snapshot_id == self._snapshot_id or one.has_added_files() or one.has_existing_files()]
        size = TableProperties.MANIFEST_TARGET_SIZE_BYTES_DEFAULT
        return _ManifestMergeManager(size, MOST_MANIFESTS, True, self).merge_manifests(live)
