"""Threads of the libraries that compute: of linear algebra below NumPy and SciPy, and of trees in scikit-learn."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import ThreadpoolController

BLAS, OPENMP = "blas", "openmp"
# Below so many rows trees answer sooner in one thread than threads meet.
FEW_ROWS = 10_000

Told = TypeVar("Told")


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Within it products of matrices are made in the thread that asks for them; afterwards others have theirs again.

    OpenBLAS shares even small products among its threads, which then wait for the next one by spinning: estimates and fits,
    which are made of many small ones, took up to four times the processor time, and longer, on two cores.
    """
    with _libraries(BLAS).limit(limits=1):
        yield


def side_by_side(tasks: Sequence[Callable[[], Told]]) -> list[Told]:
    """What the tasks return, in their order: at once as far as there are threads for trees, which the tasks share among them.

    Threads of one fit meet at each of many short loops, and where one is held up all wait; fits that go on by themselves do
    not, and take no longer. An error is raised when all tasks have ended, of several that of the first task.
    """
    threads = max((library["num_threads"] for library in _libraries(OPENMP).info()), default=1)
    workers = min(threads, len(tasks))
    if workers < 2:
        return [task() for task in tasks]

    def alone(task: Callable[[], Told]) -> Told:
        with _libraries(OPENMP).limit(limits=threads // workers):
            return task()

    with ThreadPoolExecutor(workers) as pool:
        return [future.result() for future in [pool.submit(alone, task) for task in tasks]]


@contextlib.contextmanager
def threads_for(rows: int) -> Iterator[None]:
    """Within it trees answer for few rows in the caller's thread."""
    with _libraries(OPENMP).limit(limits=1) if rows < FEW_ROWS else contextlib.nullcontext():
        yield


@functools.cache
def _libraries(kind: str) -> ThreadpoolController:
    # A library is found only once it is loaded; SciPy brings one of linear algebra beside NumPy's.
    import scipy.linalg  # noqa: F401
    import sklearn.ensemble  # noqa: F401

    return ThreadpoolController().select(user_api=kind)
