"""What every transform step works with: lake, engine, packs and their checked mappings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from sales_tech.contracts.pack import Pack, load_packs
from sales_tech.engines.chosen import open_chosen_engine
from sales_tech.engines.duck import open_engine
from sales_tech.engines.engine import Engine
from sales_tech.lake.kinds import check_kinds
from sales_tech.lake.store import Lake
from sales_tech.runs import Run
from sales_tech.transform.mapping import BoundMapping, checked_packs


@dataclass(frozen=True)
class Workshop:
    """An open lake and engine, with the packs whose SQL was checked against them."""

    lake: Lake
    engine: Engine
    packs: dict[str, Pack]
    mappings: dict[str, dict[str, BoundMapping]]


@contextmanager
def open_workshop(run: Run) -> Iterator[Workshop]:
    """Open everything for one step, and close the engine at its end."""
    packs = load_packs(run.settings.sources)
    with ExitStack() as opened:
        # The embedded engine has the check's words for what is wrong, whichever engine does the work; a cluster is not started before.
        embedded = run.settings.engine == "duckdb"
        checking = opened.enter_context(open_engine(run.settings, hashing=embedded))
        mappings = checked_packs(packs, checking)
        lake = Lake(run.settings)
        check_kinds(lake, checking, packs)
        engine = checking if embedded else opened.enter_context(open_chosen_engine(run.settings, hashing=True))
        yield Workshop(lake, engine, packs, mappings)
