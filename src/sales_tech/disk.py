"""A disk that refuses, or has lost a file: what it said, where, and what to do, whichever library stumbled over it."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sales_tech.errors import LakeError

IN_USE = ".in-use"
"""The lock in a folder for scratch files, which the system gives back however its process ends."""

_ROOM = "free some space, then run again"
_RIGHTS = "give this user the right to write there, or name another folder"
RESTORE = "restore it from a backup; docs/operations.md tells what can be built again without one"
_REMEDIES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "the system lets no file grow that large (see `ulimit -f`)",
    errno.EROFS: "mount it for writing, or name another folder",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EIO: "the disk or the network to it fails; see the system's log",
}
# As SQLite and DuckDB call the same.
_WORDS = {
    "database or disk is full": _ROOM,
    "attempt to write a readonly database": _RIGHTS,
    "unable to open database file": _RIGHTS,
    "disk I/O error": _REMEDIES[errno.EIO],
    "max_temp_directory_size": _ROOM,
    "database is locked": "another process holds the catalog; run again",
    "file is not a database": RESTORE,
    "database disk image is malformed": RESTORE,
}
# As DuckDB tells of a Parquet file, with the file's name behind the words or before them.
_LOST = re.compile(
    r"""(?:No files found that match the pattern|No magic bytes found at end of file) ["'](?P<file>[^"']+)["']"""
    r"""|File ["'](?P<short>[^"']+)["'] too small to be a Parquet file"""
    # A confined engine may not look whether a folder of the file's name is there.
    r"""|Cannot access file ["'](?P<shut>[^"']+\.parquet)/\*\*/\*\.parquet["']"""
)
_KNOWN = {os.strerror(number): remedy for number, remedy in _REMEDIES.items()} | _WORDS


def refusal(error: BaseException) -> str | None:
    """What a disk said and what to do about it, or None for an error that is of something else."""
    if isinstance(error, OSError) and error.errno in _REMEDIES:
        where = f" ({error.filename})" if error.filename else ""
        return f"{os.strerror(error.errno)}{where}; {_REMEDIES[error.errno]}"
    if isinstance(error, NotADirectoryError) or (isinstance(error, FileExistsError) and Path(error.filename).is_file()):
        return f"{error.strerror} ({error.filename}); a file stands where a folder is needed, name another folder"
    text = str(error)
    if lost := _LOST.search(text):
        return f"{lost['file'] or lost['short'] or lost['shut']} is gone or cut short; {RESTORE}"
    return next((f"{words}; {remedy}" for words, remedy in _KNOWN.items() if words in text), None)


@contextmanager
def in_words(what: str, *kinds: type[Exception]) -> Iterator[None]:
    """Turn a disk's refusal into a LakeError that says what was tried; `kinds` are a library's own errors besides OSError.

    Any other error passes as it is.
    """
    told: tuple[type[Exception], ...] = (OSError, *kinds)
    try:
        yield
    except told as error:
        said = refusal(error)
        if said is None:
            raise
        raise LakeError(f"{what} failed: {said}") from error
