"""The chain of next periods: what it looks back on, what it is fed, and what it must not be moved by."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.forecasting.panels import future_of, panel_of
from tests.forecasting.retail import forecaster, shop, split
from tests.forecasting.test_features import rows_of

from sales_tech.forecasting.chained import Chained, _Chain
from sales_tech.forecasting.forecaster import PromotionForecaster
from sales_tech.forecasting.rows import Rows


def chain_of(model: PromotionForecaster) -> Chained:
    return next(member for member in model.ensemble_.members_ if isinstance(member, Chained))


@pytest.fixture(scope="module")
def fitted() -> tuple[PromotionForecaster, pd.DataFrame]:
    past, future = split(shop(skus=6, days=160))
    return forecaster(trees=20).fit(past), future


def told(model: PromotionForecaster, plan: pd.DataFrame) -> np.ndarray:
    chained = model.features(plan).chained
    assert chained is not None
    return chained


def test_a_mean_goes_over_from_what_was_sold_to_what_has_been_told() -> None:
    rows = rows_of([[1, 2, 3, 4, 0, 0, 0], [9, 9, 9, 9, 9, 9, 9]])
    known = rows.known.copy()
    known[[1, 4, 5, 6]] = False
    seen = Rows(rows.code, rows.period, rows.units, known, rows.closed, {}, rows.first, rows.length)
    situation: Any = SimpleNamespace(plan=SimpleNamespace(rows=seen))
    chain = _Chain.of(situation, np.array([3]), 3)
    chain.put(1, np.array([0]), np.array([10.0]), np.array([False]))
    chain.put(2, np.array([0]), np.array([20.0]), np.array([True]))

    def mean(after: int, last: int) -> float:
        return float(chain.mean(np.array([0]), np.array([after]), np.array([last]))[0])

    assert mean(3, 4) == 10
    assert mean(2, 4) == (4 + 10) / 2
    # Nothing is known of the second day, and the sixth is closed.
    assert mean(-1, 5) == (1 + 3 + 4 + 10) / 4
    assert np.isnan(mean(0, 1))
    assert np.isnan(mean(4, 5))


@pytest.mark.parametrize("freq", ["D", "W"])
def test_it_looks_back_on_what_was_sold_before_the_origin_and_on_what_it_told_of_quiet_days_since(
    monkeypatch: pytest.MonkeyPatch, freq: str
) -> None:
    lags, windows, (season, length) = {"D": ((1, 7, 14, 28), (7, 28, 56), (7, 14)), "W": ((1, 2, 4, 8, 52), (4, 8, 13), (2, 4))}[freq]
    whole = shop(skus=3, days=90, closed_sundays=freq == "D")
    if freq == "W":
        whole["date"] = whole["date"].min() + (whole["date"] - whole["date"].min()) * 7
    past, future = split(whole, 5 * (7 if freq == "W" else 1))
    # Gaps of which nothing is known, a young series, and plans that reach unlike far.
    past = past[(np.random.default_rng(1).random(len(past)) < 0.9) | (past["date"] == past["date"].max())]
    past = past[(past["sku"] != "S02") | (past["date"] > sorted(past["date"].unique())[50])].reset_index(drop=True)
    future = future[(future["sku"] != "S01") | (future["date"] < sorted(future["date"].unique())[3])].reset_index(drop=True)
    plan = ["depth", "price", "mechanic", "open"]
    model = forecaster(plan=plan, horizon=5, trees=1, most_rows=300, fill_gaps="unknown", shorter_plans=True, freq=freq).fit(past)
    seen: list[tuple[Any, ...]] = []
    since: list[tuple[Any, ...]] = []
    columns, put = Chained._columns, _Chain.put

    def noted(self: Chained, chain: _Chain, at: Any, target: Any, *, quiet: bool) -> Any:
        found = columns(self, chain, at, target, quiet=quiet)
        seen.append((chain, at, target, quiet, found, [one[1:] for one in since if one[0] is chain]))
        return found

    def noted_put(self: _Chain, step: int, at: Any, means: Any, closed: Any) -> None:
        since.append((self, step, at, means, closed))
        put(self, step, at, means, closed)

    monkeypatch.setattr(Chained, "_columns", noted)
    monkeypatch.setattr(_Chain, "put", noted_put)
    model.predict(future)
    checked = set()
    for chain, at, target, quiet, found, told_of in seen:
        rows, calendar, plans = chain.situation.plan.rows, chain.situation.calendar, chain.situation.plan
        for place, (path, row) in enumerate(zip(at.tolist(), target.tolist(), strict=True)):
            origin, begin = int(chain.origin[path]), int(np.flatnonzero(rows.code == rows.code[row])[0])
            units = {one: rows.units[one] for one in range(begin, origin + 1) if rows.known[one]}
            for step, paths, means, closed in told_of:
                for number in np.flatnonzero((paths == path) & ~closed):
                    units[origin + step] = means[number]

            def mean(before: int, count: int, units: dict[int, float] = units, row: int = row) -> float:
                known = [units[one] for one in range(row - before - count + 1, row - before + 1) if one in units]
                return float(np.mean(known)) if known else np.nan

            date = rows.first + int(rows.period[row]) * rows.length
            expected = {f"lag {lag}": mean(lag, 1) for lag in lags} | {f"mean {window}": mean(1, window) for window in windows}
            expected |= {"mean of all": mean(1, row - begin), "mean of a season ago": mean(season, length)}
            expected |= {"month": (date.day_of_year - 1) // 30.5, "week_of_year": calendar["week_of_year"].iloc[rows.period[row]]}
            expected |= {"static 0": chain.situation.attributes[rows.code[row], 0]}
            expected["+plan depth"] = 0.0 if quiet else rows.plan["depth"][row]
            expected["plan mechanic"] = plans.neutral["mechanic"] if quiet else rows.plan["mechanic"][row]
            expected["plan price"] = plans.references["price"][origin]
            for name, value in expected.items():
                assert found[name][place] == pytest.approx(value, nan_ok=True), name
            checked.add((quiet, row - origin))
    assert checked == set(product((True, False), range(1, 6)))


def test_weeks_that_take_turns_go_on_taking_turns() -> None:
    turns = {f"S{number}": [float(20 * (1 + (week + number) % 2)) for week in range(80)] for number in range(8)}
    panel = panel_of("W", **turns)
    plan = future_of(panel, 4, "W")
    model = PromotionForecaster(series=["sku"], freq="W", horizon=4, country=None).fit(panel)
    expected = [turns[sku][week % 2] for sku in turns for week in range(4)]
    assert told(model, plan) == pytest.approx(expected, rel=0.05)


def test_a_discount_moves_its_own_day_and_no_other(fitted: tuple) -> None:
    model, future = fitted
    quiet = future.assign(depth=0.0, mechanic="none")
    third = quiet["date"] == sorted(quiet["date"].unique())[2]
    cut = quiet.assign(depth=np.where(third, 0.3, 0.0), mechanic=np.where(third, "percent", "none"))
    without, with_it = told(model, quiet), told(model, cut)
    assert with_it[~third].tolist() == without[~third].tolist()
    assert (with_it[third] > without[third]).mean() > 0.9


def test_a_deeper_discount_never_lowers_it(fitted: tuple) -> None:
    model, future = fitted
    means = [told(model, future.assign(depth=depth, mechanic="percent")) for depth in (0.05, 0.1, 0.2, 0.3)]
    assert (np.diff(means, axis=0) >= -1e-12).all()


def test_a_lower_price_never_lowers_it() -> None:
    panel = shop(skus=6, days=160)
    past, future = split(panel.assign(price=panel["price"] * (1 - panel["depth"])))
    model = forecaster(plan=["price"], trees=20).fit(past)
    means = [told(model, future.assign(price=future["price"] * (1 - cut))) for cut in np.arange(0.0, 0.36, 0.02)]
    assert (np.diff(means, axis=0) >= -1e-12).all()
    assert means[-1].sum() > 1.2 * means[0].sum()


def test_a_series_is_told_the_same_alone_and_among_others(fitted: tuple) -> None:
    model, future = fitted
    mine = (future["sku"] == "S01").to_numpy()
    assert told(model, future[mine].reset_index(drop=True)).tolist() == told(model, future)[mine].tolist()


def test_a_series_without_a_past_is_left_to_the_others(fitted: tuple) -> None:
    model, future = fitted
    plan = pd.concat([future, future[future["sku"] == "S01"].assign(sku="new")], ignore_index=True)
    matrix = model.features(plan)
    fresh = (plan["sku"] == "new").to_numpy()
    assert matrix.chained is not None
    assert np.isnan(matrix.chained).tolist() == fresh.tolist()
    means = model.ensemble_.members_means(matrix)
    place = model.ensemble_.members_.index(chain_of(model))
    others = np.delete(np.arange(len(means)), place)
    shares = model.ensemble_.shares_[others] / model.ensemble_.shares_[others].sum()
    assert means[place, fresh] == pytest.approx(shares @ means[others][:, fresh])


def test_a_series_that_was_listed_and_never_available_has_no_past() -> None:
    past, future = split(shop(skus=6, days=160))
    past = past.assign(there=np.where(past["sku"] == "S00", 0, 1))
    model = forecaster(trees=5, available="there").fit(past)
    assert np.isnan(told(model, future)).tolist() == (future["sku"] == "S00").tolist()


def test_where_nothing_tells_periods_apart_the_mean_is_told() -> None:
    panel = panel_of("W", **{f"S{number}": [5.0, 5.0, 5.0] for number in range(14)})
    model = PromotionForecaster(series=["sku"], freq="W", horizon=1, country=None).fit(panel)
    assert told(model, future_of(panel, 1, "W")) == pytest.approx(5.0, rel=0.05)


def test_where_nothing_was_ever_sold_it_tells_nothing() -> None:
    panel = panel_of(A=[0.0] * 60, B=[0.0] * 60)
    model = PromotionForecaster(series=["sku"], horizon=7, country=None).fit(panel)
    assert told(model, future_of(panel, 7)).tolist() == [0.0] * 14


def test_of_a_large_panel_a_sample_of_rows_that_have_a_past_is_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    columns = Chained._columns

    def noted(self: Chained, chain: _Chain, at: Any, target: Any, *, quiet: bool) -> Any:
        seen.append((chain.situation.plan.rows, target))
        return columns(self, chain, at, target, quiet=quiet)

    monkeypatch.setattr(Chained, "_columns", noted)
    past, _ = split(shop(skus=6, days=160))
    forecaster(most_rows=300, trees=2).fit(past)
    rows, target = seen[-1]
    assert len(target) == 300
    assert (target > rows.start[target]).all()
    assert len(np.unique(rows.code[target])) == 6
