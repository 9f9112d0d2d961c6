"""Deploys, plans and destroys the stack by the AWS CLI: `python infra/stack.py deploy|plan|destroy --stack NAME`.

Needs nothing but Python and `aws`. Everything about region and credentials is the CLI's own configuration.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from costs import PRICES, monthly, table

PROJECT = Path(__file__).resolve().parent.parent
CAPABILITIES = ("--capabilities", "CAPABILITY_NAMED_IAM")
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME = 20
KEPT_BY_AWS = ("aws", "ssm")
MOST_HOURS = 4
MOST_TRIES = 5


class Refused(Exception):
    """What was asked for cannot or must not be done; the text says why and what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    parser = argparse.ArgumentParser(description="Deploy, plan or destroy the stack by the AWS CLI.")
    parser.add_argument("command", choices=("deploy", "plan", "destroy"))
    parser.add_argument("--stack", required=True, help="name of the stack, and the beginning of every other name")
    parser.add_argument("--artifacts", default="", help="bucket in the same region for templates and zips (deploy, plan)")
    parser.add_argument("--parameters", default="", help="those of infra/cloudformation/root.yaml: 'Name=value Name=\"value with blanks\"'")
    parser.add_argument("--force", action="store_true", help="destroy data as well")
    given = parser.parse_args(arguments)
    try:
        _check_stack_name(given.stack)
        _check_cli()
        if given.command == "destroy":
            destroy(given.stack, given.force)
        elif not given.artifacts:
            raise Refused(
                "no bucket for templates and zips; name one of the same region: ARTIFACTS=my-bucket (make one by `aws s3 mb s3://my-bucket`)"
            )
        else:
            {"deploy": deploy, "plan": plan}[given.command](given.stack, given.artifacts, _parameters(given.parameters))
    except Refused as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    return 0


def deploy(stack: str, artifacts: str, parameters: dict[str, str]) -> None:
    """Make or change the stack; parameters that are not given keep their values."""
    overrides = ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())] if parameters else []
    with _packaged(stack, artifacts) as template:
        where = ["--s3-bucket", artifacts, "--s3-prefix", stack]
        deployed = _run("cloudformation", "deploy", "--stack-name", stack, "--template-file", str(template), *where,
             "--no-fail-on-empty-changeset", *CAPABILITIES, *overrides)  # fmt: skip
    if not _came_to_its_end(stack, deployed):
        _checked(deployed)
    for name, value in sorted(_outputs(stack).items()):
        _say(f"{name:<18}{value}")


def plan(stack: str, artifacts: str, parameters: dict[str, str]) -> None:
    """Show what a deploy would change, and what a month costs; changes nothing."""
    exists = _outputs(stack) is not None
    which = ("--stack-name", stack, "--change-set-name", "plan")
    with _packaged(stack, artifacts) as template:
        values: list[dict[str, Any]] = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
        kept = _kept_parameters(stack, template) - parameters.keys() if exists else ()
        values += [{"ParameterKey": name, "UsePreviousValue": True} for name in sorted(kept)]
        created = _run("cloudformation", "create-change-set", *which, "--template-body", template.as_uri(), "--include-nested-stacks",
             "--change-set-type", "UPDATE" if exists else "CREATE", "--parameters", json.dumps(values), *CAPABILITIES)  # fmt: skip
    if created.returncode and _nothing_to_do(created.stderr):
        _say(f"{stack}: no changes")
    else:
        _checked(created)
        try:
            _say(_changes(stack, *which))
        finally:
            _aws("cloudformation", "delete-change-set", *which)
            if not exists:
                # A deploy right after would find a stack that is going, and can neither make nor change it.
                _aws("cloudformation", "delete-stack", "--stack-name", stack)
                _aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", stack)
    _say(f"\nA month, by the assumptions and prices of {PRICES.relative_to(PROJECT)}:\n\n{table(monthly())}")


def destroy(stack: str, force: bool) -> None:
    """Remove the stack and what it leaves behind on purpose: buckets, registered models, the hash's key, the encryption key.

    Raises Refused while buckets hold objects, the queues events or the model group versions, unless forced.
    """
    outputs = _outputs(stack)
    if outputs is None:
        raise Refused(f"there is no stack {stack} in this region; expected one to destroy")
    data = [outputs[name] for name in ("LandingBucket", "LakeBucket") if name in outputs]
    found = [f"s3://{bucket} holds objects" for bucket in data if _versions(bucket, 1)]
    found += [f"the queue {name} holds events" for name in (f"{stack}-orders", f"{stack}-orders-dead") if _messages(name)]
    group = outputs.get("ModelGroup", "")
    found += [f"the model group {group} holds versions"] if _packages(group) else []
    if found and not force:
        raise Refused(f"{stack} is not destroyed, since data exists: {'; '.join(found)}. FORCE=1 destroys it for good")
    _aws("cloudformation", "delete-stack", "--stack-name", stack)
    _aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", stack)
    for bucket in data:
        if force:
            _empty(bucket)
        _remove(bucket)
        _say(f"removed s3://{bucket}")
    if logs := outputs.get("LogsBucket"):
        _empty(logs)
        _remove(logs, late=MOST_TRIES)
        _say(f"removed s3://{logs}, the access logs of both")
    if group:
        _remove_models(group)
        _say(f"removed the model group {group}")
    if secret := outputs.get("HashKeySecret"):
        _aws("secretsmanager", "delete-secret", "--secret-id", secret, "--force-delete-without-recovery")
        _say(f"removed {secret}")
    if key := outputs.get("KeyArn"):
        _aws("kms", "schedule-key-deletion", "--key-id", key.rpartition("/")[2], "--pending-window-in-days", "30")
        _say(f"{key} goes in 30 days; `aws kms cancel-key-deletion` keeps it")


