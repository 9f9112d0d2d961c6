"""The lake's own promises: one commit is one snapshot, a failed one leaves nothing, contracts may grow."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pyiceberg import table
from pyiceberg.exceptions import NoSuchTableError
from tests.support.nights import BOTH_PLACES, read

from sales_tech.contracts.table import TableContract
from sales_tech.engines.duck import DuckEngine, open_engine
from sales_tech.errors import AuditError, LakeError
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake, LakeFile
from sales_tech.lake.write import Staged, in_partitions, stage, stage_each
from sales_tech.settings import Settings

pytestmark = BOTH_PLACES
NAME = "silver.visits"
RUN = "20260301T020000-1a2b3c"
COLUMNS = {
    "shop": {"type": "string", "required": True, "description": "Shop"},
    "day": {"type": "date", "required": True, "description": "Day"},
    "visits": {"type": "long", "unit": "visits", "description": "Visits"},
}


def contract(**changes: object) -> TableContract:
    """A small contract, split by shop and month."""
    given = {
        "name": NAME,
        "description": "One row per shop and day.",
        "grain": ["shop", "day"],
        "columns": COLUMNS,
        "partition": ["shop", "month(day)"],
        "checks": [{"sql": "visits is null or visits >= 0", "reason": "visits: negative"}],
    }
    return TableContract.model_validate(given | changes)


def provenance(step: str = "silver/visits") -> Provenance:
    return Provenance(RUN, step, "code", "contract")


def rows(*values: str) -> str:
    """A query of rows of (shop, day, visits)."""
    return f"select shop, cast(day as date) as day, visits from (values {', '.join(values)}) as v(shop, day, visits)"


SANTOS, RECIFE, LATER = "('Santos', '2026-01-05', 3)", "('Recife', '2026-01-06', 4)", "('Santos', '2026-02-07', 5)"


@pytest.fixture
def lake(erp: Settings) -> Lake:
    return Lake(erp)


@pytest.fixture
def engine(erp: Settings) -> Iterator[DuckEngine]:
    with open_engine(erp) as opened:
        yield opened


def put(lake: Lake, engine: DuckEngine, *values: str, removed: tuple[LakeFile, ...] = (), by: TableContract | None = None) -> int:
    """Stage rows and commit them; the snapshot's id is returned."""
    staged = stage(lake, engine, by or contract(), rows(*values), RUN)
    return lake.commit(NAME, staged.paths, removed, provenance())


def shops(settings: Settings) -> list[tuple[str, int | None]]:
    return [(row["shop"], row["visits"]) for row in read(settings, NAME)]


def test_a_commit_adds_and_removes_in_one_snapshot(lake: Lake, engine: DuckEngine) -> None:
    put(lake, engine, SANTOS, RECIFE)
    removed = tuple(in_partitions(lake.files(NAME), {("Santos", 672)}))
    snapshot = put(lake, engine, "('Santos', '2026-01-05', 30)", removed=removed)
    table = lake.catalog.load_table(lake.platform.identifier(NAME))
    assert [entry.snapshot_id for entry in table.history()][1:] == [snapshot]
    assert shops(lake.settings) == [("Recife", 4), ("Santos", 30)]


