"""What land_orders does with a batch, in folders as on a laptop."""

from __future__ import annotations

import gzip
import json
import logging
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.functions.events import batch, failed, lines_of, record, text_of, with_order
from tests.support.functions import load
from tests.support.places import ATTEMPTS

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


def counted(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """The last line that the function logged of a batch."""
    return json.loads([entry.message for entry in caplog.records if "records" in entry.message][-1])


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


def test_a_message_that_the_dead_letters_refuse_comes_again_and_that_is_told(folders: Folders, caplog: pytest.LogCaptureFixture) -> None:
    folders.dead.write_text("a file where the folder should be")
    assert failed(handler(batch(record("{", "bad", "99")), None)) == ["bad"]
    assert [json.loads(entry.message) for entry in caplog.records if entry.levelno == logging.ERROR] == [
        {"message_id": "bad", "dead_letters": "refused: EEXIST"}
    ]


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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(RECORD, max_size=8))
def test_every_record_is_landed_failed_or_dead(folders: Folders, caplog: pytest.LogCaptureFixture, records: list[Any]) -> None:
    caplog.clear()
    with caplog.at_level(logging.INFO):
        answer = handler(batch(*records), None)
    found = counted(caplog)
    assert found["records"] == len(records) == found["landed"] + found["duplicates"] + found["failed"] + found["dead"]
    assert len(answer["batchItemFailures"]) == found["failed"]
    assert all(failed(answer))


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
