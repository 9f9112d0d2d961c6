"""What is written once is asked of S3 once, and read as it is."""

from __future__ import annotations

import io
import random

import pytest
from tests.aws.conftest import Shelf
from tests.support.cloud_settings import CloudSettings

from sales_tech.aws import filesystem
from sales_tech.aws.cloud import CloudPlatform
from sales_tech.aws.kept import Kept
from sales_tech.engines.duck import open_engine
from sales_tech.lake.store import Lake


def remove(shelf: Shelf, ending: str) -> int:
    """Delete all objects of the lake whose name has an ending; how many they were."""
    assert shelf.settings.cloud is not None
    client, bucket = shelf.settings.cloud.client("s3"), str(shelf.settings.lake).split("/")[2]
    names = [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket)["Contents"] if entry["Key"].endswith(ending)]
    for name in names:
        client.delete_object(Bucket=bucket, Key=name)
    return len(names)


def test_a_file_that_was_read_is_not_asked_for_again(shelf: Shelf) -> None:
    files = [file.path for file in shelf.lake.files(shelf.name)]
    with open_engine(shelf.settings) as engine:
        engine.view("shelf", files, {"sku": "varchar"})
        first = engine.rows("from shelf order by sku")
        assert remove(shelf, ".parquet") == 1
        assert engine.rows("from shelf order by sku") == first == [("A",), ("B",)]


def test_metadata_and_manifests_that_were_read_are_not_asked_for_again(shelf: Shelf) -> None:
    expected = shelf.lake.files(shelf.name)
    assert remove(shelf, ".avro") >= 2
    assert remove(shelf, ".metadata.json") >= 2
    assert shelf.lake.files(shelf.name) == expected


def test_another_writers_commit_is_seen_at_once_although_metadata_is_kept(shelf: Shelf) -> None:
    reader = shelf.lake
    before = reader.snapshot_id(shelf.name)
    other = CloudPlatform(shelf.settings)
    theirs = Lake(shelf.settings)
    theirs.platform = other
    made = shelf.bookmark(theirs)
    reader.refresh()
    assert reader.snapshot_id(shelf.name) == made != before


@pytest.mark.parametrize("small", [0, 2**20], ids=["in parts", "whole"])
def test_a_file_is_read_from_any_place_in_it(
    aws: CloudSettings, platform: CloudPlatform, monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    monkeypatch.setattr(filesystem, "_SMALL", small)
    chance = random.Random(7)
    content = chance.randbytes(5000)
    assert aws.cloud is not None
    aws.cloud.client("s3").put_object(Bucket=aws.bucket, Key="a/b", Body=content)
    oracle, file = io.BytesIO(content), platform.filesystem.open(f"{aws.bucket}/a/b", "rb")
    for _ in range(200):
        offset, length = chance.randrange(6000), chance.choice([-1, 0, 1, chance.randrange(6000)])
        assert file.seek(offset) == oracle.seek(offset)
        assert file.read(length) == oracle.read(length)
        assert file.tell() == oracle.tell()
    assert file.seek(-10, io.SEEK_END) == 4990
    assert file.seek(5, io.SEEK_CUR) == 4995
    assert file.read() == content[-5:]


def test_what_is_known_of_a_file_ends_with_the_file(aws: CloudSettings, platform: CloudPlatform) -> None:
    path, client = f"{aws.bucket}/a/b", aws.cloud.client("s3") if aws.cloud else None
    assert client is not None
    assert not platform.filesystem.exists(path)
    client.put_object(Bucket=aws.bucket, Key="a/b", Body=b"theirs")
    assert platform.filesystem.open(path).read() == b"theirs"
    assert platform.filesystem.info(path)["size"] == 6
    written = client.head_object(Bucket=aws.bucket, Key="a/b")["LastModified"]
    assert platform.filesystem.modified(path) == written
    platform.filesystem.rm_file(path)
    assert not platform.filesystem.exists(path)
    with pytest.raises(FileNotFoundError):
        platform.filesystem.open(path)


def test_a_write_that_fails_is_told_where_the_file_is_closed(platform: CloudPlatform) -> None:
    out = platform._connection.arrow.open_output_stream("nowhere-at-all/a")
    out.write(b"x")
    with pytest.raises(OSError, match="nowhere-at-all"):
        out.close()


def test_those_used_last_are_kept_as_long_as_there_is_room() -> None:
    kept, asked = Kept(10), []

    def get(name: str, length: int = 4) -> bytes:
        def read() -> bytes:
            asked.append(name)
            return name.encode() * length

        return kept.get(name, read)

    assert [get(name) for name in "aba"] == [b"aaaa", b"bbbb", b"aaaa"]
    get("c")  # b makes room, since a was used after it
    assert [get("a"), get("c")] == [b"aaaa", b"cccc"]
    assert "".join(asked) == "abc"
    assert get("d", 11) == b"d" * 11  # more than there is room for: handed out, and not kept
    asked.clear()
    kept.forget("x")
    get("d", 11)
    assert asked == ["d"]


def test_what_is_forgotten_is_read_again() -> None:
    kept, answers = Kept(10), iter([b"first", b"second"])
    assert kept.get("a", lambda: next(answers)) == b"first"
    kept.forget("a")
    assert kept.get("a", lambda: next(answers)) == b"second"
