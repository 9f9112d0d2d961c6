"""Exports of a fictitious Brazilian technology retailer, in the house format `erp_br`.

The same arguments give the same bytes, so a fresh clone has something to run on and tests have
something to count. The people, brands and shops are invented. What demand obeys (weekdays, paydays,
growth, promotions) stands as constants in `demand`; what is wrong with the files, in `dirt`.
"""

from __future__ import annotations

from sales_tech.sample.dirt import PlantedDirt
from sales_tech.sample.exports import SampleSummary, write_sample

__all__ = ["PlantedDirt", "SampleSummary", "write_sample"]
