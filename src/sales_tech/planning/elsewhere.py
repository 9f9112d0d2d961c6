"""What planned promotions take elsewhere: from their neighbours in the same days, and from the weeks after.

By the laws of the analysis of promotions (`promotions.spillovers`), so that the forecast does not contradict it: of each unit
that is added, a part comes from the SKUs of the category that are not promoted in the same channel, region and day, in
proportion to what they usually sell; and a part of the SKU's own coming weeks. The rates are those of `losses`,
and who stands beside whom is told by `shelves`, to single promotions as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sales_tech.forecasting.rows import Bools, Floats, Ints
from sales_tech.planning.dips import DIP_DAYS, LARGEST_DIP, dip_shape
from sales_tech.planning.lookup import runs
from sales_tech.planning.shelves import LARGEST_LOSS, Shelf, share_lost

if TYPE_CHECKING:
    from sales_tech.planning.outlook import Outlook

LOSSES = ("cannibalised_units", "pulled_forward_units")
# What a series usually sold is a mean of so many days.
USUAL_DAYS = 29


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
    days = pd.date_range(outlook.origin + pd.Timedelta(days=1), periods=outlook.horizon).as_unit("s")
    parts = []
    for (category, channel), asked in moved.groupby(["category", "channel"], sort=True, observed=True):
        shelf = outlook.shelves.of(str(category), str(channel))
        cannibalised, pulled_forward = (outlook.lookup.rates[name].get(category, 0.0) for name in ("cannibalised", "pulled_forward"))
        lost = _lost(shelf, _stretches_of(outlook, asked, str(channel), days), cannibalised, pulled_forward, len(days))
        told = pd.DataFrame({"sku": np.repeat(np.array(list(shelf.rows), dtype=object), len(days)), "channel": channel})
        told["sold_on"] = np.tile(days.to_numpy(), len(shelf.rows))
        parts.append(told.assign(**{name: units.ravel() for name, units in zip(LOSSES, lost, strict=True)}))
    return pd.concat(parts, ignore_index=True)


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


def _lost(shelf: Shelf, stretches: list[_Stretch], cannibalised: float, pulled_forward: float, days: int) -> tuple[Floats, Floats]:
    series, regions = shelf.sold_in.shape
    extra = np.zeros((regions, days))
    running: dict[tuple[int, str, float], Bools] = {}
    later: dict[tuple[int, str, float], Floats] = {}
    for run in stretches:
        row, places = shelf.rows[run.series], shelf.places(run.region)
        here = shelf.divided(row, places)[:, None]
        extra[places, run.on] += run.added * here
        key = row, run.sku, run.share
        running.setdefault(key, np.zeros((regions, days), dtype=bool))[places, run.on] = True
        dip = later.setdefault(key, np.zeros((regions, days + DIP_DAYS)))
        if run.last < days - 1:
            dip[places, run.last + 1 : run.last + 1 + DIP_DAYS] += pulled_forward * run.added.sum() * here * dip_shape()
    dips = np.zeros((series, days))
    for key, mask in running.items():
        # While a SKU is promoted again, nothing is missing of it there.
        dips[key[0]] += (later[key][:, :days] * ~mask).sum(axis=0)
    promoted = shelf.promoted(running)
    left = np.repeat(shelf.sold_in[:, :, None], days, axis=2)
    for row, part in promoted.items():
        left[row] *= 1 - part
    lost = share_lost(cannibalised * extra, shelf.peers(promoted))
    taken: Floats = (shelf.usual[:, None, :] * left * lost).sum(axis=1)
    pulled: Floats = np.minimum(dips, LARGEST_DIP * (shelf.usual - taken))
    return taken, pulled
