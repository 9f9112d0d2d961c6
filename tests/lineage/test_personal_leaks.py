"""No column of silver or gold derives from a personal column but through the keyed hash, and a leak would be seen."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import pytest
import sqlglot

from sales_tech.contracts.pack import STREAM, Mapping, Pack, load_pack
from sales_tech.contracts.table import tables_folder
from sales_tech.engines.dialect import parse_model
from sales_tech.transform import lineage, typed
from sales_tech.transform.lineage import Flow, Flows, flows, foreign_inputs, personal_leaks

SOURCES = Path(__file__).parents[2] / "sources"
PACKS = sorted(path.name for path in SOURCES.iterdir() if path.is_dir())
Spoil = Callable[..., None]


@pytest.fixture
def erp_br() -> Pack:
    return load_pack(SOURCES / "erp_br")


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Spoil:
    """Change parts of the SQL that types the files with personal columns; what stands in braces is the bronze table."""

    def _spoil(*changes: tuple[str, str]) -> None:
        def spoiling(contract: typed.FileContract, bronze: str, *, hashed_once: Collection[str] = ()) -> str:
            sql = typed.typed_select(contract, bronze, hashed_once=hashed_once)
            for old, new in changes if contract.personal and contract.kind != STREAM else ():
                # The rows are read from bronze first, and the texts that are hashed once after that.
                times = 1 if "{bronze}" in old else -1
                sql = sql.replace(old.replace("{bronze}", bronze), new.replace("{bronze}", bronze), times)
            return sql

        monkeypatch.setattr(lineage, "typed_select", spoiling)

    return _spoil


def places(pack: Pack) -> set[tuple[str, str]]:
    return {(f"{leak.table}.{leak.column}", leak.personal.rpartition(".")[2]) for leak in personal_leaks(pack)}


@pytest.mark.parametrize("name", PACKS)
def test_no_pack_that_ships_leaks(name: str) -> None:
    pack = load_pack(SOURCES / name)
    assert any(file.personal for file in pack.files.values())
    assert [str(leak) for leak in personal_leaks(pack)] == []


def test_an_event_column_that_skips_the_hash_is_found(erp_br: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoiling(contract: typed.FileContract, bronze: str, **_once: object) -> str:
        return typed.typed_select(contract, bronze).replace('keyed_hash(clean("customer_tax_id"))', 'clean("customer_tax_id")')

    monkeypatch.setattr(lineage, "typed_select", spoiling)
    assert ("silver.sales.customer_key", "customer_tax_id") in places(erp_br)
    assert ("silver.rejects.row", "customer_tax_id") in places(erp_br)


def test_a_column_that_skips_the_hash_is_found(erp_br: Pack, spoil: Spoil) -> None:
    spoil(('keyed_hash(clean("cpf"))', 'clean("cpf")'))
    # Into the customer's key, the reject's row, and whatever asks whether the line is blank.
    assert ("silver.sales.customer_key", "cpf") in places(erp_br)
    assert ("silver.rejects.row", "cpf") in places(erp_br)
    assert {personal for _, personal in places(erp_br)} == {"cpf"}
    leak = next(leak for leak in personal_leaks(erp_br) if leak.column == "customer_key")
    assert str(leak).startswith("silver.sales.customer_key shows bronze.erp_br_vendas.cpf: ")
    assert (leak.path[0].lower(), "customer_key" in leak.path[-1]) == ('clean("erp_br_vendas"."cpf") as "cpf__text"', True)


def test_a_column_that_skips_the_hash_where_each_text_is_hashed_once_is_found(erp_br: Pack, spoil: Spoil) -> None:
    spoil(('keyed_hash(clean("cpf__person"))', 'clean("cpf__person")'))
    assert ("silver.sales.customer_key", "cpf") in places(erp_br)
    assert {personal for _, personal in places(erp_br)} == {"cpf"}


def test_a_reject_that_shows_the_text_is_found(erp_br: Pack, spoil: Spoil) -> None:
    spoil(("from {bronze}", ', "email" as "plain" from {bronze}'), ("json_object(", "json_object('e', \"plain\", "))
    assert places(erp_br) == {("silver.rejects.row", "email")}


def test_a_reason_that_quotes_the_text_is_found(erp_br: Pack, spoil: Spoil) -> None:
    spoil(("from {bronze}", ', "nome" as "plain" from {bronze}'), ("coalesce(_problem, ", "coalesce(plain, _problem, "))
    assert ("silver.rejects.reasons", "nome") in places(erp_br)


def test_text_that_goes_nowhere_is_no_leak(erp_br: Pack, spoil: Spoil) -> None:
    spoil(("from {bronze}", ', "nome" as "plain" from {bronze}'))
    assert places(erp_br) == set()


@pytest.mark.parametrize("column", ["_raw", "_extra"])
def test_an_unsplit_line_of_a_file_with_personal_columns_is_found(erp_br: Pack, spoil: Spoil, column: str) -> None:
    notice = "'the line cannot be split and may hold personal data: see the file itself'"
    spoil(("_load_id, _problem, ", f"_load_id, _problem, {column} as kept, "), (notice, "kept"))
    assert ("silver.rejects.row", column) in places(erp_br)


def test_an_unsplit_line_of_another_file_may_be_shown(erp_br: Pack) -> None:
    sql = typed.typed_select(erp_br.files["produtos"], "bronze.erp_br_produtos")
    assert not erp_br.files["produtos"].personal
    assert "_raw" in sql


def test_a_text_that_only_decides_a_fate_is_found(erp_br: Pack, spoil: Spoil) -> None:
    # A case on the name says something of the name.
    spoil(('keyed_hash(clean("nome"))', 'clean("nome")'))
    assert ("silver.fates.fate", "nome") in places(erp_br)


def test_a_leak_through_a_lookup_is_found(spoil: Spoil) -> None:
    spoil(('keyed_hash(clean("customer_unique_id"))', 'clean("customer_unique_id")'))
    # The file of customers feeds no table itself; its own rows are shown where they are rejected.
    found = places(load_pack(SOURCES / "olist"))
    assert found >= {("silver.sales.customer_key", "customer_unique_id"), ("silver.rejects.row", "customer_unique_id")}


def test_a_leak_through_the_periods_of_a_table_is_found(erp_br: Pack, spoil: Spoil) -> None:
    # Of a product, when a period ends depends on the SKU too.
    file = erp_br.files["produtos"]
    columns = {name: column.model_copy(update={"personal": name in ("sku", "marca")}) for name, column in file.columns.items()}
    pack = replace(erp_br, files={**erp_br.files, "produtos": file.model_copy(update={"columns": columns})})
    spoil(*((f'keyed_hash(clean("{name}"))', f'clean("{name}")') for name in ("sku", "marca")))
    found = places(pack)
    assert found >= {("silver.products.brand", "marca"), ("silver.products.sku", "sku"), ("silver.products.valid_to", "sku")}
    assert ("silver.products.valid_from", "sku") not in found


def test_a_pack_sees_hashes_only(erp_br: Pack) -> None:
    # Whatever a pack's SQL does with a personal column, it does to the hash.
    mapping = erp_br.mappings["silver.sales"]
    sql = mapping.sql.replace("cpf as customer_key", "concat(cpf, nome, email) as customer_key")
    pack = replace(erp_br, mappings={**erp_br.mappings, "silver.sales": Mapping(mapping.table, mapping.path, sql)})
    assert sql != mapping.sql
    assert personal_leaks(pack) == []


SECRET = Flow("lake.people.name")
KNOWN: dict[str, Flows] = {
    "lake.people": {"id": frozenset(), "name": frozenset([SECRET])},
    "lake.orders": {"id": frozenset(), "total": frozenset()},
}


@pytest.mark.parametrize(
    "sql",
    [
        "select name as x from lake.people",
        "select upper(trim(name)) || '!' as x from lake.people",
        "select p.name as x from lake.orders as o left join lake.people as p on o.id = p.id",
        "with a as (select * from lake.people), b as (select name as n from a) select n as x from b",
        "select max(name) over (partition by id) as x from lake.people",
        "select row_number() over (partition by name order by id) as x from lake.people",
        "select case when name = 'Ana' then 1 else 0 end as x from lake.people",
        "select name is null as x from lake.people",
        "select coalesce(keyed_hash(name), name) as x from lake.people",
        "select (select max(name) from lake.people) as x from lake.orders",
        "select (select max(o.total) from lake.orders as o where o.id = p.name) as x from lake.people as p",
        "select exists (select 1 from lake.people as p where p.name = 'Ana') as x from lake.orders",
        "select o.id in (select name from lake.people) as x from lake.orders as o",
        "select id as x from lake.orders union all select name from lake.people",
        "select x from (select name as x from lake.people) as inner_one",
        "select t.x from lake.people as p cross join unnest(array[p.name]) as t(x)",
        "select json_object('n' : name) as x from lake.people",
        "select sha256(to_utf8(name)) as x from lake.people",
        "select array_agg(name) as x from lake.people",
        "select struct_one.name as x from lake.people as struct_one",
    ],
)
def test_text_is_followed_through_any_query(sql: str) -> None:
    assert [flow.personal for flow in flows(sql, KNOWN)["x"]] == ["lake.people.name"]


@pytest.mark.parametrize(
    "sql",
    [
        "select keyed_hash(name) as x from lake.people",
        "select KEYED_HASH(lower(trim(name))) as x from lake.people",
        "with a as (select keyed_hash(name) as n from lake.people) select n || '!' as x from a",
        "select keyed_hash((select max(name) from lake.people)) as x from lake.orders",
        "select id as x, name as y from lake.people",
        "select p.id as x from lake.people as p where p.name is not null",
        "select o.id as x from lake.orders as o join lake.people as p on o.id = p.name",
        "select count(*) as x from lake.people",
    ],
)
def test_a_hash_or_another_column_carries_no_text(sql: str) -> None:
    assert flows(sql, KNOWN)["x"] == frozenset()


def test_a_column_that_is_not_known_is_an_error() -> None:
    with pytest.raises(sqlglot.errors.SqlglotError):
        flows("select secret from lake.people", KNOWN)


@pytest.mark.parametrize("path", sorted(tables_folder().glob("gold/*.sql")), ids=lambda path: path.stem)
def test_gold_reads_silver_and_gold_only(path: Path) -> None:
    assert foreign_inputs(parse_model(path.read_text(encoding="utf-8"), path)) == []


@pytest.mark.parametrize(
    ("sql", "foreign"),
    [
        ("select cpf from bronze.erp_br_vendas", ["bronze.erp_br_vendas"]),
        ("select s.sku from silver.sales as s join BRONZE.files as f on s.file_id = f.file_id", ["bronze.files"]),
        ("with silver as (select * from bronze.x) select * from silver", ["bronze.x"]),
        ("select * from silver.sales where sku in (select sku from bronze.x)", ["bronze.x"]),
        ("select * from silver.sales union all select * from vendas", ["vendas"]),
        ("select * from read_parquet('bronze/x.parquet')", ["READ_PARQUET('bronze/x.parquet')"]),
    ],
)
def test_a_gold_model_that_reads_elsewhere_is_found(sql: str, foreign: list[str]) -> None:
    assert foreign_inputs(parse_model(sql, Path("model.sql"))) == foreign
