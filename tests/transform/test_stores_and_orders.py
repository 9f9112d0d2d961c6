"""Under which names dashboards show stores, and at which store an order counts."""

from __future__ import annotations

from decimal import Decimal

from tests.support.exports import land_erp, land_reference, product, sale, store
from tests.support.nights import night, read

from sales_tech.settings import Settings


def test_stores_beyond_the_twenty_greatest_are_shown_by_region(erp: Settings) -> None:
    numbers = range(1, 23)
    places = [("AM", ""), ("BA", "")] + [("SP", "Sudeste")] * 20
    rows = [store(f"L{number:02}", uf=uf, regiao=region) for number, (uf, region) in zip(numbers, places, strict=True)]
    land_erp(erp.landing, "lojas_2020", *rows)
    land_erp(erp.landing, "produtos_2020", product())
    sales = [sale(f"P{number}", loja=f"L{number:02}", quantidade=str(number)) for number in numbers]
    land_erp(erp.landing, "vendas_2026", *sales)
    night(erp)
    shown = {row["store_id"]: (row["shown_as"], row["region"], row["sales_rank"]) for row in read(erp, "gold.stores")}
    assert shown["L01"] == ("others (Norte)", "Norte", 22)
    assert shown["L02"] == ("others (Nordeste)", "Nordeste", 21)
    assert shown["L03"] == ("Loja L03", "Sudeste", 20)
    assert shown["L22"] == ("Loja L22", "Sudeste", 1)


def test_each_store_has_a_name_of_its_own(erp: Settings) -> None:
    known = [
        store("CENTRO-0001", nome="Centro"),
        store("CENTRO-0002", nome="Centro"),
        store("SEM-NOME-01", nome="", cidade="Recife", uf="XX", regiao=""),
        store("NADA", nome="", cidade="", uf="", regiao=""),
    ]
    land_erp(erp.landing, "lojas_2020", *known)
    land_erp(erp.landing, "produtos_2020", product())
    land_erp(erp.landing, "vendas_2026", *(sale(f"P{number}", loja=row["loja"]) for number, row in enumerate(known)))
    night(erp)
    names = {row["store_id"]: (row["name"], row["state"], row["region"]) for row in read(erp, "gold.stores")}
    assert names == {
        "CENTRO-0001": ("Centro (CENTRO-0001)", "SP", "Sudeste"),
        "CENTRO-0002": ("Centro (CENTRO-0002)", "SP", "Sudeste"),
        "SEM-NOME-01": ("Recife SEM-NOME", "XX", "unknown"),
        "NADA": ("NADA", "unknown", "unknown"),
    }


def test_an_order_of_two_stores_counts_at_that_of_its_first_sold_line(erp: Settings) -> None:
    land_reference(erp.landing, "A")
    land_erp(erp.landing, "lojas_2021", store("L2"), store("L3"))
    lines = [
        sale("P1", "1", loja="L3", situacao="CANCELADO"),
        sale("P1", "2", loja="L2"),
        sale("P1", "3", loja="L1"),
        sale("P2", "1", loja="L1"),
    ]
    land_erp(erp.landing, "vendas_2026", *lines)
    night(erp)
    told = {row["store_id"]: (row["orders"], row["lines"], row["customer_state"]) for row in read(erp, "gold.orders_daily")}
    assert told == {"L1": (1, 2, "unknown"), "L2": (1, 1, "unknown")}
    (kpis,) = read(erp, "gold.kpis_daily")
    assert sum(orders for orders, _, _ in told.values()) == kpis["orders"] == 2


def test_a_day_of_returns_alone_has_no_order(erp: Settings) -> None:
    land_reference(erp.landing, "A")
    land_erp(erp.landing, "vendas_2026", sale("P1", situacao="DEVOLVIDO", quantidade="-2"))
    night(erp)
    (row,) = read(erp, "gold.orders_daily")
    assert (row["orders"], row["units"]) == (0, -2)
    assert row["net_sales"] < Decimal(0)
