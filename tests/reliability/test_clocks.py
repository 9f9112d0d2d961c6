"""A clock that jumps, between two nights or within one: tables are as they would be, ids of runs still tell what came last."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.reliability.children import ended, skewed_night, start
from tests.reliability.scenes import Scene, different
from tests.support.exports import land_erp, land_reference, sale
from tests.support.nights import night, read, settings_in

from sales_tech.engines.duck import open_engine
from sales_tech.errors import StepFailed
from sales_tech.lake.query import Reader
from sales_tech.lake.store import Lake
from sales_tech.orchestration import pipeline
from sales_tech.orchestration.ledger import last_run_id, unfinished
from sales_tech.orchestration.pipeline import execute_run
from sales_tech.orchestration.steps import Situation, Step
from sales_tech.runs import Run, StepResult
from sales_tech.settings import Settings

pytestmark = pytest.mark.usefixtures("hash_key")

DAY = 86_400.0
YEARS = 3_650 * DAY


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param((-YEARS,), id="ten years late"),
        pytest.param((YEARS,), id="ten years early"),
        pytest.param((0.0, 3600.0, -3600.0, -DAY, 0.5, DAY), id="jumping back and forth"),
    ],
)
def test_a_night_by_a_wrong_clock_makes_the_same_tables_and_so_does_the_night_after(scene: Scene, wrong: tuple[float, ...]) -> None:
    scene.restore()
    assert ended(start(skewed_night, scene.settings, *wrong)) == 0
    assert different(scene) == []
    assert all(not result.commits for result in night(scene.settings).values()), "nothing is taken for news by its time"


def test_a_night_after_one_whose_clock_was_years_early_is_as_good_as_any(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, "erp_br")
    land_reference(settings.landing, "A")
    land_erp(settings.landing, "vendas_1", sale("P1"))
    assert ended(start(skewed_night, settings, YEARS)) == 0
    early = Lake(settings).snapshot("silver.sales")
    land_erp(settings.landing, "vendas_2", sale("P1", quantidade="3", atualizado_em="11/01/2026 10:00:00"), sale("P2"))
    night(settings)
    assert {(row["order_id"], row["quantity"]) for row in read(settings, "silver.sales")} == {("P1", 3), ("P2", 1)}
    now = Lake(settings).snapshot("silver.sales")
    assert early is not None
    assert now is not None
    assert now.timestamp_ms < early.timestamp_ms, "the clock went back"
    asked = Reader(settings).arrow("select count(*) as n from silver.sales for timestamp as of timestamp '2031-01-01 00:00:00 UTC'")
    assert asked.to_pylist() == [{"n": 2}]


def test_a_file_that_is_older_than_the_one_it_replaces_is_news(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, "erp_br")
    land_reference(settings.landing, "A")
    path = land_erp(settings.landing, "vendas_1", sale("P1", quantidade="2"))
    night(settings)
    land_erp(settings.landing, "vendas_1", sale("P1", quantidade="3"))
    os.utime(path, (0, 0))
    night(settings)
    assert [row["quantity"] for row in read(settings, "silver.sales")] == [3]


@contextmanager
def unwatched(_step: Step) -> Iterator[None]:
    yield


def run_one(settings: Settings, monkeypatch: pytest.MonkeyPatch, *, run_id: str | None, fails: bool) -> str:
    """A run of one made-up step whose notebook does nothing, or fails; its id in the ledger."""

    def executed(*_arguments: object) -> None:
        if fails:
            raise StepFailed("as it was to")

    def news(_at: Situation) -> list[str]:
        return ["news"]

    def out_of_kernel(_run: Run) -> StepResult:
        raise AssertionError("the pipeline runs the notebook, not the step's work")

    monkeypatch.setattr(pipeline, "parameters_of", lambda _notebook: {})
    monkeypatch.setattr(pipeline, "execute", executed)
    step = Step("gold/made_up", "made_up.ipynb", (), news, work=out_of_kernel)
    return execute_run(Run.begin(settings, run_id=run_id), (step,), Path("notebooks"), unwatched).run.run_id


def test_a_run_after_one_in_the_future_still_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_in(tmp_path, "erp_br")
    early = run_one(settings, monkeypatch, run_id="20361231T235959-ffffff", fails=True)
    after = run_one(settings, monkeypatch, run_id=None, fails=False)
    assert after > early
    assert after.startswith("20370101T000000-")
    with open_engine(settings) as engine:
        assert last_run_id(Lake(settings), engine) == after
        assert unfinished(Lake(settings), engine) == set(), "that it failed before is over"
    run_one(settings, monkeypatch, run_id=None, fails=True)
    with open_engine(settings) as engine:
        assert unfinished(Lake(settings), engine) == {"gold/made_up"}, "that it failed since is known"
