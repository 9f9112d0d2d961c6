"""An orders API on the loopback interface: pages by cursor, a token, and faults on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token-that-no-log-may-show"

Fault = Callable[[BaseHTTPRequestHandler], None]


class OrdersServer:
    """Serves `pages`, each a list of orders; a fault of `faults` answers a request in place of its page.

    `asked` are the cursors of the requests that a page answered; `texts` replace the JSON of a page.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.pages: list[list[Any]] = []
        self.texts: dict[int, bytes] = {}
        self.faults: list[Fault] = []
        self.asked: list[str | None] = []
        self.requests = 0

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.requests += 1
        if self.faults:
            self.faults.pop(0)(request)
            return
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            reply(request, 401, b"no")
            return
        cursor = parse_qs(urlsplit(request.path).query).get("cursor", [None])[0]
        self.asked.append(cursor)
        number = int((cursor or "page 0").removeprefix("page "))
        following = f"page {number + 1}" if number + 1 < len(self.pages) else None
        page = {"orders": self.pages[number] if self.pages else [], "next_cursor": following}
        reply(request, 200, self.texts.get(number, json.dumps(page).encode()))


def reply(request: BaseHTTPRequestHandler, status: int, content: bytes, *, declared: int | None = None, **headers: str) -> None:
    request.send_response(status)
    request.send_header("Content-Length", str(len(content) if declared is None else declared))
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(content)


def status(code: int, **headers: str) -> Fault:
    return lambda request: reply(request, code, b"fault", **headers)


def truncated_json(request: BaseHTTPRequestHandler) -> None:
    reply(request, 200, b'{"orders": [{"order_id": "')


def broken_off(request: BaseHTTPRequestHandler) -> None:
    reply(request, 200, b'{"orders": [], "next_cursor": null}', declared=1000)


def slow(request: BaseHTTPRequestHandler) -> None:
    time.sleep(1.0)


@contextmanager
def running_orders_api() -> Iterator[OrdersServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = OrdersServer(f"http://127.0.0.1:{http.server_port}/orders")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
