"""The lake on one machine: an Iceberg catalog in SQLite, folders, a file lock."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout
from pyiceberg.catalog import Catalog
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from sales_tech import disk
from sales_tech.errors import LakeError, SettingsError, UnreadableFile
from sales_tech.platform.files import FolderCatalog
from sales_tech.ports import LAYERS, Entry
from sales_tech.settings import Settings, given_hash_key

CATALOG = "catalog.db"
_COPYING = threading.Lock()
"""Held while a file comes from another disk: two of the same content, looked at at once, have one name to be copied beside."""
_DYING = 10.0  # seconds that a notebook's kernel may need to notice that its pipeline is dead; it looks every second


@dataclass(frozen=True)
class Folder:
    """A place that is a folder of this machine."""

    path: Path

    def exists(self) -> bool:
        """Whether the folder is there."""
        return self.path.is_dir()

    def entries(self, below: str = "") -> Iterator[Entry]:
        """All files in it, or below one folder of it, and what stands among them and cannot be read."""
        for folder, folders, files in os.walk(self.path / below):
            here = Path(folder)
            shut = {name: problem for name in folders if (problem := _folder_problem(here / name))}
            folders[:] = [name for name in folders if name not in shut]
            yield from (Entry((here / name).relative_to(self.path).as_posix(), 0, 0, problem) for name, problem in shut.items())
            for name in files:
                if (entry := self._entry(here / name)) is not None:
                    yield entry

    def _entry(self, path: Path) -> Entry | None:
        # None for a file that was taken away meanwhile.
        name = path.relative_to(self.path).as_posix()
        try:
            status = path.stat()
        except OSError:
            return Entry(name, 0, 0, "a link that leads nowhere; expected a file") if path.is_symlink() else None
        if not stat.S_ISREG(status.st_mode):
            return Entry(name, 0, 0, "a pipe, a socket or a device; expected a file")
        if not os.access(path, os.R_OK):
            return Entry(name, 0, 0, "a file that this user may not read; expected one that it may")
        return Entry(name, status.st_size, status.st_mtime_ns)

    def open(self, name: str) -> BinaryIO:
        """Read a file; UnreadableFile for a link that leads out of the folder, to what its sender may not read."""
        path = self.path / name
        if not path.resolve().is_relative_to(self.path.resolve()):
            raise UnreadableFile(f"a link to {path.resolve()}, outside of {self.path}; expected a file. Put a copy here if it is wanted")
        return path.open("rb")

    def fetch(self, name: str) -> Path:
        """The file itself."""
        return self.path / name

    def keep(self, part: Path, name: str) -> None:
        """Move a file here, by a copy beside its name where it comes from another disk."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            beside = target.with_name(f".{target.name}.part")
            with _COPYING:
                try:
                    with part.open("rb") as source, beside.open("wb") as copy:
                        shutil.copyfileobj(source, copy)
                        copy.flush()
                        os.fsync(copy.fileno())
                    beside.replace(target)
                finally:
                    beside.unlink(missing_ok=True)
            part.unlink()

    def remove(self, names: Iterable[str]) -> None:
        """Delete files, and the folders below this one that are empty then."""
        for name in names:
            target = self.path / name
            target.unlink(missing_ok=True)
            for folder in target.parents:
                if folder == self.path or not folder.is_dir() or any(folder.iterdir()):
                    break
                folder.rmdir()


