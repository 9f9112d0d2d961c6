"""The endpoint of the stack: made, changed and put back by the stack's parameters alone, in the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.stub import Stubber
from tests.aws.conftest import Deployed

from sales_tech.aws import endpoints
from sales_tech.aws.connection import Connection
from sales_tech.aws.model_packages import APPROVED, REJECTED, ModelPackage, ModelPackages
from sales_tech.aws.stack import Stack
from sales_tech.errors import LakeError, ModelError

POLL = {"Delay": 0, "MaxAttempts": 60}


@pytest.fixture
def stack(deployed: Deployed) -> Stack:
    return deployed.stack


@pytest.fixture
def packages(stack: Stack) -> Iterator[ModelPackages]:
    """The stack's group, without versions before and after."""
    found = ModelPackages(stack.connection, stack.output("ModelGroup"))
    yield found
    for package in found.versions():
        stack.connection.client("sagemaker").delete_model_package(ModelPackageName=package.arn)


def registered(stack: Stack, packages: ModelPackages, number: int, approve: bool = True, **other: str) -> ModelPackage:
    outputs = stack.outputs
    given = {
        "source": "olist",
        "archive": f"s3://{outputs['LakeBucket']}/lake/models/olist/v{number:04d}/model.tar.gz",
        "image": f"{outputs['RepositoryUri']}:2026-02-{number:02d}",
        "digest": f"sha256:{number:064x}",
    }
    return packages.register(**{**given, **other}, status="Approved" if approve else "PendingManualApproval")


def served(deployed: Deployed) -> Any:
    """Name of the endpoint, its variant's configuration, and the container of the model behind it."""
    sagemaker = deployed.cloud.client("sagemaker")
    (endpoint,) = sagemaker.list_endpoints()["Endpoints"]
    config = sagemaker.describe_endpoint(EndpointName=endpoint["EndpointName"])["EndpointConfigName"]
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    return endpoint["EndpointName"], variant, sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]


@pytest.mark.slow(40)
def test_versions_are_deployed_one_after_the_other_and_taken_back(deployed: Deployed, stack: Stack, packages: ModelPackages) -> None:
    first, second = (registered(stack, packages, number) for number in (1, 2))
    third = registered(stack, packages, 3, approve=False)
    with pytest.raises(LakeError, match="the stack shop-prod has no output EndpointName"):
        endpoints.state(stack)

    assert endpoints.deploy(stack, first, POLL) is True
    name, variant, container = served(deployed)
    assert (name, variant["VariantName"]) == ("shop-prod-planner", "planner")
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 3072, "MaxConcurrency": 5}
    assert "InstanceType" not in variant
    told = {"SALES_TECH_MODEL_DIGEST": first.digest, "SALES_TECH_MOST_ANSWER_BYTES": "4000000"}
    assert container == {"Image": first.image, "ModelDataUrl": first.archive, "Environment": told}
    assert stack.parameters["LogRetentionDays"] == "90", "what is not named keeps its value"
    now = endpoints.state(stack)
    assert (now.name, now.status, now.archive, now.digest, now.reason) == (name, "InService", first.archive, first.digest, None)

    assert endpoints.deploy(stack, first, POLL) is False, "nothing was to be done"
    with pytest.raises(ModelError, match=f"version {third.version} of olist is PendingManualApproval; expected Approved"):
        endpoints.deploy(stack, third, POLL)

    assert endpoints.deploy(stack, second, POLL) is True
    assert served(deployed)[2]["Environment"]["SALES_TECH_MODEL_DIGEST"] == second.digest

    assert endpoints.previous(stack, packages, "answers nonsense", POLL).arn == first.arn
    assert served(deployed)[2]["Environment"]["SALES_TECH_MODEL_DIGEST"] == first.digest
    assert (packages.package(first.arn).status, packages.package(second.arn).status) == (APPROVED, REJECTED)
    with pytest.raises(ModelError, match=f"no version of olist before {first.version} is approved"):
        endpoints.previous(stack, packages, "worse still", POLL)
    assert packages.package(first.arn).status == APPROVED, "what is served is not rejected for nothing"
    assert endpoints.invoke(stack, b"{}") is not None


