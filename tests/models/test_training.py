"""When a new model is tried, and what a night leaves behind."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from tests.models.pasts import recipe, small_past
from tests.support.nights import settings_in

from sales_tech.contracts.calendar import RetailCalendar
from sales_tech.models import training
from sales_tech.models.artifact import write_artifact
from sales_tech.models.championship import contest
from sales_tech.models.manifest import model_code
from sales_tech.models.registry import Decided, Index, Registry
from sales_tech.models.training import cards_of, decisions, figures, reason_to_train
from sales_tech.runs import Run

UNTIL = date(2026, 7, 1)


def sold(until: date = UNTIL, units: float = 5.0) -> pd.Series:
    """So many units on each of the hundred days up to one."""
    days = [until - timedelta(days=99 - number) for number in range(100)]
    return pd.Series(units, index=days)


def decided(until: date, code: str | None = None, calendar: str = "", units: float | None = None) -> Index:
    last = Decided(
        origin=until,
        sales_until=until,
        decided_at=datetime(2026, 7, 2, tzinfo=UTC),
        code=code or model_code(),
        outcome="refused",
        reason="so",
        calendar=calendar,
        units=units,
    )
    return Index(source="erp_br", decisions=[last])


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        (Index(source="erp_br"), "no model yet"),
        (decided(date(2026, 6, 24)), "sales went on for 7 days since the last model was tried"),
        (decided(date(2026, 6, 25)), None),
        (decided(date(2026, 6, 25), code="0" * 16), "the model was fitted by other code"),
    ],
)
def test_a_model_is_tried_after_a_week_of_sales_or_by_other_code_and_not_the_same_night_again(index: Index, reason: str | None) -> None:
    assert reason_to_train(index, sold()) == reason
    assert reason_to_train(index, sold(), force=True) == "forced"


def test_a_model_is_tried_again_once_its_pack_tells_other_days() -> None:
    told = RetailCalendar(occasions={"anniversary": [(date(2026, 8, 17), date(2026, 8, 23))]})
    yesterday = date(2026, 6, 30)
    assert reason_to_train(decided(yesterday), sold(), RetailCalendar()) is None
    assert reason_to_train(decided(yesterday), sold(), told) == "the calendar of its pack has changed"
    assert reason_to_train(decided(yesterday, calendar=told.fingerprint), sold(), told) is None
    # A run that does not know of the pack leaves what was learnt by its calendar.
    assert reason_to_train(decided(yesterday, calendar=told.fingerprint), sold(), None) is None


@pytest.mark.parametrize(
    ("units", "other"), [(490.0, False), (499.0, False), (482.0, False), (470.0, True), (560.0, True), (0.0, True), (None, False)]
)
def test_a_model_is_tried_again_once_the_sales_that_the_last_one_knew_have_become_others(units: float | None, other: bool) -> None:
    # Of the hundred days the last two came after the decision.
    index = decided(UNTIL - timedelta(days=2), units=units)
    reason = reason_to_train(index, sold())
    told = f"{units:,.0f} units were sold up to 2026-06-29 when the last model was tried, 490 are known now" if other else None
    assert reason == told


def test_sales_that_reach_less_far_than_when_the_last_model_was_tried_are_told_by_their_units() -> None:
    index = decided(UNTIL, units=500.0)
    assert reason_to_train(index, sold(UNTIL - timedelta(days=1))) is None
    assert reason_to_train(index, sold(UNTIL - timedelta(days=1))[:-30]) is not None


def test_what_was_decided_is_kept_and_told(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    run, registry = Run.begin(settings), Registry(settings)
    assert decisions(run).empty
    assert cards_of(run) == {}
    assert figures({}).empty
    ended = contest(small_past(), "erp_br", {}, None, recipe(), importance=False)
    assert ended.planner is not None
    registry.register(write_artifact(tmp_path / "model", ended.planner, ended.card), ended.card, date(2025, 6, 6))
    registry.decide("olist", decided(UNTIL).decisions[0])
    told = decisions(run).set_index("source")
    assert told.loc["erp_br", ["champion", "outcome", "sales_until"]].tolist() == ["v0001", "registered", date(2025, 6, 6)]
    assert told.loc["olist", ["outcome", "reason"]].tolist() == ["refused", "so"]
    assert told["champion"].isna().tolist() == [False, True]
    assert cards_of(run) == {"erp_br": ended.card}
    other = ended.card.model_copy(update={"notes": ["tried tonight"]})
    folder = run.folder / training.FOLDER / "erp_br"
    folder.mkdir(parents=True)
    (folder / training.CARD).write_text(other.model_dump_json(), encoding="utf-8")
    assert cards_of(run)["erp_br"].notes == ["tried tonight"]
    assert figures(cards_of(run))["name"].tolist() == ["challenger", "seasonal naive", "moving average"]
