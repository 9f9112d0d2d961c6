"""Removes a stack, and what CloudFormation leaves behind of it on purpose."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from cli import Refused, answer, call, checked, outputs_of, say, tried

MOST_TRIES = 5
KEPT = {
    ("AWS::S3::Bucket", "Landing"): "LandingBucket",
    ("AWS::S3::Bucket", "Lake"): "LakeBucket",
    ("AWS::S3::Bucket", "Logs"): "LogsBucket",
    ("AWS::SageMaker::ModelPackageGroup", "Planners"): "ModelGroup",
    ("AWS::KMS::Key", "Key"): "KeyArn",
    ("AWS::SecretsManager::Secret", "HashKey"): "HashKeySecret",
}
"""What the templates keep when the stack goes, and the outputs that tell of it."""

ASKED = {
    **dict.fromkeys(("LandingBucket", "LakeBucket", "LogsBucket"), (("s3api", "head-bucket", "--bucket"), r"\(404\)")),
    "ModelGroup": (("sagemaker", "describe-model-package-group", "--model-package-group-name"), "does not exist"),
    "HashKeySecret": (("secretsmanager", "describe-secret", "--secret-id"), "ResourceNotFound"),
}
"""How it is asked whether they are there, and what the answer says where they are not."""


def destroy(stack: str, force: bool) -> None:
    """Remove the stack and what it leaves behind on purpose: buckets, registered models, the encryption key, the hash's key.

    A stack that is gone already, since this stopped half way, is known by what CloudFormation tells of it for 90 days.
    Raises Refused while buckets hold objects, the queues events or the model group versions, unless forced.
    """
    outputs = outputs_of(stack)
    left = _left_by(stack) if outputs is None else outputs
    if left is None:
        raise Refused(f"there is no stack {stack} in this region, and nothing that one left behind; expected one to destroy")
    data = [left[name] for name in ("LandingBucket", "LakeBucket") if name in left]
    found = [f"s3://{bucket} holds objects" for bucket in data if _versions(bucket, 1)]
    found += [f"the queue {name} holds events" for name in (f"{stack}-orders", f"{stack}-orders-dead") if _messages(name)]
    group = left.get("ModelGroup", "")
    found += [f"the model group {group} holds versions"] if _packages(group) else []
    if found and not force:
        raise Refused(f"{stack} is not destroyed, since data exists: {'; '.join(found)}. FORCE=1 destroys it for good")
    if outputs is not None:
        call("cloudformation", "delete-stack", "--stack-name", stack)
        call("cloudformation", "wait", "stack-delete-complete", "--stack-name", stack)
    for bucket in data:
        if force:
            _empty(bucket)
        _remove(bucket)
        say(f"removed s3://{bucket}")
    if logs := left.get("LogsBucket"):
        _empty(logs)
        _remove(logs, late=MOST_TRIES)
        say(f"removed s3://{logs}, the access logs of both")
    if group:
        _remove_models(group)
        say(f"removed the model group {group}")
    if key := left.get("KeyArn"):
        _let_go(key)
    # Last, since it tells a destroy that is begun again that there is something to do; the key does not, which may be kept on purpose.
    if secret := left.get("HashKeySecret"):
        call("secretsmanager", "delete-secret", "--secret-id", secret, "--force-delete-without-recovery")
        say(f"removed {secret}")


def _left_by(stack: str) -> dict[str, str] | None:
    """What the last stack of this name that is gone left behind, by the names of its outputs; None where nothing of it is there."""
    gone = answer("cloudformation", "list-stacks", "--stack-status-filter", "DELETE_COMPLETE")["StackSummaries"]
    same = [each for each in gone if each["StackName"] == stack]
    for each in sorted(same, key=lambda one: str(one.get("DeletionTime", "")), reverse=True):
        parts = [part["PhysicalResourceId"] for part in _resources(each["StackId"]) if part["ResourceType"] == "AWS::CloudFormation::Stack"]
        resources = [resource for part in parts for resource in _resources(part) if resource["ResourceStatus"] != "DELETE_COMPLETE"]
        left = {
            name: found["PhysicalResourceId"]
            for found in resources
            if (name := KEPT.get((found["ResourceType"], found["LogicalResourceId"])))
        }
        if any(_is_there(name, left[name]) for name in left.keys() & ASKED.keys()):
            return left
    return None


def _resources(stack_id: str) -> list[dict[str, str]]:
    """The resources that a stack made, which is told of one that is gone too."""
    found = answer("cloudformation", "list-stack-resources", "--stack-name", stack_id)["StackResourceSummaries"]
    return [each for each in found if each.get("PhysicalResourceId")]


def _is_there(name: str, physical: str) -> bool:
    command, gone = ASKED[name]
    found = tried(*command, physical)
    if found.returncode and re.search(gone, found.stderr):
        return False
    # A secret that was deleted is still described for a while.
    return "DeletedDate" not in checked(found).stdout


def _let_go(key: str) -> None:
    """Have the key deleted in 30 days, if that is not to be already."""
    scheduled = tried("kms", "schedule-key-deletion", "--key-id", key.rpartition("/")[2], "--pending-window-in-days", "30")
    if not (scheduled.returncode and "KMSInvalidState" in scheduled.stderr):
        checked(scheduled)
    say(f"{key} goes in 30 days; `aws kms cancel-key-deletion` keeps it")


def _versions(bucket: str, most: int) -> list[dict[str, str]]:
    """Objects of a bucket with all their versions and delete markers, up to a number."""
    listed = tried("s3api", "list-object-versions", "--bucket", bucket, "--max-keys", str(most))
    if listed.returncode and "NoSuchBucket" in listed.stderr:
        return []
    found = json.loads(checked(listed).stdout or "{}")
    everything = [*found.get("Versions", []), *found.get("DeleteMarkers", [])]
    return [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in everything]


def _empty(bucket: str) -> None:
    while versions := _versions(bucket, 500):
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump({"Objects": versions, "Quiet": True}, file)
            file.flush()
            errors = answer("s3api", "delete-objects", "--bucket", bucket, "--delete", Path(file.name).as_uri()).get("Errors")
        if errors:
            raise Refused(f"s3://{bucket}/{errors[0]['Key']} could not be deleted: {errors[0].get('Message', errors[0]['Code'])}")


def _remove(bucket: str, late: int = 0) -> None:
    """Remove an empty bucket; one that S3 puts access logs into, hours after what they tell of, is emptied again up to `late` times."""
    removed = tried("s3api", "delete-bucket", "--bucket", bucket)
    while late and "BucketNotEmpty" in removed.stderr:
        _empty(bucket)
        removed = tried("s3api", "delete-bucket", "--bucket", bucket)
        late -= 1
    if not (removed.returncode and "NoSuchBucket" in removed.stderr):
        checked(removed)


def _packages(group: str) -> list[str]:
    """The registered versions of a group, none where it is gone."""
    if not group:
        return []
    listed = tried("sagemaker", "list-model-packages", "--model-package-group-name", group)
    if listed.returncode and "does not exist" in listed.stderr:
        return []
    return [each["ModelPackageArn"] for each in json.loads(checked(listed).stdout).get("ModelPackageSummaryList", [])]


def _remove_models(group: str) -> None:
    for version in _packages(group):
        call("sagemaker", "delete-model-package", "--model-package-name", version)
    removed = tried("sagemaker", "delete-model-package-group", "--model-package-group-name", group)
    if not (removed.returncode and "does not exist" in removed.stderr):
        checked(removed)


def _messages(queue: str) -> int:
    found = tried("sqs", "get-queue-url", "--queue-name", queue)
    if found.returncode and re.search("NonExistentQueue|QueueDoesNotExist", found.stderr):
        return 0
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    url = json.loads(checked(found).stdout)["QueueUrl"]
    return sum(
        int(each) for each in answer("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", *names)["Attributes"].values()
    )
