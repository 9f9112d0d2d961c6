"""Which bronze columns each silver column is made of, read from the SQL that makes it.

This is the proof of the promise that no personal data leaves bronze but as a keyed hash: it follows
every value through the generated and the pack's own SQL, and does not trust what a column is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.schema import MappingSchema

from sales_tech.contracts.bronze import bronze_contract
from sales_tech.contracts.pack import Pack
from sales_tech.contracts.stream import SALES, STREAM_TABLE, stream_pack
from sales_tech.contracts.table import table_contract
from sales_tech.engines.dialect import ATHENA, tables_in
from sales_tech.transform.canonical import canonical_select, references
from sales_tech.transform.history import history_select
from sales_tech.transform.mapping import BoundMapping, bind
from sales_tech.transform.merging import JUDGED, alone_select, merged_select, repeated_select
from sales_tech.transform.typed import fate_select, latest_select, typed_select

HASH = "keyed_hash"
_REJECTED = {"file_id": "_file_id", "line_number": "_line_number", "reasons": "_reasons", "waits": "_waits"}
_UNSPLIT = ("_raw", "_extra")
_ARRIVALS = ("_file_id", "_arrival", "load_id", "file_path")


@dataclass(frozen=True)
class Flow:
    """One way of a personal column's text, without a hash on it: the column it comes from and the expressions it passes."""

    personal: str
    path: tuple[str, ...] = ()


Flows = dict[str, frozenset[Flow]]
"""For each column of a relation, the personal text that reaches it."""


@dataclass(frozen=True)
class Leak:
    """A silver column that personal text reaches; `path` are the expressions on its way, from bronze on."""

    table: str
    column: str
    personal: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.table}.{self.column} shows {self.personal}: {' -> '.join(self.path)}"


def personal_leaks(pack: Pack) -> list[Leak]:
    """Every way by which the pack's personal columns reach silver without their hash; none is as it should be.

    The order events that name the pack are looked at too. Personal are the columns that the pack tags, and the
    parts of a line that were not split into columns, where the file has a tagged one. All that decides a value
    counts as reaching it, so also the condition of a case and the order of a window; what only selects rows does not.
    """
    mappings = {table: bind(pack, table) for table in pack.mappings}
    mappings[STREAM_TABLE] = bind(stream_pack(pack), SALES)
    drivers = {bound.driver for bound in mappings.values()}
    leaks = [leak for bound in mappings.values() for leak in _mapping_leaks(bound)]
    for kind in pack.files.keys() - drivers:
        typed = _typed(pack, kind)
        leaks += _account_leaks(typed, flows(fate_select("typed.rows", pack.files[kind].key), {"typed.rows": typed}))
    return sorted(set(leaks), key=str)


def foreign_inputs(query: exp.Query) -> list[str]:
    """What a gold model reads besides silver and gold tables; nothing is as it should be."""
    return sorted(name for name in tables_in(query) if name.partition(".")[0] not in ("silver", "gold"))


def flows(sql: str, known: dict[str, Flows]) -> Flows:
    """The personal text that reaches each output column of a query in Athena's SQL, over known relations.

    Relations are named `schema.table`; `arrivals` need not be given.
    """
    known = {"run.arrivals": dict.fromkeys(_ARRIVALS, frozenset[Flow]()), **known}
    schema = MappingSchema(dialect=ATHENA)
    for relation, columns in known.items():
        schema.add_table(relation, dict.fromkeys(columns, "varchar"))
    tree = qualify(sqlglot.parse_one(sql, read=ATHENA), schema=schema, db="run", dialect=ATHENA)
    scope = build_scope(tree)
    assert scope is not None
    return _Follower(known).outputs(scope)


