"""A champion of the lake on its way to the endpoint, and the commands about it, in the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.aws.conftest import Deployed
from tests.support.command_line import pipeline

from sales_tech.aws.model_packages import ModelPackages
from sales_tech.errors import ModelError
from sales_tech.models.artifact import CARD, CARD_TEXT, FILES, Artifact
from sales_tech.models.card import Figures, ModelCard
from sales_tech.models.championship import decide
from sales_tech.models.manifest import MANIFEST, Manifest
from sales_tech.models.registry import Registry
from sales_tech.orchestration.release import figures_of, register_champion
from sales_tech.settings import Aws, Settings


def card(source: str = "erp_br") -> ModelCard:
    figures = [
        Figures(name=name, rows=9, wape=wape, bias=-0.02, rmsse=None, pinball=0.5, coverage=0.78, nominal=0.8)
        for name, wape in (("challenger", 0.31), ("seasonal naive", 0.52))
    ]
    return ModelCard(
        source=source,
        currency="BRL",
        snapshots={},
        first_day=date(2025, 1, 1),
        origin=date(2026, 2, 28),
        horizon=91,
        series=12,
        sales_units=1_000,
        code_version="1.0",
        code="f00",
        libraries={},
        parameters={},
        cutoffs=[date(2026, 1, 31)],
        compared_days=28,
        figures=figures,
        calibration=[],
        importance=[],
        decision=decide(figures),
    )


def artifact(folder: Path, about: ModelCard) -> Artifact:
    """A whole artifact whose planner nobody reads."""
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"not read here")
    (folder / CARD).write_text(about.model_dump_json())
    (folder / CARD_TEXT).write_text(about.markdown())
    manifest = Manifest.of(folder, about.source)
    return Artifact(folder, manifest, manifest.write(folder / MANIFEST))


@pytest.fixture(scope="module")
def lake(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The stack's lake, with one registered model of erp_br."""
    outputs = deployed.stack.outputs
    # The emulator speaks no TLS, which the policy rightly refuses.
    deployed.cloud.client("s3").delete_bucket_policy(Bucket=outputs["LakeBucket"])
    folder = tmp_path_factory.mktemp("work")
    aws = Aws(outputs["DatabasePrefix"], outputs["WorkgroupName"])
    settings = Settings(f"s3://{outputs['LakeBucket']}/lake", "", (), work_folder=folder, aws=aws)
    about = card()
    Registry(settings).register(artifact(folder / "model", about), about)
    return settings


@pytest.fixture(autouse=True)
def _no_versions(deployed: Deployed) -> Iterator[None]:
    yield
    for package in ModelPackages(deployed.stack.connection, "shop-prod-planner").versions():
        deployed.cloud.client("sagemaker").delete_model_package(ModelPackageName=package.arn)


def endpoint(lake: Settings, *words: str) -> Any:
    variables = {"SALES_TECH_LAKE": str(lake.lake), "SALES_TECH_DATABASE_PREFIX": "shop_prod_", "SALES_TECH_WORKGROUP": "shop-prod"}
    return CliRunner().invoke(pipeline(), ["endpoint", *words, "--stack", "shop-prod"], env={**variables, "COLUMNS": "200"})


def test_the_card_is_told_in_short(lake: Settings) -> None:
    told = figures_of(card())
    assert told == {
        "origin": "2026-02-28",
        "horizon_days": "91",
        "series": "12",
        "currency": "BRL",
        "code_version": "1.0",
        "decision": "registered",
        "wape": "0.3100",
        "bias": "-0.0200",
        "coverage": "0.7800",
        "naive_wape": "0.5200",
        "naive_bias": "-0.0200",
        "naive_coverage": "0.7800",
    }


def test_a_champion_is_registered_as_it_lies_in_the_lake(deployed: Deployed, lake: Settings) -> None:
    made = register_champion(lake, deployed.stack, "erp_br", "2026-03-01")
    version = Registry(lake).champion("erp_br")
    assert version is not None
    assert (made.status, made.source, made.digest) == ("PendingManualApproval", "erp_br", version.digest)
    assert made.archive == f"{lake.lake}/models/erp_br/v0001/model.tar.gz"
    bucket, _, key = made.archive.removeprefix("s3://").partition("/")
    assert deployed.cloud.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] == version.size
    assert made.image == f"{deployed.stack.output('RepositoryUri')}:2026-03-01"
    kept = deployed.cloud.client("sagemaker").describe_model_package(ModelPackageName=made.arn)
    assert kept["ModelPackageDescription"] == (
        "erp_br v0001, sales until 2026-02-28: its error (WAPE) is 31.0%, against 52.0% of repeating the last week; "
        "there was no model in use to beat"
    )
    uri = kept["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"].removeprefix(f"s3://{bucket}/")
    stored = deployed.cloud.client("s3").get_object(Bucket=bucket, Key=uri)["Body"].read()
    assert ModelCard.model_validate_json(stored) == card()


def test_a_source_without_a_champion_is_told(deployed: Deployed, lake: Settings) -> None:
    with pytest.raises(ModelError, match="olist has no champion; expected one of erp_br"):
        register_champion(lake, deployed.stack, "olist", "1")


def test_the_lake_of_another_stack_is_told(deployed: Deployed, lake: Settings) -> None:
    other = Settings("s3://other/lake", "", (), work_folder=lake.work_folder, aws=lake.aws)
    with pytest.raises(ModelError, match=f"the lake is s3://other/lake; expected {lake.lake}, that of the stack shop-prod"):
        register_champion(other, deployed.stack, "erp_br", "1")


@pytest.mark.slow(20)
def test_the_commands_register_approve_deploy_and_show(lake: Settings) -> None:
    made = endpoint(lake, "register", "--source", "erp_br", "--image-tag", "1")
    assert made.exit_code == 0, made.output
    number = made.output.split()[1]
    assert f"version {number} of erp_br is PendingManualApproval: {lake.lake}/models/erp_br/v0001/model.tar.gz" in made.output
    early = endpoint(lake, "deploy", number)
    assert isinstance(early.exception, ModelError)
    assert "approve it first" in str(early.exception)
    assert f"version {number} of erp_br is Approved" in endpoint(lake, "approve", number, "--reason", "better").output
    assert f"version {number} is served\n" in endpoint(lake, "deploy", number).output
    assert f"version {number} was served already" in endpoint(lake, "deploy", number).output
    (row,) = endpoint(lake, "versions").output.splitlines()[1:]
    assert row.split()[:5] == [number, "erp_br", "Approved", "2026-02-28", "0.3100"]
    assert row.split()[-1] == "yes"
    told = endpoint(lake, "state").output
    assert told.startswith("shop-prod-planner is InService since ")
    assert "/lake/models/erp_br/v0001/model.tar.gz" in told
    back = endpoint(lake, "previous", "--reason", "worse")
    assert f"no version of erp_br before {number} is approved" in str(back.exception)
    assert f"version {number} of erp_br is Rejected" in endpoint(lake, "reject", number, "--reason", "worse").output


def test_a_version_that_is_not_there_is_told(lake: Settings) -> None:
    done = endpoint(lake, "approve", "77", "--reason", "good")
    assert str(done.exception) == "shop-prod-planner has no version 77; expected one of none yet"
