"""What each promotion really earned: estimation from frames, without lake and files.

A baseline is imputed from unpromoted behaviour (`baseline`, `states`, `shelf`), the effects of depth and mechanic
are partially pooled (`lifts`), what neighbours and later weeks lose or gain is told apart (`spillovers`), errors
are calibrated on promotions that never were (`placebo`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sales_tech.lazy import lazily

if TYPE_CHECKING:
    from sales_tech.promotions.assembly import build_panel
    from sales_tech.promotions.effects import PromotionEffects, estimate
    from sales_tech.promotions.frames import Estimates, SourceFrames
    from sales_tech.promotions.inference import infer_promotions
    from sales_tech.promotions.panel import PromotionPanel

__all__ = ["Estimates", "PromotionEffects", "PromotionPanel", "SourceFrames", "build_panel", "estimate", "infer_promotions"]

# Planning needs the frames only, and answers from them without scikit-learn.
__getattr__ = lazily(
    __name__,
    {
        "Estimates": "sales_tech.promotions.frames",
        "PromotionEffects": "sales_tech.promotions.effects",
        "PromotionPanel": "sales_tech.promotions.panel",
        "SourceFrames": "sales_tech.promotions.frames",
        "build_panel": "sales_tech.promotions.assembly",
        "estimate": "sales_tech.promotions.effects",
        "infer_promotions": "sales_tech.promotions.inference",
    },
)
