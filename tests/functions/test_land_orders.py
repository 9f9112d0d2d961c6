"""What land_orders does with a batch: in folders, with S3 and SQS, and as the zip that is deployed."""

from __future__ import annotations

import ast
import gzip
import json
import logging
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.functions.conftest import ATTEMPTS, Places
from tests.functions.events import placed, record, with_order
from tests.support.functions import FUNCTIONS, FunctionDied, FunctionError, LambdaRunner, Poller, build_zip, load

land_orders = load("land_orders")
handler = land_orders.handler.handler


class Folders:
    """A landing folder and a folder of dead letters."""

    def __init__(self, root: Path) -> None:
        self.landing, self.dead = root / "landing", root / "dead"

    def files(self) -> dict[str, bytes]:
        return {path.relative_to(self.landing).as_posix(): path.read_bytes() for path in self.landing.rglob("*") if path.is_file()}

    def letters(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(self.dead.glob("*"))]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    found = Folders(tmp_path)
    monkeypatch.setenv("LANDING", str(found.landing))
    monkeypatch.setenv("DEAD_LETTERS", str(found.dead))
    monkeypatch.setenv("ATTEMPTS", str(ATTEMPTS))
    return found


def batch(*records: Any) -> dict[str, Any]:
    return {"Records": list(records)}


def failed(answer: dict[str, Any]) -> list[str]:
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def counted(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """The last line that the function logged of a batch."""
    return json.loads([entry.message for entry in caplog.records if "records" in entry.message][-1])


def text_of(number: int) -> str:
    return json.dumps(placed(f"PED-{number}"))


def lines_of(objects: dict[str, bytes]) -> list[str]:
    return [line for content in objects.values() for line in gzip.decompress(content).decode().removesuffix("\n").split("\n")]


def test_the_good_events_of_a_batch_become_one_object_named_by_its_content(folders: Folders) -> None:
    bodies = [text_of(3), text_of(1), text_of(2), text_of(1)]
    assert handler(batch(*[record(body, f"m-{place}") for place, body in enumerate(bodies)]), None) == {"batchItemFailures": []}
    content = "".join(f"{body}\n" for body in sorted(set(bodies))).encode()
    digest = sha256(content).hexdigest()
    [(key, packed)] = folders.files().items()
    assert key == f"order_events/{digest[:2]}/{digest}.jsonl.gz"
    assert gzip.decompress(packed) == content
    assert packed[4:8] == b"\0\0\0\0"  # no time of day in the header


def test_a_batch_in_another_order_delivered_again_writes_nothing(folders: Folders) -> None:
    records = [record(text_of(number), f"m-{number}") for number in range(5)]
    handler(batch(*records), None)
    [path] = folders.landing.rglob("*.gz")
    before = path.stat()
    assert failed(handler(batch(*reversed(records)), None)) == []
    assert [path] == [found for found in folders.landing.rglob("*") if found.is_file()]
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_bad_message_is_told_and_takes_nobody_along(folders: Folders) -> None:
    answer = handler(batch(record(text_of(1), "good"), record("{", "bad"), record(text_of(2), "fine")), None)
    assert failed(answer) == ["bad"]
    assert sorted(lines_of(folders.files())) == sorted([text_of(1), text_of(2)])
    assert folders.letters() == []


def test_a_bad_message_goes_to_the_dead_letters_with_its_reason_at_its_last_attempt(folders: Folders) -> None:
    for receives in (str(ATTEMPTS - 1), str(ATTEMPTS), str(ATTEMPTS + 1)):
        answer = handler(batch(record("{oops", "bad", receives)), None)
        assert failed(answer) == (["bad"] if receives == str(ATTEMPTS - 1) else [])
    reason = "not JSON: Expecting property name enclosed in double quotes at character 1"
    assert folders.letters() == [{"reason": reason, "message_id": "bad", "body": "{oops"}]
    assert folders.files() == {}


def test_what_cannot_be_stored_comes_again_and_at_last_goes_to_the_dead_letters(folders: Folders, caplog: pytest.LogCaptureFixture) -> None:
    folders.landing.write_text("a file where the folder should be")
    with caplog.at_level(logging.INFO):
        answer = handler(batch(record(text_of(1), "a"), record(text_of(2), "b", str(ATTEMPTS)), record("{", "c")), None)
    assert sorted(failed(answer)) == ["a", "c"]
    assert folders.letters() == [{"reason": "not stored: ENOTDIR", "message_id": "b", "body": text_of(2)}]
    assert {name: value for name, value in counted(caplog).items() if name not in ("reasons", "key")} == {
        "records": 3,
        "landed": 0,
        "duplicates": 0,
        "failed": 2,
        "dead": 1,
    }


def test_a_message_that_the_dead_letters_refuse_comes_again(folders: Folders) -> None:
    folders.dead.write_text("a file where the folder should be")
    assert failed(handler(batch(record("{", "bad", "99")), None)) == ["bad"]


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (None, "a record that is NoneType, expected an object as SQS sends it"),
        ([1], "a record that is list, expected an object as SQS sends it"),
        ({}, "a record whose body is NoneType, expected text"),
        ({"messageId": 7, "body": {"a": 1}}, "a record whose body is dict, expected text"),
    ],
)
def test_a_record_that_is_none_goes_to_the_dead_letters_at_once(folders: Folders, odd: Any, reason: str) -> None:
    answer = handler(batch(odd, record(text_of(1), "good")), None)
    assert failed(answer) == []
    assert lines_of(folders.files()) == [text_of(1)]
    assert folders.letters() == [{"reason": reason, "message_id": "", "body": json.dumps(odd)}]


