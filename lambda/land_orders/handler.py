"""Lands order events: good messages of a batch become one object of JSON lines, bad ones are told one by one.

The object's key follows from its content, so a batch that is delivered again writes the same object or none. A
message that fails is reported and comes back; on its ATTEMPTS-th receive it goes to the dead letters with its
reason instead. Nothing is handled before it is stored in one of the two places, so a kill at any moment costs a
second delivery and loses nothing; a message whose handling was cut short may be among the dead letters twice.

LANDING       `s3://bucket`, `s3://bucket/prefix` or a folder
DEAD_LETTERS  the URL of an SQS queue, or a folder
ATTEMPTS      the receive on which a failing message goes to the dead letters, by default 3
"""

from __future__ import annotations

import gzip
import json
import logging
import os
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from contract import Refused, check
from places import NotStored, bury, store

LOG = logging.getLogger("land_orders")
LOG.setLevel(logging.INFO)

_FOLDER = "order_events"
_MOST_REASONS = 100
"""Messages whose reasons one line of the log names; a batch may have up to 10,000 messages, a line has a limit too."""


class Settings(NamedTuple):
    """What the environment says."""

    landing: str
    dead_letters: str
    attempts: int


class Message(NamedTuple):
    """What is needed of one record: its id (empty where it has none), its body, and how often it was received."""

    id: str
    body: str | bytes
    receives: int
    problem: str | None


def handler(event: dict[str, Any], context: object) -> dict[str, list[dict[str, str]]]:
    """Handle a batch of SQS records; names the messages that failed and shall come again.

    Raises ValueError where a setting or the event itself is not what SQS and the stack give.
    """
    settings = _settings()
    messages = [_message(record) for record in _records(event)]
    now = datetime.now(UTC)
    good: list[tuple[Message, str]] = []
    problems: list[tuple[Message, str]] = []
    for message in messages:
        try:
            if message.problem:
                raise Refused(message.problem)
            good.append((message, check(message.body, now)))
        except Refused as refused:
            problems.append((message, str(refused)))
    lines = sorted({line for _, line in good})
    key, landed = None, 0
    try:
        if lines:
            key, new = land(settings.landing, lines)
            landed = len(lines) if new else 0
    except NotStored as error:
        problems += [(message, f"not stored: {error}") for message, _ in good]
        good = []
    failed, dead = _return_or_bury(problems, settings)
    _log(
        records=len(messages),
        landed=landed,
        duplicates=len(good) - landed,
        failed=len(failed),
        dead=dead,
        key=key,
        reasons={message.id: reason for message, reason in problems[:_MOST_REASONS]},
    )
    return {"batchItemFailures": [{"itemIdentifier": message.id} for message in failed]}


def land(landing: str, lines: list[str]) -> tuple[str, bool]:
    """Store sorted, distinct lines as one object; its key, and whether it was not there before. Raises NotStored."""
    content = "".join(f"{line}\n" for line in lines).encode()
    digest = sha256(content).hexdigest()
    key = f"{_FOLDER}/{digest[:2]}/{digest}.jsonl.gz"
    return key, store(landing, key, gzip.compress(content, compresslevel=6, mtime=0))


def _return_or_bury(problems: list[tuple[Message, str]], settings: Settings) -> tuple[list[Message], int]:
    """The messages that shall come again, and the number of those that are among the dead letters now."""
    failed: list[Message] = []
    dead = 0
    for message, reason in problems:
        # A message without an id cannot be reported alone: SQS would take the whole batch for failed.
        if message.receives >= settings.attempts or not message.id:
            try:
                bury(settings.dead_letters, message.body, reason, message.id)
                dead += 1
                continue
            except NotStored as error:
                LOG.error(json.dumps({"message_id": message.id, "dead_letters": f"refused: {error}"}))
        failed.append(message)
    return failed, dead


def _records(event: dict[str, Any]) -> list[Any]:
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list):
        raise ValueError(
            f"the event is {type(event).__name__} without a list Records; expected a batch of messages as SQS hands it to Lambda"
        )
    return records


def _message(record: Any) -> Message:
    """The message of a record, whatever the record looks like."""
    if not isinstance(record, dict):
        return Message(
            "", json.dumps(record, default=repr), 1, f"a record that is {type(record).__name__}, expected an object as SQS sends it"
        )
    found, attributes, body = record.get("messageId"), record.get("attributes"), record.get("body")
    identifier = found if isinstance(found, str) else ""
    count = attributes.get("ApproximateReceiveCount") if isinstance(attributes, dict) else None
    receives = int(count) if isinstance(count, str) and count.isdecimal() and len(count) < 10 else 1
    if isinstance(body, str | bytes):
        return Message(identifier, body, receives, None)
    return Message(identifier, json.dumps(record, default=repr), receives, f"a record whose body is {type(body).__name__}, expected text")


def _settings() -> Settings:
    attempts = os.environ.get("ATTEMPTS", "3")
    if not attempts.isdecimal() or not int(attempts):
        raise ValueError(f"ATTEMPTS is {attempts!r}, expected a whole number of at least 1")
    for name in ("LANDING", "DEAD_LETTERS"):
        if not os.environ.get(name):
            raise ValueError(f"{name} is not set; expected a place, as the head of land_orders/handler.py says")
    return Settings(os.environ["LANDING"], os.environ["DEAD_LETTERS"], int(attempts))


def _log(**counts: Any) -> None:
    LOG.info(json.dumps(counts))
