"""Which depth earns most, against sums worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.planning.outlooks import outlook, plan

from sales_tech.planning import PlanBeyondHistory


def test_net_margin_is_what_is_added_less_what_others_and_later_weeks_lose_and_what_is_invested() -> None:
    told = outlook().alternatives(plan("B", investment=7.0), [0.2]).iloc[0]
    # 20 units usually, 40 at 20 % off: 40 x (8 - 5) instead of 20 x (10 - 5).
    assert told["incremental_margin"] == pytest.approx(40 * 3 - 20 * 5)
    assert told["cannibalised_units"] == pytest.approx(0.2 * 20)
    # A mouse leaves (16 x 12 + 4 x 5) / 20 on average.
    assert told["cannibalised_margin"] == pytest.approx(0.2 * 20 * (16 * 12 + 4 * 5) / 20)
    assert told["pulled_forward_margin"] == pytest.approx(0.1 * 20 * 5)
    parts = told["incremental_margin"] - told["cannibalised_margin"] - told["pulled_forward_margin"] - told["investment"]
    assert told["net_margin"] == pytest.approx(parts)
    assert told["investment"] == 7


def test_the_depths_that_were_tried_are_compared_and_the_best_is_first() -> None:
    told = outlook().alternatives(plan("A"))
    assert sorted(told["discount_share"]) == pytest.approx([0.1, 0.15, 0.2, 0.25, 0.3])
    assert told["rank"].tolist() == [1, 2, 3, 4, 5]
    assert told["net_margin"].is_monotonic_decreasing
    assert told.loc[told["planned"], "discount_share"].tolist() == [0.2]


def test_units_agree_with_the_forecast() -> None:
    plans = plan("A", "B", region="Sul")
    told = outlook().alternatives(plans)
    row = told[told["planned"]].iloc[0]
    rows = outlook().forecast(plans)
    for name in ("baseline_units", "uplift_units", "units", "revenue", "margin"):
        assert row[name] == pytest.approx(rows[name].sum())


def test_a_plan_with_several_depths_keeps_its_row_beside_the_even_ones() -> None:
    plans = plan("A", "B").assign(discount_share=[0.1, 0.3])
    told = outlook().alternatives(plans, [0.2])
    assert sorted(told["planned"]) == [False, True]
    assert told.loc[told["planned"], "discount_share"].iloc[0] == pytest.approx((16 * 0.1 + 4 * 0.3) / 20)


def test_the_range_holds_the_figure_and_widens_with_the_effect() -> None:
    told = outlook().alternatives(plan("A")).sort_values("discount_share")
    assert (told["units_low"] < told["units"]).all()
    assert (told["units"] < told["units_high"]).all()
    assert (told["net_margin_low"] <= told["net_margin"]).all()
    assert (told["net_margin"] <= told["net_margin_high"]).all()
    assert np.diff(told["units_high"] - told["units_low"]).min() > 0


def test_the_ends_of_the_effect_are_those_of_all_figures_with_the_baseline_as_told() -> None:
    told = outlook().alternatives(plan("B", investment=7.0), [0.2]).iloc[0]
    # Of an effect from 0 to 200 %: 20 or 60 units x (8 - 5), instead of 20 x (10 - 5); the neighbours' margin is that of a mouse.
    lost = 0.2 * 40 * (16 * 12 + 4 * 5) / 20 + 0.1 * 2 * 20 * 5
    assert told["net_margin_if_weak"] == pytest.approx(20 * 3 - 100 - 7)
    assert told["net_margin_if_strong"] == pytest.approx(60 * 3 - 100 - 7 - lost)


def test_a_sum_over_days_is_surer_than_its_days() -> None:
    one, five = (outlook().alternatives(plan("B", days=days), [0.2]).iloc[0] for days in (1, 5))
    assert (five["units_high"] - five["units"]) < 5 * (one["units_high"] - one["units"])


def test_depths_beyond_those_that_were_tried_are_marked_and_warned_of_once() -> None:
    with pytest.warns(PlanBeyondHistory) as caught:
        told = outlook().alternatives(plan("B"), [0.2, 0.5, 0.6])
    assert len(caught) == 1
    assert told.set_index("discount_share")["beyond_tried"].to_dict() == {0.2: False, 0.5: True, 0.6: True}


def test_depths_that_are_no_shares_are_refused() -> None:
    with pytest.raises(ValueError, match=r"depths are \[20\]; expected shares"):
        outlook().alternatives(plan("B"), [20])


def test_each_promotion_is_ranked_by_itself() -> None:
    told = outlook().alternatives(pd.concat([plan("A", promotion="P"), plan("B", promotion="Q")]))
    assert told.groupby("promotion_id")["rank"].min().to_dict() == {"P": 1, "Q": 1}
