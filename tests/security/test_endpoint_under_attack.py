"""Whatever is sent to the endpoint, it answers with a clear refusal, and answers the next request as before."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.models.pasts import recipe, small_past
from tests.serving.calling import Caller
from tests.serving.test_endpoint import PROMOTION

from sales_tech.serving import app as serving
from sales_tech.serving.app import MOST_BYTES, application

GOOD = json.dumps({"promotions": [PROMOTION]}).encode()
PLACES = [
    "/%2e%2e/%2e%2e/etc/passwd",
    "/docs/..%2f..%2fapp.py",
    "/docs/....//app.py",
    "/docs/%00",
    "/docs//etc/passwd",
    "/docs/C:\\x",
    "/%ff%fe",
    "/;/ping",
    "/ping/",
    "/app.js/../../app.py",
    "/" + "a" * 5_000,
]
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([10**400, 1e308, -0.0, "\u0000", "x" * 5_000]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.sampled_from(sorted(PROMOTION)), inner, max_size=4)
    ),
    max_leaves=10,
)
many = settings(max_examples=150, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def outlook() -> Any:
    return recipe().fit(small_past()).outlook_


@pytest.fixture(scope="module")
def client(outlook: Any) -> Caller:
    return Caller(application(outlook))


def refused(answer: Any) -> None:
    """It says what was found and expected, and nothing of the program."""
    assert 400 <= answer.status_code < 500, answer.text
    for problem in answer.json()["errors"]:
        assert problem["expected"]
        assert len(problem["found"]) < 500
    assert "Traceback" not in answer.text


@many
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode), st.sampled_from(["application/json", "text/csv"]))
def test_any_bytes_are_refused_in_words(client: Caller, body: bytes, kind: str) -> None:
    refused(client.post("/invocations", content=body, headers={"Content-Type": kind}))


@many
@given(st.sampled_from([*sorted(PROMOTION), "skus", "channel", "region", "display", "new"]), JSON_VALUES)
def test_any_value_in_any_field_is_answered_or_refused(client: Caller, field: str, value: Any) -> None:
    body = json.dumps({"promotions": [PROMOTION | {field: value}]})
    answer = client.post("/invocations", content=body.encode(), headers={"Content-Type": "application/json"})
    if answer.status_code != 200:
        refused(answer)


@many
@given(JSON_VALUES)
def test_any_json_is_refused_in_words(client: Caller, value: Any) -> None:
    for body in (value, {"promotions": value}, {"promotions": [PROMOTION], "depths": value}):
        answer = client.post("/invocations", content=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
        if answer.status_code != 200:
            refused(answer)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 500_000,
        b'{"a":' * 100_000,
        b'{"promotions": [{"discount_share": ' + b"9" * 500_000 + b"}]}",
        b'{"promotions": [{"discount_share": 1e999999}]}',
        b'{"promotions": [{"discount_share": NaN, "investment": Infinity}]}',
        b'{"promotions": [{"investment": -Infinity}]}',
        b'{"promotions": [{"sku": "\\ud800"}]}',
        b'{"promotions": ' + b"[{}]," * 3 + b"[]}",
        b'{"promotions": [' + b"{}," * 300_000 + b"{}]}",
        b"\x00" * 1_000,
        b"\xef\xbb\xbf{}",
        b"",
    ],
)
def test_deep_long_and_strange_bodies_are_refused(client: Caller, body: bytes) -> None:
    for kind in ("application/json", "text/csv"):
        refused(client.post("/invocations", content=body[:MOST_BYTES], headers={"Content-Type": kind}))
    assert client.post("/invocations", content=GOOD, headers={"Content-Type": "application/json"}).status_code == 200


@pytest.mark.parametrize(
    "kind", ["", "application/xml", "multipart/form-data; boundary=x", "application/json\x00", "x" * 5_000, "text/html"]
)
def test_another_type_is_refused(client: Caller, kind: str) -> None:
    refused(client.post("/invocations", content=GOOD, headers={"Content-Type": kind.encode()} if kind else {}))


@pytest.mark.parametrize("place", PLACES)
def test_no_address_leads_to_a_file_of_the_machine(client: Caller, place: str) -> None:
    answer = client.get(place)
    assert answer.status_code in (307, 404)
    assert "root:" not in answer.text
    assert "import " not in answer.text


class Running:
    """The application behind a port of this machine, as the command serves it, in a thread."""

    def __init__(self, outlook: Any) -> None:
        made = socket.create_server(("127.0.0.1", 0))
        self.address = made.getsockname()
        config = uvicorn.Config(application(outlook), access_log=False, log_config=None, server_header=False)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [made]})
        self.thread.start()

    def send(self, content: bytes, seconds: float = 10) -> bytes:
        with socket.create_connection(self.address, timeout=seconds) as connection:
            connection.sendall(content)
            return connection.recv(65_536)

    def lives(self) -> bool:
        return self.send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 200")


@pytest.fixture(scope="module")
def running(outlook: Any) -> Iterator[Running]:
    found = Running(outlook)
    yield found
    found.server.should_exit = True
    found.thread.join(20)


@pytest.mark.parametrize(
    "content",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"nonsense\r\n\r\n",
        b"GET /ping HTTP/1.1\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /ping HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET /ping HTTP/1.1\r\nHost: x\r\n" + b"X-A: 1\r\n" * 20_000 + b"\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_the_endpoint_lives_on(running: Running, content: bytes) -> None:
    try:
        said = running.send(content)
    except ConnectionError:
        said = b""
    assert said == b"" or said.startswith(b"HTTP/1.1 4")
    assert running.lives()


def test_a_body_that_is_cut_off_does_no_harm_and_is_no_fault_of_the_endpoint(
    running: Running, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(serving.log, "propagate", True)
    monkeypatch.setattr(serving.log, "level", logging.INFO)
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    for _ in range(20):
        with socket.create_connection(running.address, timeout=5) as connection:
            connection.sendall(head + b"{")
    assert running.lives()

    def told() -> list[str]:
        return [json.loads(record.getMessage())["event"] for record in caplog.records if record.name == "sales_tech.serving"]

    until = time.monotonic() + 10
    while told().count("refused") < 20 and time.monotonic() < until:
        time.sleep(0.05)
    # A request of the tests before this one, cut off as well, may be refused as late as now.
    assert told().count("refused") >= 20
    assert told().count("failed") == 0


def whole(connection: socket.socket) -> bytes:
    """An answer up to the end of its JSON."""
    said = b""
    while not said.endswith(b"}]}") and (part := connection.recv(65_536)):
        said += part
    return said


def test_many_slow_senders_stop_nobody_and_are_sent_away(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MOST_SECONDS", 1)
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    slow = [socket.create_connection(running.address, timeout=20) for _ in range(100)]
    try:
        for connection in slow:
            connection.sendall(head)
        began = time.monotonic()
        assert running.lives()
        assert time.monotonic() - began < 5
        answers = [whole(connection) for connection in slow]
    finally:
        for connection in slow:
            connection.close()
    assert {answer.split(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 408 Request Timeout"}
    assert all(b"a body that did not end in 1 seconds" in answer for answer in answers)
