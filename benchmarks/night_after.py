"""How long a night with one more day of sales takes on lakes of 30, 300 and 900 days, and the small things around it.

    python benchmarks/night_after.py [--days 30 300 900] [--stores 20] [--skus 150] [--estimates] [--commits 900] [--json FILE]

Each lake is loaded at once but for its last three days; these come as three nights, each in a fresh process, measured without notebooks.
Goals: the steps up to gold/sales take on 900 days at most 1.2 times what they take on 30, and under ten seconds. The steps of
promotions and models (--estimates) estimate anew over the whole history, so they are shown apart and without a goal. `--commits` is how
many small commits the tables of another lake get, as from so many nights, before the same questions are asked before and after
maintenance; 0 leaves it out.
Wall seconds tell of other work on the machine too; processor seconds stand beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

REPOSITORY = Path(__file__).resolve().parents[1]
NIGHTS, TIMES = 3, 7
HEAVY = ("pandas", "pyarrow", "duckdb", "pyiceberg", "sqlglot", "numpy", "pydantic", "boto3", "sklearn")
YEAR = "select store_id, sku, sum(quantity) as units, sum(net_sales) as net_sales from {sales} where year(sold_on) = {year} group by 1, 2"


def timed(work: Callable[[], Any]) -> dict[str, float]:
    """Wall and processor seconds of a call."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return {"wall": round(time.perf_counter() - wall, 3), "processor": round(time.process_time() - processor, 3)}


def prepare(folder: Path, months: int, stores: int, skus: int) -> list[tuple[Path, bytes]]:
    """Write a retailer's exports of so many months; the last days' lines are kept back and returned as files to land."""
    from sales_tech.twin import Size, write_twin

    landing = folder / "landing"
    write_twin(landing, size=Size(stores=stores, skus=skus, months=months, promotions=max(8, months * 2)), dirt=False)
    path = max((landing / "erp_br").glob("vendas_*.csv"))
    header, *lines = path.read_bytes().splitlines(keepends=True)
    column = header.decode("latin-1").split(";").index("Data da Venda")
    day = [line.split(b";")[column][:2] for line in lines]
    last = sorted(set(day))[-NIGHTS:]
    path.write_bytes(header + b"".join(line for line, of in zip(lines, day, strict=True) if of not in last))
    return [
        (
            path.with_name(f"{path.stem}-{of.decode()}.csv"),
            header + b"".join(line for line, when in zip(lines, day, strict=True) if when == of),
        )
        for of in last
    ]


def night(folder: Path, estimates: bool) -> dict[str, Any]:
    """One night's steps in this process: seconds and rows read by step."""
    from sales_tech.ingest import batch_csv, order_events
    from sales_tech.models import training
    from sales_tech.runs import Run
    from sales_tech.transform import forecasts, gold, promotions, reference, sales

    run, told = Run.begin(settings(folder)), dict[str, Any]()
    for step in (batch_csv, order_events, reference, sales, gold, *((promotions, training, forecasts) if estimates else ())):
        told[step.STEP] = timed(lambda step=step: step.run(run))  # type: ignore[misc]
        told[step.STEP]["rows"] = run.result(step.STEP).rows_in  # type: ignore[union-attr]
    return told


def settings(folder: Path) -> Any:
    """The settings of a lake below a folder."""
    from sales_tech.settings import Settings

    return Settings.load(lake=str(folder / "lake"), landing=str(folder / "landing"), sources=[str(REPOSITORY / "sources" / "erp_br")])


def apart(*arguments: str) -> Any:
    """What this script tells in a process of its own."""
    done = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def command(folder: Path, *words: str) -> float:
    """Wall seconds of a command of the command line."""
    places = ("--lake", str(folder / "lake"), "--landing", str(folder / "landing"))
    began = time.perf_counter()
    subprocess.run([sys.executable, REPOSITORY / "pipeline.py", *words, *places], capture_output=True, check=True)
    return time.perf_counter() - began


