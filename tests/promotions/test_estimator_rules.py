"""The rules of scikit-learn as far as they apply to an estimator that takes a panel and not an array."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks
from tests.promotions.sources import listed, planned, sold, steady

from sales_tech.promotions import PromotionEffects, PromotionPanel, SourceFrames, build_panel

WITHOUT_DATA = [
    estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_parameters_default_constructible,
    estimator_checks.check_set_params,
    estimator_checks.check_valid_tag_types,
]
TABLES = ("results_", "daily_", "elasticity_", "response_", "overlap_")
FITTED = {*TABLES, "notes_", "posterior_"}


def panel_of(*promotions: pd.DataFrame) -> PromotionPanel:
    """Sixty days of two SKUs in two stores; promoted days sell three times as much."""
    rows = steady()
    days = {
        (row.sku, str(day.date())) for part in promotions for row in part.itertuples() for day in pd.date_range(row.starts_on, row.ends_on)
    }
    rows = [(day, store, sku, units * 3 if (sku, day) in days else units) for day, store, sku, units in rows]
    planned_ones = pd.concat(promotions) if promotions else planned("A", "2027-01-01", "2027-01-02")
    return build_panel(SourceFrames(sold(rows), listed("A", "B"), promotions=planned_ones))


@lru_cache
def promoted() -> PromotionPanel:
    return panel_of(planned("A", "2026-02-01", "2026-02-07"), planned("B", "2026-02-10", "2026-02-14", "PR2"))


def attributes(effects: PromotionEffects) -> set[str]:
    """What fitting has set."""
    return {name for name in vars(effects) if name.endswith("_") and not name.startswith("_")}


@pytest.mark.parametrize("check", WITHOUT_DATA, ids=lambda check: check.__name__)
def test_the_checks_of_scikit_learn_that_need_no_data_pass(check: Callable[[str, PromotionEffects], None]) -> None:
    check("PromotionEffects", PromotionEffects())


def test_a_parameter_that_is_unknown_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid parameter 'depth'"):
        PromotionEffects().set_params(depth=0.3)


def test_fit_returns_the_estimator_and_only_fit_sets_what_ends_in_an_underscore() -> None:
    effects = PromotionEffects(level=0.9, random_state=3)
    assert attributes(effects) == set()
    assert effects.fit(promoted()) is effects
    assert attributes(effects) == FITTED
    assert effects.get_params() == {"level": 0.9, "random_state": 3}
    assert attributes(clone(effects)) == set()


def test_parameters_are_validated_by_fit_which_then_sets_nothing() -> None:
    effects = PromotionEffects().set_params(level=2.0)
    with pytest.raises(ValueError, match=r"level is 2\.0; expected"):
        effects.fit(promoted())
    assert attributes(effects) == set()


def test_fit_leaves_its_panel_as_it_was() -> None:
    panel = panel_of(planned("A", "2026-02-01", "2026-02-07"))
    before = pickle.dumps(panel)
    PromotionEffects().fit(panel)
    assert pickle.dumps(panel) == before


def test_the_same_random_state_tells_the_same_and_another_one_draws_anew() -> None:
    first, again, other = (PromotionEffects(random_state=seed).fit(promoted()) for seed in (1, 1, 2))
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(first, name), getattr(again, name))
    assert not np.array_equal(first.results_["incremental_units"], other.results_["incremental_units"])


def test_fitting_again_forgets_what_was_fitted_before() -> None:
    effects = PromotionEffects().fit(promoted())
    assert len(effects.results_) == 2
    one = panel_of(planned("B", "2026-02-10", "2026-02-14", "PR2"))
    anew, effects = PromotionEffects().fit(one), effects.fit(one)
    assert effects.notes_ == anew.notes_
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(effects, name), getattr(anew, name))
    effects.fit(panel_of())
    assert effects.posterior_ is None
    assert [len(getattr(effects, name)) for name in TABLES] == [0] * len(TABLES)


def test_what_was_fitted_can_be_kept_in_a_file() -> None:
    effects = PromotionEffects().fit(promoted())
    kept = pickle.loads(pickle.dumps(effects))  # noqa: S301  (written in the same line)
    pd.testing.assert_frame_equal(kept.results_, effects.results_)
