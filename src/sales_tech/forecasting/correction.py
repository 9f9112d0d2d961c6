"""By what forecasts of promoted rows would have had to be multiplied, as far as held-out origins can tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sales_tech.forecasting.rows import Bools, Floats, Ints

# How far the effect of promotions strays from one season to the next.
DRIFT = 0.08
LARGEST = 0.15
FEWEST_ORIGINS = 5
TINY = 1e-12


@dataclass(frozen=True)
class Correction:
    """A factor on the mean of promoted rows.

    The total is left alone: held-out origins share the drift of their months, and what it was does not tell what it will be.
    """

    promoted: float = 1.0

    @classmethod
    def of_errors(cls, mean: Floats, units: Floats, origin: Ints, promoted: Bools) -> Correction:
        """The correction told by `units` and the `mean` forecast of them, by origin, shrunk by what it is in doubt."""
        plain = ~promoted
        usual, special = (_logs(mean, units, origin, chosen) for chosen in (plain, promoted))
        both = np.isfinite(usual) & np.isfinite(special)
        if both.sum() < FEWEST_ORIGINS:
            return cls()
        # Promotions are compared with the other rows of the same origins, which have the same drift.
        center = _log(mean[promoted], units[promoted]) - _log(mean[plain], units[plain])
        # Where little is sold without promotions, that is the luck of a few rows of other series.
        rare = max(1.0, float(mean[promoted].sum() / max(mean[plain].sum(), TINY)))
        doubt = (float(np.var(special[both] - usual[both])) + DRIFT**2) * rare
        return cls(float(np.exp(np.clip(center * center**2 / (center**2 + doubt), -LARGEST, LARGEST))))

    def of(self, promoted: Bools) -> Floats:
        """The factor of each row."""
        told: Floats = np.where(promoted, self.promoted, 1.0)
        return told


def _log(mean: Floats, units: Floats) -> float:
    return float(np.log(units.sum() / mean.sum()))


def _logs(mean: Floats, units: Floats, origin: Ints, chosen: Bools) -> Floats:
    at = origin - origin.min()
    sold, told = (np.bincount(at[chosen], values[chosen], minlength=int(at.max()) + 1) for values in (units, mean))
    seen = (sold > 0) & (told > 0)
    logs: Floats = np.full(len(sold), np.nan)
    logs[seen] = np.log(sold[seen] / told[seen])
    return logs
