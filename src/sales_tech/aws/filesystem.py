"""S3 as the embedded engine reads and writes it."""

from __future__ import annotations

from typing import Any

from fsspec.implementations.arrow import ArrowFSWrapper
from pyarrow.fs import S3FileSystem

from sales_tech.aws.connection import bucket_and_key, in_words


class LakeFileSystem(ArrowFSWrapper):  # type: ignore[misc]
    """Arrow's S3 for DuckDB, which reaches it by `s3://` without an extension to download.

    Folders are not made: Arrow would leave an empty object for each, also where it deletes the last file.
    What is known of a file is not asked again, since the lake writes each name once.
    """

    protocol = ("s3",)
    cachable = False  # fsspec would keep the first client for the life of the process

    def __init__(self, arrow: S3FileSystem, client: Any) -> None:
        self._client = client
        self._known: dict[str, dict[str, Any]] = {}
        super().__init__(arrow)

    def mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        """Nothing: S3 knows no folders."""

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Nothing: S3 knows no folders."""

    def ls(self, path: str, detail: bool = False, **kwargs: Any) -> list[Any]:
        """What lies below a prefix; nothing where there is none, as in a folder that was just made."""
        try:
            return list(super().ls(path, detail=detail, **kwargs))
        except FileNotFoundError:
            return []

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        """Size and time of a file; FileNotFoundError where nothing is there."""
        if path not in self._known:
            found: dict[str, Any] = super().info(path, **kwargs)
            if found["type"] != "file":
                return found
            self._known[path] = found
        return self._known[path]

    def modified(self, path: str) -> Any:
        """When a file was written."""
        return self.info(path)["mtime"]

    def rm_file(self, path: str) -> None:
        """Delete one object."""
        bucket, key = bucket_and_key(path)
        self._known.pop(path, None)
        with in_words(f"deleting {path}"):
            self._client.delete_object(Bucket=bucket, Key=key)
