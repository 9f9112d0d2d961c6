"""Services that fail: each failure says what was tried, what AWS said and what to do, and nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import CommitFailedException
from tests.support.cloud_settings import CloudSettings
from tests.support.exports import land_reference
from tests.support.nights import night, read, snapshots

from sales_tech.aws.cloud import CloudPlatform
from sales_tech.disk import IN_USE
from sales_tech.errors import LakeError
from sales_tech.lake.store import Lake

Failing = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    """`with failing("GLUE", status, body)`: a service that gives the same answer to everything, without its last `cut` bytes."""

    @contextmanager
    def _failing(service: str, status: int, body: bytes, cut: int = 0) -> Iterator[None]:
        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body[: len(body) - cut])

            do_GET = do_POST = do_PUT = do_HEAD = answer

            def log_message(self, *_words: Any) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with monkeypatch.context() as patch:
            patch.setenv(f"AWS_ENDPOINT_URL_{service}", f"http://127.0.0.1:{server.server_port}")
            patch.setenv("AWS_MAX_ATTEMPTS", "2")
            try:
                yield
            finally:
                server.shutdown()
                server.server_close()

    return _failing


THROTTLED = b'{"__type": "ThrottlingException", "message": "Rate exceeded"}'
DENIED = b'{"__type": "AccessDeniedException", "message": "not authorized to perform glue:GetTable"}'
SLOW = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (400, THROTTLED, "ThrottlingException: Rate exceeded; AWS could not serve it although it was asked several times; run again later"),
        (500, b'{"__type": "InternalServiceException", "message": "Oops"}', "InternalServiceException: Oops; AWS could not serve it"),
        (400, DENIED, "AccessDeniedException: not authorized to perform glue:GetTable; the role in use may not do that"),
    ],
)
def test_a_catalog_that_does_not_answer_is_told(aws: CloudSettings, failing: Failing, status: int, body: bytes, said: str) -> None:
    with failing("GLUE", status, body):
        lake = Lake(aws)
        lake.platform = CloudPlatform(aws.land())
        with pytest.raises(LakeError) as caught:
            lake.table("silver.sales")
    told = str(caught.value)
    assert told.startswith(f"reading table {aws.aws.database_prefix}silver.sales from the Glue Data Catalog failed: ")
    assert said in told


def test_a_bucket_that_does_not_answer_is_told(aws: CloudSettings, failing: Failing) -> None:
    settings = aws.land()
    with failing("S3", 503, SLOW):
        platform = CloudPlatform(settings)
        with pytest.raises(LakeError, match=r"listing s3://\S+/ failed: SlowDown: Please reduce your request rate\.; AWS could not"):
            list(platform.landing.entries())
        with pytest.raises(LakeError, match=r"taking the lock of s3://\S+ failed: SlowDown"), platform.lock():
            pass


def test_a_file_that_s3_does_not_take_is_told(aws: CloudSettings, failing: Failing, tmp_path: Path) -> None:
    settings = aws.land()
    (tmp_path / "note.json").write_text("{}")
    for status, body, said in (
        (403, b"<Error><Code>AccessDenied</Code><Message>No.</Message></Error>", r"AccessDenied: No\.; the role in use may not do that"),
        (503, SLOW, r"SlowDown: Please reduce your request rate\.; AWS could not serve it"),
    ):
        with failing("S3", status, body), pytest.raises(LakeError, match=rf"^writing s3://\S+/runs/note\.json failed: {said}"):
            CloudPlatform(settings).lake.upload(tmp_path / "note.json", "runs/note.json")


def test_a_file_that_breaks_off_while_it_is_read_is_told(aws: CloudSettings, failing: Failing) -> None:
    settings = aws.land()
    with failing("S3", 200, b"x" * 100, cut=1):
        landing = CloudPlatform(settings).landing
        said = r"^reading s3://\S+/sales\.csv failed: AWS Error NETWORK_CONNECTION .*; AWS could not serve it although it was asked several"
        with landing.open("sales.csv") as file, pytest.raises(LakeError, match=said):
            file.read()


def test_a_file_whose_transfer_breaks_off_again_and_again_is_told_and_no_part_of_it_kept(aws: CloudSettings, failing: Failing) -> None:
    settings = aws.land()
    with failing("S3", 200, b"x" * 100, cut=1):
        lake = CloudPlatform(settings).lake
        with pytest.raises(
            LakeError, match=r"^reading s3://\S+/archive/x failed: .*; AWS could not serve it although it was asked several"
        ):
            lake.fetch("archive/x")
    assert [path.name for path in lake._cache.iterdir()] == [IN_USE]


def test_a_service_that_cannot_be_reached_is_told(aws: CloudSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = aws.land()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(LakeError, match=r"listing s3://\S+ failed: Could not connect to the endpoint URL"):
        list(CloudPlatform(settings).landing.entries())


def test_a_commit_whose_answer_is_lost_counts_once_and_keeps_its_files(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    update = GlueCatalog._update_glue_table

    def lose_the_answer(catalog: GlueCatalog, *arguments: Any, **named: Any) -> None:
        update(catalog, *arguments, **named)
        raise CommitFailedException("as Glue says to the client that asks again")

    with monkeypatch.context() as patch:
        patch.setattr(GlueCatalog, "_update_glue_table", lose_the_answer)
        made = shelf.bookmark()
    assert [entry.snapshot_id for entry in shelf.lake.table(shelf.name).history()][1:] == [made]
    assert shelf.rows() == 2, "the files of the snapshot are there"


def test_a_night_cut_short_by_a_failing_catalog_is_made_good_by_the_next(aws: CloudSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    land_reference(aws.landing)
    calls = 0
    update = GlueCatalog._update_glue_table

    def fail_on_the_fourth(catalog: GlueCatalog, *arguments: Any, **named: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise catalog.glue.exceptions.InternalServiceException(
                {"Error": {"Code": "InternalServiceException", "Message": "Oops"}, "ResponseMetadata": {"HTTPStatusCode": 500}},
                "UpdateTable",
            )
        update(catalog, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(GlueCatalog, "_update_glue_table", fail_on_the_fourth)
        with pytest.raises(LakeError, match=r"committing to \S+ in the Glue Data Catalog, which the next run may find done or not, failed"):
            night(aws)
    night(aws)
    assert [row["sku"] for row in read(aws, "silver.products")] == ["A"]
    before = snapshots(aws)
    night(aws)
    assert snapshots(aws) == before
