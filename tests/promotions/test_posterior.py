"""What the parts of a fit make of each other: effects cell by cell and draw by draw, and what is moved elsewhere."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sales_tech.promotions import posterior
from sales_tech.promotions.baseline import Groups
from sales_tech.promotions.cells import PromotedCells
from sales_tech.promotions.luck import Luck
from sales_tech.promotions.overlap import extra_units, overlap_share
from sales_tech.promotions.panel import Member
from sales_tech.promotions.placebo import Calibration
from sales_tech.promotions.shrinkage import Pooled
from sales_tech.promotions.spillovers import Offsets, Pressure, Spillovers
from sales_tech.promotions.states import Smoothed
from sales_tech.promotions.timing import DIP_DAYS, FADES, SLUMPS

NAN, DRAWS, DAYS = float("nan"), 5, 50
# Store 0 is the first group, stores 1 and 2 are the second; each two SKUs are of one category.
GROUP, CATEGORY = [0, 1, 1], [0, 0, 1, 1]
FIRST, SECOND, ALL = np.array([0]), np.array([1, 2]), np.array([0, 1, 2])
MEMBERS = [
    Member(0, 0, FIRST, 3, 6, 0.2),
    Member(1, 0, ALL, 5, 8, NAN),
    Member(2, 0, ALL, 8, 9, 0.1),
    Member(1, 1, ALL, 5, 8, 0.5),
    Member(3, 2, SECOND, 40, 41, 0.3),
]


def cells_of(members: list[Member]) -> PromotedCells:
    frame = pd.DataFrame({"mechanic": ["cupom", None, "leve 3", "cupom"], "display": [True, False, False, True]})
    panel: Any = SimpleNamespace(
        members=members,
        skus=np.arange(4),
        days=np.arange(DAYS),
        categories=["first", "second"],
        category=np.array(CATEGORY),
        brands=["one", "two"],
        brand=np.array([0, 1, 1, 0]),
        promotions=frame,
    )
    return PromotedCells(panel, Groups(np.array(GROUP), 2))


def groups_of(member: Member) -> list[int]:
    return sorted({GROUP[store] for store in member.stores})


def running(sku: int, group: int, day: int) -> list[int]:
    """Members that run in a cell."""
    return [row for row, one in enumerate(MEMBERS) if one.sku == sku and group in groups_of(one) and one.start <= day <= one.end]


def window(member: Member) -> list[tuple[int, int, int]]:
    return [(member.sku, group, day) for group in groups_of(member) for day in range(member.start, member.end + 1)]


def lifts_of(rng: np.random.Generator) -> Any:
    error, lift = rng.normal(0, 0.2, size=(DRAWS, 5)), rng.uniform(-0.2, 0.8, size=(DRAWS, 5))
    return SimpleNamespace(log_error=error, log_lift=lift, works=rng.random((DRAWS, 4)) < 0.6)


def test_each_member_has_the_units_of_its_cells_without_it_and_what_it_adds_to_them() -> None:
    rng = np.random.default_rng(1)
    cells, lifts = cells_of(MEMBERS), lifts_of(rng)
    expected, sold, spared = rng.gamma(4.0, size=(4, 2, DAYS)), rng.gamma(4.0, size=(4, 2, DAYS)), rng.uniform(0, 0.3, size=(4, 2, DAYS))
    share, baseline, incremental = posterior._effects(cells, lifts, expected, sold, spared)
    # So little overlaps that a third of the weaker one is taken to come through.
    assert share == pytest.approx(1 / 3)

    def together(lifts: list[float]) -> float:
        return float(np.exp(max(lifts) + (sum(lifts) - max(lifts)) / 3)) if lifts else 1.0

    for (row, member), draw in product(enumerate(MEMBERS), range(DRAWS)):
        usual = extra = 0.0
        for cell in window(member):
            here = running(*cell)
            others = [one for one in here if one != row]
            units = expected[cell] * np.mean(np.exp(lifts.log_error[draw, here]))
            with_all = together(lifts.log_lift[draw, here].tolist())
            without = together(lifts.log_lift[draw, others].tolist())
            # What a promotion that works keeps from being lost elsewhere is part of what it adds.
            kept = spared[cell] * lifts.works[draw, member.promotion] if not others else 0.0
            usual += units * (without - kept)
            extra += units * (with_all - without + kept)
        assert baseline[draw, row] == pytest.approx(usual)
        assert incremental[draw, row] == pytest.approx(extra)


def test_the_share_that_comes_through_is_told_beside_the_errors_of_baselines() -> None:
    rng = np.random.default_rng(2)
    cells, lifts = cells_of(MEMBERS), lifts_of(rng)
    expected, sold = rng.gamma(4.0, 50, size=(4, 2, DAYS)), rng.gamma(6.0, 50, size=(4, 2, DAYS))
    usual, actual = [], []
    for segment in cells.segments:
        where = list(zip(segment.groups.tolist(), segment.days.tolist(), strict=True))
        error = np.mean([np.exp(lifts.log_error[:, row]).mean() for row in segment.members])
        usual.append(sum(expected[segment.sku, group, day] for group, day in where) * error)
        actual.append(sum(sold[segment.sku, group, day] for group, day in where))
    told = overlap_share(cells.segments, lifts.log_lift, np.array(actual), np.array(usual))
    assert posterior._share(cells, lifts, expected, sold) == pytest.approx(told)
    assert told != pytest.approx(1 / 3, abs=0.01)


def moved(cells: PromotedCells, spillovers: Spillovers, incremental: np.ndarray, usual: np.ndarray) -> tuple[np.ndarray, ...]:
    return posterior._moved(cells.panel, cells, spillovers, incremental, usual, np.random.default_rng(3))


def test_what_is_moved_is_a_share_of_what_is_added_where_there_is_somebody_to_lose_it_and_a_day_to_miss_it() -> None:
    rng = np.random.default_rng(4)
    cells, incremental = cells_of(MEMBERS), rng.normal(5, 3, size=(DRAWS, 5))
    usual = rng.gamma(4.0, size=(4, 2, DAYS))
    # The second SKU is not on sale in the second group until the sixth day, and the first SKU not from the twentieth on.
    usual[1, 1, :6], usual[0, :, 20:] = 0.0, 0.0
    fade, halo = np.array([0.1, 0.2, 0.3, 0.4]), np.array([[0.0, 0.2], [0.1, 0.05]])
    exact = [Pooled(np.array(mean), np.zeros(2), 0.0, 0.0, 0.0) for mean in ([0.3, 0.2], [0.15, 0.25])]
    nothing = np.zeros((2, 2))
    cannibalised, gained, pulled = moved(cells, Spillovers(exact[0], fade, exact[1], halo, nothing), incremental, usual)
    left = np.array([[0.5 ** (day / half_life) for day in range(DIP_DAYS)] for half_life in FADES])
    missed = [sum(fade[row] * left[row, day] / left[row].sum() for row in range(4)) for day in range(DIP_DAYS)]
    for row, member in enumerate(MEMBERS):
        category = CATEGORY[member.sku]
        peers = [
            any(usual[sku, group, day] > 0 and not running(sku, group, day) for sku in range(4) if CATEGORY[sku] == category)
            for _, group, day in window(member)
        ]
        assert cannibalised[:, row] == pytest.approx([0.3, 0.2][category] * np.mean(peers) * incremental[:, row])
        assert gained[:, row] == pytest.approx(halo[category].sum() * incremental[:, row])
        weight = {group: sum(usual[member.sku, group, day] for day in range(member.start, member.end + 1)) for group in groups_of(member)}
        later = 0.0
        for group, part in weight.items():
            for ahead in range(DIP_DAYS):
                day = member.end + 1 + ahead
                if day < DAYS and usual[member.sku, group, day] > 0 and not running(member.sku, group, day):
                    later += part / sum(weight.values()) * missed[ahead]
        assert pulled[:, row] == pytest.approx([0.15, 0.25][category] * later * incremental[:, row])


def test_doubt_about_what_is_moved_is_partly_common_to_all_categories_and_takes_no_share_below_none() -> None:
    cells, many = cells_of(MEMBERS), 40_000
    incremental, usual = np.ones((many, 5)), np.ones((4, 2, DAYS))
    shares = Pooled(np.array([0.4, 0.5]), np.array([0.05, 0.04]), 0.45, 0.03, 0.0)
    edge = Pooled(np.array([0.0, 0.9]), np.array([0.05, 0.05]), 0.45, 0.0, 0.0)
    halo, doubt = np.array([[0.0, 0.01], [0.0, 0.0]]), np.array([[0.03, 0.04], [0.0, 0.02]])
    cannibalised, gained, pulled = moved(cells, Spillovers(shares, np.full(4, 0.25), edge, halo, doubt), incremental, usual)
    one, other = (cannibalised[:, row] / cannibalised[:, row].mean() * mean for row, mean in ((0, 0.4), (4, 0.5)))
    assert np.cov(one, other) == pytest.approx(np.array([[0.05**2, 0.03**2], [0.03**2, 0.04**2]]), rel=0.05, abs=5e-5)
    assert np.corrcoef(cannibalised[:, 0], cannibalised[:, 2])[0, 1] == pytest.approx(1)
    # What is only doubt is no gain, but it may be a loss as well.
    assert gained[:, 0].mean() == pytest.approx(0.01, abs=0.001)
    assert (gained[:, 0].std(), gained[:, 4].std()) == pytest.approx((0.05, 0.02), rel=0.02)
    assert pulled[:, 3].min() == 0
    assert (pulled[:, 3] == 0).mean() == pytest.approx(0.5, abs=0.01)
    assert (pulled[:, 4] == pulled[:, 4].max()).mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("depth", [0.3, NAN])
def test_members_are_observed_in_the_cells_that_each_has_alone(depth: float) -> None:
    rng = np.random.default_rng(6)
    depths = [0.2, NAN, 0.1, 0.5, 0.3] if depth == 0.3 else [NAN] * 5
    of = [Member(one.promotion, one.sku, one.stores, one.start, one.end, part) for one, part in zip(MEMBERS, depths, strict=True)]
    cells = cells_of(of)
    expected, sold = rng.gamma(4.0, size=(2, 4, 2, DAYS))
    own, shared = rng.uniform(0.01, 0.1, size=(2, 5))
    share = rng.uniform(0.2, 1, size=(8, 1))
    model: Any = SimpleNamespace(
        luck=Luck(1.4, 0.3),
        concentration=lambda name: {"group": share}[name],
        price_elasticity=Pooled(np.array([1.5, 2.5]), np.zeros(2), 1.8, 0.0, 0.0),
    )
    found = posterior._data(model, cells, expected, sold, own, shared, np.array([0, 2, 1, 0], dtype=np.int8))
    for row, member in enumerate(MEMBERS):
        alone = [cell for cell in window(member) if running(*cell) == [row]]
        units = sum(expected[cell] for cell in alone)
        assert (found.actual[row], found.baseline[row]) == pytest.approx((sum(sold[cell] for cell in alone), units))
        scattered = sum(0.3 * expected[cell] ** 2 * share[2 * cell[0] + cell[1], 0] for cell in alone)
        assert np.broadcast_to(found.scatter, 5)[row] == pytest.approx(scattered / units**2)
    assert found.own_error.tolist() == own.tolist()
    # The second promotion has two members, which share one error.
    both = (shared[1] + shared[3]) / 2
    assert found.shared_error.tolist() == pytest.approx([shared[0], both, shared[2], both, shared[4]])
    assert (found.promotion.tolist(), found.category.tolist(), found.brand.tolist()) == ([0, 1, 2, 1, 3], [0, 0, 0, 0, 1], [0, 0, 0, 1, 1])
    assert (found.mechanic.tolist(), found.display.tolist()) == ([0, 2, 1, 2, 0], [1, 0, 0, 0, 1])
    # Where none is planned, the middle of the others; a tenth where none of them is.
    assert found.depth.tolist() == pytest.approx([0.2, 0.25, 0.1, 0.5, 0.3] if depth == 0.3 else [0.1] * 5)
    assert (found.prior_slope.tolist(), found.dispersion) == ([pytest.approx(-0.3), pytest.approx(0.7)], 1.4)


def test_a_promotion_without_a_mechanic_is_of_an_unknown_one() -> None:
    told: Any = SimpleNamespace(panel=cells_of(MEMBERS).panel, cells=cells_of(MEMBERS), mechanics=["cupom", "leve 3", "unknown"])
    kinds = posterior.Posterior.mechanic.fget(told)  # type: ignore[attr-defined]
    assert kinds.tolist() == [0, 2, 1, 2, 0]


def test_draws_of_members_add_up_to_those_of_their_promotion() -> None:
    told: Any = SimpleNamespace(panel=cells_of(MEMBERS).panel, cells=cells_of(MEMBERS))
    draws = np.arange(10.0).reshape(2, 5)
    assert posterior.Posterior.by_promotion(told, draws).tolist() == [[0, 1 + 3, 2, 4], [5, 6 + 8, 7, 9]]


def spillovers_of(rng: np.random.Generator) -> Spillovers:
    """Shares as a turn may find them."""
    lost, missed = (Pooled(rng.uniform(0.1, 0.4, size=2), np.full(2, 0.02), 0.2, 0.01, 0.0) for _ in range(2))
    return Spillovers(
        lost, rng.dirichlet(np.ones(4)), missed, rng.uniform(0, 0.2, (2, 2)), np.full((2, 2), 0.01), rng.normal(0, 0.05, len(SLUMPS))
    )


@pytest.mark.parametrize("stock_known", [False, True])
def test_each_turn_goes_by_what_the_one_before_it_found_and_the_last_one_is_told(
    monkeypatch: pytest.MonkeyPatch, stock_known: bool
) -> None:
    rng, cells = np.random.default_rng(7), cells_of(MEMBERS)
    told: Any = cells.panel
    told.region, told.channel, told.channels, told.stock_known = np.array(GROUP), np.zeros(3, dtype=int), ["loja"], stock_known
    shape, seed = (4, 2, DAYS), 11
    levels, sold = rng.gamma(9.0, size=(4, *shape)), rng.gamma(9.0, size=shape)
    lifts, found = [lifts_of(rng) for _ in range(4)], [spillovers_of(rng) for _ in range(4)]
    for lift in lifts:
        lift.log_lift[:, 4] = -5.0  # A promotion that sells next to nothing.
        lift.predicted, lift.log_predicted, lift.hyper = (
            rng.uniform(0, 1, 5),
            rng.uniform(0, 0.6, 5),
            pd.DataFrame({"null_share": [0.1, 0.3]}),
        )
    above, own, shared = rng.uniform(1, 1.2, size=shape), rng.uniform(0.01, 0.1, size=5), np.full(5, 0.02)
    fits, shelves, fitted, data, steps, judged = ([] for _ in range(6))  # type: ignore[var-annotated]

    class Model:
        sku_state, group_state = Smoothed(*rng.normal(0, 0.1, (2, 4, DAYS))), Smoothed(*rng.normal(0, 0.1, (2, 8, DAYS)))
        luck, price_elasticity = Luck(1.4, 0.3), Pooled(np.array([1.5, 2.5]), np.zeros(2), 1.8, 0.0, 0.0)

        def __init__(self, panel: Any, groups: Groups) -> None:
            self.panel, self.groups = panel, groups

        def fit(self, clean: np.ndarray, offset: np.ndarray, rounds: int) -> None:
            assert rounds > 0
            fits.append((clean, offset))

        def expect(self, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return levels[len(fits) - 1] * np.exp(offset), sold

        def above_median(self, units: np.ndarray) -> np.ndarray:
            return np.where(units > 0, 1.0, above)

        def concentration(self, state: str) -> np.ndarray:
            return np.full((8, 1), 0.4) if state == "group" else np.ones((4, 1))

        def infer_shelves(self, offset: np.ndarray, promoted: np.ndarray) -> None:
            shelves.append((offset, promoted))

    def errors(_: Any, units: np.ndarray) -> Any:
        fitted.append(units)
        return SimpleNamespace(variances=lambda *_: (own, shared))

    def sampler(observed: Any, sizes: dict[str, int], seed: int) -> Any:
        data.append((observed, sizes, seed))
        return SimpleNamespace(sample=lambda: lifts[len(data) - 1])

    def estimated(*told: Any) -> Spillovers:
        steps.append(told[1:])
        return found[len(steps) - 1]

    def calibrated(_: Any, __: Any, offset: np.ndarray, of: int) -> Calibration:
        assert len(fits) == 4
        assert offset.tolist() == fits[-1][1].tolist()
        assert of == seed
        return Calibration(2.0, 3.0, 7)

    def judge(*told: Any) -> np.ndarray:
        judged.append(told)
        return np.full(4, 0.9)

    monkeypatch.setattr(posterior, "Baseline", Model)
    monkeypatch.setattr(posterior, "ErrorModel", SimpleNamespace(of=errors))
    for name, stand_in in (("LiftModel", sampler), ("estimate_spillovers", estimated), ("calibrate", calibrated), ("confidence", judge)):
        monkeypatch.setattr(posterior, name, stand_in)
    result = posterior.fit_posterior(told, seed)

    promoted, after = np.zeros(shape, dtype=bool), {days: np.zeros(shape, dtype=bool) for days in (3, DIP_DAYS)}
    for member in MEMBERS:
        for sku, group, day in window(member):
            promoted[sku, group, day] = True
            for days, table in after.items():
                table[sku, group, member.end + 1 : member.end + 1 + days] = True
    nothing, extra, known = np.zeros(shape), np.zeros(shape), Spillovers.none(2)
    offsets = Offsets(nothing, nothing, nothing)
    assert [len(part) for part in (fits, data, steps, shelves)] == [4, 4, 4, 0 if stock_known else 3]
    for turn in range(4):
        # What is bought ahead is not known in the first turn, so that days after promotions are left out.
        clean = ~promoted & ~after[DIP_DAYS] if turn == 0 else ~promoted
        assert fits[turn][0].tolist() == clean.tolist()
        assert fits[turn][1] == pytest.approx(offsets.neighbours + offsets.dip + offsets.chosen)
        expected = levels[turn] * np.exp(fits[turn][1]) * np.where(clean, 1.0, above)
        assert fitted[turn] == pytest.approx(expected * clean)
        observed, sizes, drawn = data[turn]
        assert (sizes, drawn) == ({"category": 2, "brand": 2, "mechanic": 3}, seed)
        assert observed.baseline == pytest.approx(cells.sums(expected))
        assert observed.own_error == pytest.approx(own * (2 if turn == 3 else 1))
        assert observed.shared_error == pytest.approx(shared * (3 if turn == 3 else 1))
        assert observed.mechanic.tolist() == [0, 2, 1, 2, 0]
        lift, share = lifts[turn], posterior._share(cells, lifts[turn], expected, sold)
        more = extra_units(cells, expected, lift.log_lift, np.exp(lift.log_error), share)
        extra = more if turn == 0 else (extra + more) / 2
        usual = expected / np.exp(offsets.neighbours + offsets.dip)
        pressure, *others = steps[turn]
        wanted = Pressure.of(Model(told, Groups(np.array(GROUP), 2)), extra, expected * cells.spread(lift.predicted), usual, promoted)  # type: ignore[arg-type]
        for name in ("by_sku", "extra", "peers", "usual", "after", "calm_after", "chosen"):
            assert getattr(pressure, name) == pytest.approx(getattr(wanted, name))
        assert others[0] is sold
        assert others[1] == pytest.approx(expected)
        assert others[2].total.tolist() == fits[turn][1].tolist()
        assert others[3].tolist() == promoted.tolist()
        assert others[4].slump == pytest.approx(known.slump)
        known = found[0] if turn == 0 else found[turn].half_way(known)
        if turn < 3:
            offsets = wanted.offsets(told, known, usual, promoted)
        if turn < 3 and not stock_known:
            offset, empty = shelves[turn]
            lifted = offsets.total.copy()
            lifted[promoted] += np.log(np.maximum(1 + extra / expected, 0.1))[promoted]
            assert offset == pytest.approx(lifted)
            # Shelves that a promotion emptied stay empty for some days.
            assert empty.tolist() == (promoted | after[3]).tolist()
    assert (1 + extra / expected)[promoted].min() < 0.1
    assert result.offsets.total == pytest.approx(offsets.total)
    assert result.spillovers.halo == pytest.approx(known.halo)
    assert result.spillovers.cannibal.mean == pytest.approx(known.cannibal.mean)
    assert result.spared == pytest.approx(wanted.spared(told, known, usual, cells))
    share, baseline, incremental = posterior._effects(cells, lifts[3], expected, sold, result.spared)
    for name, figures in {"expected": expected, "overlap_share": share, "baseline": baseline, "incremental": incremental}.items():
        assert getattr(result, name) == pytest.approx(figures)
    cannibalised, halo, pulled = posterior._moved(told, cells, known, incremental, usual, np.random.default_rng((seed, 1)))
    for name, figures in {"cannibalised": cannibalised, "halo": halo, "pulled": pulled}.items():
        assert getattr(result, name) == pytest.approx(figures)
    (of_last, seen, means, drawn), *_ = judged
    assert (of_last is data[3][0], means, drawn) == (True, {"null_share": pytest.approx(0.2)}, seed)
    assert seen.actual == pytest.approx(posterior.Sightings.of(cells, expected, sold, nothing, lifts[3], share).actual)
    assert result.confidence.tolist() == [0.9] * 4
    assert (result.calibration, result.mechanics, result.sold is sold) == (Calibration(2.0, 3.0, 7), ["cupom", "leve 3", "unknown"], True)
