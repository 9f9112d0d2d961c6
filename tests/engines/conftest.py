"""An engine of its own for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sales_tech.engines.duck import DuckEngine

KEY = b"a key for tests"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    scratch: Path = tmp_path_factory.mktemp("scratch")
    duck = DuckEngine(scratch=scratch, memory_limit="500MB", threads=2, hash_key=KEY)
    yield duck
    duck.close()
