"""Deploys, plans and destroys the stack by the AWS CLI: `python infra/stack.py deploy|plan|destroy --stack NAME`.

Needs nothing but Python and `aws`. Everything about region and credentials is the CLI's own configuration.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli import Refused, answer, call, checked, last_line, outputs_of, say, tried
from costs import PRICES, monthly, table
from removal import destroy

PROJECT = Path(__file__).resolve().parent.parent
CAPABILITIES = ("--capabilities", "CAPABILITY_NAMED_IAM")
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME = 20
KEPT_BY_AWS = ("aws", "ssm")
MOST_HOURS = 4


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
        deployed = tried("cloudformation", "deploy", "--stack-name", stack, "--template-file", str(template), *where,
             "--no-fail-on-empty-changeset", *CAPABILITIES, *overrides)  # fmt: skip
    if not _came_to_its_end(stack, deployed):
        checked(deployed)
    outputs = outputs_of(stack)
    width = max(map(len, outputs), default=0)
    for name, value in sorted(outputs.items()):
        say(f"{name:<{width}} {value}")


def plan(stack: str, artifacts: str, parameters: dict[str, str]) -> None:
    """Show what a deploy would change, and what a month costs; changes nothing."""
    exists = outputs_of(stack) is not None
    # A name of its own: one that was killed leaves its change set behind.
    which = ("--stack-name", stack, "--change-set-name", f"plan-{secrets.token_hex(4)}")
    with _packaged(stack, artifacts) as template:
        values: list[dict[str, Any]] = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
        kept = _kept_parameters(stack, template) - parameters.keys() if exists else ()
        values += [{"ParameterKey": name, "UsePreviousValue": True} for name in sorted(kept)]
        created = tried("cloudformation", "create-change-set", *which, "--template-body", template.as_uri(), "--include-nested-stacks",
             "--change-set-type", "UPDATE" if exists else "CREATE", "--parameters", json.dumps(values), *CAPABILITIES)  # fmt: skip
    if created.returncode and _nothing_to_do(created.stderr):
        say(f"{stack}: no changes")
    else:
        checked(created)
        try:
            say(_changes(stack, *which))
        finally:
            call("cloudformation", "delete-change-set", *which)
            if not exists and outputs_of(stack) is None:  # it may have been deployed by somebody else meanwhile
                # A deploy right after would find a stack that is going, and can neither make nor change it.
                call("cloudformation", "delete-stack", "--stack-name", stack)
                call("cloudformation", "wait", "stack-delete-complete", "--stack-name", stack)
    say(f"\nA month, by the assumptions and prices of {PRICES.relative_to(PROJECT)}:\n\n{table(monthly())}")


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
        and not tried("configure", "get", "region").stdout.strip()
    ):
        raise Refused("no region: name one by REGION=sa-east-1, or by `aws configure set region sa-east-1`")
    found = tried("sts", "get-caller-identity")
    if found.returncode:
        raise Refused(
            f"AWS does not know who asks ({last_line(found.stderr)}); expected credentials, by `aws configure` or `aws sso login`"
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
        call("cloudformation", "package", "--template-file", str(copy / "infra/cloudformation/root.yaml"), "--s3-bucket", artifacts,
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
        tried("cloudformation", "wait", f"stack-{which}-complete", "--stack-name", stack)
        hours += 1
    return status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")


def _status(stack: str) -> str:
    (description,) = answer("cloudformation", "describe-stacks", "--stack-name", stack)["Stacks"]
    return str(description["StackStatus"])


def _kept_parameters(stack: str, template: Path) -> set[str]:
    """The parameters that both the stack and the template have."""
    declared = answer("cloudformation", "get-template-summary", "--template-body", template.as_uri()).get("Parameters", [])
    (description,) = answer("cloudformation", "describe-stacks", "--stack-name", stack)["Stacks"]
    return {each["ParameterKey"] for each in declared} & {each["ParameterKey"] for each in description.get("Parameters", [])}


def _changes(stack: str, *which: str) -> str:
    waited = tried("cloudformation", "wait", "change-set-create-complete", *which)
    found = answer("cloudformation", "describe-change-set", *which)
    if found["Status"] == "FAILED":
        reason = found.get("StatusReason", "")
        if _nothing_to_do(reason):
            return f"{stack}: no changes"
        raise Refused(f"the change set of {stack} failed: {reason}")
    checked(waited)
    return "\n".join(_lines_of(found, ""))


def _nothing_to_do(reason: str) -> bool:
    return "didn't contain changes" in reason or "No updates are to be performed" in reason


def _lines_of(change_set: dict[str, Any], indent: str) -> Iterator[str]:
    for each in change_set.get("Changes", []):
        change = each["ResourceChange"]
        replaces = " (replaced)" if change.get("Replacement") == "True" else ""
        yield f"{indent}{change['Action']:<8}{change['ResourceType']:<36}{change['LogicalResourceId']}{replaces}"
        if nested := change.get("ChangeSetId"):
            yield from _lines_of(answer("cloudformation", "describe-change-set", "--change-set-name", nested), indent + "  ")


if __name__ == "__main__":
    sys.exit(main())