def _check_stack_name(stack: str) -> None:
    if not NAME.fullmatch(stack) or len(stack) > LONGEST_NAME:
        raise Refused(
            f"the stack's name is {stack!r}; expected at most {LONGEST_NAME} lower-case letters, digits and single hyphens, "
            "since the names of buckets and jobs begin with it: STACK=salestech-prod"
        )
    if stack.startswith(KEPT_BY_AWS):
        raise Refused(
            f"the stack's name is {stack!r}, which begins with {stack[:3]}; expected another beginning, since AWS keeps parameters of such "
            "names to itself: STACK=salestech-prod"
        )


def _check_cli() -> None:
    if not shutil.which("aws"):
        raise Refused("the AWS CLI is not there: expected the command `aws`. https://aws.amazon.com/cli/ tells how to install it")
    if (
        not any(os.environ.get(name) for name in ("AWS_REGION", "AWS_DEFAULT_REGION"))
        and not _run("configure", "get", "region").stdout.strip()
    ):
        raise Refused("no region: name one by REGION=sa-east-1, or by `aws configure set region sa-east-1`")
    found = _run("sts", "get-caller-identity")
    if found.returncode:
        raise Refused(
            f"AWS does not know who asks ({_last_line(found.stderr)}); expected credentials, by `aws configure` or `aws sso login`"
        )


def _parameters(text: str) -> dict[str, str]:
    expected = "expected PARAMETERS='Name=value Name=\"value with blanks\"'"
    try:
        pairs = [each.partition("=") for each in shlex.split(text)]
    except ValueError as error:
        raise Refused(f"the parameters {text} cannot be read ({error}); {expected}") from error
    for name, equals, _ in pairs:
        if not equals:
            raise Refused(f"{name!r} is no parameter; {expected}")
    return {name: value for name, _, value in pairs}


@contextmanager
def _packaged(stack: str, artifacts: str) -> Iterator[Path]:
    """The root template after the CLI has put up nested templates and zips; without anything but our files in them."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in ("infra/cloudformation", "lambda"):
            shutil.copytree(PROJECT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*"))
        template = copy / "packaged.yaml"
        _aws("cloudformation", "package", "--template-file", str(copy / "infra/cloudformation/root.yaml"), "--s3-bucket", artifacts,
             "--s3-prefix", stack, "--output-template-file", str(template))  # fmt: skip
        yield template


def _came_to_its_end(stack: str, deployed: subprocess.CompletedProcess[str]) -> bool:
    """Whether a deploy was done in the end: the CLI calls it failed after an hour, in which an endpoint's new model may still bake."""
    if "Failed to create/update the stack" not in deployed.stderr:
        return not deployed.returncode
    hours = 0
    while (status := _status(stack)).endswith("_IN_PROGRESS"):
        if hours == MOST_HOURS:
            raise Refused(
                f"{stack} is still {status}, and is no longer waited for; `aws cloudformation describe-stacks` tells when it has ended"
            )
        which = "create" if status.startswith(("CREATE", "ROLLBACK")) else "update"
        _run("cloudformation", "wait", f"stack-{which}-complete", "--stack-name", stack)
        hours += 1
    return status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")


def _status(stack: str) -> str:
    (description,) = _json("cloudformation", "describe-stacks", "--stack-name", stack)["Stacks"]
    return str(description["StackStatus"])


def _outputs(stack: str) -> Any:
    """The outputs of a stack; None where there is no stack, or only one that was never made."""
    found = _run("cloudformation", "describe-stacks", "--stack-name", stack)
    if found.returncode and "does not exist" in found.stderr:
        return None
    (description,) = json.loads(_checked(found).stdout)["Stacks"]
    if description["StackStatus"] in ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE"):
        return None
    return {each["OutputKey"]: each["OutputValue"] for each in description.get("Outputs", [])}


