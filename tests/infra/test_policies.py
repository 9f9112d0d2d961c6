"""Who may do what: every policy of the templates, statement by statement."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.infra.packaging import template, template_names

EXCEPTIONS = {
    ("storage", "Key", "AccountAdministersAndDelegates"): "in a key's policy * is the key itself",
    ("storage", "Key", "LogGroupsOfThisStack"): "in a key's policy * is the key itself",
    ("storage", "Key", "ServicesThatPublishToTheTopic"): "in a key's policy * is the key itself",
    ("storage", "Key", "EventsThatPublishToTheTopic"): "in a key's policy * is the key itself",
    ("pipeline", "NightRole", "LogInToEcr"): "ecr:GetAuthorizationToken knows no resource",
    ("pipeline", "NightRole", "MeasureTheMachine"): "cloudwatch:PutMetricData knows no resource; the namespace is a condition",
    ("pipeline", "NightRole", "Log"): "SageMaker gives the log group its name, and the group's streams are part of its ARN",
    ("pipeline", "NightInVpc", "SeeTheNetwork"): "ec2:Describe... knows no resource",
    ("pipeline", "NightInVpc", "JoinTheNetwork"): "CloudFormation cannot make ARNs of a list of ids; only there when subnets are given",
    ("spark", "LinesRole", "Log"): "Glue gives its log groups their names",
    ("spark", "LinesRole", "Measure"): "cloudwatch:PutMetricData knows no resource; the namespace is a condition",
    ("models", "TrainingRole", "LogInToEcr"): "ecr:GetAuthorizationToken knows no resource",
    ("models", "TrainingRole", "MeasureTheMachine"): "cloudwatch:PutMetricData knows no resource; the namespace is a condition",
    ("models", "TrainingRole", "Log"): "SageMaker gives the log group its name, and the group's streams are part of its ARN",
    ("models", "TrainingInVpc", "SeeTheNetwork"): "ec2:Describe... knows no resource",
    ("models", "TrainingInVpc", "JoinTheNetwork"): "as that of the night",
    ("endpoint", "EndpointRole", "LogInToEcr"): "ecr:GetAuthorizationToken knows no resource",
    ("endpoint", "EndpointRole", "MeasureTheMachine"): "cloudwatch:PutMetricData knows no resource; the namespace is a condition",
    ("endpoint", "EndpointRole", "SeeTheNetwork"): "ec2:Describe... knows no resource",
    ("endpoint", "EndpointRole", "JoinTheNetwork"): "as that of the night",
}


def policies(node: Any) -> Iterator[dict[str, Any]]:
    """Every policy document below a node, also one written as JSON text."""
    if isinstance(node, str) and node.lstrip().startswith('{"Version": "2012'):
        yield json.loads(node)
    elif isinstance(node, dict) and "Statement" in node:
        yield node
    elif isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from policies(child)


def statements() -> Iterator[tuple[tuple[str, str, str], dict[str, Any]]]:
    for name in template_names():
        for logical, resource in template(name)["Resources"].items():
            for policy in policies(resource.get("Properties", {})):
                for number, statement in enumerate(policy["Statement"]):
                    yield (name, logical, statement.get("Sid", str(number))), statement


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str:
    """A value of a template as one text, its references as `${...}`."""
    if isinstance(value, dict):
        ((function, inner),) = value.items()
        if function == "Fn::Sub":
            return inner if isinstance(inner, str) else inner[0]
        return "${" + (".".join(inner) if isinstance(inner, list) else str(inner)) + "}"
    return str(value)


def faults(statement: dict[str, Any]) -> list[str]:
    """What is too wide in a statement. One that denies may be as wide as it likes."""
    if statement["Effect"] == "Deny":
        return []
    found = [f"{key} allows what nobody thought of" for key in ("NotAction", "NotResource", "NotPrincipal") if key in statement]
    found += [f"action {action}" for action in listed(statement.get("Action", [])) if "*" in action]
    for resource in map(text, listed(statement.get("Resource", []))):
        before, star, _ = resource.partition("*")
        # A wildcard is narrow where a name of the stack stands before it.
        if star and not re.search(r"\$\{(?!AWS::)", before):
            found.append(f"resource {resource}")
    principal = statement.get("Principal", {})
    found += [
        f"principal {each}" for each in listed(principal if isinstance(principal, str) else list(principal.values())) if "*" in str(each)
    ]
    if "iam:PassRole" in listed(statement.get("Action", [])) and "iam:PassedToService" not in str(statement.get("Condition")):
        found.append("iam:PassRole to any service")
    return found


def test_no_policy_allows_more_than_it_must() -> None:
    wide = {where: faults(statement) for where, statement in statements()}
    assert {where: found for where, found in wide.items() if found and where not in EXCEPTIONS} == {}
    assert [where for where in EXCEPTIONS if not wide.get(where)] == [], "exceptions that are needed no more"
    assert len(wide) > 40


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ({"Action": "s3:*", "Resource": "arn:x"}, "action s3:*"),
        ({"Action": ["s3:Get*"], "Resource": "arn:x"}, "action s3:Get*"),
        ({"Action": "s3:GetObject", "Resource": "*"}, "resource *"),
        ({"Action": "s3:GetObject", "Resource": {"Fn::Sub": "arn:${AWS::Partition}:s3:::*"}}, "resource arn:${AWS::Partition}:s3:::*"),
        ({"NotAction": "s3:GetObject", "Resource": "arn:x"}, "NotAction allows what nobody thought of"),
        ({"Action": "sqs:SendMessage", "Resource": "arn:x", "Principal": "*"}, "principal *"),
        ({"Action": "sqs:SendMessage", "Resource": "arn:x", "Principal": {"AWS": "*"}}, "principal *"),
        ({"Action": "iam:PassRole", "Resource": "arn:x"}, "iam:PassRole to any service"),
    ],
)
def test_a_wide_statement_is_found(statement: dict[str, Any], fault: str) -> None:
    assert faults({"Effect": "Allow", **statement}) == [fault]


def test_a_wildcard_below_a_name_of_the_stack_is_narrow() -> None:
    allowed = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": {"Fn::Sub": "arn:${AWS::Partition}:s3:::${LandingBucket}/orders/*"}}
    assert faults(allowed) == []


def test_every_bucket_and_queue_refuses_plain_http() -> None:
    refusing = {where[1] for where, statement in statements() if statement["Effect"] == "Deny" and "aws:SecureTransport" in str(statement)}
    assert refusing == {"LandingPolicy", "LakePolicy", "LogsPolicy", "OrdersPolicy", "DeadOrdersPolicy", "AlarmsPolicy"}


def test_eventbridge_reaches_the_topic_though_it_names_no_source() -> None:
    # "You can't use Condition blocks in Amazon SNS topic policies for EventBridge" (EventBridge User Guide, resource-based policies);
    # aws:SourceAccount in a key's policy "is not supported for EventBridge-to-encrypted topics" (SNS Developer Guide, key management).
    told = {
        where[1]: statement.get("Condition", {})
        for where, statement in statements()
        if statement["Effect"] == "Allow" and "events.amazonaws.com" in listed(statement.get("Principal", {}).get("Service", []))
    }
    topic = {"Fn::Sub": "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:${Name}-alarms"}
    assert told.pop("NightsLogsPolicy") == {}, "a log group, no topic"
    assert told == {"AlarmsPolicy": {}, "Key": {"ArnEquals": {"kms:EncryptionContext:aws:sns:topicArn": topic}}}
    assert template("observability")["Resources"]["Alarms"]["Properties"]["TopicName"] == {"Fn::Sub": "${Name}-alarms"}


def test_whoever_asks_athena_may_find_the_default_database() -> None:
    # Amazon Athena User Guide, "Configure access to databases and tables in the AWS Glue Data Catalog": mandatory in each Region.
    asking, finding = set(), set()
    for (name, logical, _), statement in statements():
        actions = listed(statement["Action"])
        resources = {text(each).rpartition(":")[2] for each in listed(statement.get("Resource", []))}
        if "athena:StartQueryExecution" in actions:
            asking.add((name, logical))
        if {"glue:GetDatabase", "glue:CreateDatabase"} == set(actions) and resources == {"catalog", "database/default"}:
            finding.add((name, logical))
    assert asking == finding == {("catalog", "AnalystPolicy"), ("dashboards", "QuickSightRole"), ("pipeline", "NightRole")}


def test_whoever_asks_athena_may_write_results_in_parts() -> None:
    # What AWS's own policies allow of the bucket of results (AWSQuicksightAthenaAccess, AmazonAthenaFullAccess), without making one.
    needed = {"s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"}
    needed |= {"s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"}
    allowed: dict[tuple[str, str], set[str]] = {}
    for (name, logical, _), statement in statements():
        if statement["Effect"] == "Allow":
            allowed.setdefault((name, logical), set()).update(listed(statement["Action"]))
    asking = {who: needed - actions for who, actions in allowed.items() if "athena:StartQueryExecution" in actions}
    assert len(asking) == 3
    assert {who: missing for who, missing in asking.items() if missing} == {}


def test_a_role_is_assumed_by_one_service() -> None:
    trusted = {}
    for name in template_names():
        for logical, resource in template(name)["Resources"].items():
            if resource["Type"] == "AWS::IAM::Role":
                (statement,) = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
                trusted[logical] = statement["Principal"]["Service"]
    assert trusted == {
        "LandOrdersRole": "lambda.amazonaws.com",
        "PollOrdersRole": "lambda.amazonaws.com",
        "PollSchedulerRole": "scheduler.amazonaws.com",
        "OrdersApiRole": "apigateway.amazonaws.com",
        "NightRole": "sagemaker.amazonaws.com",
        "NightSchedulerRole": "scheduler.amazonaws.com",
        "TrainingRole": "sagemaker.amazonaws.com",
        "EndpointRole": "sagemaker.amazonaws.com",
        "QuickSightRole": "quicksight.amazonaws.com",
        "LinesRole": "glue.amazonaws.com",
        "LinesSchedulerRole": "scheduler.amazonaws.com",
    }
