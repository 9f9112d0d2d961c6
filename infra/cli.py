"""The AWS CLI as a program asks it: what it answers, and its failures in words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any


class Refused(Exception):
    """What was asked for cannot or must not be done; the text says why and what to do."""


def call(*arguments: str) -> str:
    """What a command writes; Refused where it fails."""
    return checked(tried(*arguments)).stdout


def answer(*arguments: str) -> Any:
    """The same as data."""
    return json.loads(call(*arguments) or "{}")


def tried(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command that may fail."""
    environment = {**os.environ, "AWS_PAGER": ""}
    # Version 1 of the CLI reads AWS_ENDPOINT_URL for most services, but not for SQS.
    where = ["--endpoint-url", os.environ["AWS_ENDPOINT_URL"]] if os.environ.get("AWS_ENDPOINT_URL") else []
    command = ["aws", *arguments, "--output", "json", *where]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603


def checked(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    """A command that did not fail; Refused, with the last line that it wrote, where it did."""
    if done.returncode:
        raise Refused(f"`aws {' '.join(done.args[1:3])}` failed: {last_line(done.stderr or done.stdout)}")
    return done


def last_line(text: str) -> str:
    """The last line of a text in which there is anything."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "without a word").strip()


def say(text: str) -> None:
    """Tell whoever runs the program."""
    sys.stdout.write(f"{text}\n")


def outputs_of(stack: str) -> Any:
    """The outputs of a stack; None where there is no stack, or only one that was never made."""
    found = tried("cloudformation", "describe-stacks", "--stack-name", stack)
    if found.returncode and "does not exist" in found.stderr:
        return None
    (description,) = json.loads(checked(found).stdout)["Stacks"]
    if description["StackStatus"] in ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE"):
        return None
    return {each["OutputKey"]: each["OutputValue"] for each in description.get("Outputs", [])}
