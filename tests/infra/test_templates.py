"""What the templates promise, checked without deploying them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from tests.infra.packaging import TEMPLATES, template, template_names

from sales_tech.contracts.table import table_contract

NAMES = template_names()
NAMING = {
    "AlarmName",
    "AliasName",
    "BucketName",
    "EndpointName",
    "FunctionName",
    "LogGroupName",
    "ManagedPolicyName",
    "ModelPackageGroupName",
    "Name",
    "QueueName",
    "RoleName",
    "TopicName",
}
WITH_DATA = {"AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SageMaker::ModelPackageGroup"}


def everything(node: Any) -> Iterator[Any]:
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from everything(child)


def test_cfn_lint_finds_nothing() -> None:
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--include-checks", "I", "--template", *map(str, TEMPLATES.glob("*.yaml"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_concerns_are_apart() -> None:
    assert NAMES == ["catalog", "dashboards", "endpoint", "ingestion", "models", "observability", "pipeline", "root", "spark", "storage"]
    assert {resource["Type"] for resource in template("root")["Resources"].values()} == {"AWS::CloudFormation::Stack"}


@pytest.mark.parametrize("name", [name for name in NAMES if name != "dashboards"])
def test_a_template_is_small_enough_to_be_sent_inline(name: str) -> None:
    assert (TEMPLATES / f"{name}.yaml").stat().st_size < 51_200


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_and_output_is_described(name: str) -> None:
    found = template(name)
    parts = {**found["Parameters"], **found["Outputs"]}
    assert [each for each, part in parts.items() if not part.get("Description")] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_region_account_or_partition_is_written_down(name: str) -> None:
    text = (TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8")
    assert re.findall(r"\b(?:us|eu|ap|sa|ca|me|af)-[a-z]+-\d\b|\b\d{12}\b(?!\n)|arn:aws[:-]", text.replace("107374182400", "")) == []


@pytest.mark.parametrize("name", [name for name in NAMES if name != "root"])
def test_every_given_name_begins_with_the_name_of_the_stack(name: str) -> None:
    resources = template(name)["Resources"]
    given = [(logical, key, value) for logical, each in resources.items() for key, value in each.get("Properties", {}).items()]
    names = [each for each in given if each[1] in NAMING and not (isinstance(each[2], dict) and each[2].get("Ref") in resources)]
    assert [each for each in names if "${Name}" not in str(each[2]) and each[2] != {"Ref": "Name"} and each[2] != "$default"] == []


def test_data_stays_when_the_stack_goes() -> None:
    for name in NAMES:
        for logical, resource in template(name)["Resources"].items():
            if resource["Type"] in WITH_DATA or logical == "HashKey":
                assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain"), logical


def test_the_queue_s_redrive_is_two_receives_after_the_last_attempt() -> None:
    ingestion = template("ingestion")
    redrive = ingestion["Mappings"]["Redrive"]["AfterAttempts"]
    assert sorted(redrive) == ingestion["Parameters"]["Attempts"]["AllowedValues"]
    assert {int(attempts) + 2 - receives for attempts, receives in redrive.items()} == {0}


def test_the_dead_letters_take_messages_from_the_queue_alone() -> None:
    allowed = template("ingestion")["Resources"]["DeadOrders"]["Properties"]["RedriveAllowPolicy"]
    assert allowed["redrivePermission"] == "byQueue"
    assert [each["Fn::Sub"].rpartition(":")[2] for each in allowed["sourceQueueArns"]] == ["${Name}-orders"]


def test_the_spark_job_installs_its_wheels_and_asks_no_package_index() -> None:
    # AWS Glue Developer Guide, "Using Python libraries with AWS Glue", zip of wheels.
    arguments = template("spark")["Resources"]["Lines"]["Properties"]["DefaultArguments"]
    assert arguments["--additional-python-modules"] == {"Ref": "ModulesUrl"}
    assert arguments["--python-modules-installer-option"] == "--no-index"


def test_a_security_configuration_is_named_only_where_the_script_takes_it_up() -> None:
    # "Ensure that the AWS Glue job includes the following code for the security setting to take effect": Job.init (Glue Developer Guide,
    # "Encrypting data written by AWS Glue"). Without one the bucket's own encryption holds, whatever the job does.
    job = template("spark")["Resources"]["Lines"]["Properties"]
    script = (TEMPLATES.parent / "glue" / "nightly.py").read_text(encoding="utf-8")
    assert ("SecurityConfiguration" in job) == ("job.init(" in script.lower())
    (rule,) = template("storage")["Resources"]["Lake"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]}}


def test_what_eventbridge_puts_between_quotes_holds_none() -> None:
    # "EventBridge doesn't escape values extracted by Input Path" (User Guide, input transformation): a text of somebody's own may end the
    # quotes, and what is left is no JSON. Names, ids and states have no quotes.
    transformers = [node["InputTransformer"] for name in NAMES for node in everything(template(name)) if _transforms(node)]
    taken = {path for each in transformers for path in each["InputPathsMap"].values()}
    assert taken == {"$.detail.jobRunId", "$.detail.state", "$.detail.ProcessingJobName", "$.detail.ProcessingJobStatus"}


def _transforms(node: Any) -> bool:
    return isinstance(node, dict) and "InputTransformer" in node


def test_no_image_goes_that_a_registered_model_may_name() -> None:
    # ECR knows when an image was pushed, and not who is served by it; a version from before ten pushes may be the one to go back to.
    repository = template("pipeline")["Resources"]["Images"]["Properties"]
    rules = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert [rule["selection"]["tagStatus"] for rule in rules] == ["untagged"]
    assert repository["ImageTagMutability"] == "IMMUTABLE"


def named_queries() -> dict[str, tuple[str, str]]:
    """Layer and SQL of each named query."""
    resources = template("catalog")["Resources"].items()
    properties = {name: each["Properties"] for name, each in resources if each["Type"] == "AWS::Athena::NamedQuery"}
    return {name: (each["Database"]["Ref"].lower(), each["QueryString"]) for name, each in properties.items()}


@pytest.mark.parametrize("name", named_queries())
def test_a_named_query_asks_for_what_the_contracts_have(name: str) -> None:
    layer, sql = named_queries()[name]
    query = sqlglot.parse_one(sql, dialect="trino")
    tables = {table.name for table in query.find_all(exp.Table)}
    assert tables
    schema = {table: dict.fromkeys(table_contract(f"{layer}.{table}").columns, "varchar") for table in tables}
    qualify(query, schema=schema, dialect="trino", validate_qualify_columns=True)  # raises where a column is not there
    assert {column.name for column in query.find_all(exp.Column)}


def test_no_template_holds_a_secret_or_asks_for_one() -> None:
    for name in NAMES:
        assert [key for key in template(name)["Parameters"] if re.search("secret|token|password|key$", key, re.IGNORECASE)] == []
        for node in everything(template(name)["Resources"]):
            assert not (isinstance(node, dict) and {"SecretString", "MasterUserPassword"} & node.keys())


def test_every_output_that_another_template_takes_is_there() -> None:
    resources = template("root")["Resources"]
    for node in everything(template("root")):
        if isinstance(node, dict) and "Fn::GetAtt" in node:
            stack, output = node["Fn::GetAtt"]
            file = resources[stack]["Properties"]["TemplateURL"].removesuffix(".yaml")
            assert output.removeprefix("Outputs.") in template(file)["Outputs"], node
    for resource in resources.values():
        declared = template(resource["Properties"]["TemplateURL"].removesuffix(".yaml"))["Parameters"]
        assert set(resource["Properties"]["Parameters"]) == set(declared), resource
