"""A synthetic Brazilian technology retailer whose promotions have known effects, and its exports in the house format `erp_br`.

Demand is structural: SKUs, stores, seasons, prices and promotions act through the functions of `market`,
`response` and `demand`; `truth` runs the same demand with and without each promotion. `write_twin` writes what
is sold as files, and what goes wrong with files stands in `dirt`. The same arguments give the same bytes. The people,
brands and shops are invented.
"""

from __future__ import annotations

from sales_tech.twin.dirt import PlantedDirt
from sales_tech.twin.exports import TwinSummary, write_twin
from sales_tech.twin.scenario import Size

__all__ = ["PlantedDirt", "Size", "TwinSummary", "write_twin"]