def _kept_parameters(stack: str, template: Path) -> set[str]:
    """The parameters that both the stack and the template have."""
    declared = _json("cloudformation", "get-template-summary", "--template-body", template.as_uri()).get("Parameters", [])
    (description,) = _json("cloudformation", "describe-stacks", "--stack-name", stack)["Stacks"]
    return {each["ParameterKey"] for each in declared} & {each["ParameterKey"] for each in description.get("Parameters", [])}


def _changes(stack: str, *which: str) -> str:
    waited = _run("cloudformation", "wait", "change-set-create-complete", *which)
    found = _json("cloudformation", "describe-change-set", *which)
    if found["Status"] == "FAILED":
        reason = found.get("StatusReason", "")
        if _nothing_to_do(reason):
            return f"{stack}: no changes"
        raise Refused(f"the change set of {stack} failed: {reason}")
    _checked(waited)
    return "\n".join(_lines_of(found, ""))


def _nothing_to_do(reason: str) -> bool:
    return "didn't contain changes" in reason or "No updates are to be performed" in reason


def _lines_of(change_set: dict[str, Any], indent: str) -> Iterator[str]:
    for each in change_set.get("Changes", []):
        change = each["ResourceChange"]
        replaces = " (replaced)" if change.get("Replacement") == "True" else ""
        yield f"{indent}{change['Action']:<8}{change['ResourceType']:<36}{change['LogicalResourceId']}{replaces}"
        if nested := change.get("ChangeSetId"):
            yield from _lines_of(_json("cloudformation", "describe-change-set", "--change-set-name", nested), indent + "  ")


def _versions(bucket: str, most: int) -> list[dict[str, str]]:
    """Objects of a bucket with all their versions and delete markers, up to a number."""
    listed = _run("s3api", "list-object-versions", "--bucket", bucket, "--max-keys", str(most))
    if listed.returncode and "NoSuchBucket" in listed.stderr:
        return []
    found = json.loads(_checked(listed).stdout or "{}")
    everything = [*found.get("Versions", []), *found.get("DeleteMarkers", [])]
    return [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in everything]


def _empty(bucket: str) -> None:
    while versions := _versions(bucket, 500):
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump({"Objects": versions, "Quiet": True}, file)
            file.flush()
            errors = _json("s3api", "delete-objects", "--bucket", bucket, "--delete", Path(file.name).as_uri()).get("Errors")
        if errors:
            raise Refused(f"s3://{bucket}/{errors[0]['Key']} could not be deleted: {errors[0].get('Message', errors[0]['Code'])}")


def _remove(bucket: str, late: int = 0) -> None:
    """Remove an empty bucket; one that S3 puts access logs into, hours after what they tell of, is emptied again up to `late` times."""
    removed = _run("s3api", "delete-bucket", "--bucket", bucket)
    while late and "BucketNotEmpty" in removed.stderr:
        _empty(bucket)
        removed = _run("s3api", "delete-bucket", "--bucket", bucket)
        late -= 1
    if not (removed.returncode and "NoSuchBucket" in removed.stderr):
        _checked(removed)


def _packages(group: str) -> list[str]:
    """The registered versions of a group, none where it is gone."""
    if not group:
        return []
    listed = _run("sagemaker", "list-model-packages", "--model-package-group-name", group)
    if listed.returncode and "does not exist" in listed.stderr:
        return []
    return [each["ModelPackageArn"] for each in json.loads(_checked(listed).stdout).get("ModelPackageSummaryList", [])]


def _remove_models(group: str) -> None:
    for version in _packages(group):
        _aws("sagemaker", "delete-model-package", "--model-package-name", version)
    removed = _run("sagemaker", "delete-model-package-group", "--model-package-group-name", group)
    if not (removed.returncode and "does not exist" in removed.stderr):
        _checked(removed)


def _messages(queue: str) -> int:
    found = _run("sqs", "get-queue-url", "--queue-name", queue)
    if found.returncode and re.search("NonExistentQueue|QueueDoesNotExist", found.stderr):
        return 0
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    url = json.loads(_checked(found).stdout)["QueueUrl"]
    return sum(
        int(each) for each in _json("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", *names)["Attributes"].values()
    )


def _aws(*arguments: str) -> str:
    return _checked(_run(*arguments)).stdout


def _json(*arguments: str) -> Any:
    return json.loads(_aws(*arguments) or "{}")


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "AWS_PAGER": ""}
    # Version 1 of the CLI reads AWS_ENDPOINT_URL for most services, but not for SQS.
    where = ["--endpoint-url", os.environ["AWS_ENDPOINT_URL"]] if os.environ.get("AWS_ENDPOINT_URL") else []
    command = ["aws", *arguments, "--output", "json", *where]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603


def _checked(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    if done.returncode:
        raise Refused(f"`aws {' '.join(done.args[1:3])}` failed: {_last_line(done.stderr or done.stdout)}")
    return done


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "without a word").strip()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
