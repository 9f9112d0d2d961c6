"""What a platform offers to the lake, in terms that hold for a folder and for a bucket."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
from pyiceberg.catalog import Catalog

LAYERS = ("bronze", "silver", "gold")


@dataclass(frozen=True)
class Entry:
    """A file in a place: its name below it, its size in bytes, its modification time in nanoseconds since 1970.

    `problem` tells of what stands among the files and cannot be read as one; it has neither size nor time.
    """

    name: str
    size: int
    modified_ns: int
    problem: str | None = None


class Place(Protocol):
    """A folder, or the part of a bucket below a prefix; names in it are separated by `/`."""

    def exists(self) -> bool:
        """Whether it is there; a bucket is, even where nothing lies below the prefix."""

    def entries(self, below: str = "") -> Iterable[Entry]:
        """All files in it, at any depth, or all below one folder of it, in no order."""

    def open(self, name: str) -> BinaryIO:
        """Read a file; FileNotFoundError where it is not there."""

    def fetch(self, name: str) -> Path:
        """A file of this machine with the same bytes; it must not be changed."""

    def keep(self, part: Path, name: str) -> None:
        """Move a file of this machine here, under its name at once or not at all; what was there is replaced."""

    def remove(self, names: Iterable[str]) -> None:
        """Delete files; what is not there any more is passed over."""


class Warehouse(Protocol):
    """A service that answers queries, where the embedded engine does not."""

    def answer(self, sql: str, *, large: bool) -> pa.Table:
        """The result of one select in Athena's SQL over the catalog's own names.

        `large` says that it may have many rows in any order.
        """


class Platform(Protocol):
    """Everything that a laptop and AWS do in different ways."""

    @property
    def catalog(self) -> Catalog:
        """The Iceberg catalog, with a namespace for each layer."""

    @property
    def exists(self) -> bool:
        """Whether a lake was ever begun here."""

    @property
    def lake(self) -> Place:
        """Where the lake's files other than its tables lie: archive and runs."""

    @property
    def landing(self) -> Place:
        """Where files arrive."""

    @property
    def warehouse(self) -> Warehouse | None:
        """Who answers queries; None for the embedded engine."""

    @property
    def filesystem(self) -> Any | None:
        """An fsspec filesystem for the engine's remote paths; None where all are on this machine."""

    def identifier(self, table: str) -> str:
        """The catalog's name of `layer.table`."""

    def table(self, identifier: tuple[str, ...]) -> str | None:
        """The `layer.table` that a name of the catalog stands for, None for another stack's table."""

    def lock(self) -> AbstractContextManager[None]:
        """Be the only writer of the lake; LakeError where another one is at work."""

    def step(self) -> AbstractContextManager[None]:
        """Work under the lock of one's pipeline, which then is not given to another one, even where the pipeline dies."""

    def in_words(self, what: str) -> AbstractContextManager[None]:
        """Turn what storage and catalog refuse into a LakeError that says what was tried and what to do."""

    def check_lock(self) -> None:
        """LakeError where this process works under a lock that another one has taken over."""

    def hash_key(self) -> bytes:
        """The key of the hash that stands for personal data past bronze."""

    def publish(self, folder: Path) -> None:
        """Bring a run's folder to where others can see it."""


def hash_key_id(platform: Platform) -> str:
    """A short text that tells one hash key from another and nothing of either."""
    return hmac.new(platform.hash_key(), b"which key is this", "sha256").hexdigest()[:8]
