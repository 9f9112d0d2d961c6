"""What runs that were killed left in the folder for scratch files, and beside it of copies of what lies in a bucket."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import time

from filelock import FileLock, Timeout

from sales_tech.disk import IN_USE
from sales_tech.settings import Settings

_DAY, OPENING = 24 * 3600, 2
"""Seconds: after the first, a file or folder without a lock is nobody's; the second is enough to lock a folder just made."""


@dataclass(frozen=True)
class Left:
    """A file or folder that nobody works on any more, and its bytes."""

    path: Path
    bytes: int


def left_over(settings: Settings) -> list[Left]:
    """What lies in the folder for scratch files, or in a folder of copies, and is in nobody's use; only for the lake's one writer.

    An engine's folder, or one of copies, is in use while its process holds the lock in it. Files are a writer's, so in the lake's own
    folder they are those of a writer that has ended; where several lakes may share the folder, they count as left
    after a day, as folders without a lock do.
    """
    shared = settings.work != settings.lake
    found = [*(settings.work / "scratch").glob("*"), *(lock.parent for lock in settings.work.glob(f"*/{IN_USE}"))]
    return [Left(path, sum(_sizes(path))) for path in found if not _in_use(path, shared)]


def clear(left: list[Left]) -> None:
    """Delete what was left over."""
    for one in left:
        if one.path.is_dir():
            shutil.rmtree(one.path)
        else:
            one.path.unlink(missing_ok=True)


def _in_use(path: Path, shared: bool) -> bool:
    if not path.is_dir() and not shared:
        return False
    held = path / IN_USE
    locked = path.is_dir() and held.exists()
    empty = path.is_dir() and not any(path.iterdir())  # killed before it could lock it
    if time() - path.stat().st_mtime < (OPENING if locked or empty else _DAY):
        return True
    if not locked:
        return False
    lock = FileLock(held)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def _sizes(path: Path) -> Iterator[int]:
    yield from (file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())