@pytest.mark.parametrize("attributes", [None, [], {}, {"ApproximateReceiveCount": "many"}, {"ApproximateReceiveCount": "9" * 5000}])
def test_a_record_without_a_receive_count_counts_as_received_once(folders: Folders, attributes: Any) -> None:
    assert failed(handler(batch({"messageId": "bad", "body": "{", "attributes": attributes}), None)) == ["bad"]


def test_bytes_of_a_file_that_are_no_utf_8_can_be_had_back_from_the_dead_letters(folders: Folders) -> None:
    handler(batch(record(b'{"a": "\xff"}', "m", str(ATTEMPTS))), None)
    [letter] = folders.letters()
    assert letter["reason"] == "invalid UTF-8 at byte 7, expected JSON in UTF-8"
    assert letter["body"].encode(errors="surrogateescape") == b'{"a": "\xff"}'


def test_an_event_that_is_no_batch_is_an_error_that_says_so(folders: Folders) -> None:
    with pytest.raises(ValueError, match="the event is dict without a list Records"):
        handler({"detail": 1}, None)


@pytest.mark.parametrize(("name", "value"), [("ATTEMPTS", "0"), ("ATTEMPTS", "three"), ("LANDING", ""), ("DEAD_LETTERS", "")])
def test_a_setting_that_cannot_be_used_is_named(folders: Folders, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=name):
        handler(batch(record(text_of(1))), None)


def test_the_log_counts_and_gives_reasons_but_no_values(folders: Folders, caplog: pytest.LogCaptureFixture) -> None:
    records = [
        record(text_of(1), "a"),
        record(text_of(1), "b"),
        record(json.dumps(with_order(store_id=["Ana"])), "c"),
        record("Ana", "d", "3"),
    ]
    with caplog.at_level(logging.INFO):
        handler(batch(*records), None)
    found = counted(caplog)
    assert {name: found[name] for name in ("records", "landed", "duplicates", "failed", "dead")} == {
        "records": 4,
        "landed": 1,
        "duplicates": 1,
        "failed": 1,
        "dead": 1,
    }
    assert found["reasons"]["d"] == "not JSON: Expecting value at character 0"
    assert set(found["reasons"]) == {"c", "d"}
    assert "Ana" not in caplog.text
    assert "1114" not in caplog.text


ODD = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
RECORD = ODD | st.fixed_dictionaries(
    {},
    optional={
        "messageId": st.text(max_size=5) | ODD,
        "body": st.text() | st.binary() | st.integers(0, 3).map(text_of) | ODD,
        "attributes": st.fixed_dictionaries({"ApproximateReceiveCount": st.sampled_from(["1", "2", "3", "4"])}) | ODD,
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(RECORD, max_size=8))
def test_every_record_is_landed_failed_or_dead(folders: Folders, caplog: pytest.LogCaptureFixture, records: list[Any]) -> None:
    caplog.clear()
    with caplog.at_level(logging.INFO):
        answer = handler(batch(*records), None)
    found = counted(caplog)
    assert found["records"] == len(records) == found["landed"] + found["duplicates"] + found["failed"] + found["dead"]
    assert len(answer["batchItemFailures"]) == found["failed"]
    assert all(failed(answer))


@pytest.fixture
def runner(places: Places) -> Iterator[LambdaRunner]:
    with LambdaRunner(build_zip("land_orders"), places.variables, places.cloud, name="land-orders") as running:
        yield running


def test_the_zip_is_the_same_bytes_each_time_and_holds_modules_alone() -> None:
    assert build_zip("land_orders") == build_zip("land_orders")
    assert len(build_zip("land_orders")) < 50_000


@pytest.mark.parametrize("function", ["land_orders", "poll_orders"])
def test_a_function_imports_the_standard_library_alone_and_boto3_only_when_it_needs_it(function: str) -> None:
    modules = sorted((FUNCTIONS / function).glob("*.py"))
    own = {path.stem for path in modules}
    for path in modules:
        tree = ast.parse(path.read_text())
        inside = {node for part in ast.walk(tree) if isinstance(part, ast.FunctionDef) for node in ast.walk(part)}
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                root = name.partition(".")[0]
                assert root in sys.stdlib_module_names | own or (root in ("boto3", "botocore") and node in inside), f"{path.name}: {name}"


def test_the_runtime_of_the_tests_knows_boto3_and_nothing_of_this_repository() -> None:
    code = "import boto3\ndef handler(event, context):\n    import importlib.util as u\n    return u.find_spec(event) is not None"
    with LambdaRunner(build_zip("land_orders"), {}) as running:
        (running.code / "handler.py").write_text(code)
        assert [running.invoke(name) for name in ("boto3", "contract", "sales_tech", "tests")] == [True, True, False, False]


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


def test_a_function_that_takes_too_long_is_ended_and_started_anew() -> None:
    with LambdaRunner(build_zip("land_orders"), {}, timeout=2.0) as running:
        (running.code / "handler.py").write_text("import time\n\ndef handler(event, context):\n    time.sleep(event)\n    return event\n")
        with pytest.raises(FunctionDied, match=r"took longer than 2\.0 s"):
            running.invoke(60)
        assert running.invoke(0) == 0


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


class Refusing:
    """An S3 client whose put is answered with an error."""

    def __init__(self, code: str) -> None:
        self.code = code

    def put_object(self, **_: Any) -> None:
        from botocore.exceptions import ClientError

        raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, "PutObject")


def test_a_conflict_of_two_writers_is_tried_again_and_an_object_that_is_there_is_success(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDING", "s3://bucket/prefix")
    for code, expected in (("ConditionalRequestConflict", ["m-1"]), ("PreconditionFailed", []), ("AccessDenied", ["m-1"])):
        monkeypatch.setattr(land_orders.places, "_s3", lambda code=code: Refusing(code))
        assert failed(handler(batch(record(text_of(1))), None)) == expected
