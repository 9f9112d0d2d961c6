"""Effects that a category has not seen are told by how mechanics differ elsewhere."""

from __future__ import annotations

import math
from itertools import pairwise

import pandas as pd
import pytest

from sales_tech.planning.transfer import EFFECTS, LEAST, with_borrowed

Curve = dict[float, tuple[float, float, float]]
# By category, mechanic and display the effects, and their ends, of each depth that was tried, and how many promotions tried it.
TRIED: dict[tuple[str, str, bool], tuple[Curve, int]] = {
    ("Mice", "leaflet", False): ({0.1: (0.2, 0.1, 0.4), 0.2: (0.5, 0.3, 0.8)}, 9),
    ("Mice", "bundle", False): ({0.15: (0.3, 0.2, 0.5)}, 2),
    ("Keyboards", "leaflet", False): ({0.1: (0.1, -0.1, 0.2), 0.3: (0.6, 0.2, 1.0)}, 4),
    ("Keyboards", "coupon", False): ({0.2: (1.5, 1.0, 2.0)}, 3),
    ("Cables", "leaflet", False): ({0.2: (0.4, 0.3, 0.5)}, 5),
    ("Cables", "coupon", False): ({0.1: (0.3, -1.5, 0.9), 0.2: (0.4, 0.2, 1.2)}, 5),
    ("Keyboards", "coupon", True): ({0.2: (2.0, 1.5, 3.0)}, 1),
}
WORKS = {"Mice": 0.9, "Keyboards": 0.6, "Cables": 0.75}


def response() -> pd.DataFrame:
    about = {"depth_from": 0.1, "depth_to": 0.2, "brand": "all"}
    rows = [
        about
        | {"category": category, "mechanic": mechanic, "display": display, "promotions": promotions, "works_share": WORKS[category]}
        | {"discount_share": depth}
        | dict(zip(EFFECTS, effects, strict=True))
        for (category, mechanic, display), (curve, promotions) in TRIED.items()
        for depth, effects in curve.items()
    ]
    # What one brand did is no rule for a category.
    rows.append(rows[0] | {"brand": "Acme", "mechanic": "raffle", "uplift": 9.0, "promotions": 99})
    return pd.DataFrame(rows)


def log_at(key: tuple[str, str, bool], depth: float, end: int) -> float:
    """The log of the factor at a depth: from 1 without a discount straight from point to point, and on as it ended."""
    points = [(0.0, 0.0), *((at, math.log1p(max(effects[end], LEAST))) for at, effects in sorted(TRIED[key][0].items()))]
    for (left, low), (right, high) in pairwise(points):
        if depth <= right:
            return low + (high - low) * (depth - left) / (right - left)
    return points[-1][1]


def borrowed(category: str, mechanic: str, display: bool, usual: str | None, others: list[str], depths: list[float]) -> list[list[float]]:
    """The effects of each depth: those of the usual mechanic, and how the two differ in the other categories; or their mean."""
    told = []
    for depth in depths:
        logs = []
        for end in range(3):
            apart = [
                log_at((other, mechanic, display), depth, end) - (log_at((other, usual, display), depth, end) if usual else 0.0)
                for other in others
            ]
            logs.append((log_at((category, usual, display), depth, end) if usual else 0.0) + sum(apart) / len(apart))
        told.append([depth, *(math.expm1(log) for log in (logs[0], min(logs), max(logs)))])
    return told


