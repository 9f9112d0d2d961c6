"""Why a table is built again, and whether from everything: each cause by itself and several together, in words."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sales_tech.lake.provenance import Provenance
from sales_tech.transform.staleness import UNCHANGED, Change, Recipe, change_since

INPUTS = ("silver.b", "silver.a", "silver.none")


def lake(**now: int) -> Any:
    """Tables a and b, each in a snapshot; those below ten have expired."""
    at = {f"silver.{name}": number for name, number in now.items()}
    return SimpleNamespace(
        snapshot_id=at.get,
        has_moved=lambda name, since: at[name] != since,
        has_snapshot=lambda _, number: number is not None and number >= 10,
    )


def commit(packs: dict[str, str] | None = None, **read: int) -> Provenance:
    return Provenance(
        "run", "step", "code", "contract", inputs={f"silver.{name}": number for name, number in read.items()}, packs=packs or {}
    )


@pytest.mark.parametrize(
    ("now", "last", "differences", "force", "expected"),
    [
        ({}, None, [], True, UNCHANGED),
        ({}, commit(a=10), ["changed code"], True, UNCHANGED),
        ({"a": 10, "b": 11}, None, ["changed code"], True, Change(True, ("never built",), frozenset({"silver.a", "silver.b"}))),
        ({"a": 10, "b": 11}, commit(a=10, b=11), [], False, UNCHANGED),
        ({"a": 12, "b": 11}, commit(a=10, b=11), [], False, Change(False, ("changed input silver.a",), frozenset({"silver.a"}))),
        # What was not there at the last commit is read from its beginning, and has not expired.
        ({"a": 10, "b": 11}, commit(a=10), [], False, Change(False, ("changed input silver.b",), frozenset({"silver.b"}))),
        ({"a": 10, "b": 11}, commit(a=10, b=11), [], True, Change(True, ("forced",), frozenset())),
        ({"a": 10, "b": 11}, commit(a=10, b=11), ["changed code"], False, Change(True, ("changed code",), frozenset())),
        (
            {"a": 12, "b": 13},
            commit(a=9, b=11),
            ["new pack x"],
            True,
            Change(
                True,
                ("forced", "new pack x", "the snapshot of silver.a last read has expired", "changed input silver.b"),
                frozenset({"silver.a", "silver.b"}),
            ),
        ),
        (
            {"a": 12, "b": 11},
            commit(a=9, b=11),
            [],
            False,
            Change(True, ("the snapshot of silver.a last read has expired",), frozenset({"silver.a"})),
        ),
    ],
)
def test_a_table_is_built_again_for_what_moved_and_from_everything_where_its_bookmark_or_its_recipe_does_not_hold(
    now: dict[str, int], last: Provenance | None, differences: list[str], force: bool, expected: Change
) -> None:
    found = change_since(lake(**now), last, INPUTS, differences, force=force)
    assert found == expected
    assert bool(found) == bool(expected.reasons)


def test_a_recipe_says_which_of_its_parts_differs_from_that_of_the_last_commit() -> None:
    last = commit({"acme": "pack code contract key"})
    assert Recipe("pack", "code", "contract", "key").differences(last, "acme") == []
    assert Recipe("pack2", "code", "contract", "key2").differences(last, "acme") == ["changed pack acme", "changed hash key"]
    assert Recipe("pack", "code2", "contract2", "key").differences(last, "acme") == ["changed code", "changed contract"]
    assert Recipe("pack", "code", "contract", "key").differences(last, "other") == ["new pack other"]
    # Of a table that was never built nothing has changed.
    assert Recipe("pack", "code", "contract", "key").differences(None, "acme") == []
