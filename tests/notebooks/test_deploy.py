"""The notebook that serves a model, on a laptop and on the emulated stack, with a model that was fitted on a small lake."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import papermill
import pytest
from tests.aws.test_release import card
from tests.infra.packaging import put_up
from tests.support.cloud import REGION, Cloud, running_cloud
from tests.support.nights import HASH_KEY, REPOSITORY, night, settings_in
from tests.support.twins import past_of

from sales_tech.errors import ModelError
from sales_tech.models.artifact import open_artifact, write_artifact
from sales_tech.models.registry import Registry
from sales_tech.orchestration.release import ask_in_process, champion_of, sample_question
from sales_tech.planning import Outlook, PromotionPlanner
from sales_tech.runs import Run
from sales_tech.settings import Aws, Settings
from sales_tech.transform import promotions
from sales_tech.twin import Size, write_twin

NOTEBOOK = REPOSITORY / "notebooks" / "04_ml" / "deploy.ipynb"
STACK = "shop-prod"


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A small lake with a champion of erp_br, for which nothing had to be better than anything."""
    settings = settings_in(tmp_path_factory.mktemp("laptop"))
    write_twin(settings.landing, size=Size(stores=4, skus=24, months=4, promotions=20))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SALES_TECH_HASH_KEY", HASH_KEY)
        night(settings)
        promotions.run(Run.begin(settings))
    past = past_of(settings)
    planner = PromotionPlanner(most_rows=1_500, trees=8).fit(past)
    about = card().model_copy(update={"currency": past.currency})
    artifact = write_artifact(settings.work / "model", planner, about)
    Registry(settings).register(artifact, about)
    return settings


@pytest.fixture(scope="module")
def outlook(laptop: Settings) -> Outlook:
    champion = champion_of(laptop)
    assert champion is not None
    assert (champion.source, champion.version) == ("erp_br", "v0001")
    return champion.artifact.outlook()


