"""Training jobs, started by the SageMaker SDK against the emulator, which runs none of them."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.aws.conftest import Deployed

from sales_tech.aws.connection import Connection
from sales_tech.aws.stack import Stack
from sales_tech.aws.training import Machine, StoredModel, start_training, training, upload_input
from sales_tech.errors import LakeError, SettingsError
from sales_tech.models.job import _OWN, CHAMPION, TRAINING


@pytest.fixture(autouse=True)
def _nobody_else_is_asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The SDK checks roles by calls that the emulator does not know, and must look for no address but the emulator's."""
    monkeypatch.setenv("SAGEMAKER_VALIDATE_ROLE", "false")
    resolve, asked = socket.getaddrinfo, set()

    def resolved(host: Any, *rest: Any, **named: Any) -> Any:
        asked.add(host)
        if host != "127.0.0.1":
            raise OSError(f"{host} is not the emulator")
        return resolve(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    yield
    for thread in threading.enumerate():  # what the SDK sends to its makers is sent from threads, whose errors nobody sees
        if thread is not threading.current_thread() and "telemetry" in thread.name:
            thread.join(timeout=10)
    assert asked <= {"127.0.0.1"}


def job(deployed: Deployed, name: str) -> Any:
    return deployed.cloud.client("sagemaker").describe_training_job(TrainingJobName=name)


def data(deployed: Deployed) -> str:
    return f"{deployed.stack.output('TrainingInput')}/erp_br/0123/"


def test_the_same_input_lies_in_the_bucket_once(deployed: Deployed, tmp_path: Path) -> None:
    outputs, s3 = deployed.stack.outputs, deployed.cloud.client("s3")
    s3.delete_bucket_policy(Bucket=outputs["LakeBucket"])  # the emulator speaks no TLS, which the policy rightly refuses
    (tmp_path / "about.json").write_text("{}")
    (tmp_path / "daily.parquet").write_bytes(b"1")
    first = upload_input(deployed.stack, "erp_br", tmp_path)
    assert first.startswith(f"{outputs['TrainingInput']}/erp_br/")
    assert upload_input(deployed.stack, "erp_br", tmp_path) == first
    (tmp_path / "daily.parquet").write_bytes(b"2")
    second = upload_input(deployed.stack, "erp_br", tmp_path)
    bucket = outputs["LakeBucket"]
    kept = {each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix="training/input/")["Contents"]}
    places = [place.removeprefix(f"s3://{bucket}/") for place in (first, second)]
    assert kept == {f"{place}{name}" for place in places for name in ("about.json", "daily.parquet")}
    assert s3.get_object(Bucket=bucket, Key=f"{places[1]}daily.parquet")["Body"].read() == b"2"


def test_an_empty_input_is_refused(deployed: Deployed, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"{tmp_path} holds no file; expected a source's past"):
        upload_input(deployed.stack, "erp_br", tmp_path)


def test_an_input_that_training_may_not_read_is_refused(deployed: Deployed) -> None:
    with pytest.raises(
        SettingsError, match=r"the input is s3://elsewhere/; expected an address below s3://shop-prod-lake-\S+/training/input/"
    ):
        start_training(deployed.stack, "erp_br", "1", "s3://elsewhere/")


def test_a_job_reads_its_input_and_writes_its_model_where_the_stack_says(deployed: Deployed) -> None:
    outputs = deployed.stack.outputs
    learning = {"horizon": 60, "country": "BR"}
    started = start_training(deployed.stack, "erp_br", "2026-03-01", data(deployed), hyperparameters=learning)
    found = job(deployed, started.name)
    assert started.name.startswith("shop-prod-training-erp-br-")
    assert len(started.name) <= 63
    assert found["RoleArn"] == outputs["TrainingRoleArn"]
    assert found["AlgorithmSpecification"]["TrainingImage"] == f"{outputs['RepositoryUri']}:2026-03-01"
    (channel,) = found["InputDataConfig"]
    assert channel["ChannelName"] == TRAINING
    bucket = outputs["LakeBucket"]
    assert channel["DataSource"]["S3DataSource"]["S3Uri"] == f"s3://{bucket}/training/input/erp_br/0123/"
    assert channel["DataSource"]["S3DataSource"]["S3DataType"] == "S3Prefix"
    assert found["OutputDataConfig"]["S3OutputPath"] == f"s3://{bucket}/training/output"
    assert found["HyperParameters"] == {"horizon": "60", "country": "BR"}
    assert started.archive == found["ModelArtifacts"]["S3ModelArtifacts"]


