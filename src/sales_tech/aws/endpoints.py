"""The endpoint of a stack: which registered version it serves, how it stands, what it answers.

The endpoint is part of the stack and changed only by its parameters, so that `make deploy` never takes back what was deployed here.
While a new version bakes, the stack's alarms put the old one back; `previous` is for what they do not see.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sales_tech.aws.connection import in_words
from sales_tech.aws.model_packages import APPROVED, ModelPackage, ModelPackages
from sales_tech.aws.stack import Stack
from sales_tech.errors import ModelError


@dataclass(frozen=True)
class EndpointState:
    """An endpoint: its status in SageMaker's words, the archive and the digest that the stack gave it, its last change, why it failed."""

    name: str
    status: str
    archive: str
    digest: str
    changed_at: datetime
    reason: str | None = None


def deploy(stack: Stack, package: ModelPackage, poll: dict[str, int] | None = None) -> bool:
    """Serve a version from the stack's endpoint, which is made where there is none, and wait; False where it served it already.

    ModelError where the version is not approved, its archive lies where the endpoint may not read, or its image is not of the
    stack's repository. LakeError where the change failed and was taken back, by an alarm or otherwise.
    """
    if package.status != APPROVED:
        raise ModelError(f"version {package.version} of {package.source} is {package.status}; expected {APPROVED}: approve it first")
    outputs = stack.outputs
    readable = tuple(f"{place}/" for place in (f"s3://{outputs['LakeBucket']}/lake/models", outputs["TrainingOutput"]))
    if not package.archive.startswith(readable) or not package.archive.endswith("/model.tar.gz"):
        raise ModelError(
            f"the model is {package.archive}; expected a model.tar.gz below {' or '.join(readable)}, which the endpoint may read"
        )
    repository, _, tag = package.image.rpartition(":")
    if repository != outputs["RepositoryUri"]:
        raise ModelError(f"the image is {package.image}; expected {outputs['RepositoryUri']} and a tag: push it there, and register it so")
    return stack.change({"ModelDataUrl": package.archive, "ModelDigest": package.digest, "ModelImageTag": tag}, poll)


def deployed(stack: Stack, packages: ModelPackages) -> ModelPackage | None:
    """The registered version that the stack serves, as it was registered or with newer sales; None where it serves none, or another."""
    given = stack.parameters
    archive, digest, tag = (given.get(name, "") for name in ("ModelDataUrl", "ModelDigest", "ModelImageTag"))

    def is_served(package: ModelPackage) -> bool:
        same = (archive, digest) == (package.archive, package.digest)
        # One model may be registered with several images, as after a fix of the image alone.
        return (same or _has_newer_sales(package, archive)) and tag == package.image.rpartition(":")[2]

    return next(filter(is_served, packages.versions()), None)


def _has_newer_sales(package: ModelPackage, archive: str) -> bool:
    """Whether an archive is a registered version's model that has seen newer sales: it lies below the folder of that one."""
    return archive != package.archive and archive.startswith(package.archive.removesuffix("model.tar.gz"))


def previous(stack: Stack, packages: ModelPackages, reason: str, poll: dict[str, int] | None = None) -> ModelPackage:
    """Serve the newest approved version before the one that is served, and reject that one for a reason; the version that is served now.

    ModelError where no registered version is served, or none of its source was approved before it.
    """
    now = deployed(stack, packages)
    if now is None:
        raise ModelError(f"the stack {stack.name} serves no version of {packages.group}; expected one to go back from")
    earlier = [each for each in packages.versions(APPROVED) if each.version < now.version and each.source == now.source]
    if not earlier:
        raise ModelError(f"no version of {now.source} before {now.version} is approved in {packages.group}; approve one, or deploy another")
    deploy(stack, earlier[0], poll)
    packages.reject(now, reason)
    return earlier[0]


def state(stack: Stack) -> EndpointState:
    """How the endpoint stands; LakeError where the stack has none."""
    name, given = stack.output("EndpointName"), stack.parameters
    with in_words(f"looking at the endpoint {name}"):
        found = stack.connection.client("sagemaker").describe_endpoint(EndpointName=name)
    status, reason = found["EndpointStatus"], found.get("FailureReason") or None
    return EndpointState(name, status, given["ModelDataUrl"], given["ModelDigest"], found["LastModifiedTime"], reason)


def invoke(stack: Stack, body: bytes, content_type: str = "application/json", accept: str = "application/json") -> bytes:
    """What the endpoint answers; LakeError, with its words, where it refuses."""
    name = stack.output("EndpointName")
    with in_words(f"asking the endpoint {name}"):
        client = stack.connection.client("sagemaker-runtime")
        answer: bytes = client.invoke_endpoint(EndpointName=name, Body=body, ContentType=content_type, Accept=accept)["Body"].read()
    return answer
