"""Lifts drawn by the model: against dense linear algebra, and against promotions made by the model itself."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from sales_tech.promotions.depth import SHAPES, depth_response
from sales_tech.promotions.lifts import LiftData, LiftDraws, LiftModel


def test_a_baseline_of_which_sales_say_nothing_is_right_on_average() -> None:
    members = 60
    row, nothing = np.arange(members), np.zeros(members, dtype=np.int64)
    data = LiftData(
        actual=np.zeros(members),
        baseline=np.full(members, 1e-3),
        own_error=np.full(members, 0.2),
        shared_error=np.full(members, 0.1),
        promotion=row // 3,
        category=nothing,
        brand=nothing,
        mechanic=nothing,
        depth=np.full(members, 0.2),
        display=np.zeros(members),
        prior_slope=np.zeros(1),
    )
    draws = LiftModel(data, {"category": 1, "brand": 1, "mechanic": 1}, seed=0).sample()
    assert np.exp(draws.log_error).mean() == pytest.approx(1, abs=0.03)
    assert draws.log_error.var() == pytest.approx(0.3, abs=0.03)
    # Nor do they say anything of what multiplies demand, so that what is believed beforehand stays.
    believed = {
        "slope": (1.5, 2.0),
        "noticed": (1.0, 0.3),
        "mechanic": (0.0, (0.2**2 + 0.1**2) ** 0.5),
        "display": (0.0, 0.3),
        "shape": (0.5, 0.5),
    }
    for name, (mean, deviation) in believed.items():
        drawn = getattr(draws, name)
        assert drawn.mean() == pytest.approx(mean, abs=0.15 * deviation), name
        assert drawn.std() == pytest.approx(deviation, rel=0.12), name


def members_of(slopes: dict[int, float], noticed: dict[int, float], *, tried: list[tuple[int, int, float]]) -> LiftData:
    """Members that sell what a category's slope, as far as a mechanic's cut is noticed, makes of a thousand units, plus chance."""
    rng = np.random.default_rng(5)
    category, mechanic, depth = (np.array(column) for column in zip(*tried, strict=True))
    slope = np.array([slopes[one] for one in category]) * np.array([noticed[one] for one in mechanic])
    rows = len(tried)
    return LiftData(
        actual=rng.poisson(1000 * np.exp(slope * depth_response(depth))).astype(float),
        baseline=np.full(rows, 1000.0),
        own_error=np.full(rows, 1e-3),
        shared_error=np.full(rows, 1e-3),
        promotion=np.arange(rows),
        category=category,
        brand=np.zeros(rows, dtype=np.int64),
        mechanic=mechanic,
        depth=depth,
        display=np.zeros(rows),
        prior_slope=np.zeros(len(slopes)),
    )


def test_a_mechanic_that_a_category_never_tried_is_noticed_as_much_as_elsewhere() -> None:
    depths = (0.1, 0.2, 0.3, 0.4)
    tried = [(category, 0, depth) for category in (0, 1) for depth in depths for _ in range(6)]
    tried += [(1, 1, depth) for depth in depths for _ in range(6)]
    data = members_of({0: 4.0, 1: 1.5}, {0: 1.0, 1: 0.6}, tried=tried)
    draws = LiftModel(data, {"category": 2, "brand": 1, "mechanic": 2}, seed=0).sample()
    ratio = draws.noticed[:, 1] / draws.noticed[:, 0]
    assert ratio.mean() == pytest.approx(0.6, abs=0.1)
    slope = ((draws.slope[:, 0] + draws.brand_slope[:, 0]) * draws.noticed[:, 1]).mean()
    assert slope == pytest.approx(2.4, abs=0.4), "0.6 of 4.0: not the 3.4 that the other category's difference would make of it"


def test_one_sku_that_answers_unlike_all_others_does_not_bend_the_curve_for_them() -> None:
    tried = [(0, 0, depth) for depth in (0.1, 0.2, 0.3, 0.4) for _ in range(8)]
    data = members_of({0: 2.0}, {0: 1.0}, tried=tried)
    odd = data.actual.copy()
    odd[-1] *= 12
    told = []
    for actual in (data.actual, odd):
        draws = LiftModel(replace(data, actual=actual), {"category": 1, "brand": 1, "mechanic": 1}, seed=0).sample()
        slope = (draws.slope[:, 0] + draws.brand_slope[:, 0]) * draws.noticed[:, 0]
        told.append((slope * depth_response(np.array(0.4), draws.shape) + draws.mechanic[:, 0]).mean())
    assert told[0] == pytest.approx(2.0 * float(depth_response(np.array(0.4))), abs=0.05)
    assert told[1] == pytest.approx(told[0], abs=0.08)


OWN, SHARED = 0.015, 0.01


@lru_cache
def made() -> tuple[LiftDraws, dict[str, np.ndarray]]:
    """Draws for three hundred promotions of two SKUs each that the model made itself, and what each of them did."""
    rng, promotions = np.random.default_rng(11), 300
    promotion = np.repeat(np.arange(promotions), 2)
    category, brand = rng.integers(0, 2, size=(2, 600))
    mechanic, display, depth = rng.integers(0, 2, 300), rng.integers(0, 2, 300), rng.choice([0.1, 0.2, 0.3, 0.4], 300)
    works = rng.random(300) > 0.25
    # Of shape -0.5: the root of what a price was in one of what is left.
    price = ((1 - depth[promotion]) ** -0.5 - 1) * np.log(1 / 0.8) / (0.8**-0.5 - 1)
    slope = np.array([[3.0, 2.6], [2.0, 2.3]])[category, brand] * np.array([1.0, 0.6])[mechanic[promotion]]
    usual = slope * price + np.array([0.05, 0.15])[mechanic[promotion]] + 0.2 * display[promotion]
    lift = usual + 0.12 * rng.normal(size=300)[promotion] + 0.1 * rng.standard_t(4, size=600)
    lift = np.where(works[promotion], lift, 0.0)
    # A baseline is right on average, so that its log is so about half of its variance lower.
    error = OWN**0.5 * rng.normal(size=600) + SHARED**0.5 * rng.normal(size=300)[promotion] - (OWN + SHARED) / 2
    baseline = rng.lognormal(5.5, 0.5, size=600)
    data = LiftData(
        actual=rng.poisson(baseline * np.exp(error + lift)).astype(float),
        baseline=baseline,
        own_error=np.full(600, OWN),
        shared_error=np.full(600, SHARED),
        promotion=promotion,
        category=category,
        brand=brand,
        mechanic=mechanic[promotion],
        depth=depth[promotion],
        display=display[promotion].astype(float),
        prior_slope=np.array([0.5, -0.5]),
    )
    draws = LiftModel(data, {"category": 2, "brand": 2, "mechanic": 2}, seed=0).sample()
    about = {
        "category": category,
        "brand": brand,
        "mechanic": mechanic[promotion],
        "depth": depth[promotion],
        "display": display[promotion],
    }
    return draws, {"lift": lift, "error": error, "works": works, "usual": usual, "promotion": promotion} | about


@pytest.mark.parametrize("name", ["lift", "error"])
def test_of_promotions_that_the_model_made_the_truth_lies_anywhere_among_its_draws_alike(name: str) -> None:
    draws, truth = made()
    drawn, known = getattr(draws, f"log_{name}"), truth[name]
    # Where the truth is one value with many draws, it lies anywhere among these.
    among = (drawn < known).mean(axis=0) + np.random.default_rng(1).random(600) * (drawn == known).mean(axis=0)
    assert among.mean() == pytest.approx(0.5, abs=0.03)
    assert among.var() == pytest.approx(1 / 12, rel=0.08)
    # From one set of data to another this strays by 0.02, since all members share their coefficients.
    assert ((among > 0.1) & (among < 0.9)).mean() == pytest.approx(0.8, abs=0.04)
    assert ((known - drawn.mean(axis=0)) ** 2).mean() == pytest.approx(drawn.var(axis=0).mean(), rel=0.12)


def test_of_promotions_that_the_model_made_the_chance_to_work_and_what_all_have_in_common_are_found() -> None:
    draws, truth = made()
    chance = draws.works.mean(axis=0)
    assert chance.sum() == pytest.approx(truth["works"].sum(), abs=12)
    assert ((chance - truth["works"]) ** 2).sum() == pytest.approx((chance * (1 - chance)).sum(), abs=4)
    assert not draws.log_lift[~draws.works[:, truth["promotion"]]].any()
    common = draws.hyper.mean()
    assert (common["null_share"], common["promotion"], common["member"]) == pytest.approx((0.25, 0.12, 0.1), abs=0.04)
    assert np.abs(draws.log_predicted - truth["usual"]).mean() < 0.06
    assert draws.display.mean() == pytest.approx(0.2, abs=0.06)
    assert (draws.noticed[:, 1] / draws.noticed[:, 0]).mean() == pytest.approx(0.6, abs=0.2)


def test_what_is_predicted_is_the_mean_of_what_the_coefficients_say_draw_by_draw() -> None:
    draws, truth = made()
    slope = draws.slope[:, truth["category"]] + draws.brand_slope[:, 2 * truth["category"] + truth["brand"]]
    lift = slope * draws.noticed[:, truth["mechanic"]] * depth_response(truth["depth"], draws.shape[:, None])
    # From a cut of a tenth on, all of what a mechanic adds is there.
    lift += draws.mechanic[:, truth["mechanic"]] + draws.display[:, None] * truth["display"]
    assert draws.log_predicted == pytest.approx(lift.mean(axis=0))
    assert draws.predicted == pytest.approx((np.expm1(lift) * draws.works[:, truth["promotion"]]).mean(axis=0))


class Given:
    """In the place of random numbers, those that it is given in turn; gamma numbers are their shape."""

    def __init__(self, *numbers: np.ndarray) -> None:
        self.numbers = list(numbers)

    def normal(self, size: int) -> np.ndarray:
        return self.numbers.pop(0)

    def gamma(self, shape: float) -> float:
        return shape


def linear(model: LiftModel, part: Any, *sizes: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of what a part draws, which is linear in its normal numbers."""

    def at(row: int) -> np.ndarray:
        numbers = np.zeros(sum(sizes))
        numbers[row : row + 1] = 1.0
        model.rng = Given(*np.split(numbers, np.cumsum(sizes)[:-1]))  # type: ignore[assignment]
        return np.concatenate([np.atleast_1d(drawn) for drawn in part()])

    mean = at(sum(sizes))
    columns = np.stack([at(row) - mean for row in range(sum(sizes))], axis=1)
    return mean, columns @ columns.T


