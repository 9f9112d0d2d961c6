"""What forecasters are asked of the past, and when: with planners that repeat a mean, so that each figure can be worked out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from tests.models.pasts import response, small_past
from tests.planning.pasts import FIRST, past, sales
from tests.promotions.sources import listed

from sales_tech.errors import ModelError
from sales_tech.models.championship import contest, parameters_of
from sales_tech.models.parquet import read_frame, write_frame
from sales_tech.models.trial import Trial, past_until, try_forecasters
from sales_tech.planning import Outlook, PromotionPlanner, SourcePast
from sales_tech.planning.demand import Demand, demand_of
from sales_tech.planning.prices import price_list


def day(number: int) -> pd.Timestamp:
    return FIRST + pd.Timedelta(days=number)


def outlook_of(past: SourcePast, known: Demand, horizon: int, factor: float = 1.0) -> Outlook:
    """Every day is told to sell the mean of the past, times a factor; its range is from half to twice as much."""
    usual = known.panel.groupby(["sku", "channel"])["units"].mean().rename("baseline_units").reset_index()
    rows = known.ahead(horizon)[["sku", "channel", "date"]].merge(usual, on=["sku", "channel"]).rename(columns={"date": "sold_on"})
    rows["baseline_units"] *= factor
    rows = rows.assign(**{f"baseline_{end}": rows["baseline_units"] * by for end, by in (("low", 0.5), ("median", 1.0), ("high", 2.0))})
    table = known.table
    members = table.members.assign(series=table.series["name"].to_numpy()[table.members["series"].to_numpy()])
    rates = pd.DataFrame(columns=["category", "cannibalised", "pulled_forward", "halo", "halo_margin"])
    regions = pd.DataFrame(columns=["series", "channel", "region", "share"])
    prices = price_list(past.frames, known.origin, known.origin + pd.Timedelta(days=horizon))
    return Outlook(rows, members[["sku", "channel", "series", "share"]], regions, prices, response(), rates, "BRL", known.origin, horizon)


class Repeats(PromotionPlanner):
    """Learns nothing but the mean of each series, and tells `factor` times as much."""

    factor = 1.0

    def fit(self, past: SourcePast, y: object = None) -> Self:
        self.horizon_ = demand_of(past, self.horizon).horizon
        return self.observe(past)

    def observe(self, past: SourcePast) -> Self:
        known = demand_of(past, self.horizon_)
        self.outlook_ = outlook_of(past, known, known.horizon, self.factor)
        return self


class Often(Repeats):
    """Tells too much."""

    factor = 1.4


class InUse:
    """A model in use that learnt up to a day, as an artifact tells of it."""

    def __init__(self, past: SourcePast, learnt: pd.Timestamp, planner: PromotionPlanner) -> None:
        before = past_until(past, learnt)
        self._planner = planner.fit(before)
        units = before.frames.daily["units"].sum()
        self._card = SimpleNamespace(origin=learnt.date(), sales_units=units, parameters=parameters_of(planner))

    def card(self) -> SimpleNamespace:
        return self._card

    def planner(self) -> PromotionPlanner:
        return self._planner


def source(days: int = 110, **frames: Any) -> SourcePast:
    """A sells 4 to 6 a day, B 1 to 3; C and D sell now and then; E begins after day 89."""
    daily = sales(days, A=4, B=1, C=1, D=2, E=3)
    number = (daily["sold_on"] - FIRST).dt.days
    more = np.where(daily["sku"].isin(["A", "B"]), number % 3, 0)
    daily["units"] += more
    rare = daily["sku"].isin(["C", "D"]) & (number % 15 != 4)
    daily = daily[~rare & ~((daily["sku"] == "E") & (number < 90))]
    products = listed(*"ABCDE")
    products.loc[products["sku"] == "E", "valid_from"] = day(90)
    return past(daily, products=products, **frames)


def test_all_are_asked_about_the_same_days_of_which_the_shortest_outlook_tells() -> None:
    stockouts = pd.DataFrame({"store_id": ["L1"], "sku": ["B"], "starts_on": [day(92)], "ends_on": [day(93)]})
    given = source(stockouts=stockouts)
    known = demand_of(past_until(given, day(89)), 14)
    outlooks = {"challenger": outlook_of(given, known, 14), "champion": outlook_of(given, known, 9, 1.4)}
    trial = try_forecasters(given, known, 12, outlooks)
    assert (trial.cutoff, trial.days) == (day(89), 9)
    pool = "others of Notebooks"
    # A day on which B had run out of stock is no day by which to judge; whoever was not on sale then belongs to nobody.
    truth = {("A", number): 4 + number % 3 for number in range(90, 99)}
    truth |= {("B", number): 1 + number % 3 for number in range(90, 99) if number not in (92, 93)}
    truth |= {(pool, number): 3 * (number % 15 == 4) for number in range(90, 99)}
    assert sum(truth[pool, number] for number in range(90, 99)) == 3
    for name, rows in trial.told.items():
        found = {(row.sku, (row.date - FIRST).days): row.actual for row in rows.itertuples()}
        assert found == truth, name
        assert set(rows["cutoff"]) == {day(89)}
    usual = {"A": np.mean([4 + number % 3 for number in range(90)]), "B": np.mean([1 + number % 3 for number in range(90)])}
    usual[pool] = 3 * 6 / 90
    figures = {one.name: one for one in trial.figures()}
    for name, factor in (("challenger", 1.0), ("champion", 1.4)):
        told = {key: factor * usual[key[0]] for key in truth}
        assert figures[name].rows == len(truth)
        assert figures[name].wape == pytest.approx(sum(abs(told[key] - truth[key]) for key in truth) / sum(truth.values()))
        assert figures[name].bias == pytest.approx(sum(told.values()) / sum(truth.values()) - 1)
        assert figures[name].coverage == pytest.approx(np.mean([told[key] / 2 <= truth[key] <= 2 * told[key] for key in truth]))
        assert figures[name].nominal == pytest.approx(0.8)
    # The peers: of nine days the last two repeat the second day of the last week and the third.
    naive = trial.told["seasonal naive"].set_index(["sku", "date"])["mean"]
    assert [naive["A", day(number)] for number in range(90, 99)] == [4 + number % 3 for number in [*range(83, 90), 83, 84]]
    frame = trial.frame()
    assert frame.groupby("forecaster").size().to_dict() == dict.fromkeys(
        ("challenger", "champion", "seasonal naive", "moving average"), len(truth)
    )
    assert try_forecasters(given, known, 4, outlooks).days == 4


def test_a_day_without_stock_is_none_to_judge_by_though_a_sku_now_sells_too_little_to_be_told_by_itself() -> None:
    # S sells one unit every sixth day until it runs out: less than one a week of the latest 91 days, so it belongs to the others since.
    daily = sales(150, A=8, S=1)
    number = (daily["sold_on"] - FIRST).dt.days
    daily = daily[(daily["sku"] == "A") | ((number % 6 == 0) & (number < 125))]
    stockouts = pd.DataFrame({"store_id": ["L1"], "sku": ["S"], "starts_on": [day(125)], "ends_on": [day(160)]})
    given = past(daily, products=listed("A", "S"), stockouts=stockouts)
    known = demand_of(past_until(given, day(119)), 28)
    assert known.table.series["name"].tolist() == ["A", "S"]
    assert demand_of(given, 28).table.series["name"].tolist() == ["A", "others of Notebooks"]
    rows = try_forecasters(given, known, 28, {"challenger": outlook_of(given, known, 28)}).told["challenger"]
    assert (rows["sku"] == "A").sum() == 28
    mine = rows[rows["sku"] == "S"]
    assert dict(zip(mine["date"], mine["actual"], strict=True)) == {day(at): float(at % 6 == 0) for at in range(120, 125)}


def test_forecasters_of_other_series_cannot_be_compared() -> None:
    given = source()
    known = demand_of(past_until(given, day(89)), 14)
    whole = outlook_of(given, known, 14)
    lacking = replace(whole, baseline=whole.baseline[whole.baseline["sku"] != "B"])
    with pytest.raises(ValueError, match=r"told \[28, 42\] rows of the same days; expected the same ones"):
        try_forecasters(given, known, 14, {"challenger": whole, "champion": lacking})


def test_of_stock_that_was_out_at_the_cutoff_only_what_was_known_then_is_known() -> None:
    stockouts = pd.DataFrame(
        {"store_id": "L1", "sku": ["A", "B", "C"], "starts_on": [day(10), day(80), day(91)], "ends_on": [day(12), day(95), day(93)]}
    )
    known = past_until(source(stockouts=stockouts), day(90)).frames.stockouts
    assert known is not None
    assert known[["sku", "starts_on", "ends_on"]].to_numpy().tolist() == [["A", day(10), day(12)], ["B", day(80), day(90)]]


@pytest.mark.parametrize("rows", [40, 23, 4])
def test_calibration_is_by_tenths_of_what_was_told(rows: int) -> None:
    rng = np.random.default_rng(rows)
    # Many are told the same; those that come first are the lower ones.
    told, actual = rng.integers(0, 6, rows).astype(float), rng.poisson(3, rows).astype(float)
    trial = Trial(day(0), 7, {"challenger": pd.DataFrame({"mean": told, "actual": actual})}, pd.DataFrame())
    order, begin = sorted(range(rows), key=lambda row: (told[row], row)), 0
    found = trial.calibration("challenger")
    assert len(found) == min(rows, 10)
    assert {one.rows for one in found} <= {rows // len(found), -(-rows // len(found))}
    for one in found:
        mine = order[begin : begin + one.rows]
        assert (one.forecast, one.actual) == pytest.approx((told[mine].mean(), actual[mine].mean()))
        begin += one.rows
    assert begin == rows


@pytest.mark.parametrize(("horizon", "learnt", "days"), [(35, None, 28), (21, 30, 21), (21, 12, 12), (21, 6, None)])
def test_a_trial_begins_where_the_model_in_use_ended_and_is_no_longer_than_four_weeks(
    horizon: int, learnt: int | None, days: int | None
) -> None:
    given = small_past(days=170, skus=3)
    origin = given.frames.daily["sold_on"].max()
    champion: Any = None if learnt is None else InUse(given, origin - pd.Timedelta(days=learnt), Often(horizon=horizon))
    ended = contest(given, "erp_br", {"gold.daily_sales": 7}, champion, Repeats(horizon=horizon), importance=False)
    card = ended.card
    assert (card.source, card.snapshots, card.horizon, card.currency) == ("erp_br", {"gold.daily_sales": 7}, horizon, "BRL")
    assert (card.first_day, card.origin) == (given.frames.daily["sold_on"].min().date(), origin.date())
    assert (card.series, card.sales_units) == (6, given.frames.daily["units"].sum())
    if days is None:
        assert (ended.trial, ended.planner, card.decision.outcome) == (None, None, "nothing to compare")
        assert (card.cutoffs, card.figures, card.calibration, card.compared_days) == ([], [], [], 0)
        return
    cutoff = origin - pd.Timedelta(days=days)
    assert ended.trial is not None
    assert (ended.trial.cutoff, ended.trial.days) == (cutoff, days)
    assert (card.cutoffs, card.compared_days, len(card.calibration)) == ([cutoff.date()], days, 10)
    names = ["challenger", *(["champion"] if champion else []), "seasonal naive", "moving average"]
    assert [one.name for one in card.figures] == names
    assert ended.trial.told["challenger"]["date"].min() == cutoff + pd.Timedelta(days=1)
    rival = card.figures_of("champion")
    assert rival is None or (rival.bias or 0.0) > 0.2
    assert card.decision.outcome == "registered"
    # The winner is fitted once more on all sales.
    assert ended.planner is not None
    assert ended.planner.outlook_.origin == origin


@pytest.mark.parametrize(("factor", "asked"), [(1.019, True), (0.979, False), (None, False)])
def test_a_model_in_use_is_asked_only_where_the_sales_that_it_learnt_from_are_still_known(factor: float | None, asked: bool) -> None:
    given = small_past(days=100, skus=2)
    first, last = given.frames.daily["sold_on"].min(), given.frames.daily["sold_on"].max()
    # Of sales that begin after what it learnt from, too few are known up to then to be told at all.
    champion: Any = InUse(given, last - pd.Timedelta(days=10), Often(horizon=14))
    if factor is None:
        champion.card().origin = (first + pd.Timedelta(days=30)).date()
    else:
        champion.card().sales_units /= factor
    ended = contest(given, "erp_br", {}, champion, Repeats(horizon=14), importance=False)
    assert ended.trial is not None
    assert ("champion" in ended.trial.told) == asked
    assert any("so it was not to be beaten" in note for note in ended.card.notes) != asked
    assert ("the model in use was not asked" in ended.card.decision.reason) != asked
    if factor is None:
        assert f"up to {first + pd.Timedelta(days=30):%Y-%m-%d}, of which 0 are known now" in ended.card.notes[-1]


def test_where_all_was_out_of_stock_on_every_day_of_the_trial_no_model_is_registered(tmp_path: Path) -> None:
    source = past(sales(120, A=5, B=2))
    last = source.frames.daily["sold_on"].max()
    out = pd.DataFrame({"store_id": "L1", "sku": ["A", "B"], "starts_on": last - pd.Timedelta(days=30), "ends_on": last})
    source = replace(source, frames=replace(source.frames, stockouts=out), response=response())
    ended = contest(source, "erp_br", {}, None, Repeats(horizon=14))
    assert ended.planner is None
    assert (ended.card.decision.outcome, ended.card.calibration, ended.card.importance) == ("refused", [], [])
    assert ended.card.decision.reason == "all that is sold was out of stock on every day of the trial, so no error can be told"
    assert [(one.rows, one.wape) for one in ended.card.figures] == [(0, None)] * 3
    assert "| challenger (the new model) | 0 |" in ended.card.markdown()
    assert ended.trial is not None
    write_frame(ended.trial.frame(), tmp_path / "trial.parquet")
    assert read_frame(tmp_path / "trial.parquet").empty


def test_a_model_in_use_that_cannot_go_on_is_fitted_anew_unless_it_is_of_the_same_recipe() -> None:
    given = small_past(days=100, skus=2)

    class Lost(InUse):
        def planner(self) -> PromotionPlanner:
            raise ModelError("other code")

    last = given.frames.daily["sold_on"].max() - pd.Timedelta(days=10)
    same, other = (Lost(given, last, Repeats(horizon=14, random_state=seed)) for seed in (0, 1))
    ended = contest(given, "erp_br", {}, other, Repeats(horizon=14), importance=False)  # type: ignore[arg-type]
    assert ended.trial is not None
    # It tells the same, and need only not be better.
    assert ended.trial.told["champion"]["mean"].tolist() == ended.trial.told["challenger"]["mean"].tolist()
    assert ended.card.decision.outcome == "registered"
    assert ended.card.notes[-1] == (
        "The model in use cannot be asked any more: other code. Its recipe was fitted anew in its place, and only must not be better."
    )
    ended = contest(given, "erp_br", {}, same, Repeats(horizon=14), importance=False)  # type: ignore[arg-type]
    assert ended.trial is not None
    assert "champion" not in ended.trial.told
    assert "It was made by the same recipe as the new one, so it is not to be beaten" in ended.card.notes[-1]
