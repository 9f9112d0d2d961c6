"""The bronze table of a file kind: its columns as text, and where each row came from."""

from __future__ import annotations

from sales_tech.contracts.pack import Pack
from sales_tech.contracts.table import Column, TableContract
from sales_tech.contracts.types import ColumnType

_STRING, _LONG, _TIME = ColumnType("string"), ColumnType("long"), ColumnType("timestamptz")
ROW_COLUMNS = {
    "_extra": Column(type=_STRING, description="Columns of the file that its contract does not know, as JSON"),
    "_raw": Column(type=_STRING, description="The line itself where it could not be split into columns"),
    "_problem": Column(type=_STRING, description="Why it could not"),
    "_line_number": Column(type=_LONG, required=True, description="Line of the file on which the row starts; the header is 1"),
    "_file_id": Column(type=_STRING, required=True, description="SHA-256 of the file, see bronze.files"),
    "_file_path": Column(type=_STRING, required=True, description="Path below the landing folder"),
    "_load_id": Column(type=_STRING, required=True, description="Run that brought the row in"),
    "_loaded_at": Column(type=_TIME, required=True, description="When it was brought in"),
}


def bronze_contract(pack: Pack, kind: str) -> TableContract:
    """The contract of the bronze table of one file kind."""
    file = pack.files[kind]
    columns = {
        name: Column(type=_STRING, description=column.description or f"Text under the header {file.headers[name]!r}")
        for name, column in file.columns.items()
    }
    return TableContract(
        name=pack.bronze(kind),
        description=f"{file.description} One row per line of each file, as it came.",
        grain=["_file_id", "_line_number"],
        columns=columns | ROW_COLUMNS,
    )
