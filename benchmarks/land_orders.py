"""Events a second and core that land_orders handles, and how long its cold import takes.

    python benchmarks/land_orders.py [--events 20000] [--json]

Batches of 100 orders of two lines, about 700 bytes each, all different: through the contract alone, and through
the handler into a folder. Seconds are processor seconds of one process; the folder's writes are synchronised
to the disk, so the wall clock is shown too. The cold import is that of `handler` in a fresh interpreter, the
interpreter's own start left out; boto3 is not part of it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FUNCTION = Path(__file__).resolve().parents[1] / "lambda" / "land_orders"
BATCH = 100
COLD_STARTS = 15


@dataclass(frozen=True)
class Measured:
    """Events a second of processor time and of the wall clock."""

    events_per_core_second: int
    events_per_wall_second: int


def order(number: int, chance: random.Random) -> str:
    """An event as a shop sends it: two lines, a customer, 700 bytes."""
    prices = [f"{chance.randint(1_000, 900_000) / 100:.2f}" for _ in range(2)]
    lines = [
        {
            "line": place,
            "sku": f"SKU-{chance.randint(1, 9999):05}",
            "quantity": chance.randint(1, 4),
            "unit_price": price,
            "discount": "10.00",
        }
        | {"freight": 12.9, "promotion_id": "PROMO-2026-03-SMARTPHONES"}
        for place, price in enumerate(prices, start=1)
    ]
    stamp = f"2026-03-{number % 28 + 1:02}T10:{number % 60:02}:{number // 60 % 60:02}.123456-03:00"
    customer = {"tax_id": f"{number:011}", "name": "Maria José da Conceição", "email": f"maria{number}@example.com", "state": "SP"}
    return json.dumps(
        {
            "event_id": f"evt-{number:012}",
            "event_type": "order_placed",
            "source": "erp_br",
            "occurred_at": stamp,
            "order": {"order_id": f"PED-{number:09}", "ordered_at": stamp, "store_id": "LOJA-017", "channel": "online", "currency": "BRL"}
            | {"customer": customer, "lines": lines},
        }
    )


def batches(events: int) -> list[dict[str, Any]]:
    """The events as SQS hands them to Lambda, one hundred at a time."""
    chance = random.Random(7)  # noqa: S311
    records = [
        {"messageId": f"message-{number}", "body": order(number, chance), "attributes": {"ApproximateReceiveCount": "1"}}
        for number in range(events)
    ]
    return [{"Records": records[place : place + BATCH]} for place in range(0, events, BATCH)]


def measure(work: Callable[[], int]) -> Measured:
    """Do the work once and divide the number of events it returns by its time."""
    wall, processor = time.perf_counter(), time.process_time()
    events = work()
    return Measured(round(events / (time.process_time() - processor)), round(events / (time.perf_counter() - wall)))


def through_contract(given: list[dict[str, Any]]) -> int:
    """Check every event."""
    from contract import check  # type: ignore[import-not-found]

    now = datetime.now(UTC)
    return sum(len([check(record["body"], now) for record in batch["Records"]]) for batch in given)


def through_handler(given: list[dict[str, Any]]) -> int:
    """Land every event in a folder."""
    import handler  # type: ignore[import-not-found]

    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"LANDING": f"{folder}/landing", "DEAD_LETTERS": f"{folder}/dead"}
        failed = sum(len(handler.handler(batch, None)["batchItemFailures"]) for batch in given)
        objects = len(list(Path(folder).glob("landing/order_events/*/*.jsonl.gz")))
    if failed or objects != len(given):
        raise RuntimeError(f"{failed} events failed and {objects} objects landed, expected none and {len(given)}")
    return sum(len(batch["Records"]) for batch in given)


def cold_import() -> float:
    """Milliseconds of `import handler`: the median of several fresh interpreters."""
    program = "import time; began = time.perf_counter(); import handler; print((time.perf_counter() - began) * 1000)"
    runs = [
        subprocess.run([sys.executable, "-c", program], cwd=FUNCTION, check=True, capture_output=True, text=True).stdout
        for _ in range(COLD_STARTS)
    ]
    return round(statistics.median(map(float, runs)), 1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    sys.path.insert(0, str(FUNCTION))
    given = batches(options.events)
    size = sum(len(record["body"].encode()) for batch in given for record in batch["Records"]) // options.events
    contract, handled = measure(lambda: through_contract(given)), measure(lambda: through_handler(given))
    cold = cold_import()
    if options.json:
        print(json.dumps({"bytes": size, "contract": asdict(contract), "handler": asdict(handled), "cold_import_ms": cold}))
        return
    print(f"{options.events:,} events of {size} bytes, batches of {BATCH}")
    print(f"{'':<22}{'events/s per core':>20}{'events/s':>12}")
    for name, found in (("contract alone", contract), ("handler to a folder", handled)):
        print(f"{name:<22}{found.events_per_core_second:>20,}{found.events_per_wall_second:>12,}")
    print(f"cold import of handler: {cold} ms (median of {COLD_STARTS})")


if __name__ == "__main__":
    main()
