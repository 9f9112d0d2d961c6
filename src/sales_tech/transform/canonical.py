"""A mapping's output held against the contract of its silver table, row by row."""

from __future__ import annotations

from sales_tech.contracts.table import Reference
from sales_tech.engines.dialect import literal, quote
from sales_tech.transform.mapping import BoundMapping
from sales_tech.transform.typed import CARRIED, Fault, reasons

_NUMBERS = ("int", "long", "decimal", "double")
_WHOLE = ("int", "long")


def references(bound: BoundMapping) -> list[Reference]:
    """The references that hold for a mapping: those to tables that its own pack feeds."""
    return [reference for reference in bound.contract.references if reference.table in bound.pack.mappings]


def canonical_select(bound: BoundMapping, mapped: str) -> str:
    """The select that turns a mapping's rows (a relation or a parenthesised select) into canonical ones.

    Columns are cast to the contract's types, defaults filled in, derived columns computed. Rows that
    break a promise get `_reasons`; `_waits` marks those that only lack a row of another table.
    """
    contract = bound.contract
    mapped_columns = [name for name in contract.columns if name in bound.outputs]
    given = {"source": literal(bound.pack.name), "file_id": "_file_id", "line_number": "_line_number", "updated_at": "_version"}
    given |= {"stated_at": "_version", "stated_by": literal(bound.driver)}
    given |= {"stated_file_id": "_file_id", "stated_line_number": "_line_number"}
    shaped, derived, faults, late_faults = [], [], [], []
    for name, column in contract.columns.items():
        kind = column.type.sql
        if name in mapped_columns:
            value = f"coalesce(m.{quote(name)}, {column.default})" if column.default else f"m.{quote(name)}"
            shaped.append(f"try_cast({value} as {kind}) as {quote(name)}")
            if column.type.name in _NUMBERS:
                shaped.append(f"m.{quote(name)} is not null and try_cast(m.{quote(name)} as {kind}) is null as {quote(name + '__lost')}")
                faults.append(Fault(quote(name + "__lost"), literal(f"{name}: does not fit {column.type}")))
            if column.type.name in _WHOLE:
                # A cast would round 2.5 units, and each engine in its own way.
                shaped.append(f"m.{quote(name)} <> try_cast(m.{quote(name)} as {kind}) as {quote(name + '__broken')}")
                faults.append(Fault(quote(name + "__broken"), literal(f"{name}: not a whole number")))
        elif column.derived:
            derived.append(f"try_cast({column.derived} as {kind}) as {quote(name)}")
        else:
            shaped.append(f"cast({given.get(name, column.default or 'null')} as {kind}) as {quote(name)}")
        if column.required:
            # A derived column lacks a value when another does, or when it does not fit; the first says more.
            lost = f" and not {quote(name + '__lost')}" if name in mapped_columns and column.type.name in _NUMBERS else ""
            if column.derived:
                late_faults.append(Fault(f"{quote(name)} is null", literal(f"{name}: does not fit {column.type}")))
            else:
                faults.append(Fault(f"{quote(name)} is null{lost}", literal(f"{name}: missing")))
    faults += [Fault(f"not ({check.sql})", literal(check.reason)) for check in contract.checks]
    joins, unknown = _joins(bound)
    carried = ", ".join(CARRIED)
    columns = ", ".join(quote(name) for name in contract.columns)
    waits_on_lookup = "_breaks is not null" if bound.lookups else "false"
    return f"""
with shaped as (
    select {carried}, {", ".join(shaped)} from {mapped} as m
),
derived as (
    select shaped.*{"".join(f", {expression}" for expression in derived)} from shaped
),
judged as (
    select
        d.*,
        coalesce({reasons(faults)}, {reasons(late_faults)}) as _breaks,
        {reasons(unknown)} as _unknown
    from derived as d
    {joins}
)
select
    {carried.replace("_reasons", "case when _ignored then null else coalesce(_reasons, _breaks, _unknown) end as _reasons")},
    not _ignored and _reasons is null and ({waits_on_lookup} or (_breaks is null and _unknown is not null)) as _waits,
    {columns}
from judged
"""


def _joins(bound: BoundMapping) -> tuple[str, list[Fault]]:
    joins, unknown = [], []
    for number, reference in enumerate(references(bound)):
        names = {ours: f"r{number}_{ours}" for ours in reference.columns}
        theirs = ", ".join(f"{quote(column)} as {names[ours]}" for ours, column in reference.columns.items())
        known = f"select distinct {theirs} from {reference.table} where source = {literal(bound.pack.name)}"
        on = " and ".join(f"d.{quote(ours)} = {name}" for ours, name in names.items())
        joins.append(f"left join ({known}) as r{number} on {on}")
        first = next(iter(names))
        unknown.append(Fault(f"{names[first]} is null", literal(f"{first}: not in {reference.table}")))
    return "\n    ".join(joins), unknown
