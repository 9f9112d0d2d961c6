"""What the weeks to come will sell with all promotions that are planned."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sales_tech.planning.lookup import BASELINE
from sales_tech.planning.outlook import Outlook
from sales_tech.planning.plans import plans_of
from sales_tech.planning.ranges import row_range
from sales_tech.planning.transfer import EFFECTS

_KEYS = ["sku", "channel", "sold_on"]


def expected_demand(outlook: Outlook, plans: pd.DataFrame) -> pd.DataFrame:
    """The baseline of every series and day with what planned promotions add, and how many of them there are.

    Columns: sku ("others of" a category for those without a series of their own), channel, sold_on, category, the baseline's,
    uplift_units, units, units_low, units_median, units_high, promotions. The plans are those that `Outlook.forecast` takes;
    there may be none.
    """
    told = outlook.baseline.merge(outlook.categories.rename("category"), left_on="sku", right_index=True, how="left")
    added = [f"{effect}_units" for effect in EFFECTS]
    if plans.empty:
        told[["promotions", *added]] = 0.0
    else:
        rows = outlook.moved(plans_of(plans), together=True)
        for effect, name in zip(EFFECTS, added, strict=True):
            rows[name] = rows["baseline_units"] * rows[effect]
        rows["sku"] = rows["series"]
        by_day = rows.groupby(_KEYS, sort=True)
        sums = by_day[added].sum().assign(promotions=by_day["promotion_id"].nunique())
        told = told.merge(sums.reset_index(), on=_KEYS, how="left")
        told[["promotions", *added]] = told[["promotions", *added]].fillna(0.0)
    usual = told["baseline_units"].to_numpy()
    for effect, name in zip(EFFECTS, added, strict=True):
        told[effect] = np.divide(told[name].to_numpy(), usual, out=np.zeros(len(told)), where=usual > 0)
    told["units"] = told["baseline_units"] + told["uplift_units"]
    told["units_low"], told["units_median"], told["units_high"] = row_range(told)
    told["promotions"] = told["promotions"].astype(np.int64)
    columns = [*_KEYS, "category", *BASELINE, "uplift_units", "units", "units_low", "units_median", "units_high", "promotions"]
    return told[columns].sort_values(_KEYS, kind="stable", ignore_index=True)
