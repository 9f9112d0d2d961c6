"""Elasticities and what-ifs, worked out draw by draw from a posterior written by hand."""

from __future__ import annotations

from statistics import NormalDist
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sales_tech.promotions.baseline import Groups
from sales_tech.promotions.cells import PromotedCells
from sales_tech.promotions.elasticity import elasticity_frame, predicted_lift, units_at
from sales_tech.promotions.panel import Member
from sales_tech.promotions.shrinkage import Pooled

NAN, DRAWS = float("nan"), 40
STORES = np.array([0])
CATEGORY, BRAND, DISPLAY, MECHANIC = [0, 0, 1, 2], [0, 1, 0, 1], [1.0, 0.0, 0.0, 0.0], [0, 1, 1, 0]
MEMBERS = [
    Member(0, 0, STORES, 2, 3, 0.05),
    Member(1, 0, STORES, 5, 6, 0.2),
    Member(1, 1, STORES, 5, 6, 0.2),
    Member(2, 1, STORES, 8, 9, 0.32),
    Member(3, 1, STORES, 11, 11, NAN),
]


def world(regular: list[float], deviation: list[float]) -> Any:
    """Two SKUs with promotions, one whose price changed alone, and one of which nothing is known."""
    rng = np.random.default_rng(3)
    price = np.full((4, 14), 10.0)
    # The first two changes are as small as rounding and before the launch; the first SKU has one more, the third has two.
    price[0, 4:], price[1, 5:], price[0, 9:], price[2, 3:7] = 10.05, 12.0, 11.0, 9.0
    panel: Any = SimpleNamespace(
        members=MEMBERS,
        skus=np.arange(4),
        days=np.arange(14),
        categories=["a", "b", "c"],
        category=np.array(CATEGORY),
        brands=["x", "y"],
        brand=np.array(BRAND),
        price=price,
        launched=np.array([-1, 5, -1, -1]),
        promotions=pd.DataFrame({"display": DISPLAY}),
    )
    cells = PromotedCells(panel, Groups(np.array([0]), 1))
    lifts = SimpleNamespace(
        slope=rng.normal(2.5, 0.2, size=(DRAWS, 3)),
        brand_slope=rng.normal(0.3, 0.1, size=(DRAWS, 6)),
        noticed=rng.uniform(0.6, 1.0, size=(DRAWS, 2)),
        mechanic=rng.normal(0.1, 0.05, size=(DRAWS, 2)),
        display=rng.normal(0.2, 0.05, size=DRAWS),
        shape=rng.normal(0.3, 0.3, size=DRAWS),
        log_lift=rng.uniform(-0.1, 0.9, size=(DRAWS, 5)),
    )
    return SimpleNamespace(
        panel=panel,
        cells=cells,
        lifts=lifts,
        mechanic=np.array([MECHANIC[member.promotion] for member in MEMBERS]),
        baseline=rng.uniform(5, 9, size=(DRAWS, 5)),
        incremental=rng.uniform(-1, 9, size=(DRAWS, 5)),
        model=SimpleNamespace(price_elasticity=Pooled(np.array(regular), np.array(deviation), 0.0, 0.0, 0.0)),
    )


def bent(lifts: Any, depth: float) -> np.ndarray:
    """Factor by which a slope at a depth is steeper than at a fifth."""
    factor: np.ndarray = (1 - (1 - depth) ** lifts.shape) / (1 - 0.8**lifts.shape) * np.log(0.8) / np.log(1 - depth)
    return factor


@pytest.mark.parametrize(("regular", "deviation"), [(2.2, 0.3), (2.2, 0.01), (-0.5, 0.3)])
def test_elasticities_weigh_promotions_and_changes_of_the_price_and_uplifts_are_told_where_depths_were_tried(
    regular: float, deviation: float
) -> None:
    told = world([regular, 1.7, 1.0], [deviation, 0.01, 0.2])
    lifts, z = told.lifts, NormalDist().inv_cdf(0.9)
    found = elasticity_frame(told, 0.8)
    # By category and brand: row of the brand, depths, promotions, changes of the price.
    groups = {
        ("a", "all"): (None, [0.05, 0.2, 0.2, 0.32], 3, 1),
        ("a", "x"): (0, [0.05, 0.2], 2, 1),
        ("a", "y"): (1, [0.2, 0.32], 2, 0),
        ("b", "all"): (None, [], 0, 2),
    }
    assert list(found.groupby(["category", "brand"]).groups) == list(groups)
    for (category, brand), (row, depths, promotions, changes) in groups.items():
        part = found[(found["category"] == category) & (found["brand"] == brand)].reset_index(drop=True)
        assert part["promotions"].eq(promotions).all()
        assert part["price_changes"].eq(changes).all()
        if not depths:
            assert len(part) == 1
            told_of = part.loc[0, ["elasticity", "elasticity_low", "elasticity_high"]].tolist()
            assert told_of == pytest.approx([1.7, 1.7 - z * 0.05, 1.7 + z * 0.05])
            assert part[["depth_from", "depth_to"]].isna().all(axis=None)
            continue
        assert part[["depth_from", "depth_to"]].drop_duplicates().to_numpy().tolist() == [[min(depths), max(depths)]]
        # The usual mechanic of the first brand is the first of two alike, of the others the second one.
        usual = 0 if brand == "x" else 1
        slope = (lifts.slope[:, 0] + (lifts.brand_slope[:, row] if row is not None else 0)) * lifts.noticed[:, usual]
        middle = slope * bent(lifts, float(np.median(depths)))
        mean, doubt = middle.mean(), max(middle.std(), 0.05)
        if row is None and regular > 0:
            sources = [(regular, max(deviation, 0.05)), (mean, doubt)]
            weights = np.array([sd**-2 for _, sd in sources]) / sum(sd**-2 for _, sd in sources)
            mean = sum(weight * one for weight, (one, _) in zip(weights, sources, strict=True))
            # Of one source or the other: each one's own doubt is as if both were told, and they differ besides.
            apart = sum(weight * (one - mean) ** 2 for weight, (one, _) in zip(weights, sources, strict=True))
            doubt = (1 / sum(sd**-2 for _, sd in sources) + apart) ** 0.5
        assert part.loc[0, ["elasticity", "elasticity_low", "elasticity_high"]].tolist() == pytest.approx(
            [mean, mean - z * doubt, mean + z * doubt]
        )
        assert part.loc[0, ["discount_share", "uplift", "uplift_low", "uplift_high"]].tolist() == [0, 0, 0, 0]
        width = 2 * z * doubt / mean
        assert part["evidence"].eq("strong" if width <= 0.3 else "fair" if width <= 0.7 else "thin").all()
        grid = [depth for depth in (0.05, 0.1, 0.15, 0.2, 0.25, 0.3) if min(depths) <= depth <= max(depths)]
        assert part["discount_share"].tolist() == pytest.approx([0, *grid])
        for at, depth in enumerate(grid, start=1):
            steep = slope * bent(lifts, depth)
            lift = (1 - depth) ** -steep * np.exp(lifts.mechanic[:, usual] * min(depth / 0.1, 1)) - 1
            expected = [f(x) for x in (lift, steep) for f in (np.mean, lambda x: np.quantile(x, 0.1), lambda x: np.quantile(x, 0.9))]
            names = [f"{name}{end}" for name in ("uplift", "elasticity") for end in ("", "_low", "_high")]
            assert part.loc[at, names].tolist() == pytest.approx(expected)


