"""Rows of many months on their way into a table that is split by month: all at once, or month by month."""

from __future__ import annotations

from collections.abc import Collection

from sales_tech.contracts.table import TableContract
from sales_tech.engines.engine import Engine
from sales_tech.lake.store import Lake, Partition
from sales_tech.lake.write import Staged, stage, stage_each

MONTHS_TOGETHER = 4
"""Up to so many months among rows that are read together, each is read by itself."""


def stage_months(
    lake: Lake, engine: Engine, contract: TableContract, query: str, run_id: str, pool: str, partitions: Collection[Partition]
) -> Staged:
    """As `stage`, of a query's rows, which are read from a materialized pool and lie in these partitions of one source.

    They are written month by month where months are large on average and lie together in the pool: to read some rows twice
    costs less than to part all of them.
    """
    apart = engine.rows_apart
    if apart is not None and engine.row(f"select count(*) from {pool}")[0] >= apart * len(partitions):
        together = engine.months_together(pool, "sold_on", len(partitions))
        if together is not None and together <= MONTHS_TOGETHER:
            months = (f"select * from ({query}) where {in_month(month)}" for _, month in sorted(partitions))
            return stage_each(lake, engine, contract, months, run_id)
    return stage(lake, engine, contract, query, run_id)


def in_month(month: int) -> str:
    """The condition of a day sold within a month, counted from January 1970 as Iceberg does."""
    first, after = (f"date '{1970 + number // 12:04}-{number % 12 + 1:02}-01'" for number in (month, month + 1))
    return f"sold_on >= {first} and sold_on < {after}"