def small_things(folder: Path) -> dict[str, float]:
    """`plan` and a run with nothing to do in a warm process, and a year of sales by `query` and by DuckDB on the same files."""
    from sales_tech.lake.query import Reader
    from sales_tech.lake.store import Lake
    from sales_tech.orchestration.plan import plan
    from sales_tech.orchestration.steps import STEPS
    from sales_tech.runs import Run

    at = settings(folder)
    steps = tuple(step for step in STEPS if step.name.split("/")[0] in ("ingest", "silver") or step.name == "gold/sales")
    planned = [timed(lambda: plan(Run.begin(at), steps))["processor"] for _ in range(TIMES)]
    reader, lake = Reader(at), Lake(at)
    files = [file.path.removeprefix("file://") for file in lake.files("silver.sales")]
    year = max(int(row) for (row,) in duckdb.sql(f"select distinct year(sold_on) from read_parquet({files})").fetchall())
    ours, raw = [], []
    for _ in range(TIMES):
        ours.append(timed(lambda: reader.arrow(YEAR.format(sales="silver.sales", year=year)))["wall"])
        connection = duckdb.connect()
        connection.execute(f"set threads = {at.threads}")
        sql = YEAR.format(sales=f"read_parquet({files})", year=year)
        raw.append(timed(lambda sql=sql, connection=connection: connection.sql(sql).to_arrow_table())["wall"])  # type: ignore[misc]
    return {
        "plan, processor seconds": statistics.median(planned),
        "a year by query, seconds": statistics.median(ours),
        "a year by DuckDB, seconds": statistics.median(raw),
        "data files": sum(len(lake.files(name)) for name in lake.tables()),
        "snapshots": sum(len(table.metadata.snapshots) for name in lake.tables() if (table := lake.table(name)) is not None),
        "megabytes": round(sum(path.stat().st_size for path in (folder / "lake" / "tables").rglob("*") if path.is_file()) / 1e6, 1),
    }


def age(folder: Path, commits: int) -> None:
    """Give the tables that are only ever added to as many commits of small files, and those rebuilt each night as many rebuilds."""
    from sales_tech.contracts.bronze import bronze_contract
    from sales_tech.contracts.pack import load_packs
    from sales_tech.contracts.table import table_contract
    from sales_tech.engines.duck import open_engine
    from sales_tech.lake.provenance import Provenance
    from sales_tech.lake.store import Lake

    at = settings(folder)
    lake, packs = Lake(at), load_packs(at.sources)
    sales = bronze_contract(packs["erp_br"], "vendas")
    with open_engine(at) as engine:
        for contract in (sales, table_contract("bronze.files")):
            name, old = contract.name, lake.files(contract.name)
            provenance = {step: lake.last_provenance(name, step) for step in ("ingest/batch_csv", "ingest/order_events")}
            said = next(found for found in provenance.values() if found is not None)
            columns = {key: column.type.sql for key, column in contract.columns.items()}
            ids = {field.name: field.field_id for field in lake.table(name).schema().fields}  # type: ignore[union-attr]
            engine.view("old", [file.path for file in old], columns)
            engine.materialize("dealt", f"select *, (row_number() over () - 1) % {commits} as _night from old")
            lake.commit(name, [], old, said)
            for number in range(commits):
                run_id = f"20200101T{number // 3600:02}{number // 60 % 60:02}{number % 60:02}-{secrets.token_hex(3)}"
                written = engine.write(f"select * exclude (_night) from dealt where _night = {number}", lake.staging(name, run_id), ids)
                lake.commit(name, [file.path for file in written], [], said)
        # The entries go with the rows as they lie now.
        if (last := lake.last_provenance("bronze.files", "ingest/batch_csv")) is not None:
            moved = {**last.__dict__, "inputs": last.inputs | {sales.name: lake.snapshot_id(sales.name)}}
            lake.commit("bronze.files", [], [], Provenance(**moved))


def measure(days: list[int], stores: int, skus: int, estimates: bool) -> dict[str, Any]:
    """The nights on lakes of so many days, the longest lake last, with the small things of that."""
    told: dict[str, Any] = {"nights": {}}
    for number in days:
        with tempfile.TemporaryDirectory(prefix="night-after-") as place:
            folder = Path(place)
            held = prepare(folder, max(1, round(number / 30.4)), stores, skus)
            load = apart("--night", place, *(["--estimates"] if estimates else []))
            nights = []
            for path, content in held:
                path.write_bytes(content)
                nights.append(apart("--night", place, *(["--estimates"] if estimates else [])))
            middle = {
                step: {what: statistics.median(one[step][what] for one in nights) for what in ("wall", "processor", "rows")}
                for step in nights[0]
            }
            told["nights"][number] = {"loaded rows": load["silver/sales"]["rows"], "steps": middle}
            if number == max(days):
                told["around"] = apart("--small-things", place) | around(folder)
    return told


