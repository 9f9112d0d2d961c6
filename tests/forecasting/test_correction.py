"""By what held-out forecasts are corrected, on errors that are known."""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from sales_tech.forecasting.correction import Correction

ORIGINS = 12


def errors(usual: float, promoted: float, rows: int = 50) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Means of 10, of which a tenth are of promotions, and units that are so many times as large."""
    origin = np.repeat(np.arange(ORIGINS), rows)
    special = np.tile(np.arange(rows) % 10 == 0, ORIGINS)
    mean = np.full(len(origin), 10.0)
    return mean, mean * np.where(special, promoted, usual), origin, special


def test_forecasts_that_are_right_are_left_alone() -> None:
    assert Correction.of_errors(*errors(1.0, 1.0)) == Correction(1.0)


def test_promotions_that_come_out_too_high_are_lowered_and_nothing_else() -> None:
    mean, units, origin, special = errors(1.0, 0.86)
    factor = Correction.of_errors(mean, units, origin, special).of(special)
    assert factor[special][0] == pytest.approx(0.86, abs=0.04)
    assert (factor[~special] == 1.0).all()


def test_promotions_that_err_like_everything_else_are_left_alone() -> None:
    assert Correction.of_errors(*errors(0.8, 0.8)).promoted == pytest.approx(1.0)


def test_origins_that_disagree_correct_little() -> None:
    mean, units, origin, special = errors(1.0, 0.88)
    units = units * np.where(special, np.where(origin % 2, 1.5, 0.6), 1.0)
    assert abs(np.log(Correction.of_errors(mean, units, origin, special).promoted)) < 0.02


def test_a_few_origins_with_promotions_correct_no_promotion() -> None:
    mean, units, origin, special = errors(1.0, 0.5)
    assert Correction.of_errors(mean, units, origin, special & (origin < 3)).promoted == 1.0


def test_where_next_to_nothing_sells_without_promotions_that_is_no_measure_of_them() -> None:
    # Nearly all rows are promoted, and told rightly; the few others come out 15 % too low.
    mean, units, origin, plain = errors(1.0, 1 / 1.15)
    assert abs(np.log(Correction.of_errors(mean, units, origin, ~plain).promoted)) < 0.04
    assert abs(np.log(Correction.of_errors(mean, units, origin, plain).promoted)) > 0.08


def test_no_correction_goes_beyond_its_bound() -> None:
    assert abs(np.log(Correction.of_errors(*errors(2.0, 0.5)).promoted)) == pytest.approx(0.15)


def test_where_nothing_was_sold_nothing_is_corrected() -> None:
    mean, units, origin, special = errors(0.0, 0.0)
    assert Correction.of_errors(mean, units, origin, special) == Correction(1.0)


@pytest.mark.parametrize("rare", [1.0, 6.0])
def test_a_correction_is_the_log_of_totals_shrunk_by_what_it_is_in_doubt(rare: float) -> None:
    rng = np.random.default_rng(2)
    mean, units, origin, special = errors(1.0, 0.9)
    mean = mean * rng.uniform(0.5, 1.5, len(mean)) * np.where(special, rare, 1.0)
    units = mean * rng.uniform(0.9, 1.1, len(mean)) * np.where(special, 0.92, 1.03) * np.where(special & (origin % 2 == 0), 1.06, 1.0)
    # Nothing promoted is sold from one origin, nothing else from another: both count in the totals, and tell no difference.
    units[special & (origin == 4)] = units[~special & (origin == 5)] = 0.0

    def log_of(chosen: np.ndarray) -> float:
        return float(np.log(units[chosen].sum() / mean[chosen].sum()))

    center = log_of(special) - log_of(~special)
    apart = [log_of(special & (origin == one)) - log_of(~special & (origin == one)) for one in range(ORIGINS) if one not in (4, 5)]
    doubt = (statistics.pvariance(apart) + 0.08**2) * max(1.0, mean[special].sum() / mean[~special].sum())
    expected = np.exp(center**3 / (center**2 + doubt))
    assert abs(np.log(expected)) < 0.15
    assert Correction.of_errors(mean, units, origin + 30, special).promoted == pytest.approx(expected)


def test_five_origins_are_enough_and_where_all_is_promoted_nothing_is_told_apart() -> None:
    mean, units, origin, special = errors(1.0, 0.9)
    told = [Correction.of_errors(mean, units, origin, special & (origin < many)).promoted for many in (4, 5)]
    assert told[0] == 1.0 > told[1]
    assert Correction.of_errors(mean, units, origin, np.ones(len(mean), dtype=bool)) == Correction(1.0)
