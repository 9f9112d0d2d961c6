"""Promotions are told from prices that fell clearly for a while and came back."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.promotions.sources import sold

from sales_tech.promotions import infer_promotions


def charged(prices: list[float], sku: str = "A", units: float = 3.0) -> pd.DataFrame:
    """Sales of one store at a price for each day from the first of January 2026."""
    days = pd.date_range("2026-01-01", periods=len(prices)).strftime("%Y-%m-%d")
    frames = [sold([(day, "1", sku, units)], paid=price) for day, price in zip(days, prices, strict=True)]
    return pd.concat(frames, ignore_index=True)


def test_a_clear_drop_is_found_with_its_days_and_depth() -> None:
    found = infer_promotions(charged([10.0] * 20 + [7.5] * 6 + [10.0] * 20))
    assert len(found) == 1
    row = found.iloc[0]
    assert (row["sku"], row["promotion_id"]) == ("A", "A@2026-01-21")
    assert row["starts_on"] == pd.Timestamp("2026-01-21")
    assert row["ends_on"] == pd.Timestamp("2026-01-26")
    assert row["discount_share"] == pytest.approx(0.25)
    assert row["inferred"]
    assert row[["name", "mechanic", "channel", "region", "display", "investment"]].isna().all()


def test_the_depth_is_weighted_by_units() -> None:
    daily = charged([10.0] * 20 + [8.0, 6.0] + [10.0] * 10)
    daily.loc[21, ["units", "net_sales"]] = [9.0, 54.0]
    assert infer_promotions(daily)["discount_share"].tolist() == pytest.approx([1 - (3 * 8 + 9 * 6) / 12 / 10])


def test_a_price_that_stays_down_is_a_new_price() -> None:
    assert infer_promotions(charged([10.0] * 20 + [7.0] * 90)).empty
    assert infer_promotions(charged([10.0] * 20 + [7.0] * 46 + [10.0] * 20)).empty
    assert len(infer_promotions(charged([10.0] * 20 + [7.0] * 45 + [10.0] * 20))) == 1


def test_a_small_drop_is_no_promotion() -> None:
    assert infer_promotions(charged([10.0] * 20 + [9.6] * 6 + [10.0] * 20)).empty


def test_two_drops_are_two_promotions_and_each_sku_has_its_own() -> None:
    prices = [10.0] * 20 + [8.0] * 5 + [10.0] * 20 + [9.0] * 3 + [10.0] * 5
    daily = pd.concat([charged(prices, "B"), charged(prices[20:], "A"), charged([10.0] * 20 + [8.0] * 5 + [10.0], "C")])
    found = infer_promotions(daily)
    assert found[["sku", "discount_share"]].to_numpy().tolist() == [["A", 0.1], ["B", 0.2], ["B", 0.1], ["C", 0.2]]


def test_too_few_units_say_nothing() -> None:
    assert infer_promotions(charged([10.0] * 10 + [5.0] * 3 + [10.0] * 10, units=1.0)).empty
    assert len(infer_promotions(charged([10.0] * 10 + [5.0] * 3 + [10.0] * 17, units=1.0))) == 1
    # Two units at the lower price are not enough.
    assert infer_promotions(charged([10.0] * 20 + [5.0] * 2 + [10.0] * 20, units=1.0)).empty


def test_what_was_given_away_before_has_no_price_to_fall_from() -> None:
    assert infer_promotions(charged([0.0] * 20 + [10.0] * 5)).empty
    found = infer_promotions(charged([0.0] * 5 + [10.0] * 20 + [7.5] * 6 + [10.0] * 5))
    assert found["discount_share"].tolist() == [0.25]


def test_without_a_sale_there_is_none_and_the_columns_stay() -> None:
    found = infer_promotions(charged([10.0]).iloc[:0])
    assert found.empty
    assert list(found) == list(infer_promotions(charged([10.0] * 20 + [7.5] * 6 + [10.0] * 20)))


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.sampled_from("AB"), st.integers(-2, 30), st.floats(0, 20, allow_nan=False)),
        max_size=60,
    )
)
def test_whatever_was_sold_promotions_of_a_sku_are_in_order_and_apart(rows: list[tuple[int, str, int, float]]) -> None:
    first = pd.Timestamp("2026-01-01")
    frame = pd.DataFrame(rows, columns=["day", "sku", "units", "price"])
    daily = frame.assign(
        sold_on=(first + pd.to_timedelta(frame["day"].astype("int64"), unit="D")).astype("datetime64[s]"),
        units=frame["units"].astype("float64"),
        net_sales=frame["units"].astype("float64") * frame["price"].astype("float64"),
    )
    found = infer_promotions(daily)
    assert (found["starts_on"] <= found["ends_on"]).all()
    assert (found["discount_share"] > 0).all()
    assert (found["discount_share"] <= 1).all()
    assert found["promotion_id"].is_unique
    for _, part in found.groupby("sku"):
        assert (part["starts_on"].iloc[1:].to_numpy() > part["ends_on"].iloc[:-1].to_numpy()).all()


def test_a_discount_greater_than_the_price_counts_as_all_of_it() -> None:
    assert infer_promotions(charged([10.0] * 20 + [-5.0] * 6 + [10.0] * 20))["discount_share"].tolist() == [1.0]
