"""Disks that are full or may not be written: the night says so, loses nothing, and the next one makes good for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.reliability.children import ended, limited_night, night_of_another_user, start, whole_night
from tests.reliability.scenes import Scene, different, half_tables, land_first, land_second, local_scene
from tests.support.command_line import call
from tests.support.nights import night, read_all, settings_in

from sales_tech import disk
from sales_tech.errors import LakeError
from sales_tech.ingest.archive import archive
from sales_tech.lake.expiry import expire, set_properties
from sales_tech.lake.query import Reader
from sales_tech.lake.store import Lake
from sales_tech.platform.local import Folder

pytestmark = [pytest.mark.usefixtures("hash_key"), pytest.mark.slow(40)]
NOBODY = 65534
DAYS = 1  # of sales after the first night
ASK = "select count(*) as n from gold.kpis_daily"


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """A file system in memory on a folder; the test is skipped where this machine does not let one be mounted."""
    folder.mkdir(exist_ok=True)
    command = shutil.which("mount")
    if sys.platform != "linux" or os.geteuid() != 0 or command is None:
        pytest.skip("mounting a file system needs Linux and root")
    done = subprocess.run(
        [command, "-t", "tmpfs", "-o", ",".join(options), "none", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"this machine mounts no file system: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([str(shutil.which("umount")), "-l", str(folder)], check=True)


def remount(folder: Path, *options: str) -> None:
    """Give a mounted file system other options."""
    subprocess.run([str(shutil.which("mount")), "-o", ",".join(("remount", *options)), str(folder)], check=True)


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The same on a disk of its own."""
    folder = tmp_path_factory.mktemp("small")
    with mounted(folder / "disk", "size=32m") as place:
        yield local_scene(replace(settings_in(folder, "erp_br"), lake=place / "lake"), folder, land_first, last=land_second)


def fill(scene: Scene, free: int) -> None:
    """Bring the lake back and leave so many kilobytes of its disk free."""
    place = scene.settings.lake.parent
    remount(place, "size=32m")
    scene.restore()
    status = os.statvfs(place)
    used = (status.f_blocks - status.f_bfree) * status.f_frsize // 1024
    remount(place, f"size={used + free}k")


def test_a_night_on_a_full_disk_says_so_and_the_next_makes_good_for_it(small_disk: Scene) -> None:
    told = set()
    for free in (4, 48, 96, 160, 240):
        fill(small_disk, free)
        with pytest.raises(LakeError) as caught:
            night(small_disk.settings)
        told.add(str(caught.value).partition(" failed: ")[0])
        assert str(caught.value).endswith("; free some space, then run again")
        assert half_tables(small_disk) == []
        remount(small_disk.settings.lake.parent, "size=32m")
        night(small_disk.settings)
        assert different(small_disk) == []
    assert len(told) >= 3, "the disk was full at different moments"


def test_a_full_disk_is_told_by_maintenance_too(small_disk: Scene) -> None:
    fill(small_disk, 4)
    lake = Lake(small_disk.settings)
    first = lake.table("bronze.files").metadata.snapshots[0]  # type: ignore[union-attr]
    for what, change in (
        ("giving up old snapshots", lambda: expire(lake, "bronze.files", [first])),
        ("setting properties", lambda: set_properties(lake, "bronze.files", {"a": "b"})),
    ):
        with pytest.raises(LakeError, match=rf"{what} of bronze.files failed: No space left on device.*; free some space, then run again"):
            change()
    assert half_tables(small_disk) == []


@pytest.mark.parametrize("most", [200, 3_000, 6_000, 16_000])
def test_a_night_that_may_write_no_larger_file_says_so_and_the_next_makes_good_for_it(scene: Scene, most: int, tmp_path: Path) -> None:
    """The same without a disk of its own: the system refuses each byte past a file's limit."""
    scene.restore()
    code = ended(start(limited_night, scene.settings, tmp_path / "told.txt", most))
    said = (tmp_path / "told.txt").read_text(encoding="utf-8")
    assert code == 3, said
    assert "failed: " in said
    assert any(words in said for words in ("lets no file grow that large", "free some space", "disk I/O error"))
    assert half_tables(scene) == []
    night(scene.settings)
    assert different(scene) == []


