"""The gold sales models over drawn silver rows of several sources, against their definitions in plain Python."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from tests.oracles import sales_oracle as oracle
from tests.support.compare import comparable

from sales_tech.contracts.table import table_contract
from sales_tech.engines.dialect import duckdb_type, quote
from sales_tech.engines.duck import DuckEngine
from sales_tech.transform import gold

Row = dict[str, Any]
Tables = dict[str, list[Row]]
STATES = [state for states in oracle.REGIONS.values() for state in states.split()]
SKUS = "ABCDEFGH"
FIRST = date(2024, 1, 30)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    opened = DuckEngine(memory_limit="200MB", threads=1, scratch=tmp_path_factory.mktemp("gold"))
    yield opened
    opened.close()


def made(engine: DuckEngine, silver: Tables) -> Tables:
    """The gold tables of silver rows, which may lack columns that no model reads."""

    def show(name: str, relation: str, known: set[str]) -> None:
        columns = {column: duckdb_type(told.type.sql) for column, told in table_contract(name).columns.items()}
        shown = (f"cast({quote(column) if column in known else 'null'} as {kind}) as {quote(column)}" for column, kind in columns.items())
        engine.materialize(name, f"select {', '.join(shown)} from {relation}")

    for name, rows in silver.items():
        given = pa.table({column: [row[column] for row in rows] for column in rows[0]})
        with engine.arrow_view("given", given):
            show(name, "given", set(given.column_names))
    found = {}
    for name in gold.MODELS:
        show(name, f"({gold.model(name).sql})", set(table_contract(name).columns))
        found[name] = engine.arrow(f"select * from {quote('gold')}.{quote(name.removeprefix('gold.'))}").to_pylist()
    return found


def expected(silver: Tables) -> Tables:
    """What the definitions make of each source by itself."""
    told: Tables = {name: [] for name in gold.MODELS}
    for source in {row["source"] for row in silver["silver.sales"]}:
        sales, products, stores = ([row for row in rows if row["source"] == source] for rows in silver.values())
        daily = oracle.daily_sales(sales, products)
        told["gold.daily_sales"] += daily
        told["gold.kpis_daily"] += oracle.kpis_daily(sales, daily)
        told["gold.orders_daily"] += oracle.orders_daily(sales)
        told["gold.product_performance"] += oracle.product_performance(daily, products)
        told["gold.stores"] += oracle.stores(daily, stores)
        told["gold.customer_value"] += oracle.customer_value(sales)
    return told


def line(source: str, order: str, number: int = 1, **columns: Any) -> Row:
    """A line of silver.sales: one unit of A at 10.00 unless something else is said."""
    row = {
        "source": source,
        "order_id": order,
        "line": str(number),
        "sold_at": datetime(2024, 1, 30, 12, tzinfo=UTC),
        "sold_on": FIRST,
        "store_id": "L1",
        "channel": "loja",
        "sku": "A",
        "customer_key": None,
        "customer_state": None,
        "quantity": 1,
        "unit_price": Decimal("10.00"),
        "discount": Decimal("0.00"),
        "currency": "BRL",
        "promotion_id": None,
        "status": "sold",
    } | columns
    return row | {"net_sales": row["quantity"] * row["unit_price"] - row["discount"]}


def period(source: str, sku: str, valid_from: date, valid_to: date | None, cost: str | None) -> Row:
    """A period of silver.products."""
    told = {"name": f"{sku} from {valid_from}", "category": "Notebooks", "brand": f"Brand of {source}"}
    return {"source": source, "sku": sku, "valid_from": valid_from, "valid_to": valid_to, "cost": Decimal(cost) if cost else None} | told


def of_sales(sales: list[Row]) -> Tables:
    """Silver in which no cost and no store is known."""
    return {"silver.sales": sales, "silver.products": [period("shop", "A", FIRST, None, None)], "silver.stores": [{"source": "shop"}]}


def drawn(seed: int) -> Tables:
    """Silver rows of three sources that name orders, SKUs, stores and customers alike.

    Their days lie so that years end and stretches part at a day, and costs change on days of sales.
    """
    chance = random.Random(seed)
    tables: Tables = {"silver.sales": [], "silver.products": [], "silver.stores": []}
    for source, currency in (("a", "BRL"), ("b", "EUR"), ("c", "BRL")):
        days = [FIRST]
        while len(days) < 6:
            days.append(days[-1] + timedelta(days=chance.choice((1, 2, 30, 182, 183, 364, 365, 366, 367))))
        for store in range(1, 28):
            place = {"state": chance.choice((*STATES, "XX", None)), "region": chance.choice((None, None, "Sul e Sudeste"))}
            place |= {"name": chance.choice((None, None, "Centro", f"Loja {store}")), "city": chance.choice((None, "Recife"))}
            tables["silver.stores"] += [{"source": source, "store_id": f"LOJA-{store:05}"} | place] if chance.random() < 0.9 else []
        for sku in SKUS:
            changed = [chance.choice(days), chance.choice(days) + timedelta(days=1)]
            starts = [date(1900, 1, 1), *sorted({*changed})][chance.randint(0, 1) :]
            for since, until in zip(starts, [*starts[1:], None], strict=True):
                tables["silver.products"].append(period(source, sku, since, until, chance.choice((None, "3.00", "4.50", "0.00"))))
        # On some days all came back, or nothing was sold for good.
        kinds = {day: chance.choice((("sold", "sold", "returned", "cancelled"),) * 3 + (("returned",), ("cancelled",))) for day in days}
        for order in range(chance.choice((10, 60))):
            day, customer = chance.choice(days), chance.choice((None, *"rstuvwxyz", *"rrrrss"))
            for number in range(1, chance.randint(2, 4)):
                sold_on = day if chance.random() < 0.9 else chance.choice(days)
                status = chance.choice(kinds[sold_on])
                sign = -1 if status == "returned" else 1
                columns = {
                    "sold_on": sold_on,
                    "store_id": f"LOJA-{chance.randint(1, 27):05}",
                    "channel": chance.choice(("loja", "online")),
                    "sku": chance.choice("AAAB" + SKUS),
                    "customer_key": customer,
                    "customer_state": chance.choice((None, "SP")),
                    "quantity": sign * chance.randint(1, 3),
                    "unit_price": Decimal(chance.choice(("0.00", "10.00", "12.50", "99.99"))),
                    "discount": sign * Decimal(chance.choice(("0.00", "0.00", "1.25"))),
                    "currency": currency,
                    "promotion_id": chance.choice((None, None, "BF25")),
                    "status": status,
                }
                tables["silver.sales"].append(line(source, f"P{order}", number, **columns))
    return tables


@pytest.mark.parametrize("seed", range(4))
def test_every_model_is_its_definition_for_each_source_by_itself(engine: DuckEngine, seed: int) -> None:
    silver = drawn(seed)
    found = made(engine, silver)
    for name, rows in expected(silver).items():
        assert comparable(found[name]) == comparable(rows), name
        assert rows


def test_a_class_ends_where_those_before_it_made_exactly_its_share(engine: DuckEngine) -> None:
    prices = {"shop": {"first": "80.00", "second": "15.00", "third": "5.00"}, "gifts": {"free": "0.00"}}
    sales = [
        line(source, sku, sku=sku, unit_price=Decimal(price), customer_key="r")
        for source, skus in prices.items()
        for sku, price in skus.items()
    ]
    classes = {row["sku"]: (row["abc_class"], row["cumulative_share"]) for row in made(engine, of_sales(sales))["gold.product_performance"]}
    assert classes == {"first": ("A", 0.8), "second": ("B", 0.95), "third": ("C", 1.0), "free": ("C", 1.0)}


def test_a_year_is_the_365_days_up_to_the_last_sale_and_a_gap_of_more_than_366_parts_days(engine: DuckEngine) -> None:
    units_by_day_before = {"year": {365: 1, 364: 2, 0: 4}, "near": {366: 8, 0: 1}, "far": {367: 8, 0: 1}, "more": {368: 5, 1: 3, 0: 3}}
    sales = [
        line(source, f"P{before}", sold_on=FIRST - timedelta(days=before), quantity=units, customer_key="r")
        for source, days in units_by_day_before.items()
        for before, units in days.items()
    ]
    tables = made(engine, of_sales(sales))
    assert {row["source"]: row["units"] for row in tables["gold.product_performance"]} == {"year": 6, "near": 1, "far": 8, "more": 6}
    assert {row["source"]: row["frequency"] for row in tables["gold.customer_value"]} == {"year": 2, "near": 1, "far": 1, "more": 2}


def test_the_frequency_score_tells_one_two_three_and_four_or_five_orders_from_more(engine: DuckEngine) -> None:
    sales = [line("shop", f"{orders}-{order}", customer_key=str(orders)) for orders in range(1, 8) for order in range(orders)]
    scores = {row["frequency"]: row["frequency_score"] for row in made(engine, of_sales(sales))["gold.customer_value"]}
    assert scores == {1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 5, 7: 5}
