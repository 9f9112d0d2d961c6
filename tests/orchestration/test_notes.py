"""What a run could not load, and what its data cannot tell, are told apart at its end."""

from __future__ import annotations

from tests.support.outcomes import ended, shown

from sales_tech.runs import Commit, StepResult
from sales_tech.settings import Settings


def promotions(*notes: str, commits: int = 1) -> StepResult:
    made = [Commit("gold.promotion_results", number, 0, 1) for number in range(commits)]
    return StepResult("gold/promotions", commits=made, notes=list(notes))


def test_what_cannot_be_told_is_not_called_not_loaded(erp: Settings) -> None:
    text = shown(ended(erp, StepResult("ingest/batch_csv", notes=["a.csv: no pack claims it"]), promotions("erp_br: no cost is known")))
    assert "not loaded a.csv: no pack claims it" in text
    assert "note erp_br: no cost is known" in text


def test_of_many_notes_the_first_are_shown_and_the_others_counted(erp: Settings) -> None:
    text = shown(ended(erp, promotions(*(f"s{number}: no cost is known" for number in range(8)))))
    assert text.count("note s") == 5
    assert "and 3 more: see the notebooks of 03_gold/promotions and 04_ml" in text


def test_a_step_that_had_nothing_to_do_has_nothing_to_tell(erp: Settings) -> None:
    assert ended(erp, promotions("nothing to do", commits=0)).untold == []


def test_what_should_be_looked_at_is_told_apart_from_what_was_not_loaded(erp: Settings) -> None:
    text = shown(ended(erp, StepResult("ingest/batch_csv", remarks=["a.csv looks cut off"], notes=["b.csv: no pack claims it"])))
    assert "warning a.csv looks cut off" in text
    assert "not loaded b.csv" in text
