"""What attributes tell of the size of a series, against closed forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sales_tech.forecasting.statics import StaticLevels


def test_levels_follow_the_logs_of_numbers_and_add_up_to_what_was_sold() -> None:
    rng = np.random.default_rng(0)
    area = np.r_[rng.uniform(1, 9, 14), np.nan]
    level = np.exp(0.3 * np.nan_to_num(area, nan=5.0) + rng.normal(0, 0.2, 15))
    level[3] = 0.0
    statics = StaticLevels(["area"], [], 0).fit(pd.DataFrame({"area": area}), level)
    filled = np.where(np.isnan(area), np.nanmedian(area), area)
    size = np.log(level + level.mean() / 1000)
    away = filled - filled.mean()
    # A ridge of 1, and none on what all have.
    slope = away @ size / (away @ away + 1)
    told = np.exp(size.mean() + slope * away)
    scale = level.sum() / told.sum()
    assert statics.levels_ == pytest.approx(told * scale)
    new = pd.DataFrame({"area": [2.0, None, 20.0]})
    expected = np.exp(size.mean() + slope * (np.array([2.0, np.nanmedian(area), 20.0]) - filled.mean())) * scale
    assert statics.levels_of(new) == pytest.approx(expected)
    assert statics.encode(new)[:, 0].tolist() == [2.0, np.nanmedian(area), 20.0]


def test_a_series_is_told_of_its_text_by_all_others_and_a_new_one_by_all() -> None:
    kind = ["large"] * 20 + ["small"] * 20 + ["alone"]
    level = np.r_[np.full(20, 100.0), np.full(20, 1.0), 50.0]
    table = pd.DataFrame({"kind": kind, "code": np.arange(41)})

    def fitted(level: np.ndarray) -> StaticLevels:
        return StaticLevels(["kind", "code"], ["code"], 0).fit(table, level)

    statics, other = fitted(level), fitted(level * np.r_[np.ones(40), 1.5])
    # What a text that no other series has is told does not move with its own sales.
    assert statics.encoded_[40, 0] == pytest.approx(other.encoded_[40, 0], abs=1e-3)
    assert other.encode(table)[40, 0] > statics.encode(table)[40, 0] + 0.05
    assert statics.encoded_[:20, 0] == pytest.approx([np.log(100)] * 20, abs=0.5)
    assert statics.levels_.sum() == pytest.approx(level.sum())
    large, small, unknown = statics.levels_of(pd.DataFrame({"kind": ["large", "small", None], "code": [7, 30, 99]}))
    assert large > 50 > unknown > small
    assert (statics.texts_, statics.numbers_) == (["kind", "code"], [])


@pytest.mark.parametrize("static", [[], ["kind", "area"]])
def test_of_few_series_or_without_attributes_the_mean_is_told(static: list[str]) -> None:
    size = 9 if static else 30
    table = pd.DataFrame({"kind": ["x"] * size, "area": np.r_[np.nan, np.arange(size - 1.0)]})
    level = np.arange(size) * 2.0
    statics = StaticLevels(static, [], 0).fit(table, level)
    assert statics.levels_.tolist() == [level.mean()] * size
    assert statics.levels_of(table.head(2)).tolist() == [level.mean()] * 2
    assert statics.encode(table.head(2)).tolist() == ([[0.0, (size - 2) / 2], [0.0, 0.0]] if static else [[], []])
    assert StaticLevels(static, [], 0).fit(table, level * 0).levels_of(table.head(1)).tolist() == [1e-6]
    ten = pd.DataFrame({"area": np.arange(10.0)})
    assert len({*StaticLevels(["area"], [], 0).fit(ten, ten["area"].to_numpy()).levels_}) == 10
    assert StaticLevels(["area"], [], 0).fit(table.assign(area=np.nan), level).encode(table.head(1).assign(area=np.nan)).tolist() == [[0.0]]
