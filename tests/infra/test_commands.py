"""`make deploy`, `deploy-plan` and `destroy`, by the AWS CLI against the emulator."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.infra.packaging import TEMPLATES, template
from tests.support.cloud import REGION, Cloud, running_cloud
from tests.support.nights import REPOSITORY

STACK = "shop-test"
BUCKET = "shop-artifacts"
needs_cli = pytest.mark.skipif(not shutil.which("aws"), reason="the AWS CLI is not there")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPOSITORY / "infra" / "stack.py"), *arguments]
    plain = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env={**plain, **environment})


@pytest.fixture(scope="module")
def own_cloud() -> Iterator[Cloud]:
    with running_cloud() as cloud:
        cloud.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield cloud


def on(cloud: Cloud, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # moto takes the address of a nested template for a path of its own where it names localhost.
    where = cloud.endpoint.replace("127.0.0.1", "localhost")
    return run(*arguments, **{**cloud.environment, "AWS_ENDPOINT_URL": where, **environment})


@needs_cli
@pytest.mark.slow(40)
def test_a_stack_is_planned_deployed_changed_and_destroyed_though_that_stops_half_way(own_cloud: Cloud, tmp_path: Path) -> None:
    s3 = own_cloud.client("s3")
    deploy = ("--stack", STACK, "--artifacts", BUCKET)

    planned = on(own_cloud, "plan", *deploy)
    assert (planned.returncode, planned.stderr) == (0, "")
    assert [line.split() for line in planned.stdout.splitlines()[:6]] == [
        ["Add", "AWS::CloudFormation::Stack", name] for name in ("Storage", "Ingestion", "Catalog", "Pipeline", "Observability", "Models")
    ]
    assert "| **A month** |" in planned.stdout
    assert own_cloud.client("cloudformation").describe_stacks()["Stacks"] == [], "a plan leaves nothing behind"

    made = on(own_cloud, "deploy", *deploy, "--parameters", "NightSchedule='cron(0 5 * * ? *)' NightFlexMinutes=0")
    assert (made.returncode, made.stderr) == (0, "")
    outputs = dict(line.split() for line in made.stdout.splitlines())
    assert outputs["LakeBucket"] == f"{STACK}-lake-123456789012-{REGION}"
    night = own_cloud.client("scheduler").get_schedule(Name=f"{STACK}-night", GroupName=f"{STACK}-night")
    assert night["State"] == "DISABLED", "there is no image yet"
    assert (night["ScheduleExpression"], night["FlexibleTimeWindow"]["Mode"]) == ("cron(0 5 * * ? *)", "OFF")
    (alarm,) = own_cloud.client("cloudwatch").describe_alarms(AlarmNames=[f"{STACK}-no-successful-night"])["MetricAlarms"]
    assert alarm["ActionsEnabled"] is False
    api = own_cloud.client("apigatewayv2")
    (route,) = api.get_routes(ApiId=api.get_apis()["Items"][0]["ApiId"])["Items"]
    assert route["AuthorizationType"] == "AWS_IAM", "no issuer of tokens was named"
    assert holds(own_cloud, "handler.py") == 2
    assert "EndpointName" not in outputs
    assert own_cloud.client("sagemaker").list_endpoints()["Endpoints"] == [], "no model was named"

    again = on(own_cloud, "plan", *deploy)
    assert (again.returncode, again.stdout.splitlines()[0]) == (0, f"{STACK}: no changes")

    lake = outputs["LakeBucket"]
    s3.delete_bucket_policy(Bucket=lake)  # the emulator speaks no TLS, which the policy rightly refuses
    for number in range(3):
        s3.put_object(Bucket=lake, Key=f"lake/{number}", Body=b"x")
    s3.delete_object(Bucket=lake, Key="lake/0")
    sqs = own_cloud.client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=f"{STACK}-orders-dead")["QueueUrl"], MessageBody="{}")
    sagemaker = own_cloud.client("sagemaker")
    sagemaker.create_model_package(ModelPackageGroupName=outputs["ModelGroup"], ModelApprovalStatus="Rejected")
    refused = on(own_cloud, "destroy", "--stack", STACK)
    assert refused.returncode == 1
    assert refused.stderr == (
        f"{STACK} is not destroyed, since data exists: s3://{lake} holds objects; "
        f"the queue {STACK}-orders-dead holds events; "
        f"the model group {STACK}-planner holds versions. FORCE=1 destroys it for good\n"
    )
    assert s3.list_objects_v2(Bucket=lake)["KeyCount"] == 2

    stopped = on(own_cloud, "destroy", "--stack", STACK, "--force", PATH=failing_at(tmp_path, "delete-model-package-group"))
    assert (stopped.returncode, stopped.stderr) == (1, "`aws sagemaker delete-model-package-group` failed: connection lost\n")
    assert own_cloud.client("cloudformation").describe_stacks()["Stacks"] == []
    assert len(own_cloud.client("secretsmanager").list_secrets()["SecretList"]) == 1
    assert "goes in 30 days" not in stopped.stdout

    again = on(own_cloud, "destroy", "--stack", STACK, "--force")
    assert (again.returncode, again.stderr) == (0, "")
    assert "goes in 30 days" in again.stdout
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == [BUCKET]
    assert own_cloud.client("cloudformation").describe_stacks()["Stacks"] == []
    assert own_cloud.client("secretsmanager").list_secrets()["SecretList"] == []
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    assert sagemaker.list_model_packages()["ModelPackageSummaryList"] == []

    gone = on(own_cloud, "destroy", "--stack", STACK)
    nothing = f"there is no stack {STACK} in this region, and nothing that one left behind; expected one to destroy\n"
    assert (gone.returncode, gone.stderr) == (1, nothing)


def failing_at(folder: Path, command: str) -> str:
    """A PATH on which the AWS CLI loses its connection at a command."""
    cli = folder / "aws"
    cli.write_text(f"""#!/bin/sh
