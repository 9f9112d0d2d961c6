"""Which code made a table: a hash that moves with what the code does, not with its comments; and which copy of it ran."""

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
    root, digest = _root(), hashlib.sha256()
    for place in places:
        path = root / place
        for file in _files(path) if path.is_dir() else [path]:
            digest.update(f"{file.relative_to(root)}\0".encode() + _meaning(file))
    return digest.hexdigest()[:16]


@cache
def source_fingerprint() -> str:
    """A short hash of all modules and SQL files of the package to the letter, comments and all."""
    root, digest = _root(), hashlib.sha256()
    for file in _files(root):
        digest.update(f"{file.relative_to(root)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def sql_meaning(text: str) -> str:
    """SQL without its comments, and with single blanks between words."""
    return _SQL_PARTS.sub(lambda part: part[1] or " ", text).strip()


def _root() -> Path:
    return Path(str(resources.files("sales_tech")))


def _files(folder: Path) -> list[Path]:
    return sorted([*folder.rglob("*.py"), *folder.rglob("*.sql")])


@cache
def _meaning(file: Path) -> bytes:
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        return hashlib.sha256(sql_meaning(text).encode()).digest()
    parts: list[str] = []
    _spell(ast.parse(text), parts)
    return hashlib.sha256("\0".join(parts).encode()).digest()


def _spell(value: object, parts: list[str]) -> None:
    # Types, fields and values of the tree in order, as ast.dump tells them, without what explains and without places; a
    # third of its time, which every command that looks for stale tables would wait for.
    if isinstance(value, ast.AST):
        parts.append(f"{type(value).__name__}(")
        for field in value._fields:
            inner = getattr(value, field, None)
            if inner is not None:
                parts.append(field)
                _spell(inner, parts)
        parts.append(")")
    elif isinstance(value, list):
        parts.append("[")
        for part in value:
            if not _explains(part):
                _spell(part, parts)
        parts.append("]")
    else:
        parts.append(repr(value))


def _explains(statement: object) -> bool:
    # A docstring, of a module, class or function or of the assignment before it.
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
