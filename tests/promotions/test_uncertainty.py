"""The variance of a window's mean is that of the dense posterior."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sales_tech.promotions.course import Course
from sales_tech.promotions.luck import Luck
from sales_tech.promotions.states import Wander
from sales_tech.promotions.uncertainty import ErrorModel, mean_variance, window_variance

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


@pytest.mark.parametrize("coursed", [True, False])
@pytest.mark.parametrize("grouped", [True, False])
def test_errors_of_baselines_are_those_of_the_states_of_skus_groups_and_categories_and_of_the_days_of_channels(
    grouped: bool, coursed: bool
) -> None:
    rng, category = np.random.default_rng(4), np.array([0, 0, 1])
    wanders = {"sku": WANDER, "category": Wander(0.1, 12.0), "group": Wander(0.15, 4.0)}
    shares = {"sku": np.array([[0.5], [0.8], [1.0]]), "category": np.array([[0.3], [1.0]]), "channel": np.array([[0.4], [0.6]])}
    course = Course(Wander(0.3, 20.0), 0.1)
    baseline: Any = SimpleNamespace(
        panel=SimpleNamespace(category=category, categories=["a", "b"], channels=["loja", "web"], channel=np.array([1, 0, 1])),
        groups=SimpleNamespace(of_store=np.array([1, 0, 1]), size=2),
        luck=Luck(1.3, 0.2),
        concentration=shares.__getitem__,
        course=course if coursed else None,
        wanders={name: wander for name, wander in wanders.items() if grouped or name != "group"},
    )
    fitted = rng.gamma(3.0, 4.0, size=(3, 2, 40)) * (rng.random((3, 2, 40)) > 0.3)
    fitted[0, :, 10:20] = fitted[2, :, 5:8] = fitted[:, 0, 30] = fitted[:, 1, 5:8] = 0.0
    skus, starts, ends = np.array([0, 1, 2, 0]), np.array([10, 10, 5, 30]), np.array([19, 19, 7, 30])
    groups = [np.array([0]), np.array([0, 1]), np.array([1]), np.array([0, 1])]
    own, shared = ErrorModel.of(baseline, fitted).variances(skus, groups, starts, ends)

    def after(units: np.ndarray, share: float, wander: Wander, start: int, end: int) -> float:
        # Of counts with a variance of 1.3 times their mean and 0.2 times its share of the square.
        before, seen = prior(40, wander), units > 0
        noise = np.diag((1.3 + 0.2 * share * units[seen]) / units[seen])
        left = before - before[:, seen] @ np.linalg.inv(before[np.ix_(seen, seen)] + noise) @ before[seen]
        return float(left[start : end + 1, start : end + 1].mean())

    def of_channel(units: np.ndarray, share: float, start: int, end: int) -> float:
        # A level and, day by day, what is its own, of which the units show a part each.
        before, seen = prior(40, course.wander), units > 0
        noise = (1.3 + 0.2 * share * units[seen]) / units[seen]
        every = np.ones(40)
        every[seen] = noise / (noise + course.sudden**2)
        hidden = every[start : end + 1].mean()
        inverse = np.linalg.inv(before[np.ix_(seen, seen)] + np.diag(noise + course.sudden**2))
        left = before - before[:, seen] @ inverse @ before[seen]
        level = float(left[start : end + 1, start : end + 1].mean())
        return float(hidden**2 * level + course.sudden**2 * hidden / (end - start + 1))

    for row, (sku, start, end) in enumerate(zip(skus.tolist(), starts.tolist(), ends.tolist(), strict=True)):
        mine = after(fitted[sku].sum(axis=0), float(shares["sku"][sku, 0]), WANDER, start, end)
        if grouped:
            length = end - start + 1
            mine += prior(length, wanders["group"]).mean() / len(groups[row])
        assert own[row] == pytest.approx(mine, rel=1e-6)
        kind = int(category[sku])
        units = fitted[category == kind].sum(axis=(0, 1))
        ours = after(units, float(shares["category"][kind, 0]), wanders["category"], start, end)
        if coursed:
            days = [of_channel(fitted[:, channel].sum(axis=0), float(shares["channel"][channel, 0]), start, end) for channel in groups[row]]
            ours += sum(days) / len(days) ** 2
        assert shared[row] == pytest.approx(ours, rel=1e-6)
