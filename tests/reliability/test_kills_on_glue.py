"""A night on AWS killed at any moment is made good by the next one: S3 for files, Glue for commits, a lease for the lock."""

from __future__ import annotations

import time

import pytest
from tests.reliability.scenes import Scene, faults_after, told

pytestmark = pytest.mark.slow(30)
POINTS = 60
INSIDE_A_COMMIT = ("in the middle of the table's metadata", "before UpdateTable", "after UpdateTable, before its answer is read")


@pytest.mark.parametrize("name", INSIDE_A_COMMIT)
def test_a_night_killed_inside_a_commit_to_glue_is_made_good_by_the_next(second_night: Scene, name: str) -> None:
    commits = second_night.points.count(name)
    second_night.kill_at(second_night.point(name, INSIDE_A_COMMIT.index(name) * commits // len(INSIDE_A_COMMIT)))
    assert faults_after(second_night) == []


@pytest.mark.long
def test_nights_on_aws_killed_at_any_moment_are_made_good(second_night: Scene) -> None:
    began, faults, points = time.monotonic(), [], second_night.spread(POINTS)
    for fatal in points:
        second_night.kill_at(fatal)
        found = [f"{fatal}, {second_night.points[fatal - 1]}: {fault}" for fault in faults_after(second_night)]
        print(f"{fatal}, {second_night.points[fatal - 1]}: {'; '.join(found) or 'made good'}", flush=True)  # noqa: T201
        faults += found
    passed = second_night.points
    print(f"{len(points)} kills at {len(passed)} points, {len(faults)} faults, {time.monotonic() - began:.0f} s ({told(passed)})")  # noqa: T201
    assert faults == []
