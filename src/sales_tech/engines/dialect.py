"""Athena's SQL, which all models are written in, turned into an engine's own."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from sqlglot import Token, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.parsers.trino import TrinoParser

from sales_tech.errors import ContractError, QueryError

ATHENA = "trino"
_STEPS, _STEPS_A_TOKEN = 200_000, 20
"""What reading a query may take: those of the project take 1.5 steps a token, and a second has some 250,000."""


def parse_model(sql: str, path: Path) -> exp.Query:
    """Parse one SQL model; ContractError names the file and line of a mistake."""
    try:
        statements = _statements(sql)
    except ParseError as error:
        first = error.errors[0]
        found = f"{first['description']} near {first['highlight']!r}"
        raise ContractError(path, first["line"], found, "one select in Athena's SQL") from error
    except SqlglotError as error:
        # The tokenizer says where only in words: Missing ' from 9:12.
        where = re.search(r"from (\d+):\d+", str(error.__cause__))
        found = str(error.__cause__ or error).partition(" from ")[0]
        raise ContractError(path, int(where[1]) if where else None, found, "one select in Athena's SQL") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        kinds = ", ".join(type(statement).__name__.lower() for statement in statements) or "nothing"
        raise ContractError(path, 1, kinds, "exactly one select")
    return statements[0]


def parse_query(sql: str) -> exp.Query:
    """Parse what a user typed; QueryError unless it is exactly one select."""
    try:
        statements = _statements(sql)
    except ParseError as error:
        first = error.errors[0]
        where = f"line {first['line']}, column {first['col']}, near {first['highlight']!r}"
        raise QueryError(f"the query cannot be read at {where}; expected one select in Athena's SQL") from error
    except RecursionError as error:
        raise QueryError("the query is nested too deeply to be read; expected fewer brackets within brackets") from error
    except SqlglotError as error:
        raise QueryError(f"the query cannot be read: {error.__cause__ or error}; expected one select in Athena's SQL") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        kinds = ", ".join(type(statement).__name__.lower() for statement in statements) or "nothing"
        raise QueryError(f"found {kinds}; expected exactly one select, since queries only read")
    return statements[0]


def _statements(sql: str) -> list[exp.Expr]:
    # What is no query is refused by the callers in words; sqlglot's own warning of it would stand before them.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    # A comment behind the last semicolon hangs on a statement of its own.
    dialect = Dialect.get_or_raise(ATHENA)
    found = _PatientParser(dialect=dialect).parse(dialect.tokenize(sql), sql)
    return [statement for statement in found if statement is not None and not isinstance(statement, exp.Semicolon)]


class _PatientParser(TrinoParser):
    """Trino's, of limited patience: for each `date(...)` within another sqlglot tries anew whether it is a call or a type."""

    def parse(self, raw_tokens: list[Token], sql: str) -> list[exp.Expr | None]:
        self._left = _STEPS + _STEPS_A_TOKEN * len(raw_tokens)
        return super().parse(raw_tokens, sql)

    def _advance(self, times: int = 1) -> None:
        self._left -= 1
        if self._left < 0:
            # No ParseError, after which it would try the other way.
            raise SqlglotError("calls with names of types, as in row(row(...)), are nested too deeply")
        super()._advance(times)


def to_duckdb(tree: exp.Expr) -> str:
    """The DuckDB text of a parsed query."""
    return tree.sql(dialect="duckdb", pretty=True)


@cache
def duckdb_type(kind: str) -> str:
    """DuckDB's name of a type that is given in Athena's SQL."""
    return exp.DataType.build(kind, dialect=ATHENA).sql(dialect="duckdb")


def tables_in(tree: exp.Expr) -> dict[str, list[exp.Table]]:
    """The tables a query reads, by full name in lower case, leaving out its own common table expressions.

    Athena's names know no case. What stands in for a table but is none, such as a function that reads
    files, is listed under its SQL.
    """
    found: dict[str, list[exp.Table]] = {}
    for table in tree.find_all(exp.Table):
        name = table.name.lower() if isinstance(table.this, exp.Identifier) else table.this.sql(dialect=ATHENA)
        if table.db or not _is_expression(table, name):
            found.setdefault(f"{table.db.lower()}.{name}" if table.db else name, []).append(table)
    return found


def rename_tables(tree: exp.Query, relations: Mapping[str, str]) -> exp.Query:
    """Let a query, in place, read each of its tables from the relation that stands for it, `name` or `schema.name`."""
    for name, places in tables_in(tree).items():
        for place in places:
            schema, _, relation = relations[name].rpartition(".")
            place.replace(exp.table_(relation, db=schema or None, alias=place.alias_or_name, quoted=True))
    return tree


def _is_expression(table: exp.Table, name: str) -> bool:
    # A common table expression is known in the query it stands before and in the expressions behind it, and nowhere else:
    # elsewhere its name may be that of a table of the engine's own, or of a file.
    inner: exp.Expr = table
    while (outer := inner.parent) is not None:
        if isinstance(outer, exp.With):
            known = outer.expressions if outer.recursive else outer.expressions[: outer.expressions.index(inner)]
        else:
            known = outer.ctes if isinstance(outer, exp.Query) and not isinstance(inner, exp.With) else []
        if any(cte.alias.lower() == name for cte in known):
            return True
        inner = outer
    return False


def quote(name: str) -> str:
    """A quoted identifier, the same in every engine used here."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A quoted string literal."""
    return "'" + text.replace("'", "''") + "'"
