"""Fits and estimates use the caller's thread only for their products of matrices, whatever the machine has."""

from __future__ import annotations

import pytest
import scipy.linalg  # noqa: F401 -- loads SciPy's own library of linear algebra beside NumPy's
from threadpoolctl import threadpool_info, threadpool_limits

from sales_tech.forecasting import PromotionForecaster
from sales_tech.promotions import PromotionEffects
from sales_tech.threads import one_blas_thread


def threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_a_function_has_one_thread_and_who_called_it_has_theirs_again() -> None:
    with threadpool_limits(2, user_api="blas"):
        assert one_blas_thread(threads)() == {1}
        assert threads() == {2}


def test_a_function_that_fails_gives_the_threads_back() -> None:
    @one_blas_thread
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