def test_a_commit_copies_its_tables_history_as_often_however_long_that_is(
    lake: Lake, engine: DuckEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, copies = table.update_table_metadata, []
    monkeypatch.setattr(table, "update_table_metadata", lambda *given: copies.append(given) or plain(*given))
    put(lake, engine, SANTOS)
    assert len(copies) <= 3  # of the table as it was, with the snapshot, and with what is said of it
    history = lake.table(NAME)
    assert history is not None
    assert [snapshot.snapshot_id for snapshot in history.metadata.snapshots] == [lake.snapshot_id(NAME)]


def test_an_earlier_snapshot_still_shows_what_it_held(lake: Lake, engine: DuckEngine) -> None:
    first = put(lake, engine, SANTOS)
    before = lake.files(NAME)
    put(lake, engine, RECIFE, removed=before)
    assert lake.files(NAME, first) == before
    assert [file.partition for file in lake.files(NAME)] == [("Recife", 672)]


def test_staged_rows_are_not_in_the_table_until_they_are_committed(lake: Lake, engine: DuckEngine) -> None:
    put(lake, engine, SANTOS)
    staged = stage(lake, engine, contract(), rows(RECIFE), RUN)
    assert staged.rows == 1
    assert shops(lake.settings) == [("Santos", 3)]


def test_a_commit_that_removes_what_another_writer_removed_fails_and_leaves_the_table_as_it_was(lake: Lake, engine: DuckEngine) -> None:
    put(lake, engine, SANTOS, RECIFE)
    slow, quick = Lake(lake.settings), Lake(lake.settings)
    stale = slow.files(NAME)
    put(quick, engine, "('Olinda', '2026-01-09', 9)", removed=quick.files(NAME))
    after = shops(lake.settings)
    with pytest.raises(LakeError, match="changed by another writer"):
        put(slow, engine, "('Natal', '2026-01-09', 1)", removed=stale)
    assert shops(lake.settings) == after == [("Olinda", 9)]


def test_an_append_goes_on_top_of_what_another_writer_appended_meanwhile(lake: Lake, engine: DuckEngine) -> None:
    put(lake, engine, SANTOS)
    slow, quick = Lake(lake.settings), Lake(lake.settings)
    assert slow.snapshot_id(NAME)
    staged = stage(slow, engine, contract(), rows(LATER), RUN)
    put(quick, engine, RECIFE)
    made = slow.commit(NAME, staged.paths, [], provenance())
    assert shops(lake.settings) == [("Recife", 4), ("Santos", 3), ("Santos", 5)]
    assert Lake(lake.settings).snapshot_id(NAME) == made


def test_an_append_goes_on_top_of_what_another_writer_replaced_meanwhile(lake: Lake, engine: DuckEngine) -> None:
    put(lake, engine, SANTOS)
    slow, quick = Lake(lake.settings), Lake(lake.settings)
    staged = stage(slow, engine, contract(), rows(LATER), RUN)
    put(quick, engine, RECIFE, removed=quick.files(NAME))
    slow.commit(NAME, staged.paths, [], provenance())
    assert shops(lake.settings) == [("Recife", 4), ("Santos", 5)]


def test_a_replacement_is_refused_where_another_writer_appended_meanwhile(lake: Lake, engine: DuckEngine) -> None:
    put(lake, engine, SANTOS)
    slow, quick = Lake(lake.settings), Lake(lake.settings)
    stale = slow.files(NAME)
    put(quick, engine, RECIFE)
    with pytest.raises(LakeError, match="changed by another writer"):
        put(slow, engine, LATER, removed=stale)
    assert shops(lake.settings) == [("Recife", 4), ("Santos", 3)]


def test_two_writers_that_append_at_once_lose_nothing(lake: Lake, engine: DuckEngine) -> None:
    put(lake, engine, SANTOS)
    staged = [stage(Lake(lake.settings), engine, contract(), rows(f"('Recife', '2026-01-{day:02}', {day})"), RUN) for day in range(1, 5)]
    writers = [Lake(lake.settings) for _ in staged]
    assert all(writer.snapshot_id(NAME) for writer in writers)
    with ThreadPoolExecutor(len(staged)) as pool:
        made = list(pool.map(lambda writer, files: writer.commit(NAME, files.paths, [], provenance()), writers, staged))
    assert len(set(made)) == len(staged)
    assert shops(lake.settings) == [*(("Recife", day) for day in range(1, 5)), ("Santos", 3)]


def test_two_writers_may_make_a_table_at_once(lake: Lake, engine: DuckEngine) -> None:
    slow = Lake(lake.settings)
    missing = slow.table(NAME)
    assert missing is None
    put(lake, engine, SANTOS)
    slow.table = lambda _name: None  # type: ignore[method-assign]
    assert slow.ensure(contract()).current_snapshot() is not None


def test_a_commit_that_removes_a_file_which_is_no_longer_there_fails(lake: Lake, engine: DuckEngine) -> None:
    put(lake, engine, SANTOS)
    stale = lake.files(NAME)
    put(lake, engine, RECIFE, removed=stale)
    with pytest.raises(LakeError, match="changed by another writer"):
        put(lake, engine, "('Natal', '2026-01-09', 1)", removed=stale)
    assert shops(lake.settings) == [("Recife", 4)]


def test_a_commit_of_a_missing_file_leaves_the_table_as_it_was(lake: Lake, engine: DuckEngine) -> None:
    snapshot = put(lake, engine, SANTOS)
    with pytest.raises(FileNotFoundError):
        lake.commit(NAME, [f"{lake.settings.lake}/nowhere.parquet"], lake.files(NAME), provenance())
    assert Lake(lake.settings).snapshot_id(NAME) == snapshot
    assert shops(lake.settings) == [("Santos", 3)]


def test_a_commit_without_files_only_moves_the_bookmark(lake: Lake, engine: DuckEngine) -> None:
    first = put(lake, engine, SANTOS)
    second = lake.commit(NAME, [], [], Provenance(RUN, "silver/visits", "code", "contract", {"bronze.visits": 5}))
    assert second != first
    assert shops(lake.settings) == [("Santos", 3)]
    last = lake.provenance(NAME)
    assert last is not None
    assert last.inputs == {"bronze.visits": 5}


def test_provenance_survives_the_snapshot_summary(lake: Lake, engine: DuckEngine) -> None:
    staged = stage(lake, engine, contract(), rows(SANTOS), RUN)
    given = Provenance(RUN, "silver/visits", "c0de", "c0ntract", {"bronze.a": 2**62, "bronze.b": 1}, {"silver.fates": 3}, {"erp_br": "f1"})
    lake.commit(NAME, staged.paths, [], given)
    assert Lake(lake.settings).provenance(NAME) == given


def test_the_last_provenance_of_a_step_is_found_behind_those_of_others(lake: Lake, engine: DuckEngine) -> None:
    for number, step in enumerate(("one", "two", "two")):
        staged = stage(lake, engine, contract(), rows(f"('Santos', '2026-01-0{number + 1}', 3)"), RUN)
        lake.commit(NAME, staged.paths, [], provenance(step))
    found = lake.last_provenance(NAME, "one")
    assert found is not None
    assert found.step == "one"
    assert lake.last_provenance(NAME, "three") is None


def test_changed_partitions_are_those_whose_files_differ(lake: Lake, engine: DuckEngine) -> None:
    first = put(lake, engine, SANTOS, RECIFE, LATER)
    february = tuple(in_partitions(lake.files(NAME), {("Santos", 673)}))
    put(lake, engine, "('Olinda', '2026-03-01', 1)", removed=february)
    assert lake.changed_partitions(NAME, first) == {("Santos", 673), ("Olinda", 674)}
    assert lake.changed_partitions(NAME, lake.snapshot_id(NAME)) == set()
    assert lake.changed_partitions(NAME, None) == {("Santos", 672), ("Recife", 672), ("Olinda", 674)}


def test_added_files_are_those_of_now_that_were_not_there_before(lake: Lake, engine: DuckEngine) -> None:
    first = put(lake, engine, SANTOS)
    put(lake, engine, RECIFE)
    assert [file.partition for file in lake.added_files(NAME, first)] == [("Recife", 672)]
    assert lake.added_files(NAME, None) == lake.files(NAME)
    assert sum(file.rows for file in lake.files(NAME)) == 2


def test_a_table_that_is_not_there_has_nothing(lake: Lake) -> None:
    assert (lake.table(NAME), lake.snapshot_id(NAME), lake.provenance(NAME), lake.files(NAME)) == (None, None, None, ())
    with pytest.raises(LakeError, match="does not exist yet"):
        lake.commit(NAME, [], [], provenance())
    with pytest.raises(NoSuchTableError):
        lake.catalog.load_table(lake.platform.identifier(NAME))


def test_a_table_in_which_another_tool_deleted_rows_is_not_read(lake: Lake, engine: DuckEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    put(lake, engine, SANTOS, RECIFE)
    plain = table.DataScan.plan_files

    def with_deletes(scan: table.DataScan) -> list[table.FileScanTask]:
        first, *others = plain(scan)
        return [table.FileScanTask(first.file, {first.file}), *others]

    monkeypatch.setattr(table.DataScan, "plan_files", with_deletes)
    with pytest.raises(LakeError, match=r"silver\.visits has row-level deletes in snapshot"):
        lake.files(NAME)


def test_another_writers_commit_shows_after_a_refresh(lake: Lake, engine: DuckEngine) -> None:
    first = put(lake, engine, SANTOS)
    second = put(Lake(lake.settings), engine, RECIFE)
    assert lake.snapshot_id(NAME) == first
    lake.refresh()
    assert lake.snapshot_id(NAME) == second


def test_a_column_that_a_contract_gains_widens_the_table_and_reads_null_in_old_files(lake: Lake, engine: DuckEngine) -> None:
    put(lake, engine, SANTOS)
    wider = contract(columns=COLUMNS | {"weather": {"type": "string", "description": "Weather", "unit": "word"}})
    query = "select 'Recife' as shop, date '2026-01-06' as day, 4 as visits, 'rain' as weather"
    staged = stage(lake, engine, wider, query, RUN)
    lake.commit(NAME, staged.paths, [], provenance())
    assert [(row["shop"], row["weather"]) for row in read(lake.settings, NAME)] == [("Recife", "rain"), ("Santos", None)]
    types = {name: column.type.sql for name, column in wider.columns.items()}
    engine.view("seen", [file.path for file in lake.files(NAME)], types)
    assert engine.rows("select shop, weather from seen order by shop") == [("Recife", "rain"), ("Santos", None)]
    table = lake.catalog.load_table(lake.platform.identifier(NAME))
    assert table.schema().find_field("weather").doc == "Weather [word]"


def test_a_number_that_a_contract_widens_keeps_its_old_values(lake: Lake, engine: DuckEngine) -> None:
    narrow = contract(columns=COLUMNS | {"visits": {"type": "int", "description": "Visits"}})
    put(lake, engine, SANTOS, by=narrow)
    put(lake, engine, f"('Recife', '2026-01-06', {2**40})")
    assert shops(lake.settings) == [("Recife", 2**40), ("Santos", 3)]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (("(null, '2026-01-05', 3)",), r"shop is null in a required column \(1 rows\)"),
        ((SANTOS, "('Santos', '2026-01-05', 4)"), r"grain \(shop, day\) is not unique \(1 keys, such as \('Santos', "),
        (("('Santos', '2026-01-05', -3)",), r"visits: negative \(1 rows\)"),
    ],
    ids=["null", "grain", "check"],
)
def test_rows_that_break_the_contract_are_not_committed(lake: Lake, engine: DuckEngine, values: tuple[str, ...], reason: str) -> None:
    put(lake, engine, RECIFE)
    before = Lake(lake.settings).snapshot_id(NAME)
    with pytest.raises(AuditError, match=reason):
        put(lake, engine, *values)
    assert Lake(lake.settings).snapshot_id(NAME) == before
    assert shops(lake.settings) == [("Recife", 4)]


