"""CloudFormation in the emulator: resource types that moto leaves out, and properties that it drops.

moto answers CREATE_COMPLETE also for a type that it does not know. Here each such type is made by the calls of its
own service, against this same server, so that a test can read it back there. For types that moto does know,
`completes` puts in what it forgets.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import boto3
from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel

Properties = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """A resource: what Ref and GetAtt answer, and how it goes away."""

    reference: str
    attributes: dict[str, str] = field(default_factory=dict)
    undo: Callable[[], object] = lambda: None


class Aws:
    """Clients of this very server, and calls whose parameters come from a template."""

    def __init__(self, port: int, region: str) -> None:
        self._where = {
            "endpoint_url": f"http://127.0.0.1:{port}",
            "region_name": region,
            "aws_access_key_id": "testing",
            "aws_secret_access_key": "testing",  # pragma: allowlist secret
        }

    def client(self, service: str) -> Any:
        return boto3.client(service, **self._where)

    def call(self, service: str, operation: str, **parameters: Any) -> Any:
        """Call an operation, with numbers and truth values where a template has text."""
        client = self.client(service)
        shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation]).input_shape
        return getattr(client, operation)(**_as(shape, parameters))


FILLED: dict[str, Callable[[Aws, Properties], Made]] = {}
COMPLETED: dict[str, Callable[[Aws, Properties, Any], None]] = {}


def install(port: int) -> None:
    """Teach the moto of this process the types below; resources are made through the server on the port."""
    models = {model.cloudformation_type(): model for model in CloudFormationModel.__subclasses__()}
    for name, fill in FILLED.items():
        if name not in models:
            _model(name, fill, port)
    for name, complete in COMPLETED.items():
        _complete(models[name], complete, port)
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()


def _model(name: str, fill: Callable[[Aws, Properties], Made], port: int) -> type:
    """A CloudFormationModel of one type; moto finds it among the subclasses."""

    def create(cls: type, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any) -> Any:
        resource = cls()
        resource.made = fill(Aws(port, region_name), cloudformation_json["Properties"])  # type: ignore[attr-defined]
        return resource

    members = {
        "cloudformation_name_type": staticmethod(lambda: ""),
        "cloudformation_type": staticmethod(lambda: name),
        "create_from_cloudformation_json": classmethod(create),
        "physical_resource_id": property(lambda self: self.made.reference),
        "has_cfn_attr": classmethod(lambda cls, attribute: True),
        "get_cfn_attribute": lambda self, attribute: self.made.attributes[attribute],
        "delete": lambda self, account_id, region_name: self.made.undo(),
    }
    return type(name.replace("::", ""), (CloudFormationModel,), members)


def _complete(model: Any, complete: Callable[[Aws, Properties, Any], None], port: int) -> None:
    """Have moto's own model followed by what it forgets."""
    create = model.create_from_cloudformation_json.__func__

    def completed(cls: type, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **rest: Any) -> Any:
        resource = create(cls, resource_name, cloudformation_json, account_id, region_name, **rest)
        complete(Aws(port, region_name), cloudformation_json["Properties"], resource)
        return resource

    model.create_from_cloudformation_json = classmethod(completed)


def _as(shape: Any, value: Any) -> Any:
    """A template's value as a botocore shape has it."""
    match shape.type_name:
        case "structure":
            return {key: _as(shape.members[key], each) if key in shape.members else each for key, each in value.items()}
        case "list":
            return [_as(shape.member, each) for each in value]
        case "map":
            return {key: _as(shape.value, each) for key, each in value.items()}
        case "boolean":
            return str(value).lower() == "true"
        case "integer" | "long":
            return int(value)
        case "double" | "float":
            return float(value)
        case "string":
            return value if isinstance(value, str) else str(value)
    return value


def fills(name: str) -> Callable[[Any], Any]:
    return lambda function: FILLED.setdefault(name, function)


def completes(name: str) -> Callable[[Any], Any]:
    return lambda function: COMPLETED.setdefault(name, function)


@fills("AWS::S3::BucketPolicy")
def _bucket_policy(aws: Aws, given: Properties) -> Made:
    aws.call("s3", "put_bucket_policy", Bucket=given["Bucket"], Policy=json.dumps(given["PolicyDocument"]))
    return Made(given["Bucket"], undo=partial(aws.call, "s3", "delete_bucket_policy", Bucket=given["Bucket"]))


