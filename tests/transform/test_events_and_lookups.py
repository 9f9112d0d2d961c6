"""Events beside statements that change under them: whatever came first, a night ends where judging everything anew ends."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.compare import comparable
from tests.support.events import Event, cancelled, land_events, line, placed
from tests.support.exports import land_erp, land_olist, land_reference, product, sale
from tests.support.nights import REPOSITORY, night, read

from sales_tech.settings import Settings

Edit = Callable[[Path], None]


def outcome(lake: Settings) -> dict[str, Any]:
    return {table: comparable(read(lake, table)) for table in ("silver.sales", "silver.fates", "silver.rejects", "gold.daily_sales")}


def as_if_anew(lake: Settings) -> list[dict[str, Any]]:
    """The lines of silver.sales; fails unless judging everything anew gives the same tables."""
    before = outcome(lake)
    rows = read(lake, "silver.sales")
    night(lake, force=True)
    assert outcome(lake) == before
    return rows


def with_pack(settings: Settings, folder: Path, pack: str, edit: Edit) -> Settings:
    """The settings with a changed copy of a pack."""
    shutil.copytree(REPOSITORY / "sources" / pack, folder / pack)
    edit(folder / pack)
    return replace(settings, sources=(folder / pack,))


def of_olist(event: Event) -> Event:
    return event | {"source": "olist"}


def land_olist_order(landing: Path, **item: str) -> None:
    """Product A, seller L1, and order P1 with one item."""
    land_olist(landing, "products", "", {"product_id": "A", "product_category_name": "audio"})
    land_olist(landing, "sellers", "", {"seller_id": "L1", "seller_state": "SP"})
    land_olist(landing, "customers", "2018-01", {"customer_id": "K", "customer_unique_id": "U", "customer_state": "SP"})
    land_order(landing, "2018-01")
    row = {"order_id": "P1", "order_item_id": "1", "product_id": "A", "seller_id": "L1", "price": "10.00", "freight_value": "1.00"}
    land_olist(landing, "order_items", "2018-01", row | item)


def land_order(landing: Path, batch: str, purchased: str = "2018-01-05 10:00:00") -> None:
    order = {"order_id": "P1", "customer_id": "K", "order_status": "delivered", "order_purchase_timestamp": purchased}
    land_olist(landing, "orders", batch, order)


def test_two_sources_in_one_object_are_both_accounted_for(make_settings: Callable[..., Settings]) -> None:
    lake = make_settings("erp_br", "tech_sales_2019")
    land_reference(lake.landing, "A")
    land_events(lake.landing, placed("P1"), placed("P2") | {"source": "tech_sales_2019"})
    night(lake)
    assert sorted((row["source"], row["order_id"]) for row in as_if_anew(lake)) == [("erp_br", "P1"), ("tech_sales_2019", "P2")]


def test_a_replayed_statement_does_not_beat_a_later_one_of_the_same_moment_under_a_cancellation(erp: Settings) -> None:
    land_reference(erp.landing, "A")
    land_erp(erp.landing, "vendas_1", sale("P1", sku="C", preco="11,00"))
    night(erp)
    land_erp(erp.landing, "vendas_2", sale("P1", preco="22,00"))
    land_events(erp.landing, cancelled("P1"))
    night(erp)
    land_erp(erp.landing, "produtos_2026", product("C"))
    night(erp)
    (row,) = as_if_anew(erp)
    assert (row["sku"], row["status"]) == ("A", "cancelled")


def test_a_cancellation_whose_statement_falls_waits_again(olist: Settings) -> None:
    land_olist_order(olist.landing)
    land_events(olist.landing, of_olist(cancelled("P1", "2018-01-06T10:00:00Z")))
    night(olist)
    assert [row["status"] for row in read(olist, "silver.sales")] == ["cancelled"]
    # A later row of the order says that it was bought when no shop was online.
    land_order(olist.landing, "2018-02", purchased="1999-01-05 10:00:00")
    night(olist)
    assert as_if_anew(olist) == []
    assert {row["waits"] for row in read(olist, "silver.rejects") if row["file_kind"] == "order_events"} == {True}


@pytest.mark.parametrize("last", ["stated by an event", "cancelled before the file's word"])
def test_what_a_fallen_statement_had_superseded_takes_its_place(olist: Settings, tmp_path: Path, last: str) -> None:
    def versioned(pack: Path) -> None:
        path = pack / "order_items.yaml"
        path.write_text(path.read_text().replace("columns:", "version: shipping_limit_date\ncolumns:", 1))

    lake = with_pack(olist, tmp_path / "packs", "olist", versioned)
    land_olist_order(lake.landing, shipping_limit_date="2018-01-09 10:00:00")
    events = [placed("P1", "2018-01-06T10:00:00Z", line(unit_price="12.00"))]
    if last.startswith("cancelled"):
        events.append(cancelled("P1", "2018-01-07T10:00:00Z"))
    land_events(lake.landing, *map(of_olist, events))
    night(lake)
    assert [row["stated_by"] for row in read(lake, "silver.sales")] == ["order_items"]
    land_order(lake.landing, "2018-02", purchased="1999-01-05 10:00:00")
    night(lake)
    (row,) = as_if_anew(lake)
    assert (row["stated_by"], row["status"]) == ("order_events", "cancelled" if last.startswith("cancelled") else "sold")


@pytest.mark.parametrize(("zone", "day"), [("UTC", 11), ("Asia/Tokyo", 11), ("America/Sao_Paulo", 10)])
def test_an_event_falls_on_the_day_of_the_packs_sales_files(erp: Settings, tmp_path: Path, zone: str, day: int) -> None:
    def moved(pack: Path) -> None:
        path = pack / "vendas.yaml"
        path.write_text(path.read_text().replace("timezone: America/Sao_Paulo", f"timezone: {zone}"))

    lake = with_pack(erp, tmp_path / "packs", "erp_br", moved)
    land_reference(lake.landing, "A")
    land_events(lake.landing, placed("P1", "2026-01-11T02:30:00Z"))
    night(lake)
    assert [row["sold_on"].day for row in read(lake, "silver.sales")] == [day]


def test_a_cancellation_is_not_held_up_by_fields_it_does_not_need(erp: Settings) -> None:
    land_reference(erp.landing, "A")
    event = cancelled("P1")
    event["order"] |= {"ordered_at": "10/01/2026", "lines": [{"line": "1", "quantity": "2.5"}]}
    land_events(erp.landing, placed("P1"), event)
    night(erp)
    assert [row["status"] for row in read(erp, "silver.sales")] == ["cancelled"]


def test_a_cancellation_from_a_time_that_no_table_takes_is_rejected(erp: Settings) -> None:
    land_reference(erp.landing, "A")
    land_events(erp.landing, placed("P1"), cancelled("P1", "2150-01-01T00:00:00Z"))
    night(erp)
    assert [row["status"] for row in read(erp, "silver.sales")] == ["sold"]
    assert [row["reasons"] for row in read(erp, "silver.rejects")] == ["updated_at: after the year 2099"]


def test_a_cancellation_leaves_the_amounts_of_a_sale_as_they_were(erp: Settings) -> None:
    land_reference(erp.landing, "A")
    land_erp(erp.landing, "vendas_1", sale("P1", desconto="-5,00"))
    night(erp)
    land_events(erp.landing, cancelled("P1"))
    night(erp)
    (row,) = as_if_anew(erp)
    assert (str(row["discount"]), str(row["net_sales"])) == ("-5.00", "15.00")
