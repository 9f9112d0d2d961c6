"""A relay before the emulator that fails, throttles or dawdles where a test says so."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse

_OF_ONE_WAY = ("transfer-encoding", "expect", "connection", "server")  # headers that are not passed on


@dataclass(frozen=True)
class Answer:
    """What is said instead of the service's own answer."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Late:
    """The service's own answer, after some seconds."""

    seconds: float


@dataclass
class Relay:
    """A running relay: `fault` tells of the n-th request (from 1) of a kind what becomes of it; None lets it pass."""

    endpoint: str
    fault: Callable[[str, int], Answer | Late | None]
    counts: dict[str, int] = field(default_factory=dict)
    failed: int = 0
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def meet(self, kind: str) -> Answer | Late | None:
        """What becomes of one more request of a kind."""
        with self._one_at_a_time:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            met = self.fault(kind, self.counts[kind])
            self.failed += met is not None
            return met


@contextmanager
def relay(endpoint: str, fault: Callable[[str, int], Answer | Late | None]) -> Iterator[Relay]:
    """Pass on what comes to the emulator; a kind is Glue's operation, such as UpdateTable, or S3's method, such as PUT."""
    target = urlparse(endpoint)
    found: list[Relay] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self._body()
            kind = self.headers.get("X-Amz-Target", "").rpartition(".")[2] or self.command
            met = found[0].meet(kind)
            if isinstance(met, Late):
                time.sleep(met.seconds)
            if isinstance(met, Answer):
                self._say(met.status, {"Content-Type": "application/xml"}, met.body)
                return
            connection = http.client.HTTPConnection(str(target.hostname), int(target.port or 80), timeout=60)
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in ("transfer-encoding", "expect", "connection")
            }
            headers["Content-Length"] = str(len(body))
            connection.request(self.command, self.path, body, headers)
            said = connection.getresponse()
            content = said.read()
            kept = {name: value for name, value in said.getheaders() if name.lower() not in _OF_ONE_WAY}
            self._say(said.status, kept, content)
            connection.close()

        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = answer

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(parts)

        def _say(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response_only(status)
            length = headers.pop("Content-Length", None) if self.command == "HEAD" else None
            for name, value in headers.items():
                if name.lower() != "content-length":
                    self.send_header(name, value)
            self.send_header("Content-Length", length or str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.append(Relay(f"http://127.0.0.1:{server.server_port}", fault))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found[0]
    finally:
        server.shutdown()
        server.server_close()
