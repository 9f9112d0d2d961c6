"""The bronze table of a file kind: its columns as text, and where each row came from."""

from __future__ import annotations

from sales_tech.contracts.pack import STREAM, STREAM_TABLE, FileContract, Pack
from sales_tech.contracts.stream import stream_contract
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

STREAM_COLUMNS = {
    "source": Column(type=_STRING, required=True, description="Pack whose orders the event tells of"),
    "_event_number": Column(type=_LONG, required=True, description="Line of the landed object on which the event stands"),
}
_POSITION = Column(type=_LONG, required=True, description="Position of the order line among all of the landed object; the first is 1")


def bronze_contract(pack: Pack, kind: str) -> TableContract:
    """The contract of the bronze table of one file kind."""
    if kind == STREAM:
        return stream_table()
    file = pack.files[kind]
    return TableContract(
        name=pack.bronze(kind),
        description=f"{file.description} One row per line of each file, as it came.",
        grain=["_file_id", "_line_number"],
        columns=_texts(file, "Text under the header") | ROW_COLUMNS,
    )


def stream_table() -> TableContract:
    """The contract of bronze.order_events."""
    return TableContract(
        name=STREAM_TABLE,
        description="One row per order line of each order event, as it landed.",
        grain=["_file_id", "_line_number"],
        partition=["source"],
        columns=STREAM_COLUMNS | _texts(stream_contract(), "Text of the event's") | ROW_COLUMNS | {"_line_number": _POSITION},
    )


def _texts(file: FileContract, words: str) -> dict[str, Column]:
    return {
        name: Column(type=_STRING, description=column.description or f"{words} {' or '.join(map(repr, file.headers[name]))}")
        for name, column in file.columns.items()
    }