def shown(executed: Path) -> str:
    """All outputs of an executed notebook as one text."""
    cells = nbformat.read(executed, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join(output.get("text") or json.dumps(output.get("data", {}), ensure_ascii=False) for output in outputs)


def test_the_sample_is_a_plan_that_the_application_answers(outlook: Outlook) -> None:
    question = sample_question(outlook)
    assert question is not None
    told = ask_in_process(outlook, question)
    (total,) = told["promotions"]
    assert total["promotion_id"] == "sample"
    expected = outlook.forecast(sample_plans(question))
    assert total["units"] == pytest.approx(expected["units"].sum())
    assert told["origin"] == f"{outlook.origin:%Y-%m-%d}"


def test_a_model_that_has_seen_no_promotion_is_asked_nothing(outlook: Outlook) -> None:
    assert sample_question(replace(outlook, response=outlook.response.iloc[:0])) is None


def sample_plans(question: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(question["promotions"]).assign(
        starts_on=lambda plan: pd.to_datetime(plan["starts_on"]), ends_on=lambda plan: pd.to_datetime(plan["ends_on"])
    )


def test_what_the_application_refuses_is_told_in_its_words(outlook: Outlook) -> None:
    question = sample_question(outlook)
    assert question is not None
    with pytest.raises(ModelError, match=r"the application answered 422: .*discount_share"):
        ask_in_process(outlook, {"promotions": [{**question["promotions"][0], "discount_share": 2}]})


def test_a_lake_without_models_has_no_champion(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    assert champion_of(settings) is None
    with pytest.raises(ModelError, match="olist has no champion; expected one of none yet"):
        champion_of(settings, "olist")


@pytest.mark.parametrize("has_model", [True, False])
def test_nbval_runs_it_on_a_laptop(laptop: Settings, tmp_path: Path, has_model: bool) -> None:
    lake = laptop.lake if has_model else tmp_path / "lake"
    environment = {**os.environ, "SALES_TECH_LAKE": str(lake), "SALES_TECH_LANDING": str(laptop.landing)}
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-cell-timeout=120", "--nbval-kernel-name=python3"]
    options = ["-p", "no:cacheprovider", "-o", "filterwarnings=", "-o", "addopts=", "--color=no", str(NOTEBOOK)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    cells = sum(cell.cell_type == "code" for cell in nbformat.read(NOTEBOOK, as_version=4).cells)
    assert f"{cells} passed" in done.stdout


@pytest.fixture(scope="module")
def cloud(laptop: Settings) -> Iterator[Cloud]:
    """The stack in the emulator, whose lake has the same champion."""
    with running_cloud() as cloud, pytest.MonkeyPatch.context() as patch:
        for variable, value in cloud.environment.items():
            patch.setenv(variable, value)
        given = [{"ParameterKey": "ImageTag", "ParameterValue": "2026-03-01"}]
        capabilities = ["CAPABILITY_NAMED_IAM"]
        cloud.client("cloudformation").create_stack(
            StackName=STACK, TemplateBody=put_up(cloud), Parameters=given, Capabilities=capabilities
        )
        # The emulator speaks no TLS, which the policy rightly refuses.
        cloud.client("s3").delete_bucket_policy(Bucket=f"{STACK}-lake-123456789012-{REGION}")
        settings = Settings(f"s3://{STACK}-lake-123456789012-{REGION}/lake", "", (), work_folder=laptop.work, aws=Aws("shop_prod_", STACK))
        copy = laptop.work / "copy"
        shutil.copytree(laptop.work / "model", copy)
        Registry(settings).register(open_artifact(copy), card())
        yield cloud


def execute(cloud: Cloud, output: Path, **parameters: Any) -> str:
    lake = f"s3://{STACK}-lake-123456789012-{REGION}/lake"
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in (*cloud.environment.items(), ("SALES_TECH_DATABASE_PREFIX", "shop_prod_"), ("SALES_TECH_WORKGROUP", STACK)):
            patch.setenv(variable, value)
        papermill.execute_notebook(
            str(NOTEBOOK),
            str(output),
            {"lake": lake, "stack": STACK, **parameters},
            kernel_name="python3",
            progress_bar=False,
            cwd=str(output.parent),
        )
    return shown(output)


@pytest.mark.slow(40)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_on_aws_nothing_is_served_that_nobody_approved(cloud: Cloud, outlook: Outlook, tmp_path: Path) -> None:
    sagemaker = cloud.client("sagemaker")
    told = execute(cloud, tmp_path / "first.ipynb", wait_minutes=0)
    assert "PendingManualApproval" in told
    assert "Nothing was deployed." in told
    assert sagemaker.list_endpoints()["Endpoints"] == []

    # The emulator runs no container: it is told what ours would answer.
    question = sample_question(outlook)
    assert question is not None
    body = json.dumps(ask_in_process(outlook, question))
    result = {"region": REGION, "results": [{"Body": body, "ContentType": "application/json"}]}
    where = f"{cloud.endpoint}/moto-api/static/sagemaker/endpoint-results"
    request = urllib.request.Request(where, json.dumps(result).encode(), {"Content-Type": "application/json"})  # noqa: S310
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310
    told = execute(cloud, tmp_path / "second.ipynb", approve=True)
    assert "the endpoint answers as this process does: True" in told
    assert "status='InService'" in told
    (version,) = sagemaker.list_model_packages(ModelPackageGroupName=f"{STACK}-planner")["ModelPackageSummaryList"]
    assert version["ModelApprovalStatus"] == "Approved"
    (endpoint,) = sagemaker.list_endpoints()["Endpoints"]
    assert endpoint["EndpointName"] == f"{STACK}-planner"
    (model,) = sagemaker.list_models()["Models"]
    container = sagemaker.describe_model(ModelName=model["ModelName"])["PrimaryContainer"]
    assert container["Image"].endswith(":2026-03-01")
    assert container["ModelDataUrl"].endswith("/lake/models/erp_br/v0001/model.tar.gz")
