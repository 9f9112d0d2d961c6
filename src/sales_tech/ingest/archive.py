"""The landed files themselves, kept under their checksum."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Archived:
    """A file's SHA-256 and its place in the archive, below the lake folder."""

    file_id: str
    place: str


def checksum(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def archive(path: Path, lake: Path) -> Archived:
    """Copy a landed file into the lake's archive; the checksum is that of the bytes that were copied.

    A copy under the same checksum is kept as it is. A half-written copy never stands under its name.
    """
    folder = lake / "archive"
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{os.getpid()}.part"
    digest = hashlib.sha256()
    with path.open("rb") as source, part.open("wb") as target:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    file_id = digest.hexdigest()
    place = Path("archive") / file_id[:2] / (file_id + "".join(path.suffixes[-2:]))
    (lake / place).parent.mkdir(exist_ok=True)
    part.replace(lake / place)
    return Archived(file_id, place.as_posix())
