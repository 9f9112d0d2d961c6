"""Figures of forecasts against sums worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from tests.forecasting.panels import panel_of

from sales_tech.forecasting.evaluation import evaluate, naive_scales


def told(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_wape_and_bias_are_of_the_sums() -> None:
    (figures,) = evaluate(told(actual=[10, 0, 5], mean=[8, 1, 9])).to_dict("records")
    assert (figures["rows"], figures["actual"], figures["forecast"]) == (3, 15, 18)
    assert figures["wape"] == pytest.approx((2 + 1 + 4) / 15)
    assert figures["bias"] == pytest.approx(18 / 15 - 1)


def test_no_group_may_be_told_as_none() -> None:
    frame = told(actual=[10, 0, 5], mean=[8, 1, 9])
    pd.testing.assert_frame_equal(evaluate(frame, by=None), evaluate(frame))


def test_relative_errors_leave_out_rows_without_sales() -> None:
    (figures,) = evaluate(told(actual=[10, 0, 1], mean=[8, 1, 1.8])).to_dict("records")
    assert figures["mape"] == pytest.approx((0.2 + 0.8) / 2)
    assert figures["rmspe"] == pytest.approx(math.sqrt((0.2**2 + 0.8**2) / 2))


def test_pinball_loss_weighs_what_is_over_and_what_is_under() -> None:
    (figures,) = evaluate(told(actual=[10, 2], mean=[5, 5], q10=[4, 4], q90=[8, 8])).to_dict("records")
    over, under = 0.1 * 6 + 0.9 * 2, 0.9 * 2 + 0.1 * 6
    assert figures["pinball"] == pytest.approx((over + under) / 4)


def test_coverage_is_of_the_outermost_quantiles_with_their_bounds_inside() -> None:
    frame = told(actual=[4, 8, 9, 3], mean=[5] * 4, q90=[8] * 4, q50=[5] * 4, q10=[4] * 4)
    (figures,) = evaluate(frame).to_dict("records")
    assert figures["coverage"] == 0.5
    assert figures["nominal"] == pytest.approx(0.8)


def test_quantiles_are_known_by_their_names_alone() -> None:
    frame = told(actual=[4.0], mean=[4.0], **{"q2.5": [1.0], "q97.5": [9.0], "quality": [7.0], "q1x": [8.0], "q0": [8.0], "q150": [8.0]})
    (figures,) = evaluate(frame).to_dict("records")
    assert figures["coverage"] == 1.0
    assert figures["nominal"] == pytest.approx(0.95)
    assert figures["pinball"] == pytest.approx((0.025 * 3 + 0.025 * 5) / 2)


def test_of_columns_called_as_quantiles_are_those_count_that_are_told() -> None:
    frame = told(actual=[4.0, 9.0], mean=[4.0, 4.0], q10=[1.0, 1.0], q90=[8.0, 8.0])
    quarters = frame.assign(q1=1.0, q2="second")
    pd.testing.assert_frame_equal(evaluate(quarters, quantiles=(0.9, 0.1)), evaluate(frame))
    pd.testing.assert_frame_equal(evaluate(quarters, ["q1", "q2"])[list(evaluate(frame))], evaluate(frame))
    with pytest.raises(ValueError, match=r"column q2 is str, expected the numbers of a quantile; .* such as quantiles=\(0.1"):
        evaluate(quarters)
    with pytest.raises(ValueError, match="has no column q50"):
        evaluate(frame, quantiles=(0.1, 0.5))


def test_groups_that_are_called_as_figures_are_refused() -> None:
    with pytest.raises(ValueError, match="by has rows, which figures are called, too"):
        evaluate(told(actual=[1], mean=[1], rows=["a"]), ["rows"])


def test_one_quantile_makes_no_interval_and_none_no_loss() -> None:
    (one,) = evaluate(told(actual=[4], mean=[4], q50=[2])).to_dict("records")
    (none,) = evaluate(told(actual=[4], mean=[4])).to_dict("records")
    assert one["pinball"] == 1.0
    assert [math.isnan(one[name]) for name in ("coverage", "nominal")] == [True] * 2
    assert math.isnan(none["pinball"])


def test_groups_have_figures_of_their_own_in_order() -> None:
    frame = told(model=["b", "a", "b"], promoted=[True, False, True], actual=[10, 4, 10], mean=[5, 4, 10])
    figures = evaluate(frame, by=["model", "promoted"])
    assert figures[["model", "promoted", "rows"]].to_numpy().tolist() == [["a", False, 1], ["b", True, 2]]
    assert figures["wape"].tolist() == [0, 0.25]
    assert evaluate(frame, by="model")["wape"].tolist() == [0, 0.25]


def test_a_group_of_rows_without_a_name_is_kept() -> None:
    figures = evaluate(told(category=["x", None], actual=[1, 2], mean=[1, 1]), by=["category"])
    assert figures["rows"].tolist() == [1, 1]


def test_categories_and_what_an_index_is_called_change_no_figure() -> None:
    past = panel_of(a=[1, 3, 1], b=[10, 20, 10])
    frame = panel_of(first=past["date"].max() + pd.Timedelta(days=1), a=[2, 2], b=[30, 10])
    frame = frame.rename(columns={"units": "actual"}).assign(mean=[1, 3, 10, 10], kind=["x", "x", None, None])
    plain = evaluate(frame, ["kind"], past, series=["sku"])
    assert plain["rmsse"].tolist() == pytest.approx([0.5, math.sqrt(2)])
    kinds, skus = pd.CategoricalDtype(["unused", "x"]), pd.CategoricalDtype(["unused", "b", "a"])
    read = frame.astype({"kind": kinds, "sku": skus}).rename_axis(index="actual")
    found = evaluate(read, ["kind"], past.astype({"sku": skus}), series=["sku"])
    pd.testing.assert_frame_equal(found.astype({"kind": plain["kind"].dtype}), plain)


def test_a_group_without_sales_has_no_share_of_them() -> None:
    assert evaluate(told(actual=[1, 0], mean=[2, 0]))[["wape", "bias"]].to_numpy().tolist() == [[1.0, 1.0]]
    (figures,) = evaluate(told(actual=[0, 0], mean=[1, 0])).to_dict("records")
    assert [math.isnan(figures[name]) for name in ("wape", "bias", "mape", "rmspe")] == [True] * 4


def test_the_scale_begins_with_the_first_sale() -> None:
    panel = panel_of(a=[0, 0, 3, 1, 5], b=[2, 2, 2, 2, 2], c=[0, 0, 0, 0, 1], d=[1, 0, 0, 1, 1])
    for rows in (panel, panel[::-1], panel.sample(frac=1, random_state=1)):
        scales = naive_scales(rows, ["sku"], "date", "units")
        assert (scales["a"], scales["d"]) == ((4 + 16) / 2, (1 + 0 + 1 + 0) / 4)
        assert np.isnan(scales[["b", "c"]]).all()


def test_rmsse_is_the_mean_over_series_of_errors_beside_the_naive_ones() -> None:
    past = panel_of(a=[1, 3, 1], b=[10, 20, 10], flat=[5, 5, 5])
    frame = panel_of(first=past["date"].max() + pd.Timedelta(days=1), a=[2, 2], b=[30, 10], flat=[9, 9])
    frame = frame.rename(columns={"units": "actual"}).assign(mean=[1, 3, 10, 10, 5, 5])
    (figures,) = evaluate(frame, insample=past, series=["sku"]).to_dict("records")
    of_a, of_b = math.sqrt(1 / 4), math.sqrt(((400 + 0) / 2) / 100)
    assert figures["rmsse"] == pytest.approx((of_a + of_b) / 2)
    by_sku = evaluate(frame, by=["sku"], insample=past, series=["sku"]).set_index("sku")["rmsse"]
    assert by_sku["b"] == pytest.approx(of_b)
    assert math.isnan(by_sku["flat"])


def test_the_scale_of_a_cutoff_knows_only_what_came_before() -> None:
    panel = panel_of(a=[1, 3, 1, 11, 1])
    frame = panel.iloc[[3, 4]].rename(columns={"units": "actual"}).assign(mean=[9, 3], cutoff=panel["date"].iloc[[2, 3]].to_numpy())
    (figures,) = evaluate(frame, insample=panel, series=["sku"]).to_dict("records")
    first, second = math.sqrt(4 / 4), math.sqrt(4 / ((4 + 4 + 100) / 3))
    assert figures["rmsse"] == pytest.approx((first + second) / 2)
    models = pd.concat([frame.assign(model="x"), frame.assign(model="y")])
    assert evaluate(models, ["model"], panel, series=["sku"])["rmsse"].tolist() == pytest.approx([figures["rmsse"]] * 2)


def test_a_past_that_overlaps_the_predictions_is_refused() -> None:
    panel = panel_of(a=[1, 3, 1])
    frame = panel.tail(1).rename(columns={"units": "actual"}).assign(mean=1)
    with pytest.raises(ValueError, match=r"the insample frame goes on to 2026-01-07 00:00:00, predictions begin on 2026-01-07 00:00:00"):
        evaluate(frame, insample=panel, series=["sku"])
    longer = panel_of(a=[1, 3, 1, 2, 5]).rename(columns={"units": "actual"}).assign(mean=1)
    with pytest.raises(ValueError, match=r"goes on to 2026-01-07 00:00:00, predictions begin on 2026-01-06 00:00:00"):
        evaluate(longer.tail(4), insample=panel, series=["sku"])


def test_a_past_without_series_is_refused() -> None:
    with pytest.raises(ValueError, match="insample is given without series"):
        evaluate(told(actual=[1], mean=[1]), insample=panel_of(a=[1, 2]))
    frame = panel_of(a=[1]).assign(actual=1, mean=1)
    with pytest.raises(ValueError, match="the insample frame has no column units; its columns are sku, date"):
        evaluate(frame, insample=panel_of(a=[1]).drop(columns="units"), series=["sku"])


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="the frame of predictions has no column brand, mean; its columns are actual, q50"):
        evaluate(told(actual=[1], q50=[1]), by=["brand"])


def test_a_missing_number_is_named_with_its_column() -> None:
    with pytest.raises(ValueError, match="the frame of predictions has 1 of 2 rows without a number in q90"):
        evaluate(told(actual=[1, 2], mean=[1, 2], q10=[0, 0], q90=[1, None]))


def test_a_frame_without_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="the frame of predictions has no rows"):
        evaluate(told(actual=[], mean=[]))
