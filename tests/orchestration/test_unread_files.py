"""A rejected file is told by each run and plan for as long as it stands in the landing folder, and gives no step work."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.cloud_settings import CloudSettings
from tests.support.exports import erp_text, land_erp, land_reference, sale
from tests.support.nights import BOTH_PLACES, read, snapshots
from tests.support.outcomes import shown

from sales_tech.ingest.arrivals import Unread
from sales_tech.orchestration.pipeline import EXIT_CODES, Outcome, execute_run
from sales_tech.orchestration.plan import plan
from sales_tech.orchestration.steps import Step, chosen
from sales_tech.runs import Run, moment
from sales_tech.settings import Settings

STEPS = ("ingest/batch_csv", "ingest/order_events")
BAD = "erp_br/vendas_2026-06.csv"


@contextmanager
def unwatched(step: Step) -> Iterator[None]:
    yield


def begin(settings: Settings) -> Run:
    return Run.begin(settings.land() if isinstance(settings, CloudSettings) else settings)


def run(settings: Settings, *steps: str) -> Outcome:
    return execute_run(begin(settings), chosen(steps or STEPS), None, unwatched)


def planned(settings: Settings) -> list[Unread]:
    return [file for item in plan(begin(settings), chosen(STEPS)) for file in item.unread]


@pytest.fixture
def renamed(erp: Settings) -> Path:
    """A landed file in whose header a column has another name."""
    path = land_erp(erp.landing, "vendas_2026-06", sale("1"))
    path.write_bytes(path.read_bytes().replace(b"Quantidade", b"Qtde"))
    return path


@BOTH_PLACES
def test_a_rejected_file_is_told_by_each_run_and_plan_and_no_step_runs_again(erp: Settings, renamed: Path) -> None:
    first = run(erp)
    assert (list(first.rejected), first.unread, EXIT_CODES[first.outcome]) == ([BAD], [], 2)
    before = snapshots(erp)
    for _ in range(2):
        again = run(erp)
        (file,) = again.unread
        assert again.idle
        assert EXIT_CODES[again.outcome] == 2
        assert (file.name, file.since, file.reason) == (BAD, moment(first.run.run_id), first.rejected[BAD])
        assert planned(erp) == [file]
    assert snapshots(erp) == before
    renamed.write_bytes(erp_text("vendas", [sale("1")]).encode("latin-1"))
    mended = run(erp)
    assert (mended.outcome, mended.unread, planned(erp)) == ("succeeded", [], [])


def test_a_file_that_was_only_touched_stays_unread_since_the_first_night(erp: Settings, renamed: Path) -> None:
    first = run(erp)
    os.utime(renamed, (1, 1))
    (file,) = run(erp).unread
    assert file.since == moment(first.run.run_id)


def test_a_rejected_file_that_was_taken_away_is_told_no_more(erp: Settings, renamed: Path) -> None:
    run(erp)
    renamed.unlink()
    assert (run(erp).outcome, planned(erp)) == ("succeeded", [])


def test_a_rejected_object_of_events_is_told_as_well(erp: Settings) -> None:
    bad = erp.landing / "order_events" / "00" / "bad.jsonl.gz"
    bad.parent.mkdir(parents=True)
    bad.write_bytes(gzip.compress(b"hello", mtime=0))
    run(erp)
    (file,) = run(erp).unread
    assert (file.name, "no JSON" in file.reason) == ("order_events/00/bad.jsonl.gz", True)


def test_a_run_of_other_steps_does_not_tell_of_files(erp: Settings, renamed: Path) -> None:
    run(erp)
    assert (run(erp, "silver/reference").outcome, run(erp, "ingest/order_events").outcome) == ("succeeded", "succeeded")


def test_the_ledger_has_the_reasons_of_the_run_that_rejected_and_names_what_is_unread_later(erp: Settings, renamed: Path) -> None:
    run(erp)
    land_reference(erp.landing)
    run(erp)
    first, second = sorted(read(erp, "gold.pipeline_runs"), key=lambda row: str(row["run_id"]))
    assert first["message"].startswith(f"{BAD}: the header lacks 'Quantidade'; found 'Pedido'")
    assert second["message"].startswith(f"{BAD}: unread since it was rejected at 20")
    assert [(row["outcome"], row["files_rejected"]) for row in (first, second)] == [("rejected_files", 1), ("rejected_files", 0)]


def test_the_terminal_names_file_moment_reason_and_what_to_do(erp: Settings, renamed: Path) -> None:
    run(erp)
    told = shown(run(erp))
    assert "Nothing to do" in told
    (line,) = [line for line in told.splitlines() if line.startswith(f"unread file {BAD}, since it was rejected at 20")]
    assert "the header lacks 'Quantidade'" in line
    assert "Land a mended file" in told


def test_the_data_of_a_file_without_a_header_is_in_no_reason(erp: Settings) -> None:
    path = land_erp(erp.landing, "vendas_2026-06", sale("1", cpf="529.982.247-25"), sale("2"))
    path.write_bytes(path.read_bytes().split(b"\n", 1)[1])
    run(erp)
    (entry,) = read(erp, "gold.pipeline_runs")
    assert "found 16 fields in the first line, of which 1 has a name that the pack knows, so it may be data" in entry["message"]
    assert "529.982.247-25" not in entry["message"]
