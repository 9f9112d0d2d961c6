"""A pack's SQL, understood and checked before any data is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlglot import exp

from sales_tech.contracts.pack import Mapping, Pack
from sales_tech.contracts.table import TableContract, table_contract
from sales_tech.engines.dialect import ATHENA, parse_model, rename_tables, tables_in, to_duckdb
from sales_tech.engines.duck import DuckEngine
from sales_tech.errors import ContractError, Mistakes
from sales_tech.transform.typed import CARRIED, typed_columns

_GIVEN = ("source", "file_id", "line_number", "updated_at", "stated_at", "stated_by", "stated_file_id", "stated_line_number", "valid_to")


@dataclass(frozen=True)
class BoundMapping:
    """A mapping whose tables and columns were found: which file kind drives it, which it looks up."""

    pack: Pack
    mapping: Mapping
    tree: exp.Query
    driver: str
    lookups: tuple[str, ...]

    @property
    def contract(self) -> TableContract:
        """The contract of the silver table that the mapping feeds."""
        return table_contract(self.mapping.table)

    @property
    def bronze(self) -> str:
        """The bronze table of the driving file kind."""
        return self.pack.bronze(self.driver)

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The canonical columns that the mapping gives."""
        return tuple(select.alias_or_name for select in self.tree.selects)

    @cached_property
    def persons(self) -> tuple[str, ...]:
        """The personal columns of the driving file kind that the mapping reads."""
        read = {column.name.lower() for column in self.tree.find_all(exp.Column)}
        return tuple(name for name, column in self.pack.files[self.driver].columns.items() if column.personal and name in read)

    def select(self, relations: dict[str, str]) -> exp.Query:
        """The mapping over the given relations (one for each file kind), carrying each row's id and faults."""
        tree = self.tree.copy()
        _carry(tree, self._outer(tree))
        return rename_tables(tree, relations)

    def matches(self, lookup: str, relations: dict[str, str]) -> exp.Query | None:
        """The ids of driving rows that find a partner in one lookup, or None where the SQL is not that plain."""
        tree = self.tree.copy()
        joined = [join.this for join in tree.args.get("joins") or [] if isinstance(join.this, exp.Table) and join.this.name == lookup]
        if len(joined) != 1 or len(tables_in(tree)[lookup]) != 1:
            return None
        outer = self._outer(tree)
        ids = [exp.column(name, table=outer) for name in ("_file_id", "_line_number")]
        found = exp.column("_line_number", table=joined[0].alias_or_name).is_(exp.null()).not_()
        tree.set("expressions", ids)
        return rename_tables(tree.where(found), relations)

    @staticmethod
    def _outer(tree: exp.Query) -> str:
        source = tree.args["from_"].this
        return str(source.alias_or_name)


def bind(pack: Pack, table: str) -> BoundMapping:
    """Check one mapping of a pack against the pack's files and the table's contract.

    Raises ContractError for SQL that does not parse, tables or columns that the pack does not have,
    outputs that the contract does not know, or required outputs that are missing.
    """
    mapping = pack.mappings[table]
    if table not in _FED_BY_PACKS:
        raise ContractError(mapping.path, None, f"SQL for {table}", f"a file named after one of {', '.join(_FED_BY_PACKS)}")
    tree = parse_model(mapping.sql, mapping.path)
    for cte in tree.ctes:
        if cte.alias.lower() in pack.files:
            raise ContractError(mapping.path, line_of(cte.args["alias"]), f"with {cte.alias}", "a name that no file kind of the pack has")
    if not isinstance(tree, exp.Select) or tree.args.get("from_") is None:
        raise ContractError(mapping.path, 1, "a set operation or a select without from", "a plain select from one file kind")
    used = tables_in(tree)
    for name, places in used.items():
        if name not in pack.files:
            raise ContractError(mapping.path, line_of(places[0]), f"table {name}", f"a file kind of the pack: {', '.join(pack.files)}")
    driver = _driver(tree, pack, mapping)
    if len(used[driver]) > 1:
        raise ContractError(
            mapping.path, line_of(used[driver][1]), f"{driver} a second time", "the driving file kind once; a night sees its new rows only"
        )
    bound = BoundMapping(pack, mapping, tree, driver, tuple(sorted(set(used) - {driver})))
    _check_outputs(bound)
    return bound


