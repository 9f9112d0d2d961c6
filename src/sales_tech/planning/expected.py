"""What the weeks to come will sell with all promotions that are planned."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sales_tech.planning.elsewhere import LOSSES, lost_elsewhere
from sales_tech.planning.lookup import BASELINE
from sales_tech.planning.outlook import Outlook
from sales_tech.planning.plans import plans_of
from sales_tech.planning.ranges import row_range
from sales_tech.planning.transfer import EFFECTS

_KEYS = ["sku", "channel", "sold_on"]


def expected_demand(outlook: Outlook, plans: pd.DataFrame) -> pd.DataFrame:
    """The baseline of every series and day, what planned promotions add and take elsewhere, and how many of them there are.

    Columns: sku ("others of" a category for those without a series of their own), channel, sold_on, category, the baseline's,
    uplift_units, cannibalised_units, pulled_forward_units, units, units_low, units_median, units_high, promotions. units are
    baseline_units + uplift_units - cannibalised_units - pulled_forward_units. The plans are those that `Outlook.forecast`
    takes; there may be none.
    """
    told = outlook.baseline.assign(category=outlook.baseline["sku"].map(outlook.lookup.categories))
    added = [f"{effect}_units" for effect in EFFECTS]
    if plans.empty:
        told[["promotions", *added, *LOSSES]] = 0.0
    else:
        rows = outlook.moved(plans_of(plans), together=True)
        lost = lost_elsewhere(outlook, rows)
        for effect, name in zip(EFFECTS, added, strict=True):
            rows[name] = rows["baseline_units"] * rows[effect]
        rows["sku"] = rows["series"]
        by_day = rows.groupby(_KEYS, sort=True)
        sums = by_day[added].sum().assign(promotions=by_day["promotion_id"].nunique())
        told = told.merge(sums.reset_index(), on=_KEYS, how="left").merge(lost, on=_KEYS, how="left")
        told[["promotions", *added, *LOSSES]] = told[["promotions", *added, *LOSSES]].fillna(0.0)
    usual, lost_units = told["baseline_units"].to_numpy(), told[list(LOSSES)].sum(axis=1).to_numpy()
    for effect, name in zip(EFFECTS, added, strict=True):
        # What is lost moves the whole range as what is added does, and is as sure as the baseline.
        told[effect] = np.divide(told[name].to_numpy() - lost_units, usual, out=np.zeros(len(told)), where=usual > 0)
    told["units"] = told["baseline_units"] + told["uplift_units"] - told["cannibalised_units"] - told["pulled_forward_units"]
    told["units_low"], told["units_median"], told["units_high"] = row_range(told)
    told["promotions"] = told["promotions"].astype(np.int64)
    units = ("units", "units_low", "units_median", "units_high")
    columns = [*_KEYS, "category", *BASELINE, "uplift_units", *LOSSES, *units, "promotions"]
    return told[columns].sort_values(_KEYS, kind="stable", ignore_index=True)
