"""The AWS emulator as tests use it: a process of its own, and clients that speak to it alone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

REPOSITORY = Path(__file__).parents[2]
REGION = "sa-east-1"
_PATIENCE = 60.0  # seconds until the server must answer


@dataclass(frozen=True)
class Cloud:
    """A running emulator."""

    endpoint: str

    def client(self, service: str) -> Any:
        """A boto3 client of the emulator."""
        return boto3.client(service, **self._where())

    def resource(self, service: str) -> Any:
        """A boto3 resource of the emulator."""
        return boto3.resource(service, **self._where())

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a process speaks to the emulator and to nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",  # pragma: allowlist secret
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def reset(self) -> None:
        """Forget everything that was made."""
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST"), timeout=30).close()  # noqa: S310

    def _where(self) -> dict[str, str]:
        return {
            "endpoint_url": self.endpoint,
            "region_name": REGION,
            "aws_access_key_id": "testing",
            "aws_secret_access_key": "testing",  # pragma: allowlist secret
        }


@contextmanager
def running_cloud() -> Iterator[Cloud]:
    """Start the emulator on a free port, and end it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cloud = Cloud(f"http://127.0.0.1:{port}")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.emulator.server", str(port)],
        env=environment,
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(cloud, process)
        yield cloud
    finally:
        process.terminate()
        process.wait(timeout=30)


def _await(cloud: Cloud, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            urllib.request.urlopen(f"{cloud.endpoint}/moto-api/", timeout=5).close()  # noqa: S310
            return
        except (urllib.error.URLError, ConnectionError) as error:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the emulator at {cloud.endpoint} did not start: exit code {process.poll()}") from error
            time.sleep(0.1)
