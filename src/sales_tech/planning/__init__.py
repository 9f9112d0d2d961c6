"""What promotions to come will sell and earn: a baseline without promotions times the effects that the analysis of promotions found.

`demand` makes a panel of a source's sales, `planner` learns it, `outlook` answers plans without what it was learnt by. Nothing here
knows of lake or files.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sales_tech.forecasting.checks import PlanBeyondHistory
    from sales_tech.planning.outlook import Outlook
    from sales_tech.planning.past import SourcePast, TooLittleHistory
    from sales_tech.planning.planner import PromotionPlanner

__all__ = ["Outlook", "PlanBeyondHistory", "PromotionPlanner", "SourcePast", "TooLittleHistory"]

_PLACES = {
    "Outlook": "planning.outlook",
    "PlanBeyondHistory": "forecasting.checks",
    "PromotionPlanner": "planning.planner",
    "SourcePast": "planning.past",
    "TooLittleHistory": "planning.past",
}


def __getattr__(name: str) -> Any:
    # Whoever answers plans from an outlook needs no scikit-learn, which takes a second to import.
    if name in _PLACES:
        return getattr(import_module(f"sales_tech.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