def dense(design: np.ndarray, observed: np.ndarray, noise: np.ndarray, precision: np.ndarray, centre: np.ndarray) -> Any:
    """Mean and covariance of coefficients that are normal beforehand, given observations with independent noise."""
    covariance = np.linalg.inv(design.T @ np.diag(1 / noise) @ design + np.diag(precision))
    return covariance @ (design.T @ (observed / noise) + precision * centre), covariance


def small() -> LiftModel:
    rng, rows = np.random.default_rng(3), 7
    data = LiftData(
        actual=np.full(rows, 9.0),
        baseline=np.full(rows, 7.0),
        own_error=np.full(rows, 0.1),
        shared_error=np.full(rows, 0.1),
        promotion=np.array([0, 1, 0, 2, 2, 2, 1]),
        category=np.array([0, 1, 1, 0, 0, 1, 0]),
        brand=np.array([0, 0, 1, 1, 0, 1, 0]),
        mechanic=np.array([0, 1, 0, 2, 2, 2, 1]),
        depth=np.array([0.05, 0.2, 0.05, 0.3, 0.3, 0.3, 0.2]),
        display=rng.integers(0, 2, rows).astype(float),
        prior_slope=np.array([0.4, -0.3]),
    )
    return LiftModel(data, {"category": 2, "brand": 2, "mechanic": 3}, seed=0)


