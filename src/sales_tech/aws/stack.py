"""A stack of CloudFormation: what it made, what it was made from, and a change of that."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError, WaiterError

from sales_tech.aws.connection import Connection, code_of, in_words
from sales_tech.errors import LakeError

_POLL = {"Delay": 15, "MaxAttempts": 960}  # four hours: the endpoint has two for a new model, and may need as long to put the old one back


class _Outputs(dict[str, str]):
    def __init__(self, stack: str, told: dict[str, str]) -> None:
        super().__init__(told)
        self._stack = stack

    def __missing__(self, name: str) -> str:
        raise LakeError(f"the stack {self._stack} has no output {name}; it was deployed from older templates, so run `make deploy` again")


class Stack:
    """The stack of one lake, by its name."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.connection, self.name = connection, name

    @property
    def outputs(self) -> dict[str, str]:
        """What the stack tells of what it made, as it is now; LakeError for a name that it does not tell of."""
        return _Outputs(self.name, {each["OutputKey"]: each["OutputValue"] for each in self._described().get("Outputs", [])})

    @property
    def parameters(self) -> dict[str, str]:
        """What the stack was made from, as it is now."""
        return {each["ParameterKey"]: each["ParameterValue"] for each in self._described().get("Parameters", [])}

    def output(self, name: str) -> str:
        """One output; LakeError where the stack has none of that name."""
        return self.outputs[name]

    def change(self, changed: dict[str, str], poll: dict[str, int] | None = None) -> bool:
        """Give parameters other values, keep all others, and wait until it is done; False where nothing was to be done.

        LakeError, with the first reason that CloudFormation gives, where the change failed, and whether the stack is as it was before; and
        where it lasts longer than is waited for.
        """
        kept = self.parameters.keys() - changed.keys()
        values: list[dict[str, Any]] = [{"ParameterKey": key, "ParameterValue": value} for key, value in changed.items()]
        values += [{"ParameterKey": key, "UsePreviousValue": True} for key in sorted(kept)]
        client = self.connection.client("cloudformation")
        with in_words(f"changing the stack {self.name}"):
            try:
                client.update_stack(StackName=self.name, UsePreviousTemplate=True, Parameters=values, Capabilities=["CAPABILITY_NAMED_IAM"])
            except ClientError as error:
                if "No updates are to be performed" in str(error):
                    return False
                raise
            try:
                client.get_waiter("stack_update_complete").wait(StackName=self.name, WaiterConfig=poll or _POLL)
            except WaiterError as error:
                status = self._described()["StackStatus"]
                if status != "UPDATE_COMPLETE":
                    raise LakeError(_said(client, self.name, status)) from error
        return True

    def _described(self) -> dict[str, Any]:
        with in_words(f"reading the stack {self.name}"):
            try:
                (found,) = self.connection.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
            except ClientError as error:
                if code_of(error) != "ValidationError":
                    raise
                raise LakeError(f"there is no stack {self.name} in {self.connection.region}; deploy it, or name another") from error
        described: dict[str, Any] = found
        return described


def _said(client: Any, name: str, status: str) -> str:
    """How a stack stands whose change is not done, and what to do."""
    if status.endswith("_IN_PROGRESS"):
        return (
            f"the stack {name} is still {status} and is no longer waited for; CloudFormation goes on by itself. "
            f"`aws cloudformation describe-stacks --stack-name {name}` tells when it has ended, and which parameters hold"
        )
    if status == "UPDATE_ROLLBACK_COMPLETE":
        rest = "its old parameters hold"
    else:
        again = f"aws cloudformation continue-update-rollback --stack-name {name}"
        rest = f"it could not be put back either: see to what its events tell, then run `{again}`"
    return f"the stack {name} is {status}: {_reason(client, name)}; {rest}"


def _reason(client: Any, name: str) -> str:
    """The earliest failure of the last change, looked for in the nested stack where that is what failed."""
    failed = []
    for event in client.describe_stack_events(StackName=name)["StackEvents"]:  # the latest first
        if event["ResourceStatus"].endswith("FAILED"):
            failed.append(event)
        if event["ResourceStatus"] == "UPDATE_IN_PROGRESS" and event["PhysicalResourceId"] == event["StackId"]:
            break
    if not failed:
        return "CloudFormation gives no reason"
    first = failed[-1]
    if first["ResourceType"] == "AWS::CloudFormation::Stack" and first["PhysicalResourceId"] not in ("", first["StackId"]):
        return _reason(client, first["PhysicalResourceId"])
    return f"{first['LogicalResourceId']}: {first.get('ResourceStatusReason', 'no reason given')}"
