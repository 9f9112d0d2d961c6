"""The moments of a night at which something outside its process changes, counted, so that it can be killed at each.

Counting moments and not seconds makes a kill reproducible: the same night passes the same points on a slow and on a fast
machine. A point stands before and after each change, and in the middle of each file that Iceberg writes.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import fsspec.implementations.arrow
from botocore.httpsession import URLLib3Session
from pyiceberg.io.pyarrow import PyArrowFile
from sqlalchemy import event
from sqlalchemy.engine import Engine

from sales_tech.engines.duck import DuckEngine

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "shutil.move")
_PLACES = {"/scratch": "a scratch file", "/archive/": "the archive", "/runs/": "the run's record", "/data/": "data files"}
Passed = Callable[[str], None]


def watch(lake: str, passed: Passed) -> None:
    """Call `passed` with the name of each point from here on, in this process and for good."""
    sys.addaudithook(_Hook(lake, passed))
    _watch_arrow(passed)
    _watch_engine(passed)
    _watch_catalog(passed)
    _watch_services(passed)


class Killer:
    """Writes each point it passes into a file, and ends this process by SIGKILL at the n-th, from 1; at none for 0."""

    def __init__(self, fatal: int, log: Path | None = None) -> None:
        self._fatal, self._passed, self._one_at_a_time = fatal, 0, threading.Lock()
        self._log = log.open("a", encoding="utf-8") if log is not None else None

    def __call__(self, name: str) -> None:
        with self._one_at_a_time:
            self._passed += 1
            if self._log is not None:
                self._log.write(f"{name}\n")
                self._log.flush()
            if self._passed == self._fatal:
                os.kill(os.getpid(), signal.SIGKILL)


class _Hook:
    """Python's own calls that change files below the lake; they are told before they happen."""

    def __init__(self, lake: str, passed: Passed) -> None:
        self._lake, self._passed = lake, passed

    def __call__(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name not in ("open", *_CHANGES) or not any(self._below(part) for part in arguments[:2]):
            return
        if name == "open":
            _, mode, flags = arguments
            if not (flags or 0) & _WRITING and not set(mode or "") & set("wax+"):
                return
        self._passed(f"before {name} of {_kind(str(arguments[0]))}")

    def _below(self, part: object) -> bool:
        return isinstance(part, str | os.PathLike) and os.fspath(part).startswith(self._lake)


class _Stream:
    """A file that Iceberg writes, with points before its first byte, in its middle and at its end."""

    def __init__(self, stream: Any, name: str, passed: Passed) -> None:
        self._stream, self._name, self._passed, self._written = stream, name, passed, False

    def write(self, content: bytes) -> int:
        if not self._written and len(content) > 1:
            self._written = True
            self._stream.write(content[: len(content) // 2])
            self._stream.flush()
            self._passed(f"in the middle of {self._name}")
            self._stream.write(content[len(content) // 2 :])
        else:
            self._stream.write(content)
        return len(content)

    def close(self) -> None:
        if not self._stream.closed:
            self._passed(f"before the close of {self._name}")
            self._stream.close()
            self._passed(f"after {self._name}")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _watch_arrow(passed: Passed) -> None:
    create = PyArrowFile.create

    def created(file: PyArrowFile, overwrite: bool = False) -> Any:
        name = _kind(file.location)
        passed(f"before {name}")
        return _Stream(create(file, overwrite), name, passed)

    PyArrowFile.create = created  # type: ignore[method-assign]


def _watch_engine(passed: Passed) -> None:
    for name in ("write", "materialize"):
        _around(DuckEngine, name, f"the engine's {name}", passed)
    _around(fsspec.implementations.arrow.ArrowFSWrapper, "_open", "a file that the engine opens", passed)


def _watch_catalog(passed: Passed) -> None:
    def before(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "PRAGMA")):
            passed(f"before the catalog's {statement.split()[0].lower()}")

    def after(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "PRAGMA")):
            passed(f"between the catalog's {statement.split()[0].lower()} and its commit")

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    event.listen(Engine, "commit", lambda _connection: passed("before the catalog's commit"))


def _watch_services(passed: Passed) -> None:
    send = URLLib3Session.send

    def sent(session: URLLib3Session, request: Any) -> Any:
        what = request.headers.get("X-Amz-Target", b"")
        what = what.decode() if isinstance(what, bytes) else str(what)
        name = what.rpartition(".")[2] or f"{request.method} of an object"
        changes = not name.startswith(("Get", "GET", "HEAD"))
        if changes:
            passed(f"before {name}")
        answer = send(session, request)
        if changes:
            passed(f"after {name}, before its answer is read")
        return answer

    URLLib3Session.send = sent  # type: ignore[method-assign]


def _around(owner: type, name: str, words: str, passed: Passed) -> None:
    plain = getattr(owner, name)

    def watched(*arguments: Any, **named: Any) -> Any:
        passed(f"before {words}")
        answer = plain(*arguments, **named)
        passed(f"after {words}")
        return answer

    setattr(owner, name, watched)


def _kind(path: str) -> str:
    name = path.rpartition("/")[2]
    if name.endswith(".metadata.json"):
        return "the table's metadata"
    if name.startswith("snap-"):
        return "a manifest list"
    if name.endswith(".avro"):
        return "a manifest"
    for part, word in _PLACES.items():
        if part in path:
            return word
    return name or path
