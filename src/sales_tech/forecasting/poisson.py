"""Poisson regression with a ridge and signs that are given, since scikit-learn's takes no bounds."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from sales_tech.forecasting.rows import Bools, Floats

LARGEST = 4.0
ROUNDS = 200


class PoissonRidge:
    """exp of a linear function, fitted by maximum quasi-likelihood (Wedderburn 1974) with weights and a ridge.

    Columns are standardised and held within what was seen; those that `positive` marks get no coefficient below 0.
    The ridge is one number for all, or one of each column.
    """

    def __init__(self, ridge: float | Floats = 1e-3) -> None:
        self.ridge = ridge

    def fit(self, columns: Floats, ratio: Floats, weight: Floats, positive: Bools) -> PoissonRidge:
        """`columns` is (rows, features), `ratio` what is explained, 0 or more."""
        self.low_, self.high_ = columns.min(axis=0), columns.max(axis=0)
        share = weight / weight.sum()
        self.center_ = share @ columns
        self.scale_ = np.sqrt(np.maximum(share @ (columns - self.center_) ** 2, 0.0))
        self.scale_[self.scale_ < 1e-8] = np.inf
        standard = ((columns - self.center_) / self.scale_).astype(np.float32)
        start = np.zeros(columns.shape[1] + 1)
        start[0] = np.log(max(float(share @ ratio), 1e-6))

        def loss(coefficients: Floats) -> tuple[float, Floats]:
            eta = np.clip(standard @ coefficients[1:].astype(np.float32) + coefficients[0], -12, 12).astype(np.float64)
            fitted = np.exp(eta)
            error = share * (fitted - ratio)
            slope = (error.astype(np.float32) @ standard).astype(np.float64) + self.ridge * coefficients[1:]
            value = float(share @ (fitted - ratio * eta)) + float(np.sum(self.ridge * coefficients[1:] ** 2)) / 2
            return value, np.r_[error.sum(), slope]

        bounds = [(None, None), *((0.0, None) if sign else (None, None) for sign in positive)]
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": ROUNDS, "ftol": 1e-9})
        self.coefficients_ = found.x
        return self

    def share_of(self, columns: Floats, some: Bools) -> Floats:
        """What some of the columns add to the linear function, against their being 0."""
        held = np.clip(columns[:, some], self.low_[some], self.high_[some])
        told: Floats = held @ (self.coefficients_[1:] / self.scale_)[some]
        return told

    def log_mean(self, columns: Floats) -> Floats:
        """The linear function of columns that are first held within what was seen."""
        held = np.clip(columns, self.low_, self.high_)
        told: Floats = np.clip(
            ((held - self.center_) / self.scale_) @ self.coefficients_[1:] + self.coefficients_[0], -LARGEST * 3, LARGEST * 3
        )
        return told
