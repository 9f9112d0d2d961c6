"""Makes a panel of a source's frames, with what each source has and lacks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sales_tech.promotions.frames import SourceFrames
from sales_tech.promotions.panel import Bools, Floats, Ints, Member, PromotionPanel

LARGEST_PANEL = 120_000_000
MOST_SKUS = 3000
# Below this share of SKU and store pairs that ever sold, stores are sellers of their own goods, and are pooled.
DENSE = 0.2
UNKNOWN = "unknown"
EVERYWHERE = "all regions"
OTHERS = "others of"
# Promotions or days that a note names one by one.
MOST_NAMED = 5
# Days on which a store, a channel or all of them sold nothing, but usually this much, are days when they were closed or
# their sales were lost.
SURELY_OPEN = 8.0
# Catalogues without dates say that all was on sale since long ago.
NO_DATE = pd.Timestamp("1950-01-01")
# A SKU whose last units were followed by so many expected ones is taken as withdrawn.
SURELY_SELLING = 6.0


def build_panel(frames: SourceFrames) -> PromotionPanel:
    """The panel of a source whose promotions are named or inferred; they may be none.

    Raises ValueError where there is no sale at all.
    """
    daily = frames.daily[["sold_on", "store_id", "sku", "channel", "units", "gross_sales", "net_sales"]]
    if daily.empty:
        raise ValueError("the source has no sale; expected rows of gold.daily_sales")
    notes: list[str] = []
    days = _days(daily["sold_on"])
    sku, sku_names = _codes(daily["sku"])
    store, store_names = _codes(daily["store_id"])
    about = _about(frames.products, sku_names)
    promotions = frames.promotions if frames.promotions is not None else pd.DataFrame({"sku": []})
    sku, about = _few(sku, about, daily["units"].to_numpy(), set(promotions["sku"]), notes)
    store, places = _stores(frames, daily, sku, store, store_names, len(about), len(days), notes)
    about = about.sort_values(["category", "sku"], kind="stable")
    order = np.argsort(about.index.to_numpy())
    sku, about = order[sku], about.reset_index(drop=True)

    day = ((daily["sold_on"].to_numpy().astype("datetime64[D]") - days[0]).astype(np.int64)).astype(np.int64)
    shape = len(places), len(about), len(days)
    flat = np.ravel_multi_index((store, sku, day), shape)
    units, net_sales = (
        np.bincount(flat, weights=daily[name].to_numpy(), minlength=int(np.prod(shape))).astype(np.float32).reshape(shape)
        for name in ("units", "net_sales")
    )
    returned = units < 0
    if returned.any():
        # The goods had been bought before: demand was none, not less.
        notes.append(
            f"in {int(returned.sum())} cells of store, SKU and day more units came back than were sold: they count as none sold; "
            "give units and money before returns"
        )
        units[returned], net_sales[returned] = 0.0, 0.0
    price, cost = _prices(frames.products, about, days, daily, sku, day, notes)
    categories, category = _levels(about["category"])
    brands, brand = _levels(about["brand"])
    regions, region = _levels(places["region"])
    channels, channel = _levels(places["channel"])
    launched, withdrawn = _life(frames.products, about, days, units.sum(axis=0))
    available, stock_known = _available(frames, units, launched, withdrawn, about, places, days, notes)
    calendar, members = _members(promotions, about, places, days, notes) if len(promotions) else (pd.DataFrame(), [])
    return PromotionPanel(
        days=days,
        skus=about["sku"].to_numpy(dtype=object),
        categories=categories,
        category=category,
        brands=brands,
        brand=brand,
        stores=places["store_id"].to_numpy(dtype=object),
        regions=regions,
        region=region,
        channels=channels,
        channel=channel,
        units=units,
        net_sales=net_sales,
        available=available,
        price=price,
        cost=cost,
        promotions=calendar,
        members=members,
        launched=launched,
        withdrawn=withdrawn,
        stock_known=stock_known,
        notes=notes,
    )


def _days(column: pd.Series) -> np.ndarray:
    first, last = column.min().to_datetime64().astype("datetime64[D]"), column.max().to_datetime64().astype("datetime64[D]")
    return np.arange(first, last + np.timedelta64(1, "D"))


def _codes(column: pd.Series) -> tuple[Ints, list[str]]:
    kinds = column.astype("category")
    if kinds.cat.categories.dtype != object:
        kinds = kinds.cat.rename_categories([str(value) for value in kinds.cat.categories])
    kinds = kinds.cat.remove_unused_categories()
    return kinds.cat.codes.to_numpy().astype(np.int64), [str(value) for value in kinds.cat.categories]


def _levels(column: pd.Series) -> tuple[list[str], Ints]:
    kinds = column.astype("category")
    return [str(value) for value in kinds.cat.categories], kinds.cat.codes.to_numpy().astype(np.int64)


def _about(products: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    latest = products.sort_values("valid_from", kind="stable").drop_duplicates("sku", keep="last").set_index("sku")
    about = latest.reindex(names)[["category", "brand"]].astype(object)
    return about.where(about.notna(), UNKNOWN).rename_axis("sku").reset_index()


def _few(sku: Ints, about: pd.DataFrame, units: Floats, promoted: set[str], notes: list[str]) -> tuple[Ints, pd.DataFrame]:
    if len(about) <= MOST_SKUS:
        return sku, about
    sold = np.bincount(sku, weights=units, minlength=len(about))
    keep = about["sku"].isin(promoted).to_numpy(copy=True)
    keep[np.argsort(-sold, kind="stable")[: max(MOST_SKUS - int(keep.sum()), 0)]] = True
    pooled = about["sku"].where(keep, OTHERS + " " + about["category"])
    rows, names = pd.factorize(pooled)
    firsts = about.groupby(rows).first().assign(sku=names)
    firsts.loc[[str(name).startswith(OTHERS + " ") for name in names], "brand"] = UNKNOWN
    notes.append(f"{len(about) - int(keep.sum())} SKUs with few sales are pooled by category")
    return rows[sku].astype(np.int64), firsts.reset_index(drop=True)


def _stores(
    frames: SourceFrames, daily: pd.DataFrame, sku: Ints, store: Ints, names: list[str], skus: int, days: int, notes: list[str]
) -> tuple[Ints, pd.DataFrame]:
    channel = daily.groupby(store)["channel"].first().astype(str).reindex(range(len(names))).to_numpy()
    places = pd.DataFrame({"store_id": names, "channel": channel, "region": UNKNOWN})
    if frames.stores is not None and len(frames.stores):
        known = frames.stores.drop_duplicates("store_id").set_index("store_id").reindex(names)
        region = known["region"].astype(object)
        places["region"] = region.where(region.notna(), known["state"].astype(object)).fillna(UNKNOWN).to_numpy()
    pairs = len(np.unique(store * skus + sku))
    sparse = pairs < DENSE * len(names) * skus and len(names) > 1
    if not sparse and len(names) * skus * days <= LARGEST_PANEL:
        return store, places
    keys = ["channel"] if sparse else ["channel", "region"]
    groups = places.groupby(keys, sort=True)
    rows = groups.ngroup().to_numpy().astype(np.int64)
    pooled = groups.first().reset_index()
    pooled["store_id"] = pooled[keys].agg(" ".join, axis=1)
    if sparse:
        pooled["region"] = EVERYWHERE
    why = "most stores sell few of the SKUs" if sparse else "there are very many cells"
    notes.append(f"{len(names)} stores are pooled by {' and '.join(keys)}: {why}")
    return rows[store], pooled


def _prices(
    products: pd.DataFrame, about: pd.DataFrame, days: np.ndarray, daily: pd.DataFrame, sku: Ints, day: Ints, notes: list[str]
) -> tuple[Floats, Floats | None]:
    shape = len(about), len(days)
    listed = _over_time(products, "price", about, days)
    charged = np.full(shape, np.nan)
    money = np.bincount(sku * shape[1] + day, weights=daily["gross_sales"].to_numpy(), minlength=shape[0] * shape[1]).reshape(shape)
    sold = np.bincount(sku * shape[1] + day, weights=daily["units"].to_numpy(), minlength=shape[0] * shape[1]).reshape(shape)
    np.divide(money, sold, out=charged, where=(sold > 0) & (money > 0))
    charged = pd.DataFrame(charged).ffill(axis=1).bfill(axis=1).to_numpy()
    if np.isnan(listed).all():
        notes.append("no list price is known; the price charged stands for it")
    price = np.where(np.isnan(listed), charged, listed)
    price = np.where(np.isnan(price) | (price <= 0), 1.0, price)
    cost = _over_time(products, "cost", about, days)
    if np.isnan(cost).all():
        notes.append("no cost is known: margins and return on investment cannot be told")
        return price, None
    if np.isnan(cost).any():
        notes.append("some SKUs have no cost: margins are told only for promotions whose SKUs all have one")
    return price, cost


def _over_time(products: pd.DataFrame, column: str, about: pd.DataFrame, days: np.ndarray) -> Floats:
    table = np.full((len(about), len(days)), np.nan)
    known = products[products[column].notna()].sort_values("valid_from", kind="stable")
    rows = pd.Index(about["sku"]).get_indexer(known["sku"].astype(object))
    since = np.searchsorted(days, known["valid_from"].to_numpy().astype("datetime64[D]"))
    untouched = np.ones(len(about), dtype=bool)
    for row, start, value in zip(rows.tolist(), since.tolist(), known[column].to_numpy(dtype=np.float64).tolist(), strict=True):
        if row >= 0:
            table[row, 0 if untouched[row] else start :] = value
            untouched[row] = False
    return table


def _life(products: pd.DataFrame, about: pd.DataFrame, days: np.ndarray, sold: Floats) -> tuple[Ints, Ints]:
    size = len(days)
    first_known = products.groupby("sku", observed=True)["valid_from"].min().reindex(about["sku"])
    entered = np.searchsorted(days, first_known.fillna(pd.Timestamp(days[0])).to_numpy().astype("datetime64[D]"))
    positive = sold > 0
    first_sale = np.where(positive.any(axis=1), positive.argmax(axis=1), size)
    last_sale = np.where(positive.any(axis=1), size - 1 - positive[:, ::-1].argmax(axis=1), -1)
    # Catalogues of a source without history say nothing of a launch: then a late first sale does.
    dated = (first_known > NO_DATE).to_numpy() & (entered <= first_sale)
    start = np.where(dated, entered, first_sale)
    rate = sold.sum(axis=1) / np.maximum(last_sale - first_sale + 1, 1)
    early = np.where(dated, entered == 0, rate * first_sale < SURELY_SELLING)
    launched = np.where(early, -1, start)
    withdrawn = np.where(rate * (size - 1 - last_sale) > SURELY_SELLING, last_sale, size)
    return launched.astype(np.int64), withdrawn.astype(np.int64)


def _available(
    frames: SourceFrames,
    units: np.ndarray,
    launched: Ints,
    withdrawn: Ints,
    about: pd.DataFrame,
    places: pd.DataFrame,
    days: np.ndarray,
    notes: list[str],
) -> tuple[Bools, bool]:
    at = np.arange(len(days))
    on_sale = (at >= launched[:, None]) & (at <= withdrawn[:, None])
    by_store = units.sum(axis=1)
    first = np.where((by_store > 0).any(axis=1), (by_store > 0).argmax(axis=1), len(days))
    channel = _levels(places["channel"])[1]
    by_channel = np.stack([by_store[channel == row].sum(axis=0) for row in range(channel.max() + 1)])
    nowhere = _closed(by_store.sum(axis=0, keepdims=True))
    is_open = (at >= first[:, None]) & ~(_closed(by_store) | _closed(by_channel)[channel] | nowhere)
    if nowhere.any():
        named = _named([str(day) for day in days[nowhere[0]]])
        notes.append(f"nothing at all was sold on {named}: sales were lost or all shops shut, so these are no days without demand")
    available = on_sale[None] & is_open[:, None, :]
    if frames.stockouts is None or frames.stockouts.empty:
        notes.append("no stock-outs are reported: days without a unit on the shelf count as days of low demand unless they can be inferred")
        return available, False
    rows = pd.Index(about["sku"]).get_indexer(frames.stockouts["sku"].astype(object))
    stores = pd.Index(places["store_id"]).get_indexer(frames.stockouts["store_id"].astype(object))
    if (stores < 0).all():
        notes.append("stock-outs are reported only by stores that are pooled here or sold nothing, and not used")
        return available, False
    starts = np.searchsorted(days, frames.stockouts["starts_on"].to_numpy().astype("datetime64[D]"))
    stops = np.searchsorted(days, frames.stockouts["ends_on"].to_numpy().astype("datetime64[D]"), side="right")
    for store, row, start, stop in zip(stores.tolist(), rows.tolist(), starts.tolist(), stops.tolist(), strict=True):
        if store >= 0 and row >= 0:
            available[store, row, start:stop] = False
    # What was sold was there.
    np.logical_or(available, units > 0, out=available)
    return available, True


def _closed(units: np.ndarray) -> Bools:
    closed: Bools = (units == 0) & (units.mean(axis=1, keepdims=True) > SURELY_OPEN)
    return closed


def _members(
    promotions: pd.DataFrame, about: pd.DataFrame, places: pd.DataFrame, days: np.ndarray, notes: list[str]
) -> tuple[pd.DataFrame, list[Member]]:
    sku = pd.Index(about["sku"]).get_indexer(promotions["sku"].astype(object))
    start = (promotions["starts_on"].to_numpy().astype("datetime64[D]") - days[0]).astype(np.int64)
    end = (promotions["ends_on"].to_numpy().astype("datetime64[D]") - days[0]).astype(np.int64)
    ran = (sku >= 0) & (end >= 0) & (start < len(days))
    kept = promotions[ran].assign(sku_row=sku[ran], first=np.maximum(start[ran], 0), last=np.minimum(end[ran], len(days) - 1))
    if unsold := int(((sku < 0) & (end >= 0) & (start < len(days))).sum()):
        notes.append(f"{unsold} promoted SKUs never sold and are left out")
    kept = _once(kept, notes)
    calendar: list[dict[str, object]] = []
    members: list[Member] = []
    nowhere: dict[str, list[str]] = {}
    for promotion_id, rows in kept.groupby("promotion_id", observed=True, sort=True):
        head = rows.iloc[0]
        inside = np.ones(len(places), dtype=bool)
        for column in ("channel", "region"):
            inside &= _scope(places, head.get(column), column)
        if not inside.any():
            nowhere.setdefault(_why_nowhere(places, head), []).append(str(promotion_id))
            continue
        stores = np.flatnonzero(inside)
        number = len(calendar)
        columns = (rows[name].tolist() for name in ("sku_row", "first", "last", "discount_share"))
        members += [Member(number, row, stores, start, end, _number(depth)) for row, start, end, depth in zip(*columns, strict=True)]
        calendar.append(
            {
                "promotion_id": str(promotion_id),
                **{name: head.get(name) for name in ("name", "mechanic", "channel", "region")},
                "display": _flag(head.get("display")),
                "starts_on": rows["starts_on"].min(),
                "ends_on": rows["ends_on"].max(),
                "investment": float(rows["investment"].sum(min_count=1)) if "investment" in rows else np.nan,
                "inferred": bool(head.get("inferred", False)),
            }
        )
    notes += [f"promotions left out, since {why}: {_named(ids)}" for why, ids in nowhere.items()]
    return pd.DataFrame(calendar), members


def _once(rows: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    keys = ["promotion_id", "sku_row"]
    again = rows.duplicated(keys, keep=False)
    if not again.any():
        return rows
    deepest = rows.sort_values("discount_share", ascending=False, kind="stable", na_position="last").drop_duplicates(keys)
    several = rows[again]
    ids = list(dict.fromkeys(several["promotion_id"].astype(str)))
    notes.append(
        f"{len(several.drop_duplicates(keys))} SKUs are listed more than once in one promotion ({_named(ids)}): of each only the row "
        "with the deepest discount counts, which is what customers see, with its days and its investment"
    )
    return deepest.sort_index(kind="stable")


def _why_nowhere(places: pd.DataFrame, head: pd.Series) -> str:
    # Told apart, since where regions are not known it would be wrong to say that nothing was sold there.
    if not _unknown(head.get("region")):
        if (places["region"] == EVERYWHERE).all():
            return "they are limited to a region and stores are pooled here without their regions"
        if (places["region"] == UNKNOWN).all():
            return "they are limited to a region and the source does not tell the regions of its stores"
    limits = [f"{column} {head.get(column)}" for column in ("channel", "region") if not _unknown(head.get(column))]
    return f"no store of {' and '.join(limits)} is known to have sold anything"


def _named(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _scope(places: pd.DataFrame, value: Any, column: str) -> Bools:
    if _unknown(value):
        return np.ones(len(places), dtype=bool)
    inside: Bools = (places[column] == value).to_numpy()
    return inside


def _number(value: Any) -> float:
    return float("nan") if _unknown(value) else float(value)


def _flag(value: Any) -> bool:
    return not _unknown(value) and bool(value)


def _unknown(value: Any) -> bool:
    return value is None or bool(pd.isna(value))