def test_a_new_model_is_tried_against_the_one_in_use(deployed: Deployed) -> None:
    place = f"s3://{deployed.stack.output('LakeBucket')}/lake/models/erp_br/v0001/model.tar.gz"
    champion = StoredModel(place, f"sha256:{64 * '5'}")
    found = job(deployed, start_training(deployed.stack, "erp_br", "1", data(deployed), champion=champion).name)
    channels = {each["ChannelName"]: each["DataSource"]["S3DataSource"]["S3Uri"] for each in found["InputDataConfig"]}
    assert channels == {TRAINING: data(deployed), CHAMPION: place}
    assert found["HyperParameters"] == {"champion_digest": champion.digest}
    assert set(found["HyperParameters"]) <= set(_OWN)


def test_a_champion_that_training_may_not_read_is_refused(deployed: Deployed) -> None:
    with pytest.raises(SettingsError, match=r"the champion is s3://elsewhere/model\.tar\.gz; expected a model\.tar\.gz below"):
        start_training(deployed.stack, "erp_br", "1", data(deployed), champion=StoredModel("s3://elsewhere/model.tar.gz", "sha256:0"))


def test_everything_is_encrypted_and_the_container_has_no_network(deployed: Deployed) -> None:
    key = deployed.stack.output("KeyArn")
    found = job(deployed, start_training(deployed.stack, "erp_br", "1", data(deployed)).name)
    assert found["OutputDataConfig"]["KmsKeyId"] == found["ResourceConfig"]["VolumeKmsKeyId"] == key
    assert found["EnableNetworkIsolation"] is True


