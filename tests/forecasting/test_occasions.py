"""Occasions against the dates of calendars, and answers to them against panels whose answers are known."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from sales_tech.forecasting import PromotionForecaster
from sales_tech.forecasting.calendar_features import calendar_of
from sales_tech.forecasting.occasions import Answers, Occasion, doubts_of, occasion_columns, occasions_in, occasions_of, own_occasions
from sales_tech.forecasting.rows import Rows

DAY, WEEK = pd.Timedelta(days=1), pd.Timedelta(days=7)
PARTY = Occasion("party", "feasts", date(2024, 3, 5), date(2024, 3, 11))


def test_gifts_are_bought_in_the_ten_days_up_to_the_date() -> None:
    found = {one.name: (one.first, one.last) for one in occasions_of("BR", range(2026, 2027))}
    # Dates from the calendar of 2026.
    assert found["Dia das Mães"] == (date(2026, 5, 1), date(2026, 5, 10))
    assert found["Dia dos Namorados"] == (date(2026, 6, 3), date(2026, 6, 12))
    assert found["Black Friday"] == (date(2026, 11, 23), date(2026, 11, 30))
    assert found["Natal"] == (date(2026, 12, 8), date(2026, 12, 24))
    assert found["Volta às Aulas"] == (date(2026, 1, 10), date(2026, 2, 8))
    assert found["Dia do Consumidor"] == (date(2026, 3, 12), date(2026, 3, 18))


def test_elsewhere_there_are_black_friday_and_christmas_and_without_a_country_nothing() -> None:
    assert {one.name for one in occasions_of("US", range(2025, 2027))} == {"Black Friday", "Natal"}
    assert occasions_of(None, range(2025, 2027)) == []


def test_a_week_lies_in_an_occasion_with_as_much_as_its_days_do() -> None:
    weeks = pd.date_range("2024-02-26", periods=4, freq="7D")
    # 5 to 11 March are six days of the week from the fourth, and one of the next.
    told = occasion_columns([PARTY], weeks, 7)
    np.testing.assert_allclose(told["in feasts: party"], [0, 6 / 7, 1 / 7, 0])


def test_the_calendar_tells_the_occasions_of_the_country_and_ones_own() -> None:
    told = calendar_of(pd.Timestamp("2026-05-01"), 12, DAY, "BR", [Occasion("x", "x", date(2026, 5, 3), date(2026, 5, 3))])
    assert told["in gifts: Dia das Mães"].tolist() == [1.0] * 10 + [0.0] * 2
    assert told["in x: x"].tolist() == [0.0] * 2 + [1.0] + [0.0] * 9
    assert not [name for name in calendar_of(pd.Timestamp("2026-05-01"), 12, DAY, None) if name.startswith("in ")]


def test_an_occasion_is_learnt_from_once_it_was_there_from_beginning_to_end() -> None:
    calendar = calendar_of(pd.Timestamp("2024-02-26"), 30, DAY, None, [PARTY])
    name = "in feasts: party"
    # From 5 to 11 March, which are the days 8 to 14.
    assert occasions_in(calendar, np.arange(0, 16)) == [name]
    assert occasions_in(calendar, np.arange(0, 15)) == []
    assert occasions_in(calendar, np.arange(8, 30)) == []
    assert occasions_in(calendar, np.arange(0)) == []


def test_weeks_have_only_ones_own_occasions() -> None:
    told = calendar_of(pd.Timestamp("2024-01-01"), 60, WEEK, "BR", [PARTY])
    assert [name for name in told if name.startswith("in ")] == ["in feasts: party"]


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ([("2024-03-05", "soon")], "occasion 'party' has the days"),
        ([("2024-03-05",)], "occasion 'party' has the days"),
        ([("2024-03-05", "2024-03-01")], "ends on 2024-03-01, before it begins"),
    ],
)
def test_an_occasion_without_two_days_in_order_is_an_error(times: list, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        own_occasions({"party": times})


def test_ones_own_occasion_is_a_kind_of_its_own_and_may_last_a_single_day() -> None:
    told = own_occasions({"party": [("2024-03-05", "2024-03-05"), ("2025-03-05", "2025-03-09")]})
    assert told == [Occasion("party", "own party", date(year, 3, 5), date(year, 3, day)) for year, day in ((2024, 5), (2025, 9))]


def rows_of(series: int, periods: int) -> Rows:
    code, period = np.repeat(np.arange(series), periods), np.tile(np.arange(periods), series)
    known = np.ones(len(code), dtype=bool)
    return Rows(code, period, np.zeros(len(code)), known, ~known, {}, pd.Timestamp("2024-02-01"), DAY)


def test_a_group_that_sells_half_again_as_much_is_told_nearly_so_and_a_group_without_sales_is_not_told_much() -> None:
    rows = rows_of(9, 60)
    calendar = calendar_of(rows.first, 60, DAY, None, [PARTY])
    inside = calendar["in feasts: party"].to_numpy()[rows.period] > 0
    group = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
    level = np.where(group[rows.code] == 2, 0.001, 50.0)
    rng = np.random.default_rng(1)
    sold = rng.poisson(level * np.where(inside & (group[rows.code] == 0), 1.5, 1.0)).astype(float)
    answers = Answers(["in feasts: party"]).fit(rows, {"group": group}, calendar, level, sold, rows.known)
    told = answers.of(rows, {"group": group}, calendar)
    assert not told[~inside].any()
    first, second, third = (told[inside & (group[rows.code] == one)][0] for one in range(3))
    # All of them sold a fifth more in the feast, since most of what is sold is of the first two groups.
    assert 0.12 < first < np.log(1.5 / 1.25) + 0.02
    assert np.log(1 / 1.25) - 0.02 < second < -0.12
    assert abs(third) < 0.04
    # What was never seen answers as all do.
    assert not answers.of(rows, {"group": np.full(9, 3)}, calendar).any()


def test_what_all_groups_do_alike_is_the_answer_of_none() -> None:
    rows = rows_of(6, 60)
    calendar = calendar_of(rows.first, 60, DAY, None, [PARTY])
    sold = np.random.default_rng(2).poisson(np.where(calendar["in feasts: party"].to_numpy()[rows.period] > 0, 150.0, 50.0)).astype(float)
    groups = {"group": np.array([0, 0, 0, 1, 1, 1])}
    told = Answers(["in feasts: party"]).fit(rows, groups, calendar, np.full(len(sold), 50.0), sold, rows.known).of(rows, groups, calendar)
    assert np.abs(told).max() < 0.03


def test_answers_of_a_kind_and_of_each_of_its_times_are_weighed_group_by_group_in_turn() -> None:
    rng, days = np.random.default_rng(5), 90
    feasts = [
        Occasion(name, kind, date(2024, 2, day), date(2024, 2, day + 4)) for name, kind, day in (("a", "gifts", 3), ("b", "gifts", 16))
    ]
    names = ["in gifts: a", "in gifts: b", "in sales: c"]
    rows = rows_of(9, days)
    calendar = calendar_of(rows.first, days, DAY, None, [*feasts, Occasion("c", "sales", date(2024, 3, 10), date(2024, 3, 20))])
    calendar.loc[12, "in gifts: b"] = 0.4  # A part of a period may lie in an occasion.
    shares = calendar[names].to_numpy()
    groups = {"kind": np.array([0, 0, 0, 1, 1, 1, 2, 2, 2]), "place": np.array([0, 1, 0, 1, 0, 1, 0, 1, 0])}
    truth = rng.normal(0, 0.4, size=(3, 3))
    truth[2] = -9.0  # Who never sells in an occasion.
    level = rng.uniform(2, 40, size=9)[rows.code] * rng.uniform(0.8, 1.2, size=9 * days)
    level[:3] = 0.0
    sold = rng.poisson(level * np.exp((shares[rows.period] * truth[groups["kind"][rows.code]]).sum(axis=1))).astype(float)
    used = rng.random(len(level)) < 0.9
    told = Answers(names).fit(rows, groups, calendar, level, sold, used).of(rows, groups, calendar)

    at = [row for row in range(len(level)) if used[row] and level[row] > 0]
    usual, weight = {row: level[row] for row in at}, {row: level[row] ** -0.5 for row in at}
    luck = sum(weight[row] ** 2 * (sold[row] - level[row]) ** 2 for row in at) / len(at)
    inside = {row: shares[rows.period[row]] for row in at}
    for one in range(3):
        # First without what all of them do.
        all_do = sum(weight[row] * sold[row] * inside[row][one] for row in at) / sum(
            weight[row] * usual[row] * inside[row][one] for row in at
        )
        usual = {row: usual[row] * all_do ** inside[row][one] for row in at}
    expected = np.zeros(len(level))
    for of in groups.values():
        logs = np.zeros((3, 3))
        for members, spread in (([0, 1], 0.15), ([2], np.hypot(0.15, 0.1)), ([0], 0.1), ([1], 0.1)):
            for group in set(of.tolist()):
                mine = [(row, sum(inside[row][one] for one in members)) for row in at if of[rows.code[row]] == group]
                came, wanted = (sum(weight[row] * units[row] * part for row, part in mine) for units in (sold, usual))
                doubt = luck * sum(weight[row] ** 2 * usual[row] * part**2 for row, part in mine)
                # A little luck on both sides, then as much of it as two and a half kinds of doubt leave.
                log = np.log((came + doubt / wanted) / (wanted + doubt / wanted)) * spread**2 / (spread**2 + 2 * doubt / wanted**2)
                moved = np.clip(logs[group, members[0]] + log, -1, 1) - logs[group, members[0]]
                logs[group, members] += moved
                for row, part in mine:
                    usual[row] *= np.exp(moved * part)
        expected += (shares[rows.period] * logs[of[rows.code]]).sum(axis=1)
    assert told == pytest.approx(np.clip(expected, -1, 1), abs=1e-9)
    assert told.min() == -1
    assert np.ptp(told[(rows.code == 0) & (shares[rows.period].max(axis=1) == 1)]) > 0.1


def test_what_an_occasion_seems_to_do_is_in_doubt_as_other_days_of_its_length_differ() -> None:
    rng, size = np.random.default_rng(6), 120
    shares = np.zeros((size + 30, 3))
    # The first comes twice, for five and for three days; of the second, only the end and the beginning are known; the third is new.
    shares[20:25, 0], shares[70:73, 0], shares[:6, 1], shares[110:125, 1], shares[130:140, 2] = 1.0, 0.5, 1.0, 1.0, 1.0
    period = np.repeat(np.arange(3, size), 2)
    usual, noise = rng.uniform(50, 90, size=len(period)), np.exp(rng.normal(0, 0.2, size=size))
    sold = usual * noise[period]
    sold[np.isin(period, [40, 41])] = 0.0  # Shut.
    found = doubts_of(shares, period, sold, usual, 0.7)

    ratios = {day: np.log(sold[period == day].sum() / usual[period == day].sum()) for day in range(3, size) if sold[period == day].any()}
    busy = {day for day in range(size) if shares[day].any()}

    def variance(length: int, times: int) -> float:
        means = []
        for first in range(size - length + 1):
            span = range(first, first + length)
            known = [ratios[day] for day in span if day in ratios]
            if not busy.intersection(span) and len(known) >= max(length / 2, 1):
                means.append(sum(known) / len(known))
        return float(np.var(means)) / times

    assert found == pytest.approx([variance(4, 2), variance(1, 1), variance(1, 1)])
    # Where hardly any day is without an occasion, a variance is believed.
    shares[2:, 0] = 1.0
    assert doubts_of(shares, period, sold, usual, 0.7).tolist() == [0.7] * 3


def test_empty_shelves_in_an_occasion_do_not_make_a_group_one_that_never_sells_in_it() -> None:
    whole = panel(480)
    whole["kind"] = np.where(whole["sku"] == "S0", "closed", whole["kind"])
    shut = whole["date"].between("2024-04-10", "2024-04-19")
    whole["units"] = np.where(whole["kind"].eq("closed") & shut, 0.0, whole["units"])
    past, plan = whole[whole["date"] < "2025-04-15"], whole[whole["date"].between("2025-04-15", "2025-04-24")]
    feast = {"feast": [("2024-04-10", "2024-04-19"), ("2025-04-10", "2025-04-19")]}
    about = {"series": ["sku"], "static": ["kind"], "horizon": 10, "country": None, "trees": 20}
    told = PromotionForecaster(**about, occasions=feast).fit(past).predict(plan)
    after = told["sku"].eq("S0") & (told["date"] > "2025-04-19")
    assert told.loc[after, "mean"].mean() < 2 * 20


def test_an_occasion_in_which_nothing_is_sold_any_more_is_no_error() -> None:
    whole = panel(480)
    whole["units"] = np.where(whole["date"] >= "2025-01-10", 0.0, whole["units"])
    past, plan = whole[whole["date"] < "2025-04-15"], whole[whole["date"].between("2025-04-15", "2025-04-24")]
    about = {"series": ["sku"], "static": ["kind"], "horizon": 10, "country": None, "trees": 80}
    told = PromotionForecaster(**about, occasions={"late": [("2025-03-10", "2025-03-15")]}).fit(past).predict(plan)
    assert told["mean"].max() < 1


def panel(days: int = 500) -> pd.DataFrame:
    """Toys and tools that sell 20 a day; toys three times as many from 10 to 19 April."""
    date_ = pd.date_range("2024-01-01", periods=days, freq="D")
    rng = np.random.default_rng(3)
    parts = []
    for number in range(6):
        kind = "toys" if number < 3 else "tools"
        feast = (date_.month == 4) & (date_.day >= 10) & (date_.day < 20)
        mean = np.where(feast & (kind == "toys"), 60.0, 20.0)
        parts.append(pd.DataFrame({"sku": f"S{number}", "kind": kind, "date": date_, "units": rng.poisson(mean).astype(float)}))
    return pd.concat(parts, ignore_index=True)


def test_an_occasion_of_ones_own_is_expected_again_of_the_goods_that_were_bought_for_it() -> None:
    whole = panel()
    past, plan = whole[whole["date"] < "2025-04-08"], whole[(whole["date"] >= "2025-04-08") & (whole["date"] < "2025-04-22")]
    about = {"series": ["sku"], "static": ["kind"], "horizon": 14, "country": None, "trees": 20}
    feast = plan["date"].between("2025-04-10", "2025-04-19").to_numpy()
    toys = plan["kind"].eq("toys").to_numpy()
    told = PromotionForecaster(**about, occasions={"feast": [("2024-04-10", "2024-04-19"), ("2025-04-10", "2025-04-19")]})
    mean = told.fit(past).predict(plan)["mean"].to_numpy()
    without = PromotionForecaster(**about).fit(past).predict(plan)["mean"].to_numpy()
    assert mean[toys & feast].mean() > 40 > mean[~toys & feast].mean()
    wrong = abs(mean - plan["units"])[toys].sum(), abs(without - plan["units"])[toys].sum()
    assert wrong[0] < 0.7 * wrong[1]
