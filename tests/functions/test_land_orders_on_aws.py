"""land_orders as it is deployed: its zip, fed from SQS, writing to S3."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.functions.events import batch, lines_of, record, text_of
from tests.support.functions import FunctionError, LambdaRunner, Poller, build_zip, load
from tests.support.places import ATTEMPTS, Places

land_orders = load("land_orders")
handler = land_orders.handler.handler


@pytest.fixture
def runner(places: Places) -> Iterator[LambdaRunner]:
    with LambdaRunner(build_zip("land_orders"), places.variables, places.cloud, name="land-orders") as running:
        yield running


def test_the_deployed_zip_lands_good_messages_at_once_and_buries_poison_with_its_reason(places: Places, runner: LambdaRunner) -> None:
    good = [text_of(number) for number in range(12)]
    poison = {
        "{": "not JSON: Expecting property name enclosed in double quotes at character 1",
        "[" * 200_000: "nested deeper than 20 levels",
    }
    ids = dict(zip(poison, places.send(*poison), strict=True))
    places.send(*good)
    poller = Poller(places.cloud, places.queue, runner, batch=20)
    first = poller.poll()
    assert (first.received, first.deleted, first.returned) == (14, 12, 2)
    assert sorted(lines_of(places.objects())) == sorted(good)
    assert places.letters() == []
    rest = poller.drain()
    assert (rest.deleted, rest.returned, rest.deaths) == (2, 2, 0)
    letters = {letter["Body"]: letter["MessageAttributes"] for letter in places.letters()}
    assert {body: found["reason"]["StringValue"] for body, found in letters.items()} == poison
    assert {body: found["original_message_id"]["StringValue"] for body, found in letters.items()} == ids
    assert runner.cold_starts == 1


def test_a_batch_delivered_again_by_sqs_writes_no_second_object(places: Places, runner: LambdaRunner) -> None:
    records = [record(text_of(number), f"m-{number}") for number in range(3)]
    assert runner.invoke(batch(*records)) == {"batchItemFailures": []}
    s3 = places.cloud.client("s3")
    s3.put_bucket_versioning(Bucket=places.bucket, VersioningConfiguration={"Status": "Enabled"})
    assert runner.invoke(batch(*records[::-1])) == {"batchItemFailures": []}
    assert len(s3.list_object_versions(Bucket=places.bucket)["Versions"]) == 1
    assert '"landed": 3, "duplicates": 0' in runner.log
    assert '"landed": 0, "duplicates": 3' in runner.log


def test_a_runtime_whose_sdk_knows_no_conditional_writes_lands_once_as_well(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    # Lambda Developer Guide, "Runtime-included SDK versions": it depends on runtime and region; nobody promises botocore 1.35.
    for name, value in places.cloud.environment.items():
        monkeypatch.setenv(name, value)
    function = load("land_orders").places
    arguments = function._s3().meta.service_model.operation_model("PutObject").input_shape.members
    arguments.pop("IfNoneMatch")
    assert function.store(f"s3://{places.bucket}", "order_events/a.jsonl.gz", b"first") is True
    assert function.store(f"s3://{places.bucket}", "order_events/a.jsonl.gz", b"second") is False
    body = places.cloud.client("s3").get_object(Bucket=places.bucket, Key="order_events/a.jsonl.gz")["Body"].read()
    assert body == b"first"


DYING = """
import os, signal, landing

def handler(event, context):
    answer = landing.handler(event, context)
    if not os.path.exists("died"):
        open("died", "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
"""


def test_a_function_killed_before_it_answers_loses_and_doubles_nothing(places: Places, runner: LambdaRunner) -> None:
    # The handler does all its work and is then killed: what was stored is delivered once more.
    (runner.code / "handler.py").rename(runner.code / "landing.py")
    (runner.code / "handler.py").write_text(DYING)
    places.send(text_of(1), text_of(2))
    poller = Poller(places.cloud, places.queue, runner)
    first = poller.poll()
    assert (first.deaths, first.returned, first.deleted) == (1, 2, 0)
    assert poller.drain().deleted == 2
    assert runner.cold_starts == 2
    assert len(places.objects()) == 1
    assert sorted(lines_of(places.objects())) == [text_of(1), text_of(2)]


def test_a_bucket_that_is_not_there_returns_good_messages_and_at_last_buries_them(places: Places) -> None:
    variables = places.variables | {"LANDING": "s3://no-such-bucket-here"}
    places.send(text_of(1))
    with LambdaRunner(build_zip("land_orders"), variables, places.cloud) as broken:
        total = Poller(places.cloud, places.queue, broken).drain()
    assert (total.received, total.returned, total.deleted) == (ATTEMPTS, ATTEMPTS - 1, 1)
    [letter] = places.letters()
    assert letter["Body"] == text_of(1)
    assert letter["MessageAttributes"]["reason"]["StringValue"] == "not stored: NoSuchBucket"


def test_dead_letters_that_cannot_be_reached_leave_poison_to_the_queues_own_redrive(places: Places) -> None:
    variables = places.variables | {"DEAD_LETTERS": f"{places.cloud.endpoint}/123456789012/no-such-queue"}
    places.send("{")
    with LambdaRunner(build_zip("land_orders"), variables, places.cloud) as broken:
        total = Poller(places.cloud, places.queue, broken).drain()
        assert '"reasons": {' in broken.log
        assert '"dead_letters": "refused: ' in broken.log
    assert (total.received, total.deleted) == (ATTEMPTS + 2, 0)
    [letter] = places.letters()
    assert letter["Body"] == "{"


def test_a_setting_that_is_missing_is_an_error_of_the_invocation(places: Places) -> None:
    with LambdaRunner(build_zip("land_orders"), {}, places.cloud) as running, pytest.raises(FunctionError, match="LANDING is not set"):
        running.invoke(batch())


@pytest.mark.parametrize("body", ["", "\x00", "\ufffe", "\ud800", "a\x0bb"])
def test_a_body_that_sqs_refuses_is_sent_as_a_json_text(places: Places, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    land_orders.places._sqs.cache_clear()
    for name, value in places.cloud.environment.items():
        monkeypatch.setenv(name, value)
    land_orders.places.bury(places.dead_letters, body, "why", "m-1")
    land_orders.places._sqs.cache_clear()
    [letter] = places.letters()
    assert json.loads(letter["Body"]) == body
    assert letter["MessageAttributes"]["body_encoding"]["StringValue"] == "json"
