"""model.tar.gz, in which SageMaker keeps a model: packed always the same way, unpacked only where nothing in it can do harm."""

from __future__ import annotations

import gzip
import shutil
import tarfile
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import IO, cast

from sales_tech.errors import ModelError

ARCHIVE = "model.tar.gz"
MOST_BYTES = 4 * 2**30


def pack(folder: Path, archive: Path) -> None:
    """Write the files of a folder into an archive; the same files give the same bytes."""
    with (
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                member = tarfile.TarInfo(path.relative_to(folder).as_posix())
                member.size = path.stat().st_size
                with path.open("rb") as file:
                    tar.addfile(member, file)


def unpack(archive: Path, folder: Path, known: Collection[str]) -> None:
    """Write the `known` files of an archive into a folder; ModelError, before anything is written, for any other member."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            members = tar.getmembers()
            for member in members:
                _check(archive, member, known)
            if (size := sum(member.size for member in members)) > MOST_BYTES:
                raise ModelError(f"{archive} unpacks to {size:,} bytes; expected at most {MOST_BYTES:,}. It is no model of this program")
            for member in members:
                # By hand, since the safe way of `extractall` is not in every Python 3.11; an archive's modes and owners count for nothing.
                if member.isfile():
                    target = folder / member.name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with cast(IO[bytes], tar.extractfile(member)) as source, target.open("wb") as file:
                        shutil.copyfileobj(source, file)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ModelError(f"{archive} cannot be unpacked: {error}; expected a whole gzipped tar file. Fetch it again") from error


def _check(archive: Path, member: tarfile.TarInfo, known: Collection[str]) -> None:
    path = PurePosixPath(member.name)
    remedy = "Nothing was unpacked; take the model from where it was registered"
    if path.is_absolute() or ".." in path.parts:
        raise ModelError(f"{archive} has a member {member.name!r}, which would be written outside of its folder. {remedy}")
    if not member.isfile() and not member.isdir():
        raise ModelError(f"{archive} has a member {member.name!r} that is a link or a device; expected plain files only. {remedy}")
    if member.isfile() and path.as_posix() not in known:
        raise ModelError(f"{archive} has a member {member.name!r}; expected only {', '.join(sorted(known))}. {remedy}")