def test_the_command_line_tells_of_a_full_disk_without_a_traceback(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=150k") as folder:
        settings = settings_in(tmp_path, "erp_br")
        land_first(settings.landing)
        words = ("--landing", settings.landing, "--lake", folder / "lake", "--sources", settings.sources[0])
        done = call("run", *words, "--step", "ingest/batch_csv")
        assert done.returncode == 1
        assert "Traceback" not in done.stdout + done.stderr
        assert "No space left on device; free some space, then run again" in " ".join(done.stdout.split())
        remount(folder, "size=16m")
        assert call("run", *words, "--step", "ingest/batch_csv").returncode == 0
    assert not any((tmp_path / "disk").iterdir())


def test_a_read_only_lake_can_be_asked_but_not_changed(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=16m") as folder:
        settings = replace(settings_in(tmp_path, "erp_br"), lake=folder / "lake")
        land_first(settings.landing)
        # In a process of its own, since a file that is open for writing keeps the disk from being made read-only.
        assert ended(start(whole_night, settings, tmp_path / "refusals.txt", False)) == 0
        remount(folder, "ro")
        with pytest.raises(LakeError, match=r"taking the lock of \S+/lake failed: Read-only file system.*; mount it for writing, or name"):
            night(settings)
        with pytest.raises(LakeError, match=r"SALES_TECH_WORK_FOLDER names another place\) failed: Read-only file system"):
            Reader(settings).arrow(ASK)
        elsewhere = replace(settings, work_folder=tmp_path / "work")
        assert Reader(elsewhere).arrow(ASK).to_pylist() == [{"n": DAYS}]
        for command in (("query", ASK), ("run", "--landing", settings.landing), ("plan", "--landing", settings.landing)):
            done = call(*command, "--lake", settings.lake)
            assert done.returncode == 1, command
            assert done.stderr.startswith("error ")
            assert "Read-only file system" in done.stderr, command
            assert "Traceback" not in done.stderr
        asked = call("query", ASK, "--lake", settings.lake, "--format", "json", SALES_TECH_WORK_FOLDER=str(tmp_path / "work"))
        assert json.loads(asked.stdout) == [{"n": DAYS}]
        remount(folder, "rw")
        land_second(settings.landing)
        night(settings)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may become another user")
def test_a_user_who_may_not_write_the_lake_is_told_and_changes_nothing(scene: Scene, tmp_path: Path) -> None:
    scene.restore()
    before = read_all(scene.settings)
    told = tmp_path / "told.txt"
    for parent in (*scene.settings.lake.parents, *told.parents):
        if parent.stat().st_uid == os.geteuid() and parent.stat().st_mode & 0o055 != 0o055:
            parent.chmod(parent.stat().st_mode | 0o055)  # pytest's folders are for their owner alone
    code = ended(start(night_of_another_user, scene.settings, told, NOBODY))
    said = told.read_text(encoding="utf-8")
    assert code == 3, said
    assert "Permission denied" in said
    assert "give this user the right to write there" in said
    assert read_all(scene.settings) == before
    night(scene.settings)
    assert different(scene) == []


def test_a_file_is_kept_from_a_work_folder_on_another_disk(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=1m") as folder:
        part = folder / "some.part"
        part.write_bytes(b"content")
        Folder(tmp_path / "lake").keep(part, "archive/ab/some.csv")
        assert (tmp_path / "lake" / "archive" / "ab" / "some.csv").read_bytes() == b"content"
        assert [path.name for path in (tmp_path / "lake").rglob("*") if path.is_file()] == ["some.csv"]
        assert not part.exists()


def test_equal_files_that_come_from_another_disk_at_once_are_all_kept(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=32m") as folder, ThreadPoolExecutor(4) as pool:
        parts = [folder / f"{number}.part" for number in range(8)]
        for part in parts:
            part.write_bytes(b"content" * 500_000)
        for kept in [pool.submit(Folder(tmp_path / "lake").keep, part, "archive/ab/some.csv") for part in parts]:
            kept.result()
        assert list(folder.iterdir()) == []
    (file,) = [path for path in (tmp_path / "lake").rglob("*") if path.is_file()]
    assert (file.name, file.read_bytes()) == ("some.csv", b"content" * 500_000)


@pytest.mark.parametrize("full", ["disk/scratch", "disk/lake"])
def test_of_a_copy_into_the_archive_that_a_full_disk_refuses_nothing_stays(tmp_path: Path, full: str) -> None:
    with mounted(tmp_path / "disk", "size=1m"):
        landing, scratch = tmp_path / "landing", tmp_path / (full if "scratch" in full else "scratch")
        for folder in (landing, scratch):
            folder.mkdir()
        (landing / "large.csv").write_bytes(bytes(2_000_000))
        with pytest.raises(LakeError, match=r"archiving large.csv failed: No space left on device.*; free some space, then run again"):
            archive(Folder(landing), "large.csv", Folder(tmp_path / (full if "lake" in full else "lake")), scratch)
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == [landing / "large.csv"]


@pytest.mark.parametrize("below", ["file", "file/below"])
def test_a_file_in_a_folders_place_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file") as refused:
        (tmp_path / below).mkdir(parents=True, exist_ok=True)
    assert f"({tmp_path / below}); a file stands where a folder is needed" in str(disk.refusal(refused.value))


def test_what_is_no_disks_doing_is_not_called_so(tmp_path: Path) -> None:
    assert disk.refusal(FileNotFoundError(2, "No such file or directory", "x")) is None
    assert disk.refusal(ValueError("a mistake")) is None
    with pytest.raises(FileNotFoundError), disk.in_words("looking"):
        raise FileNotFoundError(2, "No such file or directory", "x")
    with pytest.raises(FileExistsError) as twice:
        tmp_path.mkdir()
    assert disk.refusal(twice.value) is None
    told = disk.refusal(OSError(28, "No space left on device", "/lake/x.parquet"))
    assert told == "No space left on device (/lake/x.parquet); free some space, then run again"
