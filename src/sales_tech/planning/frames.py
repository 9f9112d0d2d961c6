"""What an outlook is made of: the frames and the few facts that are stored and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import pandas as pd

_PLAIN = ("currency", "origin", "horizon")


@dataclass(frozen=True)
class OutlookFrames:
    """What is expected of one source without the promotions of a plan, and what promotions did: all that an outlook is made of.

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
