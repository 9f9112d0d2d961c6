"""What most tests begin with: settings of an empty lake, a night's run, a table's rows, the real data."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.nights import HASH_KEY, REPOSITORY, settings_in

from sales_tech.settings import Settings


@pytest.fixture
def make_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Settings of a new lake below the test's folder; the arguments name packs, none stands for all."""
    monkeypatch.setenv("SALES_TECH_HASH_KEY", HASH_KEY)

    def _make(*packs: str, name: str = "") -> Settings:
        return settings_in(tmp_path / name, *packs)

    return _make


@pytest.fixture
def erp(make_settings: Callable[..., Settings]) -> Settings:
    """Settings of a new lake that knows the pack erp_br only."""
    return make_settings("erp_br")


@pytest.fixture
def olist(make_settings: Callable[..., Settings]) -> Settings:
    """Settings of a new lake that knows the pack olist only."""
    return make_settings("olist")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of published exports beside the repository, or that in SALES_TECH_REAL_DATA."""
    given = os.environ.get("SALES_TECH_REAL_DATA")
    folder = Path(given) if given else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; SALES_TECH_REAL_DATA names another folder")
    return folder
