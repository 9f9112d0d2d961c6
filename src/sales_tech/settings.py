"""Where the lake is and how it is worked on: one frozen object, read once at the edge."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sales_tech.errors import SettingsError

PREFIX = "SALES_TECH_"
ENGINES = ("duckdb", "spark")
_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^?#]*)?")
_NOT_IN_ADDRESSES = set("#?\t\n\r") | ({"\\"} if os.sep == "/" else set())
_DATABASE_PREFIX = re.compile(r"[a-z][a-z0-9_]*_")


@dataclass(frozen=True)
class Aws:
    """What the lake on AWS needs besides its places.

    `database_prefix` stands before bronze, silver and gold in the Glue Data Catalog; `workgroup` is
    Athena's; `hash_key_secret` names the secret in Secrets Manager with the key of the personal hash.
    """

    database_prefix: str
    workgroup: str
    hash_key_secret: str | None = None


@dataclass(frozen=True)
class Settings:
    """Everything that may differ between two machines.

    `lake` and `landing` are folders or, with `env` aws, `s3://bucket/prefix`; `sources` are packs'
    folders or folders of packs; `memory_limit` is the engine's, such as `1GB`; `work` is the folder on
    this machine for scratch files and executed notebooks, by default the lake's own; `engine` makes
    silver and gold's sales tables; `keep_days` is for how long a table's earlier versions are kept.
    """

    lake: Path | str
    landing: Path | str
    sources: tuple[Path, ...]
    memory_limit: str = "1GB"
    threads: int = 2
    work_folder: Path | None = None
    engine: Literal["duckdb", "spark"] = "duckdb"
    keep_days: int = 100
    aws: Aws | None = None

    @property
    def env(self) -> Literal["local", "aws"]:
        """Where everything runs: on this machine alone, or on AWS."""
        return "local" if self.aws is None else "aws"

    @property
    def work(self) -> Path:
        """The folder on this machine for scratch files and executed notebooks."""
        if self.work_folder is not None:
            return self.work_folder
        return self.lake if isinstance(self.lake, Path) else Path(tempfile.gettempdir()) / "sales-tech"

    @classmethod
    def load(cls, **given: Any) -> Settings:
        """Settings from what is given, else from SALES_TECH_* variables, else the project's own folders.

        `env` is `local` or `aws`; a lake on s3:// means aws. Raises SettingsError where a value cannot
        be used; a given value of None counts as not given.
        """
        project = project_folder()
        known = {key: value for key, value in given.items() if value is not None}
        accepted = (*(set(cls.__dataclass_fields__) - {"aws"}), "env", "database_prefix", "workgroup", "hash_key_secret")
        if unknown := set(known) - set(accepted):
            raise SettingsError(f"unknown settings {', '.join(sorted(unknown))}; expected {', '.join(sorted(accepted))}")
        if empty := [name for name, value in known.items() if isinstance(value, str) and not value.strip()]:
            # As of a script's variable that is not set: the project's own lake is not what it meant.
            raise SettingsError(f"the {empty[0]} that was given is empty; expected a value, or none of it at all")
        values = {name: known.get(name) or _environment(name.upper()) for name in accepted}
        sources = values["sources"]
        places = sources.split(os.pathsep) if isinstance(sources, str) else sources or []
        shipped = asset("sources")
        own = [shipped] if shipped.is_dir() or not places else []
        threads = values["threads"] or min(os.cpu_count() or 2, 8)
        if not str(threads).isdecimal() or int(threads) < 1:
            raise SettingsError(f"{_named('threads', known)} is {threads!r}; expected a whole number of at least 1")
        engine = values["engine"] or "duckdb"
        if engine not in ENGINES:
            raise SettingsError(f"{_named('engine', known)} is {engine!r}; expected {' or '.join(ENGINES)}")
        keep_days = values["keep_days"] or cls.keep_days
        if not str(keep_days).isdecimal() or int(keep_days) < 1:
            raise SettingsError(f"{_named('keep_days', known)} is {keep_days!r}; expected a whole number of days of at least 1")
        aws = _aws(values)
        return cls(
            lake=_place("lake", _named("lake", known), values["lake"] or project / "lake", aws),
            landing=_place("landing", _named("landing", known), values["landing"] or ("" if aws else project / "landing"), aws),
            sources=(*own, *(Path(place).absolute() for place in places)),
            memory_limit=str(values["memory_limit"] or "1GB"),
            threads=int(threads),
            work_folder=Path(values["work_folder"]).absolute() if values["work_folder"] else None,
            engine="spark" if engine == "spark" else "duckdb",
            keep_days=int(keep_days),
            aws=aws,
        )


def project_folder() -> Path:
    """The nearest folder around the working folder that holds pipeline.py, else the working folder.

    A notebook runs in its own folder, the pipeline at the top: both find the same lake.
    """
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "pipeline.py").is_file()), here)


def asset(name: str) -> Path:
    """A folder of the project, such as `notebooks`; elsewhere its copy in an installed wheel, or the one in this package's source tree."""
    here = Path(__file__).resolve()
    own = project_folder() / name
    # A scheduler starts commands in any folder.
    return next((place for place in (own, here.with_name("assets") / name, here.parents[2] / name) if place.is_dir()), own)


