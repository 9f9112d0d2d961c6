"""What the terminal shows: the plan, the end of a run, the ledger, a query's answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

import pyarrow as pa
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from sales_tech.engines.duck import open_engine
from sales_tech.errors import LakeError, QueryError
from sales_tech.ingest.arrivals import Unread
from sales_tech.lake.query import Reader
from sales_tech.lake.store import Lake
from sales_tech.money import money
from sales_tech.orchestration.dashboard import Refreshed
from sales_tech.orchestration.json_text import json_text, records_text
from sales_tech.orchestration.pipeline import FAILED, MOMENT, Outcome
from sales_tech.orchestration.plan import Planned
from sales_tech.orchestration.post_events import DEAD_LETTERS, Posted
from sales_tech.ports import LAYERS
from sales_tech.settings import Settings
from sales_tech.spreadsheets import csv_line
from sales_tech.transform.accounts import FATES, REJECTS, fates_by_kind
from sales_tech.transform.forecasts import DEMAND

_BOOKS = ("bronze.files", "silver.fates", "silver.rejects", "gold.pipeline_runs", "gold.step_runs")
_NAMED = 2
_FATES = ("accepted", "superseded", "ignored", "rejected")


def show_plan(console: Console, planned: list[Planned]) -> None:
    """For each step whether it would run, and why or why not."""
    table = _table("step", "would run", "why")
    for item in planned:
        why = [*(item.reasons or _what_runs_before(item.after))] or ["up to date: inputs, code and contracts are unchanged"]
        table.add_row(item.step.name, "yes" if item.runs else "no", "\n".join(why))
    print_table(console, table)
    _unread(console, [file for item in planned for file in item.unread])
    _warnings(console, [warning for item in planned for warning in item.warnings])


def _unread(console: Console, files: Sequence[Unread]) -> None:
    for file in files:
        since = f"since it was rejected at {file.since:{MOMENT}}"
        console.print(f"[red]unread file[/] {escape(file.name)}, {since}: {escape(file.reason)}", highlight=False, soft_wrap=True)
    if files:
        console.print(
            "[dim]Land a mended file under the same name, mend the pack, or take the file out of the landing folder.[/]", soft_wrap=True
        )


def _warnings(console: Console, warnings: Sequence[str]) -> None:
    for warning in warnings:
        console.print(f"[yellow]warning[/] {escape(warning)}", highlight=False, soft_wrap=True)


def _what_runs_before(steps: tuple[str, ...]) -> list[str]:
    if len(steps) > _NAMED:
        return [f"{len(steps)} steps run before it"]
    return [f"{name} runs before it" for name in steps]


def show_outcome(console: Console, outcome: Outcome, page: Refreshed | None = None) -> None:
    """The end of a run: rows, fates, three figures, the notebooks, what to type next, and the page of dashboards."""
    if outcome.idle:
        console.print(
            f"[green]Nothing to do[/]: no step has anything new to read ({outcome.seconds:.1f} s). `python pipeline.py plan` tells why.",
            soft_wrap=True,
        )
        _unread(console, outcome.unread)
        _warnings(console, outcome.remarks)
        return
    try:
        _account(console, outcome.run.settings)
    except (LakeError, QueryError) as error:  # what the run did, below, is told all the same
        console.print(f"[red]no figures[/] {escape(str(error))}", highlight=False, soft_wrap=True)
    for name, reason in sorted(outcome.rejected.items()):
        console.print(f"[red]rejected file[/] {escape(name)}: {escape(reason)}", highlight=False, soft_wrap=True)
    _unread(console, outcome.unread)
    _notes(console, outcome)
    for step in outcome.steps:
        if step.message:
            console.print(f"[red]{step.outcome}[/] {step.step}: {escape(step.message)}", highlight=False, soft_wrap=True)
    if outcome.message and all(step.message != outcome.message for step in outcome.steps):
        console.print(f"[red]failed[/] {escape(outcome.message)}", highlight=False, soft_wrap=True)
    word = {"succeeded": "[green]succeeded[/]", "rejected_files": "[yellow]done, with rejected files[/]"}.get(
        outcome.outcome, "[red]failed[/]"
    )
    console.print(f"\nRun {outcome.run.run_id} {word} in {outcome.seconds:.1f} s. Executed notebooks, as HTML:", highlight=False)
    for step in outcome.steps:
        executed = (outcome.run.folder / step.notebook).with_suffix(".html")
        if executed.exists():
            console.print(f"  {_near(executed)}", highlight=False, soft_wrap=True)
    _next(console, outcome)
    if page is not None:
        _page(console, page)


def show_posted(console: Console, posted: Posted, settings: Settings, most: int = 5) -> None:
    """What became of posted events, and the reasons of the first that were refused."""
    parts = [f"{posted.landed:,} landed in {len(posted.objects):,} object{'' if len(posted.objects) == 1 else 's'}"]
    parts += [f"{posted.repeated:,} repeated"] if posted.repeated else []
    parts += [f"{posted.refused:,} refused"] if posted.refused else []
    console.print(
        f"Posted {posted.events:,} order event{'' if posted.events == 1 else 's'}: {', '.join(parts)}", highlight=False, soft_wrap=True
    )
    for number, reason in sorted(posted.reasons.items())[:most]:
        console.print(f"  [red]refused[/] line {number}: {escape(reason)}", highlight=False, soft_wrap=True)
    if posted.refused:
        more = f"and {posted.refused - most} more, " if posted.refused > most else ""
        console.print(f"  {more}kept with their reasons in {_near(Path(settings.landing) / DEAD_LETTERS)}", highlight=False, soft_wrap=True)


def show_answer(console: Console, answer: pa.Table, form: str) -> None:
    """A query's answer as a table, CSV or JSON; the last two hold nothing but the data, in CSV with `guarded` text.

    Raises QueryError for a moment that Python has no value for, and where two columns of JSON have one name.
    """
    try:
        rows = list(zip(*(column.to_pylist() for column in answer.columns), strict=True))
    except OverflowError as error:
        expected = "moments of the years 1 to 9999, or cast(... as varchar) of others"
        raise QueryError(f"the answer has a day or a moment that cannot be shown ({error}); expected {expected}") from error
    if form == "csv":
        console.file.writelines(csv_line(map(_flat, line)) for line in (answer.column_names, *rows))
    elif form == "json":
        if twice := [name for name, count in Counter(answer.column_names).items() if count > 1]:
            raise QueryError(f"several columns are named {', '.join(twice)}; expected a name of its own for each (... as name) in JSON")
        console.file.write(records_text(answer.column_names, rows))
    else:
        table = _table(*answer.column_names)
        for row in rows:
            table.add_row(*("" if value is None else escape(str(_flat(value))) for value in row))
        print_table(console, table)
        console.print(f"{len(rows)} row{'' if len(rows) == 1 else 's'}", style="dim")


def _flat(cell: object) -> object:
    return json_text(cell) if isinstance(cell, list | tuple | dict) else cell


def _account(console: Console, settings: Settings) -> None:
    lake = Lake(settings)
    if lake.snapshot_id(FATES) is not None:
        _rows_and_fates(console, settings, lake)
    if lake.snapshot_id("gold.kpis_daily") is not None:
        _figures(console, settings)


def _rows_and_fates(console: Console, settings: Settings, lake: Lake) -> None:
    tables = [name for name in lake.tables() if name not in _BOOKS]
    rows = {layer: sum(file.rows for name in tables if name.startswith(layer) for file in lake.files(name)) for layer in LAYERS}
    console.print("\nRows: " + ", ".join(f"{layer} {count:,}" for layer, count in rows.items()), highlight=False)
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    with open_engine(settings) as engine:
        for source, kind, fate, count in fates_by_kind(engine, lake):
            counts[source, kind][fate] = count
    table = _table("source", "file kind", "bronze rows", *_FATES, title="The fate of every row")
    for (source, kind), fates in counts.items():
        table.add_row(source, kind, f"{sum(fates.values()):,}", *(f"{fates.get(fate, 0):,}" for fate in _FATES))
    print_table(console, table)


def _figures(console: Console, settings: Settings) -> None:
    answer = Reader(settings).arrow(
        """select source, max(currency) as currency, min(sold_on) as first, max(sold_on) as last,
            sum(net_sales) as net_sales, sum(orders) as orders, sum(margin) as margin,
            sum(case when margin is not null then net_sales end) as costed
        from gold.kpis_daily group by source order by source"""
    )
    table = _table("source", "days", "net sales", "average ticket", "margin", title="Three figures")
    for row in answer.to_pylist():
        ticket = money(float(row["net_sales"]) / float(row["orders"]), row["currency"]) if row["orders"] else "no orders"
        unknown = "cost unknown" if row["margin"] is None else "no net sales"
        margin = f"{100 * float(row['margin']) / float(row['costed']):.1f} %" if row["costed"] else unknown
        table.add_row(row["source"], f"{row['first']} to {row['last']}", money(row["net_sales"], row["currency"]), ticket, margin)
    print_table(console, table)


def _notes(console: Console, outcome: Outcome, most: int = 5) -> None:
    _warnings(console, outcome.remarks[:most])
    if len(outcome.remarks) > most:
        console.print(f"[dim]and {len(outcome.remarks) - most} more warnings: see the notebooks of 01_ingest and 02_silver[/]")
    for note in outcome.notes[:most]:
        console.print(f"[dim]not loaded[/] {escape(note)}", highlight=False, soft_wrap=True)
    if len(outcome.notes) > most:
        console.print(f"[dim]and {len(outcome.notes) - most} more: see bronze.files in the notebook of 01_ingest[/]")
    for note in outcome.untold[:most]:
        console.print(f"[dim]note[/] {escape(note)}", highlight=False, soft_wrap=True)
    if len(outcome.untold) > most:
        console.print(f"[dim]and {len(outcome.untold) - most} more: see the notebooks of 03_gold/promotions and 04_ml[/]")


def _next(console: Console, outcome: Outcome) -> None:
    settings = outcome.run.settings
    lake = f" --lake {quote(_near(settings.lake))}"
    given = f"{lake} --landing {quote(_near(settings.landing))}" + "".join(
        f" --sources {quote(_near(place))}" for place in settings.sources[1:]
    )
    console.print("\nNext:", style="bold")
    if outcome.outcome == FAILED:
        console.print("  mend the cause, then run again: what succeeded is kept, the rest is repeated", highlight=False)
    queries = []
    if Lake(settings).files("gold.kpis_daily"):
        queries.append("select sold_on, orders, net_sales from gold.kpis_daily order by sold_on desc limit 7")
    if Lake(settings).files(REJECTS):
        queries.append("select file_path, line_number, reasons, row from silver.rejects limit 10")
    for query in queries:
        console.print(f'  python pipeline.py query "{query}"{lake}', highlight=False, soft_wrap=True)
    for command in _plans(settings, lake):
        console.print(f"  python pipeline.py {command}", highlight=False, soft_wrap=True)
    console.print(f"  python pipeline.py plan{given}", highlight=False, soft_wrap=True)
    console.print("  make lab        the notebooks in JupyterLab", highlight=False)


def _plans(settings: Settings, lake: str) -> Iterator[str]:
    if not Lake(settings).files(DEMAND):
        return
    try:
        tried = Reader(settings).arrow(
            """select source, category from gold.promotion_response
            where source in (select source from gold.demand_forecast)
            order by promotions desc, source, category limit 1"""
        )
    except (LakeError, QueryError):  # nothing to ask then
        return
    for row in tried.to_pylist():
        source = f"{lake} --source {quote(row['source'])}"
        yield from (f"plan-promotion --category {quote(row['category'])} --days 10{source}", f"serve{source}")


def _page(console: Console, page: Refreshed) -> None:
    if page.place is None:
        console.print(f"\n[red]no page of dashboards[/]: {escape(page.problem or '')}", highlight=False, soft_wrap=True)
        return
    console.print("\nDashboards, as a page for a browser, with or without a network:", style="bold")
    console.print(f"  {_near(page.place if page.place.startswith('s3://') else Path(page.place))}", highlight=False, soft_wrap=True)


def _near(path: Path | str) -> str:
    if isinstance(path, str):
        return path
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def print_table(console: Console, table: Table) -> None:
    """Print a table with every cell whole, however narrow the terminal."""
    # As wide as the data: a terminal may wrap a line, but no cell is cut or folded.
    widest = Measurement.get(console, console.options.update(max_width=10_000), table).maximum
    Console(file=console.file, width=max(console.width, widest), force_terminal=console.is_terminal).print(table)


def _table(*columns: str, title: str | None = None) -> Table:
    numbers = {"bronze rows", *_FATES, "net sales", "average ticket", "margin"}
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", no_wrap=True)
    return table
