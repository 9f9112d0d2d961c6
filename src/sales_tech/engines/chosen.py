"""The engine that the settings choose for the work on silver and gold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from sales_tech.engines.duck import open_engine
from sales_tech.engines.engine import Engine
from sales_tech.platform import platform_of
from sales_tech.settings import Settings


@contextmanager
def open_chosen_engine(settings: Settings, *, hashing: bool = False) -> Iterator[Engine]:
    """The engine of the settings within their bounds; its scratch files go with it.

    Where only the lake is asked a question, `open_engine` of the embedded one is quicker.
    """
    if settings.engine == "duckdb":
        with open_engine(settings, hashing=hashing) as embedded:
            yield embedded
        return
    from sales_tech.engines.spark import SparkEngine

    platform = platform_of(settings)
    engine = SparkEngine(
        # Executors on other machines share nothing with the driver but the lake itself.
        scratch=str(settings.lake if settings.aws else settings.work) + "/scratch",
        memory_limit=settings.memory_limit,
        threads=settings.threads,
        hash_key=platform.hash_key() if hashing else None,
        filesystem=platform.filesystem,
    )
    with closing(engine):
        yield engine