def given_hash_key() -> bytes | None:
    """The key of the personal-data hash where it is given by SALES_TECH_HASH_KEY; no setting, so that no one prints it."""
    given = _environment("HASH_KEY")
    return given.encode() if given else None


def _aws(values: dict[str, Any]) -> Aws | None:
    env = values["env"] or ("aws" if str(values["lake"] or "").startswith("s3://") else "local")
    if env not in ("local", "aws"):
        raise SettingsError(f"{PREFIX}ENV is {env!r}; expected local or aws")
    if env == "local":
        return None
    prefix = str(values["database_prefix"] or "")
    if not _DATABASE_PREFIX.fullmatch(prefix):
        expected = "what stands before bronze, silver and gold in the Glue Data Catalog, such as salestech_prod_"
        raise SettingsError(f"{PREFIX}DATABASE_PREFIX is {prefix!r}; expected {expected}")
    if not values["workgroup"]:
        raise SettingsError(f"{PREFIX}WORKGROUP is not set; expected the name of the Athena workgroup that answers queries")
    return Aws(prefix, str(values["workgroup"]), values["hash_key_secret"])


def _named(setting: str, given: dict[str, Any]) -> str:
    # Whoever typed an option knows nothing of the variable.
    return f"the {setting} that was given" if setting in given else PREFIX + setting.upper()


def _place(setting: str, name: str, value: Path | str, aws: Aws | None) -> Path | str:
    text = str(value)
    if aws is None:
        if text.startswith("s3://"):
            raise SettingsError(f"{name} is {text!r} where {PREFIX}ENV is local; expected a folder, or {PREFIX}ENV=aws")
        path = Path(value).absolute()
        # A table's address is a URI, in which these would begin something else or be left out.
        if setting == "lake" and (odd := sorted(_NOT_IN_ADDRESSES & set(str(path)))):
            raise SettingsError(f"{name} is {text!r}; expected a folder without {' '.join(map(repr, odd))} in its path. Choose another")
        if setting == "lake" and path.is_file():
            raise SettingsError(f"{name} is {text!r}, a file; expected a folder")
        return path
    if setting == "landing" and not text:
        return ""  # whoever only asks the lake needs none
    if not _S3.fullmatch(text):
        raise SettingsError(f"{name} is {text!r}; expected s3://bucket or s3://bucket/prefix where {PREFIX}ENV is aws")
    return text.rstrip("/")


def _environment(name: str) -> str | None:
    return os.environ.get(PREFIX + name) or None
