"""A folder and a part of a bucket behave alike."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.cloud_settings import CloudSettings

from sales_tech.aws.cloud import CloudPlatform
from sales_tech.lake.scratch import clear, left_over
from sales_tech.platform.local import Folder
from sales_tech.ports import Place

Put = Callable[[str, bytes], None]
NAMES = ["a.csv", "olist/2017/orders.csv.gz", "olist_b/x y.csv", "vendas/São Paulo 100%.csv", "vendas/a=b~c+d.csv"]


@pytest.fixture(params=["folder", "bucket", "part of a bucket"])
def somewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty place of each kind."""
    if request.param == "folder":
        (tmp_path / "place").mkdir()
        return Folder(tmp_path / "place")
    platform: CloudPlatform = request.getfixturevalue("platform")
    return platform.landing if request.param == "bucket" else platform.lake


@pytest.fixture
def put(somewhere: Place, tmp_path: Path) -> Put:
    """Keep bytes under a name."""

    def _put(name: str, content: bytes) -> None:
        part = tmp_path / "part"
        part.write_bytes(content)
        somewhere.keep(part, name)
        assert not part.exists()

    return _put


def test_an_empty_place_is_there_and_has_no_entries(somewhere: Place) -> None:
    assert somewhere.exists()
    assert list(somewhere.entries()) == []
    assert list(somewhere.entries("nowhere")) == []


def test_entries_are_all_files_at_any_depth(somewhere: Place, put: Put) -> None:
    for name in NAMES:
        put(name, name.encode())
    found = {entry.name: entry for entry in somewhere.entries()}
    assert sorted(found) == sorted(NAMES)
    assert all(entry.size == len(name.encode()) for name, entry in found.items())
    assert all(entry.modified_ns > 1_600_000_000 * 10**9 for entry in found.values())


def test_entries_below_a_folder_leave_out_what_only_begins_like_it(somewhere: Place, put: Put) -> None:
    for name in NAMES:
        put(name, b"x")
    assert [entry.name for entry in somewhere.entries("olist")] == ["olist/2017/orders.csv.gz"]
    assert [entry.name for entry in somewhere.entries("olist/2017")] == ["olist/2017/orders.csv.gz"]


def test_what_is_kept_is_read_as_it_is(somewhere: Place, put: Put) -> None:
    packed = gzip.compress(b"a;b\n" * 1000)
    for name in NAMES:
        put(name, packed)
        with somewhere.open(name) as file:
            assert file.read(2) == packed[:2]
            assert file.read() == packed[2:], "a packed file is not unpacked on the way"
        assert somewhere.fetch(name).read_bytes() == packed


def test_what_is_kept_again_replaces_what_was_there(somewhere: Place, put: Put) -> None:
    put("a/b.csv", b"first")
    put("a/b.csv", b"second")
    with somewhere.open("a/b.csv") as file:
        assert file.read() == b"second"
    assert somewhere.fetch("a/b.csv").read_bytes() == b"second"
    assert len(list(somewhere.entries())) == 1


def test_a_file_that_is_not_there_cannot_be_opened(somewhere: Place) -> None:
    with pytest.raises(FileNotFoundError):
        somewhere.open("nothing.csv").read()


def test_what_was_put_by_others_is_downloaded_once(aws: CloudSettings, platform: CloudPlatform) -> None:
    client = aws.cloud.client("s3")
    client.put_object(Bucket=aws.bucket, Key="a/b.csv", Body=b"theirs")
    copy = platform.landing.fetch("a/b.csv")
    assert copy.read_bytes() == b"theirs"
    assert copy.is_relative_to(aws.work)
    client.delete_object(Bucket=aws.bucket, Key="a/b.csv")
    assert platform.landing.fetch("a/b.csv") == copy
    with pytest.raises(FileNotFoundError, match=f"s3://{aws.bucket}/other.csv"):
        platform.landing.fetch("other.csv")


def test_the_copies_of_a_killed_process_are_cleared_and_those_of_a_living_one_are_not(aws: CloudSettings, platform: CloudPlatform) -> None:
    aws.cloud.client("s3").put_object(Bucket=aws.bucket, Key="a/b.csv", Body=b"theirs")
    code = """
import os, sys
from pathlib import Path
from sales_tech.aws.connection import Connection
from sales_tech.aws.places import BucketPlace
BucketPlace(Connection(), sys.argv[1], Path(sys.argv[2])).fetch("a/b.csv")
os.kill(os.getpid(), 9)
"""
    command = [sys.executable, "-c", code, f"s3://{aws.bucket}", str(aws.work)]
    killed = subprocess.run(command, env={**os.environ, "PYTHONPATH": ":".join(sys.path)}, timeout=60, check=False)
    assert killed.returncode == -9
    ours = platform.landing.fetch("a/b.csv")
    assert ours.parent.stat().st_mode & 0o077 == 0, "no other user of the machine reads them"
    (dead,) = {copy.parent for copy in aws.work.rglob("*.csv")} - {ours.parent}
    assert left_over(aws.land()) == [], "it may be of one that is about to lock it"
    for folder in (dead, ours.parent):
        os.utime(folder, (1, 1))
    left = left_over(aws.land())
    assert [(one.path, one.bytes) for one in left] == [(dead, 6)]
    clear(left)
    assert (ours.exists(), dead.exists()) == (True, False)


@pytest.mark.parametrize("name", ["olist//orders.csv.gz", "/orders.csv", "olist/./orders.csv"])
def test_an_object_whose_name_is_no_path_is_read_as_any_other(aws: CloudSettings, platform: CloudPlatform, name: str) -> None:
    client = aws.cloud.client("s3")
    client.put_object(Bucket=aws.bucket, Key=name, Body=b"first")
    assert [entry.name for entry in platform.landing.entries()] == [name]
    with platform.landing.open(name) as file:
        assert (file.read(2), file.read()) == (b"fi", b"rst")
    client.put_object(Bucket=aws.bucket, Key=name, Body=b"second")
    with platform.landing.open(name) as file:
        assert file.read() == b"second"
    with pytest.raises(FileNotFoundError):
        platform.landing.open(f"{name}//gone")


def test_more_entries_than_fit_a_page_are_all_listed(aws: CloudSettings, platform: CloudPlatform) -> None:
    client, pages = platform._connection.client("s3"), []

    def short_pages(params: dict[str, Any], **_event: Any) -> None:
        params["MaxKeys"] = 2
        pages.append(params)

    client.meta.events.register("provide-client-params.s3.ListObjectsV2", short_pages)
    for number in range(5):
        client.put_object(Bucket=aws.bucket, Key=f"many/{number}", Body=b"")
    assert len({entry.name for entry in platform.landing.entries("many")}) == 5
    assert len(pages) == 3


def test_a_copy_never_lies_outside_the_cache_whatever_its_name(aws: CloudSettings, platform: CloudPlatform) -> None:
    name = "a/../../../../outside.csv"
    aws.cloud.client("s3").put_object(Bucket=aws.bucket, Key=name, Body=b"theirs")
    (entry,) = platform.landing.entries()
    assert entry.name == name
    assert platform.landing.fetch(name).resolve().is_relative_to(aws.work)


def test_what_the_console_makes_to_show_a_folder_is_no_file(aws: CloudSettings, platform: CloudPlatform) -> None:
    aws.cloud.client("s3").put_object(Bucket=aws.bucket, Key="erp_br/", Body=b"")
    assert list(platform.landing.entries()) == []
