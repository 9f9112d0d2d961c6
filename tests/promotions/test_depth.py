"""How the depth of a discount enters the log of what a promotion multiplies demand by."""

from __future__ import annotations

import numpy as np
import pytest

from sales_tech.promotions.depth import SHAPES, attention, depth_response

DEPTHS = np.array([0.0, 0.05, 0.2, 0.5, 0.8])


def test_without_a_shape_the_slope_is_an_elasticity() -> None:
    assert depth_response(DEPTHS) == pytest.approx(-np.log(1 - DEPTHS))


def test_of_shape_one_the_response_goes_with_the_share_taken_off() -> None:
    told = depth_response(DEPTHS, 1.0)
    assert told == pytest.approx(DEPTHS * -np.log(0.8) / 0.2)


def test_all_shapes_agree_on_no_cut_and_on_a_fifth_and_a_deeper_cut_counts_for_more() -> None:
    told = depth_response(np.linspace(0, 0.9, 91), SHAPES[:, None])
    assert told.shape == (len(SHAPES), 91)
    assert told[:, 0].tolist() == [0] * len(SHAPES)
    assert told[:, 20] == pytest.approx(np.full(len(SHAPES), -np.log(0.8)))
    assert (np.diff(told, axis=1) > 0).all()


def test_what_is_given_away_counts_as_a_cut_that_leaves_a_twentieth() -> None:
    assert depth_response(np.array([0.95, 1.0]), 0.5) == pytest.approx(np.full(2, (1 - 0.05**0.5) * -np.log(0.8) / (1 - 0.8**0.5)))


def test_all_of_what_a_mechanic_adds_is_there_from_a_cut_of_a_tenth_on() -> None:
    assert attention(np.array([0.0, 0.05, 0.1, 0.4])).tolist() == pytest.approx([0, 0.5, 1, 1])
