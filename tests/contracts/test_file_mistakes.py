"""Mistakes in a file contract: each is named with its file, its line, what was found and what was expected."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sales_tech.contracts.pack import load_pack, load_packs
from sales_tech.errors import ContractError
from sales_tech.transform.mapping import bind

Change = Callable[[str, str], Any]


def test_the_pack_itself_is_sound(draft: Any) -> None:
    assert set(draft.check()) == {"silver.sales"}


MISTAKES = {
    "unknown key": ("glob: shop", "glub: shop", 2, "unknown setting glub", "docs/packs.md"),
    "unknown key of a column": ("{header: Loja}", "{heading: Loja}", 9, "unknown setting columns.loja.heading", "docs/packs.md"),
    "a name that the file gives": ("description: Lines", "kind: vendas\ndescription: Lines", 1, "unknown setting kind", "file's name"),
    "missing glob": ("glob: shop/vendas_*.csv\n", "", 1, "no glob", "a value for glob"),
    "empty glob": ("shop/vendas_*.csv", "''", 2, "glob: ''", "below the landing folder"),
    "glob outside": ("shop/vendas_*.csv", "../*.csv", 2, "'../*.csv'", "below the landing folder"),
    "bad type": ("{type: integer}\n  quando", "{type: int}\n  quando", 7, "columns.item.type: type 'int'", "string, integer, date"),
    "impossible decimal": ("decimal(18,2)", "decimal(40,2)", 12, "type 'decimal(40,2)'", "precision up to 38"),
    "timestamp without format": (', format: "%d/%m/%Y %H:%M"', "", 8, "columns.quando: a timestamp without a format", "%d/%m/%Y"),
    "unknown directive": ("%d/%m/%Y %H:%M", "%d/%m/%Y %Q", 8, "with %Q", "%d %m %y"),
    "a zone in the format": ("%H:%M", "%H:%M%z", 8, "with %z", "only"),
    "an instant with a format": ("{type: timestamp,", "{type: instant,", 8, "format '%d/%m/%Y %H:%M' of an instant", "like 2026-03-01T10"),
    "half a day's hours": ("%H:%M", "%I:%M", 8, "with %I and no %p", "%H, or %p besides"),
    "format without a year": ("%d/%m/%Y %H:%M", "%d/%m", 8, "without a year", "%Y"),
    "format that ends early": ("%H:%M", "%H:%M%", 8, "with %;", "%d"),
    "key of an unknown column": ("key: [pedido, item]", "key: [pedido, linha]", 3, "key names column 'linha'", "one of pedido, item"),
    "no key": ("key: [pedido, item]", "key: []", 3, "key is []", "at least 1 item"),
    "version that is no time": ("key:", "version: sku\nkey:", 3, "version 'sku' of type string", "a date, timestamp or instant column"),
    "duplicate key": ("glob:", "description: Again\nglob:", 2, "description a second time", "first on line 1"),
    "duplicate column": ("  sku:", "  loja:", 10, "loja a second time", "first on line 9"),
    "duplicate header": ("{header: Loja}", "{header: sku}", 10, "header 'sku' twice, as in column loja", "one column for each header"),
    "header that differs in blanks": ("{header: Loja}", "{header: ' sku '}", 10, "header 'sku' twice", "one column"),
    "header of two columns": (
        "{header: Loja}",
        "{header: [Loja, sku]}",
        10,
        "header 'sku' twice, as in column loja",
        "one column for each",
    ),
    "header twice in a list": ("{header: Loja}", "{header: [Loja, ' Loja']}", 9, "header 'Loja' twice, as in column loja", "one column"),
    "no header in a list": ("{header: Loja}", "{header: []}", 9, "columns.loja.header: []", "text in quotes, or a list"),
    "blank header in a list": ("{header: Loja}", "{header: [Loja, ' ']}", 9, "columns.loja.header: ['Loja', ' ']", "or a list"),
    "number as header": ("{header: Loja}", "{header: 2024}", 9, "columns.loja.header: 2024", "text in quotes"),
    "bad syntax": ("key: [pedido, item]", "key: [pedido, item", 4, "expected ',' or ']', but got ':'", "valid YAML"),
    "tab": ("  loja:", "\tloja:", 9, "'\\t' that cannot start any token", "valid YAML"),
    "control character": ("The article", '"\x07"', 10, "'\\x07'", "text without control characters"),
    "list as a name": ("description: Lines", "? [a, b]\n: Lines", 1, "a list or a mapping as a name", "a plain name"),
    "value without end": ("description: Lines", "description: &a [*a]", 1, "an alias inside", "values that end"),
    "unknown encoding": ("key:", "encoding: utf-99\nkey:", 3, "encoding 'utf-99'", "such as utf-8 or latin-1"),
    "encoding of names of hosts": ("key:", "encoding: idna\nkey:", 3, "encoding 'idna'", "such as utf-8 or latin-1"),
    "encoding of bytes": ("key:", "encoding: base64\nkey:", 3, "encoding 'base64'", "such as utf-8 or latin-1"),
    "unknown time zone": ("America/Sao_Paulo", "America/Sampa", 4, "time zone 'America/Sampa'", "IANA name such as America/Sao_Paulo"),
    "this machine's time zone": ("America/Sao_Paulo", "localtime", 4, "time zone 'localtime'", "IANA name"),
    "long delimiter": ("key:", "delimiter: ';;'\nkey:", 3, "delimiter is ';;'", "at most 1 character"),
    "line feed as delimiter": ("key:", 'delimiter: "\\n"\nkey:', 3, "delimiter: '\\n'", "such as , ; |"),
    "unknown decimal mark": ("key:", "decimal: ';'\nkey:", 3, "decimal is ';'", "'.' or ','"),
    "column in capitals": ("  loja:", "  Loja:", 9, "column name 'Loja'", "lower-case letters"),
    "column with a reserved name": ("  loja:", "  quando_local_date:", 9, "made from another column", "another name"),
    "column with the name of a text": ("  loja:", "  sku__text:", 9, "made from another column", "another name"),
    "column with the name of a hash": (
        "  loja: {",
        "  cpf: {personal: true}\n  cpf__hash: {",
        10,
        "made from another column",
        "another name",
    ),
    "column with the name of a person's text": (
        "  loja: {",
        "  cpf__person: {}\n  cpf: {personal: true, ",
        9,
        "column name 'cpf__person', which is made from another column",
        "another name",
    ),
    "column without braces": ("loja: {header: Loja}", "loja:", 9, "columns.loja is None", "a mapping"),
    "unquoted no": ("  loja:", "  no:", 5, "false in columns", "unless they are quoted"),
    "personal number": (
        "quantidade: {type: integer}",
        "quantidade: {type: integer, personal: true}",
        11,
        "personal with type integer",
        "string",
    ),
    "not a truth": ("{required: true}", "{required: maybe}", 6, "columns.pedido.required is 'maybe'", "boolean"),
}


@pytest.mark.parametrize(("old", "new", "line", "found", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_line(change_yaml: Change, old: str, new: str, line: int, found: str, expected: str) -> None:
    file, at, said_found, said_expected = change_yaml(old, new).mistake()
    assert (file, at) == ("vendas.yaml", line)
    assert found in f"{said_found};"
    assert expected in said_expected


def test_a_column_may_be_called_a_hash_where_no_personal_column_has_the_name_before_it(draft: Any) -> None:
    draft.change("vendas.yaml", "{header: Loja}", "{header: Loja}\n  sku__hash: {}\n  loja__person: {personal: true}")
    assert set(draft.check()) == {"silver.sales"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "an empty file"),
        ("# nothing", "an empty file"),
        ("[]", "a list"),
        ("words", "a single value"),
        ("a: 1\n---\nb: 2", "another document"),
    ],
)
def test_a_file_that_is_no_mapping(draft: Any, text: str, found: str) -> None:
    draft.texts["vendas.yaml"] = text
    assert found in draft.mistake()[2]


def test_bytes_that_are_not_utf_8(draft: Any) -> None:
    folder = draft.write()
    (folder / "vendas.yaml").write_bytes("description: Preço".encode("latin-1"))
    with pytest.raises(ContractError, match=r"vendas.yaml: .*not UTF-8.*; expected a YAML file in UTF-8"):
        load_pack(folder)
    folder = draft.write()
    (folder / "sales.sql").write_bytes("select 'Preço'".encode("latin-1"))
    with pytest.raises(ContractError, match=r"sales.sql: .*not UTF-8.*; expected an SQL file in UTF-8"):
        load_pack(folder)


@pytest.mark.parametrize("name", ["vendas", "retail-calendar"])
def test_two_files_of_one_name_are_refused_and_none_of_them_is_taken_for_the_other(draft: Any, name: str) -> None:
    texts = {"vendas": draft.texts["vendas.yaml"], "retail-calendar": "country: BR\n"}
    for ending in ("yaml", "yml"):
        draft.texts[f"{name}.{ending}"] = texts[name]
    file, line, found, expected = draft.mistake()
    assert (file, line, found) == (f"{name}.yml", None, f"{name} a second time, beside {name}.yaml")
    assert expected == "one YAML file for each kind of file"


def test_what_editors_and_disks_of_other_systems_add_is_no_mistake(draft: Any) -> None:
    folder = draft.write()
    for name in ("vendas.yaml", "sales.sql"):
        path = folder / name
        path.write_bytes(codecs.BOM_UTF8 + path.read_bytes().replace(b"\n", b"\r\n"))
        for place in (folder, folder.parent):
            (place / f"._{name}").write_bytes(b"\x00\x05\x16\x07")
    (pack,) = load_packs((folder.parent,)).values()
    assert (list(pack.files), list(pack.mappings)) == (["vendas"], ["silver.sales"])
    assert bind(pack, "silver.sales").driver == "vendas"


@pytest.mark.parametrize(("name", "found"), [("Shop", "pack name 'Shop'"), ("a-b", "pack name 'a-b'")])
def test_the_packs_name_is_that_of_its_folder(draft: Any, name: str, found: str) -> None:
    with pytest.raises(ContractError, match=found):
        load_pack(draft.write().rename(draft.folder.parent / name))


def test_a_folder_without_contracts(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ContractError, match="expected a pack's folder, or a folder of packs"):
            load_packs((place,))
    (tmp_path / "pack").mkdir()
    with pytest.raises(ContractError, match="no YAML file"):
        load_packs((tmp_path,))
