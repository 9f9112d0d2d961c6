"""One source's past as planning takes it, read from the lake: its rows, and what the analysis of its promotions says."""

from __future__ import annotations

import pandas as pd

from sales_tech.contracts.calendar import RetailCalendar
from sales_tech.contracts.pack import load_packs
from sales_tech.engines.duck import DuckEngine
from sales_tech.lake.store import Lake
from sales_tech.planning import SourcePast
from sales_tech.settings import Settings
from sales_tech.transform.promotion_frames import SourceRows
from sales_tech.transform.sources import view_table

RESULTS, DAYS, RESPONSE = "gold.promotion_results", "gold.promotion_daily", "gold.promotion_response"
ELASTICITY = "gold.price_elasticity"
ESTIMATES = (RESULTS, DAYS, RESPONSE, ELASTICITY)
_COLUMNS = {
    RESULTS: (
        *("promotion_id", "channel", "region", "incremental_units", "cannibalised_units", "halo_units", "pulled_forward_units"),
        "halo_margin",
    ),
    DAYS: ("promotion_id", "sku", "sold_on", "phase", "baseline_units", "uplift_units", "share"),
    RESPONSE: (
        *("category", "brand", "mechanic", "display", "discount_share", "uplift", "uplift_low", "uplift_high", "works_share"),
        *("depth_from", "depth_to", "promotions"),
    ),
    ELASTICITY: ("category", "brand", "discount_share", "elasticity"),
}
_ONLY = {DAYS: "where phase <> 'before'"}
# The same rows in the same order give the same sums to the last digit.
_ORDER = {
    RESULTS: "promotion_id",
    DAYS: "promotion_id, sku, sold_on",
    RESPONSE: "category, brand, mechanic, display, discount_share",
    ELASTICITY: "category, brand, discount_share",
}
_TEXTS = ("promotion_id", "channel", "region", "sku", "phase", "category", "brand", "mechanic", "display")


def calendars_of(settings: Settings) -> dict[str, RetailCalendar]:
    """What each pack says of its retailer's calendar, by source."""
    return {name: pack.calendar for name, pack in load_packs(settings.sources).items()}


def read_past(lake: Lake, engine: DuckEngine, source: str, rows: SourceRows, calendar: RetailCalendar | None = None) -> SourcePast:
    """The past of a source whose frames were read already."""
    results, daily, response, elasticity = (read_estimate(lake, engine, source, name) for name in ESTIMATES)
    return SourcePast(rows.frames, results, daily, response, elasticity, rows.currency, calendar)


def read_estimate(lake: Lake, engine: DuckEngine, source: str, name: str) -> pd.DataFrame:
    """One source's rows of one of ESTIMATES, with the columns that planning reads, numbers as floats."""
    view_table(engine, lake, name, files=[file for file in lake.files(name) if file.partition[0] == source])
    shown = ", ".join(_value(column) for column in _COLUMNS[name])
    frame: pd.DataFrame = engine.arrow(f"select {shown} from {name} {_ONLY.get(name, '')} order by {_ORDER[name]}").to_pandas()
    texts = [column for column in frame if column in _TEXTS and column != "display"]
    return frame.astype(dict.fromkeys(texts, object)) if texts else frame


def _value(column: str) -> str:
    if column in _TEXTS:
        return column
    return f"cast({column} as {'timestamp_s' if column == 'sold_on' else 'double'}) as {column}"
