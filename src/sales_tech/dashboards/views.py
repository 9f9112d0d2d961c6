"""The views that dashboards read beside gold tables: one select each, with a contract beside it."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from pathlib import Path

from sales_tech.contracts.document import Document
from sales_tech.contracts.table import TableContract, table_contract, table_names

PREFIX = "views."
_VIEW = re.compile(r"\bviews\.\w+")


def views_folder() -> Path:
    """Where the views stand."""
    return Path(str(resources.files("sales_tech.dashboards"))) / "views"


@cache
def view_names() -> tuple[str, ...]:
    """All views, such as `views.sales_by_day`."""
    return tuple(PREFIX + path.stem for path in sorted(views_folder().glob("*.sql")))


@cache
def relation_contract(name: str) -> TableContract | None:
    """The contract of a gold table or a view; None where there is none of that name."""
    if name in view_names():
        path = views_folder() / f"{name.removeprefix(PREFIX)}.yaml"
        return Document.load(path).validate(TableContract, name=name)
    return table_contract(name) if name in table_names() and name.startswith("gold.") else None


def relation_sql(name: str) -> str:
    """What stands behind `from` for a gold table or a view, in Athena's SQL; a view that it reads stands in it whole."""
    if not name.startswith(PREFIX):
        return name
    text = (views_folder() / f"{name.removeprefix(PREFIX)}.sql").read_text(encoding="utf-8").strip().rstrip(";")
    return f"({_VIEW.sub(lambda found: relation_sql(found[0]), text)})"


def relation_names() -> list[str]:
    """Everything that a data set may name."""
    return [*(name for name in table_names() if name.startswith("gold.")), *view_names()]
