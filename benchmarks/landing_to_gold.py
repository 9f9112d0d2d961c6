"""From landed exports to gold tables: the pipeline beside hand-written DuckDB SQL, pandas, Polars and Spark doing the same job.

    python benchmarks/landing_to_gold.py --lines 10 --peers duckdb,pandas,polars,pyspark --repeats 3

The synthetic retailer writes `--lines` million lines of `erp_br` exports with their dirt into `--folder`, once; every run reads
them anew, in a process of its own, into an empty folder. Runs take turns, so that a slow hour of the machine is everyone's. A time
counts only where the tables say the same as the pipeline's: rows, sums of money, orders, customers, segments. `notebooks` is the
command line's `pipeline.py run` with the notebooks of its steps. The peers' packages are in benchmarks/requirements.txt.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
PEERS = Path(__file__).resolve().parent / "landing_to_gold_peers"
sys.path.insert(0, str(PEERS))
STEPS = ("ingest/batch_csv", "silver/reference", "silver/sales", "gold/sales")
MODULES = {"ours": "ours", "duckdb": "duckdb_sql", "pandas": "pandas_parquet", "polars": "polars_lazy", "pyspark": "pyspark_local"}
NAMES = (*MODULES, "notebooks")
_TICK = 0.1


@dataclass
class Timed:
    """One run: seconds on the clock and of the processors, and the most memory its processes held together."""

    name: str
    wall_seconds: float
    processor_seconds: float
    peak_megabytes: int
    failure: str | None = None
    differences: list[str] = field(default_factory=list)


def command(name: str, given: argparse.Namespace, out: Path) -> tuple[list[str], dict[str, str]]:
    """What starts one run, and its environment."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(PROJECT / "src"), str(PROJECT)]),
        "SALES_TECH_THREADS": str(given.threads),
    }
    if name == "notebooks":
        from job import HASH_KEY

        environment |= {"SALES_TECH_MEMORY_LIMIT": given.memory, "SALES_TECH_HASH_KEY": HASH_KEY.decode()}
        steps = [part for step in STEPS for part in ("--step", step)]
        places = ["--landing", str(given.landing), "--lake", str(out)]
        return [sys.executable, str(PROJECT / "pipeline.py"), "run", *places, *steps], environment
    python = sys.executable if name == "ours" else str(given.peers_python)
    options = ["--landing", str(given.landing), "--out", str(out), "--memory", given.memory, "--threads", str(given.threads)]
    return [python, str(PEERS / f"{MODULES[name]}.py"), *options], environment


def timed(name: str, given: argparse.Namespace, out: Path) -> Timed:
    """One run to its end, or to the end of its time or memory."""
    arguments, environment = command(name, given, out)
    with tempfile.TemporaryFile() as said:
        began, children = time.perf_counter(), os.times()
        process = subprocess.Popen(arguments, env=environment, stdout=said, stderr=said, start_new_session=True)
        watch = _Watch(process.pid, given.most_memory * 1000)
        try:
            process.wait(given.timeout)
            failure = None
        except subprocess.TimeoutExpired:
            failure = f"not done after {given.timeout} seconds"
            watch.kill()
        process.wait()
        wall, after = time.perf_counter() - began, os.times()
        watch.stop()
        if watch.exceeded:
            failure = f"more than {given.most_memory} GB of memory"
        if failure is None and process.returncode:
            said.seek(0)
            failure = f"exit code {process.returncode}: {said.read().decode(errors='replace')[-600:].strip()}"
    # Children of children, such as Java, count once they were waited for; what the watch saw last is their least.
    processors = after.children_user + after.children_system - children.children_user - children.children_system
    return Timed(name, round(wall, 2), round(max(processors, watch.processor_seconds), 2), watch.peak, failure)