if test "$2" = {command}; then echo "connection lost" >&2; exit 255; fi
exec {shutil.which("aws")} "$@"
""")
    cli.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def holds(cloud: Cloud, name: str) -> int:
    """How many zips that were put up hold a file at their top, and nothing that Python leaves behind."""
    s3 = cloud.client("s3")
    found = 0
    for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        body = s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()
        if zipfile.is_zipfile(io.BytesIO(body)):
            names = zipfile.ZipFile(io.BytesIO(body)).namelist()
            assert [inner for inner in names if "__pycache__" in inner] == []
            found += name in names
    return found


def test_a_missing_cli_is_told(tmp_path: Path) -> None:
    done = run("deploy", "--stack", STACK, "--artifacts", BUCKET, PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("the AWS CLI is not there: expected the command `aws`.")


@needs_cli
def test_missing_credentials_are_told(tmp_path: Path) -> None:
    nowhere = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "a"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "b"),
    }
    done = run("plan", "--stack", STACK, "--artifacts", BUCKET, AWS_REGION=REGION, **nowhere)
    assert done.returncode == 1
    assert done.stderr.startswith("AWS does not know who asks (")
    assert "expected credentials" in done.stderr


@needs_cli
def test_a_missing_region_is_told(tmp_path: Path) -> None:
    done = run("plan", "--stack", STACK, "--artifacts", BUCKET, AWS_CONFIG_FILE=str(tmp_path / "a"))
    assert done.stderr == "no region: name one by REGION=sa-east-1, or by `aws configure set region sa-east-1`\n"


def test_a_plan_that_was_killed_stands_in_the_way_of_none(tmp_path: Path) -> None:
    cli, made = tmp_path / "aws", tmp_path / "made"
    cli.write_text(f"""#!/bin/sh
case "$2" in
describe-stacks) echo '{{"Stacks": [{{"StackStatus": "UPDATE_COMPLETE"}}]}}';;
get-template-summary) echo '{{}}';;
create-change-set) if grep -qx "$6" {made}; then echo "AlreadyExistsException" >&2; exit 255; fi; echo "$6" >> {made};;
describe-change-set) echo '{{"Status": "CREATE_COMPLETE"}}';;
esac
""")
    cli.chmod(0o755)
    made.touch()
    for _ in range(2):
        done = run("plan", "--stack", STACK, "--artifacts", BUCKET, PATH=f"{tmp_path}{os.pathsep}{os.defpath}", AWS_REGION=REGION)
        assert (done.returncode, done.stderr) == (0, "")
    assert len(made.read_text().splitlines()) == 2


def test_a_plan_leaves_a_stack_alone_that_somebody_deployed_meanwhile(tmp_path: Path) -> None:
    cli, said = tmp_path / "aws", tmp_path / "said"
    cli.write_text(f"""#!/bin/sh
echo "$2" >> {said}
case "$2" in
describe-stacks)
  if ! grep -q describe-change-set {said}; then echo "Stack does not exist" >&2; exit 255; fi
  echo '{{"Stacks": [{{"StackStatus": "CREATE_IN_PROGRESS"}}]}}';;
