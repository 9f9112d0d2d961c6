"""Fits and estimates use the caller's thread only for their products of matrices, and threads for trees as far as they help."""

from __future__ import annotations

from threading import Barrier

import numpy as np
import pandas as pd
import pytest
import scipy.linalg  # noqa: F401 -- loads SciPy's own library of linear algebra beside NumPy's
import sklearn.ensemble  # noqa: F401 -- loads the threads of trees
from threadpoolctl import threadpool_info, threadpool_limits

from sales_tech.forecasting import PromotionForecaster
from sales_tech.promotions import PromotionEffects
from sales_tech.threads import FEW_ROWS, one_blas_thread, side_by_side, threads_for

SOON = 30.0


def threads(kind: str = "blas") -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == kind}


def test_a_function_has_one_thread_and_who_called_it_has_theirs_again() -> None:
    with threadpool_limits(2, user_api="blas"):
        assert one_blas_thread()(threads)() == {1}
        assert threads() == {2}


def test_a_function_that_fails_gives_the_threads_back() -> None:
    @one_blas_thread()
    def fail() -> None:
        raise ValueError(f"with {threads()}")

    with threadpool_limits(2, user_api="blas"):
        with pytest.raises(ValueError, match=r"with \{1\}"):
            fail()
        assert threads() == {2}


@pytest.mark.parametrize("method", [PromotionForecaster.fit, PromotionForecaster.predict, PromotionEffects.fit])
def test_what_is_made_of_many_small_products_runs_in_one_thread(method: object, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[int]] = []

    class Panel:
        def __getattribute__(self, name: str) -> object:
            seen.append(threads())
            raise LookupError(name)

    owner = PromotionEffects() if method is PromotionEffects.fit else PromotionForecaster(series=["s"], time="t", target="y")
    with threadpool_limits(2, user_api="blas"), pytest.raises(LookupError):
        method(owner, Panel())  # type: ignore[operator]
    assert seen == [{1}]


def test_tasks_run_at_once_and_answer_in_their_order() -> None:
    met = Barrier(2)
    with threadpool_limits(2, user_api="openmp"):
        # Each waits for the other: one after the other they would never end.
        assert [told for _, told in side_by_side([lambda: (met.wait(SOON), "first"), lambda: (met.wait(SOON), "second")])] == [
            "first",
            "second",
        ]


@pytest.mark.parametrize(("given", "tasks", "each"), [(1, 3, 1), (2, 1, 2), (2, 3, 1), (3, 2, 1), (8, 3, 2)])
def test_tasks_share_the_threads_there_are(given: int, tasks: int, each: int) -> None:
    with threadpool_limits(given, user_api="openmp"):
        assert side_by_side([lambda: threads("openmp")] * tasks) == [{each}] * tasks
        assert threads("openmp") == {given}


@pytest.mark.parametrize("given", [1, 2])
def test_of_tasks_that_fail_the_first_is_told(given: int) -> None:
    def fail(name: str) -> None:
        raise LookupError(name)

    with threadpool_limits(given, user_api="openmp"):
        with pytest.raises(LookupError, match="second"):
            side_by_side([lambda: None, lambda: fail("second"), lambda: fail("third")])
        assert side_by_side([]) == []


def test_few_rows_are_answered_in_one_thread_and_many_in_all() -> None:
    with threadpool_limits(2, user_api="openmp"):
        with threads_for(FEW_ROWS - 1):
            assert threads("openmp") == {1}
        assert threads("openmp") == {2}
        with threads_for(FEW_ROWS):
            assert threads("openmp") == {2}


def test_a_forecast_is_the_same_to_the_last_digit_in_one_thread_and_in_many() -> None:
    days = pd.date_range("2025-01-06", periods=180)
    units = np.random.default_rng(3).poisson(np.tile([2.0, 9.0, 30.0, 5.0], (len(days), 1)))
    panel = pd.DataFrame(units, index=days, columns=list("abcd")).melt(ignore_index=False, var_name="sku", value_name="units")
    panel = panel.rename_axis("day").reset_index()
    plan = pd.DataFrame([{"sku": sku, "day": day} for sku in "abcd" for day in pd.date_range("2025-07-05", periods=14)])

    def told(given: int) -> pd.DataFrame:
        with threadpool_limits(given, user_api="openmp"):
            return PromotionForecaster(["sku"], time="day", target="units", horizon=14).fit(panel).predict(plan)

    assert told(1)["mean"].nunique() > 4
    pd.testing.assert_frame_equal(told(1), told(3), check_exact=True)
