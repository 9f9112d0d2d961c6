"""Maintenance changes no row and gives no step anything to do; what nobody needs goes, and nothing else."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyiceberg.table import Table
from tests.support.cloud_settings import CloudSettings
from tests.support.events import amended, cancelled, land_events, placed
from tests.support.exports import land_erp, land_reference, product, sale
from tests.support.nights import BOTH_PLACES, night, read, read_all

from sales_tech.contracts.table import TableContract
from sales_tech.engines.duck import DuckEngine, open_engine
from sales_tech.errors import AuditError, LakeError, QueryError
from sales_tech.lake import compaction, expiry
from sales_tech.lake.bookmarks import bookmarks, last_commits
from sales_tech.lake.compaction import behind, compact, crowded
from sales_tech.lake.expiry import expirable, expire, needed_snapshots
from sales_tech.lake.orphans import missing, orphans, remove
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.query import Reader
from sales_tech.lake.scratch import left_over
from sales_tech.lake.store import Lake
from sales_tech.lake.write import in_partitions, stage
from sales_tech.orchestration import maintenance
from sales_tech.orchestration.plan import plan
from sales_tech.orchestration.steps import STEPS
from sales_tech.runs import Run, StepResult
from sales_tech.settings import Settings

RUN = "20260301T020000-1a2b3c"
COLUMNS = {
    "shop": {"type": "string", "required": True, "description": "Shop"},
    "day": {"type": "date", "required": True, "description": "Day"},
    "visits": {"type": "long", "unit": "visits", "description": "Visits"},
}
VISITS, SUMS = "silver.visits", "gold.visits"
SANTOS, RECIFE = ("Santos", 672), ("Recife", 672)


def contract(name: str = VISITS, **changes: object) -> TableContract:
    """A small contract, split by shop and month."""
    given = {
        "name": name,
        "description": "One row per shop and day.",
        "grain": ["shop", "day"],
        "columns": COLUMNS,
        "partition": ["shop", "month(day)"],
    }
    return TableContract.model_validate(given | changes)


@pytest.fixture(autouse=True)
def few_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even the newest states of a table are kept for their own sake."""
    monkeypatch.setattr(expiry, "FEWEST", 1)


@pytest.fixture
def lake(erp: Settings) -> Lake:
    return Lake(erp)


@pytest.fixture
def engine(erp: Settings) -> Iterator[DuckEngine]:
    with open_engine(erp) as opened:
        yield opened


def put(lake: Lake, engine: DuckEngine, day: int, shop: str = "Santos", *, to: TableContract | None = None, **read: int) -> int:
    """Append one day of a shop, having read snapshots of other tables; the snapshot's id is returned."""
    table = to or contract()
    query = f"select '{shop}' as shop, date '2026-01-01' + cast({day - 1} as integer) as day, {day} as visits"
    inputs = {name.replace("_", "."): snapshot for name, snapshot in read.items()}
    return lake.commit(
        table.name, stage(lake, engine, table, query, RUN).paths, [], Provenance(RUN, table.name, "code", "contract", inputs)
    )


def tidy(lake: Lake, engine: DuckEngine, name: str = VISITS, least: int = 2) -> None:
    """Compact all partitions with so many small files."""
    compact(lake, engine, name, crowded(lake, name, least), RUN)


def upkeep(settings: Settings, *, force: bool = True) -> StepResult:
    """The step as the pipeline runs it."""
    return maintenance.run(Run.begin(settings.land() if isinstance(settings, CloudSettings) else settings, force=force))


def stale(settings: Settings) -> dict[str, tuple[str, ...]]:
    """What the steps up to gold/sales, and maintenance, would do now."""
    upto = [step for step in STEPS if step.name.partition("/")[0] != "ml" and step.name != "gold/promotions"]
    run = Run.begin(settings.land() if isinstance(settings, CloudSettings) else settings)
    return {planned.step.name: planned.reasons for planned in plan(run, tuple(upto)) if planned.runs}


