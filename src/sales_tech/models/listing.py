"""The models of a lake for people: which there are, why each was registered, and which is in use."""

from __future__ import annotations

import pyarrow as pa

from sales_tech.errors import ModelError
from sales_tech.models.registry import Registry

LISTED = pa.schema(
    [
        pa.field("source", pa.string()),
        pa.field("version", pa.string()),
        pa.field("in_use", pa.bool_()),
        pa.field("learnt_until", pa.date32()),
        pa.field("registered_at", pa.timestamp("s", "UTC")),
        pa.field("code", pa.string()),
        pa.field("reason", pa.string()),
    ]
)


def listed(registry: Registry, source: str | None = None) -> pa.Table:
    """One row (LISTED) per registered model of a source, by default of each, the newest first.

    `reason` is that of the decision to register it, null where it is kept no more. ModelError for a source without models.
    """
    rows = []
    for name in _known(registry, source):
        index = registry.index(name)
        reasons = {decided.version: decided.reason for decided in index.decisions if decided.version is not None}
        for one in reversed(index.versions):
            told = (name, one.version, one.version == index.champion, one.origin, one.registered_at.replace(microsecond=0), one.code)
            rows.append(dict(zip(LISTED.names, (*told, reasons.get(one.version)), strict=True)))
    return pa.Table.from_pylist(rows, schema=LISTED)


def refusals(registry: Registry, source: str | None = None) -> list[str]:
    """A sentence for each source whose newest model was not registered, which says why."""
    told = []
    for name in registry.decided() if source is None else [source]:
        decisions = registry.index(name).decisions
        if decisions and decisions[-1].version is None:
            told.append(f"{name}: the model tried on sales until {decisions[-1].sales_until} was not registered: {decisions[-1].reason}")
    return told


def put_in_use(registry: Registry, version: str, source: str | None = None) -> str:
    """Put an earlier model in use again, and tell so in a sentence; one that is lost, or was tampered with, is refused (ModelError).

    `source` may be left out where only one has models.
    """
    known = _known(registry, source)
    if len(known) != 1:
        if not known:
            raise ModelError("no source has a model yet; `python pipeline.py run` fits one (step ml/train)")
        raise ModelError(f"{len(known)} sources have models; expected --source with one of {', '.join(known)}")
    (name,) = known
    before = registry.champion(name)
    registry.open(name, version)
    registry.crown(name, version)
    if before is not None and before.version == version:
        return f"{name}: {version} was in use already"
    instead = f" in the place of {before.version}" if before is not None else ""
    return f"{name}: {version} is in use again{instead}; the next run forecasts by it"


def _known(registry: Registry, source: str | None) -> list[str]:
    known = registry.sources()
    if source is None:
        return known
    if source not in known:
        expected = f"one of {', '.join(known)}" if known else "one that ml/train has fitted; there is none yet"
        raise ModelError(f"no model of source {source}; expected --source with {expected}")
    return [source]
