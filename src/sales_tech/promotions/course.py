"""What all of a channel sells from day to day, for days of which too little is seen without promotions.

A shop that puts all its goods on offer has no sale without promotion on those days: what it would have sold is told by the
days about them. The log effect of a day is a level that wanders, as in `states`, and the day's own; all three variances are
chosen by likelihood (Harvey 1989, section 3.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from sales_tech.promotions.panel import Floats
from sales_tech.promotions.states import DEVIATIONS, Wander, likelihoods, smooth

# What comes back sooner is a day's own.
HALF_LIVES = (16.0, 32.0, 64.0, 128.0)
SUDDEN = (0.01, 0.03, 0.05, 0.08, 0.11, 0.15, 0.2, 0.27, 0.36)


@dataclass(frozen=True)
class Course:
    """How the days of channels differ: by a level that wanders, and each by its own with the deviation `sudden` (log demand)."""

    wander: Wander
    sudden: float

    @classmethod
    def of(cls, observed: Floats, precision: Floats) -> Course:
        """The course of the highest likelihood, of log effects (channels, days) with a precision each; zero: not observed."""
        options = [Course(Wander(deviation, half_life), sudden) for deviation, half_life, sudden in product(DEVIATIONS, HALF_LIVES, SUDDEN)]
        tight = np.concatenate([option.told(precision) for option in options])
        repeated = np.tile(observed, (len(options), 1))
        wanders = [option.wander for option in options for _ in range(len(observed))]
        # What the noise alone says, which differs by how great it is.
        noise = 0.5 * np.log(np.where(tight > 0, tight, 1.0)).sum(axis=1)
        score = (likelihoods(repeated - _levels(repeated, tight), tight, wanders) + noise).reshape(len(options), -1).sum(axis=1)
        return options[int(np.argmax(score))]

    def told(self, precision: Floats) -> Floats:
        """What a day's log effect, observed with a precision, tells of the level: its own deviation is noise for it."""
        precise: Floats = precision / (1 + precision * self.sudden**2)
        return precise

    def seen(self, precision: Floats) -> Floats:
        """The share of a day's own effect that an observation with a precision shows; the rest is chance."""
        share: Floats = precision * self.sudden**2 / (1 + precision * self.sudden**2)
        return share

    def drawn(self, observed: Floats, precision: Floats) -> Floats:
        """The log effects (channels, days), each drawn to the level of the days about it the more, the less of it is seen."""
        level = _levels(observed, self.told(precision))
        smoothed = level + smooth(observed - level, self.told(precision), self.wander).mean
        return smoothed + self.seen(precision) * (observed - smoothed)


def _levels(observed: Floats, precision: Floats) -> Floats:
    total = np.maximum(precision.sum(axis=1, keepdims=True), 1e-9)
    level: Floats = (precision * observed).sum(axis=1, keepdims=True) / total
    return level
