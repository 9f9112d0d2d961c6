"""The list of what a model's artifact is made of, and the digest that stands for all of it."""

from __future__ import annotations

import hashlib
import re
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from sales_tech import __version__
from sales_tech.contracts.fingerprint import code_fingerprint
from sales_tech.errors import ModelError

MANIFEST, FORMAT = "manifest.json", "sales-tech-model"
LIBRARIES = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "skops")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class FileSum(BaseModel):
    """A file's checksum and its size in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    sha256: str
    size: int


class Manifest(BaseModel):
    """What an artifact says of itself: format, source, the code and the libraries that wrote it, and each of its files."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: Literal["sales-tech-model"] = "sales-tech-model"
    format_version: Literal[1] = 1
    source: str
    code_version: str
    code: str
    libraries: dict[str, str]
    files: dict[str, FileSum]

    @classmethod
    def of(cls, folder: Path, source: str) -> Manifest:
        """The manifest of all files in a folder."""
        files = {path.relative_to(folder).as_posix(): sum_of(path) for path in sorted(folder.rglob("*")) if path.is_file()}
        return cls(source=source, code_version=__version__, code=model_code(), libraries=libraries(), files=files)

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """The manifest in a file; ModelError where it is not one of this format."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise ModelError(f"{path.parent} has no {MANIFEST}; expected a model that `sales-tech train-job` or ml/train wrote") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the text"
            raise ModelError(
                f"{path}: {where} is {str(first['input'])[:60]!r}; expected a manifest of {FORMAT}, version 1. This is the model of "
                "another program, or of another version of this one: train it anew"
            ) from error

    def write(self, path: Path) -> str:
        """Write it; hands back its digest."""
        path.write_text(self.model_dump_json(indent=1), encoding="utf-8")
        return digest_of(path)


def libraries() -> dict[str, str]:
    """The versions of the libraries that a model is made with."""
    return {name: version(name) for name in LIBRARIES}


def model_code() -> str:
    """The fingerprint of the code by which a fitted forecaster tells what it tells."""
    return code_fingerprint("forecasting", "retail_dates.py", "planning", "models/state.py", "models/learned.py")


def sum_of(path: Path) -> FileSum:
    """The checksum of a file."""
    with path.open("rb") as file:
        return FileSum(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size=path.stat().st_size)


def digest_of(manifest: Path) -> str:
    """What stands for a model: the checksum of its manifest, which has those of all its files."""
    return f"sha256:{sum_of(manifest).sha256}"


def check_digest(manifest: Path, digest: str) -> None:
    """ModelError where a manifest is not the one that `digest` stands for, or `digest` stands for none."""
    if not _DIGEST.fullmatch(digest):
        raise ModelError(f"the model's digest is {digest[:80]!r}; expected sha256: and 64 digits, as the registry names it")
    if (found := digest_of(manifest)) != digest:
        raise ModelError(
            f"{manifest} has the digest {found}; expected {digest}, which the registry names. It is another model, or was changed "
            "since it was registered: fetch the registered one again"
        )
