"""What several promotions of one SKU do together, and what each of them adds to the others."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from sales_tech.promotions.cells import PromotedCells, Segment
from sales_tech.promotions.panel import Floats


def joint(lifts: Floats, share: float) -> Floats:
    """Log lift of several promotions (last axis): the strongest, and a share of each other."""
    highest = lifts.max(axis=-1)
    together: Floats = highest + share * (lifts.sum(axis=-1) - highest)
    return together


def added(lifts: Floats, share: float) -> Floats:
    """For each promotion (last axis) the change of relative demand that it makes beside the others."""
    everything = np.exp(joint(lifts, share))
    parts = []
    for row in range(lifts.shape[-1]):
        rest = np.delete(lifts, row, axis=-1)
        parts.append(everything - np.exp(joint(rest, share)))
    stacked: Floats = np.stack(parts, axis=-1)
    return stacked


def overlap_share(segments: list[Segment], lifts: Floats, actual: Floats, baseline: Floats) -> float:
    """The share of each further promotion's log lift that comes through, by Poisson likelihood; a third where little overlaps.

    `lifts` (draws, members) are log lifts, `actual` and `baseline` units by segment.
    """
    if baseline.sum() < 100:
        return 1 / 3

    def loss(share: float) -> float:
        # The mean of what the draws expect: the strongest of two doubtful lifts is stronger than either's mean.
        mean = np.array([np.exp(joint(lifts[:, list(segment.members)], share)).mean() for segment in segments])
        # A weak prior about a third keeps a few hundred units from telling zero or one.
        return float((baseline * mean - actual * np.log(mean)).sum() + 0.5 * ((share - 1 / 3) / 0.3) ** 2)

    return float(minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded").x)


def extra_units(cells: PromotedCells, expected: Floats, lifts: Floats, error: Floats, share: float) -> Floats:
    """Mean of what promotions add in each cell (K, G, T) to the `expected` units; where several run, all of them together.

    `lifts` (draws, members) are log lifts, `error` (draws, members) the factors by which the baseline is off.
    """
    extra: Floats = expected * cells.spread((error * np.expm1(lifts)).mean(axis=0))
    for part in cells.segments:
        rows, where = list(part.members), (part.sku, part.groups, part.days)
        together = error[:, rows].mean(axis=1) * np.expm1(joint(lifts[:, rows], share))
        extra[where] = expected[where] * together.mean()
    return extra


def overlap_frame(cells: PromotedCells, expected: Floats) -> pd.DataFrame:
    """One row per ordered pair of promotions that ran at the same time on a SKU, or in a category.

    `expected` (K, G, T) are units with promotions. Columns: promotion_id, other_promotion_id, relation, shared_skus,
    shared_days, shared_units_share.
    """
    panel = cells.panel
    names = panel.promotions["promotion_id"].tolist() if len(panel.promotions) else []
    units = np.zeros(len(names))
    for member, here in zip(panel.members, cells.of_member, strict=True):
        units[member.promotion] += expected[member.sku, here, member.days].sum()
    shared: dict[tuple[int, int], tuple[set[int], set[int], float]] = {}
    for segment in cells.segments:
        part = float(expected[segment.sku, segment.groups, segment.days].sum())
        promotions = {int(cells.promotions[number]) for number in segment.members}
        for one in promotions:
            for other in promotions - {one}:
                skus, days, total = shared.get((one, other), (set(), set(), 0.0))
                shared[one, other] = (skus | {segment.sku}, days | set(segment.days.tolist()), total + part)
    span: dict[int, tuple[int, int, set[int], set[int]]] = {}
    for member, here in zip(panel.members, cells.of_member, strict=True):
        start, end, categories, groups = span.get(member.promotion, (member.start, member.end, set(), set()))
        span[member.promotion] = (
            min(start, member.start),
            max(end, member.end),
            categories | {int(panel.category[member.sku])},
            groups | set(here.tolist()),
        )
    rows = []
    for one, mine in span.items():
        for other, theirs in span.items():
            length = min(mine[1], theirs[1]) - max(mine[0], theirs[0]) + 1
            if one == other or length <= 0 or not (mine[2] & theirs[2]) or not (mine[3] & theirs[3]):
                continue
            skus, both, part = shared.get((one, other), (set(), set(), 0.0))
            rows.append(
                {
                    "promotion_id": names[one],
                    "other_promotion_id": names[other],
                    "relation": "same_sku" if skus else "same_category",
                    "shared_skus": len(skus),
                    "shared_days": len(both) if skus else length,
                    "shared_units_share": min(part / max(units[one], 1e-9), 1.0),
                }
            )
    columns = ["promotion_id", "other_promotion_id", "relation", "shared_skus", "shared_days", "shared_units_share"]
    return pd.DataFrame(rows, columns=columns)
