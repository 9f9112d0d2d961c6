"""What the trials must show, each figure with its goal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sales_tech.scorecard.trial import Trial

LARGE = 100.0


@dataclass(frozen=True)
class Figure:
    """One line of the scorecard: its value, that of the naive comparison and of the oracle where there is one, and the goal."""

    name: str
    value: float
    low: float
    high: float
    naive: float = float("nan")
    oracle: float = float("nan")

    @property
    def holds(self) -> bool:
        """Whether the value lies within its bounds."""
        return self.low <= self.value <= self.high


# Total per seed, mean of totals, median error, rank, elasticity, false alarms, power, net total, net median, sign, what-if change.
GOALS = {
    "default": (0.05, 0.05, 0.10, 0.95, 0.15, 0.10, 0.90, 0.12, 0.20, 0.90, 0.12),
    "hard": (0.12, 0.06, 0.15, 0.90, 0.25, 0.12, 0.85, 0.20, 0.25, 0.85, 0.25),
}


def figures(trials: list[Trial]) -> list[Figure]:
    """The figures of trials of one difficulty, with its goals; a difficulty without goals has none that can fail."""
    goal = GOALS.get(trials[0].difficulty, (np.inf,) * 3 + (-1.0, np.inf, np.inf, -1.0, np.inf, np.inf, -1.0, np.inf))
    known = trials[0].difficulty in GOALS
    pooled = pd.concat([trial.promotions for trial in trials], ignore_index=True)
    elastic = pd.concat([trial.elasticities for trial in trials], ignore_index=True)
    what_ifs = pd.concat([trial.what_ifs for trial in trials], ignore_index=True)
    large = pooled[pooled["incremental"] >= LARGE]
    totals = {name: [_total(trial, name) for trial in trials] for name in ("estimate", "naive", "oracle")}
    worst = {name: max(values, key=abs) for name, values in totals.items()}
    medians = {name: [_median(trial, name) for trial in trials] for name in ("estimate", "naive", "oracle")}
    effectless = pooled["effectless"]
    net_large = pooled[pooled["net"] >= LARGE]
    net_error = ((net_large["net_estimate"] - net_large["net"]).abs() / net_large["net"]).median()
    false, naive_false = (_rate(pooled, effectless, name) for name in ("successful", "naive_successful"))
    power, naive_power = (_rate(pooled, ~effectless, name) for name in ("successful", "naive_successful"))
    earned = pooled[pooled["net_margin"].abs() > 0.02 * pooled["revenue"]]
    net = [float(trial.promotions["net_estimate"].sum() / trial.promotions["net"].sum() - 1) for trial in trials]
    covered = _covered(pooled)
    rank = [float(trial.promotions["estimate"].corr(trial.promotions["incremental"], "spearman")) for trial in trials]
    out = [
        Figure("total incremental units, worst seed", worst["estimate"], -goal[0], goal[0], worst["naive"], worst["oracle"]),
        Figure("total incremental units, mean of seeds", *_around(totals["estimate"], goal[1]), *_means(totals)),
        Figure("median error, 100 units or more", max(medians["estimate"]), 0, goal[2], max(medians["naive"]), max(medians["oracle"])),
        Figure("rank correlation of units, median", float(np.median(rank)), goal[3], 1),
        Figure("80 % intervals cover", float(covered.mean()), *((0.75, 0.85) if known else (0, 1))),
        Figure("80 % intervals cover, 100 units or more", float(_covered(large).mean()), 0.7 if known else 0, 1),
        Figure("median width of interval over units", _width(large), 0, 0.5 if known else np.inf),
        Figure("mean error of elasticities", float((elastic["estimate"] / elastic["elasticity"] - 1).abs().mean()), 0, goal[4]),
        Figure("effectless called successful", false, 0, goal[5], naive_false),
        Figure("effective called successful", power, goal[6], 1, naive_power),
        Figure("total net units, worst seed", max(net, key=abs), -goal[7], goal[7]),
        Figure(
            "median error of net units",
            float(net_error),
            0,
            goal[8],
        ),
        Figure("sign of net margin right", float((np.sign(earned["margin_estimate"]) == np.sign(earned["net_margin"])).mean()), goal[9], 1),
        Figure("what-if, error of the level", *_what_if(what_ifs, None, 0.05 if known else np.inf)),
        Figure("what-if, error of the change", *_what_if(what_ifs, "baseline", goal[10])),
        # Told and not judged: an oracle alone comes near to what the change from no promotion is asked to meet.
        Figure("what-if, error of the change from the planned depth", *_what_if(what_ifs, "planned", np.inf)),
    ]
    if trials[0].difficulty == "hard":
        ratio = max(mine / floor for mine, floor in zip(medians["estimate"], medians["oracle"], strict=True))
        out.insert(3, Figure("median error over the oracle's, worst seed", ratio, 0, 2.5))
    return out


def _total(trial: Trial, column: str) -> float:
    return float(trial.promotions[column].sum() / trial.promotions["incremental"].sum() - 1)


def _median(trial: Trial, column: str) -> float:
    large = trial.promotions[trial.promotions["incremental"] >= LARGE]
    return float(((large[column] - large["incremental"]).abs() / large["incremental"]).median())


def _around(values: list[float], goal: float) -> tuple[float, float, float]:
    return float(np.mean(values)), -goal, goal


def _means(totals: dict[str, list[float]]) -> tuple[float, float]:
    return float(np.mean(totals["naive"])), float(np.mean(totals["oracle"]))


def _covered(frame: pd.DataFrame) -> pd.Series:
    # An interval that ends at none covers a promotion without effect.
    return (frame["low"] <= frame["incremental"] + 1e-6) & (frame["incremental"] <= frame["high"] + 1e-6)


def _width(large: pd.DataFrame) -> float:
    return float(((large["high"] - large["low"]) / large["incremental"]).median())


def _rate(pooled: pd.DataFrame, rows: pd.Series, column: str) -> float:
    return float(pooled.loc[rows, column].astype(bool).mean())


def _what_if(frame: pd.DataFrame, against: str | None, goal: float) -> tuple[float, float, float, float, float]:
    # Errors of units at other depths, or of what they differ by from another level, over the size of the truth.
    def told(suffix: str) -> pd.Series:
        return frame["units" + suffix] - (frame[against + suffix] if against else 0.0)

    true = told("")
    mine, floor = (float((told(suffix) - true).abs().sum() / true.abs().sum()) for suffix in ("_estimate", "_oracle"))
    return mine, 0.0, goal, float("nan"), floor
