"""What promotions move: the effects of those that were judged, asked for any category, mechanic and depth."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from sales_tech.forecasting.checks import PlanBeyondHistory
from sales_tech.forecasting.response import Beyond, PromotionResponse
from sales_tech.planning.lookup import Lookup
from sales_tech.planning.transfer import EFFECTS, LEAST, with_borrowed


class Effects:
    """The effects of a source's promotions; what a category never tried is told by how mechanics differ in others."""

    def __init__(self, response: pd.DataFrame, known: Lookup) -> None:
        told = with_borrowed(response, {category for category, _ in known.about.values()})
        self._kinds, self._responses = known.kinds, dict[str, PromotionResponse]()
        if len(response):
            self._responses = {name: PromotionResponse(told.assign(uplift=told[name].clip(lower=LEAST))) for name in EFFECTS}

    @property
    def middle(self) -> PromotionResponse:
        """The response by the mean of the effects."""
        return self._responses[EFFECTS[0]]

    def logs(self, rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The log of what the promotion multiplies units by in each row (category, brand, mechanic, display, discount_share), thrice."""
        if not self._responses:
            raise ValueError("no promotion of this source could be judged yet, so none to come can be told; expected rows of the response")
        asked = [np.asarray(rows[name], dtype=object).tolist() for name in ("category", "brand", "mechanic", "display")]
        depth = np.asarray(rows["discount_share"], dtype=np.float64)
        numbers: dict[tuple[object, ...], int] = {}
        which = np.array([numbers.setdefault(key, len(numbers)) for key in zip(*asked, strict=True)], dtype=np.int64)
        self._warn_untried(numbers)
        told = {}
        for name in EFFECTS:
            beyond: Beyond = {}
            response, logs = self._responses[name], np.zeros(len(depth))
            for key, number in numbers.items():
                at = which == number
                logs[at] = response.logs(key, depth[at])
                response.add_beyond(beyond, key, depth[at])
            if name == EFFECTS[0]:
                response.warn(beyond)
            told[name] = logs
        return told

    def _warn_untried(self, keys: Iterable[tuple[object, ...]]) -> None:
        for category, mechanic in dict.fromkeys((key[0], key[2]) for key in keys):
            if (category, mechanic) not in self._kinds:
                warnings.warn(
                    f"mechanic {mechanic} was never tried in category {category}, so its effect there is taken from other categories",
                    PlanBeyondHistory,
                    stacklevel=4,
                )
