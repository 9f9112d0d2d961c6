"""Which sources of a lake can be served."""

from __future__ import annotations

from sales_tech.errors import ModelError
from sales_tech.lake.store import Lake
from sales_tech.models.registry import Registry
from sales_tech.settings import Settings
from sales_tech.transform.forecasts import DEMAND
from sales_tech.transform.promotion_frames import sources_of


def known_source(settings: Settings, source: str | None) -> str | None:
    """The source that was named, if any; ModelError with the names that would do where it has neither forecast nor model."""
    if source is None:
        return None
    known = sources_of(Lake(settings), DEMAND) | set(Registry(settings).sources())
    if source not in known:
        expected = f"one of {', '.join(sorted(known))}" if known else "one that `python pipeline.py run` has forecast; there is none yet"
        raise ModelError(f"no forecast and no model of source {source}; expected --source with {expected}")
    return source
