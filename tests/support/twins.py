"""Small lakes of the synthetic retailer, for tests of what comes after the estimates."""

from __future__ import annotations

from pathlib import Path

from tests.support.nights import night, settings_in

from sales_tech.engines.duck import open_engine
from sales_tech.lake.store import Lake
from sales_tech.planning import SourcePast
from sales_tech.runs import Run
from sales_tech.settings import Settings
from sales_tech.transform import promotions
from sales_tech.transform.planning_past import read_past
from sales_tech.transform.promotion_frames import read_source
from sales_tech.twin import Size, write_twin


def lake_with_estimates(folder: Path, size: Size) -> Settings:
    """A lake up to the estimates of its promotions."""
    settings = settings_in(folder, "erp_br")
    write_twin(settings.landing, size=size, dirt=False)
    night(settings)
    promotions.run(Run.begin(settings))
    return settings


def past_of(settings: Settings, source: str = "erp_br") -> SourcePast:
    """What a planner learns from, as it stands in a lake."""
    with open_engine(settings) as engine:
        lake = Lake(settings)
        found = read_source(lake, engine, source)
        assert found is not None
        return read_past(lake, engine, source, found)
