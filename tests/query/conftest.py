"""A tiny lake after two nights, of which the second one corrects a line and brings another."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.exports import land_erp, land_reference, sale
from tests.support.nights import HASH_KEY, night, settings_in

from sales_tech.lake.query import Reader
from sales_tech.lake.store import Lake
from sales_tech.settings import Settings


@dataclass(frozen=True)
class TwoNights:
    """The settings of the lake, a moment between its nights, and the snapshots of silver.sales after each."""

    settings: Settings
    between: datetime
    first: int
    second: int

    @property
    def reader(self) -> Reader:
        return Reader(self.settings)


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> TwoNights:
    settings = settings_in(tmp_path_factory.mktemp("two_nights"), "erp_br")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SALES_TECH_HASH_KEY", HASH_KEY)
        land_reference(settings.landing, "A", "B")
        land_erp(settings.landing, "vendas_2026-01", sale("P1"), sale("P2", sku="B", quantidade="2"))
        night(settings)
        first = Lake(settings).snapshot_id("silver.sales")
        time.sleep(0.05)
        between = datetime.now(UTC)
        time.sleep(0.05)
        land_erp(settings.landing, "vendas_2026-02", sale("P1", quantidade="5", atualizado_em="12/01/2026 08:00:00"), sale("P3"))
        night(settings)
        second = Lake(settings).snapshot_id("silver.sales")
    assert first is not None
    assert second is not None
    return TwoNights(settings, between, first, second)


@pytest.fixture
def bronze_file(lake: TwoNights) -> Path:
    return Path(Lake(lake.settings).files("bronze.erp_br_vendas")[0].path.removeprefix("file://"))
