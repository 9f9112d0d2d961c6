"""A synthetic Brazilian technology retailer whose promotions have known effects.

Demand is structural: SKUs, stores, seasons, prices and promotions act through the functions of `market`,
`response` and `demand`; `truth` runs the same demand with and without each promotion. The people, brands
and shops are invented.
"""

from __future__ import annotations
