"""The packs and kinds of files that a lake has rows of, which must not be forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sales_tech.contracts.pack import Pack
from sales_tech.contracts.stream import STREAM
from sales_tech.engines.dialect import literal
from sales_tech.engines.duck import DuckEngine
from sales_tech.errors import ContractError
from sales_tech.lake.store import Lake


def check_kinds(lake: Lake, engine: DuckEngine, packs: Mapping[str, Pack]) -> None:
    """ContractError where a pack lacks a kind of which files were loaded: built anew, silver would lose their rows without a fate."""
    for source, kind, files in _loaded(lake, engine):
        if source in packs and kind not in packs[source].files:
            found = f"no {kind}.yaml, by which {files} file{'s were' if files > 1 else ' was'} loaded"
            expected = "each kind to keep its name as long as the lake has its rows (a glob that matches nothing loads no more of them)"
            raise ContractError(packs[source].folder, None, found, expected)


def left_behind(lake: Lake, engine: DuckEngine, packs: Mapping[str, Pack]) -> list[str]:
    """A warning for each source of which files were loaded and no pack is known now, as after its folder got another name."""
    counts: Counter[str] = Counter()
    for source, _, files in _loaded(lake, engine):
        counts[source] += files
    return [
        f"{source}: the lake has rows of {files} of its files, but no pack of this name is known. They stay in silver and gold as they "
        f"are, and no more are loaded. If the pack's folder was renamed, call it {source} again: under another name files of the same "
        "content are not loaded, and new ones make a second source. If it lies elsewhere, name it with --sources. "
        "If these files should have come by another pack's name, build a new lake from the landing folder."
        for source, files in sorted(counts.items())
        if source not in packs
    ]


def _loaded(lake: Lake, engine: DuckEngine) -> list[tuple[str, str, int]]:
    # Order events name their sources themselves.
    columns = {"source": "varchar", "file_kind": "varchar", "file_id": "varchar", "status": "varchar"}
    engine.view("files_by_kind", [file.path for file in lake.files("bronze.files")], columns)
    return engine.rows(
        f"""select source, file_kind, count(distinct file_id) from files_by_kind
        where status = 'loaded' and file_kind <> {literal(STREAM)} group by all order by all"""
    )
