"""How many goods of a series are promoted is told beside what is usual there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.forecasting.retail import forecaster

from sales_tech.forecasting.checks import PlanBeyondHistory
from sales_tech.forecasting.counts import beside_usual, usual_counts

GOODS = {"S0": 40, "S1": 40, "S2": 4, "S3": 4, "S4": 1}


def shops(days: int = 150, **goods: int) -> pd.DataFrame:
    """Series of so many goods, of which each day some are promoted and sell half as much again."""
    rng = np.random.default_rng(4)
    parts = []
    for sku, most in (GOODS | goods).items():
        share = np.where(rng.random(days) < 0.4, rng.integers(1, 5, days) / 4, 0.0)
        dates = pd.date_range("2024-01-01", periods=days)
        units = rng.poisson(30 * (1 + 0.5 * share)).astype(float)
        parts.append(pd.DataFrame({"sku": sku, "date": dates, "units": units, "onpromotion": np.ceil(share * most).astype(int)}))
    return pd.concat(parts, ignore_index=True)


def told(panel: pd.DataFrame) -> pd.DataFrame:
    """The last fortnight of a panel, told from what was before."""
    ahead = panel["date"] > panel["date"].max() - pd.Timedelta(days=14)
    return forecaster(plan=["onpromotion"], static=[]).fit(panel[~ahead]).predict(panel[ahead])


def test_counts_are_parts_of_the_usual_one_of_their_series() -> None:
    panel = shops()
    usual = usual_counts(panel, {"onpromotion": "depth"}, ["sku"])["onpromotion"]
    by_hand = {sku: rows.loc[rows["onpromotion"] > 0, "onpromotion"].mean() for sku, rows in panel.groupby("sku")}
    assert usual.to_dict() == pytest.approx(by_hand)
    some = pd.DataFrame({"sku": ["S0", "new"], "onpromotion": [20, 8]})
    parts = beside_usual(some, {"onpromotion": usual}, ["sku"])["onpromotion"].tolist()
    assert parts == pytest.approx([20 / by_hand["S0"], 8 / np.median(list(by_hand.values()))])
    keys = ["shop", "sku"]
    several = usual_counts(panel.assign(shop="x"), {"onpromotion": "depth"}, keys)
    assert beside_usual(some.assign(shop="x"), several, keys)["onpromotion"].tolist() == pytest.approx(parts)


def test_four_series_with_five_promoted_rows_of_which_the_largest_have_four_times_as_many_tell_that_depths_are_counts() -> None:
    def told(*means: int, rows: int = 5, part: float = 0.0) -> dict:
        several = {f"S{place}": [0, mean - 1, *[mean] * (rows - 2), mean + 1] for place, mean in enumerate(means)}
        panel = pd.DataFrame([(sku, count) for sku, counts in several.items() for count in counts], columns=["sku", "goods"]).astype(
            {"goods": float}
        )
        panel.loc[1, "goods"] += part
        return {name: one.to_dict() for name, one in usual_counts(panel, {"goods": "depth", "price": "price"}, ["sku"]).items()}

    # Of 2, 2, 8 and 8 the tenth with the most has four times as many as that with the fewest; so has none of the others.
    assert told(2, 2, 8, 8) == {"goods": {"S0": 2.0, "S1": 2.0, "S2": 8.0, "S3": 8.0}}
    assert told(2, 2, 8, 7) == told(2, 8, 8) == told(2, 2, 8, 8, rows=4) == {}
    # Amounts may be whole, too, but not all of them.
    assert told(2, 2, 8, 8, part=0.5) == {}
    assert told(2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 8) == {}


@pytest.mark.parametrize("values", [lambda counts: counts / 40, lambda counts: counts.clip(upper=1), lambda counts: counts + 0.5])
def test_shares_flags_and_amounts_are_no_counts(values: object) -> None:
    panel = shops()
    panel["onpromotion"] = values(panel["onpromotion"]).where(panel["onpromotion"] > 0, 0)  # type: ignore[operator]
    assert usual_counts(panel, {"onpromotion": "depth"}, ["sku"]) == {}


def test_discounts_in_percent_that_are_much_alike_in_all_series_stay_what_they_are() -> None:
    panel = shops().assign(onpromotion=lambda rows: np.where(rows["onpromotion"] > 0, 10 + rows.index % 3 * 10, 0))
    assert usual_counts(panel, {"onpromotion": "depth"}, ["sku"]) == {}


def test_a_count_beyond_the_past_is_told_beside_the_usual_one_of_its_series() -> None:
    panel = shops()
    ahead = panel["date"] > panel["date"].max() - pd.Timedelta(days=14)
    model = forecaster(plan=["onpromotion"], static=[]).fit(panel[~ahead])
    usual = panel.loc[~ahead & (panel["sku"] == "S2") & (panel["onpromotion"] > 0), "onpromotion"].mean()
    plan = panel[ahead].assign(onpromotion=lambda rows: np.where(rows["sku"] == "S2", 100, 1))
    with pytest.warns(
        PlanBeyondHistory, match=f"14 rows with more of onpromotion than ever, such as sku S2.*: {100 / usual:.3g} times the usual"
    ):
        model.predict(plan)


def test_forecasts_do_not_change_where_all_counts_of_a_series_are_ten_times_as_large() -> None:
    panel = shops()
    larger = panel.assign(onpromotion=panel["onpromotion"] * np.where(panel["sku"] == "S2", 10, 1))
    pd.testing.assert_frame_equal(told(larger), told(panel), rtol=1e-9)
