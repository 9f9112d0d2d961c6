"""Threads of the linear algebra below NumPy and SciPy."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

Given = ParamSpec("Given")
Told = TypeVar("Told")


def one_blas_thread(function: Callable[Given, Told]) -> Callable[Given, Told]:
    """The function with its products of matrices made in the thread that calls it; afterwards others have theirs again.

    OpenBLAS shares even small products among its threads, which then wait for the next one by spinning: estimates and fits,
    which are made of many small ones, took up to four times the processor time, and longer, on two cores.
    """

    @functools.wraps(function)
    def alone(*args: Given.args, **named: Given.kwargs) -> Told:
        with _libraries().limit(limits=1, user_api="blas"):
            return function(*args, **named)

    return alone


@functools.cache
def _libraries() -> ThreadpoolController:
    import scipy.linalg  # noqa: F401 -- SciPy brings a library of its own, found only once it is loaded

    return ThreadpoolController()
