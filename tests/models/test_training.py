"""When a new model is tried, and what a night leaves behind."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

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


def decided(until: date, code: str | None = None, calendar: str = "") -> Index:
    last = Decided(
        origin=until,
        sales_until=until,
        decided_at=datetime(2026, 7, 2, tzinfo=UTC),
        code=code or model_code(),
        outcome="refused",
        reason="so",
        calendar=calendar,
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
    assert reason_to_train(index, UNTIL) == reason
    assert reason_to_train(index, UNTIL, force=True) == "forced"


def test_a_model_is_tried_again_once_its_pack_tells_other_days() -> None:
    told = RetailCalendar(occasions={"anniversary": [(date(2026, 8, 17), date(2026, 8, 23))]})
    yesterday = date(2026, 6, 30)
    assert reason_to_train(decided(yesterday), UNTIL, RetailCalendar()) is None
    assert reason_to_train(decided(yesterday), UNTIL, told) == "the calendar of its pack has changed"
    assert reason_to_train(decided(yesterday, calendar=told.fingerprint), UNTIL, told) is None
    # A run that does not know of the pack leaves what was learnt by its calendar.
    assert reason_to_train(decided(yesterday, calendar=told.fingerprint), UNTIL, None) is None


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
