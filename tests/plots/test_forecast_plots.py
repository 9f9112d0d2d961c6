"""The pictures of forecasts: what is drawn is what the tables say."""

from __future__ import annotations

import pandas as pd
import pytest
from matplotlib.figure import Figure

from sales_tech import plots

DAYS = pd.date_range("2026-03-01", periods=4)


def drawn(figure: Figure, label: str) -> list[float]:
    found = next(line for line in figure.axes[0].lines if line.get_label() == label)
    return [float(value) for value in found.get_ydata()]


def test_the_fan_goes_on_where_sales_end() -> None:
    sold = pd.DataFrame({"sold_on": DAYS[:2], "units": [3, 5]})
    ahead = pd.DataFrame({"sold_on": DAYS[2:], "units": [4.0, 6.0], "units_low": [1.0, 2.0], "units_high": [8.0, 9.0]})
    figure = plots.demand_fan(sold, ahead)
    assert drawn(figure, "sold") == [3, 5]
    assert drawn(figure, "expected") == [4, 6]


def test_what_promotions_add_and_take_is_the_sum_of_all_series() -> None:
    rows = pd.DataFrame({"sold_on": [*DAYS, *DAYS], "units": 2.0, "uplift_units": [0.0, 3.0, 0.0, 0.0] * 2})
    figure = plots.expected_uplift(rows.assign(cannibalised_units=[0.0, 0.75, 0.0, 0.0] * 2, pulled_forward_units=0.125))
    bars = {part.get_label(): [bar.get_height() for bar in part] for axes in figure.axes for part in axes.containers}
    assert bars == {"expected": [4.0] * 4, "uplift": [0, 6, 0, 0], "lost": [-0.25, -1.75, -0.25, -0.25]}


def test_the_best_depth_and_the_planned_one_are_marked() -> None:
    rows = pd.DataFrame(
        {"discount_share": [0.1, 0.2, 0.3], "net_margin": [1.0, 5.0, -2.0], "planned": [True, False, False], "rank": [2, 1, 3]}
    )
    rows = rows.assign(promotion_id="P", name="Natal", units=10.0, net_margin_low=-5.0, net_margin_high=6.0)
    figure = plots.margin_by_depth(rows)
    marks = [(line.get_xdata()[0], line.get_ydata()[0]) for line in figure.axes[0].lines if line.get_label() == "mark"]
    assert marks == [(0.1, 1.0), (0.2, 5.0)]
    assert figure.axes[0].get_title(loc="left") == "Natal"


def test_without_costs_depths_have_no_margin_to_show() -> None:
    rows = pd.DataFrame({"promotion_id": ["P"], "name": "Natal", "discount_share": 0.1, "planned": True, "rank": 1, "units": 1.0})
    figure = plots.margin_by_depth(rows.assign(net_margin=None, net_margin_low=None, net_margin_high=None))
    assert "no cost is known" in "".join(text.get_text() for text in figure.texts)


def test_errors_of_all_categories_are_weighed_by_their_units() -> None:
    rows = pd.DataFrame(
        {"age_weeks": [1, 1, 2], "units": [10.0, 30.0, 20.0], "forecast_units": [11.0, 33.0, 15.0], "wape": [0.5, 0.1, 0.25]}
    )
    figure = plots.accuracy_by_age(rows)
    assert drawn(figure, "wape") == pytest.approx([(5 + 3) / 40, 0.25])
    assert drawn(figure, "bias") == pytest.approx([0.1, -0.25])
