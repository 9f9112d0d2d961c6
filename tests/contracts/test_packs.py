"""Packs and tables that ship, which pack counts where two have one name, and mistakes in table contracts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sales_tech.contracts.bronze import bronze_contract
from sales_tech.contracts.pack import load_pack, load_packs
from sales_tech.contracts.table import load_table, table_contract, table_names
from sales_tech.contracts.types import ColumnType
from sales_tech.engines.dialect import duckdb_type
from sales_tech.engines.duck import DuckEngine
from sales_tech.errors import ContractError
from sales_tech.transform.gold import MODELS, model
from sales_tech.transform.mapping import check_pack

SOURCES = Path(__file__).parents[2] / "sources"
PACKS = sorted(path.name for path in SOURCES.iterdir() if path.is_dir())


@pytest.mark.parametrize("name", PACKS)
def test_every_pack_that_ships_binds(name: str, engine: DuckEngine) -> None:
    pack = load_pack(SOURCES / name)
    assert set(check_pack(pack, engine)) == set(pack.mappings)
    assert "silver.sales" in pack.mappings
    for kind in pack.files:
        assert bronze_contract(pack, kind).name == f"bronze.{name}_{kind}"


@pytest.mark.parametrize("name", table_names())
def test_every_table_that_ships_loads(name: str, engine: DuckEngine) -> None:
    contract = table_contract(name)
    assert contract.name == name
    assert all(column.description for column in contract.columns.values())
    engine.view("empty_table", [], {column: kind.type.sql for column, kind in contract.columns.items()})
    for check in contract.checks:
        assert list(engine.describe(f"select {check.sql} as kept from empty_table").values()) == ["BOOLEAN"], check.sql
    for column in contract.columns.values():
        for expression in (column.default, column.derived):
            engine.describe(f"select cast({expression or 'null'} as {duckdb_type(column.type.sql)}) from empty_table")
    for read in contract.inputs:
        assert read in table_names()


@pytest.mark.parametrize("name", MODELS)
def test_every_gold_model_gives_the_columns_of_its_contract(name: str, engine: DuckEngine) -> None:
    current = model(name)
    for table in current.contract.inputs:
        engine.view(table, [], {column: kind.type.sql for column, kind in table_contract(table).columns.items()})
    assert set(current.contract.columns) <= set(engine.describe(current.sql))


def test_a_later_place_replaces_a_pack_of_the_same_name(draft: Any, tmp_path: Path) -> None:
    draft.write()
    second = tmp_path / "mine" / "shop"
    second.mkdir(parents=True)
    (second / "pedidos.yaml").write_text("description: x\nglob: x.csv\nkey: [a]\ncolumns: {a: {}}\n", encoding="utf-8")
    (tmp_path / "mine" / "_drafts").mkdir()
    assert list(load_packs((draft.folder,))["shop"].files) == ["vendas"]
    for places in ((draft.folder, second), (draft.folder, second.parent)):
        packs = load_packs(places)
        assert [(pack.name, list(pack.files), list(pack.mappings)) for pack in packs.values()] == [("shop", ["pedidos"], [])]
    assert list(load_packs((second, draft.folder))["shop"].files) == ["vendas"]


TABLE = """\
description: One row per thing.
grain: [a]
partition: [month(day)]
columns:
  a: {type: long, description: First}
  day: {type: date, description: Second}
history: {valid_from: day, valid_to: day}
references:
  - {table: silver.products, columns: {a: sku}}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "found"),
    [
        ("grain: [a]", "grain: [x]", 2, "grain names column x"),
        ("month(day)", "month(x)", 3, "partition names column x"),
        ("month(day)", "year(day)", 3, "partition 'year(day)'"),
        ("type: long", "type: text", 5, "columns.a.type: type 'text'"),
        (", description: Second", "", 6, "no columns.day.description"),
        ("grain:", "grains: [a]\ngrain:", 2, "unknown setting grains"),
        ("valid_to: day", "valid_to: x", 7, "history names column x"),
        ("{a: sku}", "{x: sku}", 9, "the reference names column x"),
    ],
)
def test_a_mistake_in_a_table_contract_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, found: str) -> None:
    (tmp_path / "gold").mkdir()
    path = tmp_path / "gold" / "things.yaml"
    path.write_text(TABLE.replace(old, new), encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        load_table(path)
    assert (caught.value.path, caught.value.line) == (path, line)
    assert found in caught.value.found


@pytest.mark.parametrize(
    "text", ["string", "int", "long", "double", "boolean", "date", "timestamptz", "decimal(18,2)", "decimal(38,38)", "decimal(1, 0)"]
)
def test_a_type_reads_back(text: str) -> None:
    assert ColumnType.parse(str(ColumnType.parse(text))) == ColumnType.parse(text)


@pytest.mark.parametrize(
    "text", ["", "varchar", "decimal", "decimal(0,0)", "decimal(39,2)", "decimal(2,3)", "decimal(2,-1)", "DATE", "list<int>"]
)
def test_an_unknown_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected one of string"):
        ColumnType.parse(text)