def check_pack(pack: Pack, engine: DuckEngine) -> dict[str, BoundMapping]:
    """Bind all mappings of a pack and let the engine plan them over empty tables, so that types are checked too.

    ContractError names the first mistake in each SQL file.
    """
    bound, mistakes, drivers = dict[str, BoundMapping](), Mistakes(), dict[str, BoundMapping]()
    for table in sorted(pack.mappings):
        with mistakes.of_one():
            bound[table] = bind(pack, table)
    relations = {}
    for kind, contract in pack.files.items():
        relations[kind] = f"check_{pack.name}.{kind}"
        engine.view(relations[kind], [], typed_columns(contract) | CARRIED)
    for mapping in bound.values():
        with mistakes.of_one():
            if (first := drivers.setdefault(mapping.driver, mapping)) is not mapping:
                found = f"{mapping.driver}, which {first.mapping.path.name} starts from too"
                raise ContractError(mapping.mapping.path, 1, found, "another file kind, since a row has one fate")
            try:
                types = engine.describe(to_duckdb(mapping.select(relations)))
            except engine.Error as error:
                raise _explained(mapping, relations, engine, str(error).splitlines()[0]) from error
            _check_types(mapping, types)
    mistakes.tell()
    return bound


_sound: dict[tuple[Path, str], dict[str, BoundMapping]] = {}


def checked_pack(pack: Pack, engine: DuckEngine) -> dict[str, BoundMapping]:
    """As `check_pack`, which a process does once for a pack that stays as it is: each of its steps asks."""
    key = (pack.folder, pack.fingerprint)
    if key not in _sound:
        _sound[key] = check_pack(pack, engine)
    return dict(_sound[key])


def checked_packs(packs: dict[str, Pack], engine: DuckEngine) -> dict[str, dict[str, BoundMapping]]:
    """The mappings of all packs, by pack; ContractError names the first mistake in each of their SQL files."""
    mappings, mistakes = dict[str, dict[str, BoundMapping]](), Mistakes()
    for name, pack in packs.items():
        with mistakes.of_one():
            mappings[name] = checked_pack(pack, engine)
    mistakes.tell()
    return mappings


_LOSING = {
    "where": "where",
    "group": "group by",
    "having": "having",
    "qualify": "qualify",
    "distinct": "select distinct",
    "limit": "limit",
    "offset": "offset",
}
_FAMILIES = {"string": "text", "timestamptz": "instant", "int": "number", "long": "number", "double": "number", "decimal": "number"}
_MISSING_COLUMN = re.compile(r'(?:column named|Referenced column) "([^"]+)"')
_FED_BY_PACKS = ("silver.sales", "silver.products", "silver.stores", "silver.promotions", "silver.stockouts")


def _driver(tree: exp.Select, pack: Pack, mapping: Mapping) -> str:
    # The file kind whose rows become the table's rows: the one that the select, or the common table
    # expression it selects from, is made from.
    expressions = {cte.alias.lower(): cte.this for cte in tree.ctes}
    select: exp.Expr | None = tree
    while isinstance(select, exp.Select) and select.args.get("from_") is not None:
        _check_keeps_rows(select, mapping, outermost=select is tree)
        source = select.args["from_"].this
        if not isinstance(source, exp.Table):
            break
        if source.name.lower() in pack.files:
            return source.name.lower()
        select = expressions.pop(source.name.lower(), None)
    raise ContractError(mapping.path, 1, "a select that starts from no file kind", f"from one of {', '.join(pack.files)}")


def _check_keeps_rows(select: exp.Select, mapping: Mapping, *, outermost: bool) -> None:
    # Every row of the driving file comes out once and with its id, since each needs a fate.
    for key, words in _LOSING.items():
        if part := select.args.get(key):
            line = line_of(part) or line_of(select)
            raise ContractError(mapping.path, line, words, "every row once; one that is not wanted is rejected by the table's checks")
    for join in select.args.get("joins") or []:
        if join.side != "LEFT" or join.kind in ("SEMI", "ANTI"):
            raise ContractError(mapping.path, line_of(join), "a join that may lose rows", "left join")
    for column in select.selects:
        if window := column.find(exp.Window):
            # A night applies the SQL to its new rows only, so a window would look at another set each time.
            raise ContractError(
                mapping.path, line_of(window) or line_of(column), "a window function", "what follows from the row and its lookups"
            )
    source = select.args["from_"].this
    name = source.alias_or_name
    kept = any(column.is_star and (isinstance(column, exp.Star) or column.args["table"].name == name) for column in select.selects)
    if not outermost and not kept:
        raise ContractError(
            mapping.path,
            line_of(select.selects[0]),
            f"a common table expression without {name}.*, which loses the ids of the rows",
            f"select {name}.*, and then what is computed, from {source.sql(dialect=ATHENA)}",
        )


