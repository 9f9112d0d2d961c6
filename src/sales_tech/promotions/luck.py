"""How far counts scatter about what is expected of them, and what a count tells of log demand for that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sales_tech.promotions.panel import Floats

LEAST_EXPECTED = 0.5
LARGEST_DISPERSION, LARGEST_SCATTER = 3.0, 1.0
# Few units tell next to nothing of the scatter, so that the belief of this many series of days stays.
TYPICAL_SCATTER = 0.25
TINY = 1e-9


@dataclass(frozen=True)
class Luck:
    """Variance of a cell's units: `dispersion` times their mean, and `scatter` times its square.

    Both of the negative binomial's forms (Cameron and Trivedi 2013, Regression Analysis of Count Data, section 3.3).
    A sum over stores scatters the less the more stores share it: its `concentration` is the sum of their squared shares.
    """

    dispersion: float = 1.0
    scatter: float = 0.0

    @classmethod
    def of(cls, units: Floats, mean: Floats, concentration: Floats) -> Luck:
        """The scatter of `units` about `mean`, of arrays that broadcast; by weighted least squares on squared errors."""
        seen = mean > min(LEAST_EXPECTED, float(mean.max()) / 2)
        m, cell = mean[seen], (mean * concentration)[seen]
        ratio = (units[seen] - m) ** 2 / np.maximum(m, LEAST_EXPECTED)
        weight = 1 / (1 + TYPICAL_SCATTER * cell) ** 2
        columns = np.stack([np.ones_like(cell), cell])
        information = (columns * weight) @ columns.T + np.diag([TINY, 1.0])
        dispersion, scatter = np.linalg.solve(information, columns @ (weight * ratio))
        if scatter < 0 or dispersion < 1:
            # Counts scatter at least as Poisson's do.
            dispersion = 1.0 if dispersion < 1 else float((weight * ratio).sum() / weight.sum())
            scatter = max(0.0, float((weight * cell * (ratio - dispersion)).sum() / ((weight * cell**2).sum() + 1.0)))
        return cls(float(np.clip(dispersion, 1.0, LARGEST_DISPERSION)), float(np.clip(scatter, 0.0, LARGEST_SCATTER)))

    def precision(self, mean: Floats, concentration: Floats) -> Floats:
        """One over the variance of the log of a count about its mean; zero where nothing is expected."""
        told: Floats = np.where(mean > TINY, mean / (self.dispersion + self.scatter * mean * concentration), 0.0)
        return told
