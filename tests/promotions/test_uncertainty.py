"""The variance of a window's mean is that of the dense posterior."""

from __future__ import annotations

import numpy as np
import pytest

from sales_tech.promotions.states import Wander
from sales_tech.promotions.uncertainty import mean_variance, window_variance

WANDER = Wander(0.2, 6.0)


def prior(days: int, wander: Wander = WANDER) -> np.ndarray:
    apart = np.abs(np.subtract.outer(np.arange(days), np.arange(days)))
    return wander.deviation**2 * np.exp2(-apart / wander.half_life)


def test_a_window_is_as_uncertain_as_the_dense_posterior_says() -> None:
    rng = np.random.default_rng(0)
    precision = rng.gamma(2.0, 20.0, size=(2, 50)) * (rng.random((2, 50)) > 0.3)
    precision[0, 20:27] = precision[1, :5] = precision[1, 40:] = 0
    rows, starts, ends = np.array([0, 1, 1, 0]), np.array([20, 0, 40, 30]), np.array([26, 4, 49, 30])
    found = window_variance(WANDER, precision, rows, starts, ends)
    for at, (row, start, end) in enumerate(zip(rows, starts, ends, strict=True)):
        seen, before = precision[row] > 0, prior(50)
        inverse = np.linalg.inv(before[np.ix_(seen, seen)] + np.diag(1 / precision[row, seen]))
        after = before - before[:, seen] @ inverse @ before[seen]
        assert found[at] == pytest.approx(after[start : end + 1, start : end + 1].mean(), rel=1e-9)


def test_many_windows_of_one_length_are_told_like_each_of_them() -> None:
    rng = np.random.default_rng(1)
    precision = rng.gamma(2.0, 20.0, size=(3, 260))
    rows, starts = rng.integers(0, 3, size=150), rng.integers(0, 250, size=150)
    together = window_variance(WANDER, precision, rows, starts, starts + 4)
    each = [window_variance(WANDER, precision, rows[[at]], starts[[at]], starts[[at]] + 4)[0] for at in (0, 63, 64, 149)]
    assert together[[0, 63, 64, 149]] == pytest.approx(each, rel=1e-12)


def test_what_is_not_observed_is_as_uncertain_as_the_double_sum_of_its_covariance() -> None:
    lengths = np.array([1, 2, 7, 31, 120])
    expected = [sum(prior(n)[i, j] for i in range(n) for j in range(n)) / n**2 for n in lengths.tolist()]
    assert mean_variance(WANDER, lengths) == pytest.approx(expected, rel=1e-9)
    nothing_seen = window_variance(WANDER, np.zeros((1, 200)), np.zeros(5, dtype=np.int64), np.zeros(5, dtype=np.int64), lengths - 1)
    assert nothing_seen == pytest.approx(expected, rel=1e-9)
