"""The page of dashboards: made on request, and anew after a run that changed something."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sales_tech.dashboards.page import PAGE, write_page
from sales_tech.dashboards.reading import load_dashboards
from sales_tech.dashboards.specification import Dashboard
from sales_tech.errors import SalesTechError, SettingsError
from sales_tech.lake.query import Reader
from sales_tech.orchestration.pipeline import SUCCEEDED, Outcome
from sales_tech.platform import platform_of
from sales_tech.settings import Settings, asset

# What managers ask for first; other dashboards follow by their names.
_FIRST = ("sales", "promotions")


@dataclass(frozen=True)
class Refreshed:
    """Where the page of a run is, or why there is none."""

    place: str | None = None
    problem: str | None = None


def make_page(settings: Settings, output: Path | None = None) -> Path:
    """Write the page of all dashboards, by default beside the lake's tables; raises as `write_page` and `load_dashboards` do."""
    if output is not None and not output.name:
        raise SettingsError(f"the output is {str(output)!r}; expected a file such as {PAGE}")
    return write_page(_dashboards(), Reader(settings), output or settings.work / PAGE)


def refresh(outcome: Outcome) -> Refreshed | None:
    """Make the page anew after a run of which a step succeeded; None where nothing was to be done.

    What keeps the page from being made is told and fails no run, whose tables are whole. On AWS the page lies among the run's notebooks.
    """
    if not any(step.outcome == SUCCEEDED for step in outcome.steps):
        return None
    run = outcome.run
    local = run.settings.env == "local"
    try:
        path = make_page(run.settings, None if local else run.folder / PAGE)
        platform_of(run.settings).publish(run.folder)
    except (SalesTechError, OSError, ImportError, ValueError) as error:  # ValueError: the bundle of Vega cannot be made
        return Refreshed(problem=f"{error}; `python pipeline.py dashboard` tries again")
    return Refreshed(place=str(path) if local else f"{run.settings.lake}/runs/{run.run_id}/{PAGE}")


def _dashboards() -> list[Dashboard]:
    found = load_dashboards(asset("dashboards"))
    return sorted(found, key=lambda one: (_FIRST.index(one.name) if one.name in _FIRST else len(_FIRST), one.name))
