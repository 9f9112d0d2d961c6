"""The pipeline's SQL in Spark's words: primitives put in place, names without a schema, unions by position."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import sqlglot
from sqlglot import exp

from sales_tech.engines.dialect import ATHENA
from sales_tech.engines.spark_time import local_time

_PRIMITIVES = Path(__file__).with_name("spark_primitives.sql")
Columns = Callable[[str], list[str]]
"""The column names of a query in Spark's SQL."""


def to_spark(sql: str, columns: Columns) -> str:
    """One statement of the pipeline in Spark's SQL; `columns` tells the columns of the sides of a union by name."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    for rule in (_flatten_names, _put_primitives, _keep_nulls_in_json, _struct_of_row, _plain_interval):
        tree = tree.transform(rule, copy=False)
    return _spark(_by_position(tree, columns))


@cache
def spark_type(kind: str) -> str:
    """Spark's name of a type that is given in Athena's SQL."""
    return exp.DataType.build(kind, dialect=ATHENA).sql(dialect="spark")


def flat(name: str) -> str:
    """The name of a temporary view, which has no schema in Spark, for `name` or `schema.name`."""
    return name.replace(".", "__")


def _spark(tree: exp.Expr) -> str:
    return tree.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)


def _flatten_names(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Table) and node.db:
        alias = node.alias or node.name
        node.set("this", exp.to_identifier(flat(f"{node.db}.{node.name}"), quoted=True))
        node.set("db", None)
        if not node.args.get("alias"):
            node.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
    return node


def _put_primitives(node: exp.Expr) -> exp.Expr:
    if not isinstance(node, exp.Anonymous):
        return node
    name, arguments = node.name.lower(), [argument.copy() for argument in node.expressions]
    if name == "local_time":
        return local_time(arguments[0], arguments[1].name).transform(_put_primitives)
    found = _primitives().get(name)
    if found is None:
        return node
    if name == "clean" and isinstance(arguments[0], exp.Anonymous) and arguments[0].name.lower() == "clean":
        # Clean text stays as it is; put in place twice, it would stand there as often as the square of once.
        return _put_primitives(arguments[0])
    parameters, body = found
    given = dict(zip(parameters, arguments, strict=True))

    def put(part: exp.Expr) -> exp.Expr:
        if isinstance(part, exp.Column) and not part.table and part.name in given:
            return exp.paren(given[part.name].copy()) if isinstance(given[part.name], exp.Binary) else given[part.name].copy()
        return part

    # The arguments first: a call that stands in one is put in place with it, and none is looked at twice.
    return body.copy().transform(put, copy=False).transform(_put_primitives, copy=False)


@cache
def _primitives() -> dict[str, tuple[list[str], exp.Expr]]:
    found = {}
    for macro in sqlglot.parse(_PRIMITIVES.read_text(encoding="utf-8"), read="duckdb"):
        assert isinstance(macro, exp.Create)
        function = macro.this
        found[function.this.name] = ([parameter.name for parameter in function.expressions], macro.expression)
    return found


def _keep_nulls_in_json(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.JSONObject):
        pairs = [part for pair in node.expressions for part in (pair.this, pair.expression)]
        return exp.func("to_json", exp.Anonymous(this="named_struct", expressions=pairs))
    return node


def _struct_of_row(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Anonymous) and node.name.lower() == "row":
        return exp.Anonymous(this="struct", expressions=node.expressions)
    return node


def _plain_interval(node: exp.Expr) -> exp.Expr:
    # DuckDB's `interval (-365) day`, as date_add becomes there; Spark takes the number in quotes.
    if isinstance(node, exp.Interval) and isinstance(node.this, exp.Paren):
        node.set("this", exp.Literal.string(node.this.this.sql()))
    return node


def _by_position(tree: exp.Expr, columns: Columns) -> exp.Expr:
    # The innermost first, so that the columns of a side that is itself a union by name are known.
    for union in reversed([*tree.find_all(exp.Union)]):
        if union.args.get("by_name"):
            sides = [union.this, union.expression]
            names = [columns(_spark(side)) for side in sides]
            every = list(dict.fromkeys(names[0] + names[1]))
            union.set("by_name", False)
            for key, side, have in zip(("this", "expression"), sides, names, strict=True):
                shown = [exp.column(name, quoted=True) if name in have else exp.alias_(exp.null(), name, quoted=True) for name in every]
                union.set(key, exp.select(*shown).from_(side.copy().subquery("side")))
    return tree
