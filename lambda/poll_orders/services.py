"""The AWS services that polling needs: the token's secret, the cursor's parameter, and the queue."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_MOST_MESSAGES = 10
_MOST_BYTES = 256 * 1024
_ROUNDS = 6
_TOKEN = re.compile(r"[!-~]+")


class NotPolled(Exception):
    """Polling stopped before its end; the text says where, what was found, and what was expected."""


def read_token(secret: str) -> str:
    """The API's token."""
    with _errors(f"reading the secret {secret}"):
        text = _clients().secrets.get_secret_value(SecretId=secret).get("SecretString", "")
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    token = found.get("token") if isinstance(found, dict) else text.strip()
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise NotPolled(f"the secret {secret} holds no token; expected printable text without blanks, or JSON with such a text as `token`")
    return token


def read_cursor(parameter: str) -> str | None:
    """The text of the cursor's parameter, None where it is not there yet."""
    from botocore.exceptions import ClientError

    with _errors(f"reading the parameter {parameter}"):
        try:
            return str(_clients().ssm.get_parameter(Name=parameter)["Parameter"]["Value"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "ParameterNotFound":
                return None
            raise


def write_cursor(parameter: str, text: str) -> None:
    """Remember how far polling came."""
    with _errors(f"writing the parameter {parameter}"):
        _clients().ssm.put_parameter(Name=parameter, Value=text, Type="String", Overwrite=True)


def send(queue: str, events: list[str]) -> None:
    """Put all events on the queue; what SQS does not take at once is tried again. Raises NotPolled."""
    for batch in _batches(events):
        waiting = {str(number): text for number, text in enumerate(batch)}
        for tries in range(_ROUNDS):
            if tries:
                time.sleep(random.uniform(0, 0.1 * 2**tries))  # noqa: S311 (spreads retries, guards nothing)
            with _errors(f"sending to {queue}"):
                entries = [{"Id": number, "MessageBody": text} for number, text in waiting.items()]
                failed = _clients().sqs.send_message_batch(QueueUrl=queue, Entries=entries).get("Failed", [])
            waiting = {entry["Id"]: waiting[entry["Id"]] for entry in failed}
            if not waiting or any(entry["SenderFault"] for entry in failed):
                break
        if waiting:
            codes = ", ".join(sorted({entry["Code"] for entry in failed}))
            raise NotPolled(
                f"sending to {queue}: {len(waiting)} of {len(batch)} events were not taken ({codes}); the cursor stays before them"
            )


def _batches(events: list[str]) -> Iterator[list[str]]:
    """Events in order, as many together as SQS takes in one call; an event is ASCII, so characters are bytes."""
    batch: list[str] = []
    size = 0
    for event in events:
        if batch and (len(batch) == _MOST_MESSAGES or size + len(event) > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += len(event)
    if batch:
        yield batch


class _Clients:
    """One client of each service, made when the function first needs one."""

    def __init__(self) -> None:
        import boto3
        from botocore.config import Config

        config = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})
        self.secrets: Any = boto3.client("secretsmanager", config=config)
        self.ssm: Any = boto3.client("ssm", config=config)
        self.sqs: Any = boto3.client("sqs", config=config)


_clients = cache(_Clients)


@contextmanager
def _errors(doing: str) -> Iterator[None]:
    """Turn what boto3 raises into NotPolled that says what was being done."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        found = error.response["Error"]
        raise NotPolled(f"{doing}: {found['Code']}: {found.get('Message', '')}") from error
    except BotoCoreError as error:
        raise NotPolled(f"{doing}: {type(error).__name__}") from error