describe-change-set) echo '{{"Status": "CREATE_COMPLETE"}}';;
esac
""")
    cli.chmod(0o755)
    done = run("plan", "--stack", STACK, "--artifacts", BUCKET, PATH=f"{tmp_path}{os.pathsep}{os.defpath}", AWS_REGION=REGION)
    assert (done.returncode, done.stderr) == (0, "")
    assert "delete-change-set" in said.read_text()
    assert "delete-stack" not in said.read_text()


def test_a_plan_is_over_when_the_stack_that_was_made_for_it_is_gone(tmp_path: Path) -> None:
    # `aws cloudformation deploy` takes any stack but one in review for one to be changed, and one that is going can be neither.
    cli, said = tmp_path / "aws", tmp_path / "said"
    cli.write_text(f"""#!/bin/sh
echo "$1 $2 $3" >> {said}
case "$2" in
describe-stacks) echo "Stack does not exist" >&2; exit 255;;
describe-change-set) echo '{{"Status": "CREATE_COMPLETE"}}';;
esac
""")
    cli.chmod(0o755)
    done = run("plan", "--stack", STACK, "--artifacts", BUCKET, PATH=f"{tmp_path}{os.pathsep}{os.defpath}", AWS_REGION=REGION)
    assert (done.returncode, done.stderr) == (0, "")
    assert said.read_text().splitlines()[-2:] == ["cloudformation delete-stack --stack-name", "cloudformation wait stack-delete-complete"]


def test_all_that_the_templates_keep_is_what_a_destroy_takes_away() -> None:
    kept = {
        (resource["Type"], logical)
        for each in TEMPLATES.glob("*.yaml")
        for logical, resource in template(each.stem)["Resources"].items()
        if resource.get("DeletionPolicy", "Delete") != "Delete"
    }
    command = [sys.executable, "-c", "from removal import KEPT; print(sorted(KEPT))"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30, cwd=REPOSITORY / "infra").stdout
    assert told == f"{sorted(kept)}\n"


def test_of_several_stacks_of_a_name_the_last_one_that_left_anything_is_taken_away(tmp_path: Path) -> None:
    # "For deleted stacks, ListStackResources returns resource information for up to 90 days after the stack has been deleted"
    # (CloudFormation API Reference); what a policy kept is DELETE_SKIPPED there.
    cli, said = tmp_path / "aws", tmp_path / "said"
    stacks = [
        {"StackName": name, "StackId": f"id-{name}-{day}", "DeletionTime": f"2026-03-0{day}T02:00:00+00:00"}
        for name, day in ((STACK, 2), (STACK, 3), (STACK, 1), ("shop-other", 4))
    ]
    part = [{"ResourceType": "AWS::CloudFormation::Stack", "LogicalResourceId": "Storage", "ResourceStatus": "DELETE_COMPLETE"}]
    kept = [("AWS::S3::Bucket", "Lake", "lake"), ("AWS::KMS::Key", "Key", "key"), ("AWS::S3::Bucket", "Landing", None)]
    for day, status in ((1, "DELETE_SKIPPED"), (2, "DELETE_SKIPPED"), (3, "DELETE_COMPLETE")):
        (tmp_path / f"id-{STACK}-{day}").write_text(
            json.dumps({"StackResourceSummaries": [{**part[0], "PhysicalResourceId": f"part-{day}"}]})
        )
        resources = [
            {"ResourceType": kind, "LogicalResourceId": logical, "ResourceStatus": status}
            | ({"PhysicalResourceId": f"{physical}-{day}"} if physical else {})
            for kind, logical, physical in kept
        ]
        (tmp_path / f"part-{day}").write_text(json.dumps({"StackResourceSummaries": resources}))
    cli.write_text(f"""#!/bin/sh
