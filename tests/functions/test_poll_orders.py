"""What poll_orders asks the API for, what it puts on the queue, and what a crash leaves behind."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest
from tests.functions import orders_api
from tests.functions.conftest import Places
from tests.functions.events import line
from tests.functions.orders_api import TOKEN, Fault, OrdersServer, running_orders_api, status
from tests.support.functions import LambdaRunner, Poller, build_zip, load


def order(number: int, state: str = "placed", **changes: Any) -> dict[str, Any]:
    return {
        "order_id": f"PED-{number}",
        "status": state,
        "updated_at": "2026-03-01T10:00:00-03:00",
        "ordered_at": "2026-03-01T10:00:00-03:00",
        "store_id": "LOJA-1",
        "currency": "BRL",
        "lines": [line(1)],
    } | changes


class Poll:
    """The function in this process, against the emulator and an API of the test."""

    def __init__(self, function: SimpleNamespace, api: OrdersServer, places: Places) -> None:
        self.function, self.api, self.places = function, api, places
        self.parameter = f"/{places.bucket}/cursor"
        self.waits: list[float] = []

    @property
    def variables(self) -> dict[str, str]:
        return {
            "ORDERS_API_URL": self.api.url,
            "CURSOR_PARAMETER": self.parameter,
            "TOKEN_SECRET": self.places.bucket,
            "QUEUE_URL": self.places.queue,
            "SOURCE": "erp_br",
        }

    def __call__(self, seconds: float | None = None) -> dict[str, Any]:
        context = None if seconds is None else SimpleNamespace(get_remaining_time_in_millis=lambda: round(seconds * 1000))
        return self.function.handler.handler({}, context)

    def error(self, seconds: float | None = None) -> str:
        with pytest.raises(Exception) as raised:
            self(seconds)
        assert type(raised.value).__name__ == "NotPolled"
        return str(raised.value)

    def events(self) -> list[dict[str, Any]]:
        """All events on the queue; they are hidden afterwards."""
        return [json.loads(letter["Body"]) for letter in self.places.letters(self.places.queue)]

    def cursor(self) -> str | None:
        ssm = self.places.cloud.client("ssm")
        found = ssm.get_parameters(Names=[self.parameter])["Parameters"]
        return found[0]["Value"] if found else None

    def begin_at(self, text: str) -> None:
        self.places.cloud.client("ssm").put_parameter(Name=self.parameter, Value=text, Type="String", Overwrite=True)


@pytest.fixture
def api() -> Iterator[OrdersServer]:
    with running_orders_api() as server:
        yield server


@pytest.fixture
def poll(api: OrdersServer, places: Places, monkeypatch: pytest.MonkeyPatch) -> Poll:
    """A poll whose waits are noted rather than waited."""
    found = Poll(load("poll_orders"), api, places)
    places.cloud.client("secretsmanager").create_secret(Name=places.bucket, SecretString=TOKEN)
    for name, value in (places.cloud.environment | found.variables).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(found.function.api, "time", SimpleNamespace(sleep=found.waits.append, monotonic=found.function.api.time.monotonic))
    return found


def ids(events: list[dict[str, Any]]) -> list[str]:
    return sorted(event["order"]["order_id"] for event in events)


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


def test_an_order_nested_too_deep_to_be_written_is_told_by_its_id(poll: Poll) -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    event = json.loads(poll.function.orders.event_of(order(1, gift=deep), "erp_br"))
    assert event["order"] == {"order_id": "PED-1"}
    assert event["left_out"] == "an order nested too deep to be written"


def test_batches_hold_ten_events_and_256_kilobytes_at_most(poll: Poll) -> None:
    batches = list(poll.function.services._batches(["x" * 60_000] * 9 + ["y"] * 25 + ["z" * 262_144]))
    assert [len(batch) for batch in batches] == [4, 4, 10, 10, 6, 1]
    assert all(sum(map(len, batch)) <= 262_144 for batch in batches)


@pytest.mark.parametrize("fault", [status(500), status(503), status(429), orders_api.truncated_json, orders_api.broken_off, status(502)])
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


def test_a_page_that_names_itself_as_the_next_is_the_last(poll: Poll) -> None:
    poll.api.texts[0] = b'{"orders": [], "next_cursor": "page 0"}'
    poll.begin_at("page 0")
    assert poll()["stopped"] == "no further page"


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


def test_events_that_the_queue_never_takes_are_an_error_and_the_cursor_stays(poll: Poll, monkeypatch: pytest.MonkeyPatch) -> None:
    poll.api.pages = [[order(1)], []]
    monkeypatch.setenv("QUEUE_URL", f"{poll.places.queue}-gone")
    assert "NonExistentQueue" in poll.error() or "QueueDoesNotExist" in poll.error()
    assert poll.cursor() is None


def test_a_setting_that_is_missing_is_named(poll: Poll, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE")
    monkeypatch.setenv("QUEUE_URL", "")
    assert poll.error().startswith("QUEUE_URL, SOURCE not set")


KILLED = """
import os, signal, polling, services