def _check_outputs(bound: BoundMapping) -> None:
    contract, mapping = bound.contract, bound.mapping
    mappable = [name for name, column in contract.columns.items() if name not in _GIVEN and column.derived is None]
    for position, select in enumerate(bound.tree.selects):
        name = select.alias_or_name
        if isinstance(select, exp.Star) or name == "*":
            raise ContractError(mapping.path, line_of(select), "select *", "one named column after another")
        if name not in mappable:
            raise ContractError(mapping.path, line_of(select), f"column {name}", f"a column of {contract.name}: {', '.join(mappable)}")
        if bound.outputs.index(name) != position:
            raise ContractError(mapping.path, line_of(select), f"column {name} twice", "each column once")
    for name in mappable:
        column = contract.columns[name]
        if column.required and column.default is None and name not in bound.outputs:
            raise ContractError(mapping.path, 1, f"no column {name}", f"all required columns of {contract.name}")


def _check_types(bound: BoundMapping, types: dict[str, str]) -> None:
    contract = bound.contract
    for select in bound.tree.selects:
        name = select.alias_or_name
        wanted, found = contract.columns[name].type, types[name]
        if not _fits(_family(found), _FAMILIES.get(wanted.name, wanted.name)):
            raise ContractError(bound.mapping.path, line_of(select), f"{contract.name}: column {name} is {found.lower()}", str(wanted))


def _fits(found: str, wanted: str) -> bool:
    # Text shows anything, but is not read as anything here: that is the file contract's part, which has the
    # formats. An instant has no day of its own before a time zone is named.
    return wanted == "text" or found in (wanted, "null") or (found, wanted) == ("date", "instant")


def _family(kind: str) -> str:
    if kind.startswith("TIMESTAMP"):
        return "instant"
    if kind.startswith(("DECIMAL", "DOUBLE", "FLOAT")) or kind.endswith(("INT", "INTEGER")):
        return "number"
    return {"VARCHAR": "text", '"NULL"': "null"}.get(kind, kind.lower())


def _carry(tree: exp.Query, outer: str) -> None:
    for name in CARRIED:
        tree.args["expressions"].append(exp.column(name, table=outer))


def line_of(node: exp.Expr) -> int | None:
    """The line of a pack's SQL on which a part of it begins; None where nothing in it tells."""
    return next((int(part.meta["line"]) for part in node.walk() if "line" in part.meta), None)


def _explained(bound: BoundMapping, relations: dict[str, str], engine: DuckEngine, text: str) -> ContractError:
    # The engine speaks of a generated query. What it names, or else the first output that fails alone, has the line.
    text = text.partition(": ")[2] or text
    missing = _MISSING_COLUMN.search(text)
    select = _failing(bound, relations, engine)
    line = next((line_of(column) for column in select.find_all(exp.Column) if missing and column.name == missing[1]), None)
    expected = "SQL over the pack's columns and types"
    if missing:
        columns = [f"{kind}: {', '.join(typed_columns(bound.pack.files[kind]))}" for kind in (bound.driver, *bound.lookups)]
        text, expected = f"column {missing[1]}", f"one of the columns of {'; of '.join(columns)}"
    return ContractError(bound.mapping.path, line or line_of(select), text, expected)


def _failing(bound: BoundMapping, relations: dict[str, str], engine: DuckEngine) -> exp.Expr:
    # The first output that cannot be planned alone; the whole select where its from or joins are at fault.
    before: list[exp.CTE] = []
    for select in (*(cte.this for cte in bound.tree.ctes), bound.tree):
        for output in (None, *select.selects):
            alone = select.copy()
            alone.set("expressions", [output.copy() if output else exp.Literal.number(1)])
            alone.set("with_", exp.With(expressions=[cte.copy() for cte in before]) if before else None)
            try:
                engine.describe(to_duckdb(rename_tables(alone, relations)))
            except engine.Error:
                return output if isinstance(output, exp.Expr) else bound.tree
        if isinstance(select.parent, exp.CTE):
            before.append(select.parent)
    return bound.tree
