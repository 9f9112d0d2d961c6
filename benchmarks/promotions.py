"""Seconds and memory of the estimation of promotions, from frames to its tables, beside the goals for each size.

    python benchmarks/promotions.py [--size standard --size large] [--difficulty default --difficulty hard] [--seed 7] [--json FILE]

Each retailer is drawn in a process of its own and left as a file; a fresh process reads it and estimates. Its high-water mark
of resident memory (VmHWM) is set back between the two through /proc/self/clear_refs, so that the peak is that of `build_panel`
and `PromotionEffects().fit` with the frames they are given in memory, and not that of reading the file. Linux only. Seconds are
of the wall clock, so other work on the machine lengthens them. The exit code is 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import pickle
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from sales_tech.promotions import PromotionEffects, SourceFrames, build_panel
from sales_tech.twin.demand import Demand
from sales_tech.twin.observed import observed_daily, observed_products, observed_promotions, observed_stockouts
from sales_tech.twin.retailer import make_retailer
from sales_tech.twin.scenario import SCENARIOS, Size, scenario_named

GIGABYTE = 1e9


@dataclass(frozen=True)
class Case:
    """A size of retailer, and the most seconds and gigabytes that its estimation should take."""

    size: Size
    seconds: float
    gigabytes: float


CASES = {
    "standard": Case(Size(stores=50, skus=300, months=18, promotions=240), seconds=60, gigabytes=3),
    "large": Case(Size(stores=50, skus=500, months=24, promotions=400), seconds=180, gigabytes=8),
}


@dataclass(frozen=True)
class Measured:
    """What one estimation took; `frames` is resident memory before it, interpreter and imports included, and part of `peak`."""

    size: str
    difficulty: str
    rows: int
    cells: int
    promotions: int
    panel_seconds: float
    fit_seconds: float
    processor_seconds: float
    frames_gigabytes: float
    peak_gigabytes: float

    @property
    def seconds(self) -> float:
        """Wall seconds of panel and fit together."""
        return self.panel_seconds + self.fit_seconds

    @property
    def met(self) -> bool:
        """Whether both goals of the size are met."""
        return self.seconds < CASES[self.size].seconds and self.peak_gigabytes < CASES[self.size].gigabytes


def draw(size: str, difficulty: str, seed: int, file: Path) -> None:
    """Write the frames that the lake would give of a retailer."""
    retailer = make_retailer(scenario_named(difficulty), CASES[size].size, seed)
    frames = SourceFrames(
        observed_daily(Demand(retailer)),
        observed_products(retailer),
        retailer.stores,
        observed_promotions(retailer),
        observed_stockouts(retailer),
    )
    file.write_bytes(pickle.dumps(frames))


def estimate(size: str, difficulty: str, file: Path) -> Measured:
    """Estimate the frames of a file in this process, which should have done nothing before."""
    with file.open("rb") as opened:
        frames: SourceFrames = pickle.load(opened)  # noqa: S301  (written by `draw` a moment ago)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = resident("VmRSS")
    began, processor = time.perf_counter(), time.process_time()
    panel = build_panel(frames)
    built = time.perf_counter()
    effects = PromotionEffects().fit(panel)
    ended = time.perf_counter()
    return Measured(
        size=size,
        difficulty=difficulty,
        rows=len(frames.daily),
        cells=panel.units.size,
        promotions=len(effects.results_),
        panel_seconds=round(built - began, 2),
        fit_seconds=round(ended - built, 2),
        processor_seconds=round(time.process_time() - processor, 2),
        frames_gigabytes=round(before, 3),
        peak_gigabytes=round(resident("VmHWM"), 3),
    )


def resident(field: str) -> float:
    """A field of this process's memory in gigabytes."""
    # getrusage would not do: its peak survives the start of a new program and cannot be set back.
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024 / GIGABYTE
    raise OSError(f"/proc/self/status has no field {field}; expected a Linux kernel")


def measure(size: str, difficulty: str, seed: int) -> Measured:
    """Draw and estimate one retailer, each in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frames.pickle"
        command = [sys.executable, __file__, "--size", size, "--difficulty", difficulty, "--seed", str(seed), "--file", str(file)]
        subprocess.run([*command, "--only", "draw"], check=True)
        told = subprocess.run([*command, "--only", "estimate"], check=True, stdout=subprocess.PIPE, text=True)
    return Measured(**json.loads(told.stdout))


def show(found: list[Measured]) -> None:
    """Print one line per estimation."""
    print(f"{'':20}{'rows':>12}{'cells':>12}{'promotions':>12}{'panel s':>9}{'fit s':>8}{'goal s':>8}{'GB':>7}{'goal GB':>9}")
    for row in found:
        case = CASES[row.size]
        print(
            f"{row.size + ' ' + row.difficulty:20}{row.rows:>12,}{row.cells:>12,}{row.promotions:>12,}"
            f"{row.panel_seconds:>9.1f}{row.fit_seconds:>8.1f}{case.seconds:>8.0f}{row.peak_gigabytes:>7.2f}{case.gigabytes:>9.0f}"
            f"{'' if row.met else '  missed'}"
        )


def main() -> int:
    """Measure all that was asked for, print a table, and write JSON beside it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", action="append", choices=list(CASES))
    parser.add_argument("--difficulty", action="append", choices=list(SCENARIOS))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=["draw", "estimate"], help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    sizes, difficulties = given.size or list(CASES), given.difficulty or ["default", "hard"]
    if given.only == "draw":
        draw(sizes[0], difficulties[0], given.seed, given.file)
        return 0
    if given.only == "estimate":
        print(json.dumps(asdict(estimate(sizes[0], difficulties[0], given.file))))
        return 0
    found = [measure(size, difficulty, given.seed) for size in sizes for difficulty in difficulties]
    show(found)
    if given.json:
        rows = [asdict(row) | {"seed": given.seed, "seconds": round(row.seconds, 2), "met": row.met} for row in found]
        given.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0 if all(row.met for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())
