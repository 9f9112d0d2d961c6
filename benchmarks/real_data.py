"""Seconds and memory from files to gold, notebooks included.

    python benchmarks/real_data.py LANDING [--runs 3]

Runs `pipeline.py run` on an empty lake several times, then once more on the full one, and prints wall
seconds, processor seconds and the peak memory of all its processes together (sampled).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parents[1]
EVERY = 0.05
MEGABYTE = 1e6


@dataclass(frozen=True)
class Measured:
    """One run: wall and processor seconds, the peak of the summed resident memory, and the exit code."""

    wall: float
    processor: float
    peak_megabytes: float
    exit_code: int


def measure(landing: Path, lake: Path) -> Measured:
    """Run the pipeline once and watch its processes."""
    command = [sys.executable, str(PROJECT / "pipeline.py"), "run", "--landing", str(landing), "--lake", str(lake)]
    began = time.monotonic()
    peak, processor = 0.0, {}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=PROJECT) as process:
        root = psutil.Process(process.pid)
        while process.poll() is None:
            resident = 0
            for member in family(root):
                try:
                    resident += member.memory_info().rss
                    times = member.cpu_times()
                    processor[member.pid] = times.user + times.system
                except psutil.NoSuchProcess:
                    continue
            peak = max(peak, resident / MEGABYTE)
            time.sleep(EVERY)
    return Measured(round(time.monotonic() - began, 2), round(sum(processor.values()), 2), round(peak), process.returncode)


def family(root: psutil.Process) -> list[psutil.Process]:
    """A process and all below it, as far as they are still there."""
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def main() -> None:
    """Measure, print a table, and write JSON beside it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("landing", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    results: dict[str, list[Measured]] = {"files to gold": [], "nothing new": []}
    for _ in range(given.runs):
        with tempfile.TemporaryDirectory() as folder:
            for kind in results:
                results[kind].append(measure(given.landing.resolve(), Path(folder) / "lake"))
    print(f"{'':16}{'wall s (min, median, max)':>30}{'processor s':>14}{'peak MB':>10}{'exit':>6}")
    for kind, runs in results.items():
        walls = sorted(run.wall for run in runs)
        spread = f"{walls[0]:.1f}, {statistics.median(walls):.1f}, {walls[-1]:.1f}"
        processor = statistics.median(run.processor for run in runs)
        peak, code = max(run.peak_megabytes for run in runs), max(run.exit_code for run in runs)
        print(f"{kind:16}{spread:>30}{processor:>14.1f}{peak:>10.0f}{code:>6}")
    if given.json:
        given.json.write_text(
            json.dumps({kind: [asdict(run) for run in runs] for kind, runs in results.items()}, indent=1), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
