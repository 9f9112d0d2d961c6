"""One writer at a time on S3: who may begin, who must stop, and what each is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
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
