"""What most tests begin with: settings of an empty lake, a night's run, a table's rows, the real data."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from sales_tech.settings import Settings
from tests.support.cloud import Cloud, running_cloud
from tests.support.nights import HASH_KEY, REPOSITORY, cloud_settings_in, settings_in

# Two workers on two cores, each with two threads that wait for one another by spinning, take ten times as long as with one.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Of tiny tables Java compiles more than it runs: without its second compiler the nights on Spark take half as long.
os.environ.setdefault("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1")

# No test is about its own time, and on a busy machine any example may take longer than hypothesis allows.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

LONGEST_FIRST = ("end_to_end", "transform", "infra", "functions", "query", "notebooks", "orchestration")
"""Folders whose tests take long, so that no worker is left with one of their files at the end."""

MOST_WORKERS = 8


def pytest_xdist_auto_num_workers() -> int:
    """Two workers a core, since tests wait for disks, child processes and a service; eight are what the memory of a laptop holds."""
    return min(2 * (os.cpu_count() or 1), MOST_WORKERS)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out long tests unless they are asked for; begin with the files that take longest: slow tests, then some folders."""
    if "long" not in config.option.markexpr:
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
        items[:] = [item for item in items if not item.get_closest_marker("long")]
    longest: dict[Path, float] = {}
    for item in items:
        if slow := item.get_closest_marker("slow"):
            longest[item.path] = max(longest.get(item.path, 0), slow.args[0])

    def rank(item: pytest.Item) -> tuple[float, int]:
        folder = item.path.parent.name
        return (-longest.get(item.path, 0), LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST))

    items.sort(key=rank)


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """The AWS emulator, one for all tests of this process."""
    with running_cloud() as running:
        yield running


@pytest.fixture(scope="module")
def hash_key() -> Iterator[None]:
    """The key of the hash in the environment, for lakes that a whole file of tests shares."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SALES_TECH_HASH_KEY", HASH_KEY)
        yield


@pytest.fixture
def place(request: pytest.FixtureRequest) -> str:
    """Where the lake of a test is: local, unless the test is parametrized by BOTH_PLACES."""
    return getattr(request, "param", "local")


@pytest.fixture
def make_settings(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Callable[..., Settings]:
    """Settings of a new lake below the test's folder, or in the emulator; the arguments name packs, none stands for all."""
    monkeypatch.setenv("SALES_TECH_HASH_KEY", HASH_KEY)
    if place == "local":
        return lambda *packs, name="": settings_in(tmp_path / name, *packs)
    running: Cloud = request.getfixturevalue("cloud")
    for variable, value in running.environment.items():
        monkeypatch.setenv(variable, value)
    return lambda *packs, name="": cloud_settings_in(tmp_path / name, running, *packs)


@pytest.fixture
def erp(make_settings: Callable[..., Settings]) -> Settings:
    """Settings of a new lake that knows the pack erp_br only."""
    return make_settings("erp_br")


@pytest.fixture
def olist(make_settings: Callable[..., Settings]) -> Settings:
    """Settings of a new lake that knows the pack olist only."""
    return make_settings("olist")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of published exports beside the repository, or that in SALES_TECH_REAL_DATA."""
    given = os.environ.get("SALES_TECH_REAL_DATA")
    folder = Path(given) if given else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; SALES_TECH_REAL_DATA names another folder")
    return folder
