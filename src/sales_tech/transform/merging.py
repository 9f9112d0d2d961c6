"""Facts about one order line from several feeds: which one counts, and what a cancellation makes of it.

A fact either states a line (a row of a sales file, an order or a return of the event stream) or cancels
it. The latest statement gives the content; where the latest fact is a cancellation, the line is that
content, cancelled. It does not matter in which order they came to be known.
"""

from __future__ import annotations

from sales_tech.contracts.stream import STREAM
from sales_tech.contracts.table import TableContract
from sales_tech.engines.dialect import literal, quote
from sales_tech.transform.typed import CARRIED

JUDGED = (*CARRIED, "_waits", "_was", "_kind", "_standing", "_cancels", "_states")
"""What the rows of a pool carry besides the contract's columns.

`_kind` is the feed's kind, `_standing` tells that the row is the one in silver, `_cancels` that it is a
cancellation, `_states` that its content counts as a statement. A standing cancellation shows the content
that it cancelled, and states it too, unless the row that did so is itself in the pool.
"""

UNKNOWN_ORDER = "order_id: no such order line yet; the cancellation waits for it"
_SOUND = "not {0}._ignored and {0}._reasons is null"


def cancellations_select(contract: TableContract, cancelling: str) -> str:
    """The rows of a pool for typed events that cancel, which say only which line they mean."""
    said = {"order_id": "c.order_id", "line": "c.line"}
    # Only these fields count: whatever else a cancellation brings along, wrong or right, is not looked at.
    faults = [f"case when c.{name} is null then '{name}: missing' end" for name in ("event_id", "order_id", "line")]
    faults.append("case when c.occurred_at is null then 'occurred_at: not an instant' end")
    for check in contract.checks:
        if check.reason.startswith("updated_at:"):
            faults.append(f"case when not ({check.sql.replace('updated_at', 'c._version')}) then {literal(check.reason)} end")
    reasons = f"nullif(concat_ws('; ', {', '.join(faults)}), '') as _reasons"
    columns = ", ".join(
        f"cast({said.get(name, 'null')} as {column.type.sql}) as {quote(name)}" for name, column in contract.columns.items()
    )
    carried = ", ".join(reasons if name == "_reasons" else f"c.{name}" for name in CARRIED)
    return f"select {carried}, false as _waits, {columns} from {cancelling} as c"


def repeated_select(pool: str) -> str:
    """The order lines of which a pool has several sound facts, with the columns `order_id` and `line`."""
    return f"""
    select t.order_id, t.line
    from {pool} as t
    where {_SOUND.format("t")}
    group by t.order_id, t.line
    having count(*) > 1
"""


def alone_select(contract: TableContract, pool: str, merged: str) -> str:
    """The rows of a pool that are not among the `merged` ones, which are nearly all, each with its fate and as it came.

    Rows are told apart by their order line besides their place: should a mapping make several of one place, none is hidden
    from the accounts.
    """
    waits = f"r._cancels and {_SOUND.format('r')} and not r._states"
    return f"""
select
    {_carried(waits)},
    case
        when r._ignored then 'ignored'
        when r._reasons is not null or ({waits}) then 'rejected'
        when r._states and not (r._cancels and coalesce(r._version < r.stated_at, false)) then 'accepted'
        else 'superseded'
    end as _fate,
    {", ".join(f"r.{quote(name)}" for name in contract.columns)}
from {pool} as r
left join {merged} as m
    on r._file_id = m._file_id and r._line_number = m._line_number and r.order_id = m.order_id and r.line = m.line and {_SOUND.format("r")}
where m._file_id is null
"""


def merged_select(contract: TableContract, pool: str, repeated: str) -> str:
    """The sound rows of a pool that share their order line with others, each with its fate, the accepted ones as they are to stand.

    Of two statements of the same moment that of a file counts, since the ERP has the books; of two of files the one that
    arrived later. Of two events it is one by their content, since an event may arrive again at any time. A cancellation
    without any statement is rejected and waits.
    """
    later = "_arrival desc, _line_number desc"
    stated_later = "_stated_arrival desc, stated_line_number desc"
    streamed = f"case when stated_by = {literal(STREAM)} then {{}} end desc nulls last"
    by_content = ", ".join(streamed.format(content) for content in _CONTENT)
    plain = [name for name in contract.columns if name not in _CANCELLED]
    shown = {name: f"b.{quote(name)}" for name in plain} | _CANCELLED
    undone = "c.order_id is not null and coalesce(c._version >= b.stated_at, true)"
    waits = "r._cancels and b.order_id is null"
    return f"""
with ranked as (
    select t.*, a._arrival, coalesce(s._arrival, a._arrival) as _stated_arrival
    from {pool} as t
    join {repeated} as k on t.order_id = k.order_id and t.line = k.line
    join arrivals as a on t._file_id = a._file_id
    left join arrivals as s on t.stated_file_id = s._file_id
    where {_SOUND.format("t")}
),
statements as (
    select
        ranked.*,
        row_number() over (
            partition by order_id, line
            order by stated_at desc nulls last, case when stated_by = {literal(STREAM)} then 0 else 1 end desc, {by_content}, {stated_later}
        ) as _place
    from ranked
    where _states
),
cancellations as (
    select ranked.*, row_number() over (partition by order_id, line order by _version desc, {later}) as _place
    from ranked
    where _cancels
)
select
    {_carried(waits)},
    case
        when {waits} then 'rejected'
        when r._cancels and {undone} and c._file_id = r._file_id and c._line_number = r._line_number then 'accepted'
        when not r._cancels and not ({undone}) and b._file_id = r._file_id and b._line_number = r._line_number then 'accepted'
        else 'superseded'
    end as _fate,
    {", ".join(f"case when r._cancels then {shown[name]} else r.{quote(name)} end as {quote(name)}" for name in contract.columns)}
from ranked as r
left join statements as b on r.order_id = b.order_id and r.line = b.line and b._place = 1
left join cancellations as c on r.order_id = c.order_id and r.line = c.line and c._place = 1
"""


def _carried(waits: str) -> str:
    made = {
        "_reasons": f"case when {waits} then {literal(UNKNOWN_ORDER)} else r._reasons end as _reasons",
        "_waits": f"{waits} or r._waits as _waits",
    }
    return ", ".join(made.get(name, f"r.{name}") for name in JUDGED)


# What a cancellation says itself, and what it makes of the amounts: a cancelled return is a positive line again.
_CANCELLED = {
    "order_id": "r.order_id",
    "line": "r.line",
    "status": "'cancelled'",
    "quantity": "abs(b.quantity)",
    "discount": "case when b.quantity < 0 then -b.discount else b.discount end",
    "net_sales": "case when b.quantity < 0 then -b.net_sales else b.net_sales end",
    "updated_at": "r._version",
    "file_id": "r._file_id",
    "line_number": "r._line_number",
}

# What tells two statements of events apart, alike in a row that states and in one that stands by a cancellation of it.
_CONTENT = (
    *("sold_at", "sku", "unit_price", "abs(quantity)", "abs(discount)", "freight"),
    *("store_id", "channel", "currency", "promotion_id", "customer_key", "customer_state"),
)