echo "$*" >> {said}
case "$2" in
describe-stacks) echo "Stack does not exist" >&2; exit 255;;
list-stacks) echo '{json.dumps({"StackSummaries": stacks})}';;
list-stack-resources) cat {tmp_path}/$4;;
get-queue-url) echo "QueueDoesNotExist" >&2; exit 255;;
list-object-versions) echo '{{}}';;
schedule-key-deletion) echo "An error occurred (KMSInvalidStateException): key-2 is pending deletion." >&2; exit 255;;
esac
""")
    cli.chmod(0o755)
    done = run("destroy", "--stack", STACK, PATH=f"{tmp_path}{os.pathsep}{os.defpath}", AWS_REGION=REGION)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "removed s3://lake-2\nkey-2 goes in 30 days; `aws kms cancel-key-deletion` keeps it\n"
    assert [line for line in said.read_text().splitlines() if "delete-stack" in line] == []


@pytest.mark.parametrize(("ends", "code"), [("UPDATE_COMPLETE", 0), ("UPDATE_ROLLBACK_COMPLETE", 1)])
def test_a_deploy_outlasts_the_hour_that_the_cli_waits(tmp_path: Path, ends: str, code: int) -> None:
    # The CLI looks 120 times, every 30 seconds, and then says that it failed (awscli/customizations/cloudformation/deployer.py); a new
    # model starts, bakes for up to an hour, and the old one goes.
    cli, told = tmp_path / "aws", tmp_path / "told"
    outputs = [{"OutputKey": key, "OutputValue": value} for key, value in (("LakeBucket", "lake"), ("DashboardsWithoutRegion", "a/b, a/c"))]
    cli.write_text(f"""#!/bin/sh
case "$2" in
deploy) echo "Failed to create/update the stack. Run the following command" >&2; exit 255;;
wait) echo "$3" >> {told};;
describe-stacks)
  if test -s {told}; then status={ends}; else status=UPDATE_IN_PROGRESS; fi
  echo '{{"Stacks": [{{"StackStatus": "'$status'", "Outputs": {json.dumps(outputs)}}}]}}';;
esac
""")
    cli.chmod(0o755)
    done = run("deploy", "--stack", STACK, "--artifacts", BUCKET, PATH=f"{tmp_path}{os.pathsep}{os.defpath}", AWS_REGION=REGION)
    assert (done.returncode, told.read_text()) == (code, "stack-update-complete\n")
    shown = ["DashboardsWithoutRegion a/b, a/c", "LakeBucket              lake"]
    assert done.stdout.splitlines() == (shown if code == 0 else [])


@pytest.mark.parametrize("said", ["An error occurred: Stack is in UPDATE_IN_PROGRESS state and can not be updated.", "no"])
def test_another_change_that_goes_on_is_not_taken_for_ones_own(tmp_path: Path, said: str) -> None:
    cli = tmp_path / "aws"
    cli.write_text(f"""#!/bin/sh
case "$2" in
deploy) echo "{said}" >&2; exit 255;;
describe-stacks) echo '{{"Stacks": [{{"StackStatus": "UPDATE_IN_PROGRESS"}}]}}';;
esac
""")
    cli.chmod(0o755)
    done = run("deploy", "--stack", STACK, "--artifacts", BUCKET, PATH=f"{tmp_path}{os.pathsep}{os.defpath}", AWS_REGION=REGION)
    assert (done.returncode, done.stderr) == (1, f"`aws cloudformation deploy` failed: {said}\n")


def test_access_logs_that_come_late_do_not_stop_a_destroy_half_way(tmp_path: Path) -> None:
    # "most log records are delivered within a few hours" of the request (S3 User Guide, server access logging), and so after the look that
    # found the bucket empty.
    cli, told = tmp_path / "aws", tmp_path / "told"
    outputs = [{"OutputKey": key, "OutputValue": value} for key, value in (("LogsBucket", "logs"), ("HashKeySecret", "hash-key"))]
    cli.write_text(f"""#!/bin/sh
echo "$1 $2" >> {told}
case "$2" in
describe-stacks) echo '{{"Stacks": [{{"StackStatus": "UPDATE_COMPLETE", "Outputs": {json.dumps(outputs)}}}]}}';;
get-queue-url) echo "QueueDoesNotExist" >&2; exit 255;;
list-object-versions) echo '{{}}';;
delete-bucket) if test "$(grep -c "$2" {told})" = 1; then echo "An error occurred (BucketNotEmpty)" >&2; exit 255; fi;;
esac
""")
    cli.chmod(0o755)
    done = run("destroy", "--stack", STACK, PATH=f"{tmp_path}{os.pathsep}{os.defpath}", AWS_REGION=REGION)
    assert (done.returncode, done.stderr) == (0, "")
    last = ["s3api list-object-versions", "s3api delete-bucket"] * 2
    assert told.read_text().splitlines()[-5:] == [*last, "secretsmanager delete-secret"]


@pytest.mark.parametrize(
    "denied", ["list-object-versions", "list-model-packages", "get-queue-url", "delete-bucket", "schedule-key-deletion"]
)
def test_what_may_not_be_looked_at_is_not_taken_for_empty_and_what_may_not_go_not_for_gone(tmp_path: Path, denied: str) -> None:
    cli, told = tmp_path / "aws", tmp_path / "told"
    names = {
        "LandingBucket": "landing",
        "ModelGroup": "models",
        "KeyArn": "arn:key/1",
        "HashKeySecret": "hash-key",  # pragma: allowlist secret
    }
    outputs = [{"OutputKey": key, "OutputValue": value} for key, value in names.items()]
    cli.write_text(f"""#!/bin/sh
