"""The landed files themselves, kept under their checksum."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from sales_tech import disk
from sales_tech.errors import LakeError
from sales_tech.platform import Place

_CHUNK = 1 << 20
_PLAIN_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


@dataclass(frozen=True)
class Archived:
    """A file's SHA-256, its place in the archive, below the lake, and how many bytes were copied: it may have grown since it was listed."""

    file_id: str
    place: str
    size: int


def checksum(file: BinaryIO) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def archive(landing: Place, name: str, lake: Place, scratch: Path) -> Archived:
    """Copy a landed file into the lake's archive; the checksum is that of the bytes that were copied.

    A copy under the same checksum is replaced by its like. A half-written copy never stands under its name.
    """
    with disk.in_words(f"archiving {name}"):
        return _copied(landing, name, lake, scratch)


def _copied(landing: Place, name: str, lake: Place, scratch: Path) -> Archived:
    with landing.open(name) as source:
        try:
            return _kept(source, name, lake, scratch)
        except FileNotFoundError as error:
            # The landed file is there: callers would take it for one that was taken away, and pass it over.
            raise LakeError(f"archiving {name} failed: {error}; run again") from error


def _kept(source: BinaryIO, name: str, lake: Place, scratch: Path) -> Archived:
    digest, size = hashlib.sha256(), 0
    descriptor, part = tempfile.mkstemp(dir=scratch, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as target:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                size += target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        file_id = digest.hexdigest()
        place = f"archive/{file_id[:2]}/{file_id}{_suffix(name)}"
        lake.keep(Path(part), place)
    finally:
        # Of a copy that failed for want of room nothing may stay, which would take what is freed.
        Path(part).unlink(missing_ok=True)
    return Archived(file_id, place, size)


def _suffix(name: str) -> str:
    # Whoever sends a file chooses its name: one of 255 characters, or with a line's end in it, is no part of a place here.
    return "".join(suffix for suffix in PurePosixPath(name).suffixes[-2:] if _PLAIN_SUFFIX.fullmatch(suffix))


def archived(lake: Place, file_id: str, name: str) -> str:
    """The place in the archive of a file that was archived; LakeError where its copy is gone."""
    place = f"archive/{file_id[:2]}/{file_id}"
    kept = [entry.name for entry in lake.entries(f"archive/{file_id[:2]}") if entry.name.startswith(place)]
    if not kept:
        raise LakeError(f"the copy of {name}, {place}, is gone; {disk.RESTORE}")
    return min(kept)
