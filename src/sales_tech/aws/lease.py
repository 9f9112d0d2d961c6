"""One writer at a time, by a lease that is an object of the lake.

The lease is written only under the condition that it is still as it was last seen, so of two writers one
fails. Its holder writes it again every minute. One that was not for five minutes, by S3's own clock, counts as
that of a dead process and may be taken over. Whoever finds the lease taken over may no longer commit.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sales_tech.aws.connection import Connection, bucket_and_key, code_of, in_words
from sales_tech.errors import LakeBusy, LakeError

_HOLDER = "SALES_TECH_LEASE"  # tells a notebook's kernel under whose lease it writes
_REFUSED = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


@dataclass(frozen=True)
class _Seen:
    """The lease as S3 shows it: who holds it, since when, and how long ago the holder last wrote."""

    etag: str
    holder: str | None
    where: str
    since: str
    silent: timedelta


class Lease:
    """The writer's lock of one lake; `lasts` is how long a silent holder keeps it, `renewed` how often it is written."""

    def __init__(
        self, connection: Connection, lake: str, *, lasts: timedelta = timedelta(minutes=5), renewed: timedelta = timedelta(minutes=1)
    ) -> None:
        self._client, self._lake, self._lasts, self._renewed = connection.client("s3"), lake, lasts, renewed
        bucket, prefix = bucket_and_key(lake)
        self._object = {"Bucket": bucket, "Key": f"{prefix}/.lock".lstrip("/")}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lease; LakeBusy where another one does, LakeError where it was lost on the way."""
        holder = secrets.token_hex(8)
        since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S UTC}"
        with in_words(f"taking the lock of {self._lake}"):
            etag = self._take(holder, since)
        os.environ[_HOLDER] = f"{self._lake} {holder}"
        done = threading.Event()
        keeper = _Keeper(self, holder, since, etag, done)
        keeper.start()
        try:
            yield
            done.set()
            keeper.join()
            if keeper.lost:
                raise LakeError(self._lost())
        finally:
            done.set()
            keeper.join()
            del os.environ[_HOLDER]
            if not keeper.lost:
                # Written, not deleted, so that a role needs no right to delete. Where S3 fails, the lease runs out by itself.
                with suppress(BotoCoreError, ClientError):
                    self.write(None, "", {"IfMatch": keeper.etag})

    def check(self) -> None:
        """LakeError where this process writes under a lease that is no longer its own; nothing where it took none."""
        lake, _, holder = os.environ.get(_HOLDER, "").rpartition(" ")
        if lake != self._lake:
            return
        with in_words(f"reading the lock of {self._lake}"):
            seen = self._look()
        if seen is None or seen.holder != holder:
            raise LakeError(self._lost())

    def write(self, holder: str | None, since: str, condition: dict[str, str]) -> str | None:
        """Write the lease under a condition; its new ETag, or None where the condition does not hold."""
        body = json.dumps({"holder": holder, "where": f"{socket.gethostname()}, process {os.getpid()}", "since": since})
        try:
            answer = self._client.put_object(**self._object, Body=body.encode(), ContentType="application/json", **condition)
        except ClientError as error:
            if code_of(error) not in _REFUSED:
                raise
            # The client asks again where an answer is lost, and is then refused because of its own first try.
            seen = self._look()
            return seen.etag if seen is not None and seen.holder == holder else None
        return str(answer["ETag"])

    @property
    def renewed(self) -> float:
        """Seconds between two signs of life."""
        return self._renewed.total_seconds()

    def _take(self, holder: str, since: str) -> str:
        seen = self._look()
        if seen is not None and seen.holder is not None and seen.silent < self._lasts:
            minutes = f"{self._lasts.total_seconds() / 60:g}"
            raise LakeBusy(
                f"another run works on {self._lake}: on {seen.where}, since {seen.since}, last heard of {seen.silent.total_seconds():.0f} "
                f"seconds ago; wait for it to end, then start this one again. A run that is silent for {minutes} minutes counts as dead",
                (self._lasts - seen.silent).total_seconds(),
            )
        etag = self.write(holder, since, {"IfMatch": seen.etag} if seen else {"IfNoneMatch": "*"})
        if etag is None:
            began = f"another run works on {self._lake}: it began at this very moment; wait for it to end, then start this one again"
            raise LakeBusy(began, self._lasts.total_seconds())
        return etag

    def _look(self) -> _Seen | None:
        try:
            answer = self._client.get_object(**self._object)
        except ClientError as error:
            if code_of(error) not in ("NoSuchKey", "404"):
                raise
            return None
        body: dict[str, Any] = json.loads(answer["Body"].read())
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        return _Seen(answer["ETag"], body["holder"], body["where"], body["since"], now - answer["LastModified"])

    def _lost(self) -> str:
        return (
            f"the lock of {self._lake} was taken over by another run, because this one gave no sign of life for too long; "
            "nothing more is committed. Start it again when the other run has ended"
        )


class _Keeper(threading.Thread):
    """Writes the lease again and again, until it is done or finds the lease lost."""

    def __init__(self, lease: Lease, holder: str, since: str, etag: str, done: threading.Event) -> None:
        super().__init__(name="lease", daemon=True)
        self._lease, self._holder, self._since, self.etag, self._done = lease, holder, since, etag, done
        self.lost = False

    def run(self) -> None:
        while not self._done.wait(self._lease.renewed):
            try:
                etag = self._lease.write(self._holder, self._since, {"IfMatch": self.etag})
            except (BotoCoreError, ClientError):
                # S3 may answer again in a minute; if not, the lease runs out and the check before a commit tells.
                continue
            if etag is None:
                self.lost = True
                return
            self.etag = etag