@pytest.mark.parametrize(
    ("key", "usual", "others", "depths"),
    [
        # Where others tried both, by how these differ from the most frequent one.
        (("Mice", "coupon", False), "leaflet", ["Cables", "Keyboards"], [0.1, 0.15, 0.2]),
        (("Keyboards", "bundle", False), "leaflet", ["Mice"], [0.1, 0.2, 0.3]),
        # Of two that are as frequent the first by name is the usual one, which nobody else had beside a bundle.
        (("Cables", "bundle", False), None, ["Mice"], [0.1, 0.2]),
        # Of a category without any, the mean of those that had it, at all depths that anybody tried.
        (("Chairs", "coupon", False), None, ["Cables", "Keyboards"], [0.1, 0.15, 0.2, 0.3]),
        (("Chairs", "leaflet", False), None, ["Cables", "Keyboards", "Mice"], [0.1, 0.15, 0.2, 0.3]),
        (("Mice", "coupon", True), None, ["Keyboards"], [0.1, 0.15, 0.2, 0.3]),
    ],
)
def test_what_was_never_tried_is_told_by_those_who_did(
    key: tuple[str, str, bool], usual: str | None, others: list[str], depths: list[float]
) -> None:
    given = response()
    told = with_borrowed(given, ["Mice", "Chairs"])
    pd.testing.assert_frame_equal(told.head(len(given)), given, check_dtype=False)
    category, mechanic, display = key
    mine = told[(told["category"] == category) & (told["mechanic"] == mechanic) & (told["display"] == display)]
    assert mine[["discount_share", *EFFECTS]].to_numpy().tolist() == [pytest.approx(row) for row in borrowed(*key, usual, others, depths)]
    assert set(mine["promotions"]) == {0}
    assert set(mine["brand"]) == {"all"}
    assert (set(mine["depth_from"]), set(mine["depth_to"])) == ({depths[0]}, {depths[-1]})


def test_each_category_has_each_mechanic_with_the_display_that_somebody_tried_and_none_is_told_twice() -> None:
    told = with_borrowed(response(), ["Mice", "Chairs"])
    plain = told[told["brand"] == "all"]
    found = {tuple(key) for key in plain[["category", "mechanic", "display"]].to_numpy().tolist()}
    categories = ("Mice", "Keyboards", "Cables", "Chairs")
    kinds = [(mechanic, False) for mechanic in ("leaflet", "bundle", "coupon")] + [("coupon", True)]
    assert found == {(category, *kind) for category in categories for kind in kinds}
    assert not plain.duplicated(["category", "mechanic", "display", "discount_share"]).any()
    # The part of promotions that work is the category's own; of one without any, that of all.
    shares = told[told["promotions"] == 0].groupby("category")["works_share"].first()
    rows = response()
    rows = rows[rows["brand"] == "all"]
    assert shares["Cables"] == pytest.approx(0.75)
    assert shares["Chairs"] == pytest.approx(sum(rows["works_share"]) / len(rows))
    whole = rows[rows["category"] == "Mice"]
    assert with_borrowed(whole, ["Mice"]) is whole


def test_the_range_of_a_borrowed_effect_holds_it_though_both_ends_of_the_difference_lie_above() -> None:
    rows = response().head(3)
    rows = rows.assign(category=["Mice", "Cables", "Cables"], mechanic=["leaflet", "leaflet", "coupon"], discount_share=0.2, brand="all")
    # Elsewhere a leaflet was sure not to add more than it did, and a coupon not to add less.
    rows[list(EFFECTS)] = [(0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (1.0, 1.0, 2.0)]
    (told,) = with_borrowed(rows, []).tail(1).to_dict("records")
    assert (told["category"], told["mechanic"]) == ("Mice", "coupon")
    # 1.5 x 2 / 1.5, and of the ends 1.5 x 3 / 1.5 and 1.5 x 2 / 0.5.
    assert [told[name] for name in EFFECTS] == pytest.approx([1.0, 1.0, 5.0])


def test_the_usual_mechanic_is_one_that_the_category_tried_with_the_same_display() -> None:
    rows = response().head(4)
    rows = rows.assign(category=["Mice", "Mice", "Cables", "Cables"], mechanic=["leaflet", "bundle", "bundle", "coupon"])
    rows = rows.assign(display=[False, True, True, True], promotions=[9, 2, 3, 3], discount_share=0.2, brand="all")
    # On display a coupon brought 2 / 1.6 of what a bundle did.
    rows[list(EFFECTS)] = [(9.0,) * 3, (0.2,) * 3, (0.6,) * 3, (1.0,) * 3]
    rows = pd.concat([rows, rows.tail(1).assign(mechanic="leaflet", uplift=5.0)])
    told = with_borrowed(rows, [])
    (coupon,) = told[(told["category"] == "Mice") & (told["mechanic"] == "coupon")].to_dict("records")
    assert coupon["display"]
    assert coupon["uplift"] == pytest.approx(1.2 * 2 / 1.6 - 1)
