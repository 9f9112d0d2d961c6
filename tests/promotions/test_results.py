"""The tables of results, worked out cell by cell from a posterior written by hand."""

from __future__ import annotations

from statistics import NormalDist
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sales_tech.promotions.baseline import Groups
from sales_tech.promotions.cells import PromotedCells
from sales_tech.promotions.money import Earnings, MemberPrices
from sales_tech.promotions.panel import Member
from sales_tech.promotions.posterior import Posterior
from sales_tech.promotions.results import daily_frame, results_frame

NAN = float("nan")
DRAWS, DAYS = 201, 120
# Draws whose central 80 % are as wide as one.
SPREAD = np.linspace(-0.5, 0.5, DRAWS)[:, None] / 0.8
# Store 0 is the first group, stores 1 and 2 are the second.
GROUP = [0, 1, 1]


def posterior_of(members: list[Member], rng: np.random.Generator, **columns: Any) -> Any:
    """A posterior with columns of its own, and gamma units elsewhere."""
    count, skus = max(member.promotion for member in members) + 1, max(member.sku for member in members) + 1
    names = [f"PR{row}" for row in range(count)]
    frame = pd.DataFrame({"promotion_id": names, "name": names, "mechanic": "cupom", "channel": None, "region": None, "display": False})
    first = pd.Timestamp("2026-01-01")
    panel: Any = SimpleNamespace(
        members=members,
        skus=np.array([f"S{row}" for row in range(skus)]),
        days=first.to_datetime64().astype("datetime64[D]") + np.arange(DAYS),
        stores=np.arange(3),
        price=rng.uniform(8, 12, size=(skus, DAYS)),
        units=np.ones((3, skus, DAYS), dtype=np.float32),
        channel=np.zeros(3, dtype=np.int64),
        promotions=frame.assign(starts_on=first, ends_on=first, investment=columns.pop("investment", np.zeros(count))),
    )
    told: Any = SimpleNamespace(
        panel=panel,
        cells=PromotedCells(panel, Groups(np.array(GROUP), 2)),
        expected=rng.gamma(3.0, 2.0, size=(skus, 2, DAYS)),
        sold=rng.gamma(3.0, 2.0, size=(skus, 2, DAYS)),
        lifts=SimpleNamespace(works=np.ones((DRAWS, count), dtype=bool)),
        confidence=np.full(count, 0.5),
        **{name: columns.pop(name, rng.uniform(1, 9, size=(DRAWS, len(members)))) for name in ("baseline", "incremental")},
        **{name: rng.uniform(1, 9, size=(DRAWS, len(members))) for name in ("cannibalised", "halo", "pulled")},
    )
    told.by_promotion = lambda draws: Posterior.by_promotion(told, draws)
    for name, value in columns.items():
        setattr(told, name, value)
    return told


def told_of(posterior: Any, rng: np.random.Generator) -> tuple[pd.DataFrame, MemberPrices, Earnings]:
    members, count = len(posterior.panel.members), len(posterior.panel.promotions)
    prices = MemberPrices(*rng.uniform(6, 12, size=(9, members)))
    money = Earnings(*rng.normal(50, 20, size=(8, DRAWS, count)))
    return results_frame(posterior, prices, money, 0.8), prices, money