def once(number):
    # Dies at the second page's step, and only in the first process.
    if not os.path.exists("died"):
        counted.append(number)
        if len(counted) == 2:
            open("died", "w").close()
            os.kill(os.getpid(), signal.SIGKILL)

counted = []
send, write, batches = polling.send, polling.write_cursor, services._batches
if {step!r} == "in the middle of a page":
    def middle(events):
        for place, batch in enumerate(batches(events)):
            if place:
                once(place)
            yield batch
    services._batches = middle
if {step!r} == "after a page before its cursor":
    polling.send = lambda *args: (send(*args), once(1))
if {step!r} == "after a cursor before the next page":
    polling.write_cursor = lambda *args: (write(*args), once(1))
handler = polling.handler
"""


def landed(places: Places) -> tuple[list[str], list[dict[str, Any]]]:
    """What land_orders makes of the queue: the lines that landed, each once, and the dead letters."""
    with LambdaRunner(build_zip("land_orders"), places.variables, places.cloud) as land_orders:
        Poller(places.cloud, places.queue, land_orders, batch=100).drain()
    lines = {text for packed in places.objects().values() for text in gzip.decompress(packed).decode().splitlines()}
    return sorted(lines), places.letters()


@pytest.mark.parametrize(
    ("step", "sent"),
    [("in the middle of a page", 90), ("after a page before its cursor", 100), ("after a cursor before the next page", 80)],
)
def test_a_crash_neither_loses_nor_doubles_an_order_downstream(poll: Poll, step: str, sent: int) -> None:
    poll.api.pages = [[order(20 * page + number) for number in range(20)] for page in range(4)]
    with LambdaRunner(build_zip("poll_orders"), poll.variables, poll.places.cloud) as running:
        (running.code / "handler.py").rename(running.code / "polling.py")
        (running.code / "handler.py").write_text(KILLED.replace("{step!r}", repr(step)))
        with pytest.raises(Exception, match="the process was killed"):
            running.invoke({})
        assert running.invoke({})["stopped"] == "no further page"
        assert running.cold_starts == 2
    queue = {"QueueUrl": poll.places.queue, "AttributeNames": ["ApproximateNumberOfMessages"]}
    waiting = poll.places.cloud.client("sqs").get_queue_attributes(**queue)["Attributes"]
    assert waiting == {"ApproximateNumberOfMessages": str(sent)}
    lines, letters = landed(poll.places)
    events = [json.loads(text) for text in lines]
    assert ids(events) == sorted(f"PED-{number}" for number in range(80))
    assert len({event["event_id"] for event in events}) == 80
    assert letters == []


def test_the_deployed_zip_polls_with_real_waits(poll: Poll) -> None:
    poll.api.pages = [[order(1)], [order(2)]]
    poll.api.faults = [status(429, Retry_After="1")]
    with LambdaRunner(build_zip("poll_orders"), poll.variables, poll.places.cloud, timeout=30) as running:
        assert running.invoke({}) == {"pages": 2, "orders": 2, "stopped": "no further page"}
        assert TOKEN not in running.log
        assert '"wait_seconds": 1.0' in running.log
    assert ids(poll.events()) == ["PED-1", "PED-2"]
