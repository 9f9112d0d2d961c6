"""Fingerprints move with what a contract or a piece of code does, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sales_tech.contracts import fingerprint
from sales_tech.contracts.pack import load_pack
from sales_tech.contracts.table import load_table

TABLE = """\
description: One row per thing.
grain: [a]
columns:
  a: {type: long, required: true, description: First}
  b: {type: "decimal(18,2)", unit: BRL, description: Second}
checks:
  - {sql: b > 0, reason: b is not positive}
"""


def table_print(tmp_path: Path, text: str) -> str:
    (tmp_path / "silver").mkdir(exist_ok=True)
    path = tmp_path / "silver" / "things.yaml"
    path.write_text(text, encoding="utf-8")
    return load_table(path).fingerprint


@pytest.mark.parametrize(
    ("old", "new"), [("One row per thing", "A row"), ("Second", "Other"), ("unit: BRL", "unit: USD"), ("grain:", "# why\ngrain:")]
)
def test_words_do_not_change_a_tables_fingerprint(tmp_path: Path, old: str, new: str) -> None:
    assert table_print(tmp_path, TABLE) == table_print(tmp_path, TABLE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"), [("long", "int"), (", required: true", ""), ("b > 0", "b >= 0"), ("grain: [a]", "grain: [b]"), ("18,2", "20,2")]
)
def test_a_promise_changes_a_tables_fingerprint(tmp_path: Path, old: str, new: str) -> None:
    assert table_print(tmp_path, TABLE) != table_print(tmp_path, TABLE.replace(old, new))


WORDS = [
    ("vendas.yaml", "description: Lines", "description: Other words"),
    ("vendas.yaml", "{description: The article}", "{}"),
    ("vendas.yaml", "key:", "# a comment\nkey:"),
    ("vendas.yaml", "{header: Loja}", "{header: Loja, required: false}"),
    ("sales.sql", "-- One row per line.", "-- Other words\n"),
    ("sales.sql", "-- One row per line.\n", ""),
    ("sales.sql", "from vendas", "/* the lines */ from   vendas"),
    ("sales.sql", "    v.sku,", "  v.sku, -- the article's"),
]
MEANINGS = [
    ("vendas.yaml", "glob: shop", "glob: shops"),
    ("vendas.yaml", "America/Sao_Paulo", "UTC"),
    ("vendas.yaml", "key: [pedido, item]", "key: [pedido]"),
    ("vendas.yaml", "{header: Loja}", "{header: Lojas}"),
    ("vendas.yaml", "{header: Loja}", "{header: [Loja, Filial]}"),
    ("vendas.yaml", "{required: true}", "{}"),
    ("vendas.yaml", "{description: The article}", "{personal: true}"),
    ("vendas.yaml", "%H:%M", "%H.%M"),
    ("sales.sql", "'sold'", "'Sold'"),
    ("sales.sql", "'BRL'", "'BRL  '"),
    ("sales.sql", "'BRL'", "'--'"),
    ("sales.sql", "v.sku,", "v.loja as sku,"),
]


@pytest.mark.parametrize(("file", "old", "new"), WORDS)
def test_words_do_not_change_a_packs_fingerprint(draft: Any, file: str, old: str, new: str) -> None:
    before = load_pack(draft.write()).fingerprint
    assert load_pack(draft.change(file, old, new).write()).fingerprint == before


@pytest.mark.parametrize(("file", "old", "new"), MEANINGS)
def test_meaning_changes_a_packs_fingerprint(draft: Any, file: str, old: str, new: str) -> None:
    before = load_pack(draft.write()).fingerprint
    assert load_pack(draft.change(file, old, new).write()).fingerprint != before


def test_what_looks_like_a_comment_inside_quotes_counts(change_sql: Callable[[str, str], Any]) -> None:
    first = load_pack(change_sql("'BRL'", "'a--b'").write()).fingerprint
    assert load_pack(change_sql("'a--b'", "'a--c'").write()).fingerprint != first


PYTHON = '"""Module."""\n\nLIMIT = 3\n"""What it limits."""\n\n\ndef f(x):\n    """Say it."""\n    return x + 1\n'


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("Say it.", "Say it otherwise.", True),
        ("What it limits.", "Other.", True),
        ('    """Say it."""\n', "", True),
        ("x + 1", "x + 1  # why", True),
        ("x + 1", "x + 2", False),
        ("LIMIT = 3", "LIMIT = '3'", False),
    ],
)
def test_codes_fingerprint_knows_words_from_meaning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, same: bool
) -> None:
    meanings, sources = [], []
    for name, text in (("before", PYTHON), ("after", PYTHON.replace(old, new))):
        folder = tmp_path / name / "part"
        folder.mkdir(parents=True)
        (folder / "a.py").write_text(text, encoding="utf-8")
        monkeypatch.setattr(fingerprint.resources, "files", lambda _package, root=folder.parent: root)
        for told in (fingerprint.code_fingerprint, fingerprint.source_fingerprint):
            told.cache_clear()
        meanings.append(fingerprint.code_fingerprint("part"))
        sources.append(fingerprint.source_fingerprint())
    for told in (fingerprint.code_fingerprint, fingerprint.source_fingerprint):
        told.cache_clear()
    assert (meanings[0] == meanings[1]) is same
    assert sources[0] != sources[1]
