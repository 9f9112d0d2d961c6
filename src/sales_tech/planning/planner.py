"""Learns a source's demand, and tells the outlook from which any plan is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sales_tech.forecasting.forecaster import PromotionForecaster
from sales_tech.forecasting.shapes import quantile_columns
from sales_tech.planning.demand import Demand, KnownUplift, demand_of
from sales_tech.planning.dips import dips_ahead
from sales_tech.planning.levels import ANCHOR_DAYS, anchored
from sales_tech.planning.losses import loss_rates
from sales_tech.planning.outlook import Outlook
from sales_tech.planning.past import SourcePast
from sales_tech.planning.prices import price_list
from sales_tech.planning.series import catalogue_of
from sales_tech.planning.standing import restated

HORIZON = 91


def _long_enough(demand: Demand) -> bool:
    days = (demand.origin - demand.first).days + 1
    return days >= 3 * (demand.horizon + ANCHOR_DAYS)


class PromotionPlanner(BaseEstimator):
    """Forecasts what promotions to come will sell and earn: a baseline without promotions times what the analysis of them says.

    Parameters
    ----------
    horizon: days ahead; a source with less than three times as many days of sales is told less far.
    quantiles: low, median and high of the baseline's range of a day.
    country: ISO code of the holidays; None for none.
    occasions: the source's own days in which more is sold each time: first and last days (YYYY-MM-DD) by name.
    random_state: the same past and seed give the same numbers.
    most_rows, trees: bounds of the forecaster, see `PromotionForecaster`.

    After `fit`: `forecaster_` (a PromotionForecaster of the baseline), `outlook_` (answers plans), `notes_` (sentences on what
    could not be told). `observe` takes a newer past without learning anew: the learnt laws from the newest sales.

    """

    def __init__(
        self,
        horizon: int = HORIZON,
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
        country: str | None = "BR",
        random_state: int = 0,
        most_rows: int = 120_000,
        trees: int = 120,
        occasions: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    ) -> None:
        self.horizon, self.quantiles, self.country = horizon, quantiles, country
        self.random_state, self.most_rows, self.trees, self.occasions = random_state, most_rows, trees, occasions

    def fit(self, past: SourcePast, y: object = None) -> Self:
        """Learn from a source's past; TooLittleHistory where it is too short for any forecast."""
        if len(self.quantiles) != 3 or list(self.quantiles) != sorted(set(self.quantiles)):
            raise ValueError(f"quantiles are {self.quantiles}; expected three that rise, such as 0.1, 0.5 and 0.9")
        if not isinstance(self.horizon, int | np.integer) or self.horizon < 1:
            raise ValueError(f"horizon is {self.horizon!r}; expected a whole number of days, 1 or more")
        demand = demand_of(past, self.horizon)
        self.forecaster_ = PromotionForecaster(
            series=["sku", "channel"],
            static=["category", "brand"],
            freq="D",
            horizon=demand.horizon + (ANCHOR_DAYS if _long_enough(demand) else 0),
            quantiles=tuple(self.quantiles),
            country=self.country,
            occasions=self.occasions,
            available="available",
            effects=KnownUplift(),
            random_state=self.random_state,
            most_rows=self.most_rows,
            trees=self.trees,
            shorter_plans=True,
        ).fit(demand.panel)
        self.horizon_ = demand.horizon
        return self._look_ahead(past, demand)

    def observe(self, past: SourcePast) -> Self:
        """Look ahead from a newer past with what was learnt; the horizon stays what it was.

        The days of occasions are those of its calendar, where one is known. Of an occasion that was not learnt nothing is told.
        """
        check_is_fitted(self, "forecaster_")
        self.forecaster_.set_params(occasions=self.occasions if past.calendar is None else past.calendar.days)
        return self._look_ahead(past, demand_of(past, self.horizon_, as_learnt=True))

    def _baseline(self, demand: Demand) -> pd.DataFrame:
        forecaster, horizon = self.forecaster_, self.horizon_
        if forecaster.horizon == horizon:
            return forecaster.observe(demand.panel).predict(demand.ahead(horizon))
        before = demand.origin - pd.Timedelta(days=ANCHOR_DAYS)
        panel, asked = demand.panel, demand.ahead(horizon + ANCHOR_DAYS)
        if not ((panel["date"] <= before) & (panel["available"] > 0)).any():
            # All that is sold began since, or was out of stock until then.
            return forecaster.observe(panel).predict(demand.ahead(horizon))
        # A series that began since then is new to the earlier origin, which tells it as such.
        asked["date"] = (asked["date"] - pd.Timedelta(days=ANCHOR_DAYS)).astype("datetime64[s]")
        earlier = forecaster.observe(panel[panel["date"] <= before]).predict(asked)
        sold = panel[(panel["date"] > before) & (panel["available"] > 0)]
        sold = sold.assign(units=sold["units"] / np.exp(sold["log_uplift"]))[["sku", "channel", "date", "units"]]
        told = forecaster.observe(panel).predict(demand.ahead(horizon))
        mean = anchored(earlier, sold, demand.origin)
        mean = restated(told.assign(baseline=mean), panel, demand.origin)
        factor = np.divide(mean, told["baseline"].to_numpy(), out=np.ones(len(told)), where=told["baseline"].to_numpy() > 0)
        names = list(quantile_columns(self.quantiles).values())
        return told.assign(baseline=mean, **{name: told[name] * factor for name in names})

    def _look_ahead(self, past: SourcePast, demand: Demand) -> Self:
        horizon = self.horizon_
        told = self._baseline(demand)
        categories = catalogue_of(past.frames.products)["category"]
        rates = loss_rates(past.results, past.daily, categories)
        left = 1 - dips_ahead(past, demand.table, demand.regions, rates, told, demand.origin)
        low, median, high = (quantile_columns(self.quantiles)[quantile] for quantile in self.quantiles)
        baseline = pd.DataFrame(
            {
                "sku": told["sku"].astype(object),
                "channel": told["channel"].astype(object),
                "sold_on": told["date"],
                "baseline_units": told["baseline"] * left,
                "baseline_low": told[low] * left,
                "baseline_median": told[median] * left,
                "baseline_high": told[high] * left,
            }
        )
        series = demand.table.series
        names, channels = series["name"].to_numpy(), series["channel"].to_numpy()
        members = demand.table.members[~demand.table.members["withdrawn"]]
        at = members["series"].to_numpy()
        members = members.assign(series=names[at])[["sku", "channel", "series", "share"]].reset_index(drop=True)
        at = demand.regions["series"].to_numpy()
        kept = demand.table.ahead[at]
        regions = pd.DataFrame({"series": names[at], "channel": channels[at]}).join(demand.regions[["region", "share"]])[kept]
        last = demand.origin + pd.Timedelta(days=horizon)
        self.notes_ = demand.notes
        self.outlook_ = Outlook(
            baseline=baseline,
            members=members,
            regions=regions.reset_index(drop=True),
            prices=price_list(past.frames, demand.origin, last),
            response=past.response.reset_index(drop=True),
            rates=rates,
            currency=past.currency,
            origin=demand.origin.as_unit("s"),
            horizon=horizon,
        )
        return self
