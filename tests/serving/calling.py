"""Requests to an application without a port, one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from functools import partial
from typing import Any

import anyio
import httpx
from starlette.applications import Starlette


class Caller:
    """Asks an ASGI application over HTTP as a client would; a fault of the application is an answer, not an error."""

    def __init__(self, application: Starlette) -> None:
        self._transport = httpx.ASGITransport(application, raise_app_exceptions=False)

    def get(self, address: str) -> httpx.Response:
        return self._ask("GET", address)

    def post(self, address: str, **more: Any) -> httpx.Response:
        return self._ask("POST", address, **more)

    def _ask(self, method: str, address: str, **more: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            content = more.pop("content", None)
            if content is not None:
                more["content"] = content if isinstance(content, str | bytes) else _in_parts(content)
            async with httpx.AsyncClient(transport=self._transport, base_url="http://model") as client:
                return await client.request(method, address, **more)

        return anyio.run(partial(asked))


async def _in_parts(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
