"""A forecast is put together with where each SKU stands and with the season of a year ago."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.planning.skus import ORIGIN, flat_forecast, panel_of, wander

from sales_tech.forecasting.rows import Floats
from sales_tech.planning.market import Market, market_of
from sales_tech.planning.ranges import MARKET
from sales_tech.planning.standing import restated

SKUS = 40


def sold(days: int, market: Floats | None = None, seed: int = 2) -> Floats:
    """Units of SKUs that wander, 20 a day, times what the market does on each day."""
    rng = np.random.default_rng(seed)
    return rng.poisson(20 * np.exp(wander(rng, SKUS, days, 0.2, 30.0)) * (np.ones(days) if market is None else market)).astype(float)


def by_sku(told: pd.DataFrame, mean: Floats) -> Floats:
    return pd.Series(mean).groupby(told["sku"].to_numpy()).mean().to_numpy()


def test_a_sku_that_sold_less_lately_comes_back_in_part_and_the_sum_stays() -> None:
    units = sold(210)
    units[0, -28:] = 8.0
    told = flat_forecast(np.full(SKUS, 20.0))
    mean = restated(told, panel_of(units), ORIGIN)
    assert mean.sum() == pytest.approx(told["baseline"].sum())
    assert 9 < by_sku(told, mean)[0] < 17
    first = mean[(told["sku"] == "S000").to_numpy()]
    assert first[0] < first[13] < first[27]


def test_each_category_keeps_its_sum() -> None:
    units = sold(210)
    panel = pd.concat([panel_of(units[:20]), panel_of(units[20:], category="Chairs", first_sku=20)], ignore_index=True)
    told = flat_forecast(np.where(np.arange(SKUS) < 20, 30.0, 10.0))
    mean = by_sku(told, restated(told, panel, ORIGIN))
    assert [mean[:20].sum(), mean[20:].sum()] == pytest.approx([600.0, 200.0])


def test_the_same_past_gives_the_same_numbers() -> None:
    told, panel = flat_forecast(np.full(SKUS, 20.0)), panel_of(sold(210))
    assert restated(told, panel, ORIGIN).tolist() == restated(told, panel, ORIGIN).tolist()


def test_a_short_past_and_a_series_without_one_leave_the_forecast_as_it_was() -> None:
    told = flat_forecast(np.arange(1.0, SKUS + 1))
    assert restated(told, panel_of(sold(100)), ORIGIN).tolist() == told["baseline"].tolist()
    mean = restated(told, panel_of(sold(210)[1:], first_sku=1), ORIGIN)
    new = (told["sku"] == "S000").to_numpy()
    assert mean[new].tolist() == [1.0] * 28


def test_promotions_are_divided_out() -> None:
    units = sold(210)
    panel = panel_of(units)
    promoted = ((panel["sku"] == "S003") & (panel["date"] > ORIGIN - pd.Timedelta(days=21))).to_numpy()
    lifted = panel.assign(units=panel["units"] * np.where(promoted, 3.0, 1.0), log_uplift=np.where(promoted, np.log(3.0), 0.0))
    told = flat_forecast(np.full(SKUS, 20.0))
    plain, freed = (by_sku(told, restated(told, one, ORIGIN)) for one in (panel, lifted))
    assert freed == pytest.approx(plain, rel=0.03)


@pytest.fixture(scope="module")
def days() -> np.ndarray:
    return np.arange(560) - 559


def test_a_season_that_was_the_same_last_year_is_told_though_the_forecast_is_flat(days: np.ndarray) -> None:
    # The four weeks after the origin sell half as much again as those around them, a year ago.
    wave = 1 + 0.2 * np.sin(2 * np.pi * days / 364)
    peak = np.where((days > -364) & (days <= -336), 1.5, 1.0)
    told = flat_forecast(np.full(SKUS, 20.0))
    mean = restated(told, panel_of(sold(560, wave * peak)), ORIGIN)
    assert mean.sum() / told["baseline"].sum() == pytest.approx(1.5 * 1.05, rel=0.08)


def test_a_year_that_was_unlike_the_last_one_is_not_believed(days: np.ndarray) -> None:
    # The first year grows fourfold, the second one stands.
    grown = np.exp(np.minimum((days + 250) / 200, 0.0))
    told = flat_forecast(np.full(SKUS, 20.0))
    mean = restated(told, panel_of(sold(560, grown)), ORIGIN)
    assert mean.sum() / told["baseline"].sum() == pytest.approx(1.0, abs=0.06)


def test_channels_with_opposite_seasons_make_up_for_each_other() -> None:
    ahead = np.isin(np.arange(-560, 0) % 364, np.arange(28))
    rising, falling = sold(560, np.where(ahead, 1.5, 1.0)), sold(560, np.where(ahead, 0.5, 1.0), seed=3)
    panel = pd.concat([panel_of(rising), panel_of(falling).assign(channel="online")], ignore_index=True)
    flat = flat_forecast(np.full(SKUS, 20.0))
    told = pd.concat([flat, flat.assign(channel="online")], ignore_index=True)
    alone = restated(flat, panel_of(rising), ORIGIN).sum() / flat["baseline"].sum() - 1
    both = restated(told, panel, ORIGIN).sum() / told["baseline"].sum() - 1
    assert alone > 0.15
    assert abs(both) < 0.3 * alone


@pytest.mark.parametrize("ends", [0, 400])
def test_a_channel_that_is_young_or_gone_does_not_take_the_season_from_the_others(ends: int) -> None:
    alone = panel_of(sold(560, np.where(np.isin(np.arange(-560, 0) % 364, np.arange(28)), 1.6, 1.0)))
    other = panel_of(sold(560, seed=4)[:2, :300]).assign(channel="marketplace")
    other = other.assign(date=other["date"] - pd.Timedelta(days=ends))
    told = flat_forecast(np.full(SKUS, 20.0))
    usual, beside = (restated(told, panel, ORIGIN).sum() for panel in (alone, pd.concat([alone, other], ignore_index=True)))
    assert usual > 1.15 * told["baseline"].sum()
    assert beside == pytest.approx(usual, rel=0.03)


def test_a_past_that_is_shorter_than_what_is_asked_keeps_the_forecast_of_the_whole() -> None:
    told = flat_forecast(np.full(SKUS, 20.0), days=260)
    assert restated(told, panel_of(sold(210)), ORIGIN).sum() == pytest.approx(told["baseline"].sum())


def test_the_season_of_a_year_ago_is_told_and_trusted_as_the_definition_has_it() -> None:
    rng = np.random.default_rng(4)
    weeks, ahead = 70, 21
    market = np.exp(rng.normal(0, 0.3, (3, 7 * weeks)))
    # The last channel was shut for two months a while ago.
    market[2, 100:170] = 0.01
    together, usual = rng.normal(0, 0.1, weeks), np.array([30.0, 10.0, 5.0])
    none = np.zeros(0, dtype=np.int64)
    seen = Market(pd.MultiIndex.from_arrays([[], []]), *[none] * 5, *[np.zeros(0)] * 2, market, *[np.zeros(0)] * 2)

    def sold(channel: int, back: int) -> float:
        return float(market[channel, back] * np.exp(together[weeks - 1 - back // 7]))

    def mean(channel: int, first: int, days: int) -> float:
        return sum(sold(channel, back) for back in range(first, first + days)) / days

    def moved(origin: int) -> float:
        """What both channels that were there sold in the days after an origin, beside the eight weeks before it."""
        after, before = (
            sum(part * mean(one, *days) for one, part in ((0, 30), (1, 10))) for days in ((origin - ahead, ahead), (origin, 56))
        )
        return after / before

    found = seen.season(together, usual, ahead)
    assert found is not None
    ratio, trust = found
    own = [mean(one, 0, 56) * mean(one, 364 - ahead, ahead) / mean(one, 364, 56) for one in (0, 1)]
    assert ratio.tolist() == pytest.approx([*own, 0.75 * own[0] + 0.25 * own[1]])
    origins = range(ahead, 7 * weeks - 364 - 56 + 1, 7)
    error = np.mean([np.log(moved(origin) / moved(origin + 364)) ** 2 for origin in origins])
    assert trust == pytest.approx(MARKET**2 / (MARKET**2 + error))
    # Without an origin of which both years are known, or a channel that was there all the time, nothing is told.
    assert seen.season(together, usual, 7 * weeks - 364 - 56) is not None
    assert seen.season(together, usual, 7 * weeks - 364 - 56 + 1) is None
    assert seen.season(together, np.array([0.0, 0.0, 5.0]), ahead) is None


def grown(name: str, channel: str, began: int, ended: int, level: float, market: Floats, category: str = "Mice") -> pd.DataFrame:
    """A series that sells its level times the market of each day, from so many days before the origin to so many."""
    back = np.arange(began, ended - 1, -1)
    about = {"sku": name, "channel": channel, "category": category, "available": 1.0, "log_uplift": 0.0}
    return pd.DataFrame({"date": ORIGIN - pd.to_timedelta(back, "D"), "units": level * market[back], "back": back}).assign(**about)


def test_the_market_is_told_by_series_that_go_on_without_their_launch_and_days_that_had_none_to_sell() -> None:
    rng = np.random.default_rng(5)
    days = 7 * 30
    shop, online = (np.exp(rng.normal(0, 0.3, days + 200)) for _ in range(2))
    parts = [grown(name, "loja", days + 3, 0, level, shop) for name, level in (("A", 8.0), ("B", 3.0))]
    parts += [grown("A", "online", days + 3, 0, 5.0, online), grown("C", "online", days + 3, 0, 2.0, online, "Chairs")]
    # Two came later, one of them lately; one went; all but the last tell of a launch or of nothing.
    parts += [grown("N", "loja", 100, 0, 6.0, shop), grown("R", "loja", 9, 0, 4.0, shop), grown("W", "loja", days + 3, 5, 9.0, shop)]
    panel = pd.concat(parts, ignore_index=True)
    promoted = (panel["sku"] == "B") & panel["back"].between(20, 40)
    panel.loc[promoted, "log_uplift"] = np.log(2.0)
    panel.loc[promoted, "units"] *= 2
    out = (panel["sku"] == "A") & (panel["channel"] == "loja") & panel["back"].between(50, 52)
    panel.loc[out, ["available", "units"]] = 0.0
    seen = market_of(panel, ORIGIN)
    assert seen is not None
    # Thirty whole weeks; of what came later the first 42 days, or the first half where there were fewer, are its launch.
    reach = {("N", "loja"): 100 - 42, ("R", "loja"): 9 - 5}
    expected = {
        (sku, channel, back): units
        for sku, channel, back, units, available in panel[["sku", "channel", "back", "units", "available"]].itertuples(index=False)
        if sku != "W" and available and back < days and back <= reach.get((sku, channel), days)
    }
    names = [seen.names[series] for series in seen.series]
    assert {(*name, back): units for name, back, units in zip(names, seen.back.tolist(), seen.units.tolist(), strict=True)} == expected
    assert len(seen.back) == len(expected)
    of = {("A", "loja"): 8.0, ("A", "online"): 5.0, ("B", "loja"): 3.0, ("C", "online"): 2.0, ("N", "loja"): 6.0, ("R", "loja"): 4.0}
    assert seen.names.tolist() == sorted([*of, ("W", "loja")])
    # Levels times market are what was sold, and the market is one on the whole.
    assert seen.market.mean() == pytest.approx(1.0)
    for channel, true in ((0, shop), (1, online)):
        assert seen.market[channel] / seen.market[channel].mean() == pytest.approx(true[:days] / true[:days].mean(), rel=0.02)
    usual = dict(zip(seen.names, seen.sold / np.maximum(seen.expected, 1e-9), strict=True))
    scale = {"loja": shop[:days].mean() / seen.market[0].mean(), "online": online[:days].mean() / seen.market[1].mean()}
    for name, level in of.items():
        assert usual[name] == pytest.approx(level * scale[name[1]], rel=0.02)
    sold, told = seen.weekly()
    skus = sorted({name for name, _ in seen.names})
    for sku in ("A", "B", "N"):
        weekly = [sum(units for (name, _, back), units in expected.items() if name == sku and back // 7 == 29 - week) for week in range(30)]
        assert sold[skus.index(sku)] == pytest.approx(weekly)
        assert told[skus.index(sku)] == pytest.approx(weekly, rel=0.05, abs=1e-9)
    # What sold little is drawn to its forecast by one unit.
    series = seen.names.get_indexer([("R", "loja"), ("R", "loja"), ("W", "loja")])
    level = seen.level(series, np.array([10.0, 30.0, 7.0]))
    at = series[0]
    assert level.tolist() == pytest.approx([(seen.sold[at] + 1) / (seen.expected[at] + 1 / 20)] * 2 + [7.0])


def test_a_market_of_fewer_than_26_weeks_is_none_and_of_more_than_110_the_latest() -> None:
    flat = np.ones(900)
    assert market_of(grown("A", "loja", 7 * 26 - 2, 0, 5.0, flat), ORIGIN) is None
    for began, weeks in ((7 * 26 - 1, 26), (7 * 26 + 6, 27), (899, 110)):
        seen = market_of(grown("A", "loja", began, 0, 5.0, flat), ORIGIN)
        assert seen is not None
        assert seen.market.shape == (1, 7 * weeks)
    assert market_of(grown("A", "loja", 899, 1, 5.0, flat), ORIGIN) is None
