"""The deployed stack at work: its own queue, function, schedule and buckets, with the built zip and wheel inside."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.infra.conftest import STACK, Deployed
from tests.infra.packaging import ARTIFACTS
from tests.infra.test_emulated_stack import EXECUTION
from tests.support.container import Container, install_wheel
from tests.support.events import cancelled, placed
from tests.support.exports import erp_text, product, sale, store
from tests.support.functions import LambdaRunner, Poller


@pytest.fixture
def reachable(deployed: Deployed) -> Iterator[Deployed]:
    """The stack while its buckets take plain HTTP, which is all that the emulator speaks."""
    s3 = deployed.cloud.client("s3")
    buckets = [deployed.outputs[name] for name in ("LandingBucket", "LakeBucket")]
    policies = {bucket: s3.get_bucket_policy(Bucket=bucket)["Policy"] for bucket in buckets}
    for bucket in buckets:
        s3.delete_bucket_policy(Bucket=bucket)
    yield deployed
    for bucket, policy in policies.items():
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)


def scheduled(stack: Deployed) -> dict[str, Any]:
    """The job that the schedule of the stack would start."""
    found = stack.cloud.client("scheduler").get_schedule(Name=f"{STACK}-night", GroupName=f"{STACK}-night")
    job: dict[str, Any] = json.loads(found["Target"]["Input"].replace("<aws.scheduler.execution-id>", EXECUTION))
    return job


def consume(stack: Deployed, *bodies: str) -> None:
    """Send messages to the stack's queue, and let the zip that was deployed handle them in its own environment."""
    sqs, queue = stack.cloud.client("sqs"), stack.cloud.client("sqs").get_queue_url(QueueName=f"{STACK}-orders")["QueueUrl"]
    for body in bodies:
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    packed = stack.cloud.client("s3").get_object(Bucket=ARTIFACTS, Key="land_orders.zip")["Body"].read()
    function = stack.cloud.client("lambda").get_function(FunctionName=f"{STACK}-land-orders")["Configuration"]
    assert function["CodeSha256"] == base64.b64encode(hashlib.sha256(packed).digest()).decode()
    with LambdaRunner(packed, function["Environment"]["Variables"], stack.cloud) as runner:
        Poller(stack.cloud, queue, runner).drain()


def test_events_and_files_become_gold_by_what_was_deployed(reachable: Deployed, tmp_path: Path) -> None:
    cloud, landing = reachable.cloud, reachable.outputs["LandingBucket"]
    files = {"produtos_1": [product("A")], "lojas_1": [store("L1")], "vendas_1": [sale("P1"), sale("P2")]}
    for name, rows in files.items():
        body = erp_text(name.partition("_")[0], rows).encode("latin-1")
        cloud.client("s3").put_object(Bucket=landing, Key=f"erp_br/{name}.csv", Body=body)
    consume(reachable, json.dumps(placed("P3")), "poison", json.dumps(cancelled("P2")))
    dead = cloud.client("sqs").get_queue_url(QueueName=f"{STACK}-orders-dead")["QueueUrl"]
    (letter,) = cloud.client("sqs").receive_message(QueueUrl=dead, MessageAttributeNames=["All"])["Messages"]
    assert letter["Body"] == "poison"
    assert letter["MessageAttributes"]["reason"]["StringValue"].startswith("not JSON")

    job = scheduled(reachable)
    assert job["AppSpecification"]["ContainerEntrypoint"] == ["sales-tech", "night"]
    container = Container(install_wheel(tmp_path / "image"), tmp_path / "root")
    # What the job has is the machine's; two threads are enough here.
    given = cloud.environment | job["Environment"] | {"SALES_TECH_MEMORY_LIMIT": "1GB", "SALES_TECH_THREADS": "2"}
    done = container.run(*job["AppSpecification"]["ContainerEntrypoint"][1:], **given)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    asked = container.run("query", "select order_id, status from silver.sales order by order_id", "--format", "csv", **given)
    assert asked.stdout == "order_id,status\nP1,sold\nP2,cancelled\nP3,sold\n", asked.stderr
    tables = cloud.client("glue").get_tables(DatabaseName=f"{reachable.outputs['DatabasePrefix']}gold")["TableList"]
    assert {"daily_sales", "kpis_daily", "pipeline_runs"} <= {table["Name"] for table in tables}
