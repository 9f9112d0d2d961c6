"""The scorecard: figures worked out by hand on tiny tables, and one small retailer from end to end."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from rich.console import Console

from sales_tech.cli import main
from sales_tech.errors import SettingsError
from sales_tech.scorecard.goals import Figure, figures
from sales_tech.scorecard.report import fresh_seeds, show_scorecard, write_scorecard
from sales_tech.scorecard.trial import Trial, run_trial
from sales_tech.twin.scenario import Size


def trial(**changes: list[float]) -> Trial:
    """Three promotions: 200 and 100 true units, and one without effect."""
    columns = {
        "promotion_id": ["A", "B", "C"],
        "incremental": [200.0, 100.0, 0.0],
        "estimate": [210.0, 80.0, 10.0],
        "low": [150.0, 60.0, 0.0],
        "high": [250.0, 90.0, 20.0],
        "naive": [400.0, 50.0, 30.0],
        "oracle": [200.0, 110.0, -5.0],
        "net": [150.0, 80.0, 0.0],
        "net_estimate": [150.0, 57.0, 0.0],
        "revenue": [1000.0, 1000.0, 1000.0],
        "net_margin": [100.0, -100.0, -1.0],
        "margin_estimate": [50.0, 30.0, 5.0],
        "effectless": [False, False, True],
        "successful": [True, False, False],
        "naive_successful": [True, True, True],
    }
    names = ("units", "planned", "baseline")
    levels = {"": (120.0, 110.0, 100.0), "_estimate": (126.0, 112.0, 98.0), "_oracle": (121.0, 111.0, 100.0)}
    what_ifs = pd.DataFrame({name + of: [value] for of, row in levels.items() for name, value in zip(names, row, strict=True)})
    elasticities = pd.DataFrame({"elasticity": [2.0, 1.0], "estimate": [2.2, 0.9]})
    return Trial("default", 1, 1.0, pd.DataFrame(columns | changes), elasticities, what_ifs)


def by_name(lines: list[Figure]) -> dict[str, Figure]:
    return {line.name: line for line in lines}


def test_the_figures_are_those_worked_out_by_hand() -> None:
    found = by_name(figures([trial()]))
    assert found["total incremental units, worst seed"].value == pytest.approx(0.0)
    assert found["total incremental units, worst seed"].naive == pytest.approx(0.6)
    assert found["median error, 100 units or more"].value == pytest.approx((0.05 + 0.2) / 2)
    assert found["80 % intervals cover"].value == pytest.approx(2 / 3)
    assert found["80 % intervals cover, 100 units or more"].value == pytest.approx(1 / 2)
    assert found["median width of interval over units"].value == pytest.approx((0.5 + 0.3) / 2)
    assert found["mean error of elasticities"].value == pytest.approx(0.1)
    assert found["effectless called successful"].value == 0
    assert found["effectless called successful"].naive == 1
    assert found["effective called successful"].value == pytest.approx(1 / 2)
    assert found["total net units, worst seed"].value == pytest.approx(207 / 230 - 1)
    assert found["median error of net units"].value == 0
    # The margin of C is within two percent of its revenue, so its sign is not judged.
    assert found["sign of net margin right"].value == pytest.approx(1 / 2)
    assert found["what-if, error of the level"].value == pytest.approx(6 / 120)
    assert found["what-if, error of the change"].value == pytest.approx(8 / 20)
    assert found["what-if, error of the change"].oracle == pytest.approx(1 / 20)
    assert found["what-if, error of the change from the planned depth"].value == pytest.approx(4 / 10)
    assert found["what-if, error of the change from the planned depth"].high == float("inf")


def test_the_worst_seed_counts_whatever_its_sign() -> None:
    low = trial(estimate=[150.0, 50.0, 0.0])
    assert by_name(figures([trial(), low]))["total incremental units, worst seed"].value == pytest.approx(-1 / 3)


def test_a_missed_goal_is_told_and_a_known_limit_has_none(tmp_path: Path) -> None:
    lines = [Figure("a", 0.2, 0, 0.1), Figure("b", 0.05, 0, 0.1)]
    console = Console(file=StringIO(), width=120)
    assert not show_scorecard(console, {"default": ([trial()], lines)})
    assert show_scorecard(console, {"default": ([trial()], lines[1:])})
    assert show_scorecard(console, {"shock": ([trial()], lines)})
    write_scorecard(tmp_path / "figures.json", {"default": ([trial()], lines)})
    assert [line["holds"] for line in json.loads((tmp_path / "figures.json").read_text())["default"]["figures"]] == [False, True]


def test_seeds_are_fresh() -> None:
    assert len(set(fresh_seeds(8) + fresh_seeds(8))) == 16


def test_no_seed_and_no_such_difficulty_are_refused() -> None:
    assert isinstance(CliRunner().invoke(main, ["scorecard", "--seeds", "0"]).exception, SettingsError)
    assert isinstance(CliRunner().invoke(main, ["scorecard", "--difficulty", "easy"]).exception, SettingsError)


def test_a_small_retailer_is_judged_from_end_to_end() -> None:
    found = run_trial("default", 20261124, Size(stores=12, skus=90, months=12, promotions=60))
    table = found.promotions
    assert len(table) > 40
    assert np.isfinite(table[["estimate", "low", "high", "net_estimate", "naive", "oracle"]].to_numpy()).all()
    assert abs(table["estimate"].sum() / table["incremental"].sum() - 1) < 0.15
    # What the oracle knows is the baseline: chance alone parts it from the truth.
    noise = np.sqrt((table["baseline"] + table["incremental"]).sum())
    assert abs(table["oracle"].sum() - table["incremental"].sum()) < 6 * noise
    assert table["estimate"].corr(table["incremental"], "spearman") > 0.85
    assert {line.name for line in figures([found])} >= {"what-if, error of the level", "sign of net margin right"}
