"""A promotion that is thought of, asked on the command line."""

from __future__ import annotations

import json
import re
import shlex
from datetime import date, timedelta
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.support.command_line import call
from tests.support.nights import read
from tests.support.outcomes import ended, shown
from tests.support.twins import lake_with_estimates

from sales_tech import planning
from sales_tech.engines.duck import open_engine
from sales_tech.errors import SettingsError
from sales_tech.lake.store import Lake
from sales_tech.orchestration.plan_promotion import at_the_ends, share_of
from sales_tech.planning import PromotionPlanner
from sales_tech.runs import Run, StepResult
from sales_tech.settings import Settings
from sales_tech.transform import forecasts
from sales_tech.transform.outlooks import read_outlook
from sales_tech.twin import Size


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A small lake of the synthetic retailer, forecast quickly rather than well."""
    settings = lake_with_estimates(tmp_path_factory.mktemp("plans"), Size(stores=4, skus=30, months=4, promotions=30))
    with pytest.MonkeyPatch.context() as quick:
        quick.setattr(planning, "PromotionPlanner", partial(PromotionPlanner, most_rows=2_000, trees=12))
        forecasts.run(Run.begin(settings))
    return settings


def ask(lake: Settings, *words: str) -> dict[str, Any]:
    done = call("plan-promotion", "--lake", lake.lake, *words, "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def some_sku(lake: Settings) -> str:
    rows = [row for row in read(lake, "gold.demand_forecast") if not row["sku"].startswith("others of")]
    return str(max(rows, key=lambda row: row["units"])["sku"])


def test_the_answer_is_that_of_the_tables(lake: Settings) -> None:
    sku = some_sku(lake)
    told = ask(lake, "--sku", sku, "--discount", "20%", "--days", "5")
    rows = [row for row in read(lake, "gold.demand_forecast") if row["sku"] == sku and row["horizon_days"] <= 5]
    assert sum(row["baseline_units"] for row in told["forecast"]) == pytest.approx(
        float(sum(row["baseline_units"] for row in rows)), abs=0.01
    )
    assert {row["sold_on"] for row in told["forecast"]} == {str(row["sold_on"]) for row in rows}
    planned = next(row for row in told["alternatives"] if row["planned"])
    assert planned["discount_share"] == told["discount_share"] == 0.2
    assert planned["units"] == pytest.approx(sum(row["units"] for row in told["forecast"]), abs=0.05)


def test_several_discounts_are_compared_and_the_best_comes_first(lake: Settings) -> None:
    told = ask(lake, "--sku", some_sku(lake), "--discount", "10%", "--discount", "0,25", "--discount", "40")
    assert sorted(row["discount_share"] for row in told["alternatives"]) == [0.1, 0.25, 0.4]
    assert [row["rank"] for row in told["alternatives"]] == [1, 2, 3]
    assert told["discount_share"] == told["alternatives"][0]["discount_share"]
    assert not any(row["planned"] for row in told["alternatives"])


def test_a_category_is_all_of_its_skus_and_days_may_be_given_by_their_last_one(lake: Settings) -> None:
    category = next(row["category"] for row in read(lake, "gold.demand_forecast") if not row["sku"].startswith("others of"))
    first = date.fromisoformat(ask(lake, "--category", category)["origin"]) + timedelta(days=3)
    told = ask(lake, "--category", category, "--from", str(first), "--to", str(first + timedelta(days=1)))
    assert {row["category"] for row in told["forecast"]} == {category}
    assert {row["sold_on"] for row in told["forecast"]} == {str(first), str(first + timedelta(days=1))}


def test_a_plan_in_all_channels_one_after_another_is_that_of_no_channel(lake: Settings) -> None:
    sku = some_sku(lake)
    everywhere = ask(lake, "--sku", sku, "--discount", "20%", "--investment", "500")
    named = [word for channel in {row["channel"] for row in everywhere["forecast"]} for word in ("--channel", channel)]
    assert len(named) == 4
    assert ask(lake, "--sku", sku, "--discount", "20%", "--investment", "500", *named) == everywhere
    assert {row["channel"] for row in ask(lake, "--sku", sku, *named[:2])["forecast"]} == {named[1]}


def test_a_sku_that_is_named_twice_is_promoted_and_paid_for_once(lake: Settings) -> None:
    once = ["--sku", some_sku(lake), "--discount", "20%", "--investment", "500"]
    assert ask(lake, *once, *once[:2]) == ask(lake, *once)


def test_the_text_names_the_best_depth_and_warns_of_what_was_never_tried(lake: Settings) -> None:
    done = call("plan-promotion", "--lake", lake.lake, "--sku", some_sku(lake), "--discount", "90%", COLUMNS="40")
    assert done.returncode == 0, done.stderr
    assert "beyond what was tried" in done.stdout
    assert "units without" in done.stdout or "None of these depths earns more than doing nothing" in done.stdout
    assert "90 % planned beyond tried" in done.stdout


@pytest.mark.parametrize(
    ("weak", "middle", "strong", "said"),
    [
        ((1, 0), (5, 4), (9, 8), "So it would be at both ends of the effect's 80 % range."),
        ((-2, -1), (-4, -5), (-8, -9), "So it would be at both ends of the effect's 80 % range."),
        ((-2, -1), (5, 4), (9, 8), "With the effect at the weak end of its 80 % range none would pay."),
        (
            (-1, -2),
            (5, 4),
            (8, 9),
            "With the effect at the weak end of its 80 % range none would pay, at the strong end 10 % would earn most.",
        ),
        ((-9, -8), (-4, -5), (-1, 2), "With the effect at the strong end of its 80 % range 10 % would earn most."),
        ((np.nan, np.nan), (np.nan, np.nan), (np.nan, np.nan), ""),
    ],
)
def test_what_would_be_best_with_a_weak_or_strong_effect_is_told_where_it_is_another_depth(
    weak: tuple[float, float], middle: tuple[float, float], strong: tuple[float, float], said: str
) -> None:
    ends = {"net_margin": middle, "net_margin_if_weak": weak, "net_margin_if_strong": strong}
    assert at_the_ends(pd.DataFrame({"discount_share": [0.2, 0.1], **ends})) == said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sku", "nobody"), "SKU nobody: it has no sale or is withdrawn; expected one that is sold"),
        (("--category", "Nothing"), "no category Nothing; expected one of"),
        ((), "no SKU was named; expected --sku or --category"),
        (("--sku", ""), "no SKU was named; expected --sku or --category"),
        (("--sku", "x", "--discount", "much"), "discount 'much'; expected a share of the list price such as 20% or 0.2"),
        (("--sku", "x", "--investment", "nan"), "investment is nan; expected an amount of 0 or more"),
        (("--sku", "x", "--investment", "inf"), "investment is inf; expected an amount of 0 or more"),
        (("--sku", "x", "--days", "3", "--to", "2026-07-09"), "both --days and --to were given"),
        (("--source", "olist", "--sku", "x"), "no forecast of source olist; expected --source with one of erp_br"),
    ],
)
def test_what_cannot_be_asked_is_told_in_one_line(lake: Settings, words: tuple[str, ...], said: str) -> None:
    done = call("plan-promotion", "--lake", lake.lake, *words)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_promotion_that_has_begun_is_told_with_what_its_figures_hold(lake: Settings) -> None:
    sku = some_sku(lake)
    first = date.fromisoformat(ask(lake, "--sku", sku)["origin"]) - timedelta(days=1)
    words = ("--sku", sku, "--from", str(first), "--days", "5", "--investment", "1000")
    assert "2 days before" in ask(lake, *words)["warnings"][-1]
    done = call("plan-promotion", "--lake", lake.lake, *words)
    assert f"mind the promotion begins on {first}, 2 days before" in done.stdout
    assert "its investment of R$ 1,000.00 that of all 5" in done.stdout
    price = next(line.split()[1:3] for line in done.stdout.splitlines() if line.startswith(sku))
    assert re.fullmatch(r"R\$ [\d,]+\.\d\d", " ".join(price))


def test_where_nothing_is_sold_no_depth_is_said_to_earn_or_lose(lake: Settings) -> None:
    with open_engine(lake) as engine:
        outlook = read_outlook(Lake(lake), engine, "erp_br")
    known, sku = outlook.lookup, some_sku(lake)
    sold = {(channel, region) for (_, channel, region), share in known.regions.items() if share > 0}
    channel, region = next(pair for pair in product(known.channels, known.region_names) if pair not in sold)
    done = call("plan-promotion", "--lake", lake.lake, "--sku", sku, "--channel", channel, "--region", region)
    assert f"runs where nothing is sold of {sku}: channel {channel}, region {region}" in done.stdout
    assert "Nothing is sold there" in done.stdout
    assert "rank" not in done.stdout


def test_a_mechanic_that_was_never_tried_is_refused_with_those_that_can_be_asked(lake: Settings) -> None:
    done = call("plan-promotion", "--lake", lake.lake, "--sku", some_sku(lake), "--mechanic", "foo")
    assert done.returncode == 1
    assert "mechanic is foo, which was never tried; expected " in done.stderr
    expected = " ".join(done.stderr.split()).rpartition("expected ")[2]
    assert set(expected.split(", ")) <= {row["mechanic"] for row in read(lake, "gold.promotion_response")}


@pytest.mark.parametrize(("text", "share"), [("20%", 0.2), ("20", 0.2), ("0.2", 0.2), ("7,5 %", 0.075), ("1%", 0.01)])
def test_a_discount_may_be_written_in_several_ways(text: str, share: float) -> None:
    assert share_of(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["0", "100%", "-5%", "1e9"])
def test_a_discount_of_nothing_or_of_everything_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="expected more than none and less than all"):
        share_of(text)


def test_the_plan_that_a_run_suggests_at_its_end_is_answered(lake: Settings) -> None:
    text = shown(ended(lake, StepResult("ml/forecast")))
    suggested = [line.split("pipeline.py ")[1] for line in text.splitlines() if "pipeline.py plan-promotion" in line]
    assert len(suggested) == 1
    done = call(*shlex.split(suggested[0]))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "units without" in done.stdout
