"""The fates of a pool of order lines: which of the rows that speak of one line is to stand in silver.sales.

Nearly every line is spoken of once, so only the rows of the others are ranked, and a pool is kept once.
"""

from __future__ import annotations

from sales_tech.contracts.table import TableContract
from sales_tech.engines.dialect import quote
from sales_tech.engines.engine import Engine
from sales_tech.transform.merging import JUDGED, alone_select, merged_select, repeated_select
from sales_tech.transform.sources import athena

_OF_ITSELF = {
    "file_id": "_file_id",
    "line_number": "_line_number",
    "updated_at": "_version",
    "stated_at": "_version",
    "stated_file_id": "_file_id",
    "stated_line_number": "_line_number",
}
"""Where silver's columns of a statement are found in a row that states it of itself."""


def judge(engine: Engine, contract: TableContract, source: str, pool: str, *, fresh: bool) -> tuple[str, str]:
    """Judge the rows of a query; the names of the relations outside of memory that hold them, and of the judged ones.

    A `fresh` pool has no rows that stand in silver.
    """
    name, repeated, merged = f"pool_{source}", f"repeated_{source}", f"merged_{source}"
    held = f"{name}_lean" if fresh else name
    if fresh:
        # What a row states of itself is not kept twice.
        kept = ", ".join([*JUDGED, *(quote(column) for column in contract.columns if column not in _OF_ITSELF)])
        engine.materialize(held, f"select {kept} from ({pool}) as pool")
        made = ", ".join(f"{origin} as {quote(column)}" for column, origin in _OF_ITSELF.items())
        engine.name_query(name, f"select *, {made} from {held}")
    else:
        engine.materialize(name, pool)
    engine.materialize(repeated, athena(repeated_select(name)))
    engine.materialize(merged, athena(merged_select(contract, name, repeated)))
    alone = athena(alone_select(contract, name, merged))
    return held, engine.name_query(f"judged_{source}", f"select * from ({alone}) as alone union all select * from {merged}")
