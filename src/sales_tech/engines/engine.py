"""What a transform asks of an engine, whichever it is."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa


@dataclass(frozen=True)
class WrittenFile:
    """A Parquet file that an engine wrote, and the value of the helper column it was split by."""

    path: str
    split: str | None


class Engine(Protocol):
    """Runs SQL over named relations and writes Parquet files.

    All SQL is DuckDB's with the primitives of `duck_primitives.sql`; an engine that speaks otherwise translates
    it. Types of columns are Athena's. Names of relations are `name` or `schema.name`. A part of a table with
    `rows_apart` rows or more is made sooner by a query of its own; None where one query for all parts is better.
    Where it `hashes_once`, to hash each text of a column once and join the hashes takes less time than to hash that of each row.
    """

    rows_apart: int | None
    hashes_once: bool

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query, as Python values."""

    def row(self, sql: str) -> tuple[Any, ...]:
        """The one row of a query that has exactly one."""

    def view(self, name: str, files: Iterable[str], columns: dict[str, str], *, whole: bool = False) -> None:
        """Name a list of Parquet files as a relation with these columns and types; what a file lacks reads as null.

        Where the files are `whole`, none of them lacks a column, and an engine need not look into all of them for that.
        """

    def name_query(self, name: str, query: str) -> str:
        """Name a query as a relation; the name is handed back."""

    def arrow_view(self, name: str, table: pa.Table) -> AbstractContextManager[None]:
        """Name an Arrow table for some queries."""

    def materialize(self, name: str, query: str) -> None:
        """Run a query once, keep its rows outside of memory, and name them as a relation."""

    def write(
        self, query: str, folder: str | Path, field_ids: dict[str, int], *, split_by: str | None = None, sort: Iterable[str] = ()
    ) -> list[WrittenFile]:
        """Write a query's rows as Parquet files with Iceberg field ids into a new folder; no rows make no file.

        `split_by` names a helper column: each of its values gets files of its own, and the column itself is
        not written. Rows of a file lie in the order of the `sort` columns.
        """

    def write_each(
        self, queries: Iterable[str], folder: str | Path, field_ids: dict[str, int], *, sort: Iterable[str] = ()
    ) -> list[WrittenFile]:
        """Write the rows of several queries over named files, each into files of its own, as `write` does."""

    def months_together(self, name: str, column: str, most: int) -> float | None:
        """Among how many months, on average, the dates of a column lie that are read together of a materialized relation.

        More than `most`, as a date of another century makes of few, count as that many. None where nothing is read by itself,
        or nothing is known of it.
        """

    def close(self) -> None:
        """Give back memory and scratch files."""
