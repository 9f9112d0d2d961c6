"""Which code made a table: a hash that moves with what the code does, not with its comments."""

from __future__ import annotations

import ast
import hashlib
import re
from functools import cache
from importlib import resources
from pathlib import Path

# Strings and quoted names come first, so that what looks like a comment inside them is kept.
_SQL_PARTS = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*")|(?:--[^\n]*|/\*.*?\*/|\s)+""", re.DOTALL)


@cache
def code_fingerprint(*places: str) -> str:
    """A short hash of the modules and SQL files at the given places inside the package.

    Each place is a module or a folder, such as `engines` or `transform/merge.py`. Comments, blank
    lines and docstrings do not count.
    """
    root = Path(str(resources.files("sales_tech")))
    digest = hashlib.sha256()
    for place in places:
        path = root / place
        files = sorted([*path.rglob("*.py"), *path.rglob("*.sql")]) if path.is_dir() else [path]
        for file in files:
            digest.update(f"{file.relative_to(root)}\0{_meaning(file)}\0".encode())
    return digest.hexdigest()[:16]


def sql_meaning(text: str) -> str:
    """SQL without its comments, and with single blanks between words."""
    return _SQL_PARTS.sub(lambda part: part[1] or " ", text).strip()


def _meaning(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        return sql_meaning(text)
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _explains(part)]
    return ast.dump(tree)


def _explains(statement: ast.stmt) -> bool:
    # A docstring, of a module, class or function or of the assignment before it.
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
