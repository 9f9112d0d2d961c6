"""Which depth of discount earns most: a planned promotion at other depths, with what it costs elsewhere."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from sales_tech.forecasting.checks import PlanBeyondHistory
from sales_tech.planning.effects import Effects
from sales_tech.planning.lookup import RATES, Lookup, Rows, runs
from sales_tech.planning.ranges import total_spread
from sales_tech.planning.shelves import Neighbours, Shelves

STEP = 0.05
# fmt: off
COLUMNS = (
    "promotion_id", "discount_share", "planned", "rank", "baseline_units", "uplift_units", "units", "units_low", "units_high", "revenue",
    "incremental_revenue", "margin", "incremental_margin", "cannibalised_units", "cannibalised_margin", "halo_margin",
    "pulled_forward_units", "pulled_forward_margin", "investment", "net_margin", "net_margin_low", "net_margin_high", "net_margin_if_weak",
    "net_margin_if_strong", "beyond_tried",
)
# fmt: on
_SUMMED = (
    "baseline_units",
    "uplift_units",
    "units",
    "revenue",
    "incremental_revenue",
    "margin",
    "incremental_margin",
    "cannibalised_units",
    "cannibalised_margin",
    "halo_margin",
    "pulled_forward_units",
    "pulled_forward_margin",
)  # fmt: skip


def compared(shelves: Shelves, effects: Effects, rows: Rows, plans: pd.DataFrame, depths: Sequence[float] | None) -> pd.DataFrame:
    """One row per promotion and depth with the columns COLUMNS, ordered by promotion and rank.

    Units and money are those of the promotion where and while it is valid; net_margin is incremental_margin less
    cannibalised_margin plus halo_margin less pulled_forward_margin less investment. Rank 1 earns the highest net_margin, or
    the highest incremental_revenue where no cost is known. `net_margin_if_weak` and `net_margin_if_strong` are its figures with the
    effect at the ends of its 80 % range and the baseline as told: depths have most of their effect's error in common, so it is these
    that tell whether another depth would be best. `beyond_tried` marks depths that no promotion of a category tried.
    """
    if depths is not None and not all(0 < depth < 1 for depth in depths):
        raise ValueError(f"depths are {list(depths)}; expected shares of the list price above 0 and below 1, such as 0.2")
    known = shelves.known
    effects.logs(rows)
    if depths is not None and len(depths):
        effects.logs(rows | {"discount_share": np.full(len(rows["sku"]), max(depths))})
    invested = plans.groupby("promotion_id", sort=True)["investment"].sum().to_dict()
    told: list[dict[str, object]] = []
    for promotion, span in runs(rows["promotion_id"]):
        own = {name: values[span] for name, values in rows.items()}
        lines, spread = _lines(known, own), total_spread(own)
        lost = _Lost(shelves, own)
        depth = lines["discount_share"]
        same = bool((depth == depth[0]).all())
        planned = float(depth[0] if same else np.average(depth, weights=lines["baseline_units"] + 1e-9))
        asked = _asked(known, lines) if depths is None else sorted(set(depths))
        part = [_at(known, effects, lines, lost, spread, None) | {"discount_share": planned, "planned": True}]
        part += [
            _at(known, effects, lines, lost, spread, depth) | {"discount_share": depth, "planned": False}
            for depth in asked
            if not same or abs(depth - planned) >= 1e-9
        ]
        told += _ranked(part, str(promotion), float(invested[promotion]))
    return pd.DataFrame(told, columns=list(COLUMNS))


def _ranked(part: list[dict[str, object]], promotion: str, invested: float) -> list[dict[str, object]]:
    """The depths of a promotion with what is invested taken off, those that earn most first."""
    for one in part:
        one |= {"promotion_id": promotion, "investment": invested}
        one |= {name: one[name] - invested for name in one if name.startswith("net_margin")}  # type: ignore[operator]
    earned = [one["incremental_revenue"] if np.isnan(one["net_margin"]) else one["net_margin"] for one in part]  # type: ignore[call-overload]
    order = np.argsort(-np.array(earned, dtype=np.float64), kind="stable")
    return [part[at] | {"rank": rank} for rank, at in enumerate(order.tolist(), 1)]


class _Lost:
    """What the promoted SKUs take from their neighbours, of rows of one promotion."""

    def __init__(self, shelves: Shelves, rows: Rows) -> None:
        spans = [span for _, span in runs(rows["sku"])]
        self._begins, self._lengths = [span.start for span in spans], [span.stop - span.start for span in spans]
        self._neighbours, self._usual = Neighbours(shelves, rows), rows["baseline_units"]

    def to_neighbours(self, uplift: np.ndarray) -> np.ndarray:
        """Units by SKU, of which `uplift` is what each adds as a share of the baseline."""
        lost: np.ndarray = np.add.reduceat(self._neighbours.lost(self._usual * np.repeat(uplift, self._lengths)), self._begins)
        return lost


def _lines(known: Lookup, rows: Rows) -> Rows:
    """One line per SKU of a promotion: units and money of the baseline at list price, and what is asked of the response."""
    begins = [span.start for _, span in runs(rows["sku"])]
    usual = rows["baseline_units"]
    told = {name: rows[name][begins] for name in ("category", "brand", "mechanic", "display", "discount_share")}
    for name, values in (("baseline_units", usual), ("listed", usual * rows["list_price"]), ("spent", usual * rows["cost"])):
        told[name] = np.add.reduceat(values, begins)
    for name in RATES:
        told[name] = known.of_category(name, told["category"])
    told["neighbour_margin"] = known.of_category("margin", told["category"])
    return told


def _asked(known: Lookup, lines: Rows) -> list[float]:
    bounds = [known.bounds[category] for category in set(lines["category"].tolist()) if category in known.bounds]
    if not bounds:
        # What no category of the promotion tried is told by the others.
        bounds = list(known.bounds.values())
    first, last = max(low for low, _ in bounds), min(high for _, high in bounds)
    if first > last:
        first, last = min(low for low, _ in bounds), max(high for _, high in bounds)
    steps = np.arange(np.ceil(first / STEP), np.floor(last / STEP) + 1) * STEP
    return [float(depth) for depth in np.unique(np.concatenate([[first], steps, [last]]).round(4))]


def _at(known: Lookup, effects: Effects, lines: Rows, lost: _Lost, spread: tuple[float, float], depth: float | None) -> dict[str, object]:
    lines = lines if depth is None else lines | {"discount_share": np.full(len(lines["category"]), depth)}
    with warnings.catch_warnings():
        # Of what goes beyond the past is warned once, not at every depth.
        warnings.simplefilter("ignore", PlanBeyondHistory)
        logs = effects.logs(lines)
    middle = _earned(lines, lost, np.expm1(logs["uplift"]))
    told: dict[str, object] = {name: float(middle[name].sum()) for name in _SUMMED}
    net, units, usual = (float(middle[name].sum()) for name in ("net", "units", "baseline_units"))
    # The ends of the effect, and those of the baseline with the effect as it is, each moves the result; as independent errors.
    ends = {side: _earned(lines, lost, np.expm1(logs[f"uplift_{side}"])) for side in ("low", "high")}
    off = {"low": -spread[0] / max(usual, 1e-9), "high": spread[1] / max(usual, 1e-9)}
    for name, value, least in (("units", units, 0.0), ("net", net, -np.inf)):
        moves = {side: (float(ends[side][name].sum()) - value, value * off[side]) for side in ends}
        below = math.hypot(*(min(moves["low"][at], moves["high"][at], 0.0) for at in range(2)))
        above = math.hypot(*(max(moves["low"][at], moves["high"][at], 0.0) for at in range(2)))
        label = "net_margin" if name == "net" else name
        unknown = np.isnan(value)
        told |= {f"{label}_low": np.nan if unknown else max(value - below, least), f"{label}_high": np.nan if unknown else value + above}
    told |= {
        "net_margin": net,
        "net_margin_if_weak": float(ends["low"]["net"].sum()),
        "net_margin_if_strong": float(ends["high"]["net"].sum()),
    }
    most = max(known.deepest.values())
    deepest = [known.deepest.get(category, most) for category in lines["category"].tolist()]
    beyond = lines["discount_share"] > np.array(deepest) + 1e-4
    return told | {"beyond_tried": bool(beyond.any())}


def _earned(lines: Rows, lost: _Lost, uplift: np.ndarray) -> Rows:
    paid = 1 - lines["discount_share"]
    told = {"baseline_units": lines["baseline_units"], "uplift_units": lines["baseline_units"] * uplift}
    told["units"] = told["baseline_units"] + told["uplift_units"]
    told["revenue"] = lines["listed"] * paid * (1 + uplift)
    told["incremental_revenue"] = told["revenue"] - lines["listed"]
    told["margin"] = told["revenue"] - lines["spent"] * (1 + uplift)
    usual = lines["listed"] - lines["spent"]
    told["incremental_margin"] = told["margin"] - usual
    told["cannibalised_units"] = lost.to_neighbours(uplift)
    told["cannibalised_margin"] = told["cannibalised_units"] * lines["neighbour_margin"]
    told["halo_margin"] = told["uplift_units"] * lines["halo_margin"]
    told["pulled_forward_units"] = told["uplift_units"] * lines["pulled_forward"]
    told["pulled_forward_margin"] = usual * uplift * lines["pulled_forward"]
    losses = told["cannibalised_margin"] + told["pulled_forward_margin"]
    return told | {"net": told["incremental_margin"] - losses + told["halo_margin"]}
