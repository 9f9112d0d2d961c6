"""One source's sales and what supports them, read from the lake as the estimation of promotions takes them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sales_tech.engines.dialect import literal
from sales_tech.engines.duck import DuckEngine
from sales_tech.lake.store import Lake
from sales_tech.promotions.frames import SourceFrames, without_strays
from sales_tech.transform.sources import view_table

DAILY, PRODUCTS, STORES = "gold.daily_sales", "silver.products", "silver.stores"
PROMOTIONS, STOCKOUTS = "silver.promotions", "silver.stockouts"
INPUTS = (DAILY, PRODUCTS, STORES, PROMOTIONS, STOCKOUTS)

_MOST_NAMED = 3  # days that a note gives one by one
_TEXTS = {
    # column: the tables that have it
    "sku": (DAILY, PRODUCTS, PROMOTIONS, STOCKOUTS),
    "store_id": (DAILY, STORES, STOCKOUTS),
    "channel": (DAILY, STORES, PROMOTIONS),
    "category": (PRODUCTS,),
    "brand": (PRODUCTS,),
    "state": (STORES,),
    "region": (STORES, PROMOTIONS),
    "promotion_id": (PROMOTIONS,),
    "name": (PROMOTIONS,),
    "mechanic": (PROMOTIONS,),
}
_DAYS = ("sold_on", "valid_from", "valid_to", "opened_on", "starts_on", "ends_on")
_FLOATS = ("gross_sales", "discount", "net_sales", "price", "cost", "discount_share", "investment")
_COLUMNS = {
    DAILY: ("sold_on", "store_id", "sku", "channel", "units", "gross_sales", "discount", "net_sales"),
    PRODUCTS: ("sku", "valid_from", "valid_to", "category", "brand", "price", "cost"),
    STORES: ("store_id", "state", "region", "channel", "opened_on"),
    PROMOTIONS: (
        *("promotion_id", "sku", "name", "mechanic", "discount_share", "starts_on", "ends_on"),
        *("channel", "region", "display", "investment"),
    ),
    STOCKOUTS: ("store_id", "sku", "starts_on", "ends_on"),
}
# What promotions move is what customers buy. Goods that come back do so on another day under another order, at the price of
# another day, and would be taken off a demand that they have nothing to do with.
_BEFORE_RETURNS = {
    "units": "units + returned_units",
    "gross_sales": "gross_sales + returned_gross_sales",
    "discount": "discount + returned_gross_sales - returned_net_sales",
    "net_sales": "net_sales + returned_net_sales",
}
_ONLY = {DAILY: "where units + returned_units > 0", PROMOTIONS: "where withdrawn is distinct from true"}
_ORDER = {
    # so that the same rows always come in the same order, and give the same sums to the last digit
    DAILY: "sold_on, store_id, sku",
    PRODUCTS: "sku, valid_from",
    STORES: "store_id",
    PROMOTIONS: "promotion_id, sku",
    STOCKOUTS: "store_id, sku, starts_on",
}


@dataclass(frozen=True)
class SourceRows:
    """The frames of one source, the currency of its money, how many rows they were read from, and what was left out of them."""

    frames: SourceFrames
    currency: str
    rows: int
    notes: tuple[str, ...] = ()


def sources_of(lake: Lake, name: str) -> set[str]:
    """The sources that have rows in a table whose first partition field is the source."""
    return {str(file.partition[0]) for file in lake.files(name)}


def read_source(lake: Lake, engine: DuckEngine, source: str) -> SourceRows | None:
    """The frames of one source with sales, or None for one without; sales are before returns.

    Names come as categoricals that share their categories between the frames, which keeps ten million rows small.
    """
    files = {name: [file for file in lake.files(name) if file.partition[0] == source] for name in INPUTS}
    if not files[DAILY]:
        return None
    for name in INPUTS:
        view_table(engine, lake, name, files=files[name])
    for column, tables in _TEXTS.items():
        named = " union ".join(f"select {column} as name from {table} where {column} is not null" for table in tables)
        engine.execute(f"create or replace type {column}_names as enum (select name from ({named}) order by name)")
    (currency,) = engine.row(f"select max(currency) from {DAILY} where source = {literal(source)}")
    frames = {name: _frame(engine, name) for name in INPUTS}
    if frames[DAILY].empty:
        return None
    told = {name: frame if len(frame) else None for name, frame in frames.items()}
    rows = sum(len(frame) for frame in frames.values())
    daily, notes = _together(frames[DAILY])
    return SourceRows(SourceFrames(daily, frames[PRODUCTS], told[STORES], told[PROMOTIONS], told[STOCKOUTS]), currency, rows, notes)


def _together(daily: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    by_day = daily.groupby("sold_on", sort=True)["units"].sum()
    kept = without_strays(by_day).index
    if len(kept) == len(by_day):
        return daily, ()
    inside = daily["sold_on"].between(kept[0], kept[-1])
    strays = by_day.index.difference(kept)
    named = ", ".join(f"{day:%Y-%m-%d}" for day in strays[:_MOST_NAMED])
    more = f" and {len(strays) - _MOST_NAMED} more days" if len(strays) > _MOST_NAMED else ""
    found = f"sales on {named}{more} ({int((~inside).sum())} rows) lie more than a year from all others and are left out"
    why = f"since those of {kept[0]:%Y-%m-%d} to {kept[-1]:%Y-%m-%d} are more units"
    return daily[inside].reset_index(drop=True), (f"{found}, {why}; mend their dates, or land what was sold between",)


def _frame(engine: DuckEngine, name: str) -> pd.DataFrame:
    shown = ", ".join(f"{_value(name, column)} as {column}" for column in _COLUMNS[name])
    table = engine.arrow(f"select {shown} from {name} {_ONLY.get(name, '')} order by {_ORDER[name]}")
    # The Arrow columns are let go one by one, so that the rows are not held twice.
    frame: pd.DataFrame = table.to_pandas(self_destruct=True, split_blocks=True)
    return frame.astype({"display": "boolean"}) if "display" in frame else frame


def _value(name: str, column: str) -> str:
    value = _BEFORE_RETURNS.get(column, column) if name == DAILY else column
    return f"cast({value} as {kind})" if (kind := _kind(column)) else value


def _kind(column: str) -> str | None:
    if column in _TEXTS:
        return f"{column}_names"
    if column in _DAYS:
        return "timestamp_s"
    return "double" if column in _FLOATS else None
