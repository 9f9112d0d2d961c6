"""Items whose order or customer comes in another file, and in another night."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest
from tests.support.exports import OLIST_COLUMNS, land_olist
from tests.support.nights import night, read, read_all

from sales_tech.settings import Settings

FIRST, SECOND, THIRD = "2018-01", "2018-02", "2018-03"


def item(order_id: str = "o1", **columns: str) -> dict[str, str]:
    return {
        "order_id": order_id,
        "order_item_id": "1",
        "product_id": "p1",
        "seller_id": "s1",
        "price": "10.00",
        "freight_value": "2.00",
    } | columns


def order(order_id: str = "o1", **columns: str) -> dict[str, str]:
    return {
        "order_id": order_id,
        "customer_id": f"c-{order_id}",
        "order_status": "delivered",
        "order_purchase_timestamp": "2018-01-10 10:00:00",
    } | columns


def customer(order_id: str = "o1", **columns: str) -> dict[str, str]:
    return {"customer_id": f"c-{order_id}", "customer_unique_id": "someone", "customer_state": "SP"} | columns


@pytest.fixture
def lake(olist: Settings) -> Settings:
    """A lake into whose landing folder came product p1 and seller s1."""
    land_olist(olist.landing, "products", "", {"product_id": "p1"})
    land_olist(olist.landing, "sellers", "", {"seller_id": "s1", "seller_city": "sao paulo", "seller_state": "SP"})
    return olist


def only(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The one row of a table that has one."""
    (row,) = rows
    return row


def fates(lake: Settings, kind: str) -> dict[str, int]:
    """Rows of a kind of file by fate."""
    counts: Counter[str] = Counter()
    for row in read(lake, "silver.fates"):
        if row["file_kind"] == kind:
            counts[row["fate"]] += row["rows"]
    return dict(counts)


def test_an_item_waits_for_its_order(lake: Settings) -> None:
    land_olist(lake.landing, "order_items", FIRST, item("o1"), item("o2"))
    land_olist(lake.landing, "orders", FIRST, order("o1"))
    night(lake)
    waiting = only(read(lake, "silver.rejects"))
    assert (waiting["waits"], waiting["line_number"]) == (True, 3)
    assert fates(lake, "order_items") == {"accepted": 1, "rejected": 1}
    land_olist(lake.landing, "orders", SECOND, order("o2"))
    night(lake)
    assert [row["order_id"] for row in read(lake, "silver.sales")] == ["o1", "o2"]
    assert fates(lake, "order_items") == {"accepted": 2}
    assert read(lake, "silver.rejects") == []


def test_items_that_come_before_any_order_wait_too(lake: Settings) -> None:
    land_olist(lake.landing, "order_items", FIRST, item())
    night(lake)
    assert fates(lake, "order_items") == {"rejected": 1}
    land_olist(lake.landing, "orders", FIRST, order())
    night(lake)
    assert fates(lake, "order_items") == {"accepted": 1}


def test_a_status_that_changes_to_canceled_takes_the_sale_out_of_its_month(lake: Settings) -> None:
    land_olist(lake.landing, "order_items", FIRST, item("o1"), item("o2"))
    land_olist(lake.landing, "orders", FIRST, order("o1"), order("o2"))
    night(lake)
    assert only(read(lake, "gold.kpis_daily"))["orders"] == 2
    # The same file in a newer version.
    land_olist(lake.landing, "orders", FIRST, order("o1"), order("o2", order_status="canceled"))
    night(lake)
    assert {row["order_id"]: row["status"] for row in read(lake, "silver.sales")} == {"o1": "sold", "o2": "cancelled"}
    day = only(read(lake, "gold.kpis_daily"))
    assert (day["orders"], day["units"], day["cancelled_lines"]) == (1, 1, 1)
    assert fates(lake, "orders") == {"accepted": 2, "superseded": 2}
    assert fates(lake, "order_items") == {"accepted": 2}


