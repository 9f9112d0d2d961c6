"""What a query that a user typed calls, as the engine itself understands its text, against what it may call.

The list is of what is allowed and not of what is forbidden: an extension, or the next version of the engine, may bring a
function that reads files, settings or secrets, and nobody would think of forbidding it here. All that stands in
`duck_functions.txt` gives what follows from its arguments, the clock or chance.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from sales_tech.engines.duck import DuckEngine
from sales_tech.errors import QueryError

_LIST = Path(__file__).with_name("duck_functions.txt")
_CALLS = ("FUNCTION", "WINDOW")


@cache
def allowed_functions() -> frozenset[str]:
    """The functions and operators that a query may call, in lower case."""
    return frozenset(_LIST.read_text(encoding="utf-8").split())


def check_calls(engine: DuckEngine, sql: str) -> None:
    """Prove that a query in the engine's own words calls allowed functions only; QueryError names those that are not."""
    (text,) = engine.row("select json_serialize_sql(cast(? as varchar))", [sql])
    parsed = json.loads(text)
    if parsed["error"]:
        raise QueryError(f"the query cannot be checked: {parsed['error_message']}; expected one select in Athena's SQL")
    if refused := sorted({name for name in _called(parsed) if name.rpartition(".")[2] not in allowed_functions()}):
        raise QueryError(
            f"function {', '.join(refused)} may not be called; expected one of Athena's functions of values, dates and times, "
            "since queries read the tables of the lake and nothing else"
        )


def _called(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for part in node:
            yield from _called(part)
    elif isinstance(node, dict):
        if node.get("class") in _CALLS:
            yield ".".join(node["qualified_name"]["path"]).lower()
        for part in node.values():
            yield from _called(part)
