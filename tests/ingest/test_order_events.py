"""Landed order events become rows of text, line by line of each order, and none is lost."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.events import cancelled, land_events, line, placed
from tests.support.nights import read

from sales_tech.contracts.stream import stream_contract
from sales_tech.errors import UnreadableFile
from sales_tech.ingest import events as reading
from sales_tech.ingest import order_events, source
from sales_tech.ingest.events import event_schema, read_events
from sales_tech.lake.store import Lake
from sales_tech.runs import Run, StepResult
from sales_tech.settings import Settings


def ingest(lake: Settings) -> StepResult:
    return order_events.run(Run.begin(lake))


def test_each_order_line_is_a_row_with_the_text_of_its_event(erp: Settings) -> None:
    customer = {"tax_id": "111", "name": "Ana", "email": "ana@example.com", "state": "SP"}
    event = placed("P1", "2026-01-10T10:00:00-03:00", line("1"), line("2", sku="B", quantity=3), customer=customer)
    path = land_events(erp.landing, cancelled("P0"), event)
    assert ingest(erp).rows_in == 3
    rows = sorted(read(erp, "bronze.order_events"), key=lambda row: row["_line_number"])
    assert [(row["_event_number"], row["order_id"], row["line"], row["sku"], row["quantity"]) for row in rows] == [
        (1, "P0", "1", None, None),
        (2, "P1", "1", "A", "1"),
        (2, "P1", "2", "B", "3"),
    ]
    assert (rows[1]["customer_tax_id"], rows[1]["occurred_at"], rows[1]["source"]) == ("111", "2026-01-10T10:00:00-03:00", "erp_br")
    (entry,) = read(erp, "bronze.files")
    assert (entry["file_kind"], entry["status"], entry["rows"]) == ("order_events", "loaded", 3)
    assert (erp.lake / entry["archived_as"]).read_bytes() == path.read_bytes()


def test_a_number_keeps_its_text(erp: Settings) -> None:
    event = json.dumps(placed()).replace('"10.00"', "1234567890123456.10").replace('"quantity": 1', '"quantity": 1.0')
    land_events(erp.landing, event)
    ingest(erp)
    (row,) = read(erp, "bronze.order_events")
    assert (row["unit_price"], row["quantity"]) == ("1234567890123456.10", "1.0")


def test_unknown_fields_are_kept_under_their_path(erp: Settings) -> None:
    event = placed("P1", "2026-01-10T10:00:00-03:00", line(gift=True), coupon={"code": "X"}) | {"trace": "t-1"}
    land_events(erp.landing, event)
    ingest(erp)
    (row,) = read(erp, "bronze.order_events")
    assert json.loads(row["_extra"]) == {"event": {"trace": "t-1"}, "order": {"coupon": {"code": "X"}}, "order.lines": {"gift": True}}


def test_a_field_with_a_dot_in_its_name_is_an_unknown_one(erp: Settings) -> None:
    strange = {"order.order_id": "another", "order.lines": "x", "order.lines.sku": "y"}
    land_events(erp.landing, placed("P1") | strange)
    ingest(erp)
    (row,) = read(erp, "bronze.order_events")
    assert (row["order_id"], row["sku"]) == ("P1", "A")
    assert json.loads(row["_extra"]) == {"event": strange}


def test_an_object_is_loaded_once(erp: Settings) -> None:
    land_events(erp.landing, placed())
    ingest(erp)
    snapshot = Lake(erp).snapshot_id("bronze.order_events")
    assert ingest(erp).notes == ["no new events"]
    assert Lake(erp).snapshot_id("bronze.order_events") == snapshot


UNREADABLE = {
    "text": (b"hello", "line 1: no JSON"),
    "a list": (b"[1]", "a JSON list"),
    "no source": (json.dumps(placed() | {"source": "A B"}).encode(), "line 1: no source"),
    "no lines": (json.dumps(placed("P1", lines=[])).encode(), "line 1: no order.lines"),
    "deep nesting": (b'{"a":' * 100_000, "line 1: no JSON"),
    "invalid utf-8": (b'{"source": "\xff"}', "line 1: no JSON"),
    "half a surrogate pair": (json.dumps(placed() | {"note": "\ud800"}).encode(), "line 1: half of a surrogate pair"),
    "nothing": (b"", "empty file"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_an_object_with_anything_but_events_is_rejected_and_the_others_are_loaded(erp: Settings, what: str) -> None:
    content, reason = UNREADABLE[what]
    land_events(erp.landing, placed())
    bad = erp.landing / "order_events" / "00" / "bad.jsonl.gz"
    bad.parent.mkdir(parents=True, exist_ok=True)
    bad.write_bytes(gzip.compress(content, mtime=0))
    result = ingest(erp)
    assert list(result.rejected) == ["order_events/00/bad.jsonl.gz"]
    assert reason in result.rejected["order_events/00/bad.jsonl.gz"]
    assert len(read(erp, "bronze.order_events")) == 1


def test_of_objects_with_the_same_content_one_is_loaded_and_of_those_that_cannot_be_read_each_is_rejected(erp: Settings) -> None:
    for name, content in (("a", json.dumps(placed())), ("b", json.dumps(placed())), ("c", "[1]"), ("d", "[1]")):
        (erp.landing / "order_events" / name).mkdir(parents=True)
        (erp.landing / "order_events" / name / f"{name}.jsonl").write_text(content)
    found = ingest(erp)
    assert (found.rows_in, sorted(found.rejected)) == (1, ["order_events/c/c.jsonl", "order_events/d/d.jsonl"])
    assert found.notes == ["order_events/b/b.jsonl: same content as another new object"]
    entries = {entry["file_path"]: (entry["status"], entry["rows"]) for entry in read(erp, "bronze.files")}
    assert [entries[name] for name in sorted(entries)] == [("loaded", 1), ("duplicate", 0), ("rejected", 0), ("rejected", 0)]
    (erp.landing / "order_events" / "e.jsonl").write_text(json.dumps(placed()))
    assert ingest(erp).notes == ["order_events/e.jsonl: same content as order_events/a/a.jsonl"]


def test_an_object_that_was_mended_under_its_name_is_loaded_though_it_has_the_same_size(erp: Settings) -> None:
    event = json.dumps(placed())
    path = erp.landing / "order_events" / "own.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(event[:-1] + "]\n")
    assert list(ingest(erp).rejected) == ["order_events/own.jsonl"]
    path.write_text(event + "\n")
    assert ingest(erp).rows_in == 1
    assert [entry["status"] for entry in read(erp, "bronze.files")] == ["rejected", "loaded"]


def test_an_object_that_was_only_touched_is_no_news(erp: Settings) -> None:
    path = land_events(erp.landing, placed())
    ingest(erp)
    os.utime(path, (1, 1))
    assert ingest(erp).notes == ["no new events"]


def test_a_broken_gzip_is_rejected(erp: Settings) -> None:
    path = land_events(erp.landing, placed())
    path.write_bytes(path.read_bytes()[:-10])
    (reason,) = ingest(erp).rejected.values()
    assert "gzip stream ends early" in reason


def test_the_suppliers_files_and_the_events_do_not_see_each_other(erp: Settings) -> None:
    from sales_tech.ingest import batch_csv

    land_events(erp.landing, placed())
    assert batch_csv.run(Run.begin(erp)).notes == ["no new files"]


def test_rows_of_a_run_that_was_stopped_before_its_entry_are_entered_by_the_next(erp: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    land_events(erp.landing, placed())

    def stopped(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(order_events, "enter", stopped)
        ingest(erp)
    assert read(erp, "bronze.files") == []
    land_events(erp.landing, placed("P2"))
    ingest(erp)
    assert sorted(row["order_id"] for row in read(erp, "bronze.order_events")) == ["P1", "P2"]
    assert [(row["status"], row["rows"]) for row in read(erp, "bronze.files")] == [("loaded", 1), ("loaded", 1)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=("Cs",)), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("order", "lines", "customer", "x")), inner, max_size=3),
    max_leaves=8,
)
events_of_any_shape = st.builds(
    lambda extra, order, lines: {"source": "erp_br", **extra, "order": {**order, "lines": lines}} | {"source": "erp_br"},
    st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), max_size=4), JSON, max_size=3),
    st.dictionaries(st.sampled_from(("order_id", "customer", "store_id", "y")), JSON, max_size=3),
    st.lists(st.dictionaries(st.sampled_from(("line", "sku", "quantity", "z")), JSON, max_size=3), min_size=1, max_size=4),
)


def rows_of(event: dict[str, Any]) -> list[dict[str, Any]]:
    """What each order line of an event must become: its columns as text, and all that no column takes as JSON."""
    order, customer = event["order"], event["order"].get("customer")
    whole = isinstance(customer, dict)
    found = []
    for sold in order["lines"]:
        left = {
            "event": {name: value for name, value in event.items() if name not in ("source", "order")},
            "order": {
                name: value for name, value in order.items() if name != "lines" and not (name == "customer" and (whole or value is None))
            },
            "order.customer": dict(customer) if isinstance(customer, dict) else {},
            "order.lines": dict(sold),
        }
        row: dict[str, Any] = {"source": event["source"]}
        for column, (path,) in stream_contract().headers.items():
            level, _, name = path.rpartition(".")
            value = left[level or "event"].pop(name, None)
            row[column] = value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        left = {level: fields for level, fields in left.items() if fields}
        found.append(row | {"_extra": left or None, "_raw": None, "_problem": None})
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(st.tuples(events_of_any_shape, st.integers(0, 2)), min_size=1, max_size=6), st.sampled_from([7, 2 << 20]), st.booleans())
def test_whatever_the_events_hold_each_order_line_is_one_row_and_nothing_of_it_is_lost(
    tmp_path: Path, events: list[tuple[dict[str, Any], int]], chunk: int, ended: bool
) -> None:
    path = tmp_path / "events.jsonl"
    lines = [text for event, blank in events for text in (*[" "] * blank, json.dumps(event))]
    path.write_text("\n".join(lines) + ("\n" if ended else ""))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "CHUNK_BYTES", chunk)
        patch.setattr(reading, "_ROWS_A_BATCH", 3)
        rows, sources = read_events(path)
        batches = list(rows.batches())
    assert sources == {"erp_br"}
    assert all(batch.schema == event_schema() for batch in batches)
    wanted = [
        row | {"_event_number": number}
        for number, text in enumerate(lines, start=1)
        if text.strip()
        for row in rows_of(json.loads(text, parse_float=str, parse_int=str, parse_constant=str))
    ]
    found = [row for batch in batches for row in batch.to_pylist()]
    assert [row | {"_extra": row["_extra"] and json.loads(row["_extra"])} for row in found] == [
        row | {"_line_number": position} for position, row in enumerate(wanted, start=1)
    ]


@pytest.mark.parametrize(
    "order", [None, [], "P1", {}, {"lines": None}, {"lines": {"line": "1"}}, {"lines": []}, {"lines": [line(), "2"]}, {"lines": [None]}]
)
def test_an_event_without_order_lines_is_told_by_its_line(tmp_path: Path, order: Any) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(f"{json.dumps(placed())}\n\n{json.dumps(placed() | {'order': order})}\n")
    with pytest.raises(UnreadableFile, match=r"^line 3: no order\.lines; expected a list of at least one order line$"):
        read_events(path)


@pytest.mark.parametrize("longest", ["a" * 200, "a" * 201])
def test_a_source_is_as_long_as_the_consumer_of_the_queue_takes_it(tmp_path: Path, longest: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(json.dumps(placed() | {"source": longest}))
    if len(longest) == 200:
        assert read_events(path)[1] == {longest}
    else:
        with pytest.raises(UnreadableFile, match="line 1: no source"):
            read_events(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_content_makes_the_reader_fail_but_by_its_own_word(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.jsonl"
    path.write_bytes(content)
    try:
        rows, _ = read_events(path)
    except UnreadableFile:
        return
    assert sum(batch.num_rows for batch in rows.batches()) > 0
