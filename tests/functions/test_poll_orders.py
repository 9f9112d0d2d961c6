"""What poll_orders asks the API for, and what it puts on the queue."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.functions.polling import Poll, ids, landed, order
from tests.support.functions import load


def test_every_order_of_every_page_becomes_an_event(poll: Poll) -> None:
    poll.api.pages = [[order(number) for number in range(25)], [order(25, "cancelled"), order(26, "returned")], []]
    assert poll() == {"pages": 3, "orders": 27, "stopped": "no further page"}
    assert poll.api.asked == [None, "page 1", "page 2"]
    events = poll.events()
    assert ids(events) == sorted(f"PED-{number}" for number in range(27))
    kinds = {event["order"]["order_id"]: event["event_type"] for event in events}
    assert (kinds["PED-0"], kinds["PED-25"], kinds["PED-26"]) == ("order_placed", "order_cancelled", "item_returned")
    assert {event["occurred_at"] for event in events} == {"2026-03-01T10:00:00-03:00"}
    assert len({event["event_id"] for event in events}) == 27


def test_the_events_are_such_as_land_orders_takes(poll: Poll) -> None:
    contract = load("land_orders").contract
    poll.api.pages = [[order(number, state) for number, state in enumerate(("placed", "cancelled", "returned"))]]
    poll()
    letters = poll.places.letters(poll.places.queue)
    assert [contract.check(letter["Body"], datetime.now(UTC)) for letter in letters] == [letter["Body"] for letter in letters]
    assert len(letters) == 3


def test_the_last_page_is_asked_for_again_and_sent_only_where_it_changed(poll: Poll) -> None:
    poll.api.pages = [[order(1)], [order(2)]]
    poll()
    assert ids(poll.events()) == ["PED-1", "PED-2"]
    assert poll() == {"pages": 1, "orders": 0, "stopped": "no further page"}
    assert poll.events() == []
    poll.api.pages = [[order(1)], [order(2), order(3)], [order(4)]]
    assert poll() == {"pages": 2, "orders": 3, "stopped": "no further page"}
    assert ids(poll.events()) == ["PED-2", "PED-3", "PED-4"]
    assert poll.api.asked[2:] == ["page 1", "page 1", "page 2"]


def test_an_order_sent_twice_is_the_same_event_and_a_changed_one_is_another(poll: Poll) -> None:
    event_of = poll.function.orders.event_of
    assert event_of(order(1), "erp_br") == event_of(dict(reversed(order(1).items())), "erp_br")
    changed = [order(1), order(1, "cancelled"), order(1, updated_at="2026-03-01T10:00:01-03:00"), order(1, note="x"), order(2)]
    texts = [event_of(found, "erp_br") for found in changed] + [event_of(order(1), "olist")]
    assert len({json.loads(text)["event_id"] for text in texts}) == len(texts)


@pytest.mark.parametrize("begin", ["page 2", '{"cursor": "page 2"}'])
def test_a_cursor_written_by_hand_is_where_polling_begins(poll: Poll, begin: str) -> None:
    poll.api.pages = [[order(0)], [order(1)], [order(2)]]
    poll.begin_at(begin)
    poll()
    assert ids(poll.events()) == ["PED-2"]


def test_an_empty_cursor_begins_at_the_first_page(poll: Poll) -> None:
    poll.api.pages = [[order(0)]]
    poll.begin_at("{}")
    assert poll()["orders"] == 1


def test_amounts_keep_their_digits(poll: Poll) -> None:
    text = json.dumps({"orders": [order(1)], "next_cursor": None}).replace('"199.90"', "1234567890123456.70")
    poll.api.texts[0] = text.encode()
    poll()
    assert poll.events()[0]["order"]["lines"][0]["unit_price"] == "1234567890123456.70"


def test_what_is_no_order_goes_to_the_queue_and_from_there_to_the_dead_letters_with_a_reason(poll: Poll) -> None:
    odd = '7, null, "text", [], {"order_id": "\\ud800"}, {"order_id": "twice", "order_id": "twice"}, {"status": {}, "order_id": NaN}'
    odd += ', {"order_id": "a\x01b", "big": ' + "9" * 5000 + "}"
    poll.api.texts[0] = f'{{"orders": [{json.dumps(order(1))}, {odd}], "next_cursor": null}}'.encode()
    assert poll()["orders"] == 9
    total, letters = landed(poll.places)
    assert [json.loads(text)["order"]["order_id"] for text in total] == ["PED-1"]
    assert len(letters) == 8
    assert all(letter["MessageAttributes"]["reason"]["StringValue"] for letter in letters)


@pytest.mark.parametrize(
    ("once", "twice"),
    [
        ('"unit_price": "199.90"', '"unit_price": "99.90", "unit_price": "199.90"'),
        ('"status": "placed"', '"status": "cancelled", "status": "placed"'),
    ],
)
def test_of_two_values_under_one_name_of_an_order_none_is_believed(poll: Poll, once: str, twice: str) -> None:
    text = json.dumps({"orders": [order(1), order(2)], "next_cursor": None})
    poll.api.texts[0] = text.replace(once, twice, 1).encode()
    assert poll()["orders"] == 2
    total, letters = landed(poll.places)
    assert [json.loads(text)["order"]["order_id"] for text in total] == ["PED-2"]
    assert len(letters) == 1


def test_an_order_larger_than_a_message_is_told_by_its_id_and_the_others_go_on(poll: Poll, caplog: pytest.LogCaptureFixture) -> None:
    poll.api.pages = [[order(1), order(2, note="x" * 300_000), order(3)]]
    assert poll()["orders"] == 3
    total, letters = landed(poll.places)
    assert sorted(json.loads(text)["order"]["order_id"] for text in total) == ["PED-1", "PED-3"]
    [letter] = letters
    body = json.loads(letter["Body"])
    assert body["order"] == {"order_id": "PED-2"}
    assert body["left_out"].startswith("an order of 300")
    assert letter["MessageAttributes"]["reason"]["StringValue"].startswith("order.ordered_at: missing, expected ")
    assert body["event_id"] in caplog.text


def test_an_event_may_be_as_large_as_the_contract_takes_and_whole_numbers_are_kept_as_they_came() -> None:
    functions = load("poll_orders").orders
    empty = len(functions.event_of(order(1, note=""), "erp_br"))
    whole = functions.event_of(order(1, note="x" * (262_144 - empty)), "erp_br")
    assert len(whole) == 262_144
    assert load("land_orders").contract.check(whole, datetime.now(UTC)) == whole
    event = json.loads(functions.event_of(order(1, note="x" * (262_145 - empty)), "erp_br"))
    assert event["order"] == {"order_id": "PED-1"}
    assert event["left_out"].startswith("an order of 262145 bytes")
    assert (event["source"], event["event_type"], event["occurred_at"]) == ("erp_br", "order_placed", "2026-03-01T10:00:00-03:00")
    digits = "9" * 40
    assert functions.parse(f"[{digits}, {digits}9, 1.10, -{digits}]".encode()) == [int(digits), f"{digits}9", "1.10", f"-{digits}"]


def test_an_order_nested_too_deep_to_be_written_is_told_by_its_id(poll: Poll) -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    event = json.loads(poll.function.orders.event_of(order(1, gift=deep), "erp_br"))
    assert event["order"] == {"order_id": "PED-1"}
    assert event["left_out"] == "an order nested too deep to be written"


def test_an_order_that_no_message_can_carry_is_told_of_even_where_its_own_id_is_what_is_too_large() -> None:
    event_of = load("poll_orders").orders.event_of
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    for too_large in ("x" * 300_000, deep):
        event = json.loads(event_of(order(1, order_id=too_large), "erp_br"))
        assert event["order"] == {"order_id": None}
        assert (event["source"], event["event_type"]) == ("erp_br", "order_placed")
        assert event["left_out"].startswith("an order ")


def test_batches_hold_ten_events_and_256_kilobytes_at_most(poll: Poll) -> None:
    batches = list(poll.function.services._batches(["x" * 60_000] * 9 + ["y"] * 25 + ["z" * 262_144]))
    assert [len(batch) for batch in batches] == [4, 4, 10, 10, 6, 1]
    assert all(sum(map(len, batch)) <= 262_144 for batch in batches)


def test_a_page_that_names_itself_as_the_next_is_the_last(poll: Poll) -> None:
    poll.api.texts[0] = b'{"orders": [], "next_cursor": "page 0"}'
    poll.begin_at("page 0")
    assert poll()["stopped"] == "no further page"
