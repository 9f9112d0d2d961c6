"""What planned promotions take elsewhere: from their neighbours in the same days, and from the weeks after.

By the laws of the analysis of promotions (`promotions.spillovers`), so that the forecast does not contradict it: of each unit
that is added, a part comes from the SKUs of the category that are not promoted in the same channel, region and day, in
proportion to what they usually sell; and a part of the SKU's own coming weeks. The rates are those of `losses`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sales_tech.forecasting.rows import Bools, Floats, Ints
from sales_tech.planning.dips import DIP_DAYS, LARGEST_DIP, dip_shape
from sales_tech.planning.lookup import runs

if TYPE_CHECKING:
    from sales_tech.planning.outlook import Outlook

LOSSES = ("cannibalised_units", "pulled_forward_units")
# Of what neighbours usually sell no more than this is lost.
LARGEST_LOSS = 0.8
# What a series usually sold is a mean of so many days.
USUAL_DAYS = 29
# What regions are called where none is known.
EVERYWHERE = ""
TINY = 1e-9


@dataclass(frozen=True)
class _Shelf:
    """The series of one category in one channel: `usual` units (series, days) and where they are sold (series, regions)."""

    rows: dict[str, int]
    regions: dict[str, int]
    usual: Floats
    sold_in: Floats

    def places(self, region: str | None) -> slice:
        """The regions in which a promotion runs: the one that it is limited to, or all."""
        if region is None:
            return slice(None)
        at = self.regions[region]
        return slice(at, at + 1)


def log_lost_to_neighbours(series: pd.DataFrame, units: Floats, alive: Bools, uplift: Floats, rates: pd.DataFrame) -> Floats:
    """The log of what promotions of neighbours left of each series' demand on each day of the past, 0 where it was promoted itself.

    `units`, `alive` and `uplift` (what promotions added, as a share) have a row per series and a column per day, `series` its
    category and channel. Regions are not told apart: of a law in proportion they would change nothing on average.
    """
    promoted = uplift > 0
    usual = pd.DataFrame(np.where(alive, units / (1 + uplift), np.nan).T).rolling(USUAL_DAYS, center=True, min_periods=1).mean()
    usual_units = np.where(alive, np.nan_to_num(usual.to_numpy().T), 0.0)
    group = series.groupby(["category", "channel"], sort=True, observed=True).ngroup().to_numpy()
    extra, peers = np.zeros((2, group.max() + 1, units.shape[1]))
    np.add.at(extra, group, usual_units * np.maximum(uplift, 0.0))
    np.add.at(peers, group, usual_units * ~promoted)
    rate = series["category"].map(rates.set_index("category")["cannibalised"]).fillna(0.0).to_numpy(dtype=np.float64)
    share = rate[:, None] * np.divide(extra, peers, out=np.zeros_like(extra), where=peers > 0)[group]
    told: Floats = np.where(promoted, 0.0, np.log1p(-np.minimum(share, LARGEST_LOSS)))
    return told


def lost_elsewhere(outlook: Outlook, moved: pd.DataFrame) -> pd.DataFrame:
    """Sku (of the series), channel, sold_on, cannibalised_units and pulled_forward_units of all series that may lose any.

    `moved` are the days of planned promotions as `Outlook.moved` tells them together. What is promoted itself loses nothing.
    """
    categories = outlook.categories
    days = pd.date_range(outlook.origin + pd.Timedelta(days=1), periods=outlook.horizon).as_unit("s")
    parts = []
    for (category, channel), asked in moved.groupby(["category", "channel"], sort=True, observed=True):
        shelf = _shelf_of(outlook, categories.index[categories == category].tolist(), str(channel))
        cannibalised, pulled_forward = (outlook.lookup.rates[name].get(category, 0.0) for name in ("cannibalised", "pulled_forward"))
        lost = _lost(shelf, _stretches_of(outlook, asked, str(channel), days), cannibalised, pulled_forward, len(days))
        told = pd.DataFrame({"sku": np.repeat(np.array(list(shelf.rows), dtype=object), len(days)), "channel": channel})
        told["sold_on"] = np.tile(days.to_numpy(), len(shelf.rows))
        parts.append(told.assign(**{name: units.ravel() for name, units in zip(LOSSES, lost, strict=True)}))
    return pd.concat(parts, ignore_index=True)


def _shelf_of(outlook: Outlook, series: list[str], channel: str) -> _Shelf:
    known = outlook.lookup
    names = [name for name in series if (name, channel) in known.places]
    usual = np.stack([known.baseline["baseline_units"][known.places[name, channel]] for name in names])
    regions = known.region_names or [EVERYWHERE]
    sold_in = np.array([[known.regions.get((name, channel, region), 0.0) for region in regions] for name in names])
    told = sold_in.sum(axis=1) > 0
    # A series of which no region is known is sold where the others of its channel are, and where none is, as likely anywhere.
    sold_in[~told] = sold_in[told].mean(axis=0) if told.any() else 1 / len(regions)
    return _Shelf({name: row for row, name in enumerate(names)}, {region: at for at, region in enumerate(regions)}, usual, sold_in)


@dataclass(frozen=True)
class _Stretch:
    """The days of one promotion of a SKU: the part of its series that the SKU is, the days' positions, units added, and its last day."""

    sku: str
    series: str
    share: float
    region: str | None
    on: Ints
    added: Floats
    last: int


