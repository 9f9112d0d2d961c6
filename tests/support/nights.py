"""Nights of the pipeline without its notebooks, and the tables they leave behind."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyiceberg.expressions import AlwaysTrue, EqualTo
from tests.support.cloud import REGION, REPOSITORY, Cloud
from tests.support.cloud_settings import CloudSettings

from sales_tech.ingest import batch_csv, order_events
from sales_tech.lake.store import Lake
from sales_tech.runs import Run, StepResult
from sales_tech.settings import Aws, Settings
from sales_tech.transform import gold, reference, sales

HASH_KEY = "a key that only the tests know"
BOTH_PLACES = pytest.mark.parametrize("place", ["local", "aws"], indirect=True)
"""Runs a test on a lake in a folder and on one in the emulator: S3, Glue and Athena."""
STEPS = (batch_csv, order_events, reference, sales, gold)
BY_LOAD = frozenset({"load_id", "loaded_at", "_load_id", "_loaded_at"})
"""Columns that name the run which brought a row in, and so differ between two lakes."""


def settings_in(folder: Path, *packs: str) -> Settings:
    """Settings of a lake and a landing folder below a folder, with some or all of the repository's packs."""
    landing = folder / "landing"
    landing.mkdir(parents=True, exist_ok=True)
    sources = REPOSITORY / "sources"
    places = tuple(sources / pack for pack in packs) or (sources,)
    return Settings(lake=folder / "lake", landing=landing, sources=places, threads=1)


def cloud_settings_in(folder: Path, cloud: Cloud, *packs: str) -> CloudSettings:
    """The same in the emulator, with buckets, databases and an Athena workgroup of its own."""
    plain = settings_in(folder, *packs)
    stack = f"salestech-{secrets.token_hex(6)}"
    for kind in ("lake", "landing"):
        cloud.client("s3").create_bucket(Bucket=f"{stack}-{kind}", CreateBucketConfiguration={"LocationConstraint": REGION})
    results = {"ResultConfiguration": {"OutputLocation": f"s3://{stack}-lake/athena/"}}
    cloud.client("athena").create_work_group(Name=stack, Configuration=results)
    return CloudSettings(
        lake=f"s3://{stack}-lake/lake",
        landing=plain.landing,
        sources=plain.sources,
        threads=1,
        work_folder=folder / "work",
        aws=Aws(f"{stack.replace('-', '_')}_", stack),
        cloud=cloud,
        bucket=f"{stack}-landing",
    )


def night(settings: Settings, *, force: bool = False) -> dict[str, StepResult]:
    """One run of the five steps; their results by name."""
    run = Run.begin(settings.land() if isinstance(settings, CloudSettings) else settings, force=force)
    return {step.STEP: step.run(run) for step in STEPS}


def read(settings: Settings, table: str, *, without: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """All rows of a table in a fixed order, read by pyiceberg alone; none where there is no such table."""
    rows: list[dict[str, Any]] = read_arrow(settings, table, without=without).to_pylist()
    return rows


def read_arrow(settings: Settings, table: str, *, without: frozenset[str] = frozenset(), source: str | None = None) -> pa.Table:
    """As `read`, of one source or of all, without making a Python value of each cell: for tables of many rows."""
    return _read(Lake(settings), table, without, source)


def _read(lake: Lake, table: str, without: frozenset[str], source: str | None = None) -> pa.Table:
    found = lake.table(table)
    if found is None:
        return pa.table({})
    rows = found.scan(row_filter=EqualTo("source", source) if source else AlwaysTrue()).to_arrow()
    rows = rows.select([name for name in rows.column_names if name not in without])
    order = [(name, "ascending", "at_start") for name in rows.column_names if not pa.types.is_nested(rows.schema.field(name).type)]
    return rows.take(pc.sort_indices(rows, sort_keys=order))


def read_all(settings: Settings, *layers: str) -> dict[str, list[dict[str, Any]]]:
    """The tables of some layers (of all by default), without what only tells which run brought a row in.

    Tables without rows are left out, and so is the calendar, in which nothing ever moves.
    """
    lake = Lake(settings)
    names = [name for name in lake.tables() if name != "gold.calendar" and (not layers or name.partition(".")[0] in layers)]
    return {name: rows for name in names if (rows := _read(lake, name, BY_LOAD).to_pylist())}


def snapshots(settings: Settings) -> dict[str, int | None]:
    """The current snapshot of every table."""
    lake = Lake(settings)
    return {name: lake.snapshot_id(name) for name in lake.tables()}


def file_paths(settings: Settings, table: str) -> dict[tuple[Any, ...], set[str]]:
    """The data files of a table by partition."""
    paths: dict[tuple[Any, ...], set[str]] = {}
    for file in Lake(settings).files(table):
        paths.setdefault(file.partition, set()).add(file.path)
    return paths
