"""The Iceberg catalog in Glue, told apart from other stacks' tables by its databases' prefix."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
from botocore.exceptions import ClientError
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchNamespaceError
from pyiceberg.io import FileIO
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER, SortOrder
from pyiceberg.table.update import AddSnapshotUpdate, TableRequirement, TableUpdate
from pyiceberg.typedef import EMPTY_DICT, Identifier, Properties

from sales_tech.aws.connection import Connection, in_words
from sales_tech.aws.files import LakeFiles
from sales_tech.errors import LakeError


class StackCatalog(GlueCatalog):
    """Glue as pyiceberg speaks to it, with errors in words and no commit that is done but told as failed.

    `may_write` is asked before each change and raises where this process may no longer write. Tables lie at
    `<lake>/tables/<layer>/<table>`.
    """

    def __init__(self, connection: Connection, lake: str, prefix: str, may_write: Callable[[], None]) -> None:
        self._tables, self._prefix, self._may_write = f"{lake}/tables", prefix, may_write
        self._files = LakeFiles(connection)
        super().__init__("sales_tech", client=connection.client("glue"), warehouse=self._tables, **connection.iceberg)

    def _load_file_io(self, properties: Properties = EMPTY_DICT, location: str | None = None) -> FileIO:
        # One for all tables: pyiceberg would open a new connection to S3 whenever it looks at a table.
        return self._files

    def list_tables(self, namespace: str | Identifier) -> list[Identifier]:
        """The tables of a database; none where there is no such database yet."""
        with in_words(f"listing the tables of {namespace} in the Glue Data Catalog"):
            try:
                return super().list_tables(namespace)
            except NoSuchNamespaceError:
                return []

    def load_table(self, identifier: str | Identifier) -> Table:
        """A table as it is now."""
        with in_words(f"reading table {identifier} from the Glue Data Catalog"):
            table = super().load_table(identifier)
        if not table.location().startswith(f"{self._tables}/"):
            # Two lakes would have one set of tables, and a lock each.
            found = f"table {identifier} lies at {table.location()}, and the lake is {self._tables.removesuffix('/tables')}"
            raise LakeError(f"{found}; expected the lake whose tables have the prefix {self._prefix}: name it, or give a new one its own")
        return table

    def create_table(
        self,
        identifier: str | Identifier,
        schema: Schema | pa.Schema,
        location: str | None = None,
        partition_spec: PartitionSpec = UNPARTITIONED_PARTITION_SPEC,
        sort_order: SortOrder = UNSORTED_SORT_ORDER,
        properties: Properties = EMPTY_DICT,
    ) -> Table:
        """Make a table, and its database where the stack has not made it."""
        self._may_write()
        database, table = self.identifier_to_database_and_table(identifier)
        home = f"{self._tables}/{database.removeprefix(self._prefix)}"
        with in_words(f"making table {database}.{table} in the Glue Data Catalog"):
            if not self.namespace_exists(database):
                self.create_namespace(database, {"location": home})
            return super().create_table(identifier, schema, location or f"{home}/{table}", partition_spec, sort_order, properties)

    def commit_table(
        self, table: Table, requirements: tuple[TableRequirement, ...], updates: tuple[TableUpdate, ...]
    ) -> CommitTableResponse:
        """Commit, unless another writer was quicker.

        Where the answer to a commit is lost and the client asks again, Glue calls it a concurrent change.
        pyiceberg would then delete the files of the snapshot that was in fact made, so the snapshot is looked for.
        """
        self._may_write()
        name = ".".join(table.name())
        with in_words(f"committing to {name} in the Glue Data Catalog, which the next run may find done or not,"):
            try:
                return super().commit_table(table, requirements, updates)
            except (CommitFailedException, ClientError):
                made = {update.snapshot.snapshot_id for update in updates if isinstance(update, AddSnapshotUpdate)}
                current = self.load_table(table.name())
                if not made or any(current.snapshot_by_id(number) is None for number in made):
                    raise
                return CommitTableResponse(metadata=current.metadata, metadata_location=current.metadata_location)  # type: ignore[call-arg]
