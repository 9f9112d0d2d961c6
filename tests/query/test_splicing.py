"""The text that Athena gets: what the user typed, but for the names of tables."""

from __future__ import annotations

import pytest
from sqlglot import exp

from sales_tech.engines.dialect import parse_query, tables_in
from sales_tech.lake.splicing import may_be_large, spliced


def athenas(sql: str) -> str:
    tree = parse_query(sql)
    places: list[tuple[exp.Table, str]] = [(place, f"p_{name} AT 7") for name, found in tables_in(tree).items() for place in found]
    return spliced(sql, tree, places)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("select  sku from silver.sales", 'select  sku from p_silver.sales AT 7 AS "sales"'),
        ('select s.sku from Silver."SALES" as s;', "select s.sku from p_silver.sales AT 7 as s"),
        ("select silver.sales.sku from silver.sales", 'select sales.sku from p_silver.sales AT 7 AS "sales"'),
        ("select sku from awsdatacatalog.silver.sales for version as of 12 s", "select sku from p_silver.sales AT 7 s"),
        ("select 1 from silver.sales for version as of 12", 'select 1 from p_silver.sales AT 7 AS "sales"'),
        ("select 1 from silver.sales for timestamp as of timestamp '2026-01-01' s", "select 1 from p_silver.sales AT 7 s"),
        (
            "select 1 from silver.sales for timestamp as of cast('2026-01-01' as timestamp(3)) s where 1 = 1",
            "select 1 from p_silver.sales AT 7 s where 1 = 1",
        ),
        ("select 1 from silver.sales tablesample bernoulli (5)", 'select 1 from p_silver.sales AT 7 AS "sales" tablesample bernoulli (5)'),
        ("table silver.sales", 'select * from p_silver.sales AT 7 AS "sales"'),
        ("with s as (table silver.sales) table s", 'with s as (select * from p_silver.sales AT 7 AS "sales") table s'),
        ("select 'São 🎉', silver.sales.sku from silver.sales", "select 'São 🎉', sales.sku from p_silver.sales AT 7 AS \"sales\""),
        ("with sales as (select 1 x) select x from sales -- so\n;", "with sales as (select 1 x) select x from sales"),
        ("select decimal '1.5' from a.b, c.d", 'select decimal \'1.5\' from p_a.b AT 7 AS "b", p_c.d AT 7 AS "d"'),
    ],
)
def test_only_the_names_of_tables_change(typed: str, sent: str) -> None:
    assert athenas(typed) == sent


@pytest.mark.parametrize(
    ("sql", "large"),
    [
        ("select * from silver.sales", True),
        ("select * from silver.sales order by sku", False),
        ("(select * from silver.sales order by sku)", False),
        ("(select * from silver.sales) limit 10", False),
        ("select * from silver.sales limit 10000", False),
        ("select * from silver.sales limit 10001", True),
        ("(select * from silver.sales) order by sku", False),
        ("(select * from silver.sales)", True),
        ("select * from (select * from silver.sales order by sku)", True),
        ("select * from silver.sales limit 10", False),
        ("select * from silver.sales limit 1000000", True),
        ("select * from silver.sales fetch first 5 rows only", False),
        ("select sum(quantity) from silver.sales", False),
        ("select sku, sum(quantity) from silver.sales group by sku", True),
        ("select sum(quantity) over () from silver.sales", True),
        ("select * from silver.sales union all select * from silver.sales", True),
        ("select * from silver.sales union all select * from silver.sales order by 1", False),
        ("select 1", False),
    ],
)
def test_what_may_be_large_keeps_no_order(sql: str, large: bool) -> None:
    assert may_be_large(parse_query(sql)) is large
