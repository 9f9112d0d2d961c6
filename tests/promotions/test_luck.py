"""How counts scatter, against draws whose scatter is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import lsq_linear

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


def test_counts_of_which_nothing_is_known_scatter_as_poissons() -> None:
    assert Luck().precision(np.array([[4.0]]), np.array([[1.0]])).tolist() == [[4.0]]


SERIES = {
    "both": (3.0, 1.2, 0.15),
    "no scatter": (3.0, 2.0, 0.0),
    "less than chance, and some scatter": (3.0, 0.6, 0.4),
    "less than chance": (3.0, 0.2, 0.0),
    "most scatter where least sells": (1.0, 2.5, -0.3),
    "more than is believed": (3.0, 6.0, 0.0),
    "more scatter than is believed": (3.0, 1.0, 3.0),
    "little": (0.6, 2.0, 0.5),
    "next to nothing": (0.1, 8.0, 0.0),
}


@pytest.mark.parametrize("name", SERIES)
def test_dispersion_and_scatter_are_the_bounded_least_squares_of_squared_errors(name: str) -> None:
    level, dispersion, scatter = SERIES[name]
    rng = np.random.default_rng(3)
    mean, share = rng.gamma(2.0, level / 2, size=(3, 40)), np.array([[1.0], [0.6], [0.25]])
    variance = np.maximum(dispersion + scatter * mean * share, 0.05) * mean
    units = mean + np.sqrt(variance) * rng.choice([-1.3, -0.5, 0.5, 1.3], size=mean.shape)
    # A count about half a unit and more; where all expect less, about half of the most.
    least = min(0.5, mean.max() / 2)
    rows = [(x, m, m * s) for x, m, s in zip(units.ravel(), mean.ravel(), np.repeat(share, 40), strict=True) if m > least]
    root = np.array([1 / (1 + cell / 4) for _, _, cell in rows])
    ratio = np.array([(x - m) ** 2 / max(m, 0.5) for x, m, _ in rows])
    cell = np.array([part for _, _, part in rows])
    # The last row is the belief that there is no scatter.
    design = np.vstack([np.stack([root, root * cell], axis=1), [0.0, 1.0]])
    best = lsq_linear(design, np.append(root * ratio, 0.0), bounds=([1.0, 0.0], np.inf), tol=1e-14).x
    found = Luck.of(units, mean, share)
    assert (found.dispersion, found.scatter) == pytest.approx((min(best[0], 3.0), min(best[1], 1.0)), abs=1e-4)
