"""Engines of their own for each file of tests: the embedded one, Spark's, or each in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sales_tech.engines.duck import DuckEngine
from sales_tech.engines.engine import Engine
from sales_tech.engines.spark import SparkEngine

KEY = b"a key for tests"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    scratch: Path = tmp_path_factory.mktemp("scratch")
    duck = DuckEngine(scratch=scratch, memory_limit="500MB", threads=2, hash_key=KEY)
    yield duck
    duck.close()


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkEngine]:
    found = SparkEngine(scratch=str(tmp_path_factory.mktemp("scratch")), memory_limit="1GB", threads=2, hash_key=KEY)
    yield found
    found.close()


@pytest.fixture(scope="module", params=["engine", "spark"], ids=["duckdb", "spark"])
def any_engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(request.param)
    return found