def _stretches_of(outlook: Outlook, asked: pd.DataFrame, channel: str, days: pd.DatetimeIndex) -> list[_Stretch]:
    on = days.get_indexer(pd.DatetimeIndex(asked["sold_on"]))
    last = (asked["ends_on"].to_numpy() - days[0].to_datetime64()) // np.timedelta64(1, "D")
    added = (asked["baseline_units"] * asked["uplift"]).clip(lower=0.0).to_numpy(dtype=np.float64)
    regions = [None if pd.isna(region) else str(region) for region in asked["region"]]
    skus, names = (asked[name].to_numpy() for name in ("sku", "series"))
    shares = {sku: share for sku in set(skus) for its, _, share in outlook.lookup.members[sku] if its == channel}
    return [
        _Stretch(
            skus[span.start], names[span.start], shares[skus[span.start]], regions[span.start], on[span], added[span], last[span.start]
        )
        for _, span in runs(asked["promotion_id"].to_numpy(), skus)
    ]


def _lost(shelf: _Shelf, stretches: list[_Stretch], cannibalised: float, pulled_forward: float, days: int) -> tuple[Floats, Floats]:
    series, regions = shelf.sold_in.shape
    extra = np.zeros((regions, days))
    running: dict[tuple[int, str, float], Bools] = {}
    later: dict[tuple[int, str, float], Floats] = {}
    for run in stretches:
        row, places = shelf.rows[run.series], shelf.places(run.region)
        here = (shelf.sold_in[row, places] / max(shelf.sold_in[row, places].sum(), TINY))[:, None]
        extra[places, run.on] += run.added * here
        # A SKU that two promotions name is promoted once.
        key = row, run.sku, run.share
        running.setdefault(key, np.zeros((regions, days), dtype=bool))[places, run.on] = True
        dip = later.setdefault(key, np.zeros((regions, days + DIP_DAYS)))
        if run.last < days - 1:
            dip[places, run.last + 1 : run.last + 1 + DIP_DAYS] += pulled_forward * run.added.sum() * here * dip_shape()
    left, dips = np.ones((series, regions, days)), np.zeros((series, days))
    for key, mask in running.items():
        row, _, share = key
        left[row] -= share * mask
        # While a SKU is promoted again, nothing is missing of it there.
        dips[row] += (later[key][:, :days] * ~mask).sum(axis=0)
    left = shelf.sold_in[:, :, None] * np.maximum(left, 0.0)
    free = shelf.usual[:, None, :] * left
    peers = free.sum(axis=0)
    lost = np.minimum(np.divide(cannibalised * extra, peers, out=np.zeros_like(extra), where=peers > 0), LARGEST_LOSS)
    taken: Floats = (free * lost).sum(axis=1)
    pulled: Floats = np.minimum(dips, LARGEST_DIP * (shelf.usual - taken))
    return taken, pulled
