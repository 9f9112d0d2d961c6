"""S3 as the embedded engine reads and writes it."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

from fsspec.implementations.arrow import ArrowFSWrapper
from pyarrow import NativeFile
from pyarrow.fs import S3FileSystem

from sales_tech.aws.connection import bucket_and_key, in_words
from sales_tech.aws.kept import Kept

_ROOM = 64 * 2**20
_SMALL = 2**20  # bytes up to which a file comes in one answer as quickly as its footer alone


class LakeFileSystem(ArrowFSWrapper):  # type: ignore[misc]
    """Arrow's S3 for DuckDB, which reaches it by `s3://` without an extension to download.

    Folders are not made: Arrow would leave an empty object for each, also where it deletes the last file.
    What is known of a file is not asked again, since the lake writes each name once, and DuckDB opens a file
    whenever a query names it, ten times in one step. Small files are read whole, and kept as long as there is room.
    """

    protocol = ("s3",)
    cachable = False  # fsspec would keep the first client for the life of the process

    def __init__(self, arrow: S3FileSystem, client: Any) -> None:
        self._client = client
        self._opened: dict[str, NativeFile] = {}
        self._known: dict[str, dict[str, Any]] = {}
        self._kept = Kept(_ROOM)
        super().__init__(arrow)

    def mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        """Nothing: S3 knows no folders."""

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Nothing: S3 knows no folders."""

    def isdir(self, path: str) -> bool:
        """False: S3 knows no folders, and none needs to be asked for."""
        return False

    def ls(self, path: str, detail: bool = False, **kwargs: Any) -> list[Any]:
        """What lies below a prefix; nothing where there is none, as in a folder that was just made."""
        try:
            return list(super().ls(path, detail=detail, **kwargs))
        except FileNotFoundError:
            return []

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        """Size and time of a file; FileNotFoundError where none is there."""
        path = self._strip_protocol(path)
        if path not in self._known:
            # Opened, which asks S3 once; asked for its size, Arrow would look for a folder of the name as well.
            file = self._file(path)
            written = datetime.fromisoformat(file.metadata()["Last-Modified"].decode())
            self._known[path] = {"name": path, "size": file.size(), "type": "file", "mtime": written}
        return self._known[path]

    def modified(self, path: str) -> Any:
        """When a file was written."""
        return self.info(path)["mtime"]

    def rm_file(self, path: str) -> None:
        """Delete one object."""
        bucket, key = bucket_and_key(path)
        path = self._strip_protocol(path)
        self._opened.pop(path, None)
        self._known.pop(path, None)
        self._kept.forget(path)
        with in_words(f"deleting {path}"):
            self._client.delete_object(Bucket=bucket, Key=key)

    def _open(self, path: str, mode: str = "rb", *arguments: Any, **kwargs: Any) -> Any:
        return _Reader(path, self._file(path), self._kept) if mode == "rb" else super()._open(path, mode, *arguments, **kwargs)

    def _file(self, path: str) -> NativeFile:
        if path not in self._opened:
            self._opened[path] = self.fs.open_input_file(path)
        return self._opened[path]


class _Reader(io.RawIOBase):
    """A position of its own in a file that others read as well."""

    def __init__(self, path: str, file: NativeFile, kept: Kept) -> None:
        self.path, self._file, self._kept, self._at = path, file, kept, 0
        self.size: int = file.size()

    def read(self, size: int = -1) -> bytes:
        left = max(self.size - self._at, 0)
        wanted = left if size < 0 else min(size, left)
        if self.size <= _SMALL:
            whole = self._kept.get(self.path, lambda: bytes(self._file.read_at(self.size, 0)))
            found = whole[self._at : self._at + wanted]
        else:
            found = self._file.read_at(wanted, self._at) if wanted else b""  # past the end Arrow raises
        self._at += len(found)
        return found

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True