def test_figures_of_a_promotion_are_sums_over_its_skus_and_means_and_quantiles_over_draws() -> None:
    rng = np.random.default_rng(3)
    members = [
        Member(0, 0, np.array([0, 1, 2]), 30, 36, 0.2),
        Member(0, 1, np.array([0, 1]), 33, 40, NAN),
        Member(1, 1, np.array([2]), 50, 50, 0.3),
    ]
    works, confidence = rng.random((DRAWS, 2)) < [0.7, 0.4], np.array([0.9, 0.89])
    posterior = posterior_of(members, rng, investment=[25.0, 0.0], confidence=confidence, incremental=rng.normal(2, 3, size=(DRAWS, 3)))
    posterior.lifts.works = works
    # The third store sold nothing of the first SKU in its days, nor did the second of any.
    posterior.panel.units[1] = 0
    posterior.panel.units[2, 0, 30:37] = 0
    posterior.panel.units[2, 1, :50] = posterior.panel.units[2, 1, 51:] = 0
    frame, prices, money = told_of(posterior, rng)
    assert frame[["skus", "stores", "days"]].to_numpy().tolist() == [[2, 1, 11], [1, 1, 1]]
    # Where no discount is planned, what was paid tells it.
    depths = [0.2, 1 - prices.paid[1] / prices.listed[1], 0.3]
    weight = posterior.baseline.mean(axis=0)
    assert frame["discount_share"].tolist() == pytest.approx([np.average(depths[:2], weights=weight[:2]), 0.3])
    for row, mine in enumerate(([0, 1], [2])):
        draws = {
            "baseline_units": posterior.baseline[:, mine].sum(axis=1),
            "incremental_units": posterior.incremental[:, mine].sum(axis=1),
            "cannibalised_units": posterior.cannibalised[:, mine].sum(axis=1),
            "halo_units": posterior.halo[:, mine].sum(axis=1),
            "pulled_forward_units": posterior.pulled[:, mine].sum(axis=1),
            "net_margin": money.net_margin[:, row],
        }
        moved = draws["halo_units"] - draws["cannibalised_units"] - draws["pulled_forward_units"]
        draws["net_units"] = draws["incremental_units"] + moved
        for name, values in draws.items():
            told = frame.loc[row, [name, f"{name}_low", f"{name}_high"]].tolist()
            assert told == pytest.approx([values.mean(), np.quantile(values, 0.1), np.quantile(values, 0.9)]), name
        paid = sum(prices.net_sales[one] for one in mine)
        expected = {
            "actual_units": sum(prices.units[one] for one in mine),
            "actual_revenue": paid,
            "incremental_revenue": paid - money.baseline_revenue[:, row].mean(),
            "discount_given": sum(max(prices.units[one] * prices.listed[one] - prices.net_sales[one], 0) for one in mine),
            "pulled_forward_margin": money.pulled_margin[:, row].mean(),
            "success_probability": works[:, row].mean() * (draws["incremental_units"] >= 0).mean(),
        }
        same = ("baseline_revenue", "net_revenue", "base_margin", "incremental_margin", "cannibalised_margin", "halo_margin")
        expected |= {name: getattr(money, name)[:, row].mean() for name in same}
        assert frame.loc[row, list(expected)].tolist() == pytest.approx(list(expected.values()))
    assert frame["return_on_investment"].tolist() == pytest.approx([money.net_margin[:, 0].mean() / 25, NAN], nan_ok=True)
    assert frame["confidence"].tolist() == confidence.tolist()
    assert frame["successful"].tolist() == [True, False]


def test_a_price_above_the_list_is_no_discount_given() -> None:
    rng = np.random.default_rng(1)
    posterior = posterior_of([Member(0, 0, np.array([0]), 40, 44, 0.2), Member(0, 1, np.array([0]), 40, 44, 0.2)], rng)
    prices = MemberPrices(*rng.uniform(6, 12, size=(9, 2)))
    listed, units, net_sales = np.array([10.0, 10.0]), np.array([5.0, 5.0]), np.array([60.0, 40.0])
    prices = MemberPrices(**(vars(prices) | {"listed": listed, "units": units, "net_sales": net_sales}))
    money = Earnings(*rng.normal(50, 20, size=(8, DRAWS, 1)))
    assert results_frame(posterior, prices, money, 0.8)["discount_given"].tolist() == [10.0]


SMALL = "Its effect is small beside what chance does."
EVIDENCE = {
    "a narrow range": ({}, "strong", ""),
    "a range of more than half the effect": ({"range": 27.0}, "fair", ""),
    "a baseline that is as doubtful": ({"baseline_range": 27.0}, "fair", ""),
    "a range of nearly the effect": ({"range": 48.0}, "fair", ""),
    "a range of more than the effect": ({"range": 54.0}, "thin", SMALL),
    "a loss": ({"effect": -50.0}, "strong", ""),
    "five units": ({"usual": 5.1, "baseline_range": 1.0}, "strong", ""),
    "fewer than five": ({"usual": 4.9, "baseline_range": 1.0}, "thin", "Only 4.9 units were to be expected without it."),
    "one unit": ({"usual": 1.1, "baseline_range": 1.0}, "thin", "Only 1.1 units were to be expected without it."),
    "less than one": ({"usual": 0.9, "baseline_range": 1.0}, "none", "Only 0.9 units were to be expected without it."),
    "half alone": ({"alone": 0.52}, "strong", ""),
    "mostly not alone": ({"alone": 0.48}, "fair", "Other promotions of the same SKUs run on most of its days."),
    "four weeks after": ({"days": (70, 91)}, "strong", ""),
    "less than four weeks after": (
        {"days": (70, 92)},
        "strong",
        "The weeks after it are not over, so what was pulled forward is told by other promotions.",
    ),
    "four weeks before": ({"days": (28, 40)}, "strong", ""),
    "less than four weeks before": ({"days": (27, 40)}, "strong", "Few days before it are known."),
    "no depth": ({"depth": NAN}, "strong", "Its planned discount is not known."),
    "a price that rose by 15 % two weeks before": (
        {"risen": (26, 1.15)},
        "strong",
        "List prices rose by up to 15% in the two weeks before it, and its effect is beside the raised ones.",
    ),
    "a price that rose before that": ({"risen": (25, 1.15)}, "strong", ""),
    "a price that rose by a rounding": ({"risen": (39, 1.02)}, "strong", ""),
    "a price that fell": ({"risen": (39, 0.8)}, "strong", ""),
}