def test_each_step_draws_from_its_normal_distribution_given_the_rest() -> None:
    model, rng = small(), np.random.default_rng(7)
    data, rows = model.data, np.arange(7)
    variance, common, observed = rng.uniform(0.05, 0.3, 7), rng.uniform(0.02, 0.2, 3), rng.normal(size=7)
    # Coefficients and effects of promotions, together.
    design = model.design
    spread = {"category": 0.6, "brand": 0.25}
    prior, centre = model._prior(spread), model._centre()
    # The common slope, those of categories beside it, what mechanics add in common and by themselves, and a display.
    assert prior.tolist() == pytest.approx([1 / 4, 0.6**-2, 0.6**-2, 0.2**-2, *[0.1**-2] * 3, 0.3**-2])
    assert centre.tolist() == [1.5, 0.4, -0.3, 0, 0, 0, 0, 0]
    by_hand = np.zeros((7, 8))
    for row in rows:
        by_hand[row, [0, 1 + data.category[row]]], by_hand[row, [3, 4 + data.mechanic[row]]] = 1, min(data.depth[row] / 0.1, 1)
        by_hand[row, 7] = data.display[row]
    assert design == pytest.approx(by_hand)
    whole = np.hstack([design, np.eye(3)[data.promotion]])
    expected = dense(whole, observed, variance, np.append(prior, 1 / common), np.append(centre, np.zeros(3)))
    found = linear(model, lambda: model._regression(design, observed, variance, common, prior, centre), 8, 3)
    assert found[0] == pytest.approx(expected[0])
    assert found[1] == pytest.approx(expected[1])
    # Slopes of brands, from the promotions that work.
    on, cell, depth = np.array([True, True, False, True, True, True, False]), data.category * 2 + data.brand, depth_response(data.depth)
    columns = np.where(on, depth, 0.0)[:, None] * np.eye(4)[cell]
    expected = dense(columns, observed, variance, np.full(4, 0.25**-2), np.zeros(4))
    found = linear(model, lambda: [model._brands(observed, variance, on, cell, depth, 0.25)], 4)
    assert found[0] == pytest.approx(expected[0])
    assert found[1] == pytest.approx(expected[1])
    # What is left is split between a member's lift and the error of its baseline.
    lift, error = rng.uniform(0.01, 0.2, 7), rng.uniform(0.01, 0.2, 7)
    expected = dense(np.hstack([np.eye(7), np.eye(7)]), observed, variance, 1 / np.append(lift, error), np.zeros(14))
    found = linear(model, lambda: model._split(observed, lift, error, variance), 7, 7)
    assert found[0] == pytest.approx(expected[0])
    assert found[1] == pytest.approx(expected[1])
    assert model._spread(np.array([0.3, -0.1, 0.2]), 0.15) == pytest.approx(((2 * 0.15**2 + 0.14 / 2) / 3.5) ** 0.5)


