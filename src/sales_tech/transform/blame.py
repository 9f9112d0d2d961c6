"""Which row of a pack's SQL it is that cannot be computed, or comes out more than once; looked for only once somebody stumbled over it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from sqlglot import exp

from sales_tech.engines.dialect import literal, quote, to_duckdb
from sales_tech.engines.duck import DuckEngine
from sales_tech.engines.engine import Engine
from sales_tech.errors import AuditError, ConservationError, ContractError
from sales_tech.lake.store import Lake
from sales_tech.transform.mapping import BoundMapping, line_of
from sales_tech.transform.sources import athena, view_latest, view_typed

T = TypeVar("T")
_EXPECTED = (
    "SQL that holds for every row: try_cast where a text may be no number, and cast(... as double) before a product that may not fit, "
    "so that the row is rejected and the night goes on"
)


@contextmanager
def blamed(engine: Engine, lake: Lake, suspects: Iterable[BoundMapping]) -> Iterator[None]:
    """Turn a value that DuckDB could not compute into a ContractError that names the pack's SQL, its column and the row.

    `arrivals` must be shown. An error that no suspect's SQL repeats passes as it is.
    """
    try:
        yield
    except DuckEngine.Unfit as error:
        assert isinstance(engine, DuckEngine), "no other engine raises it"
        for bound in suspects:
            if (found := _found(engine, lake, bound)) is not None:
                raise found from error
        raise


@contextmanager
def each_once(engine: Engine, lake: Lake, suspects: Iterable[BoundMapping]) -> Iterator[None]:
    """Turn books that do not add up into a ContractError that names the pack's SQL where it gives a row more than once.

    `arrivals` must be shown by then. An error that no suspect's SQL is the cause of passes as it is.
    """
    try:
        yield
    except (AuditError, ConservationError) as error:
        for bound in suspects:
            if (found := _repeated(engine, lake, bound)) is not None:
                raise found from error
        raise


def _repeated(engine: Engine, lake: Lake, bound: BoundMapping) -> ContractError | None:
    pack = bound.pack
    relations = {bound.driver: view_typed(engine, lake, pack, bound.driver, suffix="__suspect")}
    for kind in bound.lookups:
        relations[kind] = view_latest(engine, pack, kind, view_typed(engine, lake, pack, kind))
    mapped = athena(bound.select(relations).sql(dialect="trino"))
    times = f"select _file_id, _line_number, count(*) as times from ({mapped}) as mapped group by all having count(*) > 1"
    some = engine.rows(
        f"select file_path, _line_number, times from ({times}) as t join arrivals as a using (_file_id) order by 1, 2 limit 1"
    )
    if not some:
        return None
    ((path, line, often),) = some
    joins = list(bound.tree.find_all(exp.Join))
    keys = "; ".join(f"that of {kind} is {', '.join(pack.files[kind].key)}" for kind in bound.lookups)
    found = f"line {line} of {path} comes out {often} times; nothing was committed"
    expected = "every row once, so each left join to find one row at most: by all of the key of its file kind"
    expected += f" ({keys})" if keys else ""
    return ContractError(bound.mapping.path, line_of(joins[0]) if joins else None, found, expected)


def _found(engine: DuckEngine, lake: Lake, bound: BoundMapping) -> ContractError | None:
    pack = bound.pack
    driver, view = view_typed(engine, lake, pack, bound.driver, suffix="__suspect"), f"suspect_{pack.name}.{bound.driver}"
    relations = {bound.driver: view}
    for kind in bound.lookups:
        relations[kind] = view_latest(engine, pack, kind, view_typed(engine, lake, pack, kind))
    mapped = to_duckdb(bound.select(relations))

    def failure(rows: str, outputs: Sequence[str] = bound.outputs) -> str | None:
        engine.name_query(view, f"select * from {driver} where {rows}")
        # As text, since of a number the engine may know the greatest without computing any.
        asked = ", ".join(f"max(cast({quote(name)} as varchar))" for name in outputs)
        try:
            engine.rows(f"select {asked} from ({mapped}) as mapped")
        except DuckEngine.Unfit as error:
            return str(error).splitlines()[0]
        return None

    if failure("true") is None:
        return None
    files = [file for (file,) in engine.rows(f"select distinct _file_id from {driver} order by 1")]
    file = _narrowed(files, lambda some: failure(f"_file_id in ({', '.join(map(literal, some))})") is not None)
    of_file = f"_file_id = {literal(file)}"
    first, last = engine.row(f"select min(_line_number), max(_line_number) from {driver} where {of_file}")
    line = _narrowed(
        range(first, last + 1), lambda some: failure(f"{of_file} and _line_number between {some[0]} and {some[-1]}") is not None
    )
    row = f"{of_file} and _line_number = {line}"
    said = failure(row) or failure("true")
    select = next((select for select in bound.tree.selects if failure(row, [select.alias_or_name])), bound.tree)
    (path,) = engine.row(f"select file_path from arrivals where {of_file}")
    found = f"column {select.alias_or_name or 'of a join'} cannot be computed for line {line} of {path}: {said}"
    return ContractError(bound.mapping.path, line_of(select), found, _EXPECTED)


def _narrowed(values: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> T:
    # One of the values for which it fails: of two halves either does, or the one that is left.
    while len(values) > 1:
        half = values[: len(values) // 2]
        values = half if fails(half) else values[len(values) // 2 :]
    return values[0]