def test_a_job_is_on_demand_unless_told_otherwise(deployed: Deployed) -> None:
    found = job(deployed, start_training(deployed.stack, "erp_br", "1", data(deployed)).name)
    assert found["EnableManagedSpotTraining"] is False
    assert found["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}
    assert (found["ResourceConfig"]["InstanceType"], found["ResourceConfig"]["InstanceCount"]) == ("ml.m5.xlarge", 1)


def test_a_spot_job_waits_for_a_machine_only_so_long(deployed: Deployed) -> None:
    machine = Machine("ml.m5.2xlarge", volume_gb=50, hours=0.5, spot=True, wait_hours=2)
    found = job(deployed, start_training(deployed.stack, "erp_br", "1", data(deployed), machine=machine).name)
    assert found["EnableManagedSpotTraining"] is True
    assert found["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800, "MaxWaitTimeInSeconds": 7200}
    assert (found["ResourceConfig"]["InstanceType"], found["ResourceConfig"]["VolumeSizeInGB"]) == ("ml.m5.2xlarge", 50)
    assert "CheckpointConfig" not in found or not found["CheckpointConfig"]


def test_a_spot_job_that_may_wait_for_less_than_its_run_is_refused(deployed: Deployed) -> None:
    with pytest.raises(SettingsError, match=r"may wait 1 hours .* and run 2; expected wait_hours"):
        start_training(deployed.stack, "erp_br", "1", data(deployed), machine=Machine(hours=2, spot=True, wait_hours=1))


def test_a_job_bears_its_source_and_the_given_tags(deployed: Deployed) -> None:
    name = start_training(deployed.stack, "erp_br", "1", data(deployed), tags={"asked-by": "planning"}).name
    tags = deployed.cloud.client("sagemaker").list_tags(ResourceArn=job(deployed, name)["TrainingJobArn"])["Tags"]
    assert {each["Key"]: each["Value"] for each in tags} == {"source": "erp_br", "asked-by": "planning"}


def test_a_job_that_is_not_there_is_told(deployed: Deployed) -> None:
    with pytest.raises(LakeError, match="looking at the training job nobody failed"):
        training(deployed.stack.connection, "nobody")


def test_a_job_that_is_waited_for_and_fails_is_told_with_its_reason(deployed: Deployed) -> None:
    def fail(parsed: dict[str, Any], **_: Any) -> None:
        parsed |= {"TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: the new model is no better"}

    stack = Stack(Connection(), deployed.stack.name)
    stack.connection.session.events.register("after-call.sagemaker.DescribeTrainingJob", fail)
    job = start_training(stack, "erp_br", "1", data(deployed), wait=True)
    assert (job.status, job.reason) == ("Failed", "AlgorithmError: the new model is no better")


def test_a_missing_sdk_is_told_with_the_extra_that_brings_it(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name == "sagemaker" or name.startswith("sagemaker.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("sys.path", [])
    monkeypatch.setattr("sys.meta_path", [finder for finder in sys.meta_path if "Editable" not in type(finder).__name__])
    with pytest.raises(SettingsError, match=r"needs sagemaker, which is not installed; run `pip install 'sales-tech\[aws,sagemaker\]'`"):
        start_training(deployed.stack, "erp_br", "1", data(deployed))


def test_the_address_of_an_input_follows_from_its_names_and_contents(tmp_path: Path) -> None:
    sent: list[tuple[str, str, str]] = []
    client = SimpleNamespace(upload_file=lambda path, bucket, key: sent.append((Path(path).read_text(), bucket, key)))
    stack: Any = SimpleNamespace(output=lambda _: "s3://lake/training/input", connection=SimpleNamespace(client=lambda _: client))

    def put(name: str, **files: str) -> str:
        for path, content in files.items():
            place = tmp_path / name / path.replace("_", "/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content)
        return upload_input(stack, "erp_br", tmp_path / name)

    first = put("first", a="1", b_c="2")
    assert sorted(sent) == [(content, "lake", f"{first.removeprefix('s3://lake/')}{key}") for content, key in (("1", "a"), ("2", "b/c"))]
    assert first.startswith("s3://lake/training/input/erp_br/")
    assert first.endswith("/")
    assert put("again", b_c="2", a="1") == first
    others = [put("swapped", a="2", b_c="1"), put("moved", a="1", c="2"), put("joined", a="12"), put("more", a="1", b_c="2", d="")]
    assert len({first, *others}) == 5
    (tmp_path / "empty" / "folder").mkdir(parents=True)
    with pytest.raises(SettingsError, match="empty holds no file; expected a source's past"):
        upload_input(stack, "erp_br", tmp_path / "empty")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"machine": Machine(hours=2, spot=True, wait_hours=1.9)}, "may wait"),
        ({"machine": Machine(hours=2, spot=True, wait_hours=2), "data": "s3://lake/x"}, "the input is"),
        ({"machine": Machine(hours=2, spot=False, wait_hours=1), "data": "s3://lake/x"}, "the input is"),
        ({"data": "s3://lake/training/input-of-others/"}, "the input is"),
        ({"champion": StoredModel("s3://lake/lake/models-of-others/model.tar.gz", "d")}, "the champion is"),
        ({"champion": StoredModel("s3://lake/lake/models/erp_br/v0001/model.zip", "d")}, "the champion is"),
        ({"champion": StoredModel("s3://lake/lake/models/erp_br/another-model.tar.gz", "d")}, "the champion is"),
    ],
)
def test_what_a_job_could_not_do_is_refused_before_aws_is_asked(given: dict[str, Any], words: str) -> None:
    stack: Any = SimpleNamespace(outputs={"TrainingInput": "s3://lake/training/input", "LakeBucket": "lake"}, parameters={})
    with pytest.raises(SettingsError, match=words):
        start_training(stack, "erp_br", "1", **({"data": "s3://lake/training/input/erp_br/0/"} | given))
