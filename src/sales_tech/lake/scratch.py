"""What runs that were killed left in the folder for scratch files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import time

from filelock import FileLock, Timeout

from sales_tech.engines.duck import IN_USE

_DAY = 24 * 3600


@dataclass(frozen=True)
class Left:
    """A file or folder that nobody works on any more, and its bytes."""

    path: Path
    bytes: int


def left_over(scratch: Path) -> list[Left]:
    """What lies in the scratch folder and is in nobody's use; only for the lake's one writer, whose files look the same.

    An engine's folder is in use while its process holds the lock in it. A file is a writer's, so one of a writer
    that has ended; another folder counts as left after a day.
    """
    return [Left(path, sum(_sizes(path))) for path in scratch.glob("*") if not _in_use(path)]


def clear(left: list[Left]) -> None:
    """Delete what was left over."""
    for one in left:
        if one.path.is_dir():
            shutil.rmtree(one.path)
        else:
            one.path.unlink(missing_ok=True)


def _in_use(path: Path) -> bool:
    if not path.is_dir():
        return False
    held = path / IN_USE
    if not held.exists():
        return time() - path.stat().st_mtime < _DAY
    lock = FileLock(held)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def _sizes(path: Path) -> Iterator[int]:
    yield from (file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())
