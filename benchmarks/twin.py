"""Order lines a second that the synthetic retailer writes, bytes on disk included, and the memory that it takes.

    python benchmarks/twin.py [--lines 10000000] [--difficulty default] [--seed 7] [--dirt] [--workers 2] [--folder FOLDER] [--json]

The clock runs from the first draw of the retailer to the last byte handed to the file system; the start of the
interpreter and its imports are shown apart. The files are removed again, unless a folder is named.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

BEGAN = time.perf_counter()

from sales_tech.twin import write_twin  # noqa: E402  (the clock above takes in what this import costs)


@dataclass(frozen=True)
class Measured:
    """What one run took; memory is the most that the process held at any time."""

    lines: int
    megabytes: int
    wall_seconds: float
    processor_seconds: float
    lines_per_second: int
    import_seconds: float
    peak_memory_gigabytes: float


def measure(folder: Path, lines: int, difficulty: str, seed: int, dirt: bool, workers: int) -> Measured:
    """Write one retailer into a folder."""
    imported = time.perf_counter() - BEGAN
    wall, processor = time.perf_counter(), time.process_time()
    made = write_twin(folder, lines=lines, difficulty=difficulty, seed=seed, dirt=dirt, workers=workers)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    size = sum(path.stat().st_size for path in made.files)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rate = round(made.sales_lines / wall)
    return Measured(made.sales_lines, size // 10**6, round(wall, 2), round(processor, 2), rate, round(imported, 2), round(peak, 2))


def main() -> None:
    """Measure once and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--difficulty", default="default")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--dirt", action="store_true")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as spare:
        folder = given.folder or Path(spare)
        measured = measure(folder, given.lines, given.difficulty, given.seed, given.dirt, given.workers)
    if given.json:
        print(json.dumps(asdict(measured)))
    else:
        for name, value in asdict(measured).items():
            print(f"{name.replace('_', ' '):>24} {value:>16,}")


if __name__ == "__main__":
    main()
