"""Bronze as the transforms read it: views of raw, typed and latest rows, one for each file kind."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache

import sqlglot

from sales_tech.contracts.bronze import bronze_contract
from sales_tech.contracts.pack import Pack
from sales_tech.contracts.table import table_contract, table_names
from sales_tech.engines.dialect import ATHENA, to_duckdb
from sales_tech.engines.engine import Engine
from sales_tech.lake.store import Lake, LakeFile
from sales_tech.transform.typed import latest_select, typed_select


@lru_cache(maxsize=256)
def athena(sql: str) -> str:
    """Athena's SQL, as the generators write it, in the engine's own words; kept, since a process asks for the same texts again."""
    return to_duckdb(sqlglot.parse_one(sql, read=ATHENA))


def ensure_silver(lake: Lake) -> None:
    """Make all silver tables, so that a query finds even those that no pack feeds."""
    for name in table_names():
        if name.startswith("silver."):
            lake.ensure(table_contract(name))


def view_table(engine: Engine, lake: Lake, name: str, *, view: str | None = None, files: Iterable[LakeFile] | None = None) -> str:
    """Show a silver or gold table, or some of its files, to the engine; the view's name is returned."""
    chosen = lake.files(name) if files is None else files
    columns = {key: column.type.sql for key, column in table_contract(name).columns.items()}
    engine.view(view or name, [file.path for file in chosen], columns, whole=lake.never_widened(name, columns))
    return view or name


def view_arrivals(engine: Engine, lake: Lake) -> None:
    """Show `arrivals(_file_id, _arrival, load_id, file_path, file_kind)`: which loaded file came when."""
    view_table(engine, lake, "bronze.files")
    engine.name_query(
        "arrivals",
        "select file_id as _file_id, min(arrival) as _arrival, "
        "arg_min(load_id, arrival) as load_id, arg_min(file_path, arrival) as file_path, "
        "arg_min(file_kind, arrival) as file_kind "
        "from bronze.files where status = 'loaded' group by file_id",
    )


def raw_view(pack: Pack, kind: str, suffix: str = "") -> str:
    """The name of the view of bronze rows that `view_typed` reads."""
    return f"raw_{pack.name}.{kind}{suffix}"


def view_typed(
    engine: Engine,
    lake: Lake,
    pack: Pack,
    kind: str,
    *,
    files: Iterable[LakeFile] | None = None,
    suffix: str = "",
    hashed_once: Collection[str] = (),
) -> str:
    """Show the typed rows of a file kind, or of some of its bronze files; the view's name is returned."""
    name, raw, typed = pack.bronze(kind), raw_view(pack, kind, suffix), f"typed_{pack.name}.{kind}{suffix}"
    chosen = lake.files(name) if files is None else files
    columns = {key: column.type.sql for key, column in bronze_contract(pack, kind).columns.items()}
    engine.view(raw, [file.path for file in chosen], columns, whole=lake.never_widened(name, columns))
    return engine.name_query(typed, athena(typed_select(pack.files[kind], raw, hashed_once=hashed_once)))


def view_latest(engine: Engine, pack: Pack, kind: str, typed: str) -> str:
    """Show the sound rows of a typed view in their latest version; the view's name is returned."""
    return engine.name_query(f"latest_{pack.name}.{kind}", athena(latest_select(pack.files[kind], typed)))
