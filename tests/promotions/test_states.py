"""The filter and smoother do what dense linear algebra does with the same covariance, only faster."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from sales_tech.promotions.panel import Floats
from sales_tech.promotions.states import DEVIATIONS, HALF_LIVES, Wander, choose_wander, likelihood, smooth, whiten

WANDER = Wander(0.3, 5.0)


def covariance(wander: Wander, days: int) -> Floats:
    """Of a process that is left half as far from its mean after each half-life."""
    apart = np.abs(np.subtract.outer(np.arange(days), np.arange(days)))
    found: Floats = wander.deviation**2 * np.exp(-np.log(2) * apart / wander.half_life)
    return found


def series(seed: int = 1, rows: int = 3, days: int = 23) -> tuple[Floats, Floats]:
    """Observations of different precision, a third of the days without one."""
    rng = np.random.default_rng(seed)
    precision = rng.gamma(2.0, 10.0, size=(rows, days)) * (rng.random((rows, days)) > 1 / 3)
    return rng.normal(0, 0.4, size=(rows, days)), precision


def test_smoothing_is_regression_on_a_gaussian_process() -> None:
    observed, precision = series()
    found = smooth(observed, precision, WANDER)
    prior = covariance(WANDER, observed.shape[1])
    for row in range(len(observed)):
        seen = precision[row] > 0
        gain = np.linalg.solve(prior[np.ix_(seen, seen)] + np.diag(1 / precision[row, seen]), prior[seen]).T
        assert found.mean[row] == pytest.approx(gain @ observed[row, seen], abs=1e-10)
        assert found.variance[row] == pytest.approx(np.diag(prior - gain @ prior[seen]), abs=1e-10)


def test_a_series_that_was_never_observed_keeps_its_prior() -> None:
    found = smooth(np.full((1, 9), 7.0), np.zeros((1, 9)), WANDER)
    assert found.mean == pytest.approx(np.zeros((1, 9)))
    assert found.variance == pytest.approx(np.full((1, 9), 0.3**2))


def test_the_likelihood_is_the_dense_normal_density_but_for_what_the_noise_alone_says() -> None:
    observed, precision = series(seed=2)
    for wander in (WANDER, Wander(0.05, 40.0), Wander(1.0, 2.0)):
        expected = 0.0
        for row in range(len(observed)):
            seen = precision[row] > 0
            noise = np.diag(1 / precision[row, seen])
            dense = multivariate_normal.logpdf(observed[row, seen], cov=covariance(wander, observed.shape[1])[np.ix_(seen, seen)] + noise)
            # The constant: two pi for each observation, and the density's dependence on the units of the noise.
            constant = -0.5 * (seen.sum() * np.log(2 * np.pi) + np.linalg.slogdet(noise)[1])
            expected += dense - constant
        assert likelihood(observed, precision, wander) == pytest.approx(expected, rel=1e-10)


def test_least_squares_on_whitened_columns_are_generalized_least_squares() -> None:
    rng = np.random.default_rng(3)
    y, precision = series(seed=3)
    columns = [np.ones_like(y), rng.normal(size=y.shape), rng.normal(size=y.shape)]
    white_y, *white = whiten([y, *columns], precision, WANDER)
    design = np.stack([column.ravel() for column in white], axis=1)
    found = np.linalg.lstsq(design, white_y.ravel())[0]

    information, gain = np.zeros((3, 3)), np.zeros(3)
    for row in range(len(y)):
        seen = precision[row] > 0
        inverse = np.linalg.inv(covariance(WANDER, y.shape[1])[np.ix_(seen, seen)] + np.diag(1 / precision[row, seen]))
        x = np.stack([column[row, seen] for column in columns], axis=1)
        information += x.T @ inverse @ x
        gain += x.T @ inverse @ y[row, seen]
    assert found == pytest.approx(np.linalg.solve(information, gain), rel=1e-9)
    assert design.T @ design == pytest.approx(information, rel=1e-9)
    assert not any(column[precision == 0].any() for column in (white_y, *white))


def simulated(truth: Wander) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(4)
    root = np.linalg.cholesky(covariance(truth, 400))
    precision = np.full((40, 400), 400.0)
    return (root @ rng.normal(size=(400, 40))).T + rng.normal(size=(40, 400)) / np.sqrt(precision), precision


TRUTHS = (Wander(0.15, 8.0), Wander(0.36, 64.0), Wander(0.05, 4.0))


@pytest.mark.parametrize("truth", TRUTHS)
def test_the_wander_that_made_the_series_is_chosen_where_the_search_starts_with_its_half_life(truth: Wander) -> None:
    observed, precision = simulated(truth)
    assert choose_wander(observed, precision, Wander(truth.deviation * 1.5, truth.half_life)) == truth


@pytest.mark.parametrize("truth", TRUTHS)
def test_the_chosen_wander_is_the_likeliest_of_the_grid(truth: Wander) -> None:
    observed, precision = simulated(truth)
    grid = (Wander(deviation, half_life) for deviation in DEVIATIONS for half_life in HALF_LIVES)
    best = max(grid, key=lambda wander: likelihood(observed, precision, wander))
    assert choose_wander(observed, precision) == best


def test_noise_alone_is_no_wander() -> None:
    rng = np.random.default_rng(5)
    precision = np.full((30, 200), 100.0)
    assert choose_wander(rng.normal(size=(30, 200)) / 10, precision).deviation <= 0.03
