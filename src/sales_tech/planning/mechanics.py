"""Mechanics that a plan names, and which of them the past can tell of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sales_tech.forecasting.response import PromotionResponse
from sales_tech.planning.lookup import Lookup
from sales_tech.planning.plans import Rule, refuse


def check_mechanics(plans: pd.DataFrame, known: Lookup, response: PromotionResponse) -> None:
    """PlanRefused for a mechanic that no promotion had, and for one that was never tried with the display that is asked, or without."""
    about = [known.about[sku] for sku in plans["sku"]]
    displays = plans["display"].tolist()
    kinds = [known.mechanic(category, mechanic) for (category, _), mechanic in zip(about, plans["mechanic"], strict=True)]
    asked: dict[tuple[Any, Any, bool], list[int]] = {}
    for row, ((category, _), kind, display) in enumerate(zip(about, kinds, displays, strict=True)):
        asked.setdefault((category, kind, display), []).append(row)
    for (category, kind, display), rows in asked.items():
        tried = response.tried(str(category))
        if (kind, display) in tried:
            continue
        wrong = np.zeros(len(plans), dtype=bool)
        wrong[rows] = True
        told = plans.assign(category=category, kind=kind)
        if (kind, not display) in tried:
            way, other = ("with", "no display") if display else ("without", "display")
            refuse(told, Rule("display", f"{{kind}} was never tried {way} display in category {{category}}", other, wrong))
        names = sorted({mechanic for mechanic, _ in tried})
        refuse(told, Rule("mechanic", "mechanic is {mechanic}, which was never tried", ", ".join(names) or "another category", wrong))
