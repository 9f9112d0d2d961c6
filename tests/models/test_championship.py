"""Who wins: on days that nobody knew, by figures that can be worked out by hand."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.models.pasts import CHANNELS, recipe, small_past

from sales_tech.contracts.calendar import RetailCalendar
from sales_tech.forecasting import PromotionForecaster
from sales_tech.models import artifact as artifacts
from sales_tech.models.artifact import Artifact, write_artifact
from sales_tech.models.card import Bin, Decision, Figures, Importance, ModelCard, far_from
from sales_tech.models.championship import OTHER_DAYS, contest, decide, parameters_of
from sales_tech.models.importance import permutation_importance
from sales_tech.models.trial import past_until
from sales_tech.planning import TooLittleHistory

pytestmark = pytest.mark.slow(20)


def figures(name: str, wape: float | None, bias: float = 0.0, coverage: float = 0.8) -> Figures:
    return Figures(name=name, rows=10, wape=wape, bias=bias, rmsse=None, pinball=None, coverage=coverage, nominal=0.8)


@pytest.mark.parametrize(
    ("told", "outcome", "words"),
    [
        ([figures("challenger", 0.3), figures("seasonal naive", 0.4)], "registered", "there was no model in use to beat"),
        ([figures("challenger", 0.4), figures("seasonal naive", 0.4)], "refused", "not below the 40.0% of repeating the last week"),
        ([figures("challenger", 0.3), figures("seasonal naive", 0.4), figures("champion", 0.3)], "refused", "which stays"),
        (
            [figures("challenger", 0.29), figures("seasonal naive", 0.4), figures("champion", 0.3)],
            "registered",
            "against 30.0% of the model",
        ),
        (
            [figures("challenger", 0.29, bias=-0.13), figures("seasonal naive", 0.4), figures("champion", 0.3, bias=0.1)],
            "refused",
            "its bias is off by 13.0% against 10.0%, more than 2% worse",
        ),
        (
            [figures("challenger", 0.29, coverage=0.7), figures("seasonal naive", 0.4), figures("champion", 0.3, coverage=0.86)],
            "refused",
            "its coverage is off by 10.0% against 6.0%, more than 3% worse",
        ),
        ([figures("challenger", None), figures("seasonal naive", None)], "refused", "nothing was sold"),
    ],
)
def test_a_challenger_must_beat_naive_and_champion_and_not_be_worse_in_bias_and_coverage(told: list, outcome: str, words: str) -> None:
    decision = decide(told)
    assert decision.outcome == outcome
    assert words in decision.reason


def test_every_decision_is_that_of_its_definition() -> None:
    outcomes = Counter[str]()
    known = [figures("naive", None), figures("naive", 0.4)]
    told = [None, (0.3, 0.05, 0.8), (0.3, -0.10, 0.7), (0.2, None, 0.95), (0.5, 0.0, None), (None, 0.0, 0.8)]
    for naive, mine, rival, must_beat, in_use in product(known, told[1:], told, (True, False), (True, False)):
        asked = [Figures(**(figures("challenger", None).model_dump() | dict(zip(("wape", "bias", "coverage"), mine, strict=True))))]
        asked.append(naive.model_copy(update={"name": "seasonal naive"}))
        if rival is not None:
            asked.append(Figures(**(figures("champion", None).model_dump() | dict(zip(("wape", "bias", "coverage"), rival, strict=True)))))
        wape, bias, coverage = mine
        if wape is None or naive.wape is None or wape >= naive.wape:
            expected = "refused"
        elif rival is None or rival[0] is None:
            expected = "registered"
        else:
            lost = wape > rival[0] or (wape == rival[0] and must_beat)
            biased = abs(bias or 0) - abs(rival[1] or 0) > 0.02
            unsure = abs((coverage or 0) - 0.8) - abs((rival[2] or 0) - 0.8) > 0.03
            expected = "refused" if lost or biased or unsure else "registered"
        decision = decide(asked, must_beat=must_beat, in_use=in_use)
        assert decision.outcome == expected, (naive, mine, rival, must_beat)
        alone = expected == "registered" and (rival is None or rival[0] is None)
        assert ("the model in use was not asked (see the notes)" in decision.reason) == (alone and in_use)
        assert ("there was no model in use to beat" in decision.reason) == (alone and not in_use)
        outcomes[expected] += 1
    assert min(outcomes.values()) > 20


@pytest.mark.parametrize(
    ("then", "now", "far"),
    [(100, 98.1, False), (100, 97.9, True), (100, 101.9, False), (100, 102.1, True), (0, 0.019, False), (0, 0.021, True), (5, 5, False)],
)
def test_sales_are_others_where_they_moved_by_more_than_two_in_a_hundred(then: float, now: float, far: bool) -> None:
    assert far_from(then, now) == far


def test_a_recipe_that_was_fitted_anew_is_only_not_to_be_lost_to() -> None:
    told = [figures("challenger", 0.3), figures("seasonal naive", 0.4), figures("champion", 0.3)]
    assert decide(told, must_beat=False).outcome == "registered"
    assert decide([figures("challenger", 0.31), *told[1:]], must_beat=False).outcome == "refused"


def test_the_figures_of_the_naive_are_those_of_repeating_the_last_week() -> None:
    past = small_past()
    trial = contest(past, "erp_br", {}, None, recipe(), importance=False).trial
    assert trial is not None
    daily = past.frames.daily
    sold = {(row.sku, row.channel, row.sold_on): row.units for row in daily.itertuples()}
    rows = trial.told["seasonal naive"]
    assert len(rows) == 6 * len(CHANNELS) * trial.days
    last_week = [
        sold.get((row.sku, row.channel, row.date - pd.Timedelta(days=7 * int(np.ceil((row.date - trial.cutoff).days / 7)))), 0)
        for row in rows.itertuples()
    ]
    actual = [sold.get((row.sku, row.channel, row.date), 0) for row in rows.itertuples()]
    assert rows["mean"].tolist() == last_week
    assert rows["actual"].tolist() == actual
    wape = np.abs(np.subtract(last_week, actual)).sum() / sum(actual)
    assert next(one.wape for one in trial.figures() if one.name == "seasonal naive") == pytest.approx(wape)


def test_no_forecaster_of_a_trial_sees_a_day_after_the_cutoff() -> None:
    past = small_past()
    trial = contest(past, "erp_br", {}, None, recipe(), importance=False).trial
    assert trial is not None
    later = past.frames.daily["sold_on"] > trial.cutoff
    other = past.frames.daily.assign(units=past.frames.daily["units"].where(~later, 1_000))
    changed = contest(
        type(past)(
            type(past.frames)(other, *list(vars(past.frames).values())[1:]),
            past.results,
            past.daily,
            past.response,
            past.elasticity,
            past.currency,
        ),
        "erp_br",
        {},
        None,
        recipe(),
        importance=False,
    ).trial
    assert changed is not None
    for name, rows in trial.told.items():
        told = [column for column in rows if column != "actual"]
        pd.testing.assert_frame_equal(changed.told[name][told], rows[told], check_exact=True)


def test_the_past_until_a_day_ends_on_it() -> None:
    cutoff = pd.Timestamp("2025-03-01")
    past = past_until(small_past(), cutoff)
    assert past.frames.daily["sold_on"].max() == cutoff
    assert past.daily["sold_on"].max() <= cutoff
    assert set(past.results["promotion_id"]) == set(past.daily["promotion_id"]) == {"P0", "P1", "P2", "P3"}
    assert past.frames.promotions is not None
    assert len(past.frames.promotions) == 7  # what is planned is known ahead


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    ended = contest(small_past(days=150), "erp_br", {}, None, recipe(), importance=False)
    assert ended.planner is not None
    return write_artifact(tmp_path_factory.mktemp("champion") / "model", ended.planner, ended.card)


# It learnt from 150 days, the last of which may be known no more.
@pytest.mark.parametrize(("days", "after"), [(156, 6), (150, 0), (149, 0)])
def test_within_a_week_of_the_champion_nothing_is_trained_and_it_stands(champion: Artifact, days: int, after: int) -> None:
    ended = contest(small_past(days=days), "erp_br", {}, champion, recipe())
    assert ended.planner is None
    assert ended.trial is None
    assert ended.card.decision.outcome == "nothing to compare"
    assert ended.card.decision.reason.startswith(f"only {after} days of sales lie after")


def test_a_champion_that_learnt_from_sales_which_are_others_now_is_not_to_be_beaten_at_any_time(champion: Artifact) -> None:
    past = small_past(days=149)
    daily = past.frames.daily
    mended = daily.assign(units=daily["units"] * np.where(daily["sold_on"] >= daily["sold_on"].max() - pd.Timedelta(days=40), 2, 1))
    ended = contest(replace(past, frames=replace(past.frames, daily=mended)), "erp_br", {}, champion, recipe(), importance=False)
    assert ended.trial is not None
    assert "champion" not in ended.trial.told
    assert ended.planner is not None
    then, now = champion.card().sales_units, mended["units"].sum()
    assert f"learnt from {then:,.0f} units sold up to 2025-06-04, of which {now:,.0f} are known now" in ended.card.notes[-1]
    assert "the model in use was not asked" in ended.card.decision.reason
    assert contest(past, "erp_br", {}, champion, recipe()).card.decision.outcome == "nothing to compare"


def test_a_champion_of_other_days_than_the_pack_tells_is_not_to_be_beaten_at_any_time(champion: Artifact) -> None:
    feast = RetailCalendar(occasions={"feast": [(date(2025, 4, 1), date(2025, 4, 9)), (date(2025, 6, 1), date(2025, 6, 9))]})
    told = replace(small_past(days=151), calendar=feast)
    ended = contest(told, "erp_br", {}, champion, recipe(**told.days), importance=False)
    assert ended.trial is not None
    assert "champion" not in ended.trial.told
    assert ended.planner is not None
    assert ended.planner.occasions == feast.days
    assert OTHER_DAYS in ended.card.notes
    assert "the model in use was not asked" in ended.card.decision.reason
    assert "occasions feast (2025-04-01 to 2025-04-09 and 2025-06-01 to 2025-06-09)" in ended.card.markdown()
    for same in (RetailCalendar(), RetailCalendar(country="BR"), None):
        told = replace(small_past(days=151), calendar=same)
        assert contest(told, "erp_br", {}, champion, recipe(**told.days)).card.decision.outcome == "nothing to compare"


def test_the_champion_is_asked_as_it_is_about_days_that_it_did_not_learn_from(champion: Artifact) -> None:
    past = small_past(days=157)
    ended = contest(past, "erp_br", {}, champion, recipe(random_state=1), importance=False)
    assert ended.trial is not None
    assert ended.trial.days == 7
    assert ended.trial.cutoff.date() == champion.card().origin
    told = ended.trial.told["champion"]
    own = champion.planner().observe(past_until(past, ended.trial.cutoff)).outlook_.baseline
    expected = own[own["sold_on"] <= told["date"].max()].sort_values(["sku", "channel", "sold_on"])
    quiet = told.merge(expected, left_on=["sku", "channel", "date"], right_on=["sku", "channel", "sold_on"])
    assert len(quiet) == len(told)
    unplanned = quiet[quiet["sku"] != "S1"]  # the one promotion that is planned is of S1
    assert unplanned["mean"].tolist() == unplanned["baseline_units"].tolist()


def test_a_champion_of_other_code_and_recipe_is_fitted_anew_and_the_card_says_so(
    champion: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "model_code", lambda: "0" * 16)
    ended = contest(small_past(days=160), "erp_br", {}, champion, recipe(trees=12), importance=False)
    assert ended.trial is not None
    assert set(ended.trial.told) == {"challenger", "champion", "seasonal naive", "moving average"}
    assert any("Its recipe was fitted anew in its place" in note for note in ended.card.notes)
    same = contest(small_past(days=160), "erp_br", {}, champion, recipe(), importance=False)
    assert same.trial is not None
    assert "champion" not in same.trial.told
    assert any("the same recipe as the new one" in note for note in same.card.notes)


def test_a_card_tells_of_occasions_where_the_recipe_has_some() -> None:
    feast = {"feast": [("2025-04-01", "2025-04-09")]}
    told = parameters_of(recipe(occasions=feast))
    assert told == parameters_of(recipe()) | {"occasions": feast}
    assert "occasions" not in parameters_of(recipe())


def test_a_past_that_is_too_short_to_be_tried_is_told_as_such() -> None:
    with pytest.raises(TooLittleHistory, match="days of sales are known"):
        contest(small_past(days=70, skus=5), "erp_br", {}, None, recipe())


def test_the_feature_that_carries_the_forecast_matters_most() -> None:
    card = contest(small_past(), "erp_br", {}, None, recipe()).card
    assert card.importance[0].feature == "level"
    assert card.importance[0].wape_lost > 0.1
    lost = [one.wape_lost for one in card.importance]
    assert lost == sorted(lost, reverse=True)


def test_weekdays_that_each_series_has_of_its_own_are_no_common_factor() -> None:
    # Each of seven sells six times as much on a weekday of its own, so that all together sell the same every day.
    dates = pd.date_range("2026-01-05", periods=182)
    panel = pd.DataFrame([(f"S{sku}", day, 60.0 if day.weekday() == sku else 10.0) for sku in range(7) for day in dates])
    panel.columns = pd.Index(["sku", "date", "units"])
    forecaster = PromotionForecaster(series=["sku"], target="units", freq="D", horizon=14, most_rows=3_000, trees=10, country=None)
    forecaster.fit(panel[panel["date"] < dates[-14]].reset_index(drop=True))
    rows = panel[panel["date"] >= dates[-14]].rename(columns={"units": "actual"})
    matters = {one.feature: one.wape_lost for one in permutation_importance(forecaster, rows)}
    assert matters["own weekday"] > 0.15
    assert abs(matters.get("common factors", 0.0)) < 0.25 * matters["own weekday"]
    assert permutation_importance(forecaster, rows.assign(actual=0.0)) == []


@pytest.mark.parametrize(
    ("outcome", "rival", "summary"),
    [
        ("registered", "champion", "registrado, erro (WAPE) de 31,2 % contra 40,0 % do modelo em uso.*"),
        ("refused", "seasonal naive", "recusado, erro (WAPE) de 31,2 % contra 40,0 % da semana anterior repetida.*"),
        ("nothing to compare", None, "sem nada a comparar.*"),
    ],
)
def test_a_card_has_its_figures_in_words_that_are_read(outcome: Any, rival: str | None, summary: str) -> None:
    mine = Figures(name="challenger", rows=1234, wape=0.3121, bias=-0.0149, rmsse=0.87654, pinball=1.0, coverage=0.7777, nominal=0.8)
    card = ModelCard(
        source="erp_br",
        currency="BRL",
        snapshots={"gold.daily_sales": 7, "gold.promotion_daily": 9},
        first_day=date(2025, 1, 6),
        origin=date(2025, 6, 4),
        horizon=91,
        series=1500,
        sales_units=123456.7,
        code_version="1.2",
        code="abc",
        libraries={"numpy": "2.0", "pandas": "3.0"},
        parameters={"country": "BR", "quantiles": [0.1, 0.5, 0.9]},
        cutoffs=[date(2025, 5, 7)] if rival else [],
        compared_days=28 if rival else 0,
        figures=[mine, figures(rival, 0.4, bias=0.05), figures("of my own", None)] if rival else [],
        calibration=[Bin(forecast=1.234, actual=1.0, rows=2345)] if rival else [],
        importance=[Importance(feature="level", wape_lost=0.1234), Importance(feature="brand", wape_lost=-0.001)] if rival else [],
        decision=Decision(outcome=outcome, reason="so"),
        notes=["one", "two"] if rival else [],
    )
    page = card.markdown()
    lines = page.splitlines()
    assert lines[0] == "# Model of erp_br"
    assert lines[2] == f"*Resumo: modelo de erp_br com vendas até 04/06/2025, {summary}"
    assert lines[4] == f"**{outcome.capitalize()}**: so"
    for row in (
        "| days of sales | 2025-01-06 to 2025-06-04 |",
        "| series | 1,500, 123,457 units in all |",
        "| snapshots | gold.daily_sales 7, gold.promotion_daily 9 |",
        "| parameters | country BR, quantiles [0.1, 0.5, 0.9] |",
        "| code | 1.2, fingerprint abc |",
        "| libraries | numpy 2.0, pandas 3.0 |",
    ):
        assert row in lines
    assert "up to 91 days ahead" in page
    if rival is None:
        assert "the 0 days after no day, of which they knew nothing" in page
        assert not {"## Calibration", "## What matters", "## Notes"} & set(lines)
        return
    assert "the 28 days after 2025-05-07, of which they knew nothing" in page
    assert "| challenger (the new model) | 1,234 | 31.2 % | -1.5 % | 0.877 | 77.8 % | 80.0 % |" in lines
    words = {"champion": "champion (the model in use)", "seasonal naive": "seasonal naive (last week repeated)"}[rival]
    assert f"| {words} | 10 | 40.0 % | +5.0 % |  | 80.0 % | 80.0 % |" in lines
    assert "| of my own | 10 |  | +0.0 % |  | 80.0 % | 80.0 % |" in lines
    assert {"| 1.23 | 1.00 | 2,345 |", "| level | +12.34 |", "| brand | -0.10 |", "- one", "- two"} <= set(lines)
    assert card.model_copy(update={"snapshots": {}}).markdown().count("| snapshots | exported files |") == 1


def test_a_bar_or_an_end_of_line_in_a_name_stays_in_its_cell_of_a_card() -> None:
    card = ModelCard(
        source="erp_br",
        currency="BRL",
        snapshots={},
        first_day=date(2025, 1, 6),
        origin=date(2025, 6, 4),
        horizon=91,
        series=2,
        sales_units=10.0,
        code_version="1.2",
        code="abc",
        libraries={},
        parameters={"country": "BR", "occasions": {"mães | pais\nnossos": [("2025-05-01", "2025-05-09")]}},
        cutoffs=[],
        compared_days=0,
        figures=[],
        calibration=[],
        importance=[Importance(feature="a|b", wape_lost=0.01)],
        decision=Decision(outcome="registered", reason="so"),
    )
    rows = [line for line in card.markdown().splitlines() if line.startswith("|")]
    cells = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    assert ["parameters", "country BR, occasions mães | pais nossos (2025-05-01 to 2025-05-09)"] in cells
    assert ["a|b", "+1.00"] in cells


def test_a_card_tells_the_same_in_json_and_names_all_forecasters_in_markdown(tmp_path: Path) -> None:
    card = contest(small_past(), "erp_br", {"gold.daily_sales": 7}, None, recipe()).card
    assert type(card).model_validate_json(card.model_dump_json()) == card
    page = card.markdown()
    assert "gold.daily_sales 7" in page
    for name in ("challenger", "seasonal naive", "moving average"):
        assert f"| {name} (" in page
    assert page.splitlines()[2].startswith("*Resumo: modelo de erp_br com vendas até 04/06/2025, registrado")
    assert sum(one.rows for one in card.calibration) == card.figures[0].rows
