"""The tables that tell a posterior: one row per promotion, and one per promotion, SKU and day."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

from sales_tech.promotions.intervals import credible_interval
from sales_tech.promotions.money import Earnings, MemberPrices
from sales_tech.promotions.overlap import added, joint
from sales_tech.promotions.panel import Bools, Floats
from sales_tech.promotions.posterior import Posterior
from sales_tech.promotions.timing import DIP_DAYS

DAYS_AROUND = 28
# Width of the interval over the effect, up to which evidence is called strong and fair.
STRONG, FAIR = 0.5, 1.0
FEW_UNITS = 5.0
# A list price that rose by more, within so many days before a promotion, makes its discount look greater than it is.
DAYS_OF_RISE, RISE = 14, 0.03
FREE_SHARE = 0.1
TINY = 1e-9


def results_frame(posterior: Posterior, prices: MemberPrices, money: Earnings, level: float) -> pd.DataFrame:
    """One row per promotion, with the columns of gold.promotion_results but source, currency and inferred."""
    panel, cells = posterior.panel, posterior.cells
    size = len(panel.promotions)
    frame = panel.promotions[
        ["promotion_id", "name", "mechanic", "starts_on", "ends_on", "channel", "region", "display", "investment"]
    ].copy()
    frame["skus"] = np.bincount(cells.promotions, minlength=size)
    frame["stores"] = [_stores(posterior, row) for row in range(size)]
    frame["days"] = [_days(posterior, row) for row in range(size)]
    weight = np.bincount(cells.promotions, weights=posterior.baseline.mean(axis=0), minlength=size)
    depth = np.where(np.isnan(cells.depths), 1 - prices.paid / prices.listed, cells.depths)
    weighted = np.bincount(cells.promotions, weights=posterior.baseline.mean(axis=0) * depth, minlength=size)
    frame["discount_share"] = np.divide(weighted, weight, out=np.full(size, np.nan), where=weight > TINY)
    add = posterior.by_promotion
    units = {
        "baseline_units": add(posterior.baseline),
        "incremental_units": add(posterior.incremental),
        "cannibalised_units": add(posterior.cannibalised),
        "halo_units": add(posterior.halo),
        "pulled_forward_units": add(posterior.pulled),
    }
    units["net_units"] = units["incremental_units"] - units["cannibalised_units"] + units["halo_units"] - units["pulled_forward_units"]
    frame["actual_units"] = np.bincount(cells.promotions, weights=prices.units, minlength=size)
    for name, draws in units.items():
        _tell(frame, name, draws, level)
    frame["actual_revenue"] = np.bincount(cells.promotions, weights=prices.net_sales, minlength=size)
    frame["baseline_revenue"] = money.baseline_revenue.mean(axis=0)
    frame["incremental_revenue"] = frame["actual_revenue"] - frame["baseline_revenue"]
    frame["net_revenue"] = money.net_revenue.mean(axis=0)
    given = np.maximum(prices.units * prices.listed - prices.net_sales, 0.0)
    frame["discount_given"] = np.bincount(cells.promotions, weights=given, minlength=size)
    for name in ("base_margin", "incremental_margin", "cannibalised_margin", "halo_margin"):
        frame[name] = getattr(money, name).mean(axis=0)
    frame["pulled_forward_margin"] = money.pulled_margin.mean(axis=0)
    _tell(frame, "net_margin", money.net_margin, level)
    invested = frame["investment"].where(frame["investment"] > 0)
    frame["return_on_investment"] = frame["net_margin"] / invested
    frame["success_probability"] = posterior.lifts.works.mean(axis=0) * (units["incremental_units"] >= 0).mean(axis=0)
    frame["confidence"] = posterior.confidence
    frame["successful"] = frame["confidence"] >= 0.9
    frame["evidence"], frame["evidence_notes"] = _evidence(posterior, frame)
    return frame


def _tell(frame: pd.DataFrame, name: str, draws: Floats, level: float) -> None:
    frame[name] = draws.mean(axis=0)
    frame[f"{name}_low"], frame[f"{name}_high"] = credible_interval(draws, level)


def _stores(posterior: Posterior, promotion: int) -> int:
    sold = set()
    for member in posterior.panel.members:
        if member.promotion == promotion:
            units = posterior.panel.units[member.stores, member.sku, member.days]
            sold |= set(member.stores[units.sum(axis=1) > 0].tolist())
    return len(sold)


def _days(posterior: Posterior, promotion: int) -> int:
    mine = posterior.cells.promotions == promotion
    return int(posterior.cells.ends[mine].max() - posterior.cells.starts[mine].min() + 1)


def _evidence(posterior: Posterior, frame: pd.DataFrame) -> tuple[list[str], list[str]]:
    panel, cells = posterior.panel, posterior.cells
    size = len(frame)
    alone = np.bincount(cells.promotions, weights=cells.sums(posterior.expected), minlength=size)
    grades, notes = [], []
    days = len(panel.days)
    for row in range(size):
        told = frame.iloc[row]
        reasons = []
        usual, effect = float(told["baseline_units"]), float(told["incremental_units"])
        # Where the draws say almost surely that there is no effect, what is not known of the baseline still is not known of it.
        width = max(float(told[f"{name}_units_high"] - told[f"{name}_units_low"]) for name in ("incremental", "baseline"))
        if usual < FEW_UNITS:
            reasons.append(f"Only {usual:.1f} units were to be expected without it.")
        if alone[row] < 0.5 * usual:
            reasons.append("Other promotions of the same SKUs run on most of its days.")
        mine = cells.promotions == row
        if days - 1 - int(cells.ends[mine].max()) < DIP_DAYS:
            reasons.append("The weeks after it are not over, so what was pulled forward is told by other promotions.")
        if int(cells.starts[mine].min()) < DAYS_AROUND:
            reasons.append("Few days before it are known.")
        if np.isnan(cells.depths[mine]).any():
            reasons.append("Its planned discount is not known.")
        if (rise := _rise(posterior, mine)) > RISE:
            reasons.append(f"List prices rose by up to {rise:.0%} in the two weeks before it, and its effect is beside the raised ones.")
        if _free(posterior, mine) < FREE_SHARE:
            reasons.append("Nearly all goods were on offer on its days, so what would have sold is told by the days about it.")
        if width > FAIR * abs(effect):
            reasons.append("Its effect is small beside what chance does.")
        if usual < FEW_UNITS:
            grades.append("none" if usual < 1 else "thin")
        elif width <= STRONG * abs(effect) and alone[row] >= 0.5 * usual:
            grades.append("strong")
        else:
            grades.append("fair" if width <= FAIR * abs(effect) else "thin")
        notes.append(" ".join(reasons))
    return grades, notes


def _rise(posterior: Posterior, mine: Bools) -> float:
    cells, price = posterior.cells, posterior.panel.price
    rises = [
        price[sku, start] / price[sku, max(start - DAYS_OF_RISE, 0) : start + 1].min() - 1
        for sku, start in zip(cells.skus[mine].tolist(), cells.starts[mine].tolist(), strict=True)
    ]
    return float(max(rises))


def _free(posterior: Posterior, mine: Bools) -> float:
    # The part of what its channels would have sold on its days that was not on offer.
    panel, cells = posterior.panel, posterior.cells
    channels = {channel for row in np.flatnonzero(mine).tolist() for channel in panel.channel[panel.members[row].stores].tolist()}
    groups = np.unique(cells.groups.of_store[np.isin(panel.channel, list(channels))])
    days = slice(int(cells.starts[mine].min()), int(cells.ends[mine].max()) + 1)
    expected = posterior.expected[:, groups, days]
    return float((expected * ~cells.promoted[:, groups, days]).sum() / max(float(expected.sum()), TINY))


def daily_frame(posterior: Posterior, net_sales: Floats, level: float) -> pd.DataFrame:
    """One row per promotion, SKU and day from DAYS_AROUND days before to as many after, with the columns of gold.promotion_daily."""
    panel, cells = posterior.panel, posterior.cells
    baseline, uplift, share = _tables(posterior)
    spread = np.sqrt(posterior.model.sku_state.variance)
    tail = NormalDist().inv_cdf((1 + level) / 2)
    error = np.exp(posterior.lifts.log_error)
    low, high = np.quantile(error, [(1 - level) / 2, (1 + level) / 2], axis=0) / error.mean(axis=0)
    parts = []
    for row, (member, here) in enumerate(zip(panel.members, cells.of_member, strict=True)):
        first, stop = max(member.start - DAYS_AROUND, 0), min(member.end + 1 + DAYS_AROUND, len(panel.days))
        at = np.arange(first, stop)
        during = (at >= member.start) & (at <= member.end)
        usual = baseline[member.sku, here, first:stop].sum(axis=0)
        weight = np.abs(uplift[member.sku, here, first:stop]) + TINY
        mine = share.get(row, np.ones_like(weight))
        part = pd.DataFrame(
            {
                "promotion_id": panel.promotions["promotion_id"].iloc[member.promotion],
                "sku": panel.skus[member.sku],
                "sold_on": panel.days[first:stop].astype("datetime64[s]"),
                "phase": np.where(during, "during", np.where(at < member.start, "before", "after")),
                "actual_units": posterior.sold[member.sku, here, first:stop].sum(axis=0),
                "baseline_units": usual,
                "uplift_units": uplift[member.sku, here, first:stop].sum(axis=0),
                "baseline_low": usual * np.where(during, low[row], np.exp(-tail * spread[member.sku, first:stop])),
                "baseline_high": usual * np.where(during, high[row], np.exp(tail * spread[member.sku, first:stop])),
                "share": np.clip((mine * weight).sum(axis=0) / weight.sum(axis=0), 0.0, 1.0),
                "net_sales": net_sales[member.sku, here, first:stop].sum(axis=0),
                "list_price": panel.price[member.sku, first:stop],
            }
        )
        parts.append(part)
    frame = pd.concat(parts, ignore_index=True)
    for name in ("actual_units", "baseline_units", "uplift_units"):
        frame[name] = frame[name].round(4)
    frame["unexplained_units"] = frame["actual_units"] - frame["baseline_units"] - frame["uplift_units"]
    return frame


def _tables(posterior: Posterior) -> tuple[Floats, Floats, dict[int, Floats]]:
    # Baseline and uplift (K, G, T), and for members that overlap with others their share of the uplift, by group and day about them.
    panel, cells = posterior.panel, posterior.cells
    baseline = posterior.expected * np.exp(-posterior.offsets.dip)
    uplift = posterior.expected - baseline
    error, lift = np.exp(posterior.lifts.log_error), posterior.lifts.log_lift
    mean, extra = error.mean(axis=0), (error * np.expm1(lift)).mean(axis=0)
    kept = (error * posterior.lifts.works[:, cells.promotions]).mean(axis=0)
    for row, (member, here) in enumerate(zip(panel.members, cells.of_member, strict=True)):
        window = member.sku, here, member.days
        only = cells.alone[window]
        spared = kept[row] * posterior.spared[window]
        baseline[window] = np.where(only, posterior.expected[window] * (mean[row] - spared), baseline[window])
        uplift[window] = np.where(only, posterior.expected[window] * (extra[row] + spared), uplift[window])
    shares: dict[int, Floats] = {}
    for segment in cells.segments:
        rows = list(segment.members)
        at = segment.sku, segment.groups, segment.days
        factor = error[:, rows].mean(axis=1)
        together = (factor * np.expm1(joint(lift[:, rows], posterior.overlap_share))).mean()
        baseline[at] = posterior.expected[at] * factor.mean()
        uplift[at] = posterior.expected[at] * together
        own = np.maximum((factor[:, None] * added(lift[:, rows], posterior.overlap_share)).mean(axis=0), 0.0)
        parts = own / own.sum() if own.sum() > TINY else np.full(len(rows), 1 / len(rows))
        for row, part in zip(rows, parts.tolist(), strict=True):
            member, here = panel.members[row], cells.of_member[row]
            first, stop = max(member.start - DAYS_AROUND, 0), min(member.end + 1 + DAYS_AROUND, len(panel.days))
            table = shares.setdefault(row, np.ones((len(here), stop - first)))
            table[np.searchsorted(here, segment.groups), segment.days - first] = part
    return baseline, uplift, shares
