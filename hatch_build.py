"""What a wheel holds besides the package: notebooks, packs, functions and dashboards, so that it runs without a source tree."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ASSETS = ("notebooks", "sources", "lambda", "dashboards")


class Assets(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the assets to a wheel; an editable install has the source tree."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Tell hatchling what to include, and where."""
        if version == "standard":
            build_data["force_include"] |= {name: f"sales_tech/assets/{name}" for name in ASSETS}
