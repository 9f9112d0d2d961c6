"""What is to be known of an answer is told in sentences."""

from __future__ import annotations

import pandas as pd
from tests.planning.outlooks import ORIGIN, outlook, plan

from sales_tech.planning.cautions import cautions


def told(*plans: pd.DataFrame) -> list[str]:
    asked, known = pd.concat(plans), outlook()
    return cautions(known, asked, known.forecast(asked))


def begun(days: int, length: int) -> dict[str, pd.Timestamp]:
    first = ORIGIN + pd.Timedelta(days=1 - days)
    return {"starts_on": first, "ends_on": first + pd.Timedelta(days=length - 1)}


def test_a_plan_that_lies_ahead_needs_no_caution() -> None:
    assert told(plan("A", "B", investment=7.0)) == []


def test_of_a_promotion_that_began_before_the_first_day_told_the_days_and_the_investment_are_named() -> None:
    assert told(plan("A", "B", investment=500.0, **begun(6, 10)), plan("K", promotion="Q")) == [
        "promotion P begins on 2026-03-26, 6 days before 2026-04-01, the first day told: what it sells and earns is that of "
        "the 4 days left, its investment of R$ 1,000.00 that of all 10"
    ]
    assert told(plan("A", **begun(1, 2)).drop(columns="investment")) == [
        "promotion P begins on 2026-03-31, 1 day before 2026-04-01, the first day told: what it sells and earns is that of the 1 day left"
    ]


def test_several_channels_in_which_nothing_is_sold_are_named() -> None:
    known = outlook()
    regions = known.regions.assign(share=(known.regions["region"] == "Sul").astype(float))
    elsewhere = outlook(regions=regions)
    for channels, said in ((("loja", "online"), ": channel loja and online, region Norte"), ((), ": region Norte")):
        asked = plan("A", region="Norte").assign(channel=[channels])
        assert cautions(elsewhere, asked, elsewhere.forecast(asked)) == [f"promotion P runs where nothing is sold of A{said}"]


def test_a_promotion_where_nothing_is_sold_says_so() -> None:
    known = outlook()
    regions = known.regions.assign(share=(known.regions["region"] == "Sul").astype(float))
    elsewhere, asked = outlook(regions=regions), plan("A", "B", region="Norte", channel="loja")
    assert cautions(elsewhere, asked, elsewhere.forecast(asked)) == [
        "promotion P runs where nothing is sold of A, B: channel loja, region Norte"
    ]


def test_of_many_skus_that_are_not_sold_there_five_are_named() -> None:
    asked, known = plan(*"ABCDEFG"), outlook()
    forecast = known.forecast(plan("A", "K"))
    for skus, said in (("BCDEFG", "B, C, D, E, F and 1 more"), ("BCDEF", "B, C, D, E, F")):
        asked = plan("A", *skus)
        assert cautions(known, asked, forecast) == [f"promotion P runs where nothing is sold of {said}"]


def test_a_promotion_begins_and_ends_with_the_first_and_last_of_its_skus() -> None:
    asked = pd.concat([plan("A", **begun(0, 3)), plan("B", **begun(2, 3), investment=5.0)])
    assert told(asked) == [
        "promotion P begins on 2026-03-30, 2 days before 2026-04-01, the first day told: what it sells and earns is that of "
        "the 3 days left, its investment of R$ 5.00 that of all 5"
    ]
    assert told(plan("A", **begun(0, 3))) == []
