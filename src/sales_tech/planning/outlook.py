"""What is to be expected of the weeks to come, and the answer to any promotion that is planned in them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from sales_tech.forecasting.checks import PlanBeyondHistory
from sales_tech.planning.alternatives import compared
from sales_tech.planning.effects import Effects
from sales_tech.planning.frames import OutlookFrames
from sales_tech.planning.lookup import BASELINE, Lookup, Rows, runs
from sales_tech.planning.losses import RATES as UNIT_RATES
from sales_tech.planning.mechanics import check_mechanics
from sales_tech.planning.overlaps import put_together
from sales_tech.planning.plans import Rule, channels_of, plans_of, refuse
from sales_tech.planning.ranges import row_range
from sales_tech.planning.shelves import Neighbours, Shelves

# fmt: off
FORECAST = (
    "promotion_id", "sku", "channel", "sold_on", "category", "mechanic", "region", "display", "discount_share", *BASELINE, "uplift_units",
    "units", "units_low", "units_median", "units_high", "cannibalised_units", "halo_units", "pulled_forward_units", "net_units",
    "list_price", "price", "revenue", "baseline_revenue", "margin", "baseline_margin", "cannibalised_margin", "halo_margin",
    "pulled_forward_margin", "net_margin_before_investment",
)
# fmt: on


@dataclass(frozen=True)
class Outlook(OutlookFrames):
    """All that is needed to answer plans of one source, without what it was learnt by; made by `PromotionPlanner`."""

    def forecast(self, plans: pd.DataFrame, *, together: bool = False) -> pd.DataFrame:
        """One row per promotion, SKU, channel and day where and while a promotion is valid, with the columns FORECAST.

        `plans` has the columns of silver.promotions; see `plans.plans_of`. Of a promotion that is running the days after the origin
        are told. Units are those where the promotion is valid: of one that is limited to a region, its share of the
        baseline. units = baseline_units + uplift_units. What of the added ones comes from neighbours (cannibalised) and from later weeks
        (pulled forward), and what is bought along (halo), is told by the category's rates as in `alternatives`; only what is not promoted
        itself can lose, so a promotion of a whole category takes from no neighbour. net_units and net_margin_before_investment are
        what is left. Each promotion is told as if it ran alone, or beside the others of the
        plan where `together` is set: then rows that overlap have each a part of baseline and uplift, at the deepest price, so that
        they add up (see `overlaps.put_together`). Margins are NaN where no cost is known.

        PlanRefused names promotion, SKU, what was found and what was expected; PlanBeyondHistory is warned of where a
        discount is deeper than any that was tried.
        """
        return self._forecast(self._rows(plans_of(plans)), together=together)

    def alternatives(self, plans: pd.DataFrame, depths: Sequence[float] | None = None) -> pd.DataFrame:
        """One row per promotion and depth of discount: what it sells and earns, and its rank, 1 for the depth that earns most.

        See `alternatives.COLUMNS`. `depths` are asked of all SKUs of each promotion; by default those that its categories
        tried, in steps of five points. The row of what was planned is there as well and is marked.
        """
        checked = plans_of(plans)
        return compared(self.shelves, self.effects, self._rows(checked), checked, depths)

    def answered(self, plans: pd.DataFrame, depths: Sequence[float] | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
        """What `forecast` and `alternatives` say to the same plans, in half the time of asking both."""
        checked = plans_of(plans)
        rows = self._rows(checked)
        return self._forecast(rows), compared(self.shelves, self.effects, rows, checked, depths)

    def refused(self, plans: pd.DataFrame) -> dict[str, str]:
        """The promotions of a plan that `forecast` would refuse, and why."""
        told = {}
        for promotion, part in plans.groupby("promotion_id", sort=True, observed=True):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", PlanBeyondHistory)
                    self.forecast(part)
            except ValueError as error:
                told[str(promotion)] = str(error)
        return told

    def moved(self, plans: pd.DataFrame, *, together: bool) -> pd.DataFrame:
        """The days of checked plans with uplift, uplift_low and uplift_high, as shares of the baseline; see `Lookup.rows`."""
        rows = self._moved(self._rows(plans))
        told = frame_of(rows, rows)
        return put_together(told) if together else told

    def _forecast(self, given: Rows, *, together: bool = False) -> pd.DataFrame:
        rows = self._moved(given)
        rows["charged"] = rows["discount_share"]
        if together:
            frame = put_together(frame_of(rows, rows))
            rows = {str(name): frame[name].to_numpy() for name in frame}
        rows["uplift_units"] = rows["baseline_units"] * rows["uplift"]
        rows["units"] = rows["baseline_units"] + rows["uplift_units"]
        rows["units_low"], rows["units_median"], rows["units_high"] = row_range(rows)
        rows["price"] = rows["list_price"] * (1 - rows["charged"])
        rows["revenue"] = rows["units"] * rows["price"]
        rows["baseline_revenue"] = rows["baseline_units"] * rows["list_price"]
        rows["margin"] = rows["revenue"] - rows["units"] * rows["cost"]
        rows["baseline_margin"] = rows["baseline_revenue"] - rows["baseline_units"] * rows["cost"]
        self._take_elsewhere(rows, together=together)
        return frame_of(rows, FORECAST)

    def _take_elsewhere(self, rows: Rows, *, together: bool) -> None:
        def rate(name: str) -> np.ndarray:
            return self.lookup.of_category(name, rows["category"])

        for name in UNIT_RATES:
            rows[f"{name}_units"] = rows["uplift_units"] * rate(name)
        for span in [slice(None)] if together else [span for _, span in runs(rows["promotion_id"])]:
            own = {name: values[span] for name, values in rows.items()}
            rows["cannibalised_units"][span] = Neighbours(self.shelves, own).lost(own["uplift_units"])
        rows["net_units"] = rows["uplift_units"] - rows["cannibalised_units"] + rows["halo_units"] - rows["pulled_forward_units"]
        rows["cannibalised_margin"] = rows["cannibalised_units"] * rate("margin")
        rows["halo_margin"] = rows["uplift_units"] * rate("halo_margin")
        rows["pulled_forward_margin"] = rows["pulled_forward_units"] * (rows["list_price"] - rows["cost"])
        lost = rows["cannibalised_margin"] - rows["halo_margin"] + rows["pulled_forward_margin"]
        rows["net_margin_before_investment"] = rows["margin"] - rows["baseline_margin"] - lost

    def _moved(self, rows: Rows) -> Rows:
        return rows | {effect: np.expm1(logs) for effect, logs in self.effects.logs(rows).items()}

    def _rows(self, plans: pd.DataFrame) -> Rows:
        self._check(plans)
        return self.lookup.rows(plans)

    @cached_property
    def lookup(self) -> Lookup:
        """The frames by name, made once."""
        return Lookup(self)

    @cached_property
    def shelves(self) -> Shelves:
        """Who stands beside whom."""
        return Shelves(self.lookup)

    @cached_property
    def effects(self) -> Effects:
        """What promotions move."""
        return Effects(self.response, self.lookup)

    def _check(self, plans: pd.DataFrame) -> None:
        known = self.lookup
        skus, regions = plans["sku"].tolist(), plans["region"].tolist()
        channels = [channels_of(value) for value in plans["channel"]]
        ends = plans["ends_on"].to_numpy()
        sold_by = {sku: {channel for channel, _, _ in known.members[sku]} for sku in set(skus) if sku in known.members}
        places = ", ".join(known.region_names) or "none: the source tells no regions of its stores"
        refuse(
            plans,
            Rule(
                "sku",
                "it has no sale or is withdrawn",
                f"one that is sold, such as {next(iter(known.members), 'none')}",
                [sku not in sold_by for sku in skus],
            ),
            Rule(
                "ends_on",
                "it ends on {ends_on:%Y-%m-%d}",
                f"a day after {self.origin:%Y-%m-%d}, the last one known",
                ends <= self.origin.to_datetime64(),
            ),
            Rule(
                "ends_on",
                "it ends on {ends_on:%Y-%m-%d}",
                f"a day up to {self.last:%Y-%m-%d}, since {self.horizon} days ahead are told",
                ends > self.last.to_datetime64(),
            ),
            Rule(
                "channel",
                "channel is {channel}",
                f"{', '.join(known.channels)}, or none for all",
                [bool({*(only or ())} - {*known.channels}) for only in channels],
            ),
            Rule("region", "region is {region}", places, [region is not None and region not in known.region_names for region in regions]),
            Rule(
                "channel",
                "it was never sold in channel {channel}",
                "a channel that sells it",
                [only is not None and sold_by.get(sku, set()).isdisjoint(only) for sku, only in zip(skus, channels, strict=True)],
            ),
        )
        if len(self.response):
            check_mechanics(plans, known, self.effects.middle)


def frame_of(rows: Rows, columns: Iterable[str]) -> pd.DataFrame:
    """Some of the arrays as a frame, texts as objects."""
    return pd.DataFrame({name: pd.Series(rows[name], dtype=rows[name].dtype) for name in columns}, copy=False)
