"""A query's own text with the tables it reads named as the catalog does, each at one snapshot.

The text is changed in these places only and not written anew from its parsed form: what a user typed is what
Athena runs, and the line and column in its errors are the user's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

import sqlglot
from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from sales_tech.engines.dialect import ATHENA, quote

_FEW = 10_000
"""Up to so many rows a result is small."""


def spliced(sql: str, tree: exp.Query, names: Iterable[tuple[exp.Table, str]]) -> str:
    """The text of one select with the given tables of it replaced, without what stands around it.

    `names` are tables of the tree and the text for each, such as `db.sales FOR VERSION AS OF 12`. A table
    without an alias gets its bare name as one, so that columns may still be named by it.
    """
    tokens = [token for token in sqlglot.tokenize(sql, read=ATHENA) if token.token_type is not TokenType.SEMICOLON]
    edits: dict[tuple[int, int], str] = {}
    # `table silver.sales` in place of a select takes neither a version nor an alias.
    whole = {after.start: token.start for token, after in pairwise(tokens) if token.token_type is TokenType.TABLE}
    known = set()
    for table, text in names:
        known.add(f"{table.db}.{table.name}".lower())
        alias = "" if table.alias else f" AS {quote(table.name)}"
        start = _start(table)
        edits[whole.get(start, start), _end(table, tokens)] = ("select * from " if start in whole else "") + text + alias
    for column in tree.find_all(exp.Column):
        if f"{column.db}.{column.table}".lower() in known:
            edits[_start(column), column.args["table"].meta["start"]] = ""
    sql = sql[: tokens[-1].end + 1]
    for (start, end), text in sorted(edits.items(), reverse=True):
        sql = sql[:start] + text + sql[end:]
    return sql[tokens[0].start :]


def may_be_large(tree: exp.Query) -> bool:
    """Whether a result may have many rows and need not keep an order.

    It need where the whole query has an `order by`; it cannot have many rows where it has a limit of up to
    10,000, reads no table, or sums up everything into one row.
    """
    while isinstance(tree, exp.Subquery) and not tree.args.get("order") and not tree.args.get("limit"):
        tree = tree.this
    limit = tree.args.get("limit")
    count = limit.args.get("expression") or limit.args.get("count") if limit else None
    few = isinstance(count, exp.Literal) and count.is_int and int(count.name) <= _FEW
    return not (tree.args.get("order") or few or _is_one_row(tree))


def _is_one_row(tree: exp.Query) -> bool:
    if not isinstance(tree, exp.Select) or tree.args.get("group"):
        return False
    if not tree.args.get("from_"):
        return True
    return any(isinstance(part.unalias(), exp.AggFunc) for part in tree.selects)


def _start(node: exp.Table | exp.Column) -> int:
    parts: Mapping[str, object] = node.args
    first = next(part for key in ("catalog", "db", "table", "this") if isinstance(part := parts.get(key), exp.Expr))
    return int(first.meta["start"])


def _end(table: exp.Table, tokens: list[Token]) -> int:
    version = table.args.get("version")
    if version is None:
        return int(table.this.meta["end"]) + 1
    literal = version.expression.find(exp.Literal)
    at = next(number for number, token in enumerate(tokens) if token.start == literal.meta["start"])
    # cast('2026-03-01' as timestamp(3)) ends with its bracket, timestamp '2026-03-01' with the literal.
    depth = 1 if tokens[at - 1].token_type is TokenType.L_PAREN else 0
    while depth:
        at += 1
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(tokens[at].token_type, 0)
    return tokens[at].end + 1
