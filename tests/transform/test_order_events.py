"""Order events meet the batch exports in silver: one order is one order, whoever told of it, and in whichever order."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.support.events import amended, cancelled, land_events, line, placed, returned
from tests.support.exports import land_erp, land_reference, product, sale
from tests.support.nights import BOTH_PLACES, file_paths, night, read, snapshots

from sales_tech.settings import Settings


@pytest.fixture
def shop(erp: Settings) -> Settings:
    """A lake that knows store L1 and the SKUs A and B."""
    land_reference(erp.landing, "A", "B")
    return erp


def lines(settings: Settings, *columns: str) -> list[tuple[Any, ...]]:
    """Order, line and some columns of silver.sales."""
    return sorted(tuple(row[name] for name in ("order_id", "line", *columns)) for row in read(settings, "silver.sales"))


def fates(settings: Settings, kind: str = "order_events") -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in read(settings, "silver.fates"):
        if row["file_kind"] == kind:
            counts[row["fate"]] = counts.get(row["fate"], 0) + row["rows"]
    return counts


def test_an_order_of_two_lines_becomes_two_sales(shop: Settings) -> None:
    land_events(shop.landing, placed("P1", "2026-01-10T23:30:00-03:00", line("1"), line("2", sku="B", quantity=3, discount="1.50")))
    night(shop)
    assert lines(shop, "sku", "net_sales", "sold_on", "stated_by") == [
        ("P1", "1", "A", Decimal("10.00"), date(2026, 1, 10), "order_events"),
        ("P1", "2", "B", Decimal("28.50"), date(2026, 1, 10), "order_events"),
    ]


def test_a_moment_in_utc_belongs_to_the_shops_own_day(shop: Settings) -> None:
    land_events(shop.landing, placed("P1", "2026-01-11T02:30:00Z"))
    night(shop)
    assert lines(shop, "sold_on") == [("P1", "1", date(2026, 1, 10))]


@BOTH_PLACES
def test_an_order_seen_both_ways_is_one_order_and_the_later_fact_wins(shop: Settings) -> None:
    land_events(shop.landing, placed("P1"))
    night(shop)
    land_erp(shop.landing, "vendas_2026_01", sale("P1", preco="11,00", atualizado_em="10/01/2026 12:00:00"))
    night(shop)
    assert lines(shop, "unit_price", "stated_by") == [("P1", "1", Decimal("11.00"), "vendas")]
    land_events(shop.landing, amended(placed("P1"), "2026-01-10T13:00:00-03:00", lines=[line(unit_price="12.00")]))
    night(shop)
    assert lines(shop, "unit_price", "stated_by") == [("P1", "1", Decimal("12.00"), "order_events")]
    assert fates(shop) == {"superseded": 1, "accepted": 1}
    assert fates(shop, "vendas") == {"superseded": 1}


def test_the_books_count_where_file_and_event_are_of_the_same_moment(shop: Settings) -> None:
    land_erp(shop.landing, "vendas_2026_01", sale("P1", preco="11,00"))
    night(shop)
    land_events(shop.landing, placed("P1"))
    night(shop)
    assert lines(shop, "unit_price", "stated_by") == [("P1", "1", Decimal("11.00"), "vendas")]


def test_a_cancelled_order_is_not_a_sale(shop: Settings) -> None:
    land_events(shop.landing, placed("P1"), placed("P2"), cancelled("P1"))
    night(shop)
    assert lines(shop, "status") == [("P1", "1", "cancelled"), ("P2", "1", "sold")]
    assert sum(row["net_sales"] for row in read(shop, "gold.daily_sales")) == Decimal("10.00")


def test_only_the_named_lines_are_cancelled(shop: Settings) -> None:
    land_events(
        shop.landing, placed("P1", "2026-01-10T10:00:00-03:00", line("1"), line("2")), cancelled("P1", "2026-01-11T10:00:00-03:00", "2")
    )
    night(shop)
    assert lines(shop, "status") == [("P1", "1", "sold"), ("P1", "2", "cancelled")]


def test_an_event_can_cancel_what_a_file_stated(shop: Settings) -> None:
    land_erp(shop.landing, "vendas_2026_01", sale("P1", quantidade="2"))
    night(shop)
    land_events(shop.landing, cancelled("P1"))
    night(shop)
    assert lines(shop, "status", "quantity", "stated_by") == [("P1", "1", "cancelled", 2, "vendas")]
    assert (fates(shop), fates(shop, "vendas")) == ({"accepted": 1}, {"superseded": 1})


def test_a_line_that_a_month_exported_again_no_longer_has_stays_until_an_event_cancels_it(shop: Settings) -> None:
    land_erp(shop.landing, "vendas_2026_01", sale("P1"), sale("P2"))
    night(shop)
    land_erp(shop.landing, "vendas_2026_01", sale("P1", quantidade="5", atualizado_em="11/01/2026 10:00:00"))
    night(shop)
    assert lines(shop, "quantity", "status") == [("P1", "1", 5, "sold"), ("P2", "1", 1, "sold")]
    land_events(shop.landing, cancelled("P2", "2026-01-12T10:00:00-03:00"))
    night(shop)
    assert lines(shop, "quantity", "status") == [("P1", "1", 5, "sold"), ("P2", "1", 1, "cancelled")]


@BOTH_PLACES
def test_a_cancellation_before_its_order_waits_for_it(shop: Settings) -> None:
    land_events(shop.landing, cancelled("P1"))
    night(shop)
    assert lines(shop) == []
    (waiting,) = read(shop, "silver.rejects")
    assert waiting["waits"]
    assert waiting["reasons"] == "order_id: no such order line yet; the cancellation waits for it"
    land_events(shop.landing, placed("P1"))
    night(shop)
    assert lines(shop, "status", "sku") == [("P1", "1", "cancelled", "A")]
    assert read(shop, "silver.rejects") == []
    assert fates(shop) == {"accepted": 1, "superseded": 1}


def test_a_cancellation_waits_for_an_order_that_comes_by_file(shop: Settings) -> None:
    land_events(shop.landing, cancelled("P1"))
    night(shop)
    land_erp(shop.landing, "vendas_2026_01", sale("P1"))
    night(shop)
    assert lines(shop, "status", "stated_by") == [("P1", "1", "cancelled", "vendas")]


def test_a_fact_after_a_cancellation_revives_the_order(shop: Settings) -> None:
    land_events(shop.landing, placed("P1"), cancelled("P1", "2026-01-11T10:00:00-03:00"))
    night(shop)
    land_erp(shop.landing, "vendas_2026_01", sale("P1", atualizado_em="12/01/2026 08:00:00"))
    night(shop)
    assert lines(shop, "status", "stated_by") == [("P1", "1", "sold", "vendas")]


def test_a_correction_from_before_the_cancellation_changes_what_was_cancelled(shop: Settings) -> None:
    land_events(shop.landing, placed("P1"), cancelled("P1", "2026-01-20T10:00:00-03:00"))
    night(shop)
    land_erp(shop.landing, "vendas_2026_01", sale("P1", preco="12,00", atualizado_em="15/01/2026 08:00:00"))
    night(shop)
    assert lines(shop, "status", "unit_price", "stated_by") == [("P1", "1", "cancelled", Decimal("12.00"), "vendas")]
    # And one from before that one changes nothing.
    land_events(shop.landing, amended(placed("P1"), "2026-01-14T10:00:00-03:00", lines=[line(unit_price="99.00")]))
    night(shop)
    assert lines(shop, "unit_price") == [("P1", "1", Decimal("12.00"))]


def test_a_return_is_an_order_of_its_own_and_counts_negative_on_its_own_day(shop: Settings) -> None:
    bought, back = placed("P1", "2026-01-10T10:00:00-03:00", line(quantity=2)), returned("R1", "P1", "2026-02-03T15:00:00-03:00", line())
    land_events(shop.landing, bought, back)
    night(shop)
    assert lines(shop, "status", "quantity", "sold_on") == [
        ("P1", "1", "sold", 2, date(2026, 1, 10)),
        ("R1", "1", "returned", -1, date(2026, 2, 3)),
    ]


def test_a_cancelled_return_is_a_line_with_positive_amounts_that_is_no_sale(shop: Settings) -> None:
    land_events(
        shop.landing, returned("R1", "P1", "2026-02-03T15:00:00-03:00", line(discount="1.00")), cancelled("R1", "2026-02-04T09:00:00-03:00")
    )
    night(shop)
    assert lines(shop, "status", "quantity", "net_sales") == [("R1", "1", "cancelled", 1, Decimal("9.00"))]
    assert read(shop, "gold.daily_sales") == []


def test_the_same_event_in_two_objects_counts_once(shop: Settings) -> None:
    land_events(shop.landing, placed("P1"), placed("P2"))
    land_events(shop.landing, placed("P1"))
    night(shop)
    assert lines(shop) == [("P1", "1"), ("P2", "1")]
    assert fates(shop) == {"accepted": 2, "superseded": 1}


def test_of_two_events_of_one_moment_the_same_one_counts_whichever_comes_again(shop: Settings) -> None:
    first, second = (placed("P1", "2026-01-10T10:00:00-03:00", line(unit_price=price)) for price in ("11.00", "12.00"))
    found = []
    for number, event in enumerate((first, second, first, second), start=1):
        land_events(shop.landing, event, placed(f"P9{number}"))  # each in an object of its own
        night(shop)
        found.append(lines(shop, "unit_price")[0])
    assert found[1:] == [found[1]] * 3
    land_events(shop.landing, cancelled("P1"))
    night(shop)
    land_events(shop.landing, first, placed("P95"))
    night(shop)
    assert lines(shop, "unit_price", "status")[0] == (*found[1], "cancelled")


def test_an_event_of_an_unknown_product_waits_for_it(shop: Settings) -> None:
    land_events(shop.landing, placed("P1", "2026-01-10T10:00:00-03:00", line(sku="C")), cancelled("P1"))
    night(shop)
    assert {row["reasons"].partition(":")[0] for row in read(shop, "silver.rejects")} == {"sku", "order_id"}
    land_erp(shop.landing, "produtos_2026", product("C"))
    night(shop)
    assert lines(shop, "status", "sku") == [("P1", "1", "cancelled", "C")]
    assert read(shop, "silver.rejects") == []


@BOTH_PLACES
def test_a_late_event_rebuilds_only_the_month_it_belongs_to(shop: Settings) -> None:
    land_events(shop.landing, *(placed(f"P{month}", f"2026-0{month}-10T10:00:00-03:00") for month in (1, 2, 3)))
    night(shop)
    before = {table: file_paths(shop, table) for table in ("silver.sales", "gold.daily_sales", "gold.kpis_daily")}
    land_events(shop.landing, placed("P9", "2026-02-20T10:00:00-03:00"))
    night(shop)
    for table, files in before.items():
        after = file_paths(shop, table)
        assert {partition for partition, paths in after.items() if paths != files[partition]} == {("erp_br", 56 * 12 + 1)}


@BOTH_PLACES
def test_a_second_run_makes_no_snapshot(shop: Settings) -> None:
    land_events(shop.landing, placed("P1"), cancelled("P2"))
    night(shop)
    before = snapshots(shop)
    night(shop)
    assert snapshots(shop) == before


def test_judging_everything_anew_gives_the_same_lines(shop: Settings) -> None:
    land_events(shop.landing, placed("P1"), cancelled("P1", "2026-01-20T10:00:00-03:00"), cancelled("P3"))
    land_erp(shop.landing, "vendas_2026_01", sale("P2"))
    night(shop)
    land_events(shop.landing, amended(placed("P1"), "2026-01-12T10:00:00-03:00", lines=[line(unit_price="9.00")]), cancelled("P2"))
    night(shop)
    before = {table: read(shop, table) for table in ("silver.sales", "silver.fates", "silver.rejects", "gold.daily_sales")}
    night(shop, force=True)
    assert {table: read(shop, table) for table in before} == before


def test_a_line_with_a_wrong_amount_is_rejected_with_its_reasons(shop: Settings) -> None:
    land_events(shop.landing, placed("P1", "2026-01-10T10:00:00-03:00", line(quantity=0), line("2", unit_price="1.999")))
    night(shop)
    reasons = {row["line_number"]: row["reasons"] for row in read(shop, "silver.rejects")}
    assert reasons == {1: "quantity: zero", 2: "unit_price: not a decimal(18,2)"}


def test_events_of_a_source_without_a_pack_stay_in_bronze_and_are_told(shop: Settings) -> None:
    land_events(shop.landing, placed("P1") | {"source": "acme"}, placed("P2"))
    results = night(shop)
    assert lines(shop) == [("P2", "1")]
    assert results["ingest/order_events"].notes == ["order events of acme wait in bronze until a run knows a pack of that name"]
    assert {row["source"] for row in read(shop, "bronze.order_events")} == {"acme", "erp_br"}


def test_no_personal_text_of_an_event_reaches_silver(shop: Settings) -> None:
    customer = {"tax_id": "111.444.777-35", "name": "Ana Conceição", "email": "ana@example.com", "state": "SP"}
    land_events(shop.landing, placed("P1", customer=customer), placed("P2", "2026-01-10T10:00:00-03:00", line(sku="C"), customer=customer))
    land_erp(shop.landing, "vendas_2026_01", sale("P3"))
    night(shop)
    rows = read(shop, "silver.sales") + read(shop, "silver.rejects")
    assert not any(text in str(row) for row in rows for text in ("111.444", "Ana", "ana@"))
    keys = {row["order_id"]: row["customer_key"] for row in read(shop, "silver.sales")}
    # The same customer has the same key, by file or by event.
    assert keys["P1"] == keys["P3"] is not None
