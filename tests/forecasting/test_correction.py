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
    assert Correction.of_errors(*errors(1.0, 1.0)) == Correction(1.0, 1.0)


def test_promotions_that_come_out_too_high_are_lowered_and_the_total_stays() -> None:
    mean, units, origin, special = errors(1.0, 0.88)
    found = Correction.of_errors(mean, units, origin, special)
    factor = found.of(special)
    assert factor[special][0] == pytest.approx(0.88, abs=0.03)
    assert factor[~special][0] == pytest.approx(1.0, abs=0.01)
    assert (mean * factor).sum() == pytest.approx(units.sum(), rel=0.01)


def test_origins_that_disagree_correct_little() -> None:
    mean, units, origin, special = errors(1.0, 0.88)
    units = units * np.where(special, np.where(origin % 2, 1.5, 0.6), 1.0)
    assert abs(np.log(Correction.of_errors(mean, units, origin, special).promoted)) < 0.02


def test_a_few_origins_with_promotions_correct_no_promotion() -> None:
    mean, units, origin, special = errors(1.0, 0.5)
    assert Correction.of_errors(mean, units, origin, special & (origin < 3)).promoted == 1.0


def test_no_correction_goes_beyond_its_bound() -> None:
    found = Correction.of_errors(*errors(2.0, 0.5))
    assert abs(np.log(found.promoted)) <= 0.15 + 1e-12
    assert found.all_rows == pytest.approx(np.exp(0.05))


def test_where_nothing_was_sold_nothing_is_corrected() -> None:
    mean, units, origin, special = errors(0.0, 0.0)
    assert Correction.of_errors(mean, units, origin, special) == Correction(1.0, 1.0)