def test_evidence_is_graded_by_the_range_beside_the_effect_and_says_what_is_missing() -> None:
    rng = np.random.default_rng(2)
    usual_case = {"usual": 100.0, "effect": 50.0, "range": 23.0, "baseline_range": 20.0, "alone": 1.0, "days": (40, 50), "depth": 0.2}
    cases: list[dict[str, Any]] = [usual_case | changed for changed, _, _ in EVIDENCE.values()]
    # Each has a SKU of its own, and a second one on fewer days, so that its days are those of all its SKUs.
    members = []
    for row, case in enumerate(cases):
        first, last = case["days"]
        members += [Member(row, 2 * row + part, np.array([0]), first + part, last - part, case["depth"]) for part in (0, 1)]
    baseline, incremental = (np.zeros((DRAWS, len(members))) for _ in range(2))
    for row, case in enumerate(cases):
        baseline[:, 2 * row] = case["usual"] + case["baseline_range"] * SPREAD[:, 0]
        incremental[:, 2 * row] = case["effect"] + case["range"] * SPREAD[:, 0]
    posterior = posterior_of(members, rng, baseline=baseline, incremental=incremental)
    posterior.panel.price[:] = 10.0
    # Goods in the other places of the channel are not on offer.
    posterior.expected[:] = 0
    posterior.expected[0, 1] = 500.0
    for row, case in enumerate(cases):
        posterior.expected[2 * row, 0, case["days"][0]] = case["alone"] * case["usual"]
        since, factor = case.get("risen", (0, 1.0))
        posterior.panel.price[2 * row, since + 1 :] *= factor
    frame, _, _ = told_of(posterior, rng)
    found = {name: (frame["evidence"][row], frame["evidence_notes"][row]) for row, name in enumerate(EVIDENCE)}
    assert found == {name: expected for name, (_, *parts) in EVIDENCE.items() for expected in [tuple(parts)]}


@pytest.mark.parametrize(("free", "channel", "said"), [(9.0, 0, True), (12.0, 0, False), (500.0, 1, True)])
def test_a_promotion_of_nearly_all_that_its_channel_sells_says_what_tells_its_baseline(free: float, channel: int, said: bool) -> None:
    rng = np.random.default_rng(5)
    members = [Member(0, sku, np.array([0]), 40, 49, 0.2) for sku in (0, 1)]
    posterior = posterior_of(members, rng, baseline=np.full((DRAWS, 2), 50.0), incremental=np.full((DRAWS, 2), 20.0))
    posterior.panel.price[:] = 10.0
    posterior.panel.channel[1:] = channel
    # What is not on offer is sold in the other stores, of this channel or of another, and on other days.
    posterior.expected[:] = 500.0
    posterior.expected[:, :, 40:50] = 5.0
    posterior.expected[:, 1, 40:50] = free / 18
    notes = told_of(posterior, rng)[0]["evidence_notes"][0]
    assert ("Nearly all goods were on offer on its days" in notes) == said


