"""The stream of order events, seen as one more kind of file of every pack.

An event names the pack whose orders it tells of. So its lines are typed, mapped and judged by the same
means as those of the pack's files, and meet them in silver.sales.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path

from sales_tech.contracts.document import Document
from sales_tech.contracts.pack import STREAM, STREAM_TABLE, FileContract, Mapping, Pack

SALES = "silver.sales"


def stream_folder() -> Path:
    """Where the contract and the mapping of the stream stand."""
    return Path(str(resources.files("sales_tech"))) / "streams"


@cache
def stream_contract() -> FileContract:
    """What the columns of `bronze.order_events` mean; a column's header is its path in the event.

    Under `order.lines` stand the fields of a line, of which an event has one or several.
    """
    return Document.load(stream_folder() / f"{STREAM}.yaml").validate(FileContract, kind=STREAM)


def stream_pack(pack: Pack, sales: FileContract | None = None) -> Pack:
    """The pack with the stream as its only kind of file, feeding silver.sales; its other tables are known by name.

    `sales` is the kind of the pack's sales files: the events' days must be days of its time zone, and versions that it
    names as wrong are wrong in an event too. Without it the stream's own zone holds.
    """
    mapping = Mapping(SALES, stream_folder() / "sales.sql", (stream_folder() / "sales.sql").read_text(encoding="utf-8"))
    taken = {"timezone": sales.timezone, "wrong_versions": sales.wrong_versions} if sales else {}
    contract = stream_contract().model_copy(update=taken)
    return replace(pack, files={STREAM: contract}, mappings={**pack.mappings, SALES: mapping})


__all__ = ["SALES", "STREAM", "STREAM_TABLE", "stream_contract", "stream_folder", "stream_pack"]