def test_one_audit_names_all_broken_promises(lake: Lake, engine: DuckEngine) -> None:
    with pytest.raises(AuditError, match=r"day is null.*visits: negative.*not unique"):
        put(lake, engine, "('Santos', null, -3)", "('Santos', null, 2)")


def test_rows_without_proof_of_grain_may_repeat(lake: Lake, engine: DuckEngine) -> None:
    staged = stage(lake, engine, contract(), rows(SANTOS, SANTOS), RUN, unique=False)
    assert staged.rows == 2


def test_rows_that_are_written_partition_by_partition_may_not_repeat_either(lake: Lake, engine: DuckEngine) -> None:
    staged = stage_each(lake, engine, contract(), [rows(SANTOS), rows(LATER)], RUN)
    assert (len(staged.paths), staged.rows) == (2, 2)
    with pytest.raises(AuditError, match=r"grain \(shop, day\) is not unique \(1 keys"):
        stage_each(lake, engine, contract(), [rows(SANTOS, SANTOS), rows(LATER)], RUN)


def test_no_rows_stage_no_file(lake: Lake, engine: DuckEngine) -> None:
    staged = stage(lake, engine, contract(), f"{rows(SANTOS)} where false", RUN)
    assert staged == Staged(contract(), (), 0)


def test_each_partition_gets_files_of_its_own_inside_the_tables_location(lake: Lake, engine: DuckEngine) -> None:
    put(lake, engine, SANTOS, "('Santos', '2026-01-31', 1)", RECIFE, LATER)
    files = lake.files(NAME)
    assert sorted(file.partition for file in files) == [("Recife", 672), ("Santos", 672), ("Santos", 673)]
    location = f"{lake.settings.lake}/tables/silver/visits/data/"
    assert all(file.path.removeprefix("file://").startswith(location) for file in files)


@pytest.mark.parametrize("shop", ["São Paulo / Centro", "a=b~c", "100%", "O'Hara", "x y"])
def test_a_partition_may_have_any_text(lake: Lake, engine: DuckEngine, shop: str) -> None:
    quoted = shop.replace("'", "''")
    put(lake, engine, f"('{quoted}', '2026-01-05', 3)", RECIFE)
    assert {file.partition for file in lake.files(NAME)} == {(shop, 672), ("Recife", 672)}
    assert (shop, 3) in shops(lake.settings)
