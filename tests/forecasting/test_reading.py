"""Columns of a plan that came as objects or texts: panel and plan are read alike, whichever of them has which."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.forecasting.retail import forecaster, shop, split

from sales_tech.forecasting.reading import like_numbers, with_numbers
from sales_tech.forecasting.roles import roles_of

PAST, FUTURE = split(shop(skus=3, days=60), 7)
ON = [frame["depth"].gt(0) for frame in (PAST, FUTURE)]
NUMBERS = ["q10", "q50", "q90", "mean", "baseline", "uplift"]


def told(past: Any, future: Any, column: str = "promo", **changed: Any) -> pd.DataFrame:
    """What a small model says of a plan with one more column."""
    usual = {"horizon": 7, "trees": 3, "plan": [column]}
    return forecaster(**(usual | changed)).fit(PAST.assign(**{column: past})).predict(FUTURE.assign(**{column: future}))[NUMBERS]


def role(column: str, values: list[Any], given: dict[str, str] | None = None) -> str:
    """What a column of these values is taken for."""
    panel = pd.DataFrame({column: pd.Series(values, dtype=object), "units": 1.0})
    return roles_of(with_numbers(panel, [column], given), [column], "units", given)[column]


FORMS = {
    "booleans": lambda on: on,
    "objects": lambda on: on.astype(object),
    "objects, of which some are missing": lambda on: on.astype(object).where(on | (on.index % 5 > 0), None),
    "True and False": lambda on: on.astype(str),
    "Y and N": lambda on: on.map({True: "Y", False: "N"}),
    "sim and não": lambda on: on.map({True: "sim", False: "não"}),
    "categories": lambda on: on.map({True: "S", False: "N"}).astype("category"),
    "1 and 0": lambda on: on.map({True: "1", False: "0"}),
    "1 and missing": lambda on: on.astype(float).where(on),
}


@pytest.mark.parametrize("form", FORMS)
def test_yes_and_no_are_the_same_flag_however_panel_and_plan_write_them(form: str) -> None:
    past, future = ON
    expected = told(past.astype(int), future.astype(int))
    assert expected["uplift"].abs().sum() > 0
    pd.testing.assert_frame_equal(told(FORMS[form](past), FORMS[form](future)), expected, check_exact=True)
    pd.testing.assert_frame_equal(told(FORMS[form](past), future), expected, check_exact=True)
    pd.testing.assert_frame_equal(told(past, FORMS[form](future)), expected, check_exact=True)


@pytest.mark.parametrize(("yes", "no"), [("Y", "N"), ("S", "N"), ("T", "F"), ("YES", "no"), ("Sim", "NÃO"), ("TRUE", "FALSE"), ("1", "0")])
def test_a_flag_in_words_is_right_where_most_rows_are_promoted(yes: str, no: str) -> None:
    panel = with_numbers(pd.DataFrame({"promo": [yes, yes, no, yes]}), ["promo"], None)
    assert panel["promo"].tolist() == [1, 1, 0, 1]


@pytest.mark.parametrize("values", [["N", "L", "N"], ["S", "S", None], ["N", None], ["no", "no"], ["yes", "no", "leaflet"], ["S", "F"]])
def test_letters_and_words_that_may_be_a_mechanics_stay_its_texts(values: list[Any]) -> None:
    assert role("mechanic", values) == "kind"


@pytest.mark.parametrize(
    "form",
    [
        lambda price: price.map(lambda value: Decimal(f"{value:.2f}")),
        lambda price: price.map(lambda value: f"{value:.2f}"),
        lambda price: price.astype(object),
        lambda price: price.map(lambda value: f"{value:.2f}").astype("category"),
    ],
)
def test_prices_are_prices_as_decimals_as_texts_and_as_objects(form: Any) -> None:
    past, future = (np.round(frame["price"] * (1 - frame["depth"]), 2) for frame in (PAST, FUTURE))
    expected = told(past, future, "price")
    pd.testing.assert_frame_equal(told(form(past), form(future), "price"), expected, check_exact=True)
    pd.testing.assert_frame_equal(told(form(past), future, "price"), expected, check_exact=True)
    pd.testing.assert_frame_equal(told(past, form(future), "price"), expected, check_exact=True)


def test_lists_are_no_numbers() -> None:
    assert role("tags", [["a", "b"], ["a"], None]) == "kind"


def test_whole_numbers_in_texts_are_codes_unless_the_name_is_of_a_price_or_a_depth() -> None:
    assert role("mechanic", ["1", "2", "3"]) == "kind"
    assert role("price", ["1", "2", "3"]) == "price"
    assert role("discount_share", ["0", "10", "20"]) == "depth"
    assert role("intensity", ["0", "0", "0", "0.5"]) == "depth"
    assert role("price", ["1", "2", "3"], {"price": "kind"}) == "kind"
    assert role("mechanic", ["0", "1", "2"], {"mechanic": "depth"}) == "depth"


def test_a_newer_past_is_read_as_the_first_one_was() -> None:
    model = forecaster(horizon=7, trees=3, plan=["promo"])
    past, future = ON
    expected = model.fit(PAST.assign(promo=past)).predict(FUTURE.assign(promo=future))
    again = model.observe(PAST.assign(promo=past.map({True: "Y", False: "N"}))).predict(FUTURE.assign(promo=future))
    pd.testing.assert_frame_equal(again, expected, check_exact=True)


@pytest.mark.parametrize(
    ("values", "given", "said"),
    [
        (["9.5", "n/a"], None, "the panel: column price is object and called a price, but has 'n/a'; expected numbers"),
        (["9,50", "8,75"], None, "called a price, but has '9,50'; expected numbers, with a point before decimals"),
        (["none", "leaflet"], {"price": "depth"}, "roles has price: depth, but the panel has 'none'; expected numbers"),
    ],
)
def test_texts_where_numbers_have_to_be_are_named(values: list[str], given: dict[str, str] | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        role("price", values, given)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("price", ["R$ 8,00", "R$ 9,50"]),
        ("price", ["$8.00", "$9.50"]),
        ("preco", ["8.00 USD", "9.50 USD"]),
        ("price", ["€ 1.099", "€ 999"]),
        ("price", ["1,099.00", "999.00", None]),
        ("price", ["8,00\xa0€", "n/a"]),
        ("price", ["999", "1.099", "1.250"]),
        ("price", ["10", "n/a"]),
        ("price", [8.0, "R$ 9,50"]),
        ("discount", ["20%", "10 %", "0%"]),
        ("discount", ["-20%", "", None]),
        ("promo", ["0,20", "0,10", "nenhuma"]),
        ("promo_value", ["R$ 2,00", "none"]),
        ("temperature", ["21,5", "22"]),
    ],
)
def test_numbers_as_people_write_them_are_refused_with_one_of_them_and_never_a_mechanic(column: str, values: list[Any]) -> None:
    first = next(value for value in values if isinstance(value, str) and value not in ("10", "999"))
    with pytest.raises(
        ValueError, match=f"the panel: column {column} is object .*has {re.escape(repr(first))}.*; expected numbers, with a point"
    ):
        role(column, values)
    assert role(column, values, {column: "kind"}) == "kind"


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("mechanic", ["10%", "20%", "none"]),
        ("promo_type", ["20%", "none"]),
        ("discount", ["20%", "2 for 1", "none"]),
        ("price_level", ["cheap", "dear"]),
        ("price_tier", ["A", "B", "1"]),
        ("promo", ["none", "", None]),
        ("week", ["2024-01", "2024-02"]),
        ("hours", ["09:30", "10:00"]),
        ("version", ["1.2.3", "1.2.4"]),
    ],
)
def test_texts_that_are_no_numbers_and_mechanics_called_so_stay_texts(column: str, values: list[Any]) -> None:
    assert role(column, values) in ("kind", "label")


def test_a_price_in_a_sign_without_a_mark_between_thousands_is_not_read_as_another_price() -> None:
    with pytest.raises(ValueError, match=r"the plan: column price is str and was one of numbers at the fit, but has '€1\.099'"):
        like_numbers(pd.DataFrame({"price": ["€1.099"]}, dtype="str"), {"price": "price"}, "the plan")


def test_a_plan_that_says_of_a_flag_what_is_neither_yes_nor_no_is_refused() -> None:
    with pytest.raises(ValueError, match="the plan: column promo is object and was one of numbers at the fit, but has 'perhaps'"):
        like_numbers(pd.DataFrame({"promo": ["Y", "perhaps"]}, dtype=object), {"promo": "flag"}, "the plan")
