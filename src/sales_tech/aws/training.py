"""Training jobs: a planner is fitted on a machine of SageMaker's, on the input that lies in the lake's bucket."""

from __future__ import annotations

import hashlib
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sales_tech.aws.connection import Connection, bucket_and_key, in_words
from sales_tech.aws.extra import installed_packages
from sales_tech.aws.stack import Stack
from sales_tech.errors import SettingsError

CHANNEL, CHAMPION = "training", "champion"
# The SDK tells its makers of each call unless its settings say no, and reads settings of its own from the machine unless it is given some.
_SDK_SETTINGS = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}


@dataclass(frozen=True)
class Machine:
    """What a job runs on and for how long at most: `spot` takes spare machines, waited for `wait_hours` at most, for a third of the price.

    A job that loses its spare machine begins anew. It keeps no checkpoints, since a fit takes minutes.
    """

    instance_type: str = "ml.m5.xlarge"
    volume_gb: int = 30
    hours: float = 1.0
    spot: bool = False
    wait_hours: float = 4.0


@dataclass(frozen=True)
class StoredModel:
    """A model.tar.gz in the lake's bucket, and the digest that stands for it."""

    archive: str
    digest: str


@dataclass(frozen=True)
class Training:
    """A job: its status in SageMaker's words, the archive of its model once there is one, and why it failed."""

    name: str
    status: str
    archive: str | None = None
    reason: str | None = None


def upload_input(stack: Stack, source: str, folder: Path) -> str:
    """Put what a planner learns from into the lake's bucket, by its content, so that the same input lies there once; its address."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise SettingsError(f"{folder} holds no file; expected a source's past, as sales_tech.models.exported writes it")
    content = hashlib.sha256()
    for path in files:
        content.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with path.open("rb") as file:
            content.update(hashlib.file_digest(file, "sha256").digest())
    place = f"{stack.output('TrainingInput')}/{source}/{content.hexdigest()[:16]}/"
    bucket, key = bucket_and_key(place)
    with in_words(f"writing {place}"):
        for path in files:
            stack.connection.client("s3").upload_file(str(path), bucket, f"{key}/{path.relative_to(folder).as_posix()}")
    return place


def start_training(
    stack: Stack,
    source: str,
    image_tag: str,
    data: str,
    *,
    champion: StoredModel | None = None,
    hyperparameters: dict[str, Any] | None = None,
    machine: Machine | None = None,
    tags: dict[str, str] | None = None,
    wait: bool = False,
) -> Training:
    """Start a job on the input of a source, the address that `upload_input` gave, and say how it stands.

    The new model is tried against the `champion`, the one in use; where it is not better the job fails and says so, and where `wait` is
    given it is handed back with that reason. Hyperparameters reach the container as JSON texts. Raises SettingsError where the SDK is not
    installed, the input or the champion lies where the job may not read or a wait is shorter than the run, and LakeError where AWS refuses.
    """
    machine = machine or Machine()
    if machine.spot and machine.wait_hours < machine.hours:
        raise SettingsError(
            f"a job may wait {machine.wait_hours} hours for spare machines and run {machine.hours}; expected wait_hours, in which the run "
            "is counted too, to be no less than hours"
        )
    outputs, given = stack.outputs, stack.parameters
    if not data.startswith(f"{outputs['TrainingInput']}/"):
        raise SettingsError(f"the input is {data}; expected an address below {outputs['TrainingInput']}/, which training may read")
    channels, learning = {CHANNEL: data}, dict(hyperparameters or {})
    if champion is not None:
        models = f"s3://{outputs['LakeBucket']}/lake/models/"
        if not (champion.archive.startswith(models) and champion.archive.endswith("/model.tar.gz")):
            raise SettingsError(f"the champion is {champion.archive}; expected a model.tar.gz below {models}, which training may read")
        channels[CHAMPION], learning["champion_digest"] = champion.archive, champion.digest
    with installed_packages(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of names that the SDK itself still imports
        from sagemaker.core.helper.session_helper import Session
        from sagemaker.core.shapes import Tag
        from sagemaker.core.training.configs import Compute, InputData, Networking, OutputDataConfig, StoppingCondition
        from sagemaker.core.utils.exceptions import FailedStatusError
        from sagemaker.train.model_trainer import ModelTrainer

        subnets, groups = (list(filter(None, given.get(name, "").split(","))) for name in ("SubnetIds", "SecurityGroupIds"))
        seconds, most = (round(3600 * hours) for hours in (machine.hours, machine.wait_hours))
        with in_words(f"starting a training job of {source}"):
            trainer = ModelTrainer(
                sagemaker_session=Session(boto_session=stack.connection.session, sagemaker_config=_SDK_SETTINGS),
                role=outputs["TrainingRoleArn"],
                training_image=f"{outputs['RepositoryUri']}:{image_tag}",
                base_job_name=f"{stack.name}-training-{source.replace('_', '-')}",
                compute=Compute(
                    instance_type=machine.instance_type,
                    instance_count=1,
                    volume_size_in_gb=machine.volume_gb,
                    volume_kms_key_id=outputs["KeyArn"],
                    enable_managed_spot_training=machine.spot,
                ),
                # The container asks nobody: SageMaker itself fetches the input and takes the model away.
                networking=Networking(subnets=subnets or None, security_group_ids=groups or None, enable_network_isolation=True),
                stopping_condition=StoppingCondition(
                    max_runtime_in_seconds=seconds, max_wait_time_in_seconds=most if machine.spot else None
                ),
                output_data_config=OutputDataConfig(
                    s3_output_path=outputs["TrainingOutput"], kms_key_id=outputs["KeyArn"], compression_type="GZIP"
                ),
                hyperparameters=learning,
                tags=[Tag(key=key, value=value) for key, value in {"source": source, **(tags or {})}.items()],
            )
            with suppress(FailedStatusError):  # of a job that was waited for: its reason is told as that of any other
                trainer.train(
                    input_data_config=[InputData(channel_name=name, data_source=place) for name, place in channels.items()],
                    wait=wait,
                    logs=wait,
                )
    # The SDK has no public name for the job that it just started.
    return training(stack.connection, str(trainer._latest_training_job.training_job_name))


def training(connection: Connection, name: str) -> Training:
    """How a job stands; LakeError where there is none of that name."""
    with in_words(f"looking at the training job {name}"):
        found = connection.client("sagemaker").describe_training_job(TrainingJobName=name)
    archive = found.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    return Training(name, found["TrainingJobStatus"], archive, found.get("FailureReason") or None)