@BOTH_PLACES
def test_a_compaction_keeps_every_row_in_fewer_files(lake: Lake, engine: DuckEngine) -> None:
    for day in range(1, 6):
        put(lake, engine, day)
    put(lake, engine, 1, "Recife")
    before = read(lake.settings, VISITS)
    tidy(lake, engine)
    assert read(lake.settings, VISITS) == before
    assert Counter(file.partition for file in Lake(lake.settings).files(VISITS)) == {SANTOS: 1, RECIFE: 1}


def test_only_small_files_are_compacted_and_only_up_to_the_target(lake: Lake, engine: DuckEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(1, 6):
        put(lake, engine, day)
    files = lake.files(VISITS)
    sizes = [file.bytes for file in files]
    monkeypatch.setattr(compaction, "SMALL", min(sizes))
    assert crowded(lake, VISITS, 1) == {}
    monkeypatch.setattr(compaction, "SMALL", max(sizes) + 1)
    assert (crowded(lake, VISITS, 6), crowded(lake, VISITS, 5)) == ({}, {SANTOS: list(files)})
    # Two fit and three do not: the fifth file has none to be written with, and stays.
    monkeypatch.setattr(compaction, "TARGET", 2 * max(sizes))
    assert 3 * min(sizes) > 2 * max(sizes)
    before = read(lake.settings, VISITS)
    tidy(lake, engine, least=5)
    after = Lake(lake.settings).files(VISITS)
    assert sorted(file.rows for file in after) == [1, 2, 2]
    assert [file.path for file in after if file in files] == [files[-1].path]
    assert read(lake.settings, VISITS) == before


def test_compacted_rows_of_bronze_are_in_the_order_of_their_files(lake: Lake, engine: DuckEngine) -> None:
    columns = {"_file_id": {"type": "string", "description": "File"}, "_line_number": {"type": "long", "description": "Line"}}
    rows = TableContract.model_validate(
        {"name": "bronze.lines", "description": "One row per line.", "grain": ["_file_id", "_line_number"], "columns": columns}
    )
    for file, line in (("b", 2), ("a", 9), ("b", 1), ("a", 3)):
        staged = stage(lake, engine, rows, f"select '{file}' as _file_id, {line} as _line_number", RUN)
        lake.commit(rows.name, staged.paths, [], Provenance(RUN, rows.name, "code", "contract"))
    tidy(lake, engine, rows.name)
    table = lake.catalog.load_table(lake.platform.identifier(rows.name)).scan().to_arrow()
    assert list(zip(*table.to_pydict().values(), strict=True)) == [("a", 3), ("a", 9), ("b", 1), ("b", 2)]


def test_rows_that_repeat_are_kept_as_often_as_they_are_there(lake: Lake, engine: DuckEngine) -> None:
    loose = contract("bronze.visits", partition=[])
    for _ in range(3):
        put(lake, engine, 1, to=loose)
    tidy(lake, engine, loose.name)
    assert [row["visits"] for row in read(lake.settings, loose.name)] == [1, 1, 1]
    assert len(lake.files(loose.name)) == 1


def test_columns_that_the_contract_has_lost_are_kept(lake: Lake, engine: DuckEngine) -> None:
    wider = contract(columns=COLUMNS | {"weather": {"type": "string", "description": "Weather"}})
    staged = stage(lake, engine, wider, "select 'Santos' as shop, date '2026-01-09' as day, 9 as visits, 'rain' as weather", RUN)
    lake.commit(VISITS, staged.paths, [], Provenance(RUN, "silver/visits", "code", "contract"))
    put(lake, engine, 1)
    tidy(lake, engine)
    assert [(row["visits"], row["weather"]) for row in read(lake.settings, VISITS)] == [(1, None), (9, "rain")]


def test_a_compaction_that_would_lose_a_row_is_refused(lake: Lake, engine: DuckEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    last = [put(lake, engine, day) for day in (1, 2, 3)][-1]
    write = engine.write
    monkeypatch.setattr(engine, "write", lambda query, *rest, **more: write(f"select * from ({query}) limit 2", *rest, **more))
    with pytest.raises(AuditError, match=r"silver.visits: 2 rows .* 3 with .*Nothing was committed"):
        tidy(lake, engine)
    assert Lake(lake.settings).snapshot_id(VISITS) == last


def test_a_compaction_that_would_change_a_value_is_refused(lake: Lake, engine: DuckEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    last = [put(lake, engine, day) for day in (1, 2, 3)][-1]
    write = engine.write
    altered = "select shop, day, case when visits = 2 then 1 when visits = 1 then 2 else visits end as visits"
    monkeypatch.setattr(engine, "write", lambda query, *rest, **more: write(f"{altered} from ({query})", *rest, **more))
    with pytest.raises(AuditError, match="checksum"):
        tidy(lake, engine)
    assert Lake(lake.settings).snapshot_id(VISITS) == last


@BOTH_PLACES
def test_who_had_read_the_compacted_snapshot_has_read_the_compaction(lake: Lake, engine: DuckEngine) -> None:
    put(lake, engine, 1)
    mark = put(lake, engine, 2)
    tidy(lake, engine)
    assert not lake.has_moved(VISITS, mark)
    assert lake.added_files(VISITS, mark) == ()
    assert lake.changed_partitions(VISITS, mark) == set()
    assert lake.earlier_files(VISITS, mark) == lake.files(VISITS)


@BOTH_PLACES
def test_a_night_after_a_compaction_sees_exactly_its_new_rows(lake: Lake, engine: DuckEngine) -> None:
    put(lake, engine, 1)
    mark = put(lake, engine, 2)
    tidy(lake, engine)
    put(lake, engine, 3)
    put(lake, engine, 4, "Recife")
    assert lake.has_moved(VISITS, mark)
    assert {(file.partition, file.rows) for file in lake.added_files(VISITS, mark)} == {(SANTOS, 1), (RECIFE, 1)}
    assert [file.rows for file in lake.earlier_files(VISITS, mark)] == [2]
    assert lake.changed_partitions(VISITS, mark) == {SANTOS, RECIFE}


def test_a_bookmark_is_moved_over_several_compactions_and_stays_when_the_first_has_expired(lake: Lake, engine: DuckEngine) -> None:
    put(lake, engine, 1, "Recife")
    put(lake, engine, 2, "Recife")
    mark = [put(lake, engine, day) for day in (1, 2)][-1]
    compact(lake, engine, VISITS, {RECIFE: crowded(lake, VISITS, 2)[RECIFE]}, RUN)
    tidy(lake, engine)
    newest = lake.snapshot_id(VISITS)
    expire(lake, VISITS, [one for one in lake.table(VISITS).metadata.snapshots if one.snapshot_id != newest])  # type: ignore[union-attr]
    again = Lake(lake.settings)
    assert again.has_snapshot(VISITS, mark)
    assert not again.has_moved(VISITS, mark)
    assert again.files(VISITS, mark) == again.files(VISITS)


def test_a_table_keeps_the_provenance_of_its_last_writer(lake: Lake, engine: DuckEngine) -> None:
    put(lake, engine, 1)
    put(lake, engine, 2, bronze_visits=5)
    before = lake.provenance(VISITS)
    tidy(lake, engine)
    assert lake.provenance(VISITS) == before == lake.last_provenance(VISITS, VISITS)
    assert before is not None
    assert before.inputs == {"bronze.visits": 5}


def test_a_table_waits_until_who_reads_it_has_read_its_newest_rows(lake: Lake, engine: DuckEngine) -> None:
    first = put(lake, engine, 1)
    put(lake, engine, 1, to=contract(SUMS), silver_visits=first)
    last = put(lake, engine, 2)
    marks = bookmarks(lake, [VISITS, SUMS])
    assert behind(lake, VISITS, SANTOS, marks) == {SUMS}
    assert (needed_snapshots(VISITS, marks, {last}), needed_snapshots(SUMS, marks)) == ({first, last}, set())
    put(lake, engine, 2, to=contract(SUMS), silver_visits=last)
    assert behind(lake, VISITS, SANTOS, bookmarks(lake, [VISITS, SUMS])) == set()


def test_of_the_event_stream_only_the_sources_that_are_behind_wait(lake: Lake, engine: DuckEngine) -> None:
    stream = contract("bronze.order_events", columns=COLUMNS, partition=["shop"])
    first = put(lake, engine, 1, "olist", to=stream)
    last = put(lake, engine, 2, "erp_br", to=stream)
    said = Provenance(RUN, "silver/sales", "c", "c", {stream.name: first}, streams={"olist": first, "erp_br": last})
    put(lake, engine, 1)
    lake.commit(VISITS, [], [], said)
    marks = bookmarks(lake, [VISITS])
    assert behind(lake, stream.name, ("olist",), marks) == {VISITS}
    assert behind(lake, stream.name, ("erp_br",), marks) == set()


def test_a_kill_between_writing_and_committing_leaves_the_rows_and_an_orphan_that_goes(
    lake: Lake, engine: DuckEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (1, 2, 3):
        put(lake, engine, day)
    before = read(lake.settings, VISITS)

    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(lake, "compact", killed)
        with pytest.raises(KeyboardInterrupt):
            tidy(lake, engine)
    again = Lake(lake.settings)
    assert read(lake.settings, VISITS) == before
    left = orphans(again, VISITS)
    assert [entry.name.rpartition("/")[2] for entry in left] == ["part.parquet"]
    remove(again, left)
    assert orphans(again, VISITS) == []
    assert read(lake.settings, VISITS) == before


@BOTH_PLACES
def test_what_a_killed_night_staged_goes_and_every_named_file_stays(lake: Lake, engine: DuckEngine) -> None:
    first = put(lake, engine, 1)
    put(lake, engine, 2)
    tidy(lake, engine)
    replaced = in_partitions(lake.files(VISITS), {SANTOS})
    query = "select 'Santos' as shop, date '2026-01-07' as day, 7 as visits"
    said = Provenance(RUN, VISITS, "code", "contract")
    lake.commit(VISITS, stage(lake, engine, contract(), query, RUN).paths, replaced, said)
    stage(lake, engine, contract(), query, RUN)
    again = Lake(lake.settings)
    left = orphans(again, VISITS)
    assert [entry.name.endswith(".parquet") for entry in left] == [True]
    remove(again, left)
    assert (orphans(again, VISITS), missing(again, VISITS)) == ([], [])
    assert [row["visits"] for row in again.table(VISITS).scan(snapshot_id=first).to_arrow().to_pylist()] == [1]  # type: ignore[union-attr]
    assert [row["visits"] for row in read(lake.settings, VISITS)] == [7]


def test_a_file_that_is_gone_is_counted_as_missing(lake: Lake, engine: DuckEngine) -> None:
    put(lake, engine, 1)
    path = lake.files(VISITS)[0].path.removeprefix("file://")
    Path(path).unlink()
    assert missing(lake, VISITS) == [path]


def test_who_lost_the_lock_removes_nothing(lake: Lake, engine: DuckEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    put(lake, engine, 1)
    stage(lake, engine, contract(), "select 'Santos' as shop, date '2026-01-07' as day, 7 as visits", RUN)
    left = orphans(lake, VISITS)

    def lost() -> None:
        raise LakeError("taken over")

    monkeypatch.setattr(lake.platform, "check_lock", lost)
    with pytest.raises(LakeError, match="taken over"):
        remove(lake, left)
    assert orphans(lake, VISITS) == left


@BOTH_PLACES
def test_only_snapshots_that_nobody_needs_expire(lake: Lake, engine: DuckEngine) -> None:
    made = [put(lake, engine, day) for day in range(1, 6)]
    table = lake.table(VISITS)
    assert table is not None
    table.manage_snapshots().create_tag(made[1], "audit").commit()
    lake.refresh()
    soon = datetime.now(UTC) + timedelta(minutes=1)
    assert [one.snapshot_id for one in expirable(lake, VISITS, soon, {made[2]})] == [made[0], made[3]]
    assert expirable(lake, VISITS, datetime.now(UTC) - timedelta(minutes=10), ()) == []


def test_the_compaction_of_a_needed_snapshot_is_needed_too_so_that_its_rows_are_not_news_later(lake: Lake, engine: DuckEngine) -> None:
    first, mark = (put(lake, engine, day) for day in (1, 2))
    tidy(lake, engine)
    compaction = lake.snapshot_id(VISITS)
    third = put(lake, engine, 3)
    put(lake, engine, 4)
    expired = expirable(lake, VISITS, datetime.now(UTC) + timedelta(minutes=1), {mark})
    assert [one.snapshot_id for one in expired] == [first, third]
    assert lake.holder(VISITS, mark) == compaction
    expire(lake, VISITS, expired)
    assert [file.rows for file in Lake(lake.settings).added_files(VISITS, mark)] == [1, 1]


def test_a_clock_that_jumps_ahead_leaves_the_newest_states(lake: Lake, engine: DuckEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "FEWEST", 3)
    made = [put(lake, engine, day) for day in range(1, 6)]
    assert [one.snapshot_id for one in expirable(lake, VISITS, datetime(2099, 1, 1, tzinfo=UTC), ())] == made[:2]


def test_a_state_from_a_clock_that_was_ahead_expires_though_none_since_seems_younger(
    lake: Lake, engine: DuckEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, engine, 1)
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda now=time.time: now() + 3600)
        put(lake, engine, 2)
    for day in (3, 4):
        put(lake, engine, day)
    expire(lake, VISITS, expirable(lake, VISITS, datetime.now(UTC) + timedelta(hours=2), ()))
    (left,) = lake.table(VISITS).metadata.snapshots  # type: ignore[union-attr]
    query = "select sum(visits) as visits from silver.visits for timestamp as of timestamp"
    at, before = (datetime.fromtimestamp((left.timestamp_ms + shift) / 1000, UTC) for shift in (0, -1))
    assert Reader(lake.settings).sql(f"{query} '{at:%Y-%m-%d %H:%M:%S.%f} UTC'")["visits"].tolist() == [10]
    with pytest.raises(QueryError, match="has expired"):
        Reader(lake.settings).sql(f"{query} '{before:%Y-%m-%d %H:%M:%S.%f} UTC'")


def test_the_last_commit_of_each_step_that_writes_a_table_is_kept(lake: Lake, engine: DuckEngine) -> None:
    put(lake, engine, 1)
    other = lake.commit(VISITS, [], [], Provenance(RUN, "other", "code", "contract"))
    for day in (2, 3):
        put(lake, engine, day)
    soon = datetime.now(UTC) + timedelta(minutes=1)
    expire(lake, VISITS, expirable(lake, VISITS, soon, ()))
    found = last_commits(Lake(lake.settings), VISITS)
    assert {step: snapshot for step, (snapshot, _) in found.items()} == {"other": other, VISITS: lake.snapshot_id(VISITS)}
    assert Lake(lake.settings).last_provenance(VISITS, "other") is not None, "though its parent has expired"


def test_commits_that_a_table_was_set_back_before_are_no_part_of_its_past(lake: Lake, engine: DuckEngine) -> None:
    first = put(lake, engine, 1)
    lake.commit(VISITS, [], [], Provenance(RUN, "other", "code", "contract"))
    lake.table(VISITS).manage_snapshots().set_current_snapshot(first).commit()  # type: ignore[union-attr]
    lake.refresh()
    last = put(lake, engine, 2)
    assert {step: snapshot for step, (snapshot, _) in last_commits(lake, VISITS).items()} == {VISITS: last}
    assert lake.last_provenance(VISITS, "other") is None


def test_a_table_that_was_set_back_before_its_compaction_has_not_moved_for_who_had_read_it(lake: Lake, engine: DuckEngine) -> None:
    mark = [put(lake, engine, day) for day in (1, 2)][-1]
    tidy(lake, engine)
    lake.table(VISITS).manage_snapshots().set_current_snapshot(mark).commit()  # type: ignore[union-attr]
    lake.refresh()
    assert not lake.has_moved(VISITS, mark)
    assert lake.added_files(VISITS, mark) == ()


@BOTH_PLACES
def test_a_query_of_a_kept_version_is_answered_and_one_of_an_expired_version_says_so(lake: Lake, engine: DuckEngine) -> None:
    made = [put(lake, engine, day) for day in range(1, 5)]
    tidy(lake, engine)
    gone = [one for one in lake.table(VISITS).metadata.snapshots if one.snapshot_id in (made[0], made[3])]  # type: ignore[union-attr]
    expire(lake, VISITS, gone)
    query = "select sum(visits) as visits from silver.visits for version as of"
    reader = Reader(lake.settings)
    assert reader.sql(f"{query} {made[2]}")["visits"].tolist() == [6]
    assert reader.sql(f"{query} {made[3]}")["visits"].tolist() == [10], "its rows are those of its compaction"
    with pytest.raises(QueryError, match=rf"silver.visits has no version {made[0]}; .*older ones may have expired"):
        reader.sql(f"{query} {made[0]}")
    with pytest.raises(LakeError, match=rf"no snapshot {made[0]}; it has expired"):
        Lake(lake.settings).files(VISITS, made[0])
    early = datetime.fromtimestamp(gone[0].timestamp_ms / 1000, UTC).isoformat(sep=" ").replace("+00:00", " UTC")
    with pytest.raises(QueryError, match=r"has expired; versions are kept for SALES_TECH_KEEP_DAYS days, here since"):
        reader.sql(f"select visits from silver.visits for timestamp as of timestamp '{early}'")


def test_a_query_as_of_a_moment_tells_what_was_there_then_or_that_this_has_expired(lake: Lake, engine: DuckEngine) -> None:
    for day in range(1, 7):
        put(lake, engine, day)
    states = lake.table(VISITS).metadata.snapshots  # type: ignore[union-attr]
    expire(lake, VISITS, [states[1], states[3]])
    expire(lake, VISITS, [states[0]])
    reader = Reader(lake.settings)
    for number, state in enumerate(states):
        moment = datetime.fromtimestamp(state.timestamp_ms / 1000, UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
        query = f"select sum(visits) as visits from silver.visits for timestamp as of timestamp '{moment} UTC'"
        if number < 4:
            with pytest.raises(QueryError, match="has expired"):
                reader.sql(query)
        else:
            assert reader.sql(query)["visits"].tolist() == [sum(range(1, number + 2))]


def test_a_table_of_an_older_version_is_given_the_properties_that_it_lacks(lake: Lake, engine: DuckEngine) -> None:
    put(lake, engine, 1)
    assert expiry.lacking_properties(lake, VISITS) == {}
    lost, changed = "commit.manifest-merge.enabled", "write.metadata.previous-versions-max"
    with lake.table(VISITS).transaction() as transaction:  # type: ignore[union-attr]
        transaction.remove_properties(lost)
        transaction.set_properties({changed: "100"})
    lacking = expiry.lacking_properties(lake, VISITS)
    assert lacking == {lost: "true", changed: "20"}
    expiry.set_properties(lake, VISITS, lacking)
    assert expiry.lacking_properties(Lake(lake.settings), VISITS) == {}


@BOTH_PLACES
def test_a_table_that_many_nights_appended_to_has_few_manifests_and_few_files_of_metadata(lake: Lake, engine: DuckEngine) -> None:
    for day in range(1, 28):
        put(lake, engine, day, f"shop {day}")
        if day % 3 == 0:
            removed = in_partitions(lake.files(VISITS), {(f"shop {day}", 672)})
            lake.commit(VISITS, [], removed, Provenance(RUN, VISITS, "code", "contract"))
    table: Table = lake.catalog.load_table(lake.platform.identifier(VISITS))
    assert len(table.current_snapshot().manifests(table.io)) <= 17  # type: ignore[union-attr]
    assert len(lake.files(VISITS)) == 18
    place = table.location().removeprefix("file://").removeprefix(f"{lake.settings.lake}/")
    metadata = [entry for entry in lake.platform.lake.entries(place) if entry.name.endswith(".metadata.json")]
    assert len(metadata) == 21
    assert missing(lake, VISITS) == []
    assert {entry.name.rpartition(".")[2] for entry in orphans(lake, VISITS)} == {"avro"}, "only manifests that were merged"
    expire(lake, VISITS, table.metadata.snapshots[:-1])
    remove(lake, orphans(lake, VISITS))
    data = [entry.name for entry in lake.platform.lake.entries(place) if entry.name.endswith(".parquet")]
    assert len(data) == 18, "what was removed goes with the last snapshot that had it"


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two small files are many."""
    monkeypatch.setattr(maintenance, "SOME", 2)
    monkeypatch.setattr(maintenance, "MANY", 2)


@pytest.fixture
def worked(erp: Settings) -> Settings:
    """A lake that three nights appended to, with corrections, a rejected line and order events."""
    land_reference(erp.landing, "A", "B")
    for number in (1, 2, 3):
        land_erp(erp.landing, f"vendas_2026_{number}", sale(f"P{number}", data_venda=f"1{number}/01/2026 10:00:00"), sale(quantidade="0"))
        land_events(erp.landing, placed(f"E{number}", f"2026-02-0{number}T10:00:00-03:00"))
        night(erp)
    return erp


@BOTH_PLACES
@pytest.mark.usefixtures("crowd")
def test_after_maintenance_no_step_has_anything_to_do(worked: Settings) -> None:
    before = read_all(worked)
    assert set(stale(worked)) == {"maintenance/lake"}
    result = upkeep(worked, force=False)
    assert {"bronze.files", "bronze.erp_br_vendas", "bronze.order_events"} <= {commit.table for commit in result.commits}
    assert read_all(worked) == before
    assert stale(worked) == {}
    assert all(not done.commits for done in night(worked).values())


@BOTH_PLACES
@pytest.mark.usefixtures("crowd")
def test_a_night_after_maintenance_reads_its_own_rows_only(worked: Settings) -> None:
    upkeep(worked)
    land_erp(worked.landing, "vendas_2026_4", sale("P4", data_venda="14/01/2026 10:00:00"))
    land_events(worked.landing, cancelled("E1", "2026-02-09T10:00:00-03:00"))
    results = night(worked)
    assert results["ingest/batch_csv"].rows_in == 1
    assert results["silver/sales"].rows_in == 2
    status = {row["order_id"]: row["status"] for row in read(worked, "silver.sales")}
    assert (status["P4"], status["E1"], status["E2"]) == ("sold", "cancelled", "sold")


@BOTH_PLACES
@pytest.mark.usefixtures("crowd")
def test_the_step_leaves_a_lake_whole_and_without_orphans(worked: Settings) -> None:
    before = read_all(worked)
    now = replace(worked, keep_days=0)
    with open_engine(worked) as engine:
        made = Lake(worked)
        staged = made.staging("silver.sales", RUN)
        engine.write("select 1 as x", staged, {"x": 1})
    upkeep(now)
    assert maintenance.missing_and_unnamed(Run.begin(worked)) == {"missing": 0, "unnamed": 0}
    assert read_all(worked) == before
    told = maintenance.figures(_last_run(worked)).set_index("table")
    assert told.loc["silver.sales", "removed"] > 1
    assert told.loc["silver.sales", "snapshots_after"] == 1
    assert told.loc["bronze.files", "files_after"] == 1
    assert stale(worked) == {}


def _last_run(settings: Settings) -> Run:
    newest = max((settings.work / "runs").glob("*/maintenance.json"), key=lambda path: path.stat().st_mtime_ns)
    return Run.begin(settings, run_id=newest.parent.name)


def test_where_a_tables_own_file_is_lost_nothing_of_it_is_removed(worked: Settings) -> None:
    lake = Lake(worked)
    with open_engine(worked) as engine:
        staged = lake.staging("silver.products", RUN)
        engine.write("select 1 as x", staged, {"x": 1})
    (lost,) = lake.files("silver.products")
    Path(lost.path.removeprefix("file://")).unlink()
    result = upkeep(worked)
    (remark,) = result.remarks
    assert remark.startswith("silver.products: 1 files that it names are gone, so none was removed; restore it from a backup")
    assert [entry for entry in orphans(Lake(worked), "silver.products") if RUN in entry.name]
    assert maintenance.figures(_last_run(worked)).set_index("table").loc["silver.products", "missing"] == 1


@pytest.mark.usefixtures("crowd")
def test_a_table_that_must_wait_is_told_with_whom_it_waits_for(worked: Settings) -> None:
    from sales_tech.ingest import batch_csv

    land_erp(worked.landing, "vendas_2026_4", sale("P4", data_venda="14/01/2026 10:00:00"))
    batch_csv.run(Run.begin(worked))
    result = upkeep(worked)
    assert "bronze.erp_br_vendas waits to be compacted, until silver.fates, silver.rejects, silver.sales is up to date" in result.notes
    assert "bronze.erp_br_vendas" not in {commit.table for commit in result.commits}
    night(worked)
    assert {row["order_id"] for row in read(worked, "silver.sales")} >= {"P1", "P4"}


def test_what_a_killed_process_left_in_scratch_goes_and_what_is_in_use_stays(erp: Settings) -> None:
    scratch = erp.work / "scratch"
    with open_engine(erp) as engine:
        engine.materialize("kept", "select 1 as x")
        dead = scratch / "tmpdead"
        dead.mkdir()
        (dead / ".in-use").touch()
        (dead / "spilled").write_bytes(b"12345")
        os.utime(dead, (1, 1))
        (scratch / "cut.part").write_bytes(b"123")
        (scratch / "unknown").mkdir()
        assert {(left.path.name, left.bytes) for left in left_over(erp)} == {("tmpdead", 5), ("cut.part", 3)}
        assert [left.path.name for left in left_over(replace(erp, work_folder=erp.work, lake=erp.work / "other"))] == ["tmpdead"]
        upkeep(erp)
        assert not dead.exists()
        assert engine.rows("select x from kept") == [(1,)]


def test_a_run_that_never_came_to_the_ledger_is_a_reason_for_maintenance(worked: Settings) -> None:
    notebook = worked.work / "runs" / "20990101T000000-abcdef" / "02_silver" / "sales.ipynb"
    notebook.parent.mkdir(parents=True)
    notebook.touch()
    assert stale(worked)["maintenance/lake"] == ("run 20990101T000000-abcdef has no entry in the ledger: it was cut short, or still works",)


@pytest.mark.slow(40)
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.usefixtures("crowd")
def test_nights_with_maintenance_in_between_make_the_tables_of_the_nights_alone(seed: int, make_settings: Callable[..., Settings]) -> None:
    chance = random.Random(seed)
    kept, plain = make_settings("erp_br", name="kept"), make_settings("erp_br", name="plain")
    for settings in (kept, plain):
        land_reference(settings.landing, "A", "B")
    order = placed("E1", "2026-02-01T10:00:00-03:00")
    for number in range(1, 6):
        day, about = chance.randint(1, 28), chance.choice(["P1", f"P{number}"])
        lines = [sale(about, data_venda=f"{day:02}/0{chance.randint(1, 3)}/2026 10:00:00", atualizado_em=f"{number:02}/04/2026 08:00:00")]
        lines += [sale(f"X{number}", sku="C")] if chance.random() < 0.5 else []
        event = chance.choice(
            [cancelled("P1", f"2026-04-{number:02}T12:00:00-03:00"), amended(order, f"2026-04-{number:02}T09:00:00-03:00")]
        )
        late, tended = chance.random() < 0.3, chance.random() < 0.6
        for settings in (kept, plain):
            land_erp(settings.landing, f"vendas_{number}", *lines)
            land_events(settings.landing, event)
            if late:
                land_erp(settings.landing, f"produtos_2026_{number}", product("C"))
            night(settings)
        if tended:
            upkeep(replace(kept, keep_days=chance.choice([0, 100])))
            assert stale(kept) == {}
    made, expected = read_all(kept), read_all(plain)
    for tables in (made, expected):
        del tables["bronze.files"]  # tells when each file was written
    assert made == expected
    assert len(made["silver.sales"]) > 1
