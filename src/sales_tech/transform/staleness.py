"""Why a table must be built again, read from its own last commit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sales_tech.contracts.fingerprint import code_fingerprint
from sales_tech.contracts.pack import Pack
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake
from sales_tech.ports import hash_key_id


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


@dataclass(frozen=True)
class Recipe:
    """What one source's part of a table is made by: pack, code, contract and hash key, each as a fingerprint.

    It is kept for each source in the commit, since a run may know of some of the packs only.
    """

    pack: str
    code: str
    contract: str
    key: str

    def __str__(self) -> str:
        return " ".join((self.pack, self.code, self.contract, self.key))

    def differences(self, last: Provenance | None, source: str) -> list[str]:
        """What changed since a commit, in words; nothing where there was none."""
        if last is None:
            return []
        if source not in last.packs:
            return [f"new pack {source}"]
        words = (f"changed pack {source}", "changed code", "changed contract", "changed hash key")
        return [word for word, was, now in zip(words, last.packs[source].split(" "), str(self).split(" "), strict=True) if was != now]


def recipe(lake: Lake, pack: Pack, *, code: str, contract: str) -> Recipe:
    """The recipe of a pack's part of a table as it would be made now."""
    return Recipe(pack.fingerprint, code, contract, hash_key_id(lake.platform))


def silver_code(*own: str, stream: bool = False) -> str:
    """The fingerprint of the code of a silver step: its own modules and those that all of them build on.

    `stream` adds how order events become sales.
    """
    shared = ("typed.py", "canonical.py", "mapping.py", "accounts.py", "sources.py")
    return code_fingerprint(
        "engines", *(["streams", "contracts/stream.py"] if stream else []), *(f"transform/{module}" for module in (*shared, *own))
    )


def change_since(
    lake: Lake, last: Provenance | None, inputs: Iterable[str], differences: Iterable[str] = (), *, force: bool = False
) -> Change:
    """Compare a last commit with what there is now; `differences` tell what else changed, and ask for a full rebuild."""
    present = [name for name in inputs if lake.snapshot_id(name) is not None]
    if not present:
        return UNCHANGED
    if last is None:
        return Change(True, ("never built",), frozenset(present))
    reasons = ["forced"] if force else []
    reasons += differences
    moved = frozenset(name for name in present if lake.has_moved(name, last.inputs.get(name)))
    lost = sorted(name for name in moved if name in last.inputs and not lake.has_snapshot(name, last.inputs[name]))
    reasons += [f"the snapshot of {name} last read has expired" for name in lost]
    full = bool(reasons)
    reasons += [f"changed input {name}" for name in sorted(moved - set(lost))]
    return Change(full, tuple(reasons), moved)
