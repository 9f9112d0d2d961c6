"""One writer at a time on S3: who may begin, who must stop, and what each is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.cloud_settings import CloudSettings

from sales_tech.aws.connection import Connection
from sales_tech.aws.lease import Lease
from sales_tech.errors import LakeBusy, LakeError
from sales_tech.ingest import batch_csv
from sales_tech.runs import Run, exclusive

SHORT = timedelta(seconds=1)


def lease(aws: CloudSettings, *, lasts: timedelta = timedelta(minutes=5), renewed: timedelta = timedelta(minutes=1)) -> Lease:
    """The lake's lease as another process would open it."""
    return Lease(Connection(), str(aws.lake), lasts=lasts, renewed=renewed)


def body(aws: CloudSettings) -> dict[str, str | None]:
    found = aws.cloud.client("s3").get_object(Bucket=aws.lake.split("/")[2], Key="lake/.lock")
    return json.loads(found["Body"].read())


def steal(aws: CloudSettings) -> None:
    """Write the lease as another process does that takes it over."""
    stolen = json.dumps({"holder": "another", "where": "there", "since": "now"}).encode()
    aws.cloud.client("s3").put_object(Bucket=aws.lake.split("/")[2], Key="lake/.lock", Body=stolen)


def test_a_second_writer_is_told_who_writes_and_since_when(aws: CloudSettings) -> None:
    with lease(aws).held(), pytest.raises(LakeError) as caught, lease(aws).held():
        pass
    told = str(caught.value)
    assert f"another run works on {aws.lake}: on " in told
    assert f"process {os.getpid()}, since 2" in told
    assert "A run that is silent for 5 minutes counts as dead" in told


def test_a_lease_that_was_given_back_is_free(aws: CloudSettings) -> None:
    for _ in range(2):
        with lease(aws).held():
            assert body(aws)["holder"]
        assert body(aws)["holder"] is None
    with pytest.raises(ZeroDivisionError), lease(aws).held():
        raise ZeroDivisionError
    assert body(aws)["holder"] is None


def test_of_two_that_begin_at_once_one_is_refused(aws: CloudSettings) -> None:
    won, refused = [], []
    start, end = threading.Barrier(4), threading.Barrier(4)

    def begin(mine: Lease) -> None:
        start.wait()
        try:
            with mine.held():
                won.append(mine)
                end.wait()
        except LakeError as error:
            refused.append(str(error))
            end.wait()

    writers = [threading.Thread(target=begin, args=(lease(aws),)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert (len(won), len(refused)) == (1, 3)
    assert all("another run works on" in told for told in refused)


def test_the_lease_of_a_dead_process_is_taken_over(aws: CloudSettings) -> None:
    steal(aws)
    with pytest.raises(LakeBusy, match="on there, since now") as caught, lease(aws).held():
        pass
    assert 290 < caught.value.seconds <= 300, "the time after which it may be taken over"
    time.sleep(2.1)  # S3 tells times by the second
    with lease(aws, lasts=SHORT).held():
        assert body(aws)["holder"] != "another"


def test_a_holder_that_gives_signs_of_life_keeps_its_lease(aws: CloudSettings) -> None:
    with lease(aws, renewed=timedelta(seconds=0.2)).held():
        time.sleep(2.5)
        with pytest.raises(LakeError, match="another run works on"), lease(aws, lasts=timedelta(seconds=2)).held():
            pass


def test_a_holder_whose_lease_was_taken_over_is_told_at_its_end_and_leaves_the_lease_alone(aws: CloudSettings) -> None:
    with pytest.raises(LakeError, match="was taken over by another run"), lease(aws, renewed=timedelta(seconds=0.1)).held():
        steal(aws)
        time.sleep(0.5)
    assert body(aws)["holder"] == "another"


def test_a_holder_whose_lease_was_taken_over_commits_nothing_more(shelf: Any) -> None:
    before = shelf.lake.snapshot_id(shelf.name)
    with pytest.raises(LakeError, match=r"was taken over by another run.*nothing more is committed"), exclusive(shelf.settings):
        shelf.bookmark()
        steal(shelf.settings)
        shelf.bookmark()
    assert [entry.snapshot_id for entry in shelf.lake.table(shelf.name).history()].index(before) == 0
    assert len(shelf.lake.table(shelf.name).history()) == 2
    assert "SALES_TECH_LEASE" not in os.environ


def test_a_notebooks_kernel_writes_under_the_lease_of_its_pipeline(shelf: Any) -> None:
    code = """
import sys
from pathlib import Path
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake
from sales_tech.settings import Settings
Lake(Settings.load()).commit("silver.shelf", [], [], Provenance("20260301T020000-1a2b3c", "silver/shelf", "code", "contract"))
"""
    settings = shelf.settings
    names = {
        "SALES_TECH_LAKE": settings.lake,
        "SALES_TECH_LANDING": f"s3://{settings.bucket}",
        "SALES_TECH_DATABASE_PREFIX": settings.aws.database_prefix,
        "SALES_TECH_WORKGROUP": settings.aws.workgroup,
        "PYTHONPATH": ":".join(sys.path),
    }

    def kernel() -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **names}
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60, check=False)

    with pytest.raises(LakeError, match="was taken over"), lease(settings, renewed=timedelta(seconds=0.2)).held():
        assert kernel().returncode == 0
        steal(settings)
        refused = kernel()
    assert refused.returncode == 1
    assert "was taken over by another run" in refused.stderr
    assert len(shelf.lake.table(shelf.name).history()) == 2


