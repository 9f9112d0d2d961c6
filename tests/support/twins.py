"""Small lakes of the synthetic retailer, for tests of what comes after the estimates."""

from __future__ import annotations

from pathlib import Path

from tests.support.nights import night, settings_in

from sales_tech.runs import Run
from sales_tech.settings import Settings
from sales_tech.transform import promotions
from sales_tech.twin import Size, write_twin


def lake_with_estimates(folder: Path, size: Size) -> Settings:
    """A lake up to the estimates of its promotions."""
    settings = settings_in(folder, "erp_br")
    write_twin(settings.landing, size=size, dirt=False)
    night(settings)
    promotions.run(Run.begin(settings))
    return settings
