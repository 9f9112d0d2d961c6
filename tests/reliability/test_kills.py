"""A night killed at any moment leaves whole tables, and the next night makes good for it: on a lake in a folder."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest
from tests.reliability.children import ended, kill_after, killed_night, start
from tests.reliability.scenes import Scene, faults_after, land_first, land_second, local_scene, told
from tests.support.nights import settings_in

pytestmark = [pytest.mark.usefixtures("hash_key"), pytest.mark.slow(60)]
POINTS_BY_DEFAULT, POINTS, TIMES = 5, 200, 40
INSIDE_A_COMMIT = (
    "in the middle of a manifest",
    "in the middle of the table's metadata",
    "after the table's metadata",
    "between the catalog's update and its commit",
    "after the engine's write",
)


@pytest.fixture(scope="module")
def second_night(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A lake of one night, before the second."""
    folder = tmp_path_factory.mktemp("second")
    return local_scene(settings_in(folder, "erp_br"), folder, land_first, last=land_second)


@pytest.fixture(scope="module")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """No lake yet."""
    folder = tmp_path_factory.mktemp("first")
    return local_scene(settings_in(folder, "erp_br"), folder, last=land_first)


@pytest.mark.parametrize("number", range(POINTS_BY_DEFAULT))
def test_a_night_killed_at_any_moment_is_made_good_by_the_next(second_night: Scene, number: int) -> None:
    second_night.kill_at(second_night.spread(POINTS_BY_DEFAULT)[number])
    assert faults_after(second_night, again=number == 2) == []


@pytest.mark.parametrize("name", INSIDE_A_COMMIT)
def test_a_night_killed_inside_a_commit_is_made_good_by_the_next(second_night: Scene, name: str) -> None:
    commits = second_night.points.count(name)
    second_night.kill_at(second_night.point(name, INSIDE_A_COMMIT.index(name) * commits // len(INSIDE_A_COMMIT)))
    assert faults_after(second_night) == []


@pytest.mark.parametrize("number", (1, 3))
def test_a_lake_whose_very_first_night_was_killed_is_made_by_the_next(first_night: Scene, number: int) -> None:
    first_night.kill_at(first_night.spread(5)[number])
    assert faults_after(first_night) == []


@dataclass
class Tally:
    """How many kills there were, and which of them went wrong."""

    kills: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, where: str, faults: list[str]) -> None:
        self.kills += 1
        self.faults += [f"{where}: {fault}" for fault in faults]
        print(f"{where}: {'; '.join(faults) or 'made good'}", flush=True)  # noqa: T201


@pytest.mark.long
def test_nights_killed_at_two_hundred_points_are_made_good(first_night: Scene, second_night: Scene) -> None:
    began, tally = time.monotonic(), Tally()
    for scene, count, night in ((first_night, POINTS // 4, "first"), (second_night, POINTS - POINTS // 4, "second")):
        for number, fatal in enumerate(scene.spread(count)):
            scene.kill_at(fatal)
            tally.add(f"{night} night, {fatal}: {scene.points[fatal - 1]}", faults_after(scene, again=number % 10 == 0))
        print(f"{night} night: {count} of {len(scene.points)} points ({told(scene.points)})")  # noqa: T201
    print(f"{tally.kills} kills, {len(tally.faults)} faults, {time.monotonic() - began:.0f} s")  # noqa: T201
    assert tally.faults == []
    assert tally.kills >= POINTS


@pytest.mark.long
def test_nights_killed_after_any_time_are_made_good(second_night: Scene) -> None:
    """Also in the middle of what Python does not see, such as a file that the engine writes."""
    began, tally = time.monotonic(), Tally()
    ended(start(killed_night, second_night.settings, 0))
    whole = time.monotonic() - began
    for number in range(TIMES):
        second_night.restore()
        child = start(killed_night, second_night.settings, 0)
        kill_after(child, whole * (number + 1) / (TIMES + 1))
        ended(child)
        tally.add(f"after {whole * (number + 1) / (TIMES + 1):.2f} s", faults_after(second_night))
    print(f"{tally.kills} kills within {whole:.1f} s, {len(tally.faults)} faults, {time.monotonic() - began:.0f} s")  # noqa: T201
    assert tally.faults == []
