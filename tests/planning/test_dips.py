"""What was bought ahead is missing in the weeks after a promotion."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.planning.pasts import FIRST, effect, past, sales

from sales_tech.planning import SourcePast
from sales_tech.planning.demand import Demand, demand_of
from sales_tech.planning.dips import DIP_DAYS, dips_ahead

RATES = pd.DataFrame({"category": ["Notebooks"], "pulled_forward": [0.25]})
LAST = 99


def source(*days: int, ends: int | None = None) -> SourcePast:
    """A SKU of 4 a day to which a promotion added 4 on each of the days; it is told to end on day `ends`."""
    frames = {}
    if ends is not None:
        frames["promotions"] = pd.DataFrame({"promotion_id": ["P"], "sku": ["A"], "ends_on": [FIRST + pd.Timedelta(days=ends)]})
    return past(sales(LAST + 1, A=4), pd.DataFrame([effect(day, 1.0) for day in days]), **frames)


def missing(given: SourcePast) -> pd.Series:
    demand: Demand = demand_of(given, 28)
    told = demand.ahead(28).assign(baseline=4.0)
    return pd.Series(4.0 * dips_ahead(given, demand.table, demand.regions, RATES, told, demand.origin), index=told["date"])


def test_of_the_units_added_the_rate_is_missing_within_four_weeks() -> None:
    told = missing(source(LAST - 1, LAST))
    assert told.sum() == pytest.approx(0.25 * 8)
    assert told.iloc[7] == pytest.approx(told.iloc[0] / 2)


def test_of_an_older_promotion_only_the_rest_is_missing() -> None:
    whole, rest = missing(source(LAST)), missing(source(LAST - 7))
    assert rest.iloc[: DIP_DAYS - 7].tolist() == pytest.approx(whole.iloc[7:].tolist())
    assert (rest.iloc[DIP_DAYS - 7 :] == 0).all()


def test_what_a_promotion_that_still_runs_added_so_far_is_missing_once_it_is_over() -> None:
    over, running = missing(source(LAST)), missing(source(LAST, ends=LAST + 5))
    assert running.iloc[:5].tolist() == [0.0] * 5
    assert running.iloc[5:].tolist() == pytest.approx(over.iloc[: 28 - 5].tolist())
    assert missing(source(LAST, ends=LAST)).tolist() == over.tolist()


def test_a_promotion_that_is_long_over_has_no_dip_ahead() -> None:
    assert missing(source(LAST - DIP_DAYS)).sum() == 0


def test_without_promotions_nothing_is_missing() -> None:
    assert missing(past(sales(LAST + 1, A=4))).sum() == 0
