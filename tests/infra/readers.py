"""How each type of resource is read back through its own service, which knows nothing of CloudFormation."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.infra.conftest import STACK
from tests.support.cloud import Cloud

ACCOUNT = "123456789012"


def _bucket(cloud: Cloud, name: str) -> Any:
    s3 = cloud.client("s3")
    logging = s3.get_bucket_logging(Bucket=name).get("LoggingEnabled", {})
    return {
        "encryption": s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0],
        "versioning": s3.get_bucket_versioning(Bucket=name)["Status"],
        "public": s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"],
        "ownership": s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"][0]["ObjectOwnership"],
        "lifecycle": {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]},
        "logging": (logging.get("TargetBucket"), logging.get("TargetPrefix")),
    }


def _queue(cloud: Cloud, url: str) -> Any:
    return cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def _policy(text: Any) -> Any:
    return text if isinstance(text, dict) else json.loads(text)


def _part_of_api(kind: str, key: str) -> Callable[[Cloud, str], Any]:
    def read(cloud: Cloud, identifier: str) -> Any:
        client = cloud.client("apigatewayv2")
        (api,) = (each["ApiId"] for each in client.get_apis()["Items"] if each["Name"] == f"{STACK}-orders")
        return getattr(client, f"get_{kind}")(ApiId=api, **{key: identifier})

    return read


def _schedule(cloud: Cloud, name: str) -> Any:
    return cloud.client("scheduler").get_schedule(Name=name, GroupName=name)


def _log_group(cloud: Cloud, name: str) -> Any:
    (found,) = cloud.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return found


def _log_policy(cloud: Cloud, name: str) -> Any:
    (found,) = (each for each in cloud.client("logs").describe_resource_policies()["resourcePolicies"] if each["policyName"] == name)
    return _policy(found["policyDocument"])


def _role(cloud: Cloud, name: str) -> Any:
    iam = cloud.client("iam")
    policies = iam.list_role_policies(RoleName=name)["PolicyNames"]
    documents = {policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in policies}
    return {"trust": iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"], "policies": documents}


def _role_policy(cloud: Cloud, identifier: str) -> Any:
    policy, role = identifier.split("|")
    return cloud.client("iam").get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]


def _managed_policy(cloud: Cloud, arn: str) -> Any:
    return cloud.client("iam").get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]


def _rule(cloud: Cloud, name: str) -> Any:
    events = cloud.client("events")
    rule = events.describe_rule(Name=name)
    return {
        "pattern": json.loads(rule["EventPattern"]),
        "state": rule["State"],
        "targets": events.list_targets_by_rule(Rule=name)["Targets"],
    }


def _key(cloud: Cloud, identifier: str) -> Any:
    kms = cloud.client("kms")
    return {
        "rotates": kms.get_key_rotation_status(KeyId=identifier)["KeyRotationEnabled"],
        "policy": _policy(kms.get_key_policy(KeyId=identifier, PolicyName="default")["Policy"]),
    }


def _alias(cloud: Cloud, name: str) -> Any:
    (found,) = (each for each in cloud.client("kms").list_aliases()["Aliases"] if each["AliasName"] == name)
    return found["TargetKeyId"]


def _secret(cloud: Cloud, identifier: str) -> Any:
    return cloud.client("secretsmanager").describe_secret(SecretId=identifier)


def _alarm(cloud: Cloud, name: str) -> Any:
    (found,) = cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return found


def _repository(cloud: Cloud, name: str) -> Any:
    ecr = cloud.client("ecr")
    (found,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    return {**found, "lifecycle": json.loads(ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"])}


def _budget(cloud: Cloud, name: str) -> Any:
    client = cloud.client("budgets")
    which = {"AccountId": ACCOUNT, "BudgetName": name}
    return {**client.describe_budget(**which)["Budget"], "told": client.describe_notifications_for_budget(**which)["Notifications"]}


def _endpoint(cloud: Cloud, arn: str) -> Any:
    return cloud.client("sagemaker").describe_endpoint(EndpointName=arn.rpartition("/")[2])


def _scaling(kind: str, key: str) -> Callable[[Cloud, str], Any]:
    def read(cloud: Cloud, identifier: str) -> Any:
        described = getattr(cloud.client("application-autoscaling"), f"describe_{kind}")(ServiceNamespace="sagemaker")
        (found,) = next(value for key, value in described.items() if key != "ResponseMetadata")
        assert found[key] == identifier.partition("|")[0]
        return found

    return read


READERS: dict[str, Callable[[Cloud, str], Any]] = {
    "AWS::ApiGatewayV2::Api": lambda cloud, name: cloud.client("apigatewayv2").get_api(ApiId=name),
    "AWS::ApiGatewayV2::Authorizer": _part_of_api("authorizer", "AuthorizerId"),
    "AWS::ApiGatewayV2::Integration": _part_of_api("integration", "IntegrationId"),
    "AWS::ApiGatewayV2::Route": _part_of_api("route", "RouteId"),
    "AWS::ApiGatewayV2::Stage": _part_of_api("stage", "StageName"),
    "AWS::ApplicationAutoScaling::ScalableTarget": _scaling("scalable_targets", "ResourceId"),
    "AWS::ApplicationAutoScaling::ScalingPolicy": _scaling("scaling_policies", "PolicyARN"),
    "AWS::Athena::NamedQuery": lambda cloud, name: cloud.client("athena").get_named_query(NamedQueryId=name)["NamedQuery"],
    "AWS::Athena::WorkGroup": lambda cloud, name: cloud.client("athena").get_work_group(WorkGroup=name)["WorkGroup"],
    "AWS::Budgets::Budget": _budget,
    "AWS::CloudFormation::Stack": lambda cloud, name: cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0],
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": lambda cloud, name: json.loads(
        cloud.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    ),
    "AWS::ECR::Repository": _repository,
    "AWS::Events::Rule": _rule,
    "AWS::Glue::Database": lambda cloud, name: cloud.client("glue").get_database(Name=name)["Database"],
    "AWS::Glue::Job": lambda cloud, name: cloud.client("glue").get_job(JobName=name)["Job"],
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::IAM::Role": _role,
    "AWS::IAM::RolePolicy": _role_policy,
    "AWS::KMS::Alias": _alias,
    "AWS::KMS::Key": _key,
    "AWS::Lambda::EventInvokeConfig": lambda cloud, name: cloud.client("lambda").get_function_event_invoke_config(FunctionName=name),
    "AWS::Lambda::EventSourceMapping": lambda cloud, name: cloud.client("lambda").get_event_source_mapping(UUID=name),
    "AWS::Lambda::Function": lambda cloud, name: cloud.client("lambda").get_function(FunctionName=name),
    "AWS::Logs::LogGroup": _log_group,
    "AWS::Logs::ResourcePolicy": _log_policy,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": lambda cloud, name: json.loads(cloud.client("s3").get_bucket_policy(Bucket=name)["Policy"]),
    "AWS::SNS::Subscription": lambda cloud, name: cloud.client("sns").get_subscription_attributes(SubscriptionArn=name)["Attributes"],
    "AWS::SNS::Topic": lambda cloud, name: cloud.client("sns").get_topic_attributes(TopicArn=name)["Attributes"],
    "AWS::SNS::TopicPolicy": lambda cloud, name: json.loads(
        cloud.client("sns").get_topic_attributes(TopicArn=name)["Attributes"]["Policy"]
    ),
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": lambda cloud, url: json.loads(_queue(cloud, url)["Policy"]),
    "AWS::SSM::Parameter": lambda cloud, name: cloud.client("ssm").get_parameter(Name=name)["Parameter"],
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::Scheduler::ScheduleGroup": lambda cloud, name: cloud.client("scheduler").get_schedule_group(Name=name),
    "AWS::SageMaker::Endpoint": _endpoint,
    "AWS::SageMaker::EndpointConfig": lambda cloud, arn: cloud.client("sagemaker").describe_endpoint_config(
        EndpointConfigName=arn.rpartition("/")[2]
    ),
    "AWS::SageMaker::Model": lambda cloud, arn: cloud.client("sagemaker").describe_model(ModelName=arn.rpartition("/")[2]),
    "AWS::SageMaker::ModelPackageGroup": lambda cloud, name: cloud.client("sagemaker").describe_model_package_group(
        ModelPackageGroupName=name
    ),
    "AWS::SecretsManager::Secret": _secret,
}
