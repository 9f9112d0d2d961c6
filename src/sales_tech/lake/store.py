"""The lake: Iceberg tables in a folder or a bucket, listed in a catalog."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NoSuchTableError,
    ResolveError,
    TableAlreadyExistsError,
    ValidationError,
    ValidationException,
)
from pyiceberg.io.pyarrow import parquet_file_to_data_file
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from sales_tech import disk
from sales_tech.contracts.table import TableContract
from sales_tech.errors import LakeError
from sales_tech.lake.commits import PROPERTIES, Changes, Replacement
from sales_tech.lake.history import compaction_properties, holder, lineage
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.schema import comment, iceberg_schema, iceberg_type, partition_spec
from sales_tech.platform import platform_of
from sales_tech.ports import LAYERS
from sales_tech.settings import Settings

Partition = tuple[Any, ...]
_ATTEMPTS = 8  # to append where other writers are quicker


def existing(settings: Settings) -> Settings:
    """The settings of a lake that was begun; LakeError where there is none, and none is made."""
    if not Lake(settings).exists:
        raise LakeError(f"no lake at {settings.lake}; `make run` or `python pipeline.py run` makes one, --lake names another")
    return settings


@dataclass(frozen=True)
class LakeFile:
    """One data file of a snapshot: its place, its partition's values, its rows."""

    path: str
    partition: Partition
    rows: int
    entry: DataFile

    @property
    def bytes(self) -> int:
        """Its size."""
        return self.entry.file_size_in_bytes


@contextmanager
def whole(name: str) -> Iterator[None]:
    """Turn what pyiceberg stumbles over in a table's metadata into a LakeError."""
    try:
        yield
    except (FileNotFoundError, EOFError, ValueError, ValidationError) as error:
        raise LakeError(f"a file of {name}'s metadata is gone or damaged: {error}; {disk.RESTORE}") from error
    except (KeyError, TypeError, SystemError, MemoryError, ResolveError) as error:
        # Where bytes within a file have become others.
        raise LakeError(f"a file of {name}'s metadata is damaged ({error!r}); {disk.RESTORE}") from error


def check_listed(what: str, snapshot: Snapshot | None, listed: int) -> None:
    """LakeError where fewer data files are listed than a snapshot says it has: a list of files was cut short between two entries."""
    told = snapshot.summary.additional_properties.get("total-data-files") if snapshot and snapshot.summary else None
    if told is not None and listed < int(told):
        raise LakeError(f"{what} has {told} data files, of which its lists name {listed}: one of these is damaged; {disk.RESTORE}")


