"""All lakes of these tests are in the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.infra.packaging import put_up
from tests.support.cloud import Cloud, running_cloud
from tests.support.cloud_settings import CloudSettings
from tests.support.nights import HASH_KEY, cloud_settings_in

from sales_tech.aws.cloud import CloudPlatform
from sales_tech.aws.connection import Connection
from sales_tech.aws.stack import Stack
from sales_tech.contracts.table import TableContract
from sales_tech.engines.duck import open_engine
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake
from sales_tech.lake.write import stage
from sales_tech.settings import Settings

RUN = "20260301T020000-1a2b3c"
_PROVENANCE = Provenance(RUN, "silver/shelf", "code", "contract")
_CONTRACT = TableContract.model_validate(
    {
        "name": "silver.shelf",
        "description": "One row per sku.",
        "grain": ["sku"],
        "columns": {
            "sku": {"type": "string", "description": "Product"},
            "put_at": {"type": "timestamptz", "description": "When it was put there"},
        },
    }
)


@pytest.fixture
def place() -> str:
    return "aws"


@pytest.fixture
def aws(erp: Settings) -> CloudSettings:
    """A new, empty lake in the emulator."""
    assert isinstance(erp, CloudSettings)
    return erp


@pytest.fixture
def platform(aws: CloudSettings) -> CloudPlatform:
    """Its platform."""
    return CloudPlatform(aws.land())


@dataclass(frozen=True)
class Shelf:
    """A lake with one table, silver.shelf, of two rows."""

    settings: CloudSettings
    name: str = "silver.shelf"

    @property
    def lake(self) -> Lake:
        """The lake as another process would open it."""
        return Lake(self.settings)

    def bookmark(self, lake: Lake | None = None) -> int:
        """Commit a snapshot that changes no row."""
        return (lake or self.lake).commit(self.name, [], [], _PROVENANCE)

    def fill(self, query: str) -> int:
        """Commit the rows of a query in the engine's SQL; the snapshot's id."""
        lake = self.lake
        with open_engine(self.settings) as engine:
            staged = stage(lake, engine, _CONTRACT, query, RUN, unique=False)
        return lake.commit(self.name, staged.paths, [], _PROVENANCE)

    def rows(self) -> int:
        """The rows of the table, counted from its files."""
        table = self.lake.table(self.name)
        assert table is not None
        return table.scan().to_arrow().num_rows


def make_shelf(settings: CloudSettings) -> Shelf:
    """Make the table."""
    shelf = Shelf(settings)
    shelf.fill("select * from (values ('A', timestamptz '2026-01-05 10:00:00.123456+00'), ('B', null)) as t (sku, put_at)")
    return shelf


@pytest.fixture
def shelf(aws: CloudSettings) -> Shelf:
    """A lake of its own with a small table."""
    return make_shelf(aws)


@pytest.fixture(scope="module")
def shared_shelf(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """The same for tests that only read."""
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in {**cloud.environment, "SALES_TECH_HASH_KEY": HASH_KEY}.items():
            patch.setenv(variable, value)
        yield make_shelf(cloud_settings_in(tmp_path_factory.mktemp("shelf"), cloud, "erp_br"))


@dataclass(frozen=True)
class Deployed:
    """The project's stack, without an endpoint, in an emulator of its own."""

    cloud: Cloud
    name: str

    @property
    def stack(self) -> Stack:
        """The stack as a new process would reach it."""
        return Stack(Connection(), self.name)


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    """The stack; the variables that lead to it are set for the whole module."""
    with running_cloud() as cloud, pytest.MonkeyPatch.context() as patch:
        for variable, value in cloud.environment.items():
            patch.setenv(variable, value)
        given = [{"ParameterKey": "LogRetentionDays", "ParameterValue": "90"}]
        client = cloud.client("cloudformation")
        client.create_stack(StackName="shop-prod", TemplateBody=put_up(cloud), Parameters=given, Capabilities=["CAPABILITY_NAMED_IAM"])
        yield Deployed(cloud, "shop-prod")
