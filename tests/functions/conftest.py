"""The emulator for all tests of the functions, and queues and buckets that each test has for itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from uuid import uuid4

import pytest
from tests.functions.orders_api import TOKEN, OrdersServer, running_orders_api
from tests.functions.places import ATTEMPTS, Places
from tests.functions.polling import Poll
from tests.support.cloud import REGION, Cloud, running_cloud
from tests.support.functions import load


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    with running_cloud() as running:
        yield running


@pytest.fixture
def places(cloud: Cloud) -> Places:
    name, sqs = uuid4().hex, cloud.client("sqs")
    cloud.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": ATTEMPTS + 2})
    queue = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "600"})["QueueUrl"]
    return Places(cloud, name, queue, dead)


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
