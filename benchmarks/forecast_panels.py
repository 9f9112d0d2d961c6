"""The panels that forecasters are compared on: synthetic retailers, a real marketplace, and two kinds of stress."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from forecast_shops import departments_frame, items_frame, stores_frame

from sales_tech.twin.demand import Demand
from sales_tech.twin.retailer import Retailer, make_retailer
from sales_tech.twin.scenario import Size, scenario_named
from sales_tech.twin.stores import CHANNELS

# Categories are small at this size, so that a promotion has one or two SKUs: more of them promote as many days as of a large retailer.
SIZE = Size(stores=50, skus=60, months=18, promotions=180)
LARGE = Size(stores=50, skus=400, months=18, promotions=1200)
REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TECHNOLOGY = (
    "informatica_acessorios",
    "telefonia",
    "eletronicos",
    "consoles_games",
    "audio",
    "telefonia_fixa",
    "pcs",
    "tablets_impressao_imagem",
    "cine_foto",
    "pc_gamer",
)
# The first and the last week in which the marketplace was open and its data are whole.
FIRST_WEEK, LAST_WEEK = pd.Timestamp("2017-01-02"), pd.Timestamp("2018-08-20")
NOT_SOLD = ("canceled", "unavailable")
NO_MECHANIC = "none"
EXPECTED = "expected"


class NoData(Exception):
    """The data of a panel are not there."""


@dataclass(frozen=True)
class Panel:
    """Complete periods of many series, zeros filled in, and what the columns are.

    `promoted` is the column that is above 0 in promoted rows, `group` the one by which figures are shown; None: there is none.
    Synthetic panels also have the column EXPECTED, the mean of which the units were drawn.
    """

    frame: pd.DataFrame
    series: list[str]
    plan: list[str]
    static: list[str]
    freq: str
    horizon: int
    promoted: str | None = None
    group: str | None = None
    time: str = "date"
    target: str = "units"


def make_panel(name: str, seed: int, data: Path = REAL_DATA) -> Panel:
    """The panel of a name; the seed matters to all but the real one."""
    if name.startswith("twin-"):
        _, difficulty, *large = name.split("-")
        return twin_panel(difficulty, seed, LARGE if large else SIZE)
    if name in SHOPS:
        maker, about = SHOPS[name]
        return Panel(maker(seed), ["series"], *about)
    return {"olist": lambda: olist_panel(data), "intermittent": lambda: intermittent_panel(seed), "scales": lambda: scales_panel(seed)}[
        name
    ]()


# What makes the frame; then plan and static columns, frequency, horizon, what marks promoted rows, and the group shown.
SHOPS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "stores": (stores_frame, (["promo", "open", "school_holiday"], ["type", "assortment"], "D", 42, "promo", "type")),
    "departments": (departments_frame, (["is_holiday", "markdown"], ["store", "department"], "W", 8, "markdown", "department")),
    "items": (items_frame, (["sell_price", "snap"], ["item", "store", "category"], "D", 28, None, "category")),
}
NAMES = ("twin-default", "twin-hard", "twin-default-large", "twin-hard-large", "olist", "intermittent", "scales", *SHOPS)


def twin_panel(difficulty: str, seed: int, size: Size = SIZE) -> Panel:
    """A synthetic retailer by SKU, channel and day, each SKU from its launch to its withdrawal."""
    retailer = make_retailer(scenario_named(difficulty), size, seed)
    days, catalogue = retailer.history.days, retailer.catalogue
    skus = catalogue.products["sku"]
    at = np.arange(len(days))
    frame = pd.DataFrame(
        {
            "sku": np.repeat(skus.to_numpy(), len(CHANNELS) * len(days)),
            "channel": np.tile(np.repeat(np.array(CHANNELS, dtype=object), len(days)), len(skus)),
            "date": np.tile(days.astype("datetime64[s]"), len(CHANNELS) * len(skus)),
            "price": np.repeat(catalogue.prices(len(days)).T[:, None, :] / 100, len(CHANNELS), axis=1).reshape(-1),
            **{name: table.reshape(-1) for name, table in _promotions_by_channel(retailer).items()},
            **{name: table.reshape(-1) for name, table in _sales_by_channel(retailer).items()},
        }
    )
    frame = frame.merge(catalogue.products[["sku", "category", "brand"]], on="sku", how="left")
    launch, withdrawn = (catalogue.products[name].to_numpy()[:, None, None] for name in ("launch", "withdrawn"))
    listed = np.broadcast_to((launch <= at) & (at < withdrawn), (len(skus), len(CHANNELS), len(days))).reshape(-1)
    plan = ["discount_share", "price", "mechanic", "display", "promoted_share"]
    frame = frame[listed].reset_index(drop=True)
    return Panel(frame, ["sku", "channel"], plan, ["category", "brand"], "D", 28, promoted="promoted_share", group="category")


def _sales_by_channel(retailer: Retailer) -> dict[str, np.ndarray]:
    """Of each SKU, channel and day: the units sold, and those that were to be expected."""
    demand, channel = Demand(retailer), retailer.stores["channel"].to_numpy()
    parts: dict[str, list[np.ndarray]] = {"units": [], EXPECTED: []}
    for first, stop in demand.windows():
        expected, units = demand.sales(first, stop)
        for name, cells in (("units", units.astype(np.float64)), (EXPECTED, expected.units.astype(np.float64))):
            parts[name].append(np.stack([cells[:, channel == one].sum(axis=1) for one in CHANNELS], axis=1))
    return {name: np.concatenate(tables, axis=2) for name, tables in parts.items()}


def _promotions_by_channel(retailer: Retailer) -> dict[str, np.ndarray]:
    """Of each SKU, channel and day: depth where promoted, mechanic and display of the deepest, and the share of open stores."""
    stores, days = retailer.stores, len(retailer.history.days)
    shape = len(retailer.catalogue.products), len(stores), days
    depth, mechanic, display = np.zeros(shape), np.full(shape, NO_MECHANIC, dtype=object), np.zeros(shape, dtype=bool)
    told = retailer.members.join(retailer.promotions, on="promotion")
    for member in told.itertuples():
        inside = (stores["channel"] == member.channel) if member.channel else np.ones(len(stores), dtype=bool)
        inside &= (stores["region"] == member.region) if member.region else True
        cells = np.ix_([member.product], np.flatnonzero(inside), np.arange(member.start, min(member.end + 1, days)))
        deeper = depth[cells] < member.percent / 100
        mechanic[cells] = np.where(deeper, member.mechanic, mechanic[cells])
        display[cells] = np.where(deeper, member.display, display[cells])
        depth[cells] = np.maximum(depth[cells], member.percent / 100)
    opened = stores["opened"].to_numpy()[:, None] <= np.arange(days)
    tables: dict[str, list[np.ndarray]] = {name: [] for name in ("discount_share", "mechanic", "display", "promoted_share")}
    for channel in CHANNELS:
        here = np.flatnonzero(stores["channel"] == channel)
        cut = np.where(opened[here], depth[:, here], 0.0)
        promoted = (cut > 0).sum(axis=1)
        deepest = cut.argmax(axis=1)[:, None]
        # Shares are rounded, so that they are the same where only a store has opened elsewhere.
        tables["discount_share"].append(np.round(cut.sum(axis=1) / np.maximum(promoted, 1), 4))
        tables["promoted_share"].append(np.round(promoted / np.maximum(opened[here].sum(axis=0), 1), 4))
        for name, table, none in (("mechanic", mechanic, NO_MECHANIC), ("display", display, False)):
            tables[name].append(np.where(promoted > 0, np.take_along_axis(table[:, here], deepest, axis=1)[:, 0], none))
    stacked = {name: np.stack(parts, axis=1) for name, parts in tables.items()}
    return stacked | {"display": stacked["display"].astype(np.int8)}


def olist_panel(data: Path) -> Panel:
    """Items of technology categories by week, from the orders of a Brazilian marketplace; NoData where they are not there."""
    folder = data / "olist"
    items, orders = (sorted(folder.glob(f"batches/*/olist_{kind}_dataset_*.csv.gz")) for kind in ("order_items", "orders"))
    products = folder / "reference" / "olist_products_dataset.csv.gz"
    if not (items and orders and products.is_file()):
        raise NoData(
            f"no orders of Olist at {folder}; put its monthly batches and reference files there, or name another folder with --data"
        )
    sold = pd.concat([pd.read_csv(path, usecols=["order_id", "product_id"]) for path in items], ignore_index=True)
    about = ["order_id", "order_status", "order_purchase_timestamp"]
    bought = pd.concat([pd.read_csv(path, usecols=about, parse_dates=[about[-1]]) for path in orders], ignore_index=True)
    category = pd.read_csv(products, usecols=["product_id", "product_category_name"])
    lines = sold.merge(bought[~bought["order_status"].isin(NOT_SOLD)], on="order_id").merge(category, on="product_id")
    lines = lines[lines["product_category_name"].isin(TECHNOLOGY)]
    day = lines["order_purchase_timestamp"].dt.normalize()
    lines = lines.assign(category=lines["product_category_name"], date=day - pd.to_timedelta(day.dt.weekday, unit="D"))
    by_week = lines.groupby(["date", "category"]).size().unstack(fill_value=0)
    by_week = by_week.reindex(pd.date_range(FIRST_WEEK, LAST_WEEK, freq="7D", name="date"), fill_value=0)
    frame = by_week.melt(ignore_index=False, var_name="category", value_name="units").reset_index()
    begun = (frame["units"] > 0).groupby(frame["category"]).cummax()
    return Panel(frame[begun].reset_index(drop=True), ["category"], [], [], "W", 8)


def intermittent_panel(seed: int, series: int = 300, weeks: int = 156) -> Panel:
    """Weekly series that sell in a few weeks only, some of them more in December."""
    rng = np.random.default_rng((seed, 1))
    chance = rng.beta(1.2, 4.0, (series, 1)) + 0.02
    size = rng.gamma(1.5, 1.5, (series, 1))
    at = np.arange(weeks)
    season = 1 + rng.choice([0.0, 0.8], (series, 1)) * np.exp(-0.5 * (((at % 52) - 49) / 2.0) ** 2)
    drift = np.exp(np.cumsum(rng.normal(0, 0.02, (series, weeks)), axis=1))
    sells = rng.random((series, weeks)) < np.clip(chance * season * drift, 0, 0.95)
    units = np.where(sells, 1 + rng.poisson(rng.gamma(2.0, size / 2.0, (series, weeks))), 0)
    expected = np.clip(chance * season * drift, 0, 0.95) * (1 + size)
    return _synthetic(units, expected, pd.date_range("2023-01-02", periods=weeks, freq="7D"), "W", 8)


def scales_panel(seed: int, series: int = 50, days: int = 730) -> Panel:
    """Daily series from one unit to 100,000 a day, with weekdays of their own, a yearly season and a trend."""
    rng = np.random.default_rng((seed, 2))
    at = np.arange(days)
    level = np.geomspace(1, 100_000, series)[:, None]
    weekday = np.exp(rng.normal(0, 0.3, (series, 7)))[:, at % 7]
    year = np.exp(0.25 * np.sin(2 * np.pi * (at / 365.25 + rng.uniform(0, 0.2, (series, 1)))))
    trend = np.exp(rng.normal(0, 0.3, (series, 1)) * at / 365)
    wander = np.zeros((series, days))
    for day in range(1, days):
        wander[:, day] = 0.97 * wander[:, day - 1] + rng.normal(0, 0.03, series)
    mean = level * weekday * year * trend * np.exp(wander)
    units = rng.poisson(mean * rng.gamma(100, 1 / 100, mean.shape))
    return _synthetic(units, mean, pd.date_range("2024-07-01", periods=days, freq="D"), "D", 28)


@dataclass
class Oracle:
    """Knows the mean of which the units were drawn: what is left is chance, which no forecast can tell."""

    series: list[str]
    time: str
    target: str
    plan: list[str]
    static: list[str]
    freq: str
    horizon: int

    def __post_init__(self) -> None:
        self.plan = [*dict.fromkeys([*self.plan, EXPECTED])]

    def fit(self, panel: pd.DataFrame) -> Oracle:
        """There is nothing to learn."""
        return self

    def predict(self, plan_frame: pd.DataFrame) -> pd.DataFrame:
        """The means themselves."""
        return plan_frame[[*self.series, self.time]].assign(mean=plan_frame[EXPECTED])


def _synthetic(units: np.ndarray, expected: np.ndarray, dates: pd.DatetimeIndex, freq: str, horizon: int) -> Panel:
    names = [f"S{number:03d}" for number in range(1, len(units) + 1)]
    frame = pd.DataFrame({"sku": np.repeat(names, len(dates)), "date": np.tile(dates, len(units)), "units": units.reshape(-1)})
    frame[EXPECTED] = expected.reshape(-1)
    return Panel(frame, ["sku"], [], [], freq, horizon)