@pytest.mark.slow(40)
def test_of_one_model_in_two_images_that_version_is_served_whose_image_is(stack: Stack, packages: ModelPackages) -> None:
    first = registered(stack, packages, 4)
    second = registered(stack, packages, 4, image=f"{stack.output('RepositoryUri')}:2026-02-05")
    assert (first.archive, first.digest) == (second.archive, second.digest)
    endpoints.deploy(stack, second, POLL)
    assert endpoints.deployed(stack, packages) == second
    assert endpoints.previous(stack, packages, "its image does not start", POLL) == first
    assert endpoints.deployed(stack, packages) == first
    with pytest.raises(ModelError, match=f"no version of olist before {first.version} is approved"):
        endpoints.previous(stack, packages, "worse still", POLL)


def test_a_stack_that_serves_nothing_registered_has_nothing_to_go_back_from(stack: Stack, packages: ModelPackages) -> None:
    assert endpoints.deployed(stack, packages) is None
    with pytest.raises(ModelError, match="the stack shop-prod serves no version of shop-prod-planner"):
        endpoints.previous(stack, packages, "no reason", POLL)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (
            {"archive": "s3://elsewhere/lake/models/olist/v0001/model.tar.gz"},
            r"the model is s3://elsewhere\S+; expected a model\.tar\.gz below",
        ),
        ({"image": "docker.io/somebody/planner:1"}, r"the image is docker\.io/somebody/planner:1; expected \S+ and a tag"),
    ],
)
def test_what_the_endpoint_may_not_read_is_refused_before_the_stack_is_touched(
    stack: Stack, packages: ModelPackages, other: dict[str, str], words: str
) -> None:
    before = stack.parameters
    with pytest.raises(ModelError, match=words):
        endpoints.deploy(stack, registered(stack, packages, 9, **other), POLL)
    assert stack.parameters == before


def test_a_stack_that_is_not_there_is_told(deployed: Deployed) -> None:
    with pytest.raises(LakeError, match="there is no stack nowhere in sa-east-1"):
        _ = Stack(Connection(), "nowhere").outputs


