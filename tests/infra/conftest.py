"""One emulator for all tests of the infrastructure, and the stack in it with every condition met."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.infra.packaging import put_up
from tests.support.cloud import REGION, Cloud, running_cloud

STACK = "shop-prod"
PARAMETERS = {
    "ImageTag": "2026-03-01",
    "AlarmEmail": "data@shop.example",
    "SubnetIds": "subnet-1,subnet-2",
    "SecurityGroupIds": "sg-1",
    "OrdersApiUrl": "https://orders.shop.example/v1/orders",
    "JwtIssuer": "https://login.shop.example/",
    "JwtAudience": "orders",
    "ReservedConcurrency": "10",
    "ModelDataUrl": f"s3://{STACK}-lake-123456789012-{REGION}/lake/models/olist/v0001/model.tar.gz",
    "ModelDigest": f"sha256:{64 * '5'}",
    "ModelImageTag": "2026-02-01",
    "EndpointInstanceType": "ml.m5.large",
    "SparkModulesUrl": f"s3://{STACK}-lake-123456789012-{REGION}/modules/sales_tech.gluewheels.zip",
}


@dataclass(frozen=True)
class Resource:
    """What CloudFormation says it made."""

    template: str
    kind: str
    logical: str
    physical: str


@dataclass(frozen=True)
class Deployed:
    """The stack in the emulator."""

    cloud: Cloud
    outputs: dict[str, str]
    resources: list[Resource]

    def physical(self, logical: str) -> str:
        (found,) = (resource.physical for resource in self.resources if resource.logical == logical)
        return found


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    with running_cloud() as cloud:
        yield cloud


@pytest.fixture(scope="session")
def deployed(cloud: Cloud) -> Deployed:
    client = cloud.client("cloudformation")
    parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in PARAMETERS.items()]
    client.create_stack(StackName=STACK, TemplateBody=put_up(cloud), Parameters=parameters, Capabilities=["CAPABILITY_NAMED_IAM"])
    (root,) = client.describe_stacks(StackName=STACK)["Stacks"]
    assert root["StackStatus"] == "CREATE_COMPLETE"
    resources = [*_resources(cloud, STACK, "root")]
    for nested in [*resources]:
        resources += _resources(cloud, nested.physical, nested.logical.lower())
    return Deployed(cloud, {each["OutputKey"]: each["OutputValue"] for each in root["Outputs"]}, resources)


def _resources(cloud: Cloud, stack: str, template: str) -> list[Resource]:
    found = cloud.client("cloudformation").list_stack_resources(StackName=stack)["StackResourceSummaries"]
    # moto lists what a condition left out as well, without a physical id.
    made = [each for each in found if each.get("PhysicalResourceId")]
    return [Resource(template, each["ResourceType"], each["LogicalResourceId"], each["PhysicalResourceId"]) for each in made]