def test_where_no_price_changed_the_promotions_alone_tell_the_elasticity() -> None:
    told = world([0.2, 1.7, 1.0], [0.01, 0.01, 0.2])
    told.panel.price[0] = 10.0 + 0.05 * (np.arange(14) % 2)  # as rounding leaves it
    whole = elasticity_frame(told, 0.8).iloc[0]
    slope = told.lifts.slope[:, 0] * told.lifts.noticed[:, 1] * bent(told.lifts, 0.2)
    assert (whole["brand"], whole["price_changes"]) == ("all", 0)
    assert whole["elasticity"] == pytest.approx(slope.mean())
    half = NormalDist().inv_cdf(0.9) * slope.std()
    assert whole[["elasticity_low", "elasticity_high"]].tolist() == pytest.approx([slope.mean() - half, slope.mean() + half])


def test_evidence_of_an_elasticity_is_graded_by_its_range() -> None:
    # A range of 2.56 deviations, over two.
    for doubt, grade in {0.22: "strong", 0.24: "fair", 0.53: "fair", 0.56: "thin"}.items():
        assert elasticity_frame(world([2.2, 2.0, 1.0], [0.3, doubt, 0.2]), 0.8).iloc[-1]["evidence"] == grade


def lift_of(told: Any, row: int, depth: float) -> np.ndarray:
    """Log lift that is predicted of a member at a depth."""
    lifts, sku, kind = told.lifts, MEMBERS[row].sku, MECHANIC[MEMBERS[row].promotion]
    slope = (lifts.slope[:, CATEGORY[sku]] + lifts.brand_slope[:, 2 * CATEGORY[sku] + BRAND[sku]]) * lifts.noticed[:, kind]
    log: np.ndarray = -slope * np.log(1 - depth) * bent(lifts, depth) + lifts.mechanic[:, kind] * min(depth / 0.1, 1)
    return log + lifts.display * DISPLAY[MEMBERS[row].promotion]


def test_units_at_another_depth_are_those_told_times_what_the_log_lift_grows_by() -> None:
    told = world([2.0, 2.0, 2.0], [0.1, 0.1, 0.1])
    # Of one draw next to nothing is predicted as planned, a loss of another, and little of a third, of which a deeper cut makes much.
    told.lifts.brand_slope[0] = told.lifts.mechanic[0] = 0.0
    told.lifts.slope[:3, 0] = 0.06, -9.0, 0.2
    told.lifts.mechanic[2] = -0.1
    rows, depths = [1, 2], np.array([0.15, 0.05])
    found = predicted_lift(told, np.array(rows), depths)
    assert found == pytest.approx(np.stack([lift_of(told, row, depth) for row, depth in zip(rows, depths.tolist(), strict=True)], axis=1))
    units, extra = units_at(told, 1, 0.3)
    expected, more = np.zeros(DRAWS), np.zeros(DRAWS)
    for row in rows:
        before, after = lift_of(told, row, 0.2), lift_of(told, row, 0.3)
        scale = np.clip(np.maximum(after, 0) / np.maximum(before, 0.02), 0, 6)
        sold = (told.baseline + told.incremental)[:, row] * np.exp(told.lifts.log_lift[:, row]) ** (scale - 1)
        expected, more = expected + sold, more + sold - told.baseline[:, row]
    assert units == pytest.approx(expected)
    assert extra == pytest.approx(more)
    as_planned, added = units_at(told, 1)
    assert as_planned == pytest.approx((told.baseline + told.incremental)[:, rows].sum(axis=1))
    assert added == pytest.approx(told.incremental[:, rows].sum(axis=1))


@pytest.mark.parametrize("depth", [0.04, 0.33])
def test_a_depth_beyond_those_that_the_category_tried_is_refused(depth: float) -> None:
    with pytest.raises(ValueError, match="was never tried here; expected 5% to 32%"):
        units_at(world([2.0] * 3, [0.1] * 3), 1, depth)