@fills("AWS::SQS::QueuePolicy")
def _queue_policy(aws: Aws, given: Properties) -> Made:
    for queue in given["Queues"]:
        aws.call("sqs", "set_queue_attributes", QueueUrl=queue, Attributes={"Policy": json.dumps(given["PolicyDocument"])})
    return Made(",".join(given["Queues"]))


@fills("AWS::SNS::TopicPolicy")
def _topic_policy(aws: Aws, given: Properties) -> Made:
    for topic in given["Topics"]:
        document = json.dumps(given["PolicyDocument"])
        aws.call("sns", "set_topic_attributes", TopicArn=topic, AttributeName="Policy", AttributeValue=document)
    return Made(",".join(given["Topics"]))


@fills("AWS::SNS::Subscription")
def _subscription(aws: Aws, given: Properties) -> Made:
    arn = aws.call("sns", "subscribe", **given, ReturnSubscriptionArn=True)["SubscriptionArn"]
    return Made(arn, undo=partial(aws.call, "sns", "unsubscribe", SubscriptionArn=arn))


@fills("AWS::IAM::RolePolicy")
def _role_policy(aws: Aws, given: Properties) -> Made:
    which = {"RoleName": given["RoleName"], "PolicyName": given["PolicyName"]}
    aws.call("iam", "put_role_policy", **which, PolicyDocument=json.dumps(given["PolicyDocument"]))
    # Several roles have a policy of one name, so CloudFormation joins both.
    return Made(f"{given['PolicyName']}|{given['RoleName']}", undo=partial(aws.call, "iam", "delete_role_policy", **which))


@fills("AWS::SecretsManager::Secret")
def _secret(aws: Aws, given: Properties) -> Made:
    plain = {key: value for key, value in given.items() if key in ("Name", "Description", "KmsKeyId", "SecretString")}
    if rule := given.get("GenerateSecretString"):
        plain["SecretString"] = aws.call("secretsmanager", "get_random_password", **rule)["RandomPassword"]
    arn = aws.call("secretsmanager", "create_secret", **plain)["ARN"]
    return Made(arn, {"Id": arn}, partial(aws.call, "secretsmanager", "delete_secret", SecretId=arn, ForceDeleteWithoutRecovery=True))


@fills("AWS::Scheduler::ScheduleGroup")
def _schedule_group(aws: Aws, given: Properties) -> Made:
    arn = aws.call("scheduler", "create_schedule_group", **given)["ScheduleGroupArn"]
    return Made(given["Name"], {"Arn": arn}, partial(aws.call, "scheduler", "delete_schedule_group", Name=given["Name"]))


@fills("AWS::Scheduler::Schedule")
def _schedule(aws: Aws, given: Properties) -> Made:
    arn = aws.call("scheduler", "create_schedule", **given)["ScheduleArn"]
    which = {"Name": given["Name"], "GroupName": given["GroupName"]}
    return Made(given["Name"], {"Arn": arn}, partial(aws.call, "scheduler", "delete_schedule", **which))


@fills("AWS::Lambda::EventInvokeConfig")
def _event_invoke_config(aws: Aws, given: Properties) -> Made:
    which = {key: given[key] for key in ("FunctionName", "Qualifier")}
    aws.call("lambda", "put_function_event_invoke_config", **given)
    return Made(given["FunctionName"], undo=partial(aws.call, "lambda", "delete_function_event_invoke_config", **which))


@fills("AWS::ApiGatewayV2::Api")
def _api(aws: Aws, given: Properties) -> Made:
    api = aws.call("apigatewayv2", "create_api", **given)
    undo = partial(aws.call, "apigatewayv2", "delete_api", ApiId=api["ApiId"])
    return Made(api["ApiId"], {"ApiId": api["ApiId"], "ApiEndpoint": api["ApiEndpoint"]}, undo)


def _part_of_api(kind: str, key: str, aws: Aws, given: Properties) -> Made:
    """A part goes away with its API."""
    return Made(aws.call("apigatewayv2", f"create_{kind}", **given)[key])


