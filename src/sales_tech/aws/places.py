"""A part of a bucket as a place of files."""

from __future__ import annotations

import atexit
import hashlib
import io
import os
import secrets
import shutil
import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from botocore.exceptions import ClientError
from filelock import FileLock
from pyarrow import NativeFile

from sales_tech import disk
from sales_tech.aws.connection import Connection, bucket_and_key, code_of, in_words
from sales_tech.errors import LakeError
from sales_tech.ports import Entry

_AT_ONCE = 1000  # S3 takes no more in one request to delete
_MISSING = ("404", "NoSuchBucket", "NoSuchKey", "NotFound")


class BucketPlace:
    """The objects below `s3://bucket/prefix`.

    What is fetched or kept stays on this machine for the life of the process, below `work`, so that no file
    crosses the network twice. Its folder is locked, by which maintenance knows what a process left that was killed.
    """

    def __init__(self, connection: Connection, url: str, work: Path) -> None:
        self._connection, self.url = connection, url
        self._cache = work / f"s3-{os.getpid()}-{secrets.token_hex(4)}"
        self._one_at_a_time = threading.Lock()
        self._in_use: FileLock | None = None
        self._bucket, self._prefix = bucket_and_key(url)

    def exists(self) -> bool:
        """Whether the bucket is there."""
        with in_words(f"looking at {self.url}"):
            try:
                self._connection.client("s3").head_bucket(Bucket=self._bucket)
            except ClientError as error:
                if code_of(error) not in _MISSING:
                    raise
                return False
        return True

    def entries(self, below: str = "") -> Iterator[Entry]:
        """All objects below a prefix, page by page; what stands for a folder is left out."""
        start = len(self._key(""))
        with in_words(f"listing {self.url}/{below}"):
            pages = self._connection.client("s3").get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._key(f"{below.strip('/')}/" if below.strip("/") else "")):
                for found in page.get("Contents", []):
                    if not found["Key"].endswith("/"):
                        yield Entry(found["Key"][start:], found["Size"], int(found["LastModified"].timestamp()) * 10**9)

    def open(self, name: str) -> BinaryIO:
        """Read an object as a stream, its bytes as they are."""
        what = f"reading {self.url}/{name}"
        with in_words(what):
            if {"", ".", ".."} & set(self._key(name).split("/")):  # as in sales//1.csv, which S3 takes for a name and Arrow for none
                part = self._downloaded(name)
                file = part.open("rb")
                part.unlink()  # its bytes stay until the file is closed
                return file
            # Without `compression` Arrow would unpack what is named .gz.
            return cast(
                BinaryIO, _Stream(self._connection.arrow.open_input_stream(f"{self._bucket}/{self._key(name)}", compression=None), what)
            )

    def fetch(self, name: str) -> Path:
        """The copy of an object on this machine, downloaded where there is none yet; FileNotFoundError where it is gone."""
        copy = self._copy(name)
        if copy.exists():
            return copy
        with in_words(f"reading {self.url}/{name}"):
            return self._downloaded(name).replace(copy)

    def keep(self, part: Path, name: str) -> None:
        """Upload a file of this machine, which then is the copy that `fetch` hands out."""
        self.upload(part, name)
        shutil.move(part, self._copy(name))

    def remove(self, names: Iterable[str]) -> None:
        """Delete objects, a thousand with each request; LakeError where S3 refuses any."""
        with in_words(f"deleting files of {self.url}"):
            rest = iter(names)
            while some := list(islice(rest, _AT_ONCE)):
                objects = [{"Key": self._key(name)} for name in some]
                answer = self._connection.client("s3").delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
                if errors := answer.get("Errors"):
                    first = errors[0]
                    raise LakeError(
                        f"{len(errors)} files of {self.url} were not deleted: {first['Key']}: {first['Code']}: {first['Message']}"
                    )

    def upload(self, path: Path, name: str, content_type: str = "application/octet-stream") -> None:
        """Write an object from a file, which stays as it is."""
        with in_words(f"writing {self.url}/{name}"):
            self._connection.client("s3").upload_file(str(path), self._bucket, self._key(name), ExtraArgs={"ContentType": content_type})

    def _downloaded(self, name: str) -> Path:
        """An object in a file of its own, should two threads ask for the same."""
        part = self._folder() / f"{secrets.token_hex(8)}.part"
        try:
            self._connection.client("s3").download_file(self._bucket, self._key(name), str(part))
        except ClientError as error:
            if code_of(error) not in _MISSING:
                raise
            raise FileNotFoundError(f"{self.url}/{name}") from error
        return part

    def _copy(self, name: str) -> Path:
        # By checksum: an object may be named ../../x.
        return self._folder() / f"{hashlib.sha256(name.encode()).hexdigest()}{''.join(PurePosixPath(name).suffixes[-2:])}"

    def _folder(self) -> Path:
        """The folder of copies, made and locked where there is none yet."""
        with self._one_at_a_time:
            self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)  # below /tmp, if nothing else is set
            if self._in_use is None:
                self._in_use = FileLock(self._cache / disk.IN_USE)
                self._in_use.acquire()
                atexit.register(_drop, self._cache, self._in_use)
        return self._cache

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name


def _drop(folder: Path, in_use: FileLock) -> None:
    in_use.release()
    shutil.rmtree(folder, ignore_errors=True)


class _Stream(io.RawIOBase):
    """An object that is read as it comes; that it breaks off is told in words too."""

    def __init__(self, file: NativeFile, what: str) -> None:
        self._file, self._what = file, what

    def read(self, size: int = -1) -> bytes:
        with in_words(self._what):
            return bytes(self._file.read(None if size < 0 else size))

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()