def test_an_order_whose_date_is_corrected_moves_its_items_to_the_other_month(lake: Settings) -> None:
    land_olist(lake.landing, "order_items", FIRST, item())
    land_olist(lake.landing, "orders", FIRST, order())
    night(lake)
    land_olist(lake.landing, "orders", SECOND, order(order_purchase_timestamp="2018-02-03 09:00:00"))
    night(lake)
    assert [row["sold_on"] for row in read(lake, "silver.sales")] == [date(2018, 2, 3)]
    assert [row["sold_on"] for row in read(lake, "gold.daily_sales")] == [date(2018, 2, 3)]


def test_a_customer_who_comes_later_is_added_to_the_sale(lake: Settings) -> None:
    land_olist(lake.landing, "order_items", FIRST, item())
    land_olist(lake.landing, "orders", FIRST, order())
    night(lake)
    row = only(read(lake, "silver.sales"))
    assert (row["customer_key"], row["customer_state"]) == (None, None)
    land_olist(lake.landing, "customers", SECOND, customer())
    night(lake)
    row = only(read(lake, "silver.sales"))
    assert row["customer_key"] not in (None, "someone")
    assert row["customer_state"] == "SP"
    assert only(read(lake, "gold.customer_value"))["frequency"] == 1


def test_an_order_that_cannot_be_read_lets_its_items_wait(lake: Settings) -> None:
    land_olist(lake.landing, "order_items", FIRST, item())
    land_olist(lake.landing, "orders", FIRST, order(order_purchase_timestamp="yesterday"))
    night(lake)
    assert fates(lake, "order_items") == {"rejected": 1}
    land_olist(lake.landing, "orders", SECOND, order())
    night(lake)
    assert fates(lake, "order_items") == {"accepted": 1}


def test_a_sale_whose_order_becomes_unsound_is_taken_back_and_rejected(lake: Settings) -> None:
    land_olist(lake.landing, "order_items", FIRST, item(price="10.00"))
    land_olist(lake.landing, "orders", FIRST, order())
    night(lake)
    land_olist(lake.landing, "orders", SECOND, order(order_purchase_timestamp="1999-12-31 10:00:00"))
    night(lake)
    assert read(lake, "silver.sales") == []
    assert read(lake, "gold.daily_sales") == []
    assert fates(lake, "order_items") == {"rejected": 1}


def test_repeated_headers_in_items_and_orders_stay_ignored_when_orders_arrive_later(lake: Settings) -> None:
    land_olist(lake.landing, "order_items", FIRST, item(), ",".join(OLIST_COLUMNS["order_items"]))
    land_olist(lake.landing, "orders", FIRST, order())
    night(lake)
    assert fates(lake, "order_items") == {"accepted": 1, "ignored": 1}
    land_olist(lake.landing, "orders", SECOND, order("o2"), ",".join(OLIST_COLUMNS["orders"]))
    night(lake)
    assert fates(lake, "order_items") == {"accepted": 1, "ignored": 1}


def test_three_nights_of_everything_equal_one_night(make_settings: Any) -> None:
    nights = [
        [
            ("order_items", FIRST, [item("o1"), item("o1", order_item_id="2", product_id="p9"), item("o2")]),
            ("orders", FIRST, [order("o1")]),
        ],
        [("orders", SECOND, [order("o2"), order("o1", order_status="unavailable")]), ("customers", FIRST, [customer("o2")])],
        [
            ("order_items", THIRD, [item("o2", price="12.00"), item("o3")]),
            ("orders", THIRD, [order("o3", order_purchase_timestamp="2018-03-05 12:00:00"), order("o1")]),
            ("customers", SECOND, [customer("o1"), customer("o2", customer_state="RJ")]),
            ("products", "", [{"product_id": "p1"}, {"product_id": "p9"}]),
        ],
    ]
    many, once = make_settings("olist", name="many"), make_settings("olist", name="once")
    for lake in (many, once):
        land_olist(lake.landing, "sellers", "", {"seller_id": "s1"})
    for files in nights:
        for kind, batch, rows in files:
            for lake in (many, once):
                land_olist(lake.landing, kind, batch, *rows)
        night(many)
    night(once)
    assert read_all(many, "silver", "gold") == read_all(once, "silver", "gold")
    assert len(read(once, "silver.sales")) == 4
