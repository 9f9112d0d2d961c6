"""Iceberg's own files in a folder, as pyiceberg reads and writes them."""

from __future__ import annotations

import io

from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.io import FileIO, InputStream
from pyiceberg.io.pyarrow import PyArrowFile, PyArrowFileIO
from pyiceberg.typedef import EMPTY_DICT, Properties
from sqlalchemy import select

from sales_tech import avro


class FolderCatalog(SqlCatalog):
    """The catalog in SQLite, of whose tables no damaged list of files is read."""

    def locations(self) -> list[str]:
        """Where the newest metadata of each table lies."""
        with self.engine.connect() as connection:
            told = connection.execute(select(IcebergTables.metadata_location).where(IcebergTables.catalog_name == self.name))
            return [location for (location,) in told if location]

    def _load_file_io(self, properties: Properties = EMPTY_DICT, location: str | None = None) -> FileIO:
        return _FolderFiles({**self.properties, **properties})


class _FolderFiles(PyArrowFileIO):
    def new_input(self, location: str) -> PyArrowFile:
        file = super().new_input(location)
        return _ListOfFiles(file) if location.endswith(avro.SUFFIX) else file


class _ListOfFiles(PyArrowFile):
    def __init__(self, file: PyArrowFile) -> None:
        super().__init__(file.location, file._path, file._filesystem, file._buffer_size)

    def open(self, seekable: bool = True) -> InputStream:
        with super().open(seekable) as stream:
            return io.BytesIO(avro.whole(stream.read(), self.location))
