"""Order events sent through the queue's consumer on a laptop: the same handler, called on the same message shape."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from sales_tech.errors import SettingsError, UnreadableFile
from sales_tech.ingest.source import utf8_chunks
from sales_tech.settings import Settings, asset

ATTEMPTS = 3
DEAD_LETTERS = ".dead_letters"
"""The folder in the landing area for refused events; hidden, so that ingest passes it by."""

Handler = Callable[[dict[str, Any], object], dict[str, Any]]
_BATCH = 1_000
_REASONS = 10_000  # kept in memory at most; every refused event stands in its folder


@dataclass
class Posted:
    """What became of posted events: counted by event, and the reasons of refused ones by line of the file (of up to 100 in a thousand).

    `repeated` counts events whose object had landed before, or that stood in their batch twice.
    """

    events: int = 0
    landed: int = 0
    repeated: int = 0
    refused: int = 0
    objects: set[str] = field(default_factory=set)
    reasons: dict[int, str] = field(default_factory=dict)


def post_events(path: Path, settings: Settings, *, watch: Callable[[int], None] = lambda events: None) -> Posted:
    """Send each line of a file of JSON lines as one message; `watch` is told how many were sent.

    Good events land below the landing folder, refused ones in its folder DEAD_LETTERS with their
    reason. The file may be packed by gzip. Raises SettingsError where the landing area is no folder of this machine or the
    file is not there, UnreadableFile where it is packed and broken; some of its events may have been sent then.
    """
    if not isinstance(settings.landing, Path):
        raise SettingsError(f"{settings.landing} is fed by its queue; post events to the API of the stack, or name a folder (--landing)")
    if not path.is_file():
        raise SettingsError(f"no file {path}; expected JSON lines, one order event on each")
    if not settings.landing.is_dir():
        raise SettingsError(
            f"no landing folder {settings.landing}; expected one to land events in (--landing), or `make twin` for an example"
        )
    posted = Posted()
    with _consumer(settings.landing, settings.landing / DEAD_LETTERS) as (handle, told):
        for batch in _batches(path):
            _send(batch, handle, told, posted)
            watch(posted.events)
    return posted


def _send(batch: list[tuple[int, bytes]], handle: Handler, told: list[Any], posted: Posted) -> None:
    # What SQS would do: whatever is reported comes again, with its count of receives.
    waiting = {str(number): line for number, line in batch}
    posted.events += len(waiting)
    for receive in range(1, ATTEMPTS + 1):
        records = [
            {"messageId": number, "body": line, "attributes": {"ApproximateReceiveCount": str(receive)}} for number, line in waiting.items()
        ]
        told.clear()
        answer = handle({"Records": records}, None)
        (counts,) = told
        posted.landed += counts["landed"]
        posted.repeated += counts["duplicates"]
        posted.refused += counts["dead"]
        posted.objects |= {counts["key"]} - {None}
        for number, reason in counts["reasons"].items():
            if len(posted.reasons) < _REASONS:
                posted.reasons[int(number)] = reason
        waiting = {failure["itemIdentifier"]: waiting[failure["itemIdentifier"]] for failure in answer["batchItemFailures"]}
        if not waiting:
            return
    raise SettingsError(
        f"{len(waiting)} events could be neither landed nor set aside, line {min(map(int, waiting))} first; see the log above"
    )


def _batches(path: Path) -> Iterator[list[tuple[int, bytes]]]:
    lines = ((number, line.rstrip(b"\r")) for number, line in enumerate(_lines(path), start=1) if line.strip())
    while batch := list(islice(lines, _BATCH)):
        yield batch


def _lines(path: Path) -> Iterator[bytes]:
    # A file may be packed, as landed objects are, and an editor of Windows may mark it as UTF-8. What is no UTF-8 stays as it is.
    rest = b""
    try:
        for chunk in utf8_chunks(path, "utf-8"):
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole
    except UnreadableFile as error:
        raise UnreadableFile(f"{path}: {error}. Post the whole file; events that were sent before count once") from error
    yield rest


@contextmanager
def _consumer(landing: Path, dead: Path) -> Iterator[tuple[Handler, list[Any]]]:
    """The handler of the function land_orders with its environment, and the counts of its last batch."""
    given = {"LANDING": str(landing), "DEAD_LETTERS": str(dead), "ATTEMPTS": str(ATTEMPTS)}
    before = {name: os.environ.get(name) for name in given}
    log, told = logging.getLogger("land_orders"), _Told()
    handler = _load(asset("lambda") / "land_orders")
    propagated, disabled = log.propagate, log.disabled
    try:
        os.environ.update(given)
        log.addHandler(told)
        log.propagate, log.disabled = False, False
        yield handler, told.counts
    finally:
        log.removeHandler(told)
        log.propagate, log.disabled = propagated, disabled
        _restore(before)


def _load(folder: Path) -> Handler:
    # A function's modules have plain names, as Lambda needs them; nothing else here shall find or hide them.
    names = [path.stem for path in folder.glob("*.py")]
    hidden = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    sys.path.insert(0, str(folder))
    try:
        handler: Handler = import_module("handler").handler
        return handler
    finally:
        sys.path.remove(str(folder))
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(hidden)


def _restore(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


class _Told(logging.Handler):
    """Keeps what the function logs of a batch, as CloudWatch would."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        entry = json.loads(record.getMessage())
        if "records" in entry:
            self.counts.append(entry)
        else:
            sys.stderr.write(f"{record.getMessage()}\n")