echo "$2" >> {told}
case "$2" in
{denied}) echo "An error occurred (AccessDenied)" >&2; exit 255;;
describe-stacks) echo '{{"Stacks": [{{"StackStatus": "UPDATE_COMPLETE", "Outputs": {json.dumps(outputs)}}}]}}';;
get-queue-url) echo "QueueDoesNotExist" >&2; exit 255;;
list-model-packages) echo '{{}}';;
esac
""")
    cli.chmod(0o755)
    done = run("destroy", "--stack", STACK, PATH=f"{tmp_path}{os.pathsep}{os.defpath}", AWS_REGION=REGION)
    assert done.returncode == 1
    assert done.stderr.endswith(f" {denied}` failed: An error occurred (AccessDenied)\n")
    asked = told.read_text().splitlines()
    assert ("delete-stack" in asked) == (denied in ("delete-bucket", "schedule-key-deletion"))
    assert "delete-secret" not in asked, "by which a destroy that is begun again knows that there is something to do"


@needs_cli
def test_a_missing_bucket_for_artifacts_is_told(own_cloud: Cloud) -> None:
    done = on(own_cloud, "deploy", "--stack", STACK)
    assert done.stderr.startswith("no bucket for templates and zips; name one of the same region: ARTIFACTS=my-bucket")


@pytest.mark.parametrize("name", ["Shop", "shop_prod", "1shop", "shop--prod", "shop-", "a-name-that-is-far-too-long"])
def test_a_name_that_buckets_cannot_bear_is_told(name: str) -> None:
    done = run("deploy", "--stack", name, "--artifacts", BUCKET)
    assert done.returncode == 1
    assert done.stderr.startswith(f"the stack's name is {name!r}; expected at most 20 lower-case letters, digits and single hyphens")


@pytest.mark.parametrize("name", ["aws-sales", "awesome", "ssm", "s-aws"])
def test_a_name_that_parameters_cannot_bear_is_told(name: str) -> None:
    # "A parameter name can't be prefixed with "aws" or "ssm"" (Systems Manager API Reference, PutParameter), whatever comes after.
    done = run("deploy", "--stack", name, "--artifacts", BUCKET, PATH="/nowhere")
    refused = name in ("aws-sales", "ssm")
    assert (f"the stack's name is {name!r}, which" in done.stderr, done.returncode) == (refused, 1)
    pattern = template("storage")["Parameters"]["Name"]["AllowedPattern"]
    assert (re.fullmatch(pattern.strip("^$"), name) is None) == refused


@needs_cli
def test_a_parameter_without_a_value_is_told(own_cloud: Cloud) -> None:
    done = on(own_cloud, "deploy", "--stack", STACK, "--artifacts", BUCKET, "--parameters", "ImageTag")
    assert done.stderr == "'ImageTag' is no parameter; expected PARAMETERS='Name=value Name=\"value with blanks\"'\n"


@pytest.mark.parametrize("target", ["deploy", "deploy-plan"])
def test_make_hands_parameters_on_with_their_quotes(target: str) -> None:
    given = """NightSchedule="cron(0 5 * * ? *)" PollSchedule='rate(10 minutes)'"""
    command = ["make", "-s", "-C", str(REPOSITORY), target, "PYTHON=printf '%s\\n'", "STACK=shop", "ARTIFACTS=a", f"PARAMETERS={given}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, given)


@needs_cli
def test_a_quote_that_does_not_end_is_told(own_cloud: Cloud) -> None:
    done = on(own_cloud, "deploy", "--stack", STACK, "--artifacts", BUCKET, "--parameters", 'NightSchedule="cron(0 5 * * ? *)')
    assert (done.returncode, done.stderr.partition(";")[0]) == (
        1,
        'the parameters NightSchedule="cron(0 5 * * ? *) cannot be read (No closing quotation)',
    )
