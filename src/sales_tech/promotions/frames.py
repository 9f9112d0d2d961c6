"""What the estimation is given of one source, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

# No retailer is silent for so long in the midst of its sales; a mistyped year is.
LONGEST_SILENCE = pd.Timedelta(days=366)


@dataclass(frozen=True)
class SourceFrames:
    """One source's rows, with the columns of the tables they come from, less source and currency.

    Text columns are categoricals, days are datetime64[s], money is float64 in the source's currency. None stands
    where the source tells nothing: no stores, no stock-outs reported (not the same as no stock-out), no promotions
    named, so that they have to be inferred.

    - `daily`, from gold.daily_sales: sold_on, store_id, sku, channel, units, gross_sales, discount, net_sales;
      ordered by day. Units and money are before returns: what gold.daily_sales tells plus what was returned.
    - `products`, from silver.products: sku, valid_from, valid_to (exclusive, null: still), category, brand, price, cost.
    - `stores`, from silver.stores: store_id, state, region, channel, opened_on.
    - `promotions`, from silver.promotions: promotion_id, sku, name, mechanic, discount_share, starts_on, ends_on
      (inclusive), channel, region, display, investment.
    - `stockouts`, from silver.stockouts: store_id, sku, starts_on, ends_on (inclusive).
    """

    daily: pd.DataFrame
    products: pd.DataFrame
    stores: pd.DataFrame | None = None
    promotions: pd.DataFrame | None = None
    stockouts: pd.DataFrame | None = None


@dataclass(frozen=True)
class Estimates:
    """What can be told of one source's promotions.

    `results`, `daily`, `elasticity`, `response` and `overlap` have the columns of gold.promotion_results,
    gold.promotion_daily, gold.price_elasticity, gold.promotion_response and gold.promotion_overlap, less source and
    currency, as floats with NaN for what is not known; whoever stores them rounds them. Where nothing can
    be told they are empty. `notes` are sentences on what could not be told, and why.
    """

    results: pd.DataFrame
    daily: pd.DataFrame
    elasticity: pd.DataFrame
    response: pd.DataFrame
    overlap: pd.DataFrame
    notes: tuple[str, ...] = field(default=())


def without_strays(by_day: pd.Series) -> pd.Series:
    """Units by day (ascending) without the days that more than a year without any sale parts from most units.

    One line with a mistyped year would else make decades of days of nothing, all of which are looked at.
    """
    stretch = np.cumsum(pd.DatetimeIndex(by_day.index).diff() > LONGEST_SILENCE)
    together: pd.Series = by_day[stretch == int(np.argmax(np.bincount(stretch, weights=by_day)))]
    return together
