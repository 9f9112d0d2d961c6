"""A pack's SQL, understood and checked before any data is read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from sales_tech.contracts.pack import Mapping, Pack
from sales_tech.contracts.table import TableContract, table_contract
from sales_tech.engines.dialect import parse_model, quote, tables_in, to_duckdb
from sales_tech.engines.duck import DuckEngine
from sales_tech.errors import ContractError
from sales_tech.transform.typed import CARRIED, typed_columns

_GIVEN = ("source", "file_id", "line_number", "updated_at", "valid_to")


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

    def select(self, relations: dict[str, str]) -> exp.Query:
        """The mapping over the given relations (one for each file kind), carrying each row's id and faults."""
        tree = self.tree.copy()
        _carry(tree, self._outer(tree))
        return _renamed(tree, relations)

    def matches(self, lookup: str, relations: dict[str, str]) -> exp.Query | None:
        """The ids of driving rows that find a partner in one lookup, or None where the SQL is not that plain."""
        tree = self.tree.copy()
        joined = [join.this for join in tree.args.get("joins") or [] if isinstance(join.this, exp.Table) and join.this.name == lookup]
        if len(joined) != 1:
            return None
        outer = self._outer(tree)
        ids = [exp.column(name, table=outer) for name in ("_file_id", "_line_number")]
        found = exp.column("_line_number", table=joined[0].alias_or_name).is_(exp.null()).not_()
        tree.set("expressions", ids)
        return _renamed(tree.where(found), relations)  # type: ignore[attr-defined]

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
    if not isinstance(tree, exp.Select) or tree.args.get("from_") is None:
        raise ContractError(mapping.path, 1, "a set operation or a select without from", "a plain select from one file kind")
    used = tables_in(tree)
    for name, places in used.items():
        if name not in pack.files:
            raise ContractError(mapping.path, _line(places[0]), f"table {name}", f"a file kind of the pack: {', '.join(pack.files)}")
    driver = _driver(tree, pack, mapping)
    bound = BoundMapping(pack, mapping, tree, driver, tuple(sorted(set(used) - {driver})))
    _check_outputs(bound)
    return bound


def check_pack(pack: Pack, engine: DuckEngine) -> dict[str, BoundMapping]:
    """Bind all mappings of a pack and let the engine plan them over empty tables, so that types are checked too."""
    bound = {table: bind(pack, table) for table in sorted(pack.mappings)}
    relations = {}
    for kind, contract in pack.files.items():
        relations[kind] = f"check_{pack.name}.{kind}"
        engine.view(relations[kind], [], typed_columns(contract) | CARRIED)
    for mapping in bound.values():
        try:
            engine.describe(to_duckdb(mapping.select(relations)))
        except engine.Error as error:
            text = str(error).splitlines()[0]
            raise ContractError(mapping.mapping.path, _guilty_line(mapping, text), text, "SQL over the pack's columns and types") from error
    return bound


_FED_BY_PACKS = ("silver.sales", "silver.products", "silver.stores", "silver.promotions")


def _driver(tree: exp.Query, pack: Pack, mapping: Mapping) -> str:
    # The file kind whose rows become the table's rows: the one that the select, or the common table
    # expression it selects from, is made from.
    expressions = {cte.alias: cte.this for cte in tree.ctes}
    select: exp.Expression | None = tree
    while isinstance(select, exp.Select) and select.args.get("from_") is not None:
        source = select.args["from_"].this
        if not isinstance(source, exp.Table):
            break
        if source.name in pack.files and source.name not in expressions:
            return str(source.name)
        select = expressions.get(source.name)
    raise ContractError(mapping.path, 1, "a select that starts from no file kind", f"from one of {', '.join(pack.files)}")


def _check_outputs(bound: BoundMapping) -> None:
    contract, mapping = bound.contract, bound.mapping
    mappable = [name for name, column in contract.columns.items() if name not in _GIVEN and column.derived is None]
    for select in bound.tree.selects:
        name = select.alias_or_name
        if isinstance(select, exp.Star) or name == "*":
            raise ContractError(mapping.path, _line(select), "select *", "one named column after another")
        if name not in mappable:
            raise ContractError(mapping.path, _line(select), f"column {name}", f"a column of {contract.name}: {', '.join(mappable)}")
        if bound.outputs.count(name) > 1:
            raise ContractError(mapping.path, _line(select), f"column {name} twice", "each column once")
    for name in mappable:
        column = contract.columns[name]
        if column.required and column.default is None and name not in bound.outputs:
            raise ContractError(mapping.path, 1, f"no column {name}", f"all required columns of {contract.name}")


def _carry(tree: exp.Query, outer: str) -> None:
    for name in CARRIED:
        tree.args["expressions"].append(exp.column(name, table=outer))


def _renamed(tree: exp.Query, relations: dict[str, str]) -> exp.Query:
    for name, places in tables_in(tree).items():
        for place in places:
            schema, _, relation = relations[name].rpartition(".")
            place.replace(exp.table_(relation, db=schema or None, alias=place.alias_or_name, quoted=True))
    return tree


def _line(node: exp.Expression) -> int | None:
    for part in (node, *node.find_all(exp.Identifier, exp.Literal)):
        if "line" in part.meta:
            return int(part.meta["line"])
    return None


def _guilty_line(bound: BoundMapping, message: str) -> int | None:
    for identifier in bound.tree.find_all(exp.Identifier):
        if quote(identifier.name) in message and "line" in identifier.meta:
            return int(identifier.meta["line"])
    return None
