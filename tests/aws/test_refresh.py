"""An endpoint that is given the newest sales, in the emulator, with a model that was fitted ten days before them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.aws.conftest import Deployed
from tests.aws.test_endpoints import POLL, served
from tests.aws.test_release import card, endpoint
from tests.support.cloud_settings import CloudSettings
from tests.support.nights import HASH_KEY, night, settings_in
from tests.support.twins import past_of

from sales_tech.aws import endpoints
from sales_tech.aws.model_packages import ModelPackages
from sales_tech.errors import ModelError
from sales_tech.models.artifact import CARD, PLANNER, open_artifact, write_artifact
from sales_tech.models.registry import Registry
from sales_tech.models.trial import past_until
from sales_tech.orchestration.refresh import refresh_endpoint
from sales_tech.orchestration.release import register_champion
from sales_tech.planning import Outlook, PromotionPlanner
from sales_tech.platform import platform_of
from sales_tech.runs import Run
from sales_tech.serving import nights
from sales_tech.settings import Aws, Settings
from sales_tech.transform import forecasts, promotions
from sales_tech.twin import Size, write_twin

DAYS = 10


@dataclasses.dataclass(frozen=True)
class Shop:
    """The stack, its lake, the version that was fitted before the last DAYS, and what its planner tells once it has seen them."""

    deployed: Deployed
    lake: Settings
    origin: pd.Timestamp
    expected: Outlook

    def refresh(self) -> Any:
        return refresh_endpoint(self.lake, self.deployed.stack, POLL)

    def command(self, *words: str) -> Any:
        return endpoint(self.lake, *words)


@pytest.fixture(scope="module")
def shop(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A small retailer's lake in the stack's bucket, with a champion of ten days before its last sales."""
    outputs, folder = deployed.stack.outputs, tmp_path_factory.mktemp("shop")
    for kind in ("LakeBucket", "LandingBucket"):
        # The emulator speaks no TLS, which the policy rightly refuses.
        deployed.cloud.client("s3").delete_bucket_policy(Bucket=outputs[kind])
    landing = settings_in(folder, "erp_br")
    write_twin(landing.landing, size=Size(stores=2, skus=18, months=3, promotions=8), dirt=False)
    settings = CloudSettings(
        lake=f"s3://{outputs['LakeBucket']}/lake",
        landing=landing.landing,
        sources=landing.sources,
        threads=1,
        work_folder=folder / "work",
        aws=Aws(outputs["DatabasePrefix"], outputs["WorkgroupName"]),
        cloud=deployed.cloud,
        bucket=outputs["LandingBucket"],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SALES_TECH_HASH_KEY", HASH_KEY)
        night(settings)
        lake = settings.land()
        promotions.run(Run.begin(lake))
        past = past_of(lake)
        origin = past.frames.daily["sold_on"].max()
        planner = PromotionPlanner(most_rows=1_000, trees=4).fit(past_until(past, origin - pd.Timedelta(days=DAYS)))
        about = card().model_copy(update={"currency": past.currency})
        Registry(lake).register(write_artifact(folder / "model", planner, about), about)
        yield Shop(deployed, lake, origin, planner.observe(past).outlook_)


@pytest.mark.slow(60)
def test_an_endpoint_is_given_the_newest_sales_and_stays_the_version_that_was_approved(shop: Shop, tmp_path: Path) -> None:
    stack, registry = shop.deployed.stack, Registry(shop.lake)
    packages = ModelPackages(stack.connection, stack.output("ModelGroup"))
    with pytest.raises(ModelError, match="the stack shop-prod serves no version of shop-prod-planner; expected one: deploy it first"):
        shop.refresh()
    registered = register_champion(shop.lake, stack, "erp_br", "2026-03-01")
    package = packages.approve(registered, "good")
    endpoints.deploy(stack, package, POLL)
    first = registry.open("erp_br")
    assert first.outlook().origin == shop.origin - pd.Timedelta(days=DAYS)

    done = shop.refresh()
    assert (done.package, done.origin, done.changed) == (package, shop.origin, True)
    container = served(shop.deployed)[2]
    digest, archive = container["Environment"]["SALES_TECH_MODEL_DIGEST"], container["ModelDataUrl"]
    assert archive == f"{shop.lake.lake}/models/erp_br/v0001/refreshed/{digest.removeprefix('sha256:')}/model.tar.gz"
    assert container["Image"] == package.image
    newer = open_artifact(platform_of(shop.lake).lake.fetch(archive.removeprefix(f"{shop.lake.lake}/")), digest)
    for name, frame in shop.expected.to_frames().items():
        pd.testing.assert_frame_equal(newer.outlook().to_frames()[name], frame.reset_index(drop=True))
    for name in (PLANNER, CARD):
        assert (newer.folder / name).read_bytes() == (first.folder / name).read_bytes()

    assert endpoints.deployed(stack, packages) == package
    assert registry.index("erp_br").champion == "v0001"
    again = shop.command("refresh")
    assert again.output == f"version {package.version} knew already the sales until {shop.origin:%Y-%m-%d}\n", again.exception
    assert shop.command("versions").output.splitlines()[1].split()[-1] == "yes"

    assert shop.command("deploy", str(package.version)).output == f"version {package.version} is served\n"
    assert served(shop.deployed)[2]["ModelDataUrl"] == package.archive, "a deploy serves what was registered"
    told = shop.command("refresh")
    assert told.output == f"version {package.version} now knows the sales until {shop.origin:%Y-%m-%d}\n", told.exception
    assert served(shop.deployed)[2]["ModelDataUrl"] == archive

    packages.reject(package, "answers nonsense")
    with pytest.raises(ModelError, match=f"version {package.version} of erp_br is Rejected; expected Approved"):
        endpoints.deploy(stack, dataclasses.replace(packages.package(package.arn), archive=archive, digest=digest), POLL)


def test_a_model_that_is_none_of_the_lake_is_not_refreshed(shop: Shop) -> None:
    stack = shop.deployed.stack
    packages = ModelPackages(stack.connection, stack.output("ModelGroup"))
    trained = f"{stack.output('TrainingOutput')}/job/output/model.tar.gz"
    image = f"{stack.output('RepositoryUri')}:2026-03-02"
    package = packages.register("erp_br", trained, image, f"sha256:{7:064x}", status="Approved")
    endpoints.deploy(stack, package, POLL)
    with pytest.raises(ModelError, match=rf"version {package.version} of erp_br is not a model of s3://\S+/lake/models"):
        shop.refresh()


def test_the_lake_of_another_stack_is_told(shop: Shop) -> None:
    with pytest.raises(ModelError, match="the lake is s3://other/lake; expected"):
        refresh_endpoint(dataclasses.replace(shop.lake, lake="s3://other/lake"), shop.deployed.stack, POLL)


def test_what_serves_a_lake_on_s3_looks_there_again_after_a_while(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nights, "LOOK_SECONDS", 3600.0)
    served = nights.Nights(shop.lake, "erp_br")
    assert served.served.outlook.origin == shop.origin - pd.Timedelta(days=DAYS), "without a forecast the registered model"
    assert not served.moved()
    monkeypatch.setattr(nights, "LOOK_SECONDS", 1e-6)
    assert served.moved()
    assert served.read() is None
    forecasts.run(Run.begin(shop.lake), Registry(shop.lake))
    told = served.read()
    assert told is not None
    assert told.origin == shop.origin
