"""What each promotion really earned: estimation from frames, without lake and files.

A baseline is imputed from unpromoted behaviour (`baseline`, `states`, `shelf`), the effects of depth and mechanic
are partially pooled (`lifts`), what neighbours and later weeks lose or gain is told apart (`spillovers`), errors
are calibrated on promotions that never were (`placebo`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sales_tech.promotions.assembly import build_panel
    from sales_tech.promotions.effects import PromotionEffects, estimate
    from sales_tech.promotions.frames import Estimates, SourceFrames
    from sales_tech.promotions.inference import infer_promotions
    from sales_tech.promotions.panel import PromotionPanel

__all__ = ["Estimates", "PromotionEffects", "PromotionPanel", "SourceFrames", "build_panel", "estimate", "infer_promotions"]

_PLACES = {
    "Estimates": "frames",
    "PromotionEffects": "effects",
    "PromotionPanel": "panel",
    "SourceFrames": "frames",
    "build_panel": "assembly",
    "estimate": "effects",
    "infer_promotions": "inference",
}


def __getattr__(name: str) -> Any:
    # Planning needs the frames only, and answers from them where scikit-learn would take a second to import.
    if name in _PLACES:
        return getattr(import_module(f"sales_tech.promotions.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
