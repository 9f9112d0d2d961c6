"""By what held-out forecasts are corrected, on errors that are known."""

from __future__ import annotations

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
