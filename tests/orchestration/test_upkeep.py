"""When the lake is worth working on, what is done to each table, and what is told of it, on tables of few rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.lake.test_maintenance import SUMS, VISITS, contract, put

from sales_tech.engines.duck import DuckEngine, open_engine
from sales_tech.lake import expiry
from sales_tech.lake.store import Lake
from sales_tech.models.card import Decision, ModelCard
from sales_tech.models.registry import INDEX, Index, Version
from sales_tech.orchestration import maintenance
from sales_tech.orchestration.ledger import PipelineRun, StepRun, enter, last_run_id
from sales_tech.orchestration.maintenance import Upkeep, figures, why
from sales_tech.runs import Run
from sales_tech.settings import Settings


@pytest.fixture
def lake(erp: Settings, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """An empty lake in which three are many, two are worth it, and no state is kept for its own sake."""
    monkeypatch.setattr(maintenance, "MANY", 3)
    monkeypatch.setattr(maintenance, "SOME", 2)
    monkeypatch.setattr(expiry, "FEWEST", 1)
    return Lake(erp)


@pytest.fixture
def engine(lake: Lake) -> Iterator[DuckEngine]:
    with open_engine(lake.settings) as opened:
        yield opened


def reasons(lake: Lake, engine: DuckEngine, *, keep_days: int = 100, force: bool = False) -> list[str]:
    lake.refresh()
    return why(lake, engine, Run.begin(replace(lake.settings, keep_days=keep_days), force=force))


def test_many_files_of_a_partition_that_waits_for_nobody_are_a_reason(lake: Lake, engine: DuckEngine) -> None:
    assert reasons(lake, engine, force=True) == [], "there is nothing to work on"
    first = [put(lake, engine, day) for day in (1, 2)][-1]
    put(lake, engine, 1, to=contract(SUMS), silver_visits=first)
    assert reasons(lake, engine) == []
    assert reasons(lake, engine, force=True) == ["forced"]
    last = put(lake, engine, 3)
    assert reasons(lake, engine) == [], f"who makes {SUMS} has not read the third file yet"
    put(lake, engine, 2, to=contract(SUMS), silver_visits=last)
    assert reasons(lake, engine) == [f"many small files in {VISITS}"]
    put(lake, engine, 3, to=contract(SUMS), silver_visits=last)
    assert reasons(lake, engine) == [f"many small files in {VISITS}, {SUMS}"]


def test_many_snapshots_that_are_past_their_time_and_that_nobody_needs_are_a_reason(lake: Lake, engine: DuckEngine) -> None:
    # Of other shops each day: no partition has many files. The two newest stay: the one of now, and the last of its step.
    made = [put(lake, engine, day, f"shop {day}") for day in range(1, 5)]
    assert reasons(lake, engine, keep_days=0) == [f"many snapshots past their time of {VISITS}"]
    assert reasons(lake, engine, keep_days=1) == []
    put(lake, engine, 1, to=contract(SUMS), silver_visits=made[1])
    assert reasons(lake, engine, keep_days=0) == [], f"two are left, since who makes {SUMS} goes on from the second"


def enter_run(settings: Settings, run_id: str, step: str, outcome: str = "succeeded") -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    run = Run.begin(settings, run_id=run_id)
    entry = PipelineRun(run_id, date(2026, 3, 1), now, now, 1.0, outcome, "{}", 1, 0, 0)
    enter(run, entry, [StepRun(run_id, step, "a.ipynb", "so", now, 1.0, outcome)])


def test_the_newest_run_since_the_last_upkeep_that_began_a_notebook_and_was_never_entered_is_a_reason(
    lake: Lake, engine: DuckEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = lake.settings
    assert last_run_id(lake, engine) is None
    for day in (1, 2, 4, 5, 6, 7, 8):  # of the third and of the ninth no notebook began
        notebook = settings.work / "runs" / f"2026030{day}T000000-aaaaaa" / "02_silver" / "sales.ipynb"
        notebook.parent.mkdir(parents=True)
        notebook.touch()
    (settings.work / "runs" / "20260309T000000-aaaaaa").mkdir()
    assert reasons(lake, engine) == ["run 20260308T000000-aaaaaa has no entry in the ledger: it was cut short, or still works"]
    enter_run(settings, "20260302T000000-aaaaaa", "maintenance/lake")
    enter_run(settings, "20260304T000000-aaaaaa", "silver/sales")
    enter_run(settings, "20260307T000000-aaaaaa", "maintenance/lake", "failed")
    enter_run(settings, "20260308T000000-aaaaaa", "silver/sales", "failed")
    monkeypatch.setattr(maintenance, "MANY", 9)
    assert reasons(lake, engine) == ["run 20260306T000000-aaaaaa has no entry in the ledger: it was cut short, or still works"]
    assert why(lake, engine, Run.begin(settings, run_id="20260306T000000-aaaaaa")) == [
        "run 20260305T000000-aaaaaa has no entry in the ledger: it was cut short, or still works"
    ]
    assert last_run_id(lake, engine) == "20260308T000000-aaaaaa"
    enter_run(settings, "20260306T000000-bbbbbb", "maintenance/lake")
    assert reasons(lake, engine) == []


def test_what_a_model_in_use_learnt_from_outlives_its_time_and_all_that_was_done_is_told(lake: Lake, engine: DuckEngine) -> None:
    made = [put(lake, engine, day) for day in range(1, 6)]
    kept = put(lake, engine, 6, "Recife")
    put(lake, engine, 1, to=contract(SUMS), silver_visits=made[0])
    place = Path(lake.settings.lake) / "models" / "erp_br"
    (place / "v0002").mkdir(parents=True)
    learnt = Version(version="v0002", digest="", origin=date(2026, 1, 3), registered_at=datetime(2026, 1, 4, tzinfo=UTC), code="x", size=1)
    (place / INDEX).write_text(Index(source="erp_br", champion="v0002", versions=[learnt]).model_dump_json())
    (place / "v0002" / "card.json").write_text(card({VISITS: made[2]}).model_dump_json())
    left = Path(lake.files(SUMS)[0].path.removeprefix("file://")).with_name("left.parquet")
    left.write_bytes(b"0" * 1_250_000)
    scratch = lake.settings.work / "scratch" / "cut.part"
    scratch.parent.mkdir(parents=True, exist_ok=True)
    scratch.write_bytes(b"0" * 100_000)
    run = Run.begin(replace(lake.settings, keep_days=0))
    result = maintenance.run(run)
    assert (result.step, result.rows_in, result.commits) == ("maintenance/lake", 0, [])
    assert (left.exists(), scratch.exists()) == (False, False)
    again = Lake(lake.settings)
    states = [one.snapshot_id for one in again.table(VISITS).metadata.snapshots]  # type: ignore[union-attr]
    assert states == [made[0], made[2], kept], "a bookmark's, the model's, and the newest"
    told = figures(run).set_index("table")
    assert told.loc[VISITS].to_dict() == told.loc[VISITS].to_dict() | {
        "files_before": 6,
        "files_after": 6,
        "snapshots_before": 6,
        "snapshots_after": 3,
        "missing": 0,
        "waits_for": SUMS,
    }
    assert told.loc[SUMS, ["removed", "bytes_removed"]].tolist() == [1, 1_250_000]
    assert told.loc["scratch files", ["removed", "bytes_removed"]].tolist() == [1, 100_000]
    removed, size = told["removed"].sum(), told["bytes_removed"].sum() / 1e6
    assert result.notes == [
        f"{VISITS} waits to be compacted, until {SUMS} is up to date",
        f"0 files became 0, 3 snapshots expired, {removed} files removed, which gave back {size:.1f} MB",
    ]
    put(lake, engine, 7, to=contract(SUMS), silver_visits=kept)
    done = maintenance.run(Run.begin(lake.settings))
    assert {(commit.table, commit.rows, commit.partitions) for commit in done.commits} == {(VISITS, 5, 1), (SUMS, 2, 1)}
    assert done.rows_in == 7
    assert done.notes[-1].startswith("8 files became 3, 0 snapshots expired, ")
    assert maintenance.missing_and_unnamed(Run.begin(lake.settings)) == {"missing": 0, "unnamed": 0}


def test_the_figures_are_of_the_tables_on_which_anything_was_done(erp: Settings) -> None:
    quiet = Upkeep("quiet", 4, 4, 2, 2)
    rows = [
        quiet,
        Upkeep("compacted", 4, 1, 2, 3),
        Upkeep("committed meanwhile", 4, 4, 2, 3),
        Upkeep("expired", 4, 4, 2, 1),
        replace(quiet, table="swept", removed=1, bytes_removed=7),
        replace(quiet, table="lost", missing=1),
        replace(quiet, table="waits", waits_for=["a", "b"]),
    ]
    run = Run.begin(erp)
    run.folder.mkdir(parents=True)
    (run.folder / "maintenance.json").write_text(json.dumps([asdict(row) for row in rows]))
    told = figures(run)
    assert told["table"].tolist() == ["compacted", "expired", "swept", "lost", "waits"]
    assert told["waits_for"].tolist() == ["", "", "", "", "a, b"]
    assert told.index.tolist() == list(range(5))


def card(snapshots: dict[str, int]) -> ModelCard:
    return ModelCard(
        source="erp_br",
        currency="BRL",
        snapshots=snapshots,
        first_day=date(2025, 1, 1),
        origin=date(2026, 2, 28),
        horizon=91,
        series=1,
        sales_units=1,
        code_version="1",
        code="1",
        libraries={},
        parameters={},
        cutoffs=[],
        compared_days=0,
        figures=[],
        calibration=[],
        importance=[],
        decision=Decision(outcome="registered", reason="so"),
    )
