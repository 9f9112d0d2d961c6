"""Which files in a table's location no version of the table names, found without the lake's own code."""

from __future__ import annotations

from pathlib import Path

from pyiceberg.table import Table
from tests.support.cloud_settings import CloudSettings

from sales_tech.lake.store import Lake
from sales_tech.settings import Settings


def named_files(table: Table) -> set[str]:
    """Every file that a table's metadata names: of all its snapshots, and the metadata itself."""
    named = {table.metadata_location, *(entry.metadata_file for entry in table.metadata.metadata_log)}
    for snapshot in table.metadata.snapshots:
        named.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            named.add(manifest.manifest_path)
            named |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False)}
    return named


def orphans(settings: Settings) -> set[str]:
    """All files below the tables of a lake that no table names."""
    lake = Lake(settings)
    tables = [table for name in lake.tables() if (table := lake.table(name)) is not None]
    named = {file.removeprefix("file://") for table in tables for file in named_files(table)}
    there = _lying(settings)
    assert named & there, "the names of both sides are of one form"
    assert not named - there, "what the tables name is there"
    return there - named


def _lying(settings: Settings) -> set[str]:
    if isinstance(settings, CloudSettings):
        bucket, _, prefix = str(settings.lake).removeprefix("s3://").partition("/")
        listed = settings.cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/tables/")
        return {f"s3://{bucket}/{found['Key']}" for page in listed for found in page.get("Contents", [])}
    return {str(path) for path in (Path(settings.lake) / "tables").rglob("*") if path.is_file()}