def test_a_change_that_was_taken_back_is_told_with_the_first_reason_of_the_nested_stack(deployed: Deployed) -> None:
    connection, moment = Connection(), datetime(2026, 3, 1, tzinfo=UTC)
    root, nested = (f"arn:aws:cloudformation:sa-east-1:123456789012:stack/{name}/1" for name in ("shop", "shop-Endpoint-1"))

    def told(status: str) -> Any:
        parameters = [{"ParameterKey": name, "ParameterValue": "1"} for name in ("ImageTag", "ModelDigest")]
        return {"Stacks": [{"StackName": "shop", "CreationTime": moment, "StackStatus": status, "Parameters": parameters}]}

    def event(stack: str, logical: str, kind: str, physical: str, status: str, reason: str = "") -> Any:
        given = {"StackId": stack, "EventId": "1", "StackName": "shop", "Timestamp": moment, "LogicalResourceId": logical}
        return {**given, "ResourceType": kind, "PhysicalResourceId": physical, "ResourceStatus": status, "ResourceStatusReason": reason}

    kind, failed = "AWS::CloudFormation::Stack", "UPDATE_FAILED"
    of_root = [
        event(root, "shop", kind, root, "UPDATE_ROLLBACK_IN_PROGRESS"),
        event(root, "Models", kind, nested, failed, "Resource update cancelled"),
        event(root, "Endpoint", kind, nested, failed, "Embedded stack was not successfully updated"),
        event(root, "shop", kind, root, "UPDATE_IN_PROGRESS"),
        event(root, "Storage", kind, "other", failed, "of an earlier change"),
    ]
    of_nested = [event(nested, "Endpoint", "AWS::SageMaker::Endpoint", "e", failed, "alarm shop-endpoint-failures rang")]
    client = connection.client("cloudformation")
    with Stubber(client) as stub:
        stub.add_response("describe_stacks", told("UPDATE_COMPLETE"))
        kept = [{"ParameterKey": "ModelDigest", "ParameterValue": "2"}, {"ParameterKey": "ImageTag", "UsePreviousValue": True}]
        expected = {"StackName": "shop", "UsePreviousTemplate": True, "Parameters": kept, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
        stub.add_response("update_stack", {}, expected)
        stub.add_response("describe_stacks", told("UPDATE_ROLLBACK_COMPLETE"))
        stub.add_response("describe_stacks", told("UPDATE_ROLLBACK_COMPLETE"))
        stub.add_response("describe_stack_events", {"StackEvents": of_root}, {"StackName": "shop"})
        stub.add_response("describe_stack_events", {"StackEvents": of_nested}, {"StackName": nested})
        words = r"the stack shop is UPDATE_ROLLBACK_COMPLETE: Endpoint: alarm shop-endpoint-failures rang; its old parameters hold"
        with pytest.raises(LakeError, match=words):
            Stack(connection, "shop").change({"ModelDigest": "2"}, POLL)
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("UPDATE_IN_PROGRESS", "is still UPDATE_IN_PROGRESS and is no longer waited for; CloudFormation goes on by itself"),
        ("UPDATE_ROLLBACK_FAILED", "gives no reason; it could not be put back either.*continue-update-rollback --stack-name shop"),
        ("UPDATE_COMPLETE", None),
    ],
)
def test_a_change_that_is_not_taken_back_is_not_said_to_be(deployed: Deployed, status: str, words: str | None) -> None:
    connection, moment = Connection(), datetime(2026, 3, 1, tzinfo=UTC)

    def told(status: str) -> Any:
        return {"Stacks": [{"StackName": "shop", "CreationTime": moment, "StackStatus": status}]}

    with Stubber(connection.client("cloudformation")) as stub:
        stub.add_response("describe_stacks", told("UPDATE_COMPLETE"))
        stub.add_response("update_stack", {})
        # The one look that is allowed here finds it at work, or failed; the one after that tells how it stands.
        stub.add_response("describe_stacks", told(status if status.endswith("FAILED") else "UPDATE_IN_PROGRESS"))
        stub.add_response("describe_stacks", told(status))
        if status.endswith("FAILED"):
            stub.add_response("describe_stack_events", {"StackEvents": []})
        change = partial(Stack(connection, "shop").change, {"ModelDigest": "2"}, {"Delay": 0, "MaxAttempts": 1})
        if words is None:
            assert change() is True
        else:
            with pytest.raises(LakeError, match=words):
                change()
        stub.assert_no_pending_responses()


class Shelf:
    """A stack that takes what it is told, and the versions of its group, the newest first."""

    name, group = "shop", "shop-planner"
    outputs = {"LakeBucket": "lake", "TrainingOutput": "s3://lake/training/output", "RepositoryUri": "account/shop"}  # noqa: RUF012

    def __init__(self, *packages: ModelPackage) -> None:
        self.packages = sorted(packages, key=lambda package: -package.version)
        self.parameters: dict[str, str] = {}
        self.log: list[str] = []

    def change(self, changed: dict[str, str], poll: dict[str, int] | None) -> bool:
        assert poll == POLL
        self.log.append(f"served {changed['ModelDigest']}")
        if changed["ModelDigest"] == "broken":
            raise LakeError("taken back")
        known = self.parameters == changed
        self.parameters = changed
        return not known

    def versions(self, status: str | None = None) -> list[ModelPackage]:
        return [package for package in self.packages if status in (None, package.status)]

    def reject(self, package: ModelPackage, reason: str) -> None:
        self.log.append(f"rejected {package.digest}: {reason}")


