"""What a notebook needs besides its step: a run from its parameters, the lake in SQL, a readable result.

`%load_ext sales_tech.notebook` adds the cell magic `%%lake`, which answers a cell of SQL; with a name
behind it, the frame is kept under that name as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa

from sales_tech.contracts.bronze import stream_table
from sales_tech.contracts.stream import stream_contract
from sales_tech.contracts.table import table_contract
from sales_tech.engines.dialect import literal
from sales_tech.engines.duck import open_engine
from sales_tech.errors import SettingsError
from sales_tech.lake.query import Reader
from sales_tech.lake.store import Lake
from sales_tech.runs import Run, StepResult
from sales_tech.settings import Settings

_current: list[Run] = []
_WIDEST = 240  # characters of a cell of a table: a remark or a note of two sentences
_LARGE = 100


def begin(
    *,
    lake: str | None = None,
    landing: str | None = None,
    sources: list[str] | None = None,
    run_id: str | None = None,
    run_date: str | date | None = None,
    force: bool = False,
    engine: str | None = None,
) -> Run:
    """The run that a notebook's parameters describe; `sql` and `%%lake` read its lake from here on."""
    settings = Settings.load(lake=lake, landing=landing, sources=sources, engine=engine)
    run = Run.begin(settings, run_id=run_id, run_date=run_date, force=force)
    _current[:] = [run]
    pd.options.display.float_format = _number
    pd.options.display.max_colwidth = _WIDEST
    pd.options.display.max_columns = None  # a page scrolls; a column that is left out cannot be asked for
    return run


def sql(text: str) -> pd.DataFrame:
    """The result of one select in Athena's SQL on the notebook's lake; money as floats, ready to plot.

    Raises QueryError or LakeError. `lake.sql` gives exact decimals.
    """
    settings = _current[0].settings if _current else Settings.load()
    answer = Reader(settings).arrow(text)
    for number, field in enumerate(answer.schema):
        if pa.types.is_decimal(field.type):
            # Money becomes float64 and a whole number, such as a sum of units, int64: pandas has no decimals.
            plain = pa.float64() if field.type.scale else pa.int64()
            answer = answer.set_column(number, field.name, answer.column(number).cast(plain))
    frame: pd.DataFrame = answer.to_pandas()
    return frame


def files(run: Run) -> pd.DataFrame:
    """Every file that ever arrived, the latest first, with what became of it."""
    lake = Lake(run.settings)
    columns = "file_path, version, source, file_kind, status, reason, rows, bytes, load_id, loaded_at"
    with open_engine(run.settings) as engine:
        contract = table_contract("bronze.files")
        engine.view(
            "files", [file.path for file in lake.files(contract.name)], {name: column.type.sql for name, column in contract.columns.items()}
        )
        frame: pd.DataFrame = engine.arrow(f"select {columns} from files order by arrival desc").to_pandas()
        return frame


def order_events(run: Run) -> pd.DataFrame:
    """How many order events of each source and kind occurred on each day, and how many rows and copies bronze has of them.

    Columns: source, event_type, occurred_on (local day), events (distinct ids), order_lines, copies (events that
    came once more), latest_hours (of the event that took longest from its moment to bronze).
    """
    contract, zone = stream_table(), stream_contract().timezone
    with open_engine(run.settings) as engine:
        columns = {name: column.type.sql for name, column in contract.columns.items()}
        engine.view("landed_lines", [file.path for file in Lake(run.settings).files(contract.name)], columns)
        frame: pd.DataFrame = engine.arrow(
            f"""
            with events as (
                select source, event_type, event_id, as_instant(any_value(occurred_at)) as occurred_at, min(_loaded_at) as loaded_at,
                    count(*) as rows, count(distinct (_file_id, _event_number)) as arrivals, count(distinct line) as order_lines
                from landed_lines group by source, event_type, event_id
            )
            select source, event_type, local_day(occurred_at, {literal(zone)}) as occurred_on, count(*) as events,
                cast(sum(order_lines) as bigint) as order_lines, cast(sum(arrivals) - count(*) as bigint) as copies,
                round(max(epoch(loaded_at) - epoch(occurred_at)) / 3600, 1) as latest_hours
            from events group by all order by all"""
        ).to_pandas()
        return frame


def summary(result: StepResult) -> pd.DataFrame:
    """A step's commits as a frame: table, rows written, partitions replaced, snapshot."""
    rows = [
        {"table": commit.table, "rows written": commit.rows, "partitions replaced": commit.partitions, "snapshot": str(commit.snapshot_id)}
        for commit in result.commits
    ]
    return pd.DataFrame(rows, columns=["table", "rows written", "partitions replaced", "snapshot"])


def _number(value: float) -> str:
    if value.is_integer():
        return f"{value + 0:,.0f}"  # no minus on nothing
    return f"{value:,.2f}" if abs(value) >= _LARGE else f"{value:.4g}"


@dataclass(frozen=True)
class _Magic:
    namespace: dict[str, Any]

    def __call__(self, line: str, cell: str) -> pd.DataFrame:
        name = line.strip()
        if name and not name.isidentifier():
            raise SettingsError(f"%%lake {name!r}; expected nothing or a name for the result")
        frame = sql(cell)
        if name:
            self.namespace[name] = frame
        return frame


def load_ipython_extension(shell: Any) -> None:
    """Add the cell magic `%%lake` to a running IPython."""
    magic: Callable[[str, str], pd.DataFrame] = _Magic(shell.user_ns)
    shell.register_magic_function(magic, magic_kind="cell", magic_name="lake")
