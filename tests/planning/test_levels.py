"""A forecast of some weeks ago is moved to where sales stand now."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sales_tech.planning.levels import ANCHOR_DAYS, FADING, FARTHEST, LEAST_SPREAD, MEMORY, MOST_TOGETHER, OVERDISPERSION, anchored

ORIGIN = pd.Timestamp("2026-03-31").as_unit("s")


def forecast(**units: float) -> pd.DataFrame:
    dates = pd.date_range(ORIGIN - pd.Timedelta(days=ANCHOR_DAYS - 1), periods=ANCHOR_DAYS + 10).as_unit("s")
    return pd.concat(
        [pd.DataFrame({"sku": sku, "channel": "loja", "date": dates, "baseline": each}) for sku, each in units.items()], ignore_index=True
    )


def sold(told: pd.DataFrame, **factors: float) -> pd.DataFrame:
    seen = told[told["date"] <= ORIGIN]
    return seen.assign(units=seen["baseline"] * seen["sku"].map(factors)).drop(columns="baseline")


def ratio(told: pd.DataFrame, mean: np.ndarray, sku: str) -> np.ndarray:
    ahead = told[told["date"] > ORIGIN]
    mine = (ahead["sku"] == sku).to_numpy()
    return mean[mine] / ahead.loc[mine, "baseline"].to_numpy()


def test_what_all_series_sell_more_moves_them_all() -> None:
    told = forecast(A=20.0, B=5.0)
    mean = anchored(told, sold(told, A=1.1, B=1.1), ORIGIN)
    assert ratio(told, mean, "A") == pytest.approx(1.1)
    assert ratio(told, mean, "B") == pytest.approx(1.1)


def test_what_one_sells_more_fades_with_time() -> None:
    told = forecast(**{f"S{number}": 20.0 for number in range(20)})
    factors = {f"S{number}": 1.3 if number % 2 else 0.7 for number in range(20)}
    moved = ratio(told, anchored(told, sold(told, **factors), ORIGIN), "S1")
    assert 1.15 < moved[0] < 1.3
    assert np.log(moved[9]) / np.log(moved[0]) == pytest.approx(0.5 ** (9 / FADING))


def test_few_units_say_less_than_many() -> None:
    told = forecast(**{f"S{number}": 20.0 for number in range(20)}, rare=0.2)
    factors = {f"S{number}": 1.3 if number % 2 else 0.7 for number in range(20)} | {"rare": 1.3}
    mean = anchored(told, sold(told, **factors), ORIGIN)
    assert ratio(told, mean, "rare")[0] < 0.5 * (ratio(told, mean, "S1")[0] - 1) + 1


def test_without_any_sale_since_the_forecast_stays() -> None:
    told = forecast(A=20.0)
    assert anchored(told, sold(told, A=1.0).head(0), ORIGIN).tolist() == [20.0] * 10


def by_hand(told: pd.DataFrame, seen: pd.DataFrame) -> list[float]:
    """The gamma-Poisson posterior mean of each SKU about the ratio of all, its prior by the method of moments."""
    usual = told.set_index(["sku", "channel", "date"])["baseline"].to_dict()
    units: dict[str, list[float]] = {}
    for sku, channel, date, count in seen[["sku", "channel", "date", "units"]].itertuples(index=False):
        if (sku, channel, date) in usual:
            weight = 0.5 ** ((ORIGIN - date).days / MEMORY)
            known = units.setdefault(sku, [0.0, 0.0, 0.0])
            for at, more in enumerate([count * weight, usual[sku, channel, date] * weight, usual[sku, channel, date] * weight**2]):
                known[at] += more
    units = {sku: known for sku, known in units.items() if known[1] > 0}
    together = sum(known[0] for known in units.values()) / sum(known[1] for known in units.values())
    together = min(max(together, 1 / MOST_TOGETHER), MOST_TOGETHER)
    ratio = {sku: sold / (together * expected) for sku, (sold, expected, _) in units.items()}
    chance = {sku: OVERDISPERSION * square / (together * expected**2) for sku, (_, expected, square) in units.items()}
    # Of the largest SKUs none counts more than the upper quartile of all.
    most = float(np.percentile([expected for _, expected, _ in units.values()], 75))
    trust = {sku: min(expected, most) for sku, (_, expected, _) in units.items()}
    spread = sum(trust[sku] * ((ratio[sku] - 1) ** 2 - chance[sku]) for sku in units) / sum(trust.values())
    spread = max(spread, LEAST_SPREAD)
    out = []
    for sku, date, baseline in told.loc[told["date"] > ORIGIN, ["sku", "date", "baseline"]].itertuples(index=False):
        own = 1 + (ratio[sku] - 1) * spread / (spread + chance[sku]) if sku in units else 1.0
        own = min(max(own, 1 / FARTHEST), FARTHEST)
        out.append(baseline * together * own ** (0.5 ** ((date - ORIGIN).days / FADING)))
    return out


@pytest.mark.parametrize(
    "factors",
    [
        {"A": 1.3, "B": 0.7, "C": 1.1, "D": 9.0, "E": 0.0},
        {"A": 0.4, "B": 0.5, "C": 0.4, "D": 1.0},
        {"A": 1.02, "B": 1.0, "C": 0.99, "D": 1.01},
    ],
    ids=["apart", "all fall", "alike"],
)
def test_levels_are_those_of_the_definition(factors: dict[str, float]) -> None:
    told = forecast(A=40.0, B=11.0, C=6.0, D=2.0, E=0.5, new=3.0, never=0.0)
    online = told[told["sku"] == "B"].assign(channel="online", baseline=5.0)
    told = pd.concat([told, online], ignore_index=True)
    # Some days had no stock, and a SKU that was not forecast then is known by nothing.
    seen = sold(told, **factors, never=1.0).dropna()
    seen = seen[~((seen["sku"] == "B") & (seen["date"].dt.day % 3 == 0))]
    seen = pd.concat([seen, seen[seen["sku"] == "A"].assign(sku="unknown", units=500.0)])
    seen.loc[seen["channel"] == "online", "units"] *= 1.5
    assert anchored(told, seen, ORIGIN).tolist() == pytest.approx(by_hand(told, seen))
