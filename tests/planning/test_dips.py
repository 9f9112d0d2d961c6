"""What was bought ahead is missing in the weeks after a promotion."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.planning.pasts import FIRST, RESULT, effect, past, sales

from sales_tech.planning import SourcePast
from sales_tech.planning.demand import Demand, demand_of
from sales_tech.planning.dips import DIP_DAYS, LARGEST_DIP, dips_ahead
from sales_tech.planning.series import SeriesTable

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


# Name, channel, category and units of a day of each series.
SERIES = [("A", "loja", "Mice", 10.0), ("A", "online", "Mice", 6.0), ("B", "loja", "Mice", 4.0), ("K", "loja", "Keyboards", 5.0)]
SERIES += [("C", "loja", "Chairs", 3.0)]
NORTH = {"A": 0.75, "B": 0.4, "K": 0.5, "C": 0.5}
PULLED = {"Mice": 0.25, "Keyboards": 0.5}
# Promotion, SKU, channel, region, the days on which it added, units of each, its part in them, and the day it is told to end on.
RAN = [
    ("whole", "A", None, None, (LAST - 3, LAST - 1), 30.0, 1.0, LAST - 1),
    ("north", "A", None, "Norte", (LAST - 9, LAST), 20.0, 0.5, None),
    ("online", "A", "online", "Sul", (LAST - 27,), 40.0, 1.0, LAST - 27),
    ("over", "A", None, None, (LAST - 28,), 500.0, 1.0, LAST - 28),
    ("runs", "B", None, "Norte", (LAST - 1, LAST, LAST + 1), 9.0, 1.0, LAST + 4),
    ("took", "B", "loja", None, (LAST,), -50.0, 1.0, LAST),
    ("much", "K", "loja", None, (LAST - 2,), 80.0, 1.0, LAST - 2),
    ("again", "K", None, None, (LAST - 16, LAST - 15), 10.0, 1.0, LAST - 15),
    ("nowhere", "A", None, "Oeste", (LAST,), 30.0, 1.0, LAST),
    ("of no rate", "C", None, None, (LAST,), 30.0, 1.0, LAST),
    ("of no series", "X", None, None, (LAST,), 30.0, 1.0, LAST),
]


def missing_by_hand(usual: dict[tuple[str, str], np.ndarray]) -> dict[tuple[str, str], np.ndarray]:
    """The share of each day ahead that was bought ahead, promotion by promotion."""
    whole = sum(0.5 ** (number / 7) for number in range(28))
    lost = {place: np.zeros(len(days)) for place, days in usual.items()}
    for _, sku, only, region, days, units, part, ends in RAN:
        added = sum(units * part for day in days if day <= LAST)
        last = max([day for day in days if day <= LAST] + ([ends] if ends is not None and ends > LAST else []))
        where = {place: days for place, days in usual.items() if place[0] == sku and only in (None, place[1])}
        share = {None: 1.0, "Norte": NORTH.get(sku, 0.0), "Sul": 1 - NORTH.get(sku, 0.0)}.get(region, 0.0)
        sizes = {place: days.mean() * share for place, days in where.items()}
        for place, size in sizes.items():
            rate = PULLED.get(next(category for name, _, category, _ in SERIES if name == sku), 0.0)
            for number in range(28):
                if 0 <= (at := last + 1 + number - (LAST + 1)) < 28 and size > 0 and added > 0 and last > LAST - 28:
                    lost[place][at] += added * rate * size / sum(sizes.values()) * 0.5 ** (number / 7) / whole
    return {place: np.array([min(a / b, 0.5) if b else 0.0 for a, b in zip(lost[place], usual[place], strict=True)]) for place in usual}


def test_what_is_missing_is_that_of_each_promotion_by_channel_region_and_category() -> None:
    origin = FIRST + pd.Timedelta(days=LAST)
    names = pd.DataFrame([one[:3] for one in SERIES], columns=["name", "channel", "category"])
    members = names.rename(columns={"name": "sku"}).assign(series=range(len(SERIES)))
    regions = pd.DataFrame(
        [
            (row, region, share)
            for row, (sku, *_) in enumerate(SERIES)
            for region, share in (("Norte", NORTH[sku]), ("Sul", 1 - NORTH[sku]))
        ],
        columns=["series", "region", "share"],
    )
    usual = {(name, channel): units * (1 + 0.1 * (np.arange(28) % 3)) for name, channel, _, units in SERIES}
    usual["A", "loja"][4] = 0.0
    told = pd.concat(
        pd.DataFrame({"sku": sku, "channel": channel, "date": pd.date_range(origin + pd.Timedelta(days=1), periods=28), "baseline": days})
        for (sku, channel), days in usual.items()
    )
    daily = [
        effect(day, 0.0, promotion_id=name, sku=sku, uplift_units=units, share=part)
        for name, sku, _, _, days, units, part, _ in RAN
        for day in days
    ]
    # What a promotion did after its days, or before them, was not added by it.
    daily += [effect(LAST - 1, 9.0, "after", sku="A", promotion_id="whole"), effect(LAST, 9.0, "before", sku="A", promotion_id="whole")]
    results = pd.DataFrame([RESULT | {"promotion_id": name, "channel": only, "region": region} for name, _, only, region, *_ in RAN])
    ends = pd.DataFrame(
        # A promotion that is told twice ends on the later day.
        [(name, sku, FIRST + pd.Timedelta(days=one[-1] - early)) for name, sku, *one in RAN for early in (0, 3) if one[-1] is not None],
        columns=["promotion_id", "sku", "ends_on"],
    )
    given = past(sales(3, A=1), pd.DataFrame(daily), results, promotions=ends)
    rates = pd.DataFrame({"category": list(PULLED), "pulled_forward": list(PULLED.values())})
    found = dips_ahead(given, SeriesTable(names, members), regions, rates, told.reset_index(drop=True), origin)
    expected = missing_by_hand(usual)
    assert found.tolist() == pytest.approx(np.concatenate(list(expected.values())).tolist())
    assert expected["K", "loja"].max() == LARGEST_DIP
    assert expected["A", "loja"][4] == expected["C", "loja"].max() == 0
    assert all(expected[place].max() > 0 for place in usual if place[0] != "C")