def test_days_tell_baseline_uplift_and_share_of_every_cell_of_a_sku_about_its_promotion() -> None:
    rng = np.random.default_rng(8)
    both = np.array([0, 1, 2])
    members = [
        Member(0, 0, np.array([0]), 35, 38, 0.2),
        Member(1, 0, both, 37, 40, 0.3),
        Member(2, 0, np.array([1, 2]), 40, 41, 0.1),
        Member(1, 1, both, 2, 4, 0.3),
        Member(3, 1, both, 110, 112, 0.2),
        Member(2, 1, np.array([0]), 3, 6, 0.1),
    ]
    count = len(members)
    error, lift = rng.normal(0, 0.2, size=(DRAWS, count)), rng.uniform(-0.3, 0.8, size=(DRAWS, count))
    works = rng.random((DRAWS, 4)) < 0.8
    posterior = posterior_of(members, rng)
    posterior.lifts = SimpleNamespace(log_error=error, log_lift=lift, works=works)
    posterior.offsets = SimpleNamespace(dip=-rng.uniform(0, 0.2, size=(2, 2, DAYS)))
    posterior.spared, posterior.overlap_share = rng.uniform(0, 0.2, size=(2, 2, DAYS)), 0.4
    posterior.model = SimpleNamespace(sku_state=SimpleNamespace(variance=rng.uniform(0.01, 0.05, size=(2, DAYS))))
    net_sales = rng.uniform(20, 60, size=(2, 2, DAYS))
    frame = daily_frame(posterior, net_sales, 0.8)
    assert len(frame) == (28 + 4 + 28) + (28 + 4 + 28) + (28 + 2 + 28) + (2 + 3 + 28) + (28 + 3 + 7) + (3 + 4 + 28)

    def joint(lifts: np.ndarray) -> np.ndarray:
        return lifts.max(axis=1) + 0.4 * (lifts.sum(axis=1) - lifts.max(axis=1)) if lifts.shape[1] else np.zeros(DRAWS)

    by_day = {(row["promotion_id"], row["sku"], row["sold_on"]): row for row in frame.to_dict("records")}
    factor = np.exp(error)
    z = NormalDist().inv_cdf(0.9)
    for row, member in enumerate(members):
        groups = sorted({GROUP[store] for store in member.stores})
        for day in range(max(member.start - 28, 0), min(member.end + 28, DAYS - 1) + 1):
            sums, weights, shares = np.zeros(4), [], []
            for group in groups:
                running = [at for at, one in enumerate(members) if one.sku == member.sku and group in [GROUP[s] for s in one.stores]]
                running = [at for at in running if members[at].start <= day <= members[at].end]
                here = member.sku, group, day
                usual, share = posterior.expected[here], 1.0
                if not running:
                    base, extra = usual * np.exp(-posterior.offsets.dip[here]), usual * (1 - np.exp(-posterior.offsets.dip[here]))
                elif len(running) == 1:
                    (one,) = running
                    kept = (factor[:, one] * works[:, members[one].promotion]).mean() * posterior.spared[here]
                    base = usual * (factor[:, one].mean() - kept)
                    extra = usual * ((factor[:, one] * (np.exp(lift[:, one]) - 1)).mean() + kept)
                else:
                    off, together = factor[:, running].mean(axis=1), np.exp(joint(lift[:, running]))
                    base, extra = usual * off.mean(), usual * (off * (together - 1)).mean()
                    rest = {one: [other for other in running if other != one] for one in running}
                    own = {one: max((off * (together - np.exp(joint(lift[:, rest[one]])))).mean(), 0.0) for one in running}
                    share = own[row] / sum(own.values()) if row in own else 1.0
                sums += [posterior.sold[here], base, extra, net_sales[here]]
                weights.append(abs(extra))
                shares.append(share)
            told = by_day[f"PR{member.promotion}", f"S{member.sku}", pd.Timestamp("2026-01-01") + pd.Timedelta(days=day)]
            names = ["actual_units", "baseline_units", "uplift_units", "net_sales"]
            assert [told[name] for name in names] == pytest.approx(sums.tolist(), abs=1e-4)
            assert told["unexplained_units"] == pytest.approx(sums[0] - sums[1] - sums[2], abs=2e-4)
            assert told["share"] == pytest.approx(np.average(shares, weights=weights), abs=1e-6)
            phase = "before" if day < member.start else "during" if day <= member.end else "after"
            doubt = posterior.model.sku_state.variance[member.sku, day] ** 0.5
            ends = [np.exp(-z * doubt), np.exp(z * doubt)]
            if phase == "during":
                ends = [np.quantile(factor[:, row], end) / factor[:, row].mean() for end in (0.1, 0.9)]
            assert told["phase"] == phase
            assert [told["baseline_low"], told["baseline_high"]] == pytest.approx([sums[1] * end for end in ends])
            assert told["list_price"] == posterior.panel.price[member.sku, day]