class LocalPlatform:
    """The embedded default: no account and no server."""

    warehouse = None
    filesystem = None

    def __init__(self, settings: Settings) -> None:
        assert isinstance(settings.lake, Path)
        assert isinstance(settings.landing, Path)
        self._folder = settings.lake
        self.lake, self.landing = Folder(settings.lake), Folder(settings.landing)

    @cached_property
    def catalog(self) -> Catalog:
        """The Iceberg catalog, made with its namespaces on first use."""
        path = self._folder / CATALOG
        with self.in_words(f"opening the catalog of {self._folder}"):
            self._folder.mkdir(parents=True, exist_ok=True)
            if not _holds(path):
                self._make_catalog(path)
            catalog = self._catalog_in(path)
            self._check_place(catalog)
            return catalog

    def _make_catalog(self, path: Path) -> None:
        # Aside and one at a time, so that nobody finds it half made; a kill leaves no more than the part.
        with FileLock(path.with_name(".lock.catalog")):
            if not _holds(path):
                if self._tables.exists():
                    # A new one would be that of an empty lake, in which maintenance deletes the files of the old one.
                    found = f"{path} is gone, which names the newest state of each table in {self._tables}"
                    raise LakeError(f"{found}; {disk.RESTORE}")
                part = path.with_name(".catalog.db.part")
                part.unlink(missing_ok=True)
                self._catalog_in(part).engine.dispose()
                part.replace(path)

    def _catalog_in(self, path: Path) -> FolderCatalog:
        catalog = FolderCatalog(
            "sales_tech",
            uri=URL.create("sqlite", database=str(path)).render_as_string(),
            warehouse=f"file://{self._tables}",  # not as_uri(), whose %20 would become part of folder names
        )
        known = {name for (name,) in catalog.list_namespaces()}  # asked once, since every query opens the catalog
        for layer in LAYERS:
            if layer not in known:
                catalog.create_namespace_if_not_exists(layer)
        return catalog

    def _check_place(self, catalog: FolderCatalog) -> None:
        # A copy would write into the folder that it was copied from, whose maintenance then deletes what only the copy names.
        for location in catalog.locations():
            path = Path(location.removeprefix("file://"))
            tables = path.parents[min(3, len(path.parents) - 1)]  # above the layer, the table and its metadata
            if not path.is_relative_to(self._tables) and not (tables.is_dir() and self._tables.is_dir() and tables.samefile(self._tables)):
                found = f"{self._folder} is a copy of the lake {tables.parent}, or was moved from there: its tables lie in {tables}"
                todo = "Put it back there, name another lake with --lake, or have a new one built from the landing folder"
                raise LakeError(f"{found}, and a lake holds absolute paths. {todo}; docs/operations.md tells how")

    @property
    def exists(self) -> bool:
        """Whether anything was ever written here."""
        return (self._folder / CATALOG).exists() or self._tables.exists()

    @property
    def _tables(self) -> Path:
        return self._folder / "tables"

    def identifier(self, table: str) -> str:
        """The table's own name."""
        return table

    def table(self, identifier: tuple[str, ...]) -> str:
        """The table's own name."""
        return ".".join(identifier)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lake's lock file; LakeError where another process does, or a notebook of a dead one goes on."""
        with self.in_words(f"taking the lock of {self._folder}"):
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = self._acquired(".lock", 0, "another run works on")
        try:
            # A killed pipeline's lock is free at once, but its notebook may be about to commit.
            self._acquired(".lock.step", _DYING, "a notebook of a run that was killed still works on").release()
            yield
        finally:
            lock.release()

    @contextmanager
    def step(self) -> Iterator[None]:
        """Hold the lock file of notebooks, for which the next pipeline waits; a step may hold it several times."""
        with self._acquired(".lock.step", 0, "another notebook works on"):
            yield

    def in_words(self, what: str) -> AbstractContextManager[None]:
        """Turn what the disk or the catalog's file refuses into a LakeError."""
        return disk.in_words(what, DBAPIError)

    def _acquired(self, name: str, seconds: float, refused: str) -> FileLock:
        lock = FileLock(self._folder / name, is_singleton=True)
        try:
            lock.acquire(timeout=seconds)
        except Timeout as error:
            raise LakeError(f"{refused} {self._folder}; wait for it to end, then start this one again") from error
        return lock

    def check_lock(self) -> None:
        """Nothing: the system gives a lock file back only when its holder has ended."""

    def hash_key(self) -> bytes:
        """The key in SALES_TECH_HASH_KEY, or one of the lake's own.

        Where the variable is not set, the lake keeps a random key, readable by its owner only, so that
        no two laptops share one.
        """
        if given := given_hash_key():
            return given
        path = self._folder / "secrets" / "hash.key"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Written aside first: a key cut short by a kill would be worse than none.
            descriptor, part = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32))
            Path(part).replace(path)
        key = path.read_text(encoding="ascii").strip().encode()
        if not key:
            raise SettingsError(f"{path} is empty; expected the lake's hash key. Restore it, or delete it to have a new one made")
        return key

    def publish(self, folder: Path) -> None:
        """A run's folder lies in the lake already."""


def _folder_problem(path: Path) -> str | None:
    if path.is_symlink():
        return f"a link to the folder {path.readlink()}, whose files are not looked at; expected the folder itself"
    if not os.access(path, os.R_OK | os.X_OK):
        return "a folder that this user may not read, whose files are not looked at; expected one that it may"
    return None


def _holds(path: Path) -> bool:
    # SQLite takes an empty file for a new database.
    return path.exists() and path.stat().st_size > 0
