"""A lake in the emulator as it was at a moment: its objects and its tables, to be brought back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.cloud_settings import CloudSettings

_PARTS = ("Name", "Description", "Retention", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")


@dataclass(frozen=True)
class Kept:
    """The objects of a lake's bucket with their bytes, and the definitions of its tables in Glue."""

    objects: dict[str, bytes]
    etags: dict[str, str]
    tables: dict[tuple[str, str], dict[str, Any]]

    @classmethod
    def of(cls, settings: CloudSettings) -> Kept:
        """All of it as it is now."""
        s3, bucket = settings.cloud.client("s3"), _bucket(settings)
        etags = dict(_etags(settings))
        objects = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in etags}
        return cls(objects, etags, dict(_tables(settings)))

    def restore(self, settings: CloudSettings) -> None:
        """Make the lake what it was: objects and tables that came since are removed, those that changed are put back."""
        s3, glue, bucket = settings.cloud.client("s3"), settings.cloud.client("glue"), _bucket(settings)
        there = dict(_etags(settings))
        if new := [{"Key": key} for key in there.keys() - self.etags.keys()]:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": new})
        for key, etag in self.etags.items():
            if there.get(key) != etag:
                s3.put_object(Bucket=bucket, Key=key, Body=self.objects[key])
        now = dict(_tables(settings))
        for database, name in now.keys() - self.tables.keys():
            glue.delete_table(DatabaseName=database, Name=name)
        for (database, name), definition in self.tables.items():
            if now.get((database, name)) != definition:
                glue.update_table(DatabaseName=database, TableInput=definition)


def _etags(settings: CloudSettings) -> Iterator[tuple[str, str]]:
    for page in settings.cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket=_bucket(settings)):
        for found in page.get("Contents", []):
            yield found["Key"], found["ETag"]


def _tables(settings: CloudSettings) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    glue = settings.cloud.client("glue")
    for database in glue.get_databases()["DatabaseList"]:
        if database["Name"].startswith(settings.aws.database_prefix):
            for table in glue.get_tables(DatabaseName=database["Name"])["TableList"]:
                yield (database["Name"], table["Name"]), {key: table[key] for key in _PARTS if key in table}


def _bucket(settings: CloudSettings) -> str:
    return str(settings.lake).split("/")[2]
