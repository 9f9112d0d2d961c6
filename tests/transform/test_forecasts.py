"""How forecasts become gold tables, when they are made anew, and what is kept of earlier ones."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.support.exports import land_erp, land_reference, sale
from tests.support.nights import night, read, settings_in, snapshots
from tests.support.twins import lake_with_estimates

from sales_tech import planning
from sales_tech.engines.duck import open_engine
from sales_tech.errors import LakeError
from sales_tech.lake.store import Lake
from sales_tech.planning import PromotionPlanner
from sales_tech.runs import Run, StepResult
from sales_tech.settings import Settings
from sales_tech.transform import forecasts, promotions
from sales_tech.transform.outlooks import read_outlook, source_of
from sales_tech.transform.planning_past import calendars_of, read_past
from sales_tech.transform.promotion_frames import read_source
from sales_tech.twin import Size


class Learnt:
    """Planners that are in use, with what tells them apart."""

    def __init__(self, **planners: tuple[str, PromotionPlanner | None]) -> None:
        self.planners = planners

    def digest(self, source: str) -> str:
        return self.planners.get(source, ("", None))[0]

    def planner(self, source: str) -> PromotionPlanner | None:
        return self.planners.get(source, ("", None))[1]


TABLES = ("gold.demand_forecast", "gold.promotion_forecast", "gold.forecast_accuracy")
QUICK = partial(PromotionPlanner, most_rows=2_000, trees=12)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "PromotionPlanner", QUICK)


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A small lake of the synthetic retailer up to the estimates of its promotions."""
    return lake_with_estimates(tmp_path_factory.mktemp("twin"), Size(stores=4, skus=30, months=5, promotions=25))


def forecast(settings: Settings, *, force: bool = False, **given: Any) -> StepResult:
    return forecasts.run(Run.begin(settings, force=force), **given)


