"""What every peer is given, and the command line by which it is given."""

from __future__ import annotations

import argparse
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HASH_KEY = b"the key of the benchmark"
_BLOCK = 64


@dataclass(frozen=True)
class Job:
    """Where the exports lie, where results go, and the bounds that a tool is told."""

    landing: Path
    out: Path
    memory: str
    threads: int

    @property
    def scratch(self) -> Path:
        """Where a tool may spill."""
        return self.out / "scratch"

    @property
    def memory_mb(self) -> int:
        """The bound as a number of megabytes."""
        return round(float(self.memory.upper().removesuffix("GB")) * 1000)


def padded(key: bytes, pad: int) -> bytes:
    """One of the two padded keys of HMAC (RFC 2104)."""
    return bytes(byte ^ pad for byte in key.ljust(_BLOCK, b"\0"))


def hashed(text: str) -> str:
    """The keyed hash of a customer: HMAC-SHA256 of the text in lower case, its first 128 bits in hexadecimal."""
    return hmac.new(HASH_KEY, text.strip().lower().encode(), hashlib.sha256).hexdigest()[:32]


def main(run: Callable[[Job], None]) -> None:
    """Read the command line and do the job."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--landing", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--memory", default="1GB")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    given.out.mkdir(parents=True)
    (given.out / "scratch").mkdir()
    run(Job(given.landing, given.out, given.memory, given.threads))
