"""What snapshots say of themselves, apart from any lake."""

from __future__ import annotations

from sales_tech.lake.provenance import Provenance


def test_a_snapshot_of_another_tool_has_no_provenance() -> None:
    assert Provenance.read({"operation": "append"}) is None
