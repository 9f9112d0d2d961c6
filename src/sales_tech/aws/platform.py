"""The lake on AWS: S3, the Glue Data Catalog, Athena, Secrets Manager."""

from __future__ import annotations

from sales_tech.errors import SettingsError
from sales_tech.ports import Platform
from sales_tech.settings import Settings


def open_platform(settings: Settings) -> Platform:
    """The platform of settings with `aws`."""
    raise SettingsError(f"{settings.lake}: the lake on AWS")