class Lake:
    """The tables of one lake: which there are, which files a snapshot holds, and how a new one is made."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.platform = platform_of(settings)
        self._tables: dict[str, Table] = {}
        self._listings: dict[tuple[str, int], tuple[LakeFile, ...]] = {}

    @property
    def catalog(self) -> Catalog:
        """The Iceberg catalog, made with its namespaces on first use."""
        return self.platform.catalog

    @property
    def exists(self) -> bool:
        """Whether anything was ever written here."""
        return self.platform.exists

    def tables(self, layers: Collection[str] = LAYERS) -> list[str]:
        """The names of all tables of some layers (of all by default), bronze before silver before gold."""
        listed = (
            self.platform.table(name)
            for layer in LAYERS
            if layer in layers
            for name in sorted(self.catalog.list_tables(self.platform.identifier(layer)))
        )
        return [name for name in listed if name is not None]

    def table(self, name: str) -> Table | None:
        """The Iceberg table of a name as this process last saw it, or None."""
        if name not in self._tables:
            try:
                with self.platform.in_words(f"reading table {name}"), whole(name):
                    self._tables[name] = self.catalog.load_table(self.platform.identifier(name))
            except NoSuchTableError:
                return None
        return self._tables[name]

    def never_widened(self, name: str, columns: Collection[str]) -> bool:
        """Whether all files of a table, of whatever age, have these columns: its schema is the first it ever had, and has them."""
        table = self.table(name)
        return table is not None and len(table.metadata.schemas) == 1 and {*columns} <= {field.name for field in table.schema().fields}

    def refresh(self) -> None:
        """Forget what was seen, so that the next look shows other writers' commits."""
        self._tables.clear()

    def ensure(self, contract: TableContract) -> Table:
        """The table of a contract; made where it is missing, widened by columns that the contract added."""
        table = self.table(contract.name)
        with self.platform.in_words(f"making table {contract.name}"):
            if table is None:
                table = self._tables[contract.name] = self._made(contract)
            self._widen(table, contract)
        return table

    def snapshot(self, name: str) -> Snapshot | None:
        """The current snapshot of a table, or None."""
        table = self.table(name)
        return table.current_snapshot() if table is not None else None

    def snapshot_id(self, name: str) -> int | None:
        """The id of the current snapshot of a table, or None."""
        snapshot = self.snapshot(name)
        return snapshot.snapshot_id if snapshot is not None else None

    def provenance(self, name: str) -> Provenance | None:
        """What the current snapshot of a table says of itself."""
        snapshot = self.snapshot(name)
        if snapshot is None or snapshot.summary is None:
            return None
        return Provenance.read(snapshot.summary.additional_properties)

    def last_provenance(self, name: str, step: str) -> Provenance | None:
        """What the last commit of a table by one step says of itself, where several steps write it."""
        table = self.table(name)
        for snapshot in lineage(table.metadata) if table is not None else ():
            found = Provenance.read(snapshot.summary.additional_properties) if snapshot.summary else None
            if found is not None and found.step == step:
                return found
        return None

    def files(self, name: str, snapshot_id: int | None = None) -> tuple[LakeFile, ...]:
        """The data files of a snapshot (the current one by default); none for a table that is not there.

        Of a snapshot that was compacted, they are those of its compaction. Raises LakeError for a snapshot that has
        expired, or one with row-level deletes, which no code of this lake writes.
        """
        table = self.table(name)
        wanted = self.holder(name, snapshot_id) if snapshot_id else self.snapshot_id(name)
        if table is None or (wanted is None and not snapshot_id):
            return ()
        if wanted is None:
            raise LakeError(f"{name} has no snapshot {snapshot_id}; it has expired, or never was. `--force` builds from what is there")
        if (name, wanted) not in self._listings:
            with self.platform.in_words(f"reading which files {name} has"), whole(name):
                tasks = list(table.scan(snapshot_id=wanted).plan_files())
            check_listed(f"snapshot {wanted} of {name}", table.snapshot_by_id(wanted), len(tasks))
            if any(task.delete_files for task in tasks):
                raise LakeError(f"{name} has row-level deletes in snapshot {wanted}; compact it with the tool that wrote them")
            self._listings[name, wanted] = tuple(
                LakeFile(
                    task.file.file_path,
                    tuple(task.file.partition[i] for i in range(len(task.file.partition))),
                    task.file.record_count,
                    task.file,
                )
                for task in sorted(tasks, key=lambda task: task.file.file_path)
            )
        return self._listings[name, wanted]

    def added_files(self, name: str, since: int | None) -> tuple[LakeFile, ...]:
        """The files in the current snapshot that were not in an earlier one (all of them for None)."""
        earlier = {file.path for file in self.files(name, since)} if since is not None else set()
        return tuple(file for file in self.files(name) if file.path not in earlier)

    def earlier_files(self, name: str, since: int | None) -> tuple[LakeFile, ...]:
        """The files in the current snapshot that were already in an earlier one: all but the added ones."""
        added = {file.path for file in self.added_files(name, since)}
        return tuple(file for file in self.files(name) if file.path not in added)

    def changed_partitions(self, name: str, since: int | None) -> set[Partition]:
        """The partitions whose files differ between an earlier snapshot (None: an empty table) and now."""
        earlier = {file.path: file.partition for file in self.files(name, since)} if since is not None else {}
        current = {file.path: file.partition for file in self.files(name)}
        return {partition for path, partition in (earlier | current).items() if (path in earlier) != (path in current)}

    def holder(self, name: str, snapshot_id: int | None) -> int | None:
        """The snapshot that holds the rows of a given one now: itself, or the compaction of it; None where it has expired."""
        table = self.table(name)
        return holder(table.metadata, snapshot_id) if table is not None and snapshot_id is not None else None

    def has_snapshot(self, name: str, snapshot_id: int | None) -> bool:
        """Whether the rows of a snapshot are still in the table's history."""
        return self.holder(name, snapshot_id) is not None

    def has_moved(self, name: str, since: int | None) -> bool:
        """Whether a table's rows may differ from those of an earlier snapshot (None: one before all others)."""
        current = self.snapshot_id(name)
        return current is not None and self.holder(name, since) != current

    def staging(self, name: str, run_id: str) -> str:
        """Where an engine writes new files of a table: inside its location, a folder for each commit."""
        table = self.table(name)
        if table is None:
            raise LakeError(f"{name} does not exist yet; expected ensure(contract) before writing")
        return f"{table.location()}/data/{run_id}-{secrets.token_hex(4)}"

    def commit(self, name: str, added: Iterable[str], removed: Iterable[LakeFile], provenance: Provenance) -> int:
        """Add and remove files in one snapshot; its id is returned.

        Where another writer was quicker, files that are only added are added to what that writer left. A
        commit that also removes files is refused with a LakeError, and the table stays as that writer left
        it: the files to remove were chosen from rows that may have changed since.
        """
        return self._commit(name, list(added), list(removed), provenance.properties())

    def compact(self, name: str, added: Iterable[str], removed: Iterable[LakeFile], run_id: str) -> int:
        """Replace files by others with the same rows, in one snapshot that says so; its id is returned.

        Who had read the snapshot before has read this one. Raises LakeError as `commit` does.
        """
        compacted = self.snapshot(name)
        if compacted is None:
            raise LakeError(f"{name} has no rows yet; expected a snapshot to compact")
        return self._commit(name, list(added), list(removed), compaction_properties(compacted, run_id))

    def _commit(self, name: str, added: list[str], removed: list[LakeFile], properties: dict[str, str]) -> int:
        table = self.table(name)
        if table is None:
            raise LakeError(f"{name} does not exist yet; expected ensure(contract) before committing")
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self.platform.in_words(f"committing to {name}"), Changes(table) as transaction:
                    append = transaction.update_snapshot(snapshot_properties=properties).merge_append
                    with Replacement(transaction, properties) if removed else append() as producer:
                        for path in added:
                            producer.append_data_file(parquet_file_to_data_file(table.io, table.metadata, path))
                        for file in removed:
                            producer.delete_data_file(file.entry)
                break
            except (CommitFailedException, ValidationException) as error:
                if removed or attempt == _ATTEMPTS:
                    raise LakeError(
                        f"{name} was changed by another writer meanwhile ({error}); nothing was committed, run again"
                    ) from error
                # Writers that met once would meet again, were they not to wait for times of their own.
                time.sleep(secrets.randbelow(50 * 2**attempt) / 1000)
                table.refresh()
        snapshot = table.current_snapshot()
        assert snapshot is not None
        return snapshot.snapshot_id

    def _made(self, contract: TableContract) -> Table:
        schema = iceberg_schema(contract)
        identifier = self.platform.identifier(contract.name)
        try:
            return self.catalog.create_table(identifier, schema, partition_spec=partition_spec(contract, schema), properties=PROPERTIES)
        except TableAlreadyExistsError:
            return self.catalog.load_table(identifier)

    def _widen(self, table: Table, contract: TableContract) -> None:
        have = {field.name: field.field_type for field in table.schema().fields}
        new = {name: column for name, column in contract.columns.items() if name not in have}
        changed = {
            name: iceberg_type(column.type)
            for name, column in contract.columns.items()
            if name in have and have[name] != iceberg_type(column.type)
        }
        if not (new or changed):
            return
        try:
            with table.update_schema() as update:
                for name, column in new.items():
                    update.add_column(name, iceberg_type(column.type), doc=comment(column))
                for name, kind in changed.items():
                    update.update_column(name, kind)
        except ValidationError as error:
            kinds = ", ".join(f"{name} is {have[name]} and by the contract {kind}" for name, kind in changed.items())
            raise LakeError(
                f"{contract.name}: {kinds}; expected the same type or a wider one (int to long, a decimal with more digits), since earlier "
                "snapshots keep theirs. Give the column another name, or build a new lake from the landing folder"
            ) from error