for _type, _kind, _key in (
    ("AWS::ApiGatewayV2::Integration", "integration", "IntegrationId"),
    ("AWS::ApiGatewayV2::Authorizer", "authorizer", "AuthorizerId"),
    ("AWS::ApiGatewayV2::Route", "route", "RouteId"),
    ("AWS::ApiGatewayV2::Stage", "stage", "StageName"),
):
    FILLED[_type] = partial(_part_of_api, _kind, _key)


@fills("AWS::Glue::Database")
def _database(aws: Aws, given: Properties) -> Made:
    name = given["DatabaseInput"]["Name"]
    aws.call("glue", "create_database", **given)
    return Made(name, undo=partial(aws.call, "glue", "delete_database", Name=name))


@fills("AWS::Glue::Job")
def _glue_job(aws: Aws, given: Properties) -> Made:
    aws.call("glue", "create_job", **given)
    return Made(given["Name"], undo=partial(aws.call, "glue", "delete_job", JobName=given["Name"]))


@fills("AWS::Athena::WorkGroup")
def _workgroup(aws: Aws, given: Properties) -> Made:
    plain = {"Name": given["Name"], "Description": given["Description"], "Configuration": given["WorkGroupConfiguration"]}
    aws.call("athena", "create_work_group", **plain)
    return Made(given["Name"], undo=partial(aws.call, "athena", "delete_work_group", WorkGroup=given["Name"]))


@fills("AWS::Athena::NamedQuery")
def _named_query(aws: Aws, given: Properties) -> Made:
    return Made(aws.call("athena", "create_named_query", **given)["NamedQueryId"])


@fills("AWS::CloudWatch::Alarm")
def _alarm(aws: Aws, given: Properties) -> Made:
    name = given["AlarmName"]
    aws.call("cloudwatch", "put_metric_alarm", **given)
    (alarm,) = aws.call("cloudwatch", "describe_alarms", AlarmNames=[name])["MetricAlarms"]
    return Made(name, {"Arn": alarm["AlarmArn"]}, partial(aws.call, "cloudwatch", "delete_alarms", AlarmNames=[name]))


@fills("AWS::Budgets::Budget")
def _budget(aws: Aws, given: Properties) -> Made:
    which = {"AccountId": aws.call("sts", "get_caller_identity")["Account"], "BudgetName": given["Budget"]["BudgetName"]}
    aws.call("budgets", "create_budget", AccountId=which["AccountId"], **given)
    return Made(which["BudgetName"], undo=partial(aws.call, "budgets", "delete_budget", **which))


@fills("AWS::SageMaker::ModelPackageGroup")
def _model_package_group(aws: Aws, given: Properties) -> Made:
    name = given["ModelPackageGroupName"]
    arn = aws.call("sagemaker", "create_model_package_group", **given)["ModelPackageGroupArn"]
    return Made(
        name, {"ModelPackageGroupArn": arn}, partial(aws.call, "sagemaker", "delete_model_package_group", ModelPackageGroupName=name)
    )


