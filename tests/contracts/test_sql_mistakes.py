"""Mistakes in a pack's SQL, all found before any data is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Change = Callable[[str, str], Any]

MISTAKES = {
    "unknown table": ("from vendas", "from venda", 13, "table venda", "a file kind of the pack: vendas"),
    "table of a layer": ("from vendas", "from bronze.shop_vendas", 13, "table bronze.shop_vendas", "a file kind"),
    "file": ("from vendas", "from read_csv('x.csv')", None, "", ""),
    "unknown column": ("v.loja as", "v.lojas as", 7, "column lojas", "one of the columns of vendas: pedido, item, quando"),
    "unknown column within an expression": ("'BRL' as", "upper(\n        v.moeda\n    ) as", 12, "column moeda", "one of the columns"),
    "unknown alias": ("v.loja as", "w.loja as", 7, 'table "w" not found', "SQL over the pack's columns"),
    "unknown function": ("v.loja as", "shout(v.loja) as", 7, "function with name shout", "SQL over the pack's columns"),
    "unknown output": ("as store_id", "as store", 7, "column store", "a column of silver.sales: order_id, line"),
    "output that is computed": (
        "    'sold' as status",
        "    1 as net_sales,\n    'sold' as status",
        12,
        "column net_sales",
        "a column of silver.sales",
    ),
    "output that the lake fills": (
        "    'sold' as status",
        "    'x' as source,\n    'sold' as status",
        12,
        "column source",
        "a column of silver.sales",
    ),
    "missing output": ("    v.sku,\n", "", 1, "no column sku", "all required columns of silver.sales"),
    "output twice": ("    v.sku,\n", "    v.sku,\n    v.loja as sku,\n", 9, "column sku twice", "each column once"),
    "star": ("select\n", "select\n    *,\n", 3, "select *", "one named column after another"),
    "star of a table": ("select\n", "select\n    v.*,\n", 3, "select *", "one named column after another"),
    "two statements": ("vendas as v", "vendas as v; select 1", 1, "select, select", "exactly one select"),
    "syntax": ("    v.sku,", "    v.sku v.loja,", 8, "Unexpected token", "one select in Athena's SQL"),
    "open quote": ("'sold'", "'sold", 13, "Missing '", "one select in Athena's SQL"),
    "type error": (
        "v.preco as",
        "v.preco + v.quando_local_date as",
        10,
        "'+(DECIMAL(18,2), DATE)'",
        "SQL over the pack's columns and types",
    ),
    "text as a date": ("v.quando_local_date as", "v.sku as", 6, "silver.sales: column sold_on is varchar", "date"),
    "instant as a date": ("v.quando_local_date as", "v.quando as", 6, "column sold_on is timestamp with time zone", "date"),
    "text as a number": ("v.preco as", "cast(v.preco as varchar) as", 10, "column unit_price is varchar", "decimal(18,2)"),
    "where": ("vendas as v", "vendas as v\nwhere v.preco > 0", 14, "where", "every row once"),
    "group by": ("vendas as v", "vendas as v\ngroup by 1", 14, "group by", "every row once"),
    "distinct": ("select\n", "select distinct\n", 3, "select distinct", "every row once"),
    "limit": ("vendas as v", "vendas as v limit 5", 13, "limit", "every row once"),
    "inner join": ("vendas as v", "vendas as v\njoin vendas as w on v.pedido = w.pedido", 14, "a join that may lose rows", "left join"),
    "semi join": (
        "vendas as v",
        "vendas as v\nleft semi join vendas as w on v.pedido = w.pedido",
        14,
        "a join that may lose rows",
        "left join",
    ),
    "cross join": ("vendas as v", "vendas as v,\nvendas as w", 14, "a join that may lose rows", "left join"),
    "window function": ("v.preco as", "max(v.preco) over (partition by v.sku) as", 10, "a window function", "the row and its lookups"),
    "file of its own as a lookup": (
        "vendas as v",
        "vendas as v\nleft join vendas as w on v.pedido = w.pedido",
        14,
        "vendas a second time",
        "the driving file kind once",
    ),
    "union": ("vendas as v", "vendas as v union select 1", 1, "a set operation", "a plain select from one file kind"),
    "nested": ("from vendas as v", "from (select * from vendas) as v", 1, "starts from no file kind", "from one of vendas"),
    "table expression without the rows' ids": (
        "-- One row per line.\nselect\n",
        "with v as (\n    select x.pedido, x.item from vendas as x\n)\nselect\n",
        2,
        "without x.*, which loses the ids of the rows",
        "select x.*",
    ),
    "table expression with the name of a file kind": (
        "-- One row per line.\nselect\n",
        "with vendas as (select * from vendas)\nselect\n",
        1,
        "with vendas",
        "a name that no file kind of the pack has",
    ),
}


@pytest.mark.parametrize(("old", "new", "line", "found", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_line(change_sql: Change, old: str, new: str, line: int | None, found: str, expected: str) -> None:
    draft = change_sql(old, new)
    if "without x.*" in found:
        draft.change("sales.sql", "from vendas as v", "from v")
    file, at, said_found, said_expected = draft.mistake()
    assert file == "sales.sql"
    assert line is None or at == line
    assert found.lower() in said_found.lower()
    assert expected in said_expected


@pytest.mark.parametrize(
    ("inner", "outer", "select", "line"),
    [
        ("x.quando + x.sku", "y.odd", "v.preco", 4),
        ("1", "y.quando + y.sku", "v.preco", 10),
        ("1", "y.odd", "v.quando + v.sku", 21),
    ],
    ids=["in the first", "in the second", "after both"],
)
def test_a_fault_beside_table_expressions_has_its_line(change_sql: Change, inner: str, outer: str, select: str, line: int) -> None:
    first = f"with u as (\n    select\n        x.*,\n        {inner} as odd\n    from vendas as x\n),\n"
    second = f"v as (\n    select\n        y.*,\n        {outer} as more\n    from u as y\n)\nselect\n"
    draft = change_sql("-- One row per line.\nselect\n", first + second).change("sales.sql", "from vendas as v", "from v")
    _, at, found, _ = draft.change("sales.sql", "v.preco as", f"{select} as").mistake()
    assert (at, "+(TIMESTAMP" in found) == (line, True)


def test_two_tables_that_start_from_one_kind_of_file(draft: Any) -> None:
    draft.texts["stores.sql"] = "select v.loja as store_id from vendas as v"
    file, line, found, expected = draft.mistake()
    assert (file, line, found) == ("stores.sql", 1, "vendas, which sales.sql starts from too")
    assert "a row has one fate" in expected


def test_an_expression_that_is_its_own_source_ends(change_sql: Change) -> None:
    draft = change_sql("-- One row per line.\nselect\n", "with v as (select v.* from v)\nselect\n").change("sales.sql", "vendas as v", "v")
    assert draft.mistake()[2] == "table v"


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("", "nothing"),
        ("-- nothing", "nothing"),
        ("insert into x values (1)", "insert"),
        ("delete from vendas", "delete"),
        ("select 1", "without from"),
    ],
)
def test_sql_that_is_no_select(draft: Any, sql: str, found: str) -> None:
    draft.texts["sales.sql"] = sql
    assert found in draft.mistake()[2]


@pytest.mark.parametrize("table", ["fates", "rejects", "orders"])
def test_sql_for_a_table_that_packs_do_not_feed(draft: Any, table: str) -> None:
    draft.texts[f"{table}.sql"] = draft.texts.pop("sales.sql")
    file, _, found, expected = draft.mistake()
    assert (file, found) == (f"{table}.sql", f"SQL for silver.{table}")
    assert expected == "a file named after one of silver.sales, silver.products, silver.stores, silver.promotions, silver.stockouts"


@pytest.mark.parametrize(
    "source", ["select * from vendas", "select x.* from vendas as x", "select x.*, upper(x.sku) as big from VENDAS as x"]
)
def test_a_table_expression_that_keeps_the_rows_is_fine(change_sql: Change, source: str) -> None:
    draft = change_sql("-- One row per line.\nselect\n", f"with v as ({source})\nselect\n").change(
        "sales.sql", "from vendas as v", "from v"
    )
    assert draft.check()["silver.sales"].driver == "vendas"


def test_names_know_no_case(change_sql: Change) -> None:
    bound = change_sql("from vendas as v", "from Vendas as V").check()["silver.sales"]
    assert (bound.driver, bound.lookups) == ("vendas", ())


def test_a_file_that_is_looked_up(draft: Any) -> None:
    draft.texts["lojas.yaml"] = "description: Shops\nglob: lojas.csv\nkey: [loja]\ncolumns:\n  loja: {}\n  nome: {}\n"
    draft.change("sales.sql", "as v\n", "as v\nleft join lojas as l on v.loja = l.loja\n").change(
        "sales.sql", "v.loja as store_id", "l.nome as store_id"
    )
    assert draft.check()["silver.sales"].lookups == ("lojas",)
    draft.change("sales.sql", "on v.loja = l.loja", "on v.loja = l.name")
    file, line, found, expected = draft.mistake()
    assert (file, line, found) == ("sales.sql", 14, "column name")
    assert "of lojas: loja, nome" in expected


@pytest.mark.parametrize(
    ("store", "joined", "plain"),
    [
        ("l.nome", "left join lojas as l on v.loja = l.loja", True),
        ("l.nome", "left join lojas as l on v.loja = l.loja left join lojas as m on v.sku = m.loja", False),
        ("coalesce(l.nome, (select max(m.nome) from lojas as m))", "left join lojas as l on v.loja = l.loja", False),
        ("(select max(m.nome) from lojas as m where m.loja = v.loja)", "", False),
    ],
    ids=["one join", "two joins", "a join and a subquery", "a subquery"],
)
def test_only_a_lookup_that_is_joined_once_tells_the_rows_that_find_a_partner(draft: Any, store: str, joined: str, plain: bool) -> None:
    draft.texts["lojas.yaml"] = "description: Shops\nglob: lojas.csv\nkey: [loja]\ncolumns:\n  loja: {}\n  nome: {}\n"
    draft.change("sales.sql", "as v\n", f"as v\n{joined}\n").change("sales.sql", "v.loja as store_id", f"{store} as store_id")
    bound = draft.check()["silver.sales"]
    found = bound.matches("lojas", {"vendas": "d", "lojas": "x"})
    assert (found is not None) is plain


def test_the_mistakes_of_several_files_are_told_together(draft: Any) -> None:
    draft.texts["lojas.yaml"] = "description: Shops\nglob: lojas.csv\nkey: [loja]\ncolumns:\n  loja: {kind: text}\n"
    draft.change("vendas.yaml", "item: {type: integer}", "item: {type: whole}")
    assert [(file, line) for file, line, _ in draft.mistakes()] == [("lojas.yaml", 5), ("vendas.yaml", 7)]


def test_the_mistakes_of_several_mappings_are_told_together_and_each_once(draft: Any) -> None:
    draft.texts["lojas.yaml"] = "description: Shops\nglob: lojas.csv\nkey: [loja]\ncolumns:\n  loja: {}\n"
    draft.texts["stores.sql"] = "select l.loja as store_id, l.nowhere as name from lojas as l\n"
    draft.change("sales.sql", "v.loja as", "v.lojas as")
    assert draft.mistakes() == [("sales.sql", 7, "column lojas"), ("stores.sql", 1, "column nowhere")]
