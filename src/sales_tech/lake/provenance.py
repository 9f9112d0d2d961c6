"""What a commit says of itself, kept in the Iceberg snapshot's summary."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

PREFIX = "sales-tech."


@dataclass(frozen=True)
class Provenance:
    """Which run made a snapshot, by what code and contract, from which snapshots.

    `inputs` are the snapshot ids that were read, by table: lineage, and the bookmark of the next
    incremental run. `companions` are the snapshot ids of tables committed just before, which belong
    to this state; should a crash part them, the ones named here count. `packs` are the fingerprints
    of the packs, or of what a step takes of them, that were applied, by name. `streams` are the
    snapshots of the event stream up to which the events of each source were judged, since a run may
    know of some of the packs only. `models` are the digests of the fitted models in use, by source.
    """

    run_id: str
    step: str
    code: str
    contract: str
    inputs: dict[str, int] = field(default_factory=dict)
    companions: dict[str, int] = field(default_factory=dict)
    packs: dict[str, str] = field(default_factory=dict)
    streams: dict[str, int] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)

    def properties(self) -> dict[str, str]:
        """The keys and texts to store in a snapshot's summary."""
        plain = {"run-id": self.run_id, "step": self.step, "code": self.code, "contract": self.contract}
        nested = {name: getattr(self, name) for name in ("inputs", "companions", "packs", "streams", "models")}
        return {PREFIX + key: value for key, value in plain.items()} | {
            PREFIX + key: json.dumps(value, sort_keys=True) for key, value in nested.items()
        }

    @classmethod
    def read(cls, summary: Mapping[str, str]) -> Provenance | None:
        """The provenance in a summary, or None where another tool made the snapshot."""
        found = {key.removeprefix(PREFIX): value for key, value in summary.items() if key.startswith(PREFIX)}
        if "run-id" not in found:
            return None
        return cls(
            run_id=found["run-id"],
            step=found["step"],
            code=found["code"],
            contract=found["contract"],
            inputs=json.loads(found["inputs"]),
            companions=json.loads(found["companions"]),
            packs=json.loads(found["packs"]),
            streams=json.loads(found.get("streams", "{}")),
            models=json.loads(found.get("models", "{}")),
        )