@fills("AWS::ApplicationAutoScaling::ScalableTarget")
def _scalable_target(aws: Aws, given: Properties) -> Made:
    aws.call("application-autoscaling", "register_scalable_target", **given)
    which = {key: given[key] for key in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
    # CloudFormation refers to a target by these three, joined.
    reference = "|".join((which["ResourceId"], which["ScalableDimension"], which["ServiceNamespace"]))
    return Made(reference, undo=partial(aws.call, "application-autoscaling", "deregister_scalable_target", **which))


@fills("AWS::ApplicationAutoScaling::ScalingPolicy")
def _scaling_policy(aws: Aws, given: Properties) -> Made:
    resource, dimension, namespace = given["ScalingTargetId"].split("|")
    which = {"PolicyName": given["PolicyName"], "ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": namespace}
    plain = {key: value for key, value in given.items() if key not in ("PolicyName", "ScalingTargetId")}
    arn = aws.call("application-autoscaling", "put_scaling_policy", **which, **plain)["PolicyARN"]
    return Made(arn, undo=partial(aws.call, "application-autoscaling", "delete_scaling_policy", **which))


@completes("AWS::SageMaker::Endpoint")
def _endpoint(_: Aws, given: Properties, endpoint: Any) -> None:
    """moto forgets how the next deployment is to be done; DescribeEndpoint tells that of the last one."""
    endpoint.last_deployment_config = given.get("DeploymentConfig")


@completes("AWS::SageMaker::Model")
def _model_of_endpoint(_: Aws, given: Properties, model: Any) -> None:
    model.enable_network_isolation = str(given.get("EnableNetworkIsolation", False)).lower() == "true"


@completes("AWS::S3::Bucket")
def _bucket(aws: Aws, given: Properties, bucket: Any) -> None:
    put = partial(aws.call, "s3", Bucket=bucket.name)
    if encryption := given.get("BucketEncryption"):
        rules = [_encryption_rule(rule) for rule in encryption["ServerSideEncryptionConfiguration"]]
        put(operation="put_bucket_encryption", ServerSideEncryptionConfiguration={"Rules": rules})
    if versioning := given.get("VersioningConfiguration"):
        put(operation="put_bucket_versioning", VersioningConfiguration=versioning)
    if block := given.get("PublicAccessBlockConfiguration"):
        put(operation="put_public_access_block", PublicAccessBlockConfiguration=block)
    if ownership := given.get("OwnershipControls"):
        put(operation="put_bucket_ownership_controls", OwnershipControls=ownership)
    if logging := given.get("LoggingConfiguration"):
        enabled = {"TargetBucket": logging["DestinationBucketName"], "TargetPrefix": logging["LogFilePrefix"]}
        put(operation="put_bucket_logging", BucketLoggingStatus={"LoggingEnabled": enabled})
    if lifecycle := given.get("LifecycleConfiguration"):
        rules = [_lifecycle_rule(rule) for rule in lifecycle["Rules"]]
        put(operation="put_bucket_lifecycle_configuration", LifecycleConfiguration={"Rules": rules})


def _encryption_rule(given: Properties) -> Properties:
    plain = {key: value for key, value in given.items() if key != "ServerSideEncryptionByDefault"}
    return {**plain, "ApplyServerSideEncryptionByDefault": given["ServerSideEncryptionByDefault"]}


def _lifecycle_rule(given: Properties) -> Properties:
    """A rule in the words of S3's API, which differ from the template's."""
    rule = {"ID": given["Id"], "Status": given["Status"], "Filter": {"Prefix": given.get("Prefix", "")}}
    rule |= {key: given[key] for key in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload") if key in given}
    if "Transitions" in given:
        rule["Transitions"] = [{"Days": each["TransitionInDays"], "StorageClass": each["StorageClass"]} for each in given["Transitions"]]
    if "ExpirationInDays" in given:
        rule["Expiration"] = {"Days": given["ExpirationInDays"]}
    if "ExpiredObjectDeleteMarker" in given:
        rule["Expiration"] = {"ExpiredObjectDeleteMarker": given["ExpiredObjectDeleteMarker"]}
    return rule


@completes("AWS::IAM::Role")
def _role(aws: Aws, given: Properties, role: Any) -> None:
    """moto keeps inline policies as the text of a Python dictionary."""
    for policy in given.get("Policies", []):
        document = json.dumps(policy["PolicyDocument"])
        aws.call("iam", "put_role_policy", RoleName=role.name, PolicyName=policy["PolicyName"], PolicyDocument=document)


@completes("AWS::ECR::Repository")
def _repository(aws: Aws, given: Properties, repository: Any) -> None:
    if scanning := given.get("ImageScanningConfiguration"):
        plain = {"scanOnPush": scanning["ScanOnPush"]}
        aws.call("ecr", "put_image_scanning_configuration", repositoryName=repository.name, imageScanningConfiguration=plain)
    if policy := given.get("LifecyclePolicy"):
        aws.call("ecr", "put_lifecycle_policy", repositoryName=repository.name, lifecyclePolicyText=policy["LifecyclePolicyText"])


@completes("AWS::Lambda::Function")
def _function(_: Aws, given: Properties, function: Any) -> None:
    function.architectures = given.get("Architectures", function.architectures)


@completes("AWS::Logs::LogGroup")
def _log_group(_: Aws, given: Properties, group: Any) -> None:
    group.kms_key_id = given.get("KmsKeyId")
