"""Where events land and where refused messages go: S3 and SQS, or folders that stand for them on a laptop."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

_BUCKET = "s3://"
_QUEUE = re.compile(r"https?://")
_LONGEST_REASON = 1000
_NOT_IN_SQS = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""The characters that SQS refuses in a message."""


class NotStored(Exception):
    """An object or a message could not be put where it belongs; the text is the code of the error."""


def store(place: str, key: str, content: bytes) -> bool:
    """Put an object at `s3://bucket/prefix` or in a folder unless it is there; whether it was not. Raises NotStored.

    The key must follow from the content, so that an object found there is the same one.
    """
    if place.startswith(_BUCKET):
        bucket, _, prefix = place.removeprefix(_BUCKET).partition("/")
        return _put_object(bucket, f"{prefix.strip('/')}/{key}".lstrip("/"), content)
    return _write_file(Path(place) / key, content)


def bury(place: str, body: str | bytes, reason: str, message_id: str) -> None:
    """Send a message with its reason to a queue, or write both as a JSON file into a folder. Raises NotStored.

    The body stays as it is. Two exceptions: bytes that are no UTF-8 become half surrogate pairs (Python's
    surrogateescape gives them back), and a body with characters that SQS refuses, which hence did not come from SQS,
    is sent as a JSON text, which the attribute `body_encoding` then says. A queue that holds messages of the same size
    as the one they come from may refuse the longest ones, since attributes count: those are left to its redrive.
    """
    text = body.decode(errors="surrogateescape") if isinstance(body, bytes) else body
    if _QUEUE.match(place):
        _send_message(place, text, reason, message_id)
    else:
        name = sha256(text.encode(errors="surrogatepass")).hexdigest()
        letter = {"reason": reason, "message_id": message_id, "body": text}
        _write_file(Path(place) / f"{name}.json", json.dumps(letter, indent=1).encode())


def _write_file(path: Path, content: bytes) -> bool:
    """Write a file that is whole as soon as it has its name; whether it was not there."""
    unfinished = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    try:
        if path.exists():
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with unfinished.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # Another writer may have been faster: its file has the same content, so nobody sees a difference.
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise NotStored(errno.errorcode.get(error.errno or 0, type(error).__name__)) from error
    return True


def _put_object(bucket: str, key: str, content: bytes) -> bool:
    try:
        with _errors_of_aws():
            _s3().put_object(Bucket=bucket, Key=key, Body=content, ContentType="application/gzip")
    except NotStored as error:
        if str(error) == "PreconditionFailed":
            return False
        raise
    return True


def _send_message(queue: str, text: str, reason: str, message_id: str) -> None:
    attributes = {"reason": reason[:_LONGEST_REASON], "original_message_id": message_id or "none"}
    if not text or _NOT_IN_SQS.search(text):
        text, attributes["body_encoding"] = json.dumps(text), "json"
    typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    with _errors_of_aws():
        _sqs().send_message(QueueUrl=queue, MessageBody=text, MessageAttributes=typed)


@cache
def _s3() -> Any:
    import boto3

    client = boto3.client("s3", config=_patience())
    # As a header, not an argument: which SDK Lambda's runtime brings depends on the region, and those of before August 2024 know none.
    client.meta.events.register("before-call.s3.PutObject", _only_new)
    return client


def _only_new(params: dict[str, Any], **_: Any) -> None:
    params["headers"]["If-None-Match"] = "*"


@cache
def _sqs() -> Any:
    import boto3

    return boto3.client("sqs", config=_patience())


def _patience() -> Any:
    from botocore.config import Config

    # A put of a few kilobytes takes milliseconds; what hangs longer is tried anew while the invocation still has time.
    return Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})


@contextmanager
def _errors_of_aws() -> Iterator[None]:
    """Turn what boto3 raises into NotStored."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise NotStored(error.response["Error"]["Code"]) from error
    except BotoCoreError as error:
        raise NotStored(type(error).__name__) from error
