"""Why a table must be built again, read from its own last commit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake


@dataclass(frozen=True)
class Change:
    """What moved since a table's last commit.

    `full` asks for a rebuild from everything; else only what the inputs gained is read. `inputs` are
    the input tables that moved; `reasons` are for people.
    """

    full: bool
    reasons: tuple[str, ...]
    inputs: frozenset[str] = field(default_factory=frozenset)

    def __bool__(self) -> bool:
        return bool(self.reasons)


UNCHANGED = Change(False, ())


def change_since(
    lake: Lake,
    last: Provenance | None,
    inputs: Iterable[str],
    *,
    code: str,
    contract: str,
    pack: tuple[str, str] | None = None,
    force: bool = False,
) -> Change:
    """Compare a last commit with what there is now.

    `pack` is the name and the fingerprint of the pack whose part of the table is asked for.
    """
    present = [name for name in inputs if lake.snapshot_id(name) is not None]
    if not present:
        return UNCHANGED
    if last is None:
        return Change(True, ("never built",), frozenset(present))
    reasons = []
    if force:
        reasons.append("forced")
    if last.code != code:
        reasons.append("changed code")
    if last.contract != contract:
        reasons.append("changed contract")
    if pack is not None and last.packs.get(pack[0]) != pack[1]:
        reasons.append(f"changed pack {pack[0]}" if pack[0] in last.packs else f"new pack {pack[0]}")
    moved = frozenset(name for name in present if last.inputs.get(name) != lake.snapshot_id(name))
    lost = sorted(name for name in moved if name in last.inputs and not lake.has_snapshot(name, last.inputs[name]))
    reasons += [f"the snapshot of {name} last read has expired" for name in lost]
    full = bool(reasons)
    reasons += [f"changed input {name}" for name in sorted(moved - set(lost))]
    return Change(full, tuple(reasons), moved)
