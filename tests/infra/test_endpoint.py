"""The endpoint of a stack on instances: what is served, what watches it, and who may read what."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from tests.infra.conftest import PARAMETERS, STACK, Deployed
from tests.infra.packaging import template
from tests.infra.readers import READERS
from tests.infra.test_policies import listed, policies, text
from tests.support.cloud import REGION

# Metrics of the namespace AWS/SageMaker that an endpoint publishes by EndpointName and VariantName, serverless or not,
# by the pages "Monitor SageMaker AI with Amazon CloudWatch" and "Alarms and logs for tracking metrics from serverless endpoints".
PUBLISHED = {"Invocations", "Invocation4XXErrors", "Invocation5XXErrors", "ModelLatency", "OverheadLatency"}


def read(deployed: Deployed, logical: str, template: str = "endpoint") -> Any:
    (resource,) = (each for each in deployed.resources if (each.template, each.logical) == (template, logical))
    return READERS[resource.kind](deployed.cloud, resource.physical)


def statements(name: str, logical: str) -> dict[str, dict[str, Any]]:
    """The statements of a role or a policy by their ids, as the template has them."""
    found = policies({key: value for key, value in template(name)["Resources"][logical]["Properties"].items() if key.startswith("Polic")})
    return {statement["Sid"]: statement for policy in found for statement in policy["Statement"]}


def test_the_endpoint_serves_the_named_model_with_its_image_and_digest(deployed: Deployed) -> None:
    endpoint, config, model = (read(deployed, name) for name in ("Endpoint", "EndpointConfig", "Model"))
    assert endpoint["EndpointName"] == deployed.outputs["EndpointName"] == f"{STACK}-planner-ml-m5-large"
    assert endpoint["EndpointConfigName"] == config["EndpointConfigName"]
    (variant,) = config["ProductionVariants"]
    assert (variant["VariantName"], variant["ModelName"]) == ("planner", model["ModelName"])
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.m5.large", 1)
    assert model["PrimaryContainer"] == {
        "Image": f"{deployed.outputs['RepositoryUri']}:{PARAMETERS['ModelImageTag']}",
        "ModelDataUrl": PARAMETERS["ModelDataUrl"],
        "Environment": {"SALES_TECH_MODEL_DIGEST": PARAMETERS["ModelDigest"], "SALES_TECH_MOST_ANSWER_BYTES": "6000000"},
    }
    passed_on = boto3.client("sagemaker-runtime", region_name=REGION).meta.service_model.shape_for("BodyBlob").metadata["max"]
    assert int(model["PrimaryContainer"]["Environment"]["SALES_TECH_MOST_ANSWER_BYTES"]) < passed_on


def test_instances_are_encrypted_and_have_no_network_but_that_of_the_stack(deployed: Deployed) -> None:
    model = read(deployed, "Model")
    assert model["EnableNetworkIsolation"] is True
    assert model["VpcConfig"] == {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    assert read(deployed, "EndpointConfig")["KmsKeyId"] == deployed.outputs["KeyArn"]


def test_nothing_that_is_asked_or_answered_is_captured() -> None:
    properties = template("endpoint")["Resources"]["EndpointConfig"]["Properties"]
    assert "DataCaptureConfig" not in properties


def test_an_alarm_puts_the_old_model_back_while_the_new_one_bakes(deployed: Deployed) -> None:
    endpoint = read(deployed, "Endpoint")
    config = endpoint["LastDeploymentConfig"]
    named = {each["AlarmName"] for each in config["AutoRollbackConfiguration"]["Alarms"]}
    alarms = [read(deployed, name) for name in ("Failures", "Slow")]
    assert named == {alarm["AlarmName"] for alarm in alarms}
    policy = config["BlueGreenUpdatePolicy"]
    assert "RollingUpdatePolicy" not in config, "serverless endpoints know none"
    assert policy["TrafficRoutingConfiguration"] == {"Type": "ALL_AT_ONCE"}
    assert policy["TerminationWaitInSeconds"] == 600
    for alarm in alarms:
        seen = alarm["Period"] * alarm["EvaluationPeriods"]
        assert seen < policy["TerminationWaitInSeconds"] < policy["MaximumExecutionTimeoutInSeconds"], "it rings before the old one goes"


@pytest.mark.parametrize("logical", ["Failures", "Slow"])
def test_a_rollback_alarm_watches_a_metric_that_the_variant_publishes(deployed: Deployed, logical: str) -> None:
    alarm, endpoint = read(deployed, logical), read(deployed, "Endpoint")
    (variant,) = endpoint["ProductionVariants"]
    assert alarm["Namespace"] == "AWS/SageMaker"
    assert alarm["MetricName"] in PUBLISHED
    dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    assert dimensions == {"EndpointName": endpoint["EndpointName"], "VariantName": variant["VariantName"]}
    assert (alarm["ComparisonOperator"], alarm["TreatMissingData"]) == ("GreaterThanThreshold", "notBreaching")


def test_one_failure_rings_and_slowness_is_that_of_one_in_ten(deployed: Deployed) -> None:
    failures, slow = read(deployed, "Failures"), read(deployed, "Slow")
    assert (failures["Statistic"], failures["Threshold"], failures["EvaluationPeriods"]) == ("Sum", 0.0, 1)
    assert (slow["ExtendedStatistic"], slow["Threshold"]) == ("p90", 2_000_000.0), "the metric is told in microseconds"


@pytest.mark.parametrize("serverless", [True, False])
def test_endpoint_alarms_and_logs_bear_one_name_of_either_kind(serverless: bool) -> None:
    resources = template("endpoint")["Resources"]

    def name_of(value: Any) -> str:
        condition, yes, no = value["Fn::If"]
        assert condition == "Serverless"
        return text(yes if serverless else no)

    endpoint = name_of(resources["Endpoint"]["Properties"]["EndpointName"])
    for alarm in ("Failures", "Slow"):
        (dimension,) = (each for each in resources[alarm]["Properties"]["Dimensions"] if each["Name"] == "EndpointName")
        assert name_of(dimension["Value"]) == endpoint
    assert name_of(resources["EndpointLogs"]["Properties"]["LogGroupName"]) == f"/aws/sagemaker/Endpoints/{endpoint}"


def test_another_machine_is_another_endpoint_since_a_scaled_one_keeps_its_machine() -> None:
    # "If the update would change the instance type for any model that is a target for auto scaling, the update fails": SageMaker Developer
    # Guide, "Update endpoints that use auto scaling". The target follows the name, so that it is made anew as well.
    resources = template("endpoint")["Resources"]
    _, _, on_instances = resources["Endpoint"]["Properties"]["EndpointName"]["Fn::If"]
    name, values = on_instances["Fn::Sub"]
    assert name == "${Name}-planner-${Type}"
    assert values == {"Type": {"Fn::Join": ["-", {"Fn::Split": [".", {"Ref": "InstanceType"}]}]}}
    assert "${Endpoint.EndpointName}" in text(resources["Instances"]["Properties"]["ResourceId"])
    longest = max(map(len, template("endpoint")["Parameters"]["InstanceType"]["AllowedValues"]))
    assert len("-planner-") + template("storage")["Parameters"]["Name"]["MaxLength"] + longest <= 63, "the longest name of an endpoint"


def test_more_instances_start_when_many_ask(deployed: Deployed) -> None:
    target, policy = read(deployed, "Instances"), read(deployed, "MoreWhenManyAsk")
    assert target["ResourceId"] == policy["ResourceId"] == f"endpoint/{STACK}-planner-ml-m5-large/variant/planner"
    assert target["ScalableDimension"] == policy["ScalableDimension"] == "sagemaker:variant:DesiredInstanceCount"
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)
    told = policy["TargetTrackingScalingPolicyConfiguration"]
    assert told["PredefinedMetricSpecification"] == {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    assert told["TargetValue"] == 300.0


def test_the_latest_count_of_instances_outlives_a_new_model() -> None:
    endpoint = template("endpoint")["Resources"]["Endpoint"]["Properties"]
    assert endpoint["RetainAllVariantProperties"] == {"Fn::If": ["Serverless", {"Ref": "AWS::NoValue"}, True]}


def test_training_may_use_the_key_as_a_job_with_a_key_of_its_output_and_volume_must() -> None:
    # CreateTrainingJob's execution role, in "How to use SageMaker AI execution roles", and OutputDataConfig in the API reference.
    found = statements("models", "TrainingRole")
    assert {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"} <= set(found["UseTheKey"]["Action"])
    assert found["VolumeUnderTheKey"]["Action"] == "kms:CreateGrant"


def test_training_reads_its_input_and_models_and_writes_its_output_alone() -> None:
    found = statements("models", "TrainingRole")
    buckets = {sid: statement for sid, statement in found.items() if "s3:" in str(statement["Action"])}
    places = {sid: [text(one).rpartition(":::")[2] for one in listed(each["Resource"])] for sid, each in buckets.items()}
    assert {sid: (listed(each["Action"]), places[sid]) for sid, each in buckets.items()} == {
        "SeeTheInput": (["s3:ListBucket"], ["${LakeBucket}"]),
        "ReadTheInput": (["s3:GetObject"], ["${LakeBucket}/training/input/*", "${LakeBucket}/lake/models/*/model.tar.gz"]),
        "WriteTheModel": (["s3:AbortMultipartUpload", "s3:PutObject"], ["${LakeBucket}/training/output/*"]),
    }
    assert buckets["SeeTheInput"]["Condition"] == {"StringLike": {"s3:prefix": ["training/input/*", "lake/models/*"]}}
    outputs = template("models")["Outputs"]
    assert text(outputs["TrainingInput"]["Value"]) == "s3://${LakeBucket}/training/input"
    assert text(outputs["TrainingOutput"]["Value"]) == "s3://${LakeBucket}/training/output"


def test_the_endpoint_reads_models_and_nothing_else() -> None:
    found = statements("endpoint", "EndpointRole")
    readable = {text(each).rpartition(":::")[2] for each in listed(found["ReadTheModel"]["Resource"])}
    assert readable == {"${LakeBucket}/lake/models/*/model.tar.gz", "${LakeBucket}/training/output/*/model.tar.gz"}
    actions = {action for statement in found.values() for action in listed(statement["Action"])}
    assert {action for action in actions if action.startswith("s3:")} == {"s3:GetObject"}
    assert not {action for action in actions if action.startswith(("athena:", "glue:", "secretsmanager:", "iam:", "sagemaker:"))}


def test_only_instances_get_a_volume_under_the_key_and_a_network(deployed: Deployed) -> None:
    serve, *others = template("endpoint")["Resources"]["EndpointRole"]["Properties"]["Policies"]
    granted = {action for statement in serve["PolicyDocument"]["Statement"] for action in listed(statement["Action"])}
    assert not {action for action in granted if action.startswith("ec2:")} | (granted & {"kms:CreateGrant"})
    conditions = {each["Fn::If"][1]["PolicyName"]: (each["Fn::If"][0], each["Fn::If"][2]) for each in others}
    nothing = {"Ref": "AWS::NoValue"}
    assert conditions == {"volume": ("OnInstances", nothing), "network": ("InVpc", nothing)}
    assert set(read(deployed, "EndpointRole")["policies"]) == {"serve", "volume", "network"}


def test_the_night_may_keep_models_in_the_lake() -> None:
    found = statements("pipeline", "NightRole")["WorkOnTheLake"]
    assert {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"} <= set(found["Action"])
    assert "${LakeBucket}/lake/*" in {text(each).rpartition(":::")[2] for each in found["Resource"]}, "models/ lies below lake/"


def test_analysts_read_silver_and_gold_and_change_nothing(deployed: Deployed) -> None:
    found = {statement["Sid"]: statement for statement in read(deployed, "AnalystPolicy", "catalog")["Statement"]}
    bucket = deployed.outputs["LakeBucket"]
    everything = {resource for statement in found.values() for resource in listed(statement["Resource"])}
    assert not {each for each in everything if "bronze" in each or "landing" in each or each.endswith("/lake/*")}
    prefix = f"arn:aws:s3:::{bucket}"
    assert set(found["ReadFiles"]["Resource"]) == {f"{prefix}/lake/tables/silver/*", f"{prefix}/lake/tables/gold/*"}
    writable = {sid for sid, statement in found.items() if {"s3:PutObject", "s3:DeleteObject"} & set(listed(statement["Action"]))}
    assert writable == {"KeepResults"}
    assert found["KeepResults"]["Resource"] == f"{prefix}/analysts/*"
    assert found["SeeFiles"]["Condition"] == {"StringLike": {"s3:prefix": ["lake/tables/silver/*", "lake/tables/gold/*", "analysts/*"]}}
    catalog = f"arn:aws:glue:{REGION}:123456789012"
    assert set(found["SeeTables"]["Resource"]) == {
        f"{catalog}:catalog",
        *(f"{catalog}:database/shop_prod_{layer}" for layer in ("silver", "gold")),
        *(f"{catalog}:table/shop_prod_{layer}/*" for layer in ("silver", "gold")),
    }
    assert {action.partition(":")[2][:3] for action in found["SeeTables"]["Action"]} == {"Get"}


def test_analysts_ask_through_a_workgroup_whose_results_only_they_read(deployed: Deployed) -> None:
    analysts, others = read(deployed, "Analysts", "catalog"), read(deployed, "Workgroup", "catalog")
    assert analysts["Name"] == deployed.outputs["AnalystWorkgroup"] == f"{STACK}-analysts"
    place = {group["Name"]: group["Configuration"]["ResultConfiguration"]["OutputLocation"] for group in (analysts, others)}
    assert place[f"{STACK}-analysts"].endswith("/analysts/")
    assert place[STACK].endswith("/athena/")
    assert analysts["Configuration"]["EnforceWorkGroupConfiguration"] is True
    (resource,) = listed(statements("catalog", "AnalystPolicy")["AskAthena"]["Resource"])
    assert text(resource).endswith("workgroup/${Analysts}")


def test_what_the_templates_name_is_in_the_api_of_sagemaker() -> None:
    """The emulator takes any instance; the API's own list is in boto3."""
    shape = boto3.client("sagemaker", region_name=REGION).meta.service_model.shape_for("ProductionVariantInstanceType")
    offered = template("endpoint")["Parameters"]["InstanceType"]["AllowedValues"]
    assert set(offered) - {""} <= set(shape.enum)
