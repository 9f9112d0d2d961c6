"""A deeper discount, tried before, is never told to sell less than a shallower one."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pandas as pd
import pytest
from tests.forecasting.retail import forecaster, shop, split

from sales_tech.forecasting.checks import PlanBeyondHistory
from sales_tech.forecasting.depths import MOST, no_deeper, raised, tried_depths
from sales_tech.forecasting.features import Matrix
from sales_tech.forecasting.forecaster import PromotionForecaster
from sales_tech.forecasting.plan_features import AHEAD, Plan, feature_of
from sales_tech.forecasting.rows import Bools, Floats, Rows

DEPTHS = (0.1, 0.2, 0.3)


@pytest.fixture(scope="module")
def cut_prices() -> tuple[PromotionForecaster, pd.DataFrame]:
    """A forecaster of a shop whose price is the one that is paid, and the days ahead."""
    panel = shop(skus=6, days=150)
    panel["price"] = panel["price"] * (1 - panel["depth"])
    past, future = split(panel)
    return forecaster().fit(past), future


def at_depth(future: pd.DataFrame, depth: float) -> pd.DataFrame:
    """All days ahead at one depth."""
    listed = 10.0 + future["sku"].str[1:].astype(int)
    return future.assign(depth=depth, price=listed * (1 - depth), mechanic="leaflet" if depth else "none")


def known(model: PromotionForecaster) -> Plan:
    return Plan.of(model.past_.rows, model.past_.names.roles, model.neutral_)


def test_a_model_that_learnt_that_deeper_cuts_sell_less_is_not_followed(
    cut_prices: tuple[PromotionForecaster, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, future = cut_prices
    monkeypatch.setattr(model, "_mean", lambda _, matrix: 20.0 - 30.0 * matrix.column(f"+{feature_of('depth')}") * matrix.promoted)
    means = [model.predict(at_depth(future, depth))["mean"].to_numpy() for depth in DEPTHS]
    # 20 without promotion, which no discount may fall below either.
    assert all(np.allclose(mean, 20.0) for mean in means)
    monkeypatch.setattr(model, "_mean", lambda _, matrix: 20.0 + 100.0 * np.abs(matrix.column(f"+{feature_of('depth')}") - 0.2))
    shallow, middle, deep = (model.predict(at_depth(future, depth))["mean"].to_numpy() for depth in DEPTHS)
    assert np.allclose(shallow, 40.0)  # as without promotion
    assert np.allclose(middle, 40.0)
    assert np.allclose(deep, 40.0)


def test_means_rise_with_the_depths_that_were_tried(cut_prices: tuple[PromotionForecaster, pd.DataFrame]) -> None:
    model, future = cut_prices
    means = [model.predict(at_depth(future, depth))["mean"].to_numpy() for depth in (0.0, *DEPTHS)]
    assert (np.diff(np.stack(means), axis=0) >= -1e-9).all()


def test_between_depths_that_were_tried_means_follow_the_logs_of_both_whatever_the_model_says_there(
    cut_prices: tuple[PromotionForecaster, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, future = cut_prices
    # 20 without promotion, 40 and 90 at 10 and 20 %, 60 at 30 %; between them nothing, and beyond a million.
    known = {0.0: 20.0, 0.1: 40.0, 0.2: 90.0, 0.3: 60.0, 0.4: 1e6}

    def mean(_: object, matrix: Matrix) -> np.ndarray:
        return np.array([known.get(round(depth, 6), 0.0) for depth in matrix.column(f"+{feature_of('depth')}")])

    monkeypatch.setattr(model, "_mean", mean)
    depths = (0.1, 0.125, 0.15, 0.175, 0.2, 0.27, 0.3)
    told = [model.predict(at_depth(future, depth))["mean"].to_numpy() for depth in depths]
    expected = [40.0, 40 * 2.25**0.25, 60.0, 40 * 2.25**0.75, 90.0, 90.0, 90.0]
    assert np.allclose(told, np.array(expected)[:, None])
    with pytest.warns(PlanBeyondHistory):
        assert np.allclose(model.predict(at_depth(future, 0.4))["mean"], 1e6)


def test_several_depths_raise_what_they_stand_on_and_lower_nothing() -> None:
    cuts = {"cut": [0.0, 0.1, 0.15, 0.2, 0.35, 0.05, 0.1], "markdown": [0.0, 0.0, 5.0, 2.0, 5.0, 1.0, 5.0]}
    size = len(cuts["cut"])
    columns = {name: np.array(values) for name, values in cuts.items()} | {AHEAD: np.ones(size)}
    flags = np.zeros(size, dtype=bool)
    rows = Rows(
        np.zeros(size, int), np.arange(size), np.zeros(size), flags, flags, columns, pd.Timestamp("2024-01-01"), pd.Timedelta(days=1)
    )
    plan = Plan(rows, {"cut": "depth", "markdown": "depth"}, {}, {})
    baseline, tried = np.full(size, 10.0), {"cut": np.array([0.1, 0.2]), "markdown": np.array([2.0, 5.0])}
    at = np.array([6, 0, 1, 2, 3, 4, 5])

    def law(cut: float, markdown: float) -> float:
        # A tenth off sells most, and the greatest markdown less than a small one.
        return {0.0: 10.0, 0.05: 11.0, 0.1: 30.0, 0.15: 5.0, 0.2: 20.0, 0.35: 25.0}[cut] * {0.0: 1.0, 1.0: 1.1, 2.0: 2.0, 5.0: 0.5}[
            markdown
        ]

    def told(other: Plan, some: Bools) -> Floats:
        return np.array([law(*(other.rows.plan[name][one] for name in tried)) for one in at[some]])

    def along(name: str, one: int) -> float:
        # The greatest of the means at none and at all depths up to its own that were tried; between two of them, as far between the logs;
        # what is less deep than all of them is no less than none.
        own = {key: values[one] for key, values in cuts.items()}
        depths = tried[name].tolist()
        rising = list(accumulate([10.0, *(law(**own | {name: depth}) for depth in depths)], max))
        if own[name] in depths or not depths[0] < own[name] < depths[-1]:
            known = [value for depth, value in zip((0.0, *depths), rising, strict=True) if depth < own[name]]
            return max([law(**own), *known])
        return float(np.exp(np.interp(own[name], [0.0, *depths], np.log(rising))))

    mean = told(plan, np.ones(size, dtype=bool))
    single = raised(mean, baseline, plan, at, {"cut": tried["cut"]}, told)
    assert single == pytest.approx([along("cut", one) for one in at])
    both = raised(mean, baseline, plan, at, tried, told)
    assert both == pytest.approx([max(law(cuts["cut"][one], cuts["markdown"][one]), *(along(name, one) for name in tried)) for one in at])


@pytest.mark.parametrize("listed", [False, True])
def test_means_rise_with_each_depth_from_the_least_to_the_greatest_that_was_tried(listed: bool) -> None:
    panel = shop(skus=5, days=150, seed=4)
    paid = panel if listed else panel.assign(price=panel["price"] * (1 - panel["depth"]))
    past, future = split(paid, 7)
    model = forecaster(horizon=7, trees=40).fit(past)
    prices = {"price": 10.0 + future["sku"].str[1:].astype(int)} if listed else {}
    means = [model.predict(at_depth(future, depth).assign(**prices))["mean"].to_numpy() for depth in np.linspace(0.1, 0.3, 21)]
    assert (np.diff(np.stack(means), axis=0) >= -1e-9).all()


def test_the_depths_are_those_of_the_past_and_not_many(cut_prices: tuple[PromotionForecaster, pd.DataFrame]) -> None:
    plan = known(cut_prices[0])
    assert {column: depths.tolist() for column, depths in tried_depths(plan).items()} == {"depth": list(DEPTHS)}
    depth = plan.rows.plan["depth"]
    many = Plan(plan.rows.with_plan({**plan.rows.plan, "depth": np.arange(len(depth)) / len(depth)}), plan.roles, plan.neutral, {})
    (told,) = tried_depths(many).values()
    assert len(told) == MOST
    assert told[0] < 0.01
    assert told[-1] > 0.99


def test_a_paid_price_rises_with_a_shallower_cut_and_a_list_price_stays(cut_prices: tuple[PromotionForecaster, pd.DataFrame]) -> None:
    plan = known(cut_prices[0])
    deep = np.flatnonzero(np.isclose(plan.rows.plan["depth"], 0.3))
    assert len(deep)
    listed = 10.0 + plan.rows.code[deep]
    shallow = no_deeper(plan, "depth", 0.1)
    assert np.allclose(shallow.rows.plan["depth"][deep], 0.1)
    assert np.allclose(shallow.rows.plan["price"][deep], listed * 0.9)
    whole = plan.rows.plan | {"price": np.where(plan.rows.plan["depth"] > 0, 10.0 + plan.rows.code, plan.rows.plan["price"])}
    same = no_deeper(Plan.of(plan.rows.with_plan(whole), plan.roles, plan.neutral), "depth", 0.1)
    assert np.allclose(same.rows.plan["price"][deep], listed)


def test_a_paid_price_falls_with_a_deeper_cut_of_what_is_planned_and_a_list_price_stays(
    cut_prices: tuple[PromotionForecaster, pd.DataFrame],
) -> None:
    plan = known(cut_prices[0])
    middle = np.flatnonzero(np.isclose(plan.rows.plan["depth"], 0.2))
    assert len(middle)
    listed = 10.0 + plan.rows.code
    for price, expected in ((plan.rows.plan["price"], 0.7 * listed[middle]), (listed, listed[middle])):
        values = plan.rows.plan | {"price": price, AHEAD: np.ones(len(listed))}
        ahead = Plan(plan.rows.with_plan(values), plan.roles, plan.neutral, {"price": listed})
        deep = no_deeper(ahead, "depth", 0.3, 0.15)
        assert np.allclose(deep.rows.plan["depth"][middle], 0.3)
        assert np.allclose(deep.rows.plan["price"][middle], expected)
        past = Plan(plan.rows.with_plan(values | {AHEAD: np.zeros(len(listed))}), plan.roles, plan.neutral, {"price": listed})
        assert np.allclose(no_deeper(past, "depth", 0.3, 0.15).rows.plan["depth"][middle], 0.2)
