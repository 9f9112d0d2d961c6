"""By what forecasts of held-out origins would have had to be multiplied, as far as those origins can tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sales_tech.forecasting.rows import Bools, Floats, Ints

# How far demand as a whole strays within a horizon, which no correction can foresee, and how far that of promotions
# strays from it.
DRIFT, PROMOTION_DRIFT = 0.08, 0.03
LARGEST, LARGEST_PROMOTED = 0.05, 0.15
FEWEST_ORIGINS = 5


@dataclass(frozen=True)
class Correction:
    """Factors on the mean of all rows, and on promoted ones beside it."""

    all_rows: float = 1.0
    promoted: float = 1.0

    @classmethod
    def of_errors(cls, mean: Floats, units: Floats, origin: Ints, promoted: Bools) -> Correction:
        """The corrections told by `units` and the `mean` forecast of them, by origin; each shrunk by what it is in doubt."""
        plain = ~promoted if (~promoted).any() else np.ones(len(mean), dtype=bool)
        usual, special = (_logs(mean, units, origin, chosen) for chosen in (plain, promoted))
        # All held-out origins share the drift of their months, so that they count as one.
        everything = _shrunk(_log(mean[plain], units[plain]), usual, DRIFT, LARGEST)
        both = np.isfinite(usual) & np.isfinite(special)
        if both.sum() < FEWEST_ORIGINS:
            return cls(float(np.exp(everything)))
        apart = _log(mean[promoted], units[promoted]) - _log(mean[plain], units[plain])
        return cls(float(np.exp(everything)), float(np.exp(_shrunk(apart, special[both] - usual[both], PROMOTION_DRIFT, LARGEST_PROMOTED))))

    def of(self, promoted: Bools) -> Floats:
        """The factor of each row."""
        told: Floats = self.all_rows * np.where(promoted, self.promoted, 1.0)
        return told


def _log(mean: Floats, units: Floats) -> float:
    sold, told = float(units.sum()), float(mean.sum())
    return float(np.log(sold / told)) if sold > 0 and told > 0 else 0.0


def _logs(mean: Floats, units: Floats, origin: Ints, chosen: Bools) -> Floats:
    at = origin - origin.min()
    sold, told = (np.bincount(at[chosen], values[chosen], minlength=int(at.max()) + 1) for values in (units, mean))
    seen = (sold > 0) & (told > 0)
    logs: Floats = np.full(len(sold), np.nan)
    logs[seen] = np.log(sold[seen] / told[seen])
    return logs


def _shrunk(center: float, logs: Floats, drift: float, largest: float) -> float:
    doubt = float(np.nanvar(logs)) + drift**2 if np.isfinite(logs).any() else np.inf
    return float(np.clip(center * center**2 / (center**2 + doubt), -largest, largest))