def tables(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    return {name: read(settings, name) for name in TABLES}


def test_the_same_snapshots_code_and_seed_give_the_same_numbers_to_the_last_digit(twin: Settings) -> None:
    forecast(twin)
    first = tables(twin)
    forecast(twin, force=True)
    assert tables(twin) == first
    assert first["gold.demand_forecast"]
    assert first["gold.promotion_forecast"]


def test_a_night_without_any_change_has_nothing_to_do(twin: Settings) -> None:
    forecast(twin)
    before = snapshots(twin)
    assert forecast(twin).notes == ["nothing to do"]
    assert snapshots(twin) == before


def test_other_days_in_a_pack_make_its_forecast_anew_and_no_table_of_sales(twin: Settings, tmp_path: Path) -> None:
    forecast(twin)
    before = snapshots(twin)
    pack = tmp_path / "erp_br"
    shutil.copytree(twin.sources[0], pack)
    (pack / "retail-calendar.yaml").write_text("occasions:\n  aniversário: [[2026-05-10, 2026-05-16]]\n", encoding="utf-8")
    told = replace(twin, sources=(pack,))
    changes = forecasts.why(Lake(told), calendars_of(told))
    assert {name: change.reasons for name, change in changes.items()} == dict.fromkeys(TABLES, ("changed calendar of erp_br",))
    assert not [result.commits for result in night(told).values() if result.commits]
    assert forecast(told).commits
    assert forecast(told).notes == ["nothing to do"]
    after = snapshots(twin)
    assert {name for name in after if after[name] != before[name]} == set(TABLES)
    # A run that does not know of the pack leaves its forecast.
    assert forecast(replace(twin, sources=(twin.sources[0].parent / "olist",))).notes == ["nothing to do"]
    assert forecast(twin).commits


def test_the_demand_holds_what_the_promotions_add(twin: Settings) -> None:
    forecast(twin)
    told = tables(twin)
    by_demand = sum(row["uplift_units"] for row in told["gold.demand_forecast"])
    by_promotion = sum(row["uplift_units"] for row in told["gold.promotion_forecast"])
    assert float(by_demand) == pytest.approx(float(by_promotion), abs=0.1)
    assert by_demand > 0
    # Of what the promotions take, neighbours have no more to lose than they sell, and later weeks may lie beyond what is told.
    for name in ("cannibalised_units", "pulled_forward_units"):
        lost, caused = (sum(row[name] for row in told[table]) for table in ("gold.demand_forecast", "gold.promotion_forecast"))
        assert 0 < lost <= caused + Decimal("0.1")
    made_on = {row["made_on"] for row in told["gold.demand_forecast"]}
    assert made_on == {row["made_on"] for row in told["gold.promotion_forecast"]}
    planned = {row["promotion_id"] for row in read(twin, "silver.promotions") if row["ends_on"] > max(made_on)}
    assert {row["promotion_id"] for row in told["gold.promotion_forecast"]} <= planned


def test_the_outlook_of_the_tables_is_that_of_the_planner(twin: Settings) -> None:
    forecast(twin)
    with open_engine(twin) as engine:
        lake = Lake(twin)
        found = read_source(lake, engine, "erp_br")
        assert found is not None
        past = read_past(lake, engine, "erp_br", found)
        told = read_outlook(lake, engine, source_of(lake))
    learnt = QUICK(country="BR").fit(past).outlook_
    assert told.about == learnt.about
    for name, frame in learnt.to_frames().items():
        pd.testing.assert_frame_equal(told.to_frames()[name], frame, atol=1e-4, check_dtype=False)


def test_a_stored_planner_only_takes_the_newest_sales(twin: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_engine(twin) as engine:
        lake = Lake(twin)
        found = read_source(lake, engine, "erp_br")
        assert found is not None
        stored = QUICK(horizon=14, country="BR").fit(read_past(lake, engine, "erp_br", found))
    monkeypatch.setattr(PromotionPlanner, "fit", lambda *_: pytest.fail("it learnt anew"))
    forecast(twin, force=True, learnt=Learnt(erp_br=("abc", stored)))
    assert max(row["horizon_days"] for row in read(twin, "gold.demand_forecast")) == 14


def test_another_model_in_use_makes_the_forecast_of_its_source_anew(twin: Settings) -> None:
    forecast(twin, learnt=Learnt())
    assert forecast(twin, learnt=Learnt()).notes == ["nothing to do"]
    other = Learnt(erp_br=("another", None))
    changes = forecasts.why(Lake(twin), calendars_of(twin), other)
    assert {name: change.reasons for name, change in changes.items()} == dict.fromkeys(TABLES, ("another model of erp_br",))
    assert forecast(twin, learnt=other).commits
    assert forecast(twin, learnt=other).notes == ["nothing to do"]
    # Who does not ask which models are in use leaves the forecast; once it was forecast without one, it is stale again.
    assert forecast(twin).notes == ["nothing to do"]
    forecast(twin, force=True)
    assert forecasts.why(Lake(twin), calendars_of(twin), other)


def test_of_earlier_weeks_one_forecast_is_kept_and_compared(erp: Settings) -> None:
    land_reference(erp.landing, "A")

    def sell(first: date, days: int, load: int) -> None:
        moments = [f"{first + timedelta(days=number):%d/%m/%Y} 10:00:00" for number in range(days)]
        rows = [sale(f"P{load}-{number}", quantidade="8", data_venda=moment) for number, moment in enumerate(moments)]
        land_erp(erp.landing, f"vendas_{load}", *rows)
        night(erp)
        promotions.run(Run.begin(erp))
        forecast(erp)

    monday = date(2026, 1, 5)
    sell(monday, 70, 1)
    sell(monday + timedelta(days=70), 2, 2)
    sell(monday + timedelta(days=72), 2, 3)
    sell(monday + timedelta(days=74), 10, 4)
    made = sorted({row["made_on"] for row in read(erp, "gold.demand_forecast")})
    # Days 69 (a Sunday), 73 (of days 71 and 73 of one week the later), and the newest.
    assert made == [monday + timedelta(days=number) for number in (69, 73, 83)]
    told = {(row["made_on"], row["age_weeks"]): row for row in read(erp, "gold.forecast_accuracy")}
    assert sorted(told) == [(made[0], 1), (made[0], 2), (made[1], 1)]
    assert {float(row["units"]) for row in told.values()} == {56.0}


def test_a_source_with_too_little_history_has_no_forecast_and_says_why(erp: Settings) -> None:
    land_reference(erp.landing, "A")
    land_erp(erp.landing, "vendas_1", sale("P1"))
    night(erp)
    promotions.run(Run.begin(erp))
    result = forecast(erp)
    assert result.notes == ["erp_br: only 1 days of sales are known, at least 56 are needed to tell what is to come"]
    assert tables(erp) == {name: [] for name in TABLES}
    with pytest.raises(LakeError, match=r"gold.demand_forecast has no forecast yet; run the step ml/forecast first"):
        source_of(Lake(erp))


def test_before_the_first_sales_there_is_nothing_to_do(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, "erp_br")
    assert forecasts.why(Lake(settings), calendars_of(settings)) == {}


def test_another_source_is_refused_by_its_name(twin: Settings) -> None:
    forecast(twin)
    with pytest.raises(LakeError, match="no forecast of source nobody; expected --source with one of erp_br"):
        source_of(Lake(twin), "nobody")
