"""What each promotion really earned: estimation from frames, without lake and files.

A baseline is imputed from unpromoted behaviour (`baseline`, `states`, `shelf`), the effects of depth and mechanic
are partially pooled (`lifts`), what neighbours and later weeks lose or gain is told apart (`spillovers`), errors
are calibrated on promotions that never were (`placebo`).
"""

from __future__ import annotations

from sales_tech.promotions.assembly import build_panel
from sales_tech.promotions.effects import PromotionEffects, estimate
from sales_tech.promotions.frames import Estimates, SourceFrames
from sales_tech.promotions.inference import infer_promotions
from sales_tech.promotions.panel import PromotionPanel

__all__ = ["Estimates", "PromotionEffects", "PromotionPanel", "SourceFrames", "build_panel", "estimate", "infer_promotions"]
