"""When the shelf is empty: stock-outs by SKU and store."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sales_tech.twin.history import Ints

# Share of the days on which a SKU's last unit in a store is sold, outside promotions and within them.
RATE, RATE_PROMOTED = 0.006, 0.02
MEAN_DAYS = 5.0


def make_stockouts(skus: int, stores: int, days: int, members: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """One row per stock-out: product, store (rows), start, end (positions, both inclusive), sorted by start.

    `members` has product, start and end of what is promoted. Intervals of one SKU and store may touch or overlap.
    """
    number = rng.poisson(RATE * skus * stores * days)
    product, store, start = (rng.integers(0, limit, number) for limit in (skus, stores, days))
    lengths = (np.minimum(members["end"], days - 1) - members["start"] + 1).clip(lower=0).to_numpy()
    more = rng.poisson((RATE_PROMOTED - RATE) * lengths * stores)
    rows = np.repeat(np.arange(len(members)), more)
    promoted: Ints = members["product"].to_numpy()[rows]
    within = members["start"].to_numpy()[rows] + (rng.random(len(rows)) * (lengths[rows] + 2)).astype(np.int64)
    product, start = np.concatenate([product, promoted]), np.concatenate([start, np.minimum(within, days - 1)])
    store = np.concatenate([store, rng.integers(0, stores, len(rows))])
    end = np.minimum(start + rng.geometric(1 / MEAN_DAYS, len(start)) - 1, days - 1)
    frame = pd.DataFrame({"product": product, "store": store, "start": start, "end": end})
    return frame.sort_values(["start", "product", "store"], kind="stable", ignore_index=True)
