"""Queues and buckets that each test of the functions has for itself."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from tests.functions.orders_api import TOKEN, OrdersServer, running_orders_api
from tests.functions.polling import Poll
from tests.support.cloud import Cloud
from tests.support.functions import load
from tests.support.places import Places


@pytest.fixture
def places(cloud: Cloud) -> Places:
    return Places.make(cloud)


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
