"""Where the lake is and how it is worked on: one frozen object, read once at the edge."""

from __future__ import annotations

import hmac
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sales_tech.errors import SettingsError

PREFIX = "SALES_TECH_"


@dataclass(frozen=True)
class Settings:
    """Everything that may differ between two machines.

    `lake` and `landing` are folders; `sources` are packs' folders or folders of packs;
    `memory_limit` is the engine's, such as `1GB`.
    """

    lake: Path
    landing: Path
    sources: tuple[Path, ...]
    memory_limit: str = "1GB"
    threads: int = 2

    @classmethod
    def load(cls, **given: Any) -> Settings:
        """Settings from what is given, else from SALES_TECH_* variables, else the project's own folders.

        Raises SettingsError where a value cannot be used; a given value of None counts as not given.
        """
        project = project_folder()
        known = {key: value for key, value in given.items() if value is not None}
        unknown = set(known) - set(cls.__dataclass_fields__)
        if unknown:
            raise SettingsError(f"unknown settings {', '.join(sorted(unknown))}; expected {', '.join(cls.__dataclass_fields__)}")
        sources = known.get("sources") or _environment("SOURCES")
        places = sources.split(os.pathsep) if isinstance(sources, str) else sources or []
        own = [project / "sources"] if (project / "sources").is_dir() or not places else []
        threads = known.get("threads") or _environment("THREADS") or min(os.cpu_count() or 2, 8)
        if not str(threads).isdecimal() or int(threads) < 1:
            raise SettingsError(f"{PREFIX}THREADS is {threads!r}; expected a whole number of at least 1")
        return cls(
            lake=Path(known.get("lake") or _environment("LAKE") or project / "lake").absolute(),
            landing=Path(known.get("landing") or _environment("LANDING") or project / "landing").absolute(),
            sources=(*own, *(Path(place).absolute() for place in places)),
            memory_limit=str(known.get("memory_limit") or _environment("MEMORY_LIMIT") or "1GB"),
            threads=int(threads),
        )

    def hash_key(self) -> bytes:
        """The key of the hash that stands for personal data past bronze.

        It comes from SALES_TECH_HASH_KEY. Where that is not set, the lake keeps a random key of its
        own, readable by its owner only, so that no two laptops share one.
        """
        if given := _environment("HASH_KEY"):
            return given.encode()
        path = self.lake / "secrets" / "hash.key"
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

    def hash_key_id(self) -> str:
        """A short text that tells one hash key from another and nothing of either."""
        return hmac.new(self.hash_key(), b"which key is this", "sha256").hexdigest()[:8]


def project_folder() -> Path:
    """The nearest folder around the working folder that holds pipeline.py, else the working folder.

    A notebook runs in its own folder, the pipeline at the top: both find the same lake.
    """
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "pipeline.py").is_file()), here)


def _environment(name: str) -> str | None:
    return os.environ.get(PREFIX + name) or None
