"""Iceberg's own files in S3, as pyiceberg reads and writes them."""

from __future__ import annotations

import io

from pyarrow.fs import FileSystem
from pyiceberg.io import InputStream
from pyiceberg.io.pyarrow import PyArrowFile, PyArrowFileIO

from sales_tech import avro
from sales_tech.aws.connection import Connection
from sales_tech.aws.kept import Kept

_NEVER_CHANGED = (avro.SUFFIX, ".metadata.json")
_ROOM = 64 * 2**20


class LakeFiles(PyArrowFileIO):
    """S3 for pyiceberg, which reads the same metadata and manifests many times in one step.

    These are written once, under names that are never used again, so what was read of them is kept.
    """

    def __init__(self, connection: Connection) -> None:
        self._arrow, self._kept = connection.arrow, Kept(_ROOM)
        super().__init__(connection.iceberg)

    def new_input(self, location: str) -> PyArrowFile:
        """A file to read."""
        file = super().new_input(location)
        return _FixedFile(file, self._kept) if location.endswith(_NEVER_CHANGED) else file

    def _initialize_fs(self, scheme: str, netloc: str | None = None) -> FileSystem:
        return self._arrow if scheme == "s3" else super()._initialize_fs(scheme, netloc)


class _FixedFile(PyArrowFile):
    def __init__(self, file: PyArrowFile, kept: Kept) -> None:
        super().__init__(file.location, file._path, file._filesystem, file._buffer_size)
        self._kept = kept

    def open(self, seekable: bool = True) -> InputStream:
        return io.BytesIO(self._kept.get(self.location, self._read))

    def _read(self) -> bytes:
        # As a stream, before which nobody asks for the size.
        with super().open(seekable=False) as stream:
            read = stream.read()
        return avro.whole(read, self.location) if self.location.endswith(avro.SUFFIX) else read
