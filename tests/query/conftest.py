"""A tiny lake after two nights, of which the second one corrects a line and brings another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from tests.support.cloud import Cloud
from tests.support.exports import land_erp, land_reference, sale
from tests.support.nights import HASH_KEY, cloud_settings_in, night, settings_in

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
    def environment(self) -> dict[str, str]:
        """The variables by which an analyst names this lake, beside its address."""
        aws = self.settings.aws
        if aws is None:
            return {}
        return {
            "SALES_TECH_DATABASE_PREFIX": aws.database_prefix,
            "SALES_TECH_WORKGROUP": aws.workgroup,
            "SALES_TECH_LANDING": "s3://landing",
        }

    @property
    def reader(self) -> Reader:
        return Reader(self.settings)


@pytest.fixture(scope="module", params=["local", "aws"])
def lake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNights]:
    """The lake, in a folder and in the emulator, where Athena answers."""
    folder = tmp_path_factory.mktemp("two_nights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SALES_TECH_HASH_KEY", HASH_KEY)
        if request.param == "local":
            settings = settings_in(folder, "erp_br")
        else:
            cloud: Cloud = request.getfixturevalue("cloud")
            for variable, value in cloud.environment.items():
                patch.setenv(variable, value)
            settings = cloud_settings_in(folder, cloud, "erp_br")
        yield _two_nights(settings)


def _two_nights(settings: Settings) -> TwoNights:
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
def bronze_file(lake: TwoNights) -> str:
    """A file of bronze as the engine names it."""
    return Lake(lake.settings).files("bronze.erp_br_vendas")[0].path.removeprefix("file://")