def test_a_commit_by_hand_without_a_lease_is_allowed(shelf: Any) -> None:
    steal(shelf.settings)
    assert shelf.bookmark()


def test_a_step_by_hand_is_refused_while_another_run_works(aws: CloudSettings) -> None:
    steal(aws)
    with pytest.raises(LakeError, match="another run works on"):
        batch_csv.run(Run.begin(aws.land()))


class Shelter:
    """S3 with the one object of a lease, by a clock that stands until it is moved; what is in `faults` ends the next writes."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 2, tzinfo=UTC)
        self.written: list[tuple[datetime, dict[str, Any]]] = []
        self.faults: list[str] = []
        self.closed = self.overtaken = False
        self.refused = threading.Event()

    def client(self, service: str) -> Any:
        assert service == "s3"
        return self

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        assert (Bucket, Key) == ("lake", "of/erp/.lock")
        if self.closed:
            raise self._error("AccessDenied")
        if not self.written:
            raise self._error("NoSuchKey")
        when, body = self.written[-1]
        date = {"HTTPHeaders": {"date": format_datetime(self.now, usegmt=True)}}
        return {"Body": BytesIO(json.dumps(body).encode()), "ETag": self._tag, "LastModified": when, "ResponseMetadata": date}

    def put_object(
        self, *, Bucket: str, Key: str, Body: bytes, ContentType: str, IfMatch: str | None = None, IfNoneMatch: str | None = None
    ) -> dict[str, str]:
        assert (Bucket, Key, ContentType) == ("lake", "of/erp/.lock", "application/json")
        assert (IfMatch is None) != (IfNoneMatch is None), "nothing is written without a condition"
        if self.overtaken:
            self.steal()
        if (IfMatch or "") != self._tag:
            self.refused.set()
            raise self._error("PreconditionFailed")
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "SlowDown":
            raise self._error(fault)
        self.written.append((self.now, json.loads(Body)))
        if fault == "answer lost":  # boto3 asks again then, and finds that the object is no longer the one that it knew
            raise self._error("PreconditionFailed")
        return {"ETag": self._tag}

    def steal(self) -> None:
        self.written.append((self.now, {"holder": "another", "where": "there", "since": "2026-03-01 02:00:00 UTC"}))

    def lease(self, renewed: float = 600.0) -> Lease:
        return Lease(self, "s3://lake/of/erp", renewed=timedelta(seconds=renewed))  # type: ignore[arg-type]

    @property
    def holders(self) -> list[str | None]:
        return [body["holder"] for _, body in self.written]

    @property
    def _tag(self) -> str:
        return f"tag {len(self.written)}" if self.written else ""

    def _error(self, code: str) -> ClientError:
        return ClientError({"Error": {"Code": code, "Message": "so"}}, "call")


def until(event: Any) -> None:
    """Wait for another thread."""
    end = time.monotonic() + 30
    while not event():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_silent_holder_keeps_the_lease_for_five_minutes_to_the_second_and_no_longer() -> None:
    bucket = Shelter()
    bucket.steal()
    bucket.now += timedelta(seconds=299)
    with pytest.raises(LakeBusy) as caught, bucket.lease().held():
        pass
    assert caught.value.seconds == 1
    assert str(caught.value) == (
        "another run works on s3://lake/of/erp: on there, since 2026-03-01 02:00:00 UTC, last heard of 299 seconds ago; wait for it to "
        "end, then start this one again. A run that is silent for 5 minutes counts as dead"
    )
    bucket.now += timedelta(seconds=1)
    with bucket.lease().held():
        assert bucket.holders[-1] not in (None, "another")
    with bucket.lease().held():  # one that was given back is free at once
        pass
    taken, given, again, last = bucket.holders[1:]
    assert (given, last) == (None, None)
    assert taken != again, "a process that begins anew is another holder"


def test_who_is_overtaken_while_taking_the_lease_is_told_that_the_lake_is_busy_and_until_when() -> None:
    bucket = Shelter()
    bucket.overtaken = True
    with (
        pytest.raises(LakeBusy, match="another run works on s3://lake/of/erp: it began at this very moment") as caught,
        bucket.lease().held(),
    ):
        pass
    assert caught.value.seconds == 300, "should the other die at once"
    assert bucket.holders == ["another"]


def test_a_writer_whose_answer_was_lost_knows_its_own_lease_again() -> None:
    bucket = Shelter()
    bucket.faults = ["answer lost"]
    with bucket.lease(renewed=0.01).held():
        bucket.faults += ["answer lost"]
        until(lambda: len(bucket.written) > 3)
        bucket.lease().check()
    assert set(bucket.holders[:-1]) == {bucket.holders[0]}
    assert bucket.holders[-1] is None


def test_a_holder_that_cannot_be_renewed_once_holds_on_and_gives_back_even_where_nothing_is_written() -> None:
    bucket = Shelter()
    with bucket.lease(renewed=0.01).held():
        bucket.faults = ["SlowDown"]
        until(lambda: not bucket.faults)
        renewed = len(bucket.written)
        until(lambda: len(bucket.written) > renewed)
    assert bucket.holders[-1] is None
    with bucket.lease().held():
        bucket.faults = ["SlowDown"]
    assert bucket.holders[-1] is not None, "it runs out by itself"
    bucket.now += timedelta(minutes=5)
    bucket.faults = ["SlowDown"]
    with pytest.raises(LakeError, match=r"taking the lock of s3://lake/of/erp failed: SlowDown: so"), bucket.lease().held():
        pass


def test_what_went_wrong_under_a_lease_is_told_and_the_lease_given_back_unless_it_is_another_s_now() -> None:
    bucket = Shelter()
    with pytest.raises(ZeroDivisionError), bucket.lease().held():
        raise ZeroDivisionError
    assert bucket.holders[-1] is None
    for expected in (ZeroDivisionError, LakeError):
        bucket.refused.clear()
        with pytest.raises(expected), bucket.lease(renewed=0.01).held():
            bucket.steal()
            until(bucket.refused.is_set)
            if expected is ZeroDivisionError:
                raise ZeroDivisionError
        assert bucket.holders[-1] == "another"
        bucket.now += timedelta(minutes=5)


def test_a_lease_that_may_not_be_read_is_not_taken_for_none() -> None:
    bucket = Shelter()
    bucket.closed = True
    with pytest.raises(LakeError, match="taking the lock of s3://lake/of/erp failed: AccessDenied: so"), bucket.lease().held():
        pass
    assert bucket.written == []


def test_a_lease_is_checked_for_the_lake_that_it_is_of_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Shelter()
    with bucket.lease().held():
        bucket.lease().check()
        mine = os.environ["SALES_TECH_LEASE"]
        bucket.steal()
        with pytest.raises(LakeError, match="was taken over by another run"):
            bucket.lease().check()
        with monkeypatch.context() as patched:
            patched.setenv("SALES_TECH_LEASE", mine.replace("of/erp", "of/other"))
            bucket.lease().check()
    bucket.lease().check()
    monkeypatch.setenv("SALES_TECH_LEASE", mine)
    bucket.written.clear()
    with pytest.raises(LakeError, match="was taken over by another run"):
        bucket.lease().check()
