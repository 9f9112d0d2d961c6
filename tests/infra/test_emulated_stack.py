"""The stack, deployed to the emulator, asked for through each service's own API."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlparse

import pytest
from botocore.exceptions import ClientError
from tests.infra.conftest import PARAMETERS, STACK, Deployed
from tests.infra.packaging import template, template_names
from tests.infra.readers import ACCOUNT, READERS
from tests.support.cloud import REGION

EXECUTION = "d32c5aa9-1b2c-4d5e-8f90-0123456789ab"


def read(deployed: Deployed, logical: str) -> Any:
    (resource,) = (each for each in deployed.resources if each.logical == logical)
    return READERS[resource.kind](deployed.cloud, resource.physical)


def test_every_resource_of_every_template_was_made(deployed: Deployed) -> None:
    # moto knows neither themes nor analyses of QuickSight; tests/dashboards/quicksight checks that template.
    described = {(name, logical) for name in template_names() if name != "dashboards" for logical in template(name)["Resources"]}
    described.remove(("root", "Dashboards"))
    assert described == {(resource.template, resource.logical) for resource in deployed.resources}


def test_every_resource_is_read_back_from_its_own_service(deployed: Deployed) -> None:
    unknown = sorted({resource.kind for resource in deployed.resources} - set(READERS))
    assert not unknown, f"no reader for {', '.join(unknown)}; expected one in readers.py"
    missing = {}
    for resource in deployed.resources:
        try:
            assert READERS[resource.kind](deployed.cloud, resource.physical), resource
        except (ClientError, ValueError, AssertionError, KeyError) as error:
            missing[f"{resource.kind} {resource.logical}"] = str(error)
    assert missing == {}


def test_every_name_begins_with_the_name_of_the_stack(deployed: Deployed) -> None:
    given = {"AWS::ApiGatewayV2::", "AWS::Athena::NamedQuery", "AWS::KMS::Key", "AWS::Lambda::EventSourceMapping", "AWS::IAM::RolePolicy"}
    names = [each.physical for each in deployed.resources if not any(each.kind.startswith(kind) for kind in given)]
    assert [name for name in names if STACK not in name and STACK.replace("-", "_") not in name] == []


@pytest.mark.parametrize("bucket", ["Landing", "Lake"])
def test_a_bucket_with_data_is_encrypted_private_versioned_and_logged(deployed: Deployed, bucket: str) -> None:
    found = read(deployed, bucket)
    assert found["encryption"]["BucketKeyEnabled"] is True
    assert found["encryption"]["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": deployed.outputs["KeyArn"],
    }
    assert set(found["public"].values()) == {True}
    assert (found["versioning"], found["ownership"]) == ("Enabled", "BucketOwnerEnforced")
    assert found["logging"] == (deployed.outputs["LogsBucket"], f"{bucket.lower()}/")


def test_what_has_grown_old_goes_its_way(deployed: Deployed) -> None:
    landing, lake = read(deployed, "Landing")["lifecycle"], read(deployed, "Lake")["lifecycle"]
    assert landing["archived-by-then"]["Transitions"] == [{"Days": 30, "StorageClass": "STANDARD_IA"}]
    assert landing["archived-by-then"]["Expiration"] == {"Days": 180}
    assert lake["archive-cold"]["Filter"] == {"Prefix": "lake/archive/"}
    assert lake["archive-cold"]["Transitions"] == [{"Days": 90, "StorageClass": "GLACIER_IR"}]
    for rule, prefix, days in (
        ("query-results", "athena/", 7),
        ("analysts-results", "analysts/", 7),
        ("dashboards-results", "dashboards/results/", 7),
        ("training-input", "training/input/", 30),
        ("spark-scratch", "lake/scratch/", 7),
        ("spark-temporary", "glue/temporary/", 7),
    ):
        assert (lake[rule]["Filter"], lake[rule]["Expiration"]) == ({"Prefix": prefix}, {"Days": days})
    for rules in (landing, lake):
        assert rules["tidy"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
        assert rules["tidy"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


@pytest.mark.parametrize("bucket", ["LandingBucket", "LakeBucket", "LogsBucket"])
def test_a_bucket_takes_nothing_without_tls(deployed: Deployed, bucket: str) -> None:
    with pytest.raises(ClientError, match="403"):
        deployed.cloud.client("s3").put_object(Bucket=deployed.outputs[bucket], Key="x", Body=b"")


def test_the_key_turns_each_year(deployed: Deployed) -> None:
    assert read(deployed, "Key")["rotates"] is True


def test_a_message_that_kills_its_function_is_tried_twice_more_and_then_set_aside(deployed: Deployed) -> None:
    queue, dead = read(deployed, "Orders"), read(deployed, "DeadOrders")
    function = read(deployed, "LandOrders")["Configuration"]
    redrive = json.loads(queue["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"] == dead["QueueArn"]
    assert int(redrive["maxReceiveCount"]) == int(function["Environment"]["Variables"]["ATTEMPTS"]) + 2
    assert int(queue["VisibilityTimeout"]) >= 6 * function["Timeout"] + 60
    assert queue["KmsMasterKeyId"] == dead["KmsMasterKeyId"] == deployed.outputs["KeyArn"]


def test_the_functions_know_their_places(deployed: Deployed) -> None:
    land, poll = (read(deployed, name)["Configuration"] for name in ("LandOrders", "PollOrders"))
    assert land["Environment"]["Variables"] == {
        "LANDING": f"s3://{deployed.outputs['LandingBucket']}",
        "DEAD_LETTERS": deployed.physical("DeadOrders"),
        "ATTEMPTS": "3",
    }
    assert poll["Environment"]["Variables"] == {
        "ORDERS_API_URL": PARAMETERS["OrdersApiUrl"],
        "CURSOR_PARAMETER": f"/{STACK}/orders-cursor",
        "TOKEN_SECRET": deployed.outputs["TokenSecret"],
        "QUEUE_URL": deployed.physical("Orders"),
        "SOURCE": "erp_br",
    }
    for function in (land, poll):
        assert (function["Handler"], function["Architectures"]) == ("handler.handler", ["arm64"])
        assert function["CodeSize"] > 0


def test_the_queue_feeds_the_function_in_batches_that_may_fail_in_part(deployed: Deployed) -> None:
    mapping = read(deployed, "LandOrdersFromQueue")
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (500, 30)
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 5}


def test_a_poll_that_failed_is_tried_again_by_the_next_one_alone(deployed: Deployed) -> None:
    # The scheduler calls a function asynchronously, and of such a call Lambda makes three where the first two fail, and keeps it for six
    # hours where there is no room (Lambda Developer Guide, "Using Lambda with EventBridge Scheduler" and "Asynchronous invocation").
    assert read(deployed, "PollOnSchedule")["Target"]["Arn"].rpartition(":")[2] == deployed.physical("PollOrders")
    tries = read(deployed, "PollOrdersOnce")
    assert (tries["MaximumRetryAttempts"], tries["MaximumEventAgeInSeconds"]) == (0, 60)


def test_the_api_asks_for_a_token_and_sends_the_body_to_the_queue(deployed: Deployed) -> None:
    route, integration, stage = (read(deployed, name) for name in ("PostEvents", "OrdersApiToQueue", "OrdersApiStage"))
    assert (route["RouteKey"], route["AuthorizationType"]) == ("POST /events", "JWT")
    assert route["AuthorizerId"] == deployed.physical("OrdersApiTokens")
    assert read(deployed, "OrdersApiTokens")["JwtConfiguration"] == {"Issuer": PARAMETERS["JwtIssuer"], "Audience": ["orders"]}
    assert integration["IntegrationSubtype"] == "SQS-SendMessage"
    assert integration["RequestParameters"] == {"QueueUrl": deployed.physical("Orders"), "MessageBody": "$request.body"}
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": 100.0, "ThrottlingBurstLimit": 200}
    assert "body" not in stage["AccessLogSettings"]["Format"].lower()
    assert json.loads(stage["AccessLogSettings"]["Format"])


def test_the_secrets_are_made_where_nobody_reads_them(deployed: Deployed) -> None:
    secrets = deployed.cloud.client("secretsmanager")
    key = secrets.get_secret_value(SecretId=deployed.outputs["HashKeySecret"])["SecretString"]
    assert len(key) == 64
    assert key.isalnum()
    with pytest.raises(ClientError, match="ResourceNotFound"):
        secrets.get_secret_value(SecretId=deployed.outputs["TokenSecret"])


def test_the_night_begins_by_the_clock_of_sao_paulo(deployed: Deployed) -> None:
    schedule = read(deployed, "NightOnSchedule")
    assert (schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]) == ("cron(0 3 * * ? *)", "America/Sao_Paulo")
    assert schedule["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    assert schedule["State"] == "ENABLED"
    assert schedule["Target"]["Arn"] == "arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob"


def test_what_the_schedule_sends_starts_a_job(deployed: Deployed) -> None:
    target = read(deployed, "NightOnSchedule")["Target"]
    request = json.loads(target["Input"].replace("<aws.scheduler.execution-id>", EXECUTION))
    assert len(request["ProcessingJobName"]) <= 63
    sagemaker = deployed.cloud.client("sagemaker")  # boto3 refuses a request whose keys or types the API does not have
    sagemaker.create_processing_job(**request)
    job = sagemaker.describe_processing_job(ProcessingJobName=f"{STACK}-night-{EXECUTION}")
    assert job["AppSpecification"]["ContainerEntrypoint"] == ["sales-tech", "night"]
    assert job["AppSpecification"]["ImageUri"] == f"{deployed.outputs['RepositoryUri']}:{PARAMETERS['ImageTag']}"
    assert request["Environment"] == {
        "AWS_DEFAULT_REGION": REGION,
        "SALES_TECH_ENV": "aws",
        "SALES_TECH_LAKE": f"s3://{STACK}-lake-{ACCOUNT}-{REGION}/lake",
        "SALES_TECH_LANDING": f"s3://{STACK}-landing-{ACCOUNT}-{REGION}",
        "SALES_TECH_DATABASE_PREFIX": "shop_prod_",
        "SALES_TECH_WORKGROUP": STACK,
        "SALES_TECH_HASH_KEY_SECRET": deployed.outputs["HashKeySecret"],
        "SALES_TECH_MEMORY_LIMIT": "10GB",
    }
    assert job["NetworkConfig"]["VpcConfig"] == {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}


def test_the_longest_stack_name_still_makes_a_job_name() -> None:
    longest = template("storage")["Parameters"]["Name"]["MaxLength"]
    assert longest + len(f"-night-{EXECUTION}") <= 63, "SageMaker takes 63 characters"
    assert longest + len(f"-landing-{ACCOUNT}-ap-southeast-1") <= 63, "S3 takes 63 characters"


def test_athena_stops_a_query_that_scans_too_much_and_encrypts_its_result(deployed: Deployed) -> None:
    configuration = read(deployed, "Workgroup")["Configuration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["BytesScannedCutoffPerQuery"] == 100 * 2**30
    assert configuration["EngineVersion"]["SelectedEngineVersion"] == "Athena engine version 3"
    result = configuration["ResultConfiguration"]
    assert urlparse(result["OutputLocation"])[1:3] == (deployed.outputs["LakeBucket"], "/athena/")
    assert result["EncryptionConfiguration"] == {"EncryptionOption": "SSE_KMS", "KmsKey": deployed.outputs["KeyArn"]}


def test_images_stay_as_they_were_pushed_and_are_scanned(deployed: Deployed) -> None:
    images = read(deployed, "Images")
    assert images["imageTagMutability"] == "IMMUTABLE"
    assert images["imageScanningConfiguration"] == {"scanOnPush": True}
    assert [rule["selection"]["tagStatus"] for rule in images["lifecycle"]["rules"]] == ["untagged"]


def test_logs_are_encrypted_and_do_not_stay_for_ever(deployed: Deployed) -> None:
    groups = [read(deployed, each.logical) for each in deployed.resources if each.kind == "AWS::Logs::LogGroup"]
    assert len(groups) == 5
    assert {(group["retentionInDays"], group["kmsKeyId"]) for group in groups} == {(30, deployed.outputs["KeyArn"])}


def test_every_alarm_tells_the_topic(deployed: Deployed) -> None:
    alarms = [read(deployed, each.logical) for each in deployed.resources if each.kind == "AWS::CloudWatch::Alarm"]
    names = {"dead-letters", "old-messages", "failed-night", "night-not-started", "no-successful-night"}
    names |= {"endpoint-failures", "endpoint-slow", "failed-poll", "lines-not-started"}
    assert {alarm["AlarmName"] for alarm in alarms} == {f"{STACK}-{name}" for name in names}
    assert all(alarm["AlarmActions"] == [deployed.outputs["AlarmTopic"]] for alarm in alarms)


def test_a_start_that_the_scheduler_gave_up_is_an_alarm_for_each_of_its_jobs(deployed: Deployed) -> None:
    watched = {}
    for alarm in ("NightNotStarted", "LinesNotStarted"):
        found = read(deployed, alarm)
        assert (found["Namespace"], found["MetricName"]) == ("AWS/Scheduler", "InvocationDroppedCount")
        watched[alarm] = found["Dimensions"]
    groups = {"NightNotStarted": f"{STACK}-night", "LinesNotStarted": f"{STACK}-lines"}
    assert watched == {alarm: [{"Name": "ScheduleGroup", "Value": group}] for alarm, group in groups.items()}


def test_a_poll_that_failed_is_an_alarm_since_nothing_else_shows_that_orders_stay_away(deployed: Deployed) -> None:
    alarm = read(deployed, "FailedPoll")
    assert (alarm["Namespace"], alarm["MetricName"], alarm["TreatMissingData"]) == ("AWS/Lambda", "Errors", "notBreaching")
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": deployed.physical("PollOrders")}]


def test_twenty_six_hours_without_a_night_are_an_alarm(deployed: Deployed) -> None:
    alarm = read(deployed, "NoSuccessfulNight")
    (metric,) = (each["MetricStat"] for each in alarm["Metrics"] if "MetricStat" in each)
    assert alarm["EvaluationPeriods"] * metric["Period"] == 26 * 3600
    assert (alarm["ComparisonOperator"], alarm["Threshold"], alarm["TreatMissingData"]) == ("LessThanThreshold", 1.0, "breaching")
    assert alarm["ActionsEnabled"] is True
    rule = metric["Metric"]["Dimensions"][0]["Value"]
    assert read(deployed, "NightSucceeded")["pattern"]["detail"] == {
        "ProcessingJobName": [{"prefix": f"{STACK}-night-"}],
        "ProcessingJobStatus": ["Completed"],
    }
    assert rule == deployed.physical("NightSucceeded")


def test_a_failed_night_is_told_by_its_name(deployed: Deployed) -> None:
    rule = read(deployed, "NightFailed")
    assert rule["pattern"]["detail"]["ProcessingJobStatus"] == ["Failed", "Stopped"]
    assert [target["Arn"] for target in rule["targets"]] == [deployed.outputs["AlarmTopic"]]


def test_the_dashboard_shows_what_there_is(deployed: Deployed) -> None:
    names = {each.physical for each in deployed.resources}
    queues = {f"{STACK}-orders", f"{STACK}-orders-dead"}
    shown = [metric for widget in read(deployed, "Dashboard")["widgets"] for metric in widget["properties"].get("metrics", [])]
    assert len(shown) == 13
    assert [metric for metric in shown if metric[3] not in names | queues] == []
