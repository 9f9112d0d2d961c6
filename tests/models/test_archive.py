"""model.tar.gz: the same bytes for the same files, and nothing unpacked that could do harm."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from sales_tech.errors import ModelError
from sales_tech.models.archive import pack, unpack

KNOWN = {"manifest.json", "outlook/prices.parquet"}


def archive_of(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def link(name: str, kind: bytes, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def test_what_was_packed_is_unpacked_and_twice_packed_is_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "outlook").mkdir(parents=True)
    (folder / "manifest.json").write_bytes(b"{}")
    (folder / "outlook" / "prices.parquet").write_bytes(b"PAR1")
    pack(folder, tmp_path / "a.tar.gz")
    (folder / "manifest.json").touch()
    pack(folder, tmp_path / "b.tar.gz")
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()
    unpack(tmp_path / "a.tar.gz", tmp_path / "back", KNOWN)
    assert {
        path.relative_to(tmp_path / "back").as_posix(): path.read_bytes() for path in (tmp_path / "back").rglob("*") if path.is_file()
    } == {
        "manifest.json": b"{}",
        "outlook/prices.parquet": b"PAR1",
    }


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (tarfile.TarInfo("/etc/passwd"), "outside of its folder"),
        (tarfile.TarInfo("../manifest.json"), "outside of its folder"),
        (tarfile.TarInfo("outlook/../../x"), "outside of its folder"),
        (link("manifest.json", tarfile.SYMTYPE, "/etc/passwd"), "a link or a device"),
        (link("manifest.json", tarfile.LNKTYPE, "outlook/prices.parquet"), "a link or a device"),
        (link("manifest.json", tarfile.CHRTYPE, ""), "a link or a device"),
        (tarfile.TarInfo("code/inference.py"), "expected only manifest.json, outlook/prices.parquet"),
    ],
)
def test_a_member_that_could_do_harm_is_named_and_nothing_is_unpacked(member: tarfile.TarInfo, words: str, tmp_path: Path) -> None:
    path = archive_of(tmp_path / "model.tar.gz", (tarfile.TarInfo("manifest.json"), b"{}"), (member, b""))
    with pytest.raises(ModelError, match=words):
        unpack(path, tmp_path / "back", KNOWN)
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("cut", [0, 10, 60])
def test_an_archive_that_is_cut_short_is_refused(cut: int, tmp_path: Path) -> None:
    path = archive_of(tmp_path / "model.tar.gz", (tarfile.TarInfo("manifest.json"), bytes(range(256)) * 40))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ModelError, match="cannot be unpacked"):
        unpack(path, tmp_path / "back", KNOWN)
