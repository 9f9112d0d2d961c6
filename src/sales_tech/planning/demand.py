"""The demand that a forecaster learns from: units by SKU, channel and day, with what promotions did to them told apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sales_tech.forecasting.rows import Bools, Floats, Ints
from sales_tech.planning.elsewhere import log_lost_to_neighbours
from sales_tech.planning.losses import loss_rates
from sales_tech.planning.past import SourcePast, TooLittleHistory, days_lost, horizon_of, whole_days
from sales_tech.planning.price_effects import price_effects
from sales_tech.planning.regions import region_shares, scope_share
from sales_tech.planning.series import SeriesTable, catalogue_of, series_of

LOWEST, HIGHEST = -0.8, 20.0
# Below so many units expected, the ratio of two estimates says nothing.
FEWEST_EXPECTED = 1e-3
# Where more than this part of a series' sales comes from stores that are out of stock, what is sold is no demand.
MOSTLY_OUT = 0.5
MOST_LISTED = 5
# Of fewer days with something to sell nothing can be learnt, however long ago the first sale is.
FEWEST_SEEN = 28


@dataclass(frozen=True)
class Demand:
    """One source's series up to its origin.

    `panel` has a row per series and day: sku, channel, date, units (before returns), available (0: out of stock in most
    stores, or the source has no sale at all of that day), category, brand, log_uplift (of what its own promotions and those of its
    neighbours did to it that day, and list prices other than that of the origin).
    A SKU named "others of" a category stands for all
    that have no series of their own. `regions` has series, region and share of units.
    """

    panel: pd.DataFrame
    table: SeriesTable
    regions: pd.DataFrame
    first: pd.Timestamp
    origin: pd.Timestamp
    horizon: int
    notes: tuple[str, ...]

    def ahead(self, horizon: int) -> pd.DataFrame:
        """The rows of the days to come as a forecaster is asked for them, without promotions."""
        series = self.table.series[self.table.ahead]
        dates = pd.date_range(self.origin + pd.Timedelta(days=1), periods=horizon, freq="D").as_unit("s")
        told = {name: np.repeat(series[column].to_numpy(), horizon) for name, column in _STATIC.items()}
        return pd.DataFrame({**told, "date": np.tile(dates.to_numpy(), len(series)), "log_uplift": 0.0})

    def none_to_sell(self, past: SourcePast, last: pd.Timestamp) -> Bools:
        """By series and day up to a later one, whether it was out of stock in most stores, or the source has no sale at all of that day."""
        rows = _Rows(self.table, self.first, (last - self.first).days + 1)
        units = rows.units(past.frames.daily[past.frames.daily["sold_on"] <= last])
        told: Bools = (rows.out_of_stock(past) > MOSTLY_OUT) | days_lost(past, self.first, units.sum(axis=0))
        return told


_STATIC = {"sku": "name", "channel": "channel", "category": "category", "brand": "brand"}


class KnownUplift:
    """Tells a forecaster the `log_uplift` that stands in its rows."""

    def log_uplift(self, frame: pd.DataFrame) -> Floats:
        """The column of that name."""
        told: Floats = frame["log_uplift"].to_numpy(dtype=np.float64)
        return told


def demand_of(past: SourcePast, horizon: int, *, as_learnt: bool = False) -> Demand:
    """The demand of a source up to its last whole day; TooLittleHistory where it is too short, or nothing of it is to be sold again.

    The horizon of what is `as_learnt` stays, however short the past has become.
    """
    frames = past.frames
    first, origin, notes = whole_days(frames.daily["sold_on"], frames.daily["units"])
    days = (origin - first).days + 1
    reach = horizon if as_learnt else horizon_of(days, horizon)
    if reach < horizon:
        notes.append(f"{days} days of sales are known, so forecasts reach {reach} days ahead instead of {horizon}")
    table = series_of(frames, first, origin)
    if not table.ahead.any():
        raise TooLittleHistory(f"every SKU that was sold up to {origin:%Y-%m-%d} is withdrawn in the catalogue, so nothing is to come")
    regions = region_shares(frames, table, origin)
    rows = _Rows(table, first, days)
    units = rows.units(frames.daily[frames.daily["sold_on"] <= origin])
    out = rows.out_of_stock(past)
    uplift = np.clip(rows.uplift(past, regions), LOWEST, HIGHEST)
    at, day = rows.cells
    lost = days_lost(past, first, units.sum(axis=0))
    if lost.any():
        notes.append(f"nothing at all was sold on {_listed(first, lost)}: sales were lost or all shops shut, so demand is not told from it")
    alive = np.zeros(units.shape, dtype=bool)
    alive[at, day] = (out[at, day] <= MOSTLY_OUT) & ~lost[day]
    if (seen := int(alive.any(axis=0).sum())) < FEWEST_SEEN:
        raise TooLittleHistory(
            f"only on {seen} of {days} days was anything in stock that is still sold or was sold often, at least {FEWEST_SEEN} are needed "
            "to tell what is to come"
        )
    rates = loss_rates(past.results, past.daily, catalogue_of(frames.products)["category"])
    # Without what neighbours' promotions took, the baseline is one without any promotion, from which those to come can take theirs.
    effects = np.log1p(uplift) + log_lost_to_neighbours(table.series, units, alive, uplift, rates)
    effects += price_effects(past, table.series, first, days)
    series = table.series.iloc[at]
    panel = pd.DataFrame({name: series[column].to_numpy() for name, column in _STATIC.items()})
    panel["date"] = (first.to_datetime64() + day.astype("timedelta64[D]")).astype("datetime64[s]")
    panel["units"], panel["available"] = units[at, day], alive[at, day].astype(np.float64)
    panel["log_uplift"] = effects[at, day]
    return Demand(panel, table, regions, first, origin, reach, tuple(notes))


def _listed(first: pd.Timestamp, lost: Bools) -> str:
    days = [f"{first + pd.Timedelta(days=int(number)):%Y-%m-%d}" for number in np.flatnonzero(lost)]
    return ", ".join(days[:MOST_LISTED]) + (f" and {len(days) - MOST_LISTED} more days" if len(days) > MOST_LISTED else "")


class _Rows:
    """Series by day as tables, and where each SKU and channel stands in them."""

    def __init__(self, table: SeriesTable, first: pd.Timestamp, days: int) -> None:
        self._table, self._first, self._days = table, first, days
        self._shape = len(table.series), days
        self._place = pd.MultiIndex.from_frame(table.members[["sku", "channel"]])

    @property
    def cells(self) -> tuple[Ints, Ints]:
        """Series and day of every row of the panel."""
        begin, stop = (self._table.series[name].to_numpy(dtype=np.int64) for name in ("first", "stop"))
        length = stop - begin
        at = np.repeat(np.arange(len(begin)), length)
        return at, np.arange(len(at)) - np.repeat(np.cumsum(length) - length - begin, length)

    def units(self, daily: pd.DataFrame) -> Floats:
        """Units sold."""
        by_pair = daily.groupby(["sku", "channel", "sold_on"], observed=True, sort=True)["units"].sum().reset_index()
        at = self._place.get_indexer(pd.MultiIndex.from_frame(by_pair[["sku", "channel"]].astype(object)))
        by_pair, at = by_pair[at >= 0], at[at >= 0]
        series = self._table.members["series"].to_numpy()[at]
        return self._sum(series, self._day(by_pair["sold_on"]), by_pair["units"].to_numpy(dtype=np.float64))

    def out_of_stock(self, past: SourcePast) -> Floats:
        """The part of a series' sales that comes from stores which are out of stock."""
        stockouts, daily = past.frames.stockouts, past.frames.daily
        if stockouts is None or stockouts.empty:
            return np.zeros(self._shape)
        keys = ["sku", "store_id"]
        sold = daily.groupby([*keys, "channel"], observed=True, sort=True)["units"].sum().reset_index().astype({"sku": object})
        sold[[*keys, "channel"]] = sold[[*keys, "channel"]].astype(object)
        at = self._place.get_indexer(pd.MultiIndex.from_frame(sold[["sku", "channel"]]))
        sold = sold[at >= 0].assign(series=self._table.members["series"].to_numpy()[at[at >= 0]])
        sold["weight"] = sold["units"] / sold.groupby("series")["units"].transform("sum").clip(lower=1)
        rows = stockouts.astype({name: object for name in keys}).merge(sold[[*keys, "series", "weight"]], on=keys)
        begin = np.clip(self._day(rows["starts_on"]), 0, self._days)
        stop = np.clip(self._day(rows["ends_on"]) + 1, begin, self._days)
        change = np.zeros((self._shape[0], self._days + 1))
        np.add.at(change, (rows["series"].to_numpy(), begin), rows["weight"].to_numpy())
        np.add.at(change, (rows["series"].to_numpy(), stop), -rows["weight"].to_numpy())
        told: Floats = np.cumsum(change, axis=1)[:, :-1]
        return told

    def uplift(self, past: SourcePast, regions: pd.DataFrame) -> Floats:
        """Units that promotions added or took, as a share of what would have been sold."""
        told = np.zeros(self._shape)
        daily = past.daily[past.daily["phase"].isin(["during", "after"])] if len(past.daily) else past.daily
        if daily.empty:
            return told
        usual = daily["baseline_units"].to_numpy(dtype=np.float64)
        rows = daily[["promotion_id", "sku", "sold_on", "phase"]].assign(
            ratio=np.where(
                usual > FEWEST_EXPECTED, daily["uplift_units"].to_numpy(dtype=np.float64) / np.maximum(usual, FEWEST_EXPECTED), 0
            )
        )
        # What promotions at the same time did together is told of each of them, with its part in it.
        rows["ratio"] *= np.where(rows["phase"] == "during", daily["share"].to_numpy(dtype=np.float64), 1.0)
        rows = rows.merge(past.results[["promotion_id", "channel", "region"]].rename(columns={"channel": "only"}), on="promotion_id")
        rows = rows.merge(self._table.members[["sku", "channel", "series", "share"]], on="sku")
        rows = rows[rows["only"].isna() | (rows["only"].astype(object) == rows["channel"])]
        rows["ratio"] *= rows["share"] * scope_share(regions, rows["series"], rows["region"])
        rows["day"] = self._day(rows["sold_on"])
        rows = rows[(rows["day"] >= 0) & (rows["day"] < self._days)]
        during = rows["phase"] == "during"
        inside = rows[during].groupby(["series", "day"])["ratio"].sum()
        # The weeks after a promotion that lie in another one are told by that one; of several dips each row tells the whole.
        after = rows[~during].groupby(["series", "day"])["ratio"].min()
        after = after[~after.index.isin(inside.index)]
        for part in (inside, after):
            series, day = (part.index.get_level_values(level).to_numpy() for level in (0, 1))
            told[series, day] = part.to_numpy()
        return told

    def _day(self, dates: pd.Series) -> Ints:
        return np.asarray((dates - self._first).dt.days, dtype=np.int64)

    def _sum(self, series: Ints, day: Ints, values: Floats) -> Floats:
        told = np.zeros(self._shape)
        np.add.at(told, (series, day), values)
        return told
