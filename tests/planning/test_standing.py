"""A forecast is put together with where each SKU stands and with the season of a year ago."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.planning.skus import ORIGIN, flat_forecast, panel_of, wander

from sales_tech.forecasting.rows import Floats
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