class _Watch:
    """Looks at a process group now and then: its memory, and its time on the processors."""

    def __init__(self, group: int, most_megabytes: int) -> None:
        self.peak, self.processor_seconds, self.exceeded = 0, 0.0, False
        self._group, self._most, self._done = group, most_megabytes, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._done.set()
        self._thread.join()

    def kill(self) -> None:
        """End the processes of this run's own group."""
        with suppress(ProcessLookupError):  # all of them ended meanwhile
            os.killpg(self._group, signal.SIGKILL)

    def _look(self) -> None:
        page, ticks = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
        while not self._done.wait(_TICK):
            pages, used = 0, 0
            for path in Path("/proc").glob("[0-9]*/stat"):
                try:
                    fields = path.read_text().rpartition(")")[2].split()
                except OSError:  # it ended meanwhile
                    continue
                if int(fields[2]) == self._group:
                    pages += int(fields[21])
                    used += int(fields[11]) + int(fields[12])
            self.peak = max(self.peak, pages * page // 10**6)
            self.processor_seconds = max(self.processor_seconds, used / ticks)
            if self.peak > self._most and not self.exceeded:
                self.exceeded = True
                self.kill()


def rounds(given: argparse.Namespace, folder: Path) -> list[Timed]:
    """All runs, taking turns; the first run is the pipeline's, whose tables the others are held against."""
    import answers

    found: list[Timed] = []
    expected: dict[str, list[Any]] | None = None
    for number in range(given.repeats):
        names = given.names if number % 2 == 0 else [given.names[0], *reversed(given.names[1:])]
        for name in names:
            if any(run.name == name and run.failure for run in found):
                continue  # it would fail again, and take its time
            out = folder / f"{name}-{number}"
            run = timed(name, given, out)
            if run.failure is None:
                lake = name in ("ours", "notebooks")
                said = answers.of_lake(out) if lake else answers.of_folder(out, cents=name == "pandas")
                expected = expected or said
                run.differences = answers.differences(expected, said)
            shutil.rmtree(out, ignore_errors=True)
            found.append(run)
            print(
                f"{name:10} {run.wall_seconds:9.2f} s {run.processor_seconds:9.2f} s {run.peak_megabytes:7,} MB  {_note(run)}", flush=True
            )
    return found


def summary(runs: list[Timed]) -> list[dict[str, Any]]:
    """For each tool the best of its runs that count, and its time by that of the pipeline."""
    best = {}
    for run in runs:
        if run.failure is None and not run.differences and (run.name not in best or run.wall_seconds < best[run.name].wall_seconds):
            best[run.name] = run
    ours = best.get("ours")
    rows = []
    for name in dict.fromkeys(run.name for run in runs):
        run = best.get(name)
        notes = [_note(run) for run in runs if run.name == name and _note(run)]
        ratio = round(run.wall_seconds / ours.wall_seconds, 2) if run and ours else None
        work = round(run.processor_seconds / ours.processor_seconds, 2) if run and ours else None
        rows.append({"name": name, "best": asdict(run) if run else None, "wall_by_ours": ratio, "processor_by_ours": work, "notes": notes})
    return rows


def _note(run: Timed) -> str:
    return run.failure or "; ".join(run.differences)


def landing(given: argparse.Namespace) -> Path:
    """The exports, written where they are not there yet."""
    folder: Path = given.folder / f"landing{given.lines:g}"
    if not (folder / "erp_br").is_dir():
        from sales_tech.twin import write_twin

        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        write_twin(part, lines=round(given.lines * 1e6), difficulty="default", seed=7, dirt=True, workers=given.threads)
        part.rename(folder)
    return folder


def main() -> int:
    """Measure and print; exit code 1 where a tool's tables differ from the pipeline's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=float, default=10, help="millions of order lines")
    parser.add_argument("--peers", default="duckdb,pandas,polars,pyspark", help=f"some of {', '.join(NAMES[1:])}")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", default="1GB", help="bound that the pipeline and DuckDB are given")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--timeout", type=int, default=3600, help="seconds after which a run is ended")
    parser.add_argument("--most-memory", type=float, default=16, help="gigabytes that end a run")
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()) / "landing-to-gold", help="for exports, which stay, and lakes"
    )
    parser.add_argument("--peers-python", type=Path, default=Path(sys.executable), help="interpreter that has the peers' packages")
    parser.add_argument("--json", type=Path, help="file for all figures")
    given = parser.parse_args()
    given.names = ["ours", *(name for name in given.peers.split(",") if name)]
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"unknown peers {', '.join(sorted(unknown))}; expected some of {', '.join(NAMES[1:])}")
    given.landing = landing(given)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        runs = rounds(given, Path(folder))
    rows = summary(runs)
    print(f"\n{'best of ' + str(given.repeats):12} {'wall s':>9} {'by ours':>8} {'processor s':>12} {'by ours':>8} {'memory MB':>10}")
    for row in rows:
        best = row["best"]
        figures = (
            f"{best['wall_seconds']:9.2f} {row['wall_by_ours'] or 0:8.2f} {best['processor_seconds']:12.2f} "
            f"{row['processor_by_ours'] or 0:8.2f} {best['peak_megabytes']:10,}"
            if best
            else "      none that counts: " + "; ".join(row["notes"])
        )
        print(f"{row['name']:12} {figures}")
    if given.json:
        told = {name: str(value) if isinstance(value, Path) else value for name, value in vars(given).items()}
        given.json.write_text(
            json.dumps({"given": told, "summary": rows, "runs": [asdict(run) for run in runs]}, indent=2), encoding="utf-8"
        )
    return int(any(run.differences for run in runs))


if __name__ == "__main__":
    sys.exit(main())
