"""poll_orders in this process, and what lands of what it puts on the queue."""

from __future__ import annotations

import gzip
import json
from types import SimpleNamespace
from typing import Any

import pytest
from tests.functions.events import line
from tests.functions.orders_api import OrdersServer
from tests.support.functions import LambdaRunner, Poller, build_zip
from tests.support.places import Places


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


def ids(events: list[dict[str, Any]]) -> list[str]:
    return sorted(event["order"]["order_id"] for event in events)


def landed(places: Places) -> tuple[list[str], list[dict[str, Any]]]:
    """What land_orders makes of the queue: the lines that landed, each once, and the dead letters."""
    with LambdaRunner(build_zip("land_orders"), places.variables, places.cloud) as land_orders:
        Poller(places.cloud, places.queue, land_orders, batch=100).drain()
    lines = {text for packed in places.objects().values() for text in gzip.decompress(packed).decode().splitlines()}
    return sorted(lines), places.letters()