def test_the_evidence_of_a_promotion_is_the_density_of_members_that_share_an_effect() -> None:
    model, rng = small(), np.random.default_rng(8)
    variance, common, rest = rng.uniform(0.05, 0.3, 7), rng.uniform(0.02, 0.2, 3), rng.normal(size=7)
    found = model._evidence(rest, variance, common)
    for row in range(3):
        mine = model.data.promotion == row
        density = multivariate_normal.logpdf(rest[mine], cov=np.diag(variance[mine]) + common[row])
        assert found[row] == pytest.approx(density + mine.sum() * np.log(2 * np.pi) / 2)


def test_a_shape_is_drawn_by_how_well_it_tells_what_is_left_and_by_what_was_believed() -> None:
    model, rng = small(), np.random.default_rng(9)
    variance, steep = rng.uniform(0.005, 0.03, 7), np.array([2.0, 1.5, 3.0, 0.0, 2.5, 1.0, 2.0])
    rest = steep * depth_response(model.data.depth, 1.5) + rng.normal(size=7) * 0.02
    density = np.array(
        [norm.pdf(one, 0.5, 0.5) * norm.pdf(rest, steep * depth_response(model.data.depth, one), variance**0.5).prod() for one in SHAPES]
    )
    density /= density.sum()
    mean = (density * SHAPES).sum()
    deviation = ((density * SHAPES**2).sum() - mean**2) ** 0.5
    drawn = np.array([model._shape(rest, variance, steep) for _ in range(1000)])
    assert drawn.mean() == pytest.approx(mean, abs=4 * deviation / 1000**0.5)
    assert drawn.std() == pytest.approx(deviation, rel=0.1)


def test_slopes_multiply_the_response_to_depth_and_what_is_added_does_not() -> None:
    model = small()
    response = np.arange(7) / 10
    design = model._answering(response)
    assert design[:, 0] == pytest.approx(response)
    assert (design[:, 1:3].sum(axis=1), design[:, 3:].tolist()) == (pytest.approx(response), model.design[:, 3:].tolist())


@pytest.mark.parametrize("shape", [-0.5, 0.0, 1.0])
def test_the_shape_of_the_response_to_depth_is_found_whatever_it_is(shape: float) -> None:
    tried = [(0, 0, depth) for depth in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6) for _ in range(8)]
    data = members_of({0: 2.0}, {0: 1.0}, tried=tried)
    rng, response = np.random.default_rng(6), depth_response(data.depth, shape)
    data = replace(data, actual=rng.poisson(1e5 * np.exp(2.0 * response)).astype(float), baseline=np.full(48, 1e5))
    draws = LiftModel(data, {"category": 1, "brand": 1, "mechanic": 1}, seed=0).sample()
    slope = (draws.slope[:, 0] + draws.brand_slope[:, 0]) * draws.noticed[:, 0]
    for deep in (0.2, 0.4, 0.6):
        told = slope * depth_response(np.array(deep), draws.shape) + draws.mechanic[:, 0]
        assert told.mean() == pytest.approx(2.0 * float(depth_response(np.array(deep), shape)), abs=0.06), deep


def test_units_that_are_no_numbers_are_refused() -> None:
    data = small().data
    for wrong in ({"actual": np.append(data.actual[1:], np.nan)}, {"baseline": np.append(data.baseline[1:], np.inf)}):
        with pytest.raises(ValueError, match="units or baselines of promotions are not finite; expected numbers"):
            LiftModel(replace(data, **wrong), {"category": 2, "brand": 2, "mechanic": 3}, seed=0)
