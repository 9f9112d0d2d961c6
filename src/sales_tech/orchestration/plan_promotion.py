"""A promotion that is thought of, answered in the terminal: what sells, what is earned, and which depth earns most."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sales_tech.engines.duck import open_engine
from sales_tech.errors import SettingsError
from sales_tech.lake.store import Lake
from sales_tech.money import money
from sales_tech.orchestration.summary import print_table
from sales_tech.planning import Outlook, PlanBeyondHistory
from sales_tech.planning.cautions import cautions
from sales_tech.settings import Settings
from sales_tech.transform.outlooks import read_outlook, source_of

NAME = "plan"
USUAL_DAYS = 10
_MOST_SKUS = 15


@dataclass(frozen=True)
class Wish:
    """A promotion as the command line gives it; None and empty mean: not told."""

    skus: tuple[str, ...] = ()
    category: str | None = None
    discounts: tuple[float, ...] = ()
    mechanic: str | None = None
    first: date | None = None
    days: int | None = None
    last: date | None = None
    channels: tuple[str, ...] = ()
    region: str | None = None
    display: bool = False
    investment: float = 0.0


@dataclass(frozen=True)
class Answer:
    """What the outlook says of a wish: its depths by rank, the rows of the depth that is planned (or earns most), and what to know of it.

    `warnings` are of what goes beyond the past, `cautions` of days that are over and places where nothing is sold.
    """

    source: str
    outlook: Outlook
    depths: pd.DataFrame
    rows: pd.DataFrame
    depth: float
    warnings: tuple[str, ...]
    cautions: tuple[str, ...]


def at_the_ends(depths: pd.DataFrame) -> str:
    """Which of the depths, ordered by rank, would be best with the effect at either end of its range; empty where no cost is known."""
    if depths["net_margin"].isna().any():
        return ""
    best = depths.iloc[0]
    said: list[str] = []
    for end in ("weak", "strong"):
        there = depths.iloc[int(depths[f"net_margin_if_{end}"].to_numpy().argmax())]
        pays, share = there[f"net_margin_if_{end}"] > 0, there["discount_share"]
        if pays != (best["net_margin"] > 0) or (pays and share != best["discount_share"]):
            of = "" if said else " of its 80 % range"
            said.append(f"at the {end} end{of} {f'{_percent(share)} would earn most' if pays else 'none would pay'}")
    return f"With the effect {', '.join(said)}." if said else "So it would be at both ends of the effect's 80 % range."


def share_of(text: str) -> float:
    """A discount as a share of the list price: 20%, 20 and 0.2 are the same. SettingsError for anything else."""
    plain = text.strip().removesuffix("%").replace(",", ".")
    try:
        value = float(plain)
    except ValueError as error:
        raise SettingsError(f"discount {text!r}; expected a share of the list price such as 20% or 0.2") from error
    share = value / 100 if text.strip().endswith("%") or value >= 1 else value
    if not 0 < share < 1:
        raise SettingsError(f"discount {text!r}; expected more than none and less than all of the list price, such as 20%")
    return share


def answer(settings: Settings, wish: Wish, source: str | None = None) -> Answer:
    """Ask the last forecast of a source; SettingsError where the promotion cannot be, LakeError where there is no forecast."""
    if not (math.isfinite(wish.investment) and wish.investment >= 0):
        raise SettingsError(f"investment is {wish.investment}; expected an amount of 0 or more, such as 5000")
    with open_engine(settings) as engine:
        lake = Lake(settings)
        source = source_of(lake, source)
        outlook = read_outlook(lake, engine, source)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", PlanBeyondHistory)
            plans = plans_of_wish(outlook, wish)
            compared = len(wish.discounts) > 1
            depths = outlook.alternatives(plans, wish.discounts if compared else None)
            if compared:
                depths = depths[depths["discount_share"].isin(wish.discounts)]
            if len(wish.discounts) != 1:
                # No depth was planned: the plan had to begin at one of those that are compared.
                depths = depths.assign(planned=False)
            depth = float(plans["discount_share"].iloc[0]) if len(wish.discounts) == 1 else float(depths["discount_share"].iloc[0])
            rows = outlook.forecast(plans.assign(discount_share=depth))
    except ValueError as error:
        raise SettingsError(str(error).removeprefix(f"promotion {NAME}, ")) from error
    said = tuple(dict.fromkeys(str(warning.message) for warning in caught))
    known = tuple(caution.removeprefix(f"promotion {NAME} ") for caution in cautions(outlook, plans, rows))
    return Answer(source, outlook, depths.reset_index(drop=True), rows, depth, said, known)


def plans_of_wish(outlook: Outlook, wish: Wish) -> pd.DataFrame:
    """The rows of the plan that a wish means; SettingsError where it names neither SKUs nor a category that is known."""
    prices = outlook.prices.drop_duplicates("sku")
    sold = prices[prices["sku"].isin(outlook.members["sku"])]
    skus = [sku for sku in dict.fromkeys(wish.skus) if sku]
    if wish.category is not None:
        mine = sold.loc[sold["category"] == wish.category, "sku"]
        if mine.empty:
            raise SettingsError(f"no category {wish.category}; expected one of {', '.join(sorted(sold['category'].unique()))}")
        skus += [sku for sku in mine if sku not in skus]
    if not skus:
        raise SettingsError("no SKU was named; expected --sku or --category")
    first = pd.Timestamp(wish.first or (outlook.origin + timedelta(days=1)))
    last = pd.Timestamp(wish.last) if wish.last else first + timedelta(days=(wish.days or USUAL_DAYS) - 1)
    tried = outlook.response.loc[outlook.response["category"].isin(sold.loc[sold["sku"].isin(skus), "category"]), "discount_share"]
    depth = wish.discounts[0] if wish.discounts else float(tried.min()) if len(tried) else 0.1
    about: dict[str, object] = {"mechanic": wish.mechanic, "discount_share": depth, "channel": wish.channels, "region": wish.region}
    about |= {"starts_on": first, "ends_on": last, "display": wish.display, "investment": wish.investment / len(skus)}
    return pd.DataFrame([{"promotion_id": NAME, "sku": sku} | about for sku in skus])


def show_promotion(console: Console, told: Answer, form: str) -> None:
    """The answer as text and tables, or as JSON that holds nothing but the data."""
    if form == "json":
        console.file.write(json.dumps(_document(told), ensure_ascii=False, indent=1) + "\n")
        return
    rows, best = told.rows, told.depths.iloc[0]
    days = f"{rows['sold_on'].min():%Y-%m-%d} to {rows['sold_on'].max():%Y-%m-%d}"
    skus = rows["sku"].nunique()
    console.print(
        f"{told.source}: {skus} SKU{'s' if skus > 1 else ''}, {days}, {', '.join(sorted(rows['channel'].unique()))}, "
        f"{', '.join(sorted(rows['mechanic'].unique()))}; sales are known up to {told.outlook.origin:%Y-%m-%d}",
        highlight=False,
        soft_wrap=True,
    )
    for warning in told.warnings:
        console.print(f"[yellow]beyond what was tried[/] {escape(warning)}", highlight=False, soft_wrap=True)
    for caution in told.cautions:
        console.print(f"[yellow]mind[/] the promotion {escape(caution)}", highlight=False, soft_wrap=True)
    if not rows["baseline_units"].sum() > 0:
        console.print("[bold]Nothing is sold there[/]: no depth of discount can be judged.", highlight=False)
        return
    print_table(console, _depth_table(told))
    what, earned = (
        ("net margin", best["net_margin"]) if not math.isnan(best["net_margin"]) else ("revenue added", best["incremental_revenue"])
    )
    if earned > 0:
        verdict = f"[bold]{_percent(best['discount_share'])} earns most[/]: {what} {_money(earned, told)} beyond doing nothing."
    else:
        verdict = f"[bold]None of these depths earns more than doing nothing[/]: the best loses {_money(-earned, told)}."
    console.print(f"{verdict} {at_the_ends(told.depths)}".strip(), highlight=False, soft_wrap=True)
    print_table(console, _sku_table(told))


def _depth_table(told: Answer) -> Table:
    table = _table("rank", "discount", "units without", "units", "80 % range", "revenue", "margin", "net margin", "80 % range")
    for row in told.depths.to_dict("records"):
        marks = f"{' planned' if row['planned'] else ''}{' beyond tried' if row['beyond_tried'] else ''}"
        table.add_row(
            *(str(row["rank"]), _percent(row["discount_share"]) + marks, _units(row["baseline_units"]), _units(row["units"])),
            f"{_units(row['units_low'])} to {_units(row['units_high'])}",
            *(_money(row[name], told) for name in ("revenue", "margin", "net_margin")),
            f"{_money(row['net_margin_low'], told)} to {_money(row['net_margin_high'], told)}",
        )
    return table


def _sku_table(told: Answer) -> Table:
    sums = told.rows.groupby("sku", sort=True)[["baseline_units", "units", "revenue"]].sum()
    sums["margin"] = told.rows.groupby("sku", sort=True)["margin"].sum(min_count=1)
    sums["price"] = told.rows.groupby("sku", sort=True)["price"].first()
    sums = sums.sort_values("revenue", ascending=False, kind="stable")
    more = f", the {_MOST_SKUS} that sell most of {len(sums)}" if len(sums) > _MOST_SKUS else ""
    table = _table("SKU", "price", "units without", "units", "revenue", "margin", title=f"At {_percent(told.depth)}{more}")
    for sku, row in sums.head(_MOST_SKUS).iterrows():
        figures = (_units(row["baseline_units"]), _units(row["units"]), _money(row["revenue"], told), _money(row["margin"], told))
        table.add_row(escape(str(sku)), _money(row["price"], told, cents=True), *figures)
    return table


def _table(*columns: str, title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, justify="left" if column in ("SKU", "discount") else "right", no_wrap=True)
    return table


def _document(told: Answer) -> dict[str, Any]:
    return {
        "source": told.source,
        **told.outlook.about,
        "discount_share": told.depth,
        "warnings": [*told.warnings, *(f"the promotion {caution}" for caution in told.cautions)],
        "alternatives": _records(told.depths.drop(columns="promotion_id")),
        "forecast": _records(told.rows.drop(columns="promotion_id")),
    }


def _records(frame: pd.DataFrame) -> Sequence[dict[str, Any]]:
    parsed: Sequence[dict[str, Any]] = json.loads(frame.assign(**_dates(frame)).to_json(orient="records", double_precision=4))
    return parsed


def _dates(frame: pd.DataFrame) -> dict[str, pd.Series]:
    return {name: frame[name].dt.strftime("%Y-%m-%d") for name in frame.columns if pd.api.types.is_datetime64_any_dtype(frame[name])}


def _units(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:,.1f}"


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _money(value: float, told: Answer, *, cents: bool = False) -> str:
    return "not known" if math.isnan(value) else money(value, told.outlook.currency, 2 if cents else 0)
