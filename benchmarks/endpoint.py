"""How fast the endpoint answers one SKU for 28 days: percentiles at 20 requests a second, and seconds from its start to /ping.

    python benchmarks/endpoint.py [--model FOLDER] [--lake LAKE --source NAME] [--seconds 20] [--rate 20] [--json FILE]

It starts `serve` on a free port of this machine with the model of a folder, by default a lake's champion, keeps it to one core, and
asks with a discount and an SKU that change from one request to the next. A request that could not be sent in time counts from the moment
at which it should have been. Other work on the machine lengthens all figures. Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import psutil

from sales_tech.models.artifact import Artifact, open_artifact
from sales_tech.models.registry import Registry
from sales_tech.settings import Settings

HOST = "127.0.0.1"
DAYS = 28
STARTS = 3
P95_MILLISECONDS, START_SECONDS = 30, 3
MOST_REQUESTS, MOST_SECONDS = 5_000, 120
REPOSITORY = Path(__file__).resolve().parents[1]


def started(folder: Path, port: int) -> tuple[subprocess.Popen[bytes], float]:
    """A server of the model in a folder, once it answers /ping, and the seconds that took."""
    environment = {**os.environ, "SM_MODEL_DIR": str(folder), "OMP_NUM_THREADS": "1"}
    begun = time.perf_counter()
    command = [sys.executable, str(REPOSITORY / "pipeline.py"), "serve", "--port", str(port)]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(server.pid, {min(os.sched_getaffinity(0))})
    while time.perf_counter() - begun < MOST_SECONDS and server.poll() is None:
        try:
            client = http.client.HTTPConnection(HOST, port, timeout=5)
            client.request("GET", "/ping")
            if client.getresponse().status == http.client.OK:
                return server, time.perf_counter() - begun
        except OSError:
            time.sleep(0.01)
    raise SystemExit(f"the endpoint did not answer within {MOST_SECONDS} s, or ended with {server.poll()}")


def cpu_seconds(process: int) -> float:
    """What a process has computed so far, which other work on the machine does not lengthen."""
    times = psutil.Process(process).cpu_times()
    return float(times.user + times.system)


def stopped(server: subprocess.Popen[bytes]) -> int:
    """The exit code after SIGTERM."""
    server.send_signal(signal.SIGTERM)
    return server.wait(timeout=30)


def bodies(artifact: Artifact, count: int) -> list[bytes]:
    """Requests for one SKU and DAYS days each."""
    outlook = artifact.outlook()
    rng = np.random.default_rng(7)
    about = outlook.prices.drop_duplicates("sku").set_index("sku")["category"]
    kinds = outlook.response.drop_duplicates("category").set_index("category")[["mechanic", "display", "depth_to"]]
    skus = [sku for sku in outlook.members["sku"].unique() if about.get(sku) in kinds.index]
    first = outlook.origin.date() + timedelta(days=1)
    told = []
    for _ in range(count):
        sku = skus[int(rng.integers(len(skus)))]
        kind = kinds.loc[about[sku]]
        starts = first + timedelta(days=int(rng.integers(0, max(outlook.horizon - DAYS, 0) + 1)))
        promotion = {
            "sku": sku,
            "mechanic": kind["mechanic"],
            "display": bool(kind["display"]),
            "discount_share": round(float(rng.uniform(0.02, float(kind["depth_to"]))), 2),
            "starts_on": date.isoformat(starts),
            "ends_on": date.isoformat(min(starts + timedelta(days=DAYS - 1), outlook.last.date())),
        }
        told.append(json.dumps({"promotions": [promotion]}).encode())
    return told


def paced(port: int, requests: list[bytes], rate: float) -> list[float]:
    """Milliseconds of each request, one after the other, begun `rate` a second."""
    client = http.client.HTTPConnection(HOST, port, timeout=30)
    client.connect()
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    told, begun = [], time.perf_counter()
    for number, body in enumerate(requests):
        due = begun + number / rate
        time.sleep(max(due - time.perf_counter(), 0.0))
        client.request("POST", "/invocations", body, {"Content-Type": "application/json"})
        answer = client.getresponse()
        text = answer.read()
        if answer.status != http.client.OK:
            raise SystemExit(f"the endpoint answered {answer.status}: {text[:500]!r}")
        told.append(1000 * (time.perf_counter() - due))
    return told


def main() -> int:
    """Measure, print, and tell by the exit code whether the goals hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--lake")
    parser.add_argument("--source")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    count = int(given.seconds * given.rate)
    if not 0 < count <= MOST_REQUESTS or given.seconds > MOST_SECONDS:
        raise SystemExit(f"{count} requests in {given.seconds:g} s; expected at most {MOST_REQUESTS} in {MOST_SECONDS} s")
    if given.model is None:
        registry = Registry(Settings.load(lake=given.lake))
        artifact = registry.open(given.source or registry.sources()[0])
    else:
        artifact = open_artifact(given.model)
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    starts = []
    for _ in range(STARTS - 1):
        server, seconds = started(artifact.folder, port)
        starts.append(seconds)
        stopped(server)
    server, seconds = started(artifact.folder, port)
    starts.append(seconds)
    try:
        paced(port, bodies(artifact, 10), given.rate)
        before = cpu_seconds(server.pid)
        latencies = paced(port, bodies(artifact, count), given.rate)
        spent = 1000 * (cpu_seconds(server.pid) - before) / count
    finally:
        code = stopped(server)
    told = {f"p{level}_ms": round(float(np.percentile(latencies, level)), 2) for level in (50, 95, 99)}
    told |= {
        "requests": count,
        "seconds": given.seconds,
        "cpu_ms": round(spent, 2),
        "cold_start_s": round(float(np.median(starts)), 2),
        "exit_code": code,
    }
    print(json.dumps(told))
    if given.json:
        given.json.write_text(json.dumps(told, indent=1), encoding="utf-8")
    met = told["p95_ms"] < P95_MILLISECONDS and told["cold_start_s"] < START_SECONDS and code == 0
    print(f"goals: p95 under {P95_MILLISECONDS} ms, cold start under {START_SECONDS} s, ends cleanly: {'met' if met else 'missed'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
