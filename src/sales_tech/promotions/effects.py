"""The estimator of promotions: a panel in, five tables out."""

from __future__ import annotations

import pandas as pd
from sklearn.base import BaseEstimator

from sales_tech.promotions.assembly import build_panel
from sales_tech.promotions.elasticity import elasticity_frame
from sales_tech.promotions.frames import Estimates, SourceFrames
from sales_tech.promotions.inference import infer_promotions
from sales_tech.promotions.money import earnings, member_prices, net_sales_by_group
from sales_tech.promotions.overlap import overlap_frame
from sales_tech.promotions.panel import PromotionPanel
from sales_tech.promotions.posterior import Posterior, fit_posterior
from sales_tech.promotions.response import COLUMNS as RESPONSE
from sales_tech.promotions.response import response_frame
from sales_tech.promotions.results import daily_frame, results_frame
from sales_tech.threads import one_blas_thread

SHORTEST = 21


class PromotionEffects(BaseEstimator):
    """Estimates what each promotion of a panel did, by the rules of scikit-learn: `fit` sets attributes that end in `_`.

    `level` is that of the intervals, `random_state` seeds the draws. After `fit`: `results_`, `daily_`, `elasticity_`,
    `response_`, `overlap_` (the columns of gold.promotion_results, gold.promotion_daily, gold.price_elasticity,
    gold.promotion_response and gold.promotion_overlap, but source and currency), `notes_` (what cannot be told, in sentences) and
    `posterior_` (None where nothing can be told). The methods stand in `baseline`, `lifts`, `spillovers`, `timing`, `shelf`,
    `placebo`, `overlap` and `elasticity`. It takes a panel and not an array, so of scikit-learn's `check_estimator` only
    the checks that need no data apply.
    """

    def __init__(self, level: float = 0.8, random_state: int = 0) -> None:
        self.level = level
        self.random_state = random_state

    @one_blas_thread()
    def fit(self, panel: PromotionPanel, y: object = None) -> PromotionEffects:
        """Estimate the promotions of a panel; `y` is there for scikit-learn and not used. ValueError for a level outside 0 to 1."""
        if not 0 < self.level < 1:
            raise ValueError(f"level is {self.level}; expected a number between 0 and 1")
        self.notes_ = list(panel.notes)
        self.posterior_: Posterior | None = None
        self.results_, self.daily_, self.elasticity_, self.response_, self.overlap_ = empty_frames()
        if not panel.members:
            self.notes_.append("no promotion ran in the days and stores that are known: there is nothing to tell")
            return self
        if len(panel.days) < SHORTEST:
            self.notes_.append(f"only {len(panel.days)} days of sales are known, at least {SHORTEST} are needed to tell a baseline")
            return self
        posterior = fit_posterior(panel, self.random_state)
        net_sales = net_sales_by_group(posterior)
        prices = member_prices(posterior, net_sales)
        self.posterior_ = posterior
        self.results_ = results_frame(posterior, prices, earnings(posterior, prices), self.level)
        self.daily_ = daily_frame(posterior, net_sales, self.level)
        self.elasticity_ = elasticity_frame(posterior, self.level)
        self.response_ = response_frame(posterior, self.level, self.random_state)
        self.overlap_ = overlap_frame(posterior.cells, posterior.expected)
        rates = posterior.model.shelf_rates
        if rates is not None:
            self.notes_.append(
                f"stock-outs were inferred from runs of days without a sale: a SKU runs out on {rates.runs_out:.1%} of days, "
                f"on {rates.runs_out_promoted:.1%} within promotions, and is back after {1 / rates.refilled:.0f} days"
            )
        return self


def estimate(frames: SourceFrames) -> Estimates:
    """What can be told of a source's promotions; they are inferred from drops of price where the source names none."""
    notes = []
    if frames.promotions is None:
        inferred = infer_promotions(frames.daily)
        notes.append(f"the source names no promotions: {inferred['promotion_id'].nunique()} were inferred from drops of the price charged")
        frames = SourceFrames(frames.daily, frames.products, frames.stores, inferred, frames.stockouts)
    effects = PromotionEffects().fit(build_panel(frames))
    frames_of = (effects.results_, effects.daily_, effects.elasticity_, effects.response_, effects.overlap_)
    return Estimates(*frames_of, (*notes, *effects.notes_))


def empty_frames() -> tuple[pd.DataFrame, ...]:
    """The five tables without a row."""
    return tuple(pd.DataFrame(columns=list(columns)) for columns in (RESULTS, DAILY, ELASTICITY, RESPONSE, OVERLAP))


def _measured(name: str) -> tuple[str, str, str]:
    return name, f"{name}_low", f"{name}_high"


# fmt: off
RESULTS = (
    "promotion_id", "name", "mechanic", "starts_on", "ends_on", "channel", "region", "display", "investment", "skus", "stores", "days",
    "discount_share", "actual_units", *_measured("baseline_units"), *_measured("incremental_units"), *_measured("cannibalised_units"),
    *_measured("halo_units"), *_measured("pulled_forward_units"), *_measured("net_units"), "actual_revenue", "baseline_revenue",
    "incremental_revenue", "net_revenue", "discount_given", "base_margin", "incremental_margin", "cannibalised_margin", "halo_margin",
    "pulled_forward_margin", *_measured("net_margin"), "return_on_investment", "success_probability", "confidence", "successful",
    "evidence", "evidence_notes",
)
DAILY = (
    "promotion_id", "sku", "sold_on", "phase", "actual_units", "baseline_units", "uplift_units", "unexplained_units", "baseline_low",
    "baseline_high", "share", "net_sales", "list_price",
)
ELASTICITY = (
    "category", "brand", "discount_share", "uplift", "uplift_low", "uplift_high", "elasticity", "elasticity_low", "elasticity_high",
    "depth_from", "depth_to", "promotions", "price_changes", "evidence",
)
OVERLAP = ("promotion_id", "other_promotion_id", "relation", "shared_skus", "shared_days", "shared_units_share")
# fmt: on