def version(number: int, status: str = APPROVED, **other: Any) -> ModelPackage:
    given = {
        "source": "olist",
        "archive": f"s3://lake/lake/models/olist/{number}/model.tar.gz",
        "image": "account/shop:a",
        "digest": f"d{number}",
    }
    return ModelPackage(arn=f"arn {number}", version=number, status=status, figures={}, **(given | other))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({}, None),
        ({"archive": "s3://lake/training/output/job/model.tar.gz"}, None),
        ({"archive": "s3://lake/training/output-of-others/job/model.tar.gz"}, "the model is"),
        ({"archive": "s3://lake/lake/models-of-others/1/model.tar.gz"}, "the model is"),
        ({"archive": "s3://lake/lake/models/olist/1/model.zip"}, "the model is"),
        ({"archive": "s3://lake/lake/models/olist/1/another-model.tar.gz"}, "the model is"),
        ({"image": "account/shop-of-others:a"}, "the image is"),
        ({"image": "account/shop"}, "the image is"),
        ({"status": REJECTED}, "version 1 of olist is Rejected"),
        ({"status": "PendingManualApproval"}, "version 1 of olist is PendingManualApproval"),
    ],
)
def test_only_an_approved_archive_of_the_lake_or_of_a_training_job_with_the_stack_s_image_is_served(
    other: dict[str, Any], words: str | None
) -> None:
    stack: Any = Shelf()
    if words is not None:
        with pytest.raises(ModelError, match=words):
            endpoints.deploy(stack, version(1, **other), POLL)
        assert stack.log == []
        return
    package = version(1, **other)
    assert [endpoints.deploy(stack, package, POLL) for _ in range(2)] == [True, False]
    assert stack.parameters == {"ModelDataUrl": package.archive, "ModelDigest": "d1", "ModelImageTag": "a"}


def test_one_goes_back_to_the_newest_approved_version_of_the_source_before_the_one_that_is_served() -> None:
    served = version(6)
    stack: Any = Shelf(version(1), version(2), version(3, REJECTED), version(4, source="erp_br"), version(5, "Pending"), served, version(7))
    stack.parameters = {"ModelDataUrl": served.archive, "ModelDigest": served.digest, "ModelImageTag": "a"}
    assert endpoints.deployed(stack, stack) == served
    assert endpoints.previous(stack, stack, "worse", POLL) == version(2)
    assert stack.log == ["served d2", "rejected d6: worse"], "nothing is rejected before another one is served"
    for changed in ({"ModelDataUrl": "s3://lake/other"}, {"ModelDigest": "d"}, {"ModelImageTag": "b"}):
        stack.parameters = {"ModelDataUrl": served.archive, "ModelDigest": served.digest, "ModelImageTag": "a"} | changed
        assert endpoints.deployed(stack, stack) is None
        with pytest.raises(ModelError, match="the stack shop serves no version of shop-planner; expected one to go back from"):
            endpoints.previous(stack, stack, "worse", POLL)
    broken: Any = Shelf(version(1, digest="broken"), served)
    broken.parameters = {"ModelDataUrl": served.archive, "ModelDigest": served.digest, "ModelImageTag": "a"}
    with pytest.raises(LakeError, match="taken back"):
        endpoints.previous(broken, broken, "worse", POLL)
    assert broken.log == ["served broken"], "what is still served stays approved"


def test_an_endpoint_is_asked_in_the_format_that_is_named_and_tells_why_it_failed() -> None:
    asked: list[dict[str, Any]] = []

    def invoke_endpoint(**given: Any) -> Any:
        asked.append(given)
        return {"Body": SimpleNamespace(read=lambda: b"answer")}

    moment = datetime(2026, 3, 1, tzinfo=UTC)
    told = {"EndpointStatus": "Failed", "FailureReason": "no room", "LastModifiedTime": moment}
    client = SimpleNamespace(invoke_endpoint=invoke_endpoint, describe_endpoint=lambda EndpointName: told | {"asked": EndpointName})
    stack: Any = SimpleNamespace(
        output=lambda name: f"the {name}",
        parameters={"ModelDataUrl": "s3://a", "ModelDigest": "d"},
        connection=SimpleNamespace(client=lambda _: client),
    )
    assert endpoints.invoke(stack, b"x") == endpoints.invoke(stack, b"y", "text/csv", "*/*") == b"answer"
    assert asked == [
        {"EndpointName": "the EndpointName", "Body": b"x", "ContentType": "application/json", "Accept": "application/json"},
        {"EndpointName": "the EndpointName", "Body": b"y", "ContentType": "text/csv", "Accept": "*/*"},
    ]
    assert endpoints.state(stack) == endpoints.EndpointState("the EndpointName", "Failed", "s3://a", "d", moment, "no room")


def test_what_a_stack_of_older_templates_does_not_tell_is_named_with_what_to_do(stack: Stack) -> None:
    with pytest.raises(LakeError, match="the stack shop-prod has no output TrainingBudget; it was deployed from older templates"):
        _ = stack.outputs["TrainingBudget"]
