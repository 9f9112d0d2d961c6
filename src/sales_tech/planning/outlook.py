"""What is to be expected of the weeks to come, and the answer to any promotion that is planned in them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd

from sales_tech.forecasting.checks import PlanBeyondHistory
from sales_tech.forecasting.response import PromotionResponse
from sales_tech.planning.alternatives import compared
from sales_tech.planning.lookup import BASELINE, Lookup, Rows, runs
from sales_tech.planning.losses import RATES as UNIT_RATES
from sales_tech.planning.mechanics import check_mechanics
from sales_tech.planning.overlaps import put_together
from sales_tech.planning.plans import Rule, plans_of, refuse
from sales_tech.planning.ranges import row_range
from sales_tech.planning.shelves import Neighbours, Shelves
from sales_tech.planning.transfer import EFFECTS, LEAST, with_borrowed

# fmt: off
FORECAST = (
    "promotion_id", "sku", "channel", "sold_on", "category", "mechanic", "region", "display", "discount_share", *BASELINE, "uplift_units",
    "units", "units_low", "units_median", "units_high", "cannibalised_units", "halo_units", "pulled_forward_units", "net_units",
    "list_price", "price", "revenue", "baseline_revenue", "margin", "baseline_margin", "cannibalised_margin", "halo_margin",
    "pulled_forward_margin", "net_margin_before_investment",
)
# fmt: on
_PLAIN = ("currency", "origin", "horizon")


@dataclass(frozen=True)
class Outlook:
    """All that is needed to answer plans of one source, without what it was learnt by; made by `PromotionPlanner`.

    - `baseline`: sku ("others of" a category for those without a series of their own), channel, sold_on, and without promotions
      baseline_units (the mean), baseline_low, baseline_median, baseline_high (an 80 % interval of the day).
    - `members`: sku, channel, series (sku of the baseline), share of the series' units; a SKU that is not here has no sale to go by.
    - `regions`: series, channel, region, share of the series' units; no row where regions are not known.
    - `prices`: sku, valid_from, category, brand, list_price, cost, the first row of each SKU on the day after the origin.
    - `response`: rows of gold.promotion_response. `rates`: see `losses.loss_rates`.
    - `currency` of all money, `origin` the last day known, `horizon` how many days are told.
    """

    baseline: pd.DataFrame
    members: pd.DataFrame
    regions: pd.DataFrame
    prices: pd.DataFrame
    response: pd.DataFrame
    rates: pd.DataFrame
    currency: str
    origin: pd.Timestamp
    horizon: int

    @property
    def last(self) -> pd.Timestamp:
        """The last day that is told."""
        return self.origin + pd.Timedelta(days=self.horizon)

    @property
    def about(self) -> dict[str, Any]:
        """What is no frame, as it stands in a JSON document."""
        return {"currency": self.currency, "origin": f"{self.origin:%Y-%m-%d}", "horizon": self.horizon}

    def to_frames(self) -> dict[str, pd.DataFrame]:
        """The frames by name, to be stored; together with `about` they are all that there is."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in _PLAIN}

    @classmethod
    def from_frames(cls, frames: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Self:
        """The outlook of what `to_frames` and `about` gave; ValueError names what is missing."""
        names = [field.name for field in fields(cls)]
        missing = [name for name in names if name not in (about if name in _PLAIN else frames)]
        if missing:
            raise ValueError(f"the stored outlook lacks {', '.join(missing)}; expected {', '.join(names)}")
        given = {name: frames[name] for name in names if name not in _PLAIN}
        return cls(
            **given, currency=str(about["currency"]), origin=pd.Timestamp(about["origin"]).as_unit("s"), horizon=int(about["horizon"])
        )

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
        return compared(self, self._rows(checked), checked, depths)

    def answered(self, plans: pd.DataFrame, depths: Sequence[float] | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
        """What `forecast` and `alternatives` say to the same plans, in half the time of asking both."""
        checked = plans_of(plans)
        rows = self._rows(checked)
        return self._forecast(rows), compared(self, rows, checked, depths)

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

    def effects(self, rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The log of what the promotion multiplies units by in each row (category, brand, mechanic, display, discount_share), thrice."""
        if self.response.empty:
            raise ValueError("no promotion of this source could be judged yet, so none to come can be told; expected rows of the response")
        asked = [np.asarray(rows[name], dtype=object).tolist() for name in ("category", "brand", "mechanic", "display")]
        depth = np.asarray(rows["discount_share"], dtype=np.float64)
        numbers: dict[tuple[object, ...], int] = {}
        which = np.array([numbers.setdefault(key, len(numbers)) for key in zip(*asked, strict=True)], dtype=np.int64)
        self._warn_untried(numbers)
        told = {}
        for name in EFFECTS:
            response, logs, beyond = self._responses[name], np.zeros(len(depth)), 0
            for key, number in numbers.items():
                at = which == number
                logs[at] = response.logs(key, depth[at])
                beyond += response.beyond(key, depth[at])
            if name == EFFECTS[0]:
                response.warn(beyond)
            told[name] = logs
        return told

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
            rows["cannibalised_units"][span] = Neighbours(self, own).lost(own["uplift_units"])
        rows["net_units"] = rows["uplift_units"] - rows["cannibalised_units"] + rows["halo_units"] - rows["pulled_forward_units"]
        rows["cannibalised_margin"] = rows["cannibalised_units"] * rate("margin")
        rows["halo_margin"] = rows["uplift_units"] * rate("halo_margin")
        rows["pulled_forward_margin"] = rows["pulled_forward_units"] * (rows["list_price"] - rows["cost"])
        lost = rows["cannibalised_margin"] - rows["halo_margin"] + rows["pulled_forward_margin"]
        rows["net_margin_before_investment"] = rows["margin"] - rows["baseline_margin"] - lost

    def _moved(self, rows: Rows) -> Rows:
        return rows | {effect: np.expm1(logs) for effect, logs in self.effects(rows).items()}

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
        return Shelves(self)

    def _warn_untried(self, keys: Iterable[tuple[object, ...]]) -> None:
        for category, mechanic in dict.fromkeys((key[0], key[2]) for key in keys):
            if (category, mechanic) not in self.lookup.kinds:
                warnings.warn(
                    f"mechanic {mechanic} was never tried in category {category}, so its effect there is taken from other categories",
                    PlanBeyondHistory,
                    stacklevel=4,
                )

    @cached_property
    def _responses(self) -> dict[str, PromotionResponse]:
        response = with_borrowed(self.response, self._about["category"])
        return {name: PromotionResponse(response.assign(uplift=response[name].clip(lower=LEAST))) for name in EFFECTS}

    @cached_property
    def categories(self) -> pd.Series:
        """The category of each series, by its name."""
        own = self._about.set_index("sku")["category"]
        first = self.members.drop_duplicates("series").set_index("series")["sku"]
        return first.map(own).rename_axis("sku")

    @cached_property
    def _about(self) -> pd.DataFrame:
        return self.prices.drop_duplicates("sku")[["sku", "category", "brand"]]

    def _check(self, plans: pd.DataFrame) -> None:
        known = self.lookup
        skus, channels, regions = (plans[name].tolist() for name in ("sku", "channel", "region"))
        ends = plans["ends_on"].to_numpy()
        sold_by = {sku: {channel for channel, _, _ in members} for sku, members in known.members.items() if sku in set(skus)}
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
                [channel is not None and channel not in known.channels for channel in channels],
            ),
            Rule("region", "region is {region}", places, [region is not None and region not in known.region_names for region in regions]),
            Rule(
                "channel",
                "it was never sold in channel {channel}",
                "a channel that sells it",
                [channel is not None and channel not in sold_by.get(sku, ()) for sku, channel in zip(skus, channels, strict=True)],
            ),
        )
        if len(self.response):
            check_mechanics(plans, known, self._responses[EFFECTS[0]])


def frame_of(rows: Rows, columns: Iterable[str]) -> pd.DataFrame:
    """Some of the arrays as a frame, texts as objects."""
    return pd.DataFrame({name: pd.Series(rows[name], dtype=rows[name].dtype) for name in columns}, copy=False)
