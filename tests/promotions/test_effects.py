"""The estimator from frames to tables: sums that must hold, the truth of a synthetic retailer, and sources that lack something."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from tests.promotions.sources import fitted, less, listed, planned, sold, steady, twin_demand, twin_frames

from sales_tech.contracts.table import table_contract
from sales_tech.promotions import PromotionEffects, SourceFrames, build_panel, estimate
from sales_tech.promotions.elasticity import units_at
from sales_tech.twin.truth import promotion_truth

GIVEN_BY_THE_STEP = {"source", "currency", "inferred"}
TABLES = {
    "gold.promotion_results": "results",
    "gold.promotion_daily": "daily",
    "gold.price_elasticity": "elasticity",
    "gold.promotion_response": "response",
    "gold.promotion_overlap": "overlap",
}


def test_parameters_follow_the_rules_of_scikit_learn() -> None:
    effects = PromotionEffects(level=0.9, random_state=3)
    assert clone(effects).get_params() == {"level": 0.9, "random_state": 3}


@pytest.mark.parametrize("level", [0, 1, 80])
def test_a_level_outside_zero_to_one_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match=f"level is {level}; expected a number between 0 and 1"):
        PromotionEffects(level=level).fit(build_panel(twin_frames()))


@pytest.mark.parametrize("table", TABLES)
def test_the_tables_have_the_columns_that_gold_promises(table: str) -> None:
    frame = getattr(fitted(), f"{TABLES[table]}_")
    assert set(frame.columns) == set(table_contract(table).columns) - GIVEN_BY_THE_STEP
    assert len(frame)


def test_the_total_is_near_the_truth_and_most_verdicts_are_right() -> None:
    truth = promotion_truth(twin_demand()).set_index("promotion_id")
    known = ["incremental", "net", "effectless"]
    told = fitted().results_.set_index("promotion_id").join(truth.loc[truth["complete"], known], how="inner")
    assert told["incremental_units"].sum() == pytest.approx(told["incremental"].sum(), rel=0.15)
    assert told["net_units"].sum() == pytest.approx(told["net"].sum(), rel=0.3)
    assert told.loc[told["effectless"], "successful"].mean() <= 0.25
    assert told.loc[told["incremental"] >= 30, "successful"].mean() >= 0.85
    inside = (told["incremental_units_low"] <= told["incremental"] + 1e-6) & (told["incremental"] <= told["incremental_units_high"] + 1e-6)
    assert 0.6 <= inside.mean() <= 0.95


def test_a_promotion_that_may_have_had_no_effect_is_told_in_its_range_and_not_by_strong_evidence() -> None:
    told = fitted().results_
    for name in ("incremental_units", "net_units", "net_margin"):
        assert told[name].between(told[f"{name}_low"], told[f"{name}_high"]).all(), name
    none = (told["incremental_units_low"] <= 0) & (told["incremental_units_high"] >= 0)
    assert none.any()
    assert set(told.loc[none, "evidence"]) <= {"thin", "none"}
    assert told.loc[none & (told["evidence"] == "thin"), "evidence_notes"].str.contains("small beside what chance does").all()


def test_net_figures_are_the_sums_of_their_parts() -> None:
    told = fitted().results_
    net = told["incremental_units"] - told["cannibalised_units"] + told["halo_units"] - told["pulled_forward_units"]
    assert told["net_units"].to_numpy() == pytest.approx(net.to_numpy())
    margin = told["incremental_margin"] - told["cannibalised_margin"] + told["halo_margin"] - told["pulled_forward_margin"]
    assert told["net_margin"].to_numpy() == pytest.approx((margin - told["investment"].fillna(0)).to_numpy())
    assert (told["incremental_revenue"] - (told["actual_revenue"] - told["baseline_revenue"])).abs().max() < 1e-6


def test_days_add_up_and_those_within_tell_what_the_promotion_added() -> None:
    daily, told = fitted().daily_, fitted().results_.set_index("promotion_id")
    rest = daily["actual_units"] - daily["baseline_units"] - daily["uplift_units"] - daily["unexplained_units"]
    assert rest.abs().max() < 1e-9
    assert not daily.duplicated(["promotion_id", "sku", "sold_on"]).any()
    within = daily[daily["phase"] == "during"]
    uplift = (within["uplift_units"] * within["share"]).groupby(within["promotion_id"]).sum()
    assert uplift.sum() == pytest.approx(told["incremental_units"].sum(), rel=0.1)
    units = within.groupby("promotion_id")["actual_units"].sum()
    assert units.reindex(told.index).to_numpy() == pytest.approx(told["actual_units"].to_numpy())
    assert (daily.loc[daily["phase"] == "before", "sold_on"] < daily.loc[daily["phase"] == "after", "sold_on"].max()).all()


def test_the_same_seed_tells_the_same() -> None:
    again = PromotionEffects().fit(build_panel(twin_frames()))
    pd.testing.assert_frame_equal(again.results_, fitted().results_)


def test_nothing_is_said_outside_the_depths_that_were_tried() -> None:
    elasticity = fitted().elasticity_
    cuts = elasticity[elasticity["discount_share"] > 0]
    assert (cuts["discount_share"] >= cuts["depth_from"] - 1e-9).all()
    assert (cuts["discount_share"] <= cuts["depth_to"] + 1e-9).all()
    posterior = fitted().posterior_
    assert posterior is not None
    with pytest.raises(ValueError, match="a cut of 90% was never tried here; expected"):
        units_at(posterior, 0, 0.9)


def test_units_at_other_depths_meet_the_estimate_at_the_planned_one_and_rise_with_depth() -> None:
    posterior = fitted().posterior_
    assert posterior is not None
    both = posterior.by_promotion(posterior.baseline + posterior.incremental).mean(axis=0)
    tried = posterior.cells.depths
    for promotion in range(len(posterior.panel.promotions)):
        mine = posterior.cells.promotions == promotion
        alone = all(not set(np.flatnonzero(mine)) & set(segment.members) for segment in posterior.cells.segments)
        if len(set(tried[mine])) == 1 and alone:
            units, _ = units_at(posterior, promotion, float(tried[mine][0]))
            # Draws below none are taken as none in a what-if, so it may say a little more.
            assert units.mean() == pytest.approx(both[promotion], rel=0.05, abs=0.5)
    category = posterior.panel.category[posterior.cells.skus]
    depths = np.unique(tried[category == category[0]])
    means = [units_at(posterior, int(posterior.cells.promotions[0]), float(depth))[0].mean() for depth in depths]
    assert (np.diff(means) > -0.02 * means[0]).all()


def test_without_costs_there_are_units_and_no_margins() -> None:
    frames = less(twin_frames(), products=twin_frames().products.assign(cost=np.nan))
    effects = PromotionEffects().fit(build_panel(frames))
    assert effects.results_[["net_margin", "base_margin", "incremental_margin", "halo_margin"]].isna().all().all()
    assert effects.results_["net_units"].notna().all()
    assert any("no cost is known" in note for note in effects.notes_)


def test_stock_outs_that_nobody_reported_are_inferred_and_said() -> None:
    assert any("stock-outs were inferred" in note for note in fitted("hard").notes_)
    assert not any("stock-outs" in note for note in fitted().notes_)


def test_a_week_of_sales_tells_nothing_and_says_so() -> None:
    frames = SourceFrames(sold(steady(days=7)), listed("A", "B"), promotions=planned("A", "2026-01-03", "2026-01-04"))
    told = estimate(frames)
    assert told.results.empty
    assert any("only 7 days of sales are known, at least 21 are needed" in note for note in told.notes)
    assert set(told.results.columns) == set(table_contract("gold.promotion_results").columns) - GIVEN_BY_THE_STEP


def test_no_promotion_in_the_days_that_are_known_tells_nothing_and_says_so() -> None:
    told = estimate(SourceFrames(sold(steady()), listed("A", "B"), promotions=planned("A", "2027-01-03", "2027-01-04")))
    assert told.daily.empty
    assert any("no promotion ran" in note for note in told.notes)


def test_a_source_that_names_no_promotions_has_them_inferred() -> None:
    rows = steady(days=90)
    cheap = sold([row for row in rows if row[2] == "A" and "2026-02-10" <= row[0] <= "2026-02-16"], paid=7.0)
    usual = sold([row for row in rows if not (row[2] == "A" and "2026-02-10" <= row[0] <= "2026-02-16")])
    cheap["units"], cheap["net_sales"], cheap["gross_sales"] = 12.0, 84.0, 120.0
    told = estimate(SourceFrames(pd.concat([usual, cheap], ignore_index=True), listed("A", "B")))
    assert told.results["promotion_id"].tolist() == ["A@2026-02-10"]
    assert told.results["discount_share"].iloc[0] == pytest.approx(0.3)
    # Eight units more a day in each of two stores, for a week.
    assert told.results["incremental_units"].iloc[0] == pytest.approx(112, rel=0.15)
    assert any("1 were inferred from drops of the price" in note for note in told.notes)


def test_promotions_that_one_of_many_stores_sells_dozens_by_do_not_outgrow_what_was_sold() -> None:
    luck, days = np.random.default_rng(0), pd.date_range("2026-01-01", periods=200).strftime("%Y-%m-%d").tolist()
    skus, stores = [f"S{number}" for number in range(20)], [str(number) for number in range(20)]
    # Nobody reports stock, and each SKU sells half a unit a day in all stores together.
    units: dict[tuple[str, str, str], float] = {}
    for day in np.repeat(days, 4):
        cell = (str(day), str(luck.choice(stores)), str(luck.choice(skus)))
        units[cell] = units.get(cell, 0) + float(luck.integers(1, 5))
    promotions = []
    for number, sku in enumerate(skus[:8]):
        first = 60 + 15 * number
        promotions.append(planned(sku, days[first], days[first + 7], f"PR{number}"))
        for day in days[first : first + 8]:
            units[day, "0", sku] = units.get((day, "0", sku), 0) + 8
    places = pd.DataFrame({"store_id": stores, "state": "SP", "region": [f"R{int(store) // 2}" for store in stores], "channel": "loja"})
    catalogue = pd.concat([listed(sku, category=f"C{sku}") for sku in skus], ignore_index=True)
    told = estimate(
        SourceFrames(
            sold([(*cell, amount) for cell, amount in units.items()]),
            catalogue,
            places.assign(opened_on=pd.NaT),
            pd.concat(promotions, ignore_index=True),
        )
    ).results
    assert len(told) == 8
    assert (told["incremental_units"] > 0.5 * told["actual_units"]).all()
    assert (told["incremental_units"] < 3 * told["actual_units"]).all()


@pytest.mark.parametrize("others", [(), (0.2,)])
def test_what_was_given_away_is_told_and_is_no_depth_that_demand_answers(others: tuple[float, ...]) -> None:
    promotions = [planned("A", "2026-02-01", "2026-02-07", "GIFT", discount_share=1.0)]
    promotions += [planned("B", "2026-02-10", "2026-02-16", "CUT", discount_share=depth) for depth in others]
    told = estimate(SourceFrames(sold(steady()), listed("A", "B"), promotions=pd.concat(promotions, ignore_index=True)))
    assert told.results.set_index("promotion_id")["discount_share"]["GIFT"] == pytest.approx(1)
    steps = {round(0.05 * step, 2) for step in range(4, 20) if others}
    assert set(told.response["discount_share"]) == steps
    assert set(told.elasticity["discount_share"]) == {0.0} | steps


def test_a_single_sku_in_a_single_store_is_enough() -> None:
    rows = steady(skus="A", stores=("1",))
    rows = [(day, store, sku, 12.0 if "2026-02-01" <= day <= "2026-02-07" else units) for day, store, sku, units in rows]
    told = estimate(SourceFrames(sold(rows), listed("A"), promotions=planned("A", "2026-02-01", "2026-02-07")))
    assert told.results["actual_units"].iloc[0] == 84
    assert told.results["incremental_units"].iloc[0] == pytest.approx(56, rel=0.25)
    assert told.results["cannibalised_units"].iloc[0] == 0
