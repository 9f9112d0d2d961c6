"""What promotions to come will sell and earn: a baseline without promotions times the effects that the analysis of promotions found.

`demand` makes a panel of a source's sales, `planner` learns it, `outlook` answers plans without what it was learnt by. Nothing here
knows of lake or files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sales_tech.lazy import lazily

if TYPE_CHECKING:
    from sales_tech.forecasting.checks import PlanBeyondHistory
    from sales_tech.planning.outlook import Outlook
    from sales_tech.planning.past import SourcePast, TooLittleHistory
    from sales_tech.planning.planner import PromotionPlanner

__all__ = ["Outlook", "PlanBeyondHistory", "PromotionPlanner", "SourcePast", "TooLittleHistory"]

# Whoever answers plans from an outlook needs no scikit-learn.
__getattr__ = lazily(
    __name__,
    {
        "Outlook": "sales_tech.planning.outlook",
        "PlanBeyondHistory": "sales_tech.forecasting.checks",
        "PromotionPlanner": "sales_tech.planning.planner",
        "SourcePast": "sales_tech.planning.past",
        "TooLittleHistory": "sales_tech.planning.past",
    },
)
