"""Demand that is imputed from a level known with doubt, against integrals over that doubt."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sales_tech.promotions.baseline import Baseline
from sales_tech.promotions.states import Smoothed


def mean_demand(variance: float) -> float:
    """Mean of the exponential of a Gaussian about zero, by Gauss and Hermite."""
    at, weight = np.polynomial.hermite_e.hermegauss(40)
    return float(np.exp(at * variance**0.5) @ weight / weight.sum())


def states(sku: list[float], group: list[float]) -> Any:
    sku_state, group_state = (Smoothed(np.zeros((1, len(values))), np.array([values])) for values in (sku, group))
    return SimpleNamespace(sku_state=sku_state, group_state=group_state)


def test_imputed_demand_is_a_mean_and_lies_above_the_middle_by_what_its_doubt_exceeds_that_of_fitted_days() -> None:
    known = states([0.01, 0.03, 0.2, 0.5], [0.02, 0.02, 0.1, 0.02])
    # The first day counts three times as much as the second; the last two are imputed.
    factor = Baseline.above_median(known, np.array([[[3.0, 1.0, 0.0, 0.0]]]))
    usual = mean_demand((3 * 0.03 + 0.05) / 4)
    assert factor[0, 0].tolist() == pytest.approx([1, 1, mean_demand(0.3) / usual, mean_demand(0.52) / usual])
