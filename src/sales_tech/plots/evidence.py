"""How a picture shows that the sales tell little: pale, hatched, and said in words."""

from __future__ import annotations

from typing import Any

import pandas as pd

THIN = ("thin", "none")
HATCH = "////"


def thin(evidence: pd.Series) -> pd.Series:
    """Tell which rows rest on thin evidence or on none."""
    return evidence.isin(THIN)


def bar_style(colour: str, *, hatched: bool) -> dict[str, Any]:
    """The colours of a bar, hatched on white where the evidence is thin; the edge keeps a small one in sight."""
    if hatched:
        return {"facecolor": "white", "edgecolor": colour, "hatch": HATCH, "linewidth": 0.8}
    return {"facecolor": colour, "edgecolor": colour, "linewidth": 0.8}
