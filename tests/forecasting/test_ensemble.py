"""What the ensemble takes from a panel by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from tests.forecasting.retail import forecaster, shop

from sales_tech.forecasting.chained import Chained
from sales_tech.forecasting.ensemble import Ensemble
from sales_tech.forecasting.members import BASE, LEVEL

STORES = 8


def chain(code: Any) -> pd.DataFrame:
    """Stores of which each sells the same six products, at prices of its own."""
    parts = []
    for store in range(STORES):
        part = shop(skus=6, days=120, seed=store)
        parts.append(part.assign(store=code(store), units=np.floor(part["units"] * (1 + store / 4))))
    return pd.concat(parts, ignore_index=True)


def without_statics(panel: pd.DataFrame) -> Any:
    return forecaster(series=["store", "sku"], static=[], most_rows=6_000).fit(panel)


def test_the_parts_of_a_key_that_series_share_are_attributes_of_them() -> None:
    panel = chain(lambda store: f"L{store}")
    past = panel["date"] <= panel["date"].max() - pd.Timedelta(days=14)
    fresh = (panel["store"] == "L7") & (panel["sku"] == "S05")
    plan = panel[~past & fresh].reset_index(drop=True)
    told = without_statics(panel[past & ~fresh]).predict(plan)
    # A product that this store never sold is told by what others sell of it, and by the store.
    usual = panel.loc[past & ~fresh, "units"].mean()
    assert abs(told["mean"].sum() / plan["units"].sum() - 1) < abs(14 * usual / plan["units"].sum() - 1) / 2


def test_numbers_in_a_key_are_names_and_not_amounts() -> None:
    # The same stores under numbers whose order says something else.
    numbers = [5, 2, 7, 0, 6, 1, 3, 4]
    by_name, by_number = without_statics(chain(lambda store: f"L{store}")), without_statics(chain(lambda store: numbers[store]))
    assert by_number.ensemble_.statics_.numbers_ == []
    assert np.allclose(np.sort(by_name.ensemble_.statics_.levels_), np.sort(by_number.ensemble_.statics_.levels_), rtol=0.2)


def test_numbers_of_a_key_may_come_as_integers_or_as_floats() -> None:
    panel = chain(lambda store: store)
    fitted = without_statics(panel)
    plan = panel.groupby(["store", "sku"]).tail(14).assign(date=lambda frame: frame["date"] + pd.Timedelta(days=14)).reset_index(drop=True)
    told = fitted.predict(plan)["mean"]
    again = fitted.observe(panel.assign(store=panel["store"].astype(float))).predict(plan.assign(store=plan["store"].astype(float)))["mean"]
    assert again.tolist() == told.tolist()


def test_a_series_of_great_sales_is_not_cut_to_the_size_of_the_others() -> None:
    panel = shop(skus=12, days=260)
    great = panel["sku"] == "S00"
    panel.loc[great, "units"] = panel.loc[great, "units"] * 2_000
    fitted = forecaster().fit(panel)
    plan = panel[panel["date"] > panel["date"].max() - pd.Timedelta(days=14)].assign(
        date=lambda frame: frame["date"] + pd.Timedelta(days=14)
    )
    plan = plan.reset_index(drop=True).assign(depth=0.0, mechanic="none")
    means = fitted.ensemble_.members_means(fitted.features(plan))[:, (plan["sku"] == "S00").to_numpy()].mean(axis=1)
    assert isinstance(fitted.ensemble_.members_[-1], Chained)
    assert means[-1] > 0.7 * np.median(means)


def test_a_key_that_hardly_any_series_share_is_no_attribute() -> None:
    panel = shop(skus=12, days=80).assign(channel=lambda frame: np.where(frame["sku"] < "S06", "online", "loja"))
    fitted = forecaster(series=["sku", "channel"], static=[]).fit(panel)
    assert fitted.ensemble_.statics_.static == ["channel"]


def test_nothing_is_learnt_from_what_came_later_or_is_not_known() -> None:
    model = forecaster(trees=5, horizon=7).fit(shop(skus=4, days=130))
    past, last = model.past_, 110
    rng = np.random.default_rng(2)
    known = past.rows.known & (rng.random(len(past.rows.code)) < 0.9)
    hidden = (past.rows.period > last) | ~known
    ahead = np.flatnonzero((past.rows.period > last) & (past.rows.period <= last + 7))
    told = []
    for more in (0.0, 500.0):
        units = np.where(hidden, past.rows.units + more * rng.random(len(known)), past.rows.units)
        whole = replace(past, rows=replace(past.rows, units=units, known=known))
        calendar = model._calendar(whole)
        fitted = Ensemble(7, seed=1, most_rows=2_000, trees=5).fit(whole, calendar, last)
        told.append(fitted.members_means(fitted.matrix(whole, calendar, ahead, past.rows.period[ahead] - last)))
    assert told[0].tolist() == told[1].tolist()


def kinds_of(model: Any) -> list[str]:
    return [getattr(member, "against", type(member).__name__) for member in model.members_]


def test_a_season_is_drawn_as_a_line_only_where_a_year_was_seen_before_what_is_held_out() -> None:
    young, grown = (forecaster().fit(shop(skus=3, days=days)).ensemble_ for days in (360, 460))
    assert kinds_of(young) == [BASE, LEVEL, "LogLinear", "SeasonalLevel", "Chained"]
    assert kinds_of(grown) == [BASE, LEVEL, "LogLinear", "LogLinear", "SeasonalLevel", "Chained"]
    for model in (young, grown):
        assert np.isclose(model.shares_.sum(), 1.0)
        assert len(model.shares_) == len(model.members_)


def weekly(season: np.ndarray) -> pd.DataFrame:
    """Series of three years and a quarter, each of which rises and falls as it is told."""
    weeks = pd.date_range("2021-01-04", periods=season.shape[1], freq="7D")
    rng = np.random.default_rng(1)
    parts = [
        pd.DataFrame({"sku": f"S{number}", "date": weeks, "units": rng.poisson(60 * np.exp(one))}) for number, one in enumerate(season)
    ]
    return pd.concat(parts, ignore_index=True)


def test_what_comes_again_every_year_is_expected_again_and_what_does_not_is_not() -> None:
    rng = np.random.default_rng(3)
    years, other = rng.normal(0, 0.6, (6, 52)), rng.normal(0, 0.6, (6, 170))
    again, never = (
        forecaster(plan=[], static=[], freq="W", horizon=8).fit(weekly(season)).ensemble_.members_[-2].again_
        for season in (np.tile(years, 4)[:, :170], other)
    )
    assert again > 0.8
    assert never < 0.2


class Says:
    """A member that tells the same of all rows."""

    def __init__(self, units: float) -> None:
        self.units = units

    def mean(self, matrix: Any) -> Any:
        return np.full(len(matrix), self.units)


def average_of(*told: float) -> float:
    ensemble = Ensemble(1, 0, 1, 1)
    ensemble.members_ = [Says(one) for one in told]  # type: ignore[misc]
    ensemble.shares_ = np.full(len(told), 1 / len(told))
    return float(ensemble.mean([None])[0])  # type: ignore[arg-type]


def test_a_member_that_strays_counts_as_the_next_one() -> None:
    assert average_of(1, 2, 3, 4, 1_000) == (2 + 2 + 3 + 4 + 4) / 5
    assert average_of(0, 2, 3, 4, 5) == (2 + 2 + 3 + 4 + 4) / 5


@given(st.lists(st.floats(0, 1e6), min_size=4, max_size=6), st.integers(0, 5), st.floats(0, 1e6))
def test_the_average_never_falls_where_a_member_rises(told: list[float], place: int, more: float) -> None:
    risen = list(told)
    risen[place % len(told)] += more
    assert average_of(*risen) >= average_of(*told) * (1 - 1e-12)
