"""What differs between a laptop and AWS: the catalog, the places of files, the lock, the key, who answers queries.

`platform_of(settings)` is the one place that asks where the lake runs.
"""

from __future__ import annotations

from sales_tech.platform.local import LocalPlatform
from sales_tech.ports import Entry, Place, Platform
from sales_tech.settings import Settings

__all__ = ["Entry", "Place", "Platform", "platform_of"]


def platform_of(settings: Settings) -> Platform:
    """The platform that the settings name; the one for AWS is imported only where it is used."""
    if settings.aws is None:
        return LocalPlatform(settings)
    from sales_tech.aws.platform import open_platform

    return open_platform(settings)
