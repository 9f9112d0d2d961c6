"""A served model on its way to newer sales: what it learnt stays as it was approved, what it knows of the last weeks does not."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sales_tech.errors import ModelError
from sales_tech.models.artifact import write_refreshed
from sales_tech.models.registry import Registry
from sales_tech.orchestration.release import check_lake
from sales_tech.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from sales_tech.aws.model_packages import ModelPackage
    from sales_tech.aws.stack import Stack
    from sales_tech.planning import SourcePast


@dataclass(frozen=True)
class Refreshed:
    """The registered version that an endpoint serves, the last day of sales it now knows, and whether it knew them already."""

    package: ModelPackage
    origin: pd.Timestamp
    changed: bool


def refresh_endpoint(settings: Settings, stack: Stack, poll: dict[str, int] | None = None) -> Refreshed:
    """Have the stack's endpoint tell from the newest sales in the stack's lake, and wait as `endpoints.deploy` does.

    The version stays the one that was approved: its fitted planner goes on with the newest sales, as each night's forecast does, and
    is kept below its folder in the lake. ModelError where no version of that lake is served, or other code fitted it. LakeError
    where the change failed and was taken back.
    """
    from sales_tech.aws import endpoints
    from sales_tech.aws.model_packages import ModelPackages

    check_lake(settings, stack)
    packages = ModelPackages(stack.connection, stack.output("ModelGroup"))
    package = endpoints.deployed(stack, packages)
    if package is None:
        raise ModelError(f"the stack {stack.name} serves no version of {packages.group}; expected one: deploy it first")
    registry = Registry(settings)
    version = next((one for one in registry.versions(package.source) if one.digest == package.digest), None)
    if version is None:
        raise ModelError(
            f"version {package.version} of {package.source} is not a model of {settings.lake}/models, such as one that was registered "
            "from a training job; expected one that `endpoint register` registered"
        )
    artifact, past = registry.open(package.source, version.version), _past(settings, package.source)
    with tempfile.TemporaryDirectory() as work:
        newer = write_refreshed(Path(work) / "model", artifact, past)
        origin = newer.outlook().origin
        given = stack.parameters
        if newer.digest == given["ModelDigest"]:
            return Refreshed(package, origin, False)
        place = registry.keep_refreshed(version, newer, given["ModelDataUrl"])
    changed = endpoints.deploy(stack, replace(package, archive=f"{settings.lake}/{place}", digest=newer.digest), poll)
    return Refreshed(package, origin, changed)


def _past(settings: Settings, source: str) -> SourcePast:
    from sales_tech.engines.duck import open_engine
    from sales_tech.lake.store import Lake
    from sales_tech.transform.planning_past import calendars_of, read_past
    from sales_tech.transform.promotion_frames import read_source

    with open_engine(settings) as engine:
        lake = Lake(settings)
        found = read_source(lake, engine, source)
        if found is None:
            raise ModelError(f"no sales of {source} are in {settings.lake}, so none are newer; expected those of the nights until now")
        return read_past(lake, engine, source, found, calendars_of(settings).get(source))