def around(folder: Path) -> dict[str, float]:
    """The command line's own time, imports, and what a notebook costs."""
    steps = ("ingest/batch_csv", "ingest/order_events", "silver/reference", "silver/sales", "gold/sales")
    chosen = [word for step in steps for word in ("--step", step)]
    command(folder, "run", *chosen)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import time; a = time.perf_counter(); import sales_tech, sys; print(time.perf_counter() - a, *sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, *modules = done.stdout.split()
    fetched = command(folder, "run", "--step", "gold/sales", "--force")
    alone = apart("--gold", str(folder))
    return {
        "run with nothing to do, seconds": round(min(command(folder, "run", *chosen) for _ in range(3)), 2),
        "plan, seconds": round(min(command(folder, "plan", *chosen) for _ in range(3)), 2),
        "import sales_tech, seconds": round(float(seconds), 3),
        "heavy modules it imports": len(set(modules) & set(HEAVY)),
        "notebook's share of gold/sales, seconds": round(fetched - alone["wall"], 2),
    }


def aged(commits: int) -> dict[str, Any]:
    """A small lake after many small commits, before and after maintenance."""
    with tempfile.TemporaryDirectory(prefix="night-after-") as place:
        folder = Path(place)
        held = prepare(folder, 12, 4, 30)
        apart("--night", place)
        ageing = timed(lambda: age(folder, commits))
        told: dict[str, Any] = {"seconds for each commit": round(ageing["wall"] / commits / 2, 3)}
        apart("--night", place)
        for when, (path, content) in zip(("before maintenance", "after maintenance"), held, strict=False):
            path.write_bytes(content)
            told[when] = {"night": apart("--night", place)} | apart("--small-things", place)
            if when == "before maintenance":
                told["maintenance"] = apart("--maintain", place)
        return told


def maintain(folder: Path) -> dict[str, float]:
    """Seconds of the step maintenance/lake, which may give up every snapshot that nobody needs."""
    from dataclasses import replace

    from sales_tech.orchestration import maintenance
    from sales_tech.runs import Run

    run = Run.begin(replace(settings(folder), keep_days=0), force=True)
    return timed(lambda: maintenance.run(run))


def gold_alone(folder: Path) -> dict[str, float]:
    """Seconds of gold/sales, built anew without its notebook."""
    from sales_tech.runs import Run
    from sales_tech.transform import gold

    return timed(lambda: gold.run(Run.begin(settings(folder), force=True)))


def _estimated(step: str) -> bool:
    return step.startswith("ml/") or step == "gold/promotions"


def _sum(steps: dict[str, Any], estimated: bool, what: str) -> float:
    return round(sum(seconds[what] for step, seconds in steps.items() if _estimated(step) == estimated), 2)


def show(told: dict[str, Any]) -> None:
    """Print what was measured."""
    table = Table("days", "rows loaded", "rows of the night", "up to gold/sales, s", "processor s", "estimates, s", title="The night after")
    for days, found in told["nights"].items():
        steps = found["steps"]
        wall, processor = _sum(steps, False, "wall"), _sum(steps, False, "processor")
        rows = f"{steps['ingest/batch_csv']['rows']:,.0f}"
        table.add_row(str(days), f"{found['loaded rows']:,}", rows, f"{wall:.2f}", f"{processor:.2f}", f"{_sum(steps, True, 'wall'):.1f}")
    console = Console(width=140)
    console.print(table)
    for name, value in told.get("around", {}).items():
        console.print(f"{name:>48} {value:,}", highlight=False)
    if commits := told.get("many commits"):
        columns = Table(
            "", "before maintenance", "after maintenance", title=f"After {told['commits']} small commits to each table of bronze"
        )
        before, after = commits["before maintenance"], commits["after maintenance"]
        for what in ("wall", "processor"):
            columns.add_row(f"night, {what} seconds", *(str(_sum(one["night"], False, what)) for one in (before, after)))
        for name in before:
            if name != "night":
                columns.add_row(name, str(before[name]), str(after[name]))
        console.print(columns)
        console.print(f"maintenance took {commits['maintenance']['wall']} s", highlight=False)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, nargs="+", default=[30, 300, 900])
    parser.add_argument("--stores", type=int, default=20)
    parser.add_argument("--skus", type=int, default=150)
    parser.add_argument("--estimates", action="store_true")
    parser.add_argument("--commits", type=int, default=900)
    parser.add_argument("--json", type=Path)
    for hidden in ("--night", "--small-things", "--maintain", "--gold"):
        parser.add_argument(hidden, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if given.night:
        print(json.dumps(night(given.night, given.estimates)))
    elif given.small_things:
        print(json.dumps(small_things(given.small_things)))
    elif given.maintain:
        print(json.dumps(maintain(given.maintain)))
    elif given.gold:
        print(json.dumps(gold_alone(given.gold)))
    else:
        told = measure(given.days, given.stores, given.skus, given.estimates)
        if given.commits:
            told |= {"commits": given.commits, "many commits": aged(given.commits)}
        if given.json:
            given.json.write_text(json.dumps(told, indent=1), encoding="utf-8")
        show(told)


if __name__ == "__main__":
    main()
