"""Which code made a table: a hash that moves with what the code does, not with its comments."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from importlib import resources
from pathlib import Path


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


def _meaning(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        return "\n".join(line for line in (line.partition("--")[0].strip() for line in text.splitlines()) if line)
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node, clean=False):
            node.body = node.body[1:]
    return ast.dump(tree)
