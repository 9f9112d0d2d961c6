"""Effects that a category has not seen yet, told by what other categories saw."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from sales_tech.forecasting.response import ALL_BRANDS
from sales_tech.forecasting.rows import Floats

EFFECTS = ("uplift", "uplift_low", "uplift_high")
LEAST = -0.99
_KEYS = ["category", "mechanic", "display"]


def with_borrowed(response: pd.DataFrame, categories: Iterable[str]) -> pd.DataFrame:
    """The rows of gold.promotion_response and, for each category and mechanic without any, borrowed ones, with 0 promotions.

    A mechanic that a category never tried is told by the category's most frequent one and how the two differ elsewhere,
    as logs; a category that never tried any, by the mean of those that did.
    """
    plain = response[response["brand"].astype(object) == ALL_BRANDS]
    curves = _curves(plain)
    tried = {(category, display) for category, _, display in curves}
    rows = []
    for display in sorted({display for _, _, display in curves}):
        mechanics = sorted({mechanic for _, mechanic, shown in curves if shown == display})
        for category in sorted(set(categories) | {category for category, _, _ in curves}):
            for mechanic in mechanics:
                if (category, mechanic, display) not in curves:
                    main = _main(plain[plain["display"] == display], category) if (category, display) in tried else None
                    rows += _borrowed(plain, curves, (category, mechanic, display), main)
    return pd.concat([response, pd.DataFrame(rows)], ignore_index=True) if rows else response


def _curves(plain: pd.DataFrame) -> dict[tuple[str, str, bool], tuple[Floats, Floats]]:
    told = {}
    for (category, mechanic, display), part in plain.sort_values("discount_share", kind="stable").groupby(_KEYS, observed=True, sort=True):
        logs = np.log1p(np.maximum(part[list(EFFECTS)].to_numpy(dtype=np.float64), LEAST))
        told[str(category), str(mechanic), bool(display)] = part["discount_share"].to_numpy(dtype=np.float64), logs
    return told


def _main(plain: pd.DataFrame, category: str) -> str:
    mine = plain[plain["category"].astype(object) == category].sort_values(
        ["promotions", "mechanic"], ascending=[False, True], kind="stable"
    )
    return str(mine["mechanic"].iloc[0])


def _borrowed(
    plain: pd.DataFrame, curves: dict[tuple[str, str, bool], tuple[Floats, Floats]], key: tuple[str, str, bool], main: str | None
) -> list[dict[str, object]]:
    category, mechanic, display = key
    mine = plain[plain["category"].astype(object) == category] if main else plain
    grid = np.unique(mine["discount_share"].to_numpy(dtype=np.float64).round(4))
    others = [(name, kind, shown) for name, kind, shown in curves if kind == mechanic and shown == display]
    both = [one for one in others if main is not None and (one[0], main, display) in curves]
    if main is not None and both:
        apart = [_at(curves[one], grid) - _at(curves[one[0], main, display], grid) for one in both]
        logs = _at(curves[category, main, display], grid) + np.mean(apart, axis=0)
    else:
        logs = np.mean([_at(curves[one], grid) for one in others], axis=0)
    about = {"category": category, "brand": ALL_BRANDS, "mechanic": mechanic, "display": display, "promotions": 0}
    about |= {name: float(mine[name].astype("float64").mean()) for name in ("works_share",)}
    about |= {"depth_from": float(grid[0]), "depth_to": float(grid[-1])}
    # Differences of ends are no ends of differences: both may lie on one side of the effect, which its range holds all the same.
    least, most = logs.min(axis=1), logs.max(axis=1)
    return [
        about | {"discount_share": depth, "uplift": np.expm1(log), "uplift_low": np.expm1(low), "uplift_high": np.expm1(high)}
        for depth, log, low, high in zip(grid.tolist(), logs[:, 0], least, most, strict=True)
    ]


def _at(curve: tuple[Floats, Floats], grid: Floats) -> Floats:
    depths, logs = curve
    whole, values = np.concatenate([[0.0], depths]), np.vstack([np.zeros(logs.shape[1]), logs])
    return np.column_stack([np.interp(grid, whole, values[:, column]) for column in range(values.shape[1])])
