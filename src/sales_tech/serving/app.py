"""The application behind the port: health, answers, what it is made of, and the pages for people."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from sales_tech.serving.answers import answer, check_length, kind_of_answer
from sales_tech.serving.choices import Choices
from sales_tech.serving.openapi import document, swagger_file
from sales_tech.serving.refusals import Problem, Refused
from sales_tech.serving.requests import JSON, asked

if TYPE_CHECKING:
    from sales_tech.planning import Outlook

MOST_BYTES = 1 << 20
MOST_SECONDS = 20
PAGE = Path(__file__).with_name("page")
# The pages are whole by themselves: nothing is fetched from elsewhere, and nobody else's page may frame them.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
# Swagger UI sets styles on its elements.
DOCS_HEADERS = HEADERS | {
    "Content-Security-Policy": HEADERS["Content-Security-Policy"].replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
}
log = logging.getLogger("sales_tech.serving")


class Newer(Protocol):
    """Where an outlook came from, which may have another one by now."""

    def moved(self) -> bool:
        """Whether it is worth a look; asked at each request."""

    def read(self) -> Outlook | None:
        """The other outlook; None where there is none."""


@dataclass(frozen=True)
class _Told:
    """All that is told of one outlook; replaced at once, so that no answer is of two."""

    outlook: Outlook
    choices: Choices
    described: dict[str, Any]

    @classmethod
    def of(cls, outlook: Outlook) -> _Told:
        choices = Choices.of(outlook)
        return cls(outlook, choices, document(outlook, choices))


def application(outlook: Outlook, version: str = "", most_bytes: int | None = None, newer: Newer | None = None) -> Starlette:
    """The ASGI application that answers from one outlook, or the `newer` one; `version` names the model in the log.

    `most_bytes` is the longest answer that whoever stands before this application passes on.
    """
    routes = [
        Route("/ping", _ping, methods=["GET"]),
        Route("/invocations", _invocations, methods=["POST"]),
        Route("/choices", _choices, methods=["GET"]),
        Route("/openapi.json", _described, methods=["GET"]),
        *_pages(),
    ]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        log.info(json.dumps({"event": "serving", "model": version, **_span(outlook)}))
        yield
        log.info(json.dumps({"event": "stopped"}))

    handlers: dict[Any, Any] = {Refused: _refuse, 404: _no_page, 405: _no_method, Exception: _fail}
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
    app.state.told, app.state.most_bytes, app.state.newer, app.state.renewing = _Told.of(outlook), most_bytes, newer, Lock()
    return app


async def _told_now(request: Request) -> _Told:
    state = request.app.state
    # While one request reads, nothing moves any more; whoever asks then waits for what is read instead of being told the night before.
    if state.newer is not None and (state.newer.moved() or state.renewing.locked()):
        await anyio.to_thread.run_sync(partial(_renew, state))
    told: _Told = state.told
    return told


def _renew(state: Any) -> None:
    with state.renewing:
        # Another request may have done it meanwhile.
        outlook = state.newer.read() if state.newer.moved() else None
        if outlook is not None:
            state.told = _Told.of(outlook)
            log.info(json.dumps({"event": "renewed", **_span(outlook)}))


def _span(outlook: Outlook) -> dict[str, Any]:
    return {"origin": f"{outlook.origin:%Y-%m-%d}", "horizon": outlook.horizon}


async def _ping(request: Request) -> Response:
    return Response(status_code=200)


async def _invocations(request: Request) -> Response:
    kind = kind_of_answer(request.headers.get("accept", ""))
    body, told_now = await _body(request), await _told_now(request)
    sent, days = request.headers.get("content-type", ""), request.query_params.get("days", "yes") != "no"
    # In a thread, so that health is told while a long request is read and answered.
    told = await anyio.to_thread.run_sync(partial(_answered, told_now.outlook, body, sent, kind, days))
    check_length(told, request.app.state.most_bytes)
    return Response(told, media_type=kind, headers=HEADERS)


def _answered(outlook: Outlook, body: bytes, content_type: str, kind: str, days: bool) -> bytes:
    question = asked(body, content_type)
    return answer(outlook, question, kind, days=days and question.days)


async def _choices(request: Request) -> Response:
    told = await _told_now(request)
    return JSONResponse(told.choices.matching(request.query_params.get("sku", "")), headers=HEADERS)


async def _described(request: Request) -> Response:
    return JSONResponse((await _told_now(request)).described, headers=HEADERS)


async def _body(request: Request) -> bytes:
    # Whoever sends a byte a minute would keep a connection for days.
    try:
        with anyio.move_on_after(MOST_SECONDS):
            return await _whole(request)
    except ClientDisconnect:
        # Nobody hears this; but whoever goes away is no fault of the endpoint, which its log would tell otherwise.
        raise Refused(400, Problem("a body that was cut off", "the whole body", "send it again")) from None
    raise Refused(408, Problem(f"a body that did not end in {MOST_SECONDS} seconds", "the whole body at once", "send it again"))


async def _whole(request: Request) -> bytes:
    too_large = Refused(413, Problem(f"a body of more than {MOST_BYTES:,} bytes", f"at most {MOST_BYTES:,}", "ask in several requests"))
    if request.headers.get("content-length", "").isdecimal() and int(request.headers["content-length"]) > MOST_BYTES:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise too_large
    return bytes(body)


def _pages() -> list[Route]:
    def page(name: str, kind: str, headers: dict[str, str]) -> Callable[[Request], Response]:
        return lambda request: FileResponse(PAGE / name, media_type=kind, headers=headers)

    def swagger(request: Request) -> Response:
        return FileResponse(swagger_file(request.path_params["name"]), headers=DOCS_HEADERS)

    kinds = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    names = ("app.js", "picker.js", "words.js", "chart.js", "style.css", "icon.svg", "docs.js")
    files = [Route(f"/{name}", page(name, kinds[name.rpartition(".")[2]], HEADERS), methods=["GET"]) for name in names]
    return [
        Route("/", page("index.html", "text/html", HEADERS), methods=["GET"]),
        Route("/docs", page("docs.html", "text/html", DOCS_HEADERS), methods=["GET"]),
        Route("/docs/{name}", swagger, methods=["GET"]),
        *files,
    ]


def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    body = {"errors": [problem.told() for problem in error.problems]}
    log.info(json.dumps({"event": "refused", "status": error.status, "problems": len(error.problems)}))
    return JSONResponse(body, status_code=error.status, media_type=JSON, headers=HEADERS)


def _no_page(request: Request, error: Exception) -> Response:
    return _told(404, Problem("an address that is not there", "/ping, /invocations, /docs or /", "correct the address"))


def _no_method(request: Request, error: Exception) -> Response:
    return _told(405, Problem(f"the method {request.method[:10]}", "POST for /invocations, GET elsewhere", "use that method"))


def _fail(request: Request, error: Exception) -> Response:
    # Where it happened, but nothing of what was asked: the text of an error may quote the request.
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = f"{Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno}" if last is not None else "unknown"
    log.error(json.dumps({"event": "failed", "error": type(error).__name__, "where": where}))
    remedy = "try again; if it fails again, tell who runs this endpoint, whose log has the place"
    return _told(500, Problem("a fault of the endpoint", "an answer", remedy))


def _told(status: int, problem: Problem) -> Response:
    return JSONResponse({"errors": [problem.told()]}, status_code=status, headers=HEADERS)


def log_plainly(level: int = logging.INFO) -> None:
    """Write the log's lines to standard error as they are: each is one JSON object."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.handlers, log.propagate = [handler], False
    log.setLevel(level)