class _Follower:
    """Follows columns through the scopes of one qualified query."""

    def __init__(self, known: dict[str, Flows]) -> None:
        self._known = known
        self._seen: dict[int, Flows] = {}

    def outputs(self, scope: Scope) -> Flows:
        """The flows into each column that a scope gives."""
        if id(scope) not in self._seen:
            self._seen[id(scope)] = self._of_union(scope) if scope.set_operation_scopes else self._of_select(scope)
        return self._seen[id(scope)]

    def _of_select(self, scope: Scope) -> Flows:
        reached: Flows = {}
        for output in _outputs(scope):
            step = output.sql(dialect=ATHENA)
            reached[output.alias_or_name] = frozenset(Flow(flow.personal, (*flow.path, step)) for flow in self._into(output, scope))
        return reached

    def _of_union(self, scope: Scope) -> Flows:
        names = [output.alias_or_name for output in _outputs(scope)]
        parts = [list(self.outputs(part).values()) for part in scope.set_operation_scopes]
        return {name: frozenset().union(*(part[position] for part in parts)) for position, name in enumerate(names)}

    def _into(self, expression: exp.Expr, scope: Scope) -> Iterator[Flow]:
        # The hash is where following ends: what is inside it does not come out as text.
        for node in expression.walk(prune=lambda part: _hashes(part) or isinstance(part, exp.Query)):
            if isinstance(node, exp.Query):
                (inner,) = (inner for inner in scope.subquery_scopes if inner.expression is node.unnest())
                yield from self._anywhere(inner)
            elif isinstance(node, exp.Column):
                yield from self._behind(node, scope)

    def _anywhere(self, scope: Scope) -> Iterator[Flow]:
        # A nested query gives one value, which all of its parts decide, its conditions too.
        for inner in scope.traverse():
            for column in inner.columns:
                if not any(_hashes(node) for node in _around(column)):
                    yield from self._behind(column, inner)

    def _behind(self, column: exp.Column, scope: Scope | None) -> frozenset[Flow]:
        while scope is not None and column.table not in scope.sources:
            scope = scope.parent  # a subquery that speaks of the query around it
        assert scope is not None
        source = scope.sources[column.table]
        if isinstance(source, Scope):
            if source.is_udtf:  # such as unnest: any of its columns may hold all that goes in
                return frozenset(flow for inner in source.expression.find_all(exp.Column) for flow in self._behind(inner, scope))
            return self.outputs(source)[column.name]
        return self._known[f"{source.db}.{source.name}"][column.name]


def _hashes(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() == HASH


def _outputs(scope: Scope) -> list[exp.Expr]:
    assert isinstance(scope.expression, exp.Query)
    return list(scope.expression.selects)


def _around(node: exp.Expr | None) -> Iterator[exp.Expr]:
    while node is not None:
        yield node
        node = node.parent


def _bronze(pack: Pack, kind: str) -> Flows:
    file = pack.files[kind]
    personal = {*file.personal, *(_UNSPLIT if file.personal else ())}
    names = bronze_contract(pack, kind).columns
    return {name: frozenset([Flow(f"{pack.bronze(kind)}.{name}")] if name in personal else []) for name in names}


def _typed(pack: Pack, kind: str) -> Flows:
    # In both forms that it is read in: each text hashed where it stands, and once for all rows that hold it.
    contract, bronze = pack.files[kind], pack.bronze(kind)
    forms = [typed_select(contract, bronze), typed_select(contract, bronze, hashed_once=sorted(contract.personal))]
    each, once = (flows(sql, {bronze: _bronze(pack, kind)}) for sql in forms)
    return {name: flow | once[name] for name, flow in each.items()}


def _judged(bound: BoundMapping) -> Flows:
    # The same steps as silver.sales and the reference tables take from bronze.
    pack = bound.pack
    known = {f"typed.{bound.driver}": _typed(pack, bound.driver)}
    for kind in bound.lookups:
        known[f"latest.{kind}"] = flows(latest_select(pack.files[kind], "typed.rows"), {"typed.rows": _typed(pack, kind)})
    for reference in references(bound):
        known[reference.table] = {name: frozenset[Flow]() for name in table_contract(reference.table).columns}
    relations = {kind: f"latest.{kind}" for kind in bound.lookups} | {bound.driver: f"typed.{bound.driver}"}
    mapped = bound.select(relations).sql(dialect=ATHENA)
    rows = flows(canonical_select(bound, f"({mapped})"), known)
    if bound.mapping.table == SALES:
        pool = rows | {name: frozenset[Flow]() for name in JUDGED if name not in rows}
        known = {"judged.pool": pool}
        known["judged.repeated"] = flows(repeated_select("judged.pool"), known)
        known["judged.merged"] = merged = flows(merged_select(bound.contract, "judged.pool", "judged.repeated"), known)
        alone = flows(alone_select(bound.contract, "judged.pool", "judged.merged"), known)
        return {name: flow | merged[name] for name, flow in alone.items()}
    return flows(fate_select("judged.rows", bound.contract.grain), {"judged.rows": rows})


def _mapping_leaks(bound: BoundMapping) -> Iterator[Leak]:
    judged = _judged(bound)
    yield from _account_leaks(_typed(bound.pack, bound.driver), judged)
    table = judged
    if bound.contract.history:
        table = flows(history_select(bound.contract, "judged.rows"), {"judged.rows": judged})
    for column in bound.contract.columns:
        yield from _leaks(bound.contract.name, column, table[column])


def _account_leaks(typed: Flows, judged: Flows) -> Iterator[Leak]:
    # As the ledger writes them: the row as it was typed, all else as it was judged.
    yield from _leaks("silver.rejects", "row", typed["_row"])
    for column, source in _REJECTED.items():
        yield from _leaks("silver.rejects", column, judged.get(source, frozenset()))
    yield from _leaks("silver.fates", "fate", judged["_fate"])


def _leaks(table: str, column: str, reached: frozenset[Flow]) -> Iterator[Leak]:
    return (Leak(table, column, flow.personal, flow.path) for flow in reached)
