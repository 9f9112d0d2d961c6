"""What poll_orders does where the API or a service does not do its part."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest
from tests.functions import orders_api
from tests.functions.orders_api import TOKEN, Fault, status
from tests.functions.polling import Poll, ids, order
from tests.support.functions import load


@pytest.mark.parametrize(
    "fault", [status(500), status(503), status(429), orders_api.truncated_json, orders_api.broken_off, status(502), status(408)]
)
def test_a_fault_that_passes_is_tried_again(poll: Poll, fault: Fault) -> None:
    poll.api.pages = [[order(1)]]
    poll.api.faults = [fault, fault]
    assert poll()["orders"] == 1
    assert len(poll.waits) == 2


def test_waits_grow_and_are_never_longer_than_twenty_seconds(poll: Poll, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll.function.api, "random", SimpleNamespace(uniform=lambda low, high: high))
    poll.api.faults = [status(500)] * 6
    assert poll.error() == "127.0.0.1/orders: status 500, 6 times in a row; expected a page of orders"
    assert poll.waits == [0.5, 1.0, 2.0, 4.0, 8.0]


def test_retry_after_is_honoured_as_seconds_and_as_a_date(poll: Poll) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    poll.api.pages = [[order(1)]]
    poll.api.faults = [status(429, Retry_After="30"), status(503, Retry_After=date), status(503, Retry_After="soon")]
    assert poll()["orders"] == 1
    assert poll.waits[0] == 30
    assert 90 < poll.waits[1] <= 100
    assert poll.waits[2] <= 2


def test_a_slow_answer_is_given_up_and_asked_for_again(poll: Poll, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll.function.api, "_PATIENCE", 0.2)
    poll.api.pages = [[order(1)]]
    poll.api.faults = [orders_api.slow]
    assert poll()["orders"] == 1


def test_a_wait_longer_than_the_time_left_ends_the_invocation_and_the_next_goes_on(poll: Poll) -> None:
    poll.api.pages = [[order(1)], [order(2)]]
    answer = poll.api.answer
    poll.api.answer = lambda request: (
        poll.api.faults.append(status(429, Retry_After="600")) if poll.api.asked == [None] else None,
        answer(request),
    )  # type: ignore[method-assign]
    assert poll(60) == {"pages": 1, "orders": 1, "stopped": "no time left: status 429"}
    poll.api.answer = answer  # type: ignore[method-assign]
    assert poll(60) == {"pages": 1, "orders": 1, "stopped": "no further page"}
    assert ids(poll.events()) == ["PED-1", "PED-2"]
    assert poll.waits == []


def test_no_page_in_an_invocations_time_is_an_error(poll: Poll) -> None:
    poll.api.faults = [status(429, Retry_After="600")]
    assert poll.error(60) == "no page in the time of this invocation: status 429"
    assert poll.error(5) == "no page in the time of this invocation: the time was over before it was asked for"


@pytest.mark.parametrize(
    ("code", "words"),
    [(401, "does not take the token"), (403, "does not take the token"), (302, "a redirect"), (400, "the cursor or ORDERS_API_URL")],
)
def test_a_fault_that_stays_is_an_error_at_once(poll: Poll, code: int, words: str) -> None:
    poll.api.faults = [status(code, Location="http://127.0.0.1:9/elsewhere")]
    assert words in poll.error()
    assert poll.api.requests == 1
    assert poll.cursor() is None


def test_a_wrong_token_is_told_and_never_shown(poll: Poll, caplog: pytest.LogCaptureFixture) -> None:
    secrets = poll.places.cloud.client("secretsmanager")
    for secret in ("wrong-token", '{"token": "wrong-token"}'):
        secrets.put_secret_value(SecretId=poll.places.bucket, SecretString=secret)
        assert "status 401, the API does not take the token" in poll.error()
    for secret in ("wrong token", "wrong-token\r\nX: y", "{}", '{"token": 7}', " "):
        secrets.put_secret_value(SecretId=poll.places.bucket, SecretString=secret)
        assert "holds no token" in poll.error()
    assert "wrong" not in caplog.text
    assert poll.api.requests == 2


def test_neither_the_token_nor_an_order_is_logged(poll: Poll, caplog: pytest.LogCaptureFixture) -> None:
    poll.api.pages = [[order(1, customer={"name": "Ana"})]]
    poll.api.faults = [status(500)]
    with caplog.at_level(logging.DEBUG, logger="poll_orders"):
        poll()
    ours = "\n".join(entry.message for entry in caplog.records if entry.name == "poll_orders")
    assert '"orders": 1' in ours
    assert TOKEN not in ours
    assert "Ana" not in ours


@pytest.mark.parametrize(
    "url", ["http://api.example.com/orders", "ftp://127.0.0.1/", "file:///etc/hosts", "api.example.com", "http://127.0.0.1.example.com/"]
)
def test_an_address_without_https_is_refused_but_on_this_machine(poll: Poll, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ORDERS_API_URL", url)
    assert "expected https:// and a host" in poll.error()


@pytest.mark.parametrize(
    ("behind", "words"),
    [
        ("/of today", "InvalidURL"),
        ("/pedidós", "UnicodeEncodeError"),
        ("#new", "ORDERS_API_URL holds a fragment, behind which no cursor would be sent; expected an address without #"),
    ],
)
def test_an_address_that_cannot_be_asked_is_told_at_once(poll: Poll, monkeypatch: pytest.MonkeyPatch, behind: str, words: str) -> None:
    poll.api.pages = [[order(1)], [order(2)]]
    monkeypatch.setenv("ORDERS_API_URL", poll.api.url + behind)
    told = poll.error()
    assert words in told
    assert "ORDERS_API_URL" in told
    assert (poll.waits, poll.api.requests, poll.cursor()) == ([], 0, None)


def test_a_blank_at_the_end_of_the_address_does_no_harm(poll: Poll, monkeypatch: pytest.MonkeyPatch) -> None:
    poll.api.pages = [[order(1)], [order(2)]]
    monkeypatch.setenv("ORDERS_API_URL", f"{poll.api.url} \n")
    assert poll()["orders"] == 2


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8o80/orders", "http://127.0.0.1:80800/orders", "https://[::1/orders", "https://a\u2100b.example.com/"]
)
def test_a_host_or_a_port_that_cannot_be_read_is_told_at_once(poll: Poll, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ORDERS_API_URL", url)
    assert poll.error() == "the host or the port of ORDERS_API_URL cannot be read; expected https://host or https://host:port"
    assert poll.waits == []


def test_a_cursor_that_no_address_can_hold_is_told(poll: Poll) -> None:
    poll.api.texts[0] = b'{"orders": [], "next_cursor": "\\ud800"}'
    assert "ORDERS_API_URL or the cursor cannot be asked for (UnicodeEncodeError)" in poll.error()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"[]", "expected an object with a list `orders`"),
        (b'{"orders": []}', "expected an object with a list `orders`"),
        (b'{"orders": {}, "next_cursor": null}', "expected an object with a list `orders`"),
        (b'{"orders": [], "next_cursor": []}', "next_cursor is list, expected text or null"),
        (b'{"orders": [], "next_cursor": true}', "next_cursor is bool, expected text or null"),
        (b"<html>", "no JSON at character 0 of 6 bytes, expected a page of orders, 6 times in a row"),
        (b'{"orders": "\xff"}', "invalid UTF-8 at byte 12"),
        (b"[" * 500_000, "nested too deep"),
        (b" " * 10_000_001, "a page of more than 10000000 bytes"),
    ],
)
def test_an_answer_that_is_no_page_is_an_error_and_the_cursor_stays(poll: Poll, text: bytes, words: str) -> None:
    poll.api.pages = [[order(1)], [order(2)]]
    poll.api.texts[1] = text
    assert words in poll.error()
    assert json.loads(poll.cursor() or "")["cursor"] == "page 1"


def test_pages_that_lead_in_a_circle_are_an_error(poll: Poll) -> None:
    poll.api.pages = [[], []]
    poll.api.texts[1] = b'{"orders": [], "next_cursor": "page 0"}'
    poll.begin_at("page 0")
    assert "leads back to a page before it" in poll.error()


def test_events_that_the_queue_did_not_take_are_sent_again(poll: Poll, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    rounds = iter([["0", "2"], ["2"], []])

    def send_message_batch(QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        refused = next(rounds)
        taken.extend(entry["MessageBody"] for entry in Entries if entry["Id"] not in refused)
        return {"Failed": [{"Id": number, "Code": "ServiceUnavailable", "SenderFault": False} for number in refused]}

    monkeypatch.setattr(
        poll.function.services, "_clients", lambda: SimpleNamespace(sqs=SimpleNamespace(send_message_batch=send_message_batch))
    )
    poll.function.services.send("queue", ["a", "b", "c"])
    assert taken == ["b", "a", "c"]


@pytest.mark.parametrize(("fault", "rounds"), [(False, 6), (True, 1)])
def test_an_event_that_the_queue_does_not_take_of_a_batch_is_an_error_at_once_where_it_is_our_fault(
    fault: bool, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, asked, waits = load("poll_orders").services, list[list[str]](), list[float]()

    def send_message_batch(QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        assert QueueUrl == "queue"
        asked.append([entry["MessageBody"] for entry in Entries])
        refused = [entry["Id"] for entry in Entries if entry["MessageBody"] in "bd"]
        return {"Failed": [{"Id": number, "Code": "Refused", "SenderFault": fault} for number in refused]}

    monkeypatch.setattr(services, "_clients", lambda: SimpleNamespace(sqs=SimpleNamespace(send_message_batch=send_message_batch)))
    monkeypatch.setattr(services, "time", SimpleNamespace(sleep=waits.append))
    monkeypatch.setattr(services, "random", SimpleNamespace(uniform=lambda _low, high: high))
    with pytest.raises(services.NotPolled) as raised:
        services.send("queue", ["a", "b", "c", "d"])
    assert str(raised.value) == "sending to queue: 2 of 4 events were not taken (Refused); the cursor stays before them"
    assert asked == [["a", "b", "c", "d"], *[["b", "d"]] * (rounds - 1)]
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2][: rounds - 1]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 0), ("", 0), ("30", 30), (" 7 ", 7), ("soon", 0), ("-5", 0), ("Sun, 01 Mar 2026 10:01:40 GMT", 100),
        ("Sun, 01 Mar 2026 09:00:00 GMT", 0), ("Sun, 01 Mar 2026 07:00:10 -0300", 10), ("Sun, 01 Mar 2026 10:00:05 -0000", 5),
        ("Sun, 01 Mar 99999999999 10:01:40 GMT", 0), ("Sun, 01 Mar 2026 10:01:40 +99999999999999", 0),
    ],
)  # fmt: skip
def test_what_a_retry_after_asks_for_in_either_of_its_forms(text: str | None, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    api = load("poll_orders").api

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime(2026, 3, 1, 10, tzinfo=UTC).astimezone(tz)

    monkeypatch.setattr(api, "datetime", Clock)
    assert api._retry_after(text) == seconds


def test_events_that_the_queue_never_takes_are_an_error_and_the_cursor_stays(poll: Poll, monkeypatch: pytest.MonkeyPatch) -> None:
    poll.api.pages = [[order(1)], []]
    monkeypatch.setenv("QUEUE_URL", f"{poll.places.queue}-gone")
    assert "NonExistentQueue" in poll.error() or "QueueDoesNotExist" in poll.error()
    assert poll.cursor() is None


def test_a_setting_that_is_missing_is_named(poll: Poll, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE")
    monkeypatch.setenv("QUEUE_URL", "")
    assert poll.error().startswith("QUEUE_URL, SOURCE not set")
