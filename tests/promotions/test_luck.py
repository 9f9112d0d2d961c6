"""How counts scatter, against draws whose scatter is known."""

from __future__ import annotations

import numpy as np
import pytest

from sales_tech.promotions.luck import Luck


def drawn(scatter: float, mean: float, cells: int, size: int = 20_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days (1, size) of one series that sums so many equal cells."""
    rng = np.random.default_rng(5)
    rate = np.full((size, cells), mean / cells)
    if scatter:
        rate = rng.gamma(1 / scatter, rate * scatter)
    return rng.poisson(rate).sum(axis=1)[None, :], np.full((1, size), mean), np.array([[1 / cells]])


def test_poisson_counts_have_no_scatter() -> None:
    found = Luck.of(*drawn(0.0, 6.0, 3))
    assert found.dispersion == pytest.approx(1, abs=0.03)
    assert found.scatter < 0.03


def test_the_scatter_of_cells_is_found_from_series_of_unlike_concentration() -> None:
    parts = [drawn(0.3, 10.0, cells) for cells in (1, 2, 10, 50)]
    units, mean, share = (np.concatenate(column) for column in zip(*parts, strict=True))
    found = Luck.of(units, mean, share)
    assert found.scatter == pytest.approx(0.3, rel=0.1)
    assert found.dispersion == pytest.approx(1, abs=0.1)


def test_precision_is_one_over_the_variance_of_the_log() -> None:
    units, mean, share = drawn(0.3, 400.0, 4)
    assert Luck(1.0, 0.3).precision(mean, share)[0, 0] == pytest.approx(1 / np.log(units).var(), rel=0.05)


def test_where_nothing_is_expected_nothing_is_told() -> None:
    assert Luck(1.0, 0.3).precision(np.array([[0.0, 2.0]]), np.array([[1.0]])).tolist() == [[0, pytest.approx(2 / 1.6)]]
