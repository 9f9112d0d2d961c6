"""What the analysis of promotions knows, as a forecaster asks for it: by what a plan multiplies the units of a product."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from sales_tech.forecasting.checks import PlanBeyondHistory
from sales_tech.forecasting.rows import Floats
from sales_tech.forecasting.shapes import require_columns

WANTED = ("category", "brand", "mechanic", "display", "discount_share")
ALL_BRANDS = "all"
# Numbers of a table are rounded.
MARGIN = 1e-4
Beyond = dict[object, tuple[float, float]]
"""By category the greatest depth that is asked and the greatest that was tried, where that is less."""


class PromotionResponse:
    """The expected effect of promotions to come, from rows of gold.promotion_response of one source.

    Between the depths of the table logs are interpolated, below the smallest in proportion from none; beyond the
    greatest the effect stays what it is there and PlanBeyondHistory is warned of. A brand without rows takes those of its category.
    """

    def __init__(self, response: pd.DataFrame) -> None:
        require_columns(response, (*WANTED, "uplift"), "the response")
        self._curves = {
            tuple(key): (part["discount_share"].to_numpy(dtype=np.float64), np.log1p(part["uplift"].to_numpy(dtype=np.float64)))
            for key, part in response.sort_values("discount_share", kind="stable").groupby(list(WANTED[:4]), observed=True)
        }

    def log_uplift(self, plan_frame: pd.DataFrame) -> Floats:
        """The log of what sales are multiplied by, one number per row of the plan; 0 where `discount_share` is 0.

        ValueError names a missing column and the first category, mechanic and display that was never tried.
        """
        require_columns(plan_frame, WANTED, "the plan")
        told = np.zeros(len(plan_frame))
        depth = plan_frame["discount_share"].to_numpy(dtype=np.float64)
        if np.isnan(depth).any() or (depth < 0).any() or (depth >= 1).any():
            raise ValueError("discount_share of the plan is missing or not between 0 and 1; expected a share of the list price")
        beyond: Beyond = {}
        promoted = plan_frame.reset_index(drop=True)[depth > 0]
        for key, rows in promoted.groupby(list(WANTED[:4]), observed=True, dropna=False).indices.items():
            at = promoted.index.to_numpy()[rows]
            told[at] = self.logs(key, depth[at])  # type: ignore[arg-type]  # a key of several columns is a tuple
            self.add_beyond(beyond, key, depth[at])  # type: ignore[arg-type]
        self.warn(beyond)
        return told

    def logs(self, key: tuple[object, ...], depth: Floats) -> Floats:
        """The log of what sales are multiplied by at some depths, of one category, brand, mechanic and display."""
        depths, logs = self._curve(key)
        told: Floats = np.interp(depth, [0.0, *depths], [0.0, *logs])
        return told

    def add_beyond(self, beyond: Beyond, key: tuple[object, ...], depth: Floats) -> None:
        """Note the greatest of some depths of a key's category where it is greater than any that was tried, with that one."""
        deepest, most = float(self._curve(key)[0][-1]), float(depth.max(initial=0.0))
        if most > deepest + MARGIN and most > beyond.get(key[0], (0.0, 0.0))[0]:
            beyond[key[0]] = most, deepest

    def tried(self, category: str) -> set[tuple[str, bool]]:
        """The mechanics of a category that can be told of, each with whether SKUs were displayed besides."""
        return {(str(kind), bool(shown)) for known, _, kind, shown in self._curves if known == category}

    def warn(self, beyond: Beyond) -> None:
        """Warn of each category with a depth that is greater than any that was tried."""
        for category, (most, deepest) in beyond.items():
            warnings.warn(
                f"{100 * most:.4g} % in category {category} is a deeper discount than was ever tried there, and is told the effect of "
                f"{100 * deepest:.4g} %",
                PlanBeyondHistory,
                stacklevel=3,
            )

    def _curve(self, key: tuple[object, ...]) -> tuple[Floats, Floats]:
        category, brand, mechanic, display = key
        for name in (brand, ALL_BRANDS):
            found = self._curves.get((category, name, mechanic, display))
            if found is not None:
                return found
        names = ", ".join(f"{kind}{' with display' if shown else ''}" for kind, shown in sorted(self.tried(str(category))))
        raise ValueError(
            f"{mechanic}{' with display' if display else ''} was never tried in category {category}; expected {names or 'another category'}"
        )
