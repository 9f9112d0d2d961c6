"""Observations with a date turned into periods."""

from __future__ import annotations

from sales_tech.contracts.table import TableContract
from sales_tech.engines.dialect import quote


def history_select(contract: TableContract, observed: str) -> str:
    """Periods in which nothing changed, from observations that each hold from a day on.

    An observation equal to the one before it extends that one's period; a period ends where the next
    begins. This is a slowly changing dimension of type 2 (Kimball and Ross, The Data Warehouse Toolkit).
    """
    assert contract.history is not None
    start, end = quote(contract.history.valid_from), quote(contract.history.valid_to)
    key = ", ".join(quote(name) for name in contract.grain if name != contract.history.valid_from)
    given = [name for name in contract.columns if name not in (*contract.grain, contract.history.valid_to)]
    state = ", ".join(map(quote, given))
    shown = ", ".join(
        f"lead({start}) over (partition by {key} order by {start}) as {end}" if quote(name) == end else quote(name)
        for name in contract.columns
    )
    return f"""
with observed as (
    select *, row({state}) as _state, lag(row({state})) over (partition by {key} order by {start}) as _before,
        row_number() over (partition by {key} order by {start}) as _position
    from {observed}
)
select {shown} from observed where _position = 1 or _state is distinct from _before
"""
