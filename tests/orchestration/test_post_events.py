"""Events posted on a laptop pass the consumer of the queue itself."""

from __future__ import annotations

import codecs
import gzip
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.events import cancelled, placed
from tests.support.nights import night, read

from sales_tech.errors import SettingsError, UnreadableFile
from sales_tech.orchestration import post_events as posting
from sales_tech.orchestration.post_events import DEAD_LETTERS, Posted, post_events
from sales_tech.settings import Settings


def stream(folder: Path, *lines: object) -> Path:
    path = folder / "events.jsonl"
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return path


def test_good_events_land_and_bad_ones_are_set_aside_with_their_reason(erp: Settings, tmp_path: Path) -> None:
    posted = post_events(stream(tmp_path, placed("P1"), "no JSON", cancelled("P2"), placed("P1"), "", placed("P3") | {"order": {}}), erp)
    assert (posted.events, posted.landed, posted.repeated, posted.refused) == (5, 2, 1, 2)
    assert set(posted.reasons) == {2, 6}
    assert posted.reasons[6].startswith("order.order_id: missing")
    letters = [json.loads(path.read_text()) for path in (erp.landing / DEAD_LETTERS).iterdir()]
    assert {letter["reason"] for letter in letters} == set(posted.reasons.values())
    night(erp)
    assert sorted(row["order_id"] for row in read(erp, "bronze.order_events")) == ["P1", "P2"]
    assert {row["file_kind"] for row in read(erp, "bronze.files")} == {"order_events"}


def test_the_same_file_again_lands_nothing_new(erp: Settings, tmp_path: Path) -> None:
    path = stream(tmp_path, placed("P1"), placed("P2"))
    post_events(path, erp)
    posted = post_events(path, erp)
    assert (posted.landed, posted.repeated) == (0, 2)
    assert len(list((erp.landing / "order_events").rglob("*.gz"))) == 1


def test_posting_leaves_environment_and_import_path_as_they_were(erp: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANDING", raising=False)
    monkeypatch.setenv("ATTEMPTS", "7")
    other = type(sys)("handler")
    monkeypatch.setitem(sys.modules, "handler", other)
    monkeypatch.delitem(sys.modules, "contract", raising=False)
    before = dict(os.environ), list(sys.path)
    post_events(stream(tmp_path, placed("P1")), erp)
    assert (dict(os.environ), list(sys.path)) == before
    assert sys.modules["handler"] is other
    assert "contract" not in sys.modules


def test_where_a_refused_event_cannot_be_set_aside_the_log_says_why_and_who_watches_has_counted_what_was_sent(
    erp: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "_BATCH", 2)
    (erp.landing / DEAD_LETTERS).write_text("a file in the folder's place")
    sent: list[int] = []
    lines = [placed("P1"), placed("P2"), placed("P3"), "no JSON"]
    with pytest.raises(SettingsError, match="1 events could be neither landed nor set aside, line 4 first; see the log above"):
        post_events(stream(tmp_path, *lines), erp, watch=sent.append)
    assert sent == [2]
    assert '{"message_id": "4", "dead_letters": "refused: ' in capsys.readouterr().err


def test_a_file_that_is_not_there_is_told(erp: Settings, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no file .*nowhere\.jsonl; expected JSON lines"):
        post_events(tmp_path / "nowhere.jsonl", erp)
    with pytest.raises(SettingsError, match=r"s3://bucket is fed by its queue; post events to the API of the stack"):
        post_events(stream(tmp_path, placed("P1")), replace(erp, landing="s3://bucket"))
    with pytest.raises(SettingsError, match=r"no landing folder .*nowhere; expected one to land events in"):
        post_events(stream(tmp_path, placed("P1")), replace(erp, landing=tmp_path / "nowhere"))


@pytest.mark.parametrize("packed", [False, True])
def test_events_of_a_file_that_begins_with_a_mark_or_is_packed_land(erp: Settings, tmp_path: Path, packed: bool) -> None:
    path = stream(tmp_path, placed("P1"), placed("P2"))
    text = codecs.BOM_UTF8 + path.read_bytes()
    path.write_bytes(gzip.compress(text) if packed else text)
    posted = post_events(path, erp)
    assert (posted.events, posted.landed, posted.refused) == (2, 2, 0)


def test_a_packed_file_that_was_cut_off_is_named(erp: Settings, tmp_path: Path) -> None:
    path = stream(tmp_path, placed("P1"))
    path.write_bytes(gzip.compress(path.read_bytes())[:-10])
    with pytest.raises(UnreadableFile, match=r"events\.jsonl: gzip stream ends early.*Post the whole file"):
        post_events(path, erp)


def test_an_event_that_is_reported_comes_again_up_to_three_times_with_its_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "_REASONS", 2)
    # Of each line of the file at which receive it is taken, and as what.
    fates = {4: (1, "landed"), 5: (3, "dead"), 7: (2, "duplicates"), 8: (2, "dead"), 9: (1, "dead"), 12: (1, "landed")}
    told: list[dict[str, Any]] = []

    def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
        counts: dict[str, Any] = {"landed": 0, "duplicates": 0, "dead": 0, "reasons": {}, "key": None}
        failures = []
        for record in event["Records"]:
            line, receive = int(record["messageId"]), int(record["attributes"]["ApproximateReceiveCount"])
            assert record["body"] == b"event %d" % line
            taken, fate = fates[line]
            assert receive <= taken
            if receive < taken:
                failures.append({"itemIdentifier": record["messageId"]})
                continue
            counts[fate] += 1
            if fate == "dead":
                counts["reasons"][str(line)] = f"no {line}"
            if fate == "landed":
                counts["key"] = f"object {receive}"
        told.append(counts)
        return {"batchItemFailures": failures}

    posted = Posted()
    batch = [(line, b"event %d" % line) for line in fates]
    posting._send(batch, handle, told, posted)
    assert posted == Posted(6, landed=2, repeated=1, refused=3, objects={"object 1"}, reasons={9: "no 9", 8: "no 8"})
    fates |= {8: (4, "landed"), 12: (4, "landed")}
    with pytest.raises(SettingsError, match="2 events could be neither landed nor set aside, line 8 first"):
        posting._send(batch, handle, told, posted)
