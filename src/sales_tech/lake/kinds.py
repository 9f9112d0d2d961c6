"""The kinds of files that a lake has rows of, which their packs must not forget."""

from __future__ import annotations

from collections.abc import Mapping

from sales_tech.contracts.pack import Pack
from sales_tech.contracts.stream import STREAM
from sales_tech.engines.duck import DuckEngine
from sales_tech.errors import ContractError
from sales_tech.lake.store import Lake


def check_kinds(lake: Lake, engine: DuckEngine, packs: Mapping[str, Pack]) -> None:
    """ContractError where a pack lacks a kind of which files were loaded: built anew, silver would lose their rows without a fate."""
    columns = {"source": "varchar", "file_kind": "varchar", "file_id": "varchar", "status": "varchar"}
    engine.view("files_by_kind", [file.path for file in lake.files("bronze.files")], columns)
    for source, kind, files in engine.rows(
        "select source, file_kind, count(distinct file_id) from files_by_kind where status = 'loaded' group by all order by all"
    ):
        if source in packs and kind != STREAM and kind not in packs[source].files:
            found = f"no {kind}.yaml, by which {files} file{'s were' if files > 1 else ' was'} loaded"
            expected = "each kind to keep its name as long as the lake has its rows (a glob that matches nothing loads no more of them)"
            raise ContractError(packs[source].folder, None, found, expected)
