"""What is said of a plan that asks for what the past never showed."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from tests.forecasting.retail import forecaster, shop, split

from sales_tech.forecasting.checks import PlanBeyondHistory, UnknownSeries

PAST, FUTURE = split(shop(skus=3, days=60), 7)
DATE = FUTURE["date"].iloc[2]


def said_of(past: pd.DataFrame, future: pd.DataFrame) -> list[str]:
    """The warnings of a plan, by a small model of the past."""
    model = forecaster(horizon=7, trees=3).fit(past)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.predict(future)
    assert all(warning.filename == __file__ for warning in caught)
    return [str(warning.message) for warning in caught]


def test_a_price_that_was_never_so_low_is_told_in_percent_with_an_example() -> None:
    past = PAST.assign(price=PAST["price"] * np.where(PAST["depth"] > 0, 0.75, 1.0))
    cut = FUTURE.assign(price=FUTURE["price"].where(FUTURE.index != 2, FUTURE["price"] * 0.4))
    (said,) = said_of(past, cut)
    assert said.startswith(f"the plan has 1 rows with a price beyond the past, such as sku S00, date {DATE}: 60 % below the usual one")
    assert re.search(r"it was from [\d.]+ % (above|below) to 25 % below; their forecasts are a guess$", said)


def test_a_price_that_was_never_changed_is_told_so() -> None:
    (said,) = said_of(PAST, FUTURE.assign(price=FUTURE["price"] * np.where(FUTURE.index == 2, 1.5, 1.0)))
    assert "50 % above the usual one of its series; it never changed; their" in said


def test_a_depth_beyond_the_past_is_told_with_an_example() -> None:
    (said,) = said_of(PAST, FUTURE.assign(depth=np.where(FUTURE.index == 2, 0.6, 0.0), mechanic="none"))
    assert said == (
        f"the plan has 1 rows with a value of depth beyond the past (0 to 0.3), such as sku S00, date {DATE}: 0.6; "
        "their forecasts are a guess"
    )


def test_of_many_texts_that_were_never_seen_five_are_told() -> None:
    (said,) = said_of(PAST, FUTURE.assign(mechanic=[f"m{at % 7}" for at in range(len(FUTURE))]))
    assert said == (
        "the plan has 21 rows with a text of mechanic that was never seen: 'm0', 'm1', 'm2', 'm3', 'm4' and 2 others; the past has "
        "leaflet, none; their forecasts are a guess"
    )


def test_a_plan_of_which_no_series_was_in_the_panel_is_warned_of_with_both_names() -> None:
    numbered = [frame.assign(sku="000" + frame["sku"].str[2:]) for frame in (PAST, FUTURE)]
    model = forecaster(horizon=7, trees=3).fit(numbered[0])
    with pytest.warns(UnknownSeries, match="none of the 3 series of the plan was in the panel: the plan has sku '0', the panel sku '0000'"):
        model.predict(numbered[1].assign(sku=numbered[1]["sku"].astype(int)))


def test_a_new_series_alone_or_among_others_is_not_warned_of() -> None:
    assert said_of(PAST, FUTURE[FUTURE["sku"] == "S00"].assign(sku="new")) == []
    assert said_of(PAST, FUTURE.replace({"sku": {"S00": "new"}})) == []


def test_what_is_beyond_the_past_is_one_kind_of_warning() -> None:
    with pytest.warns(PlanBeyondHistory):
        forecaster(horizon=7, trees=3).fit(PAST).predict(FUTURE.assign(depth=0.9))
